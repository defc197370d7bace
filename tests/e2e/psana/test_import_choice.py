"""After an import, every run with a known begin gets what the unmodified psana takes for it from the web service."""

from __future__ import annotations

import json
import os
import random
import subprocess
from pathlib import Path

import numpy as np
import pytest

import calibvcs
from tests.servers.psana_web import PsanaDatabase, psana_service

PYTHON = os.environ.get("CALIBVCS_PSANA_PYTHON", "")
SHORT, NAME, LONG = "jungfrau_000003", "jungfrau-000003", "jungfrau_8000000020000-230920-20004002c"
EXPERIMENT = "mfx101332224"
LAST_RUN = 24
T = 1_743_000_000


def deployments(seed: int) -> tuple[PsanaDatabase, list[tuple[str, int, int]]]:
    """Return a database of random deployments, and ctype, first and last run of each."""
    chance = random.Random(seed)
    database, ranges = PsanaDatabase(), []
    database.name(SHORT, LONG)
    for number in range(14):
        ctype, first = chance.choice(("pedestals", "pixel_gain")), chance.randint(0, LAST_RUN - 2)
        last = first + chance.randint(0, 8) if chance.random() < 0.6 else 9999
        made = T + 100 * LAST_RUN + 10 * chance.randint(0, 5) + 60 * number
        value = np.full((3, 1, 2, 2), number + 1, np.float32)
        run_end = "end" if last == 9999 else chance.choice((last, str(last)))
        time = T + 100 * chance.randint(0, LAST_RUN)
        database.deploy(EXPERIMENT, SHORT, made, value, ctype=ctype, run=first, run_end=run_end, time_sec=time)
        ranges.append((ctype, first, last))
    return database, ranges


@pytest.mark.slow
@pytest.mark.skipif(
    not PYTHON, reason="CALIBVCS_PSANA_PYTHON names no Python that has psana; see README.md beside this file"
)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_choice_for_every_run(seed: int, tmp_path: Path) -> None:
    database, ranges = deployments(seed)
    known = sorted(random.Random(seed).sample(range(1, LAST_RUN + 1), 14))
    table = tmp_path / f"{EXPERIMENT}.csv"
    table.write_text("run,begin\n" + "".join(f"{run},{T + 100 * run}\n" for run in known))
    calibvcs.init(tmp_path / "constants")
    out = tmp_path / "chosen.json"
    with psana_service(database) as url:
        script = Path(__file__).with_name("chosen_by_psana.py")
        words = [PYTHON, script, LONG, EXPERIMENT, "1", str(LAST_RUN), out]
        environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "LCLS_CALIB_HTTP": url}
        subprocess.run(words, env=environment, check=True, capture_output=True, cwd=tmp_path)
        with calibvcs.open(tmp_path / "constants") as repository:
            repository.import_psana(url, run_table=table)
    chosen = json.loads(out.read_text())
    compared = 0
    with calibvcs.open(tmp_path / "constants") as repository:
        for run in known:
            for ctype in ("pedestals", "pixel_gain"):
                if any(kind == ctype and first <= run <= last for kind, first, last in ranges):
                    found = repository.get(NAME, ctype, T + 100 * run + 1)
                    assert float(found.data.flat[0]) == chosen[str(run)][ctype], (run, ctype)
                    compared += 1
    assert compared > len(known)
