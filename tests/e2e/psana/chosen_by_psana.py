"""Run by psana's own Python: what psana takes from a web service for each run of an experiment.

This file imports nothing of calibvcs. ``chosen_by_psana.py SHORT EXPERIMENT FIRST LAST OUT`` writes the first value of
each constant that psana gives, by run and ctype, as JSON.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from psana.pscalib.calib.MDBWebUtils import calib_constants_all_types


def main(short: str, experiment: str, first: str, last: str, out: str) -> None:
    """Ask for every run."""
    found = {}
    for run in range(int(first), int(last) + 1):
        constants = calib_constants_all_types(short, exp=experiment, run=run)
        found[run] = {
            ctype: float(np.ravel(value)[0]) if isinstance(value, np.ndarray) else value
            for ctype, (value, _) in constants.items()
        }
    Path(out).write_text(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
