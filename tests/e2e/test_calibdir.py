"""A legacy calib directory comes in and goes out, by the installed program."""

from pathlib import Path

import numpy as np

from tests.e2e.conftest import Program

SOURCE = "CxiEndstation.0:Jungfrau.0"
DETECTOR = "jungfrau-cxiendstation.0-jungfrau.0"


def test_there_and_back(calibvcs: Program, tmp_path: Path) -> None:
    folder = tmp_path / "calib" / "Jungfrau::CalibV1" / SOURCE / "pedestals"
    folder.mkdir(parents=True)
    for name, level in (("0-end", 1), ("10-20", 2), ("0-end.data-2016-05-01-10:11:12", 3), ("15-end", 4)):
        np.savetxt(folder / (name if "data" in name else f"{name}.data"), np.full((4, 5), level + 0.25), "%.3f")
    (folder / "HISTORY").write_text(
        "file:15-end.data user:ann host:psana1 cptime:2016-05-02T00:00:00 comment:New dark\n"
    )
    (tmp_path / "runs.csv").write_text("run,begin\n" + "".join(f"{run},{1000 + 100 * run}\n" for run in range(31)))
    calibvcs("init", "constants")
    repo = ("--repo", "constants")
    assert "lacks the begin of runs 10, 15, 21" in calibvcs("import", "calibdir", "calib", *repo, expect=4).err
    come = calibvcs("import", "calibdir", "calib", "--run-table", "runs.csv", "--backups", *repo).out
    assert f"registered {DETECTOR}" in come
    assert f"added {DETECTOR}/pedestals/2500-end@v1" in come
    assert "4 versions came from calib" in come
    assert "ann" in calibvcs("log", f"{DETECTOR}/pedestals/2500-end", *repo).out
    for run, level in ((9, 1), (12, 2), (16, 4)):
        calibvcs("get", DETECTOR, "pedestals", "-t", str(1000 + 100 * run), "-o", "a.npy", *repo)
        assert np.load(tmp_path / "a.npy").tolist() == [[level + 0.25] * 5] * 4

    gone = calibvcs("export", "--calibdir", "out", "--run-table", "runs.csv", *repo)
    assert "3 files written" in gone.out
    assert calibvcs("export", "--calibdir", "out", "--run-table", "runs.csv", "--json", *repo).json["files"][0] == {
        "path": f"Jungfrau::CalibV1/{SOURCE}/pedestals/0-end.data",
        "constant": f"{DETECTOR}/pedestals/0-end",
        "version": "v2",
        "written": False,
        "backup": "",
    }
    assert "left out" in calibvcs("export", "--calibdir", "few", *repo).err

    over = calibvcs("get", DETECTOR, "pedestals", "-r", "cxi1:12", "--overlay", "out", *repo)
    assert "10-20.data" in over.out
    fallen = calibvcs("get", DETECTOR, "pedestals", "-t", "cxi1:12", "--overlay", "calib", "-o", "-", *repo)
    assert "NUMPY" in fallen.out
    assert "run table" in calibvcs("get", DETECTOR, "pedestals", "-t", "9", "--overlay", "out", *repo, expect=2).err
    calibvcs("get", DETECTOR, "pixel_gain", "-r", "cxi1:12", "--overlay", "out", *repo, expect=3)

    plain = calibvcs("export", "--npy", "plain", "--time", "2250", *repo)
    assert f"wrote {DETECTOR}/pedestals/data.npy" in plain.out
    calibvcs("export", "--npy", "plain", *repo, expect=5)
    calibvcs("export", "--npy", "p", "--map", "a=b", *repo, expect=2)
    calibvcs("export", "--calibdir", "p", "--run", "7", *repo, expect=2)
    calibvcs("export", "--npy", "p", "--calibdir", "q", *repo, expect=2)
    assert "is here already" in calibvcs("import", "tree", "constants", *repo, expect=5).err
    assert "Commands" in calibvcs("import", expect=None).out + calibvcs("import", "--help").out
