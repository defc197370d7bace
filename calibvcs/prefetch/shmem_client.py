"""A program of its own: tells the runs of a psana shared-memory server, one line of JSON for each.

It is run by the Python in which psana is installed, and uses nothing else. psana may wait in C for hours, and may end a
process: so it does not live in that of the prefetcher.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
from typing import Any

_PR_SET_PDEATHSIG = 1


def follow(tag: str, folder: str | None) -> None:
    """Write a line for each run that begins, until the server ends.

    Parameters
    ----------
    tag : str
        Name of the server, as of its ``-p``.
    folder : str or None
        XTC directory.
    """
    lines = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # psana prints
    from psana import DataSource  # type: ignore[import-not-found]

    options: dict[str, Any] = {"dir": folder} if folder else {}
    source = DataSource(shmem=tag, skip_calib_load="all", **options)
    for run in source.runs():
        known = {name: config.uniqueid for name, config in source.dsparms.configinfo_dict.items()}
        wanted = run.get_filtered_detinfo() if hasattr(run, "get_filtered_detinfo") else known
        told = {"experiment": run.expt, "run": run.runnum, "stamp": run.timestamp, "detectors": dict(wanted)}
        lines.write(json.dumps(told) + "\n")
        lines.flush()


if __name__ == "__main__":
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)  # whatever ends the prefetcher ends this one too
    follow(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None)
