"""The main job through the installed program, from an empty folder to a constant that can be explained and trusted."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

from tests.e2e.conftest import Program, dark, git

JUNGFRAU, EPIX = "jungfrau-000003", "epix10ka-000002"
JUNGFRAU_LONG = "jungfrau_8000000020000-230920-20004002c"
EPIX_LONG = "epix10ka_" + "_".join(f"3926196238-017515289{n}-1157627926-0000000000" for n in range(4))


def stored(repository: Path, path: str) -> bytes:
    import subprocess

    return subprocess.run(["git", "show", f"HEAD:{path}"], cwd=repository, check=True, capture_output=True).stdout


def check_three_ways(calibvcs: Program, repository: Path, constant: str, array: np.ndarray, time: str) -> None:
    """Hold `get`, C Git and the file of the worktree against the array that was put in."""
    detector, ctype, validity = constant.split("/")
    path = f"{detector.partition('-')[0]}/{detector}/{ctype}/{validity}/data.npy"
    calibvcs("get", detector, ctype, "-t", time, "-o", "got.npy", "--repo", repository)
    saved = io.BytesIO()
    np.save(saved, array)
    assert (calibvcs.folder / "got.npy").read_bytes() == saved.getvalue()
    assert stored(repository, path) == saved.getvalue()
    assert np.array_equal(np.load(repository / path), array)


def test_story_of_a_camera(calibvcs: Program, repository: Path) -> None:
    first, second = dark((4, 5)), dark((4, 5), 1003, seed=1)
    constant = "opal1000-1/pedestals/1000-end"
    np.save(calibvcs.folder / "second.npy", second)
    added = calibvcs(
        "add", "opal1000-1", "pedestals", "second.npy", "--begin", "1000", "-m", "After a power cycle",
        "--repo", repository, "--json",
    ).json  # fmt: skip
    assert added["schema"] == "calibvcs.add/1"
    (one,) = added["constants"]
    assert (one["constant"], one["version"]) == (constant, "v2")
    assert one["changes"]["changed"] == 20
    assert one["commit"] == git(repository, "rev-parse", "HEAD").strip()
    assert one["blob"] == git(repository, "rev-parse", "HEAD:opal1000/opal1000-1/pedestals/1000-end/data.npy").strip()
    check_three_ways(calibvcs, repository, constant, second, "5000")

    calibvcs("tag", "create", "golden", "-m", "What the paper used", "--repo", repository)
    calibvcs("default", "set", f"{constant}@v1", "-m", "The second was taken with light", "--repo", repository)
    check_three_ways(calibvcs, repository, constant, first, "5000")
    calibvcs("get", "opal1000-1", "pedestals", "-t", "5000", "--at", "golden", "-o", "old.npy", "--repo", repository)
    assert np.array_equal(np.load(calibvcs.folder / "old.npy"), second)

    calibvcs("lock", constant, "-m", "Used by the beam line", "--repo", repository)
    refused = calibvcs(
        "add", "opal1000-1", "pedestals", "second.npy", "--begin", "1000", "-m", "x", "--repo", repository, expect=4
    )
    assert "Used by the beam line" in refused.err
    assert "calibvcs unlock" in refused.err
    calibvcs("unlock", constant, "-m", "Beam time is over", "--repo", repository)
    calibvcs("withdraw", constant, "-m", "Light leak", "--repo", repository)
    refused = calibvcs("get", "opal1000-1", "pedestals", "-t", "5000", "--repo", repository, expect=3)
    assert "withdrawn" in refused.err
    assert f"calibvcs default set {constant}@vN" in refused.err
    why = calibvcs("why", "opal1000-1", "pedestals", "-t", "5000", "--repo", repository, "--json").json
    assert why["chosen"] is None
    assert [c["outcome"] for c in why["candidates"]] == ["withdrawn"]
    calibvcs("default", "set", f"{constant}@v2", "-m", "The light was in the first", "--repo", repository)
    check_three_ways(calibvcs, repository, constant, second, "5000")

    log = calibvcs("log", "opal1000-1/pedestals", "--repo", repository, "--json").json
    actions = [(entry["action"], entry["constants"][0]["version"]) for entry in log["commits"]]
    assert actions == [
        ("restore", "v2"), ("withdraw", "v1"), ("unlock", "v1"), ("lock", "v1"), ("restore", "v1"), ("add", "v2"),
        ("add", "v1"),
    ]  # fmt: skip
    rows = calibvcs("ls", "--repo", repository, "--json").json
    assert rows["schema"] == "calibvcs.ls/1"
    (row,) = rows["constants"]
    assert (row["version"], row["begin"], row["end"], row["dtype"], row["shape"]) == (
        "v2",
        1000,
        None,
        "float32",
        [4, 5],
    )
    assert (row["locked"], row["withdrawn"], row["author"]) == (False, False, "Grace Hopper")
    assert calibvcs("verify", "--deep", "--repo", repository).out.endswith("0 errors, 0 warnings\n")
    assert git(repository, "status", "--porcelain") == ""
    git(repository, "fsck", "--strict")


def test_runs_and_aliases_stand_for_times_and_detectors(calibvcs: Program, repository: Path) -> None:
    words = ("--kind", "dark", "--reason", "temperature", "-m", "Cooler was off", "--repo", repository)
    calibvcs("run", "mark", "mfx1:7", "--begin", "2000", "--end", "2100", *words)
    calibvcs("run", "mark", "mfx1:9", "--begin", "3000", "--kind", "data", "-m", "x", "--repo", repository)
    calibvcs("alias", "add", "front", "opal1000-1", "--begin", "1500", "--source", "opal", "--repo", repository)
    np.save(calibvcs.folder / "second.npy", dark((4, 5), 1002, seed=3))
    calibvcs(
        "add", "front", "pedestals", "second.npy", "--experiment", "mfx1", "--run", "7", "--run-end", "7",
        "-m", "Run 7 only", "--repo", repository,
    )  # fmt: skip
    chosen = calibvcs("get", "front", "pedestals", "--run", "mfx1:7", "--repo", repository, "--json").json
    assert chosen["constant"] == "opal1000-1/pedestals/2000-3000"
    chosen = calibvcs("get", "front", "pedestals", "--run", "mfx1:9", "--repo", repository, "--json").json
    assert chosen["constant"] == "opal1000-1/pedestals/1000-end"
    assert "front" in calibvcs("get", "front", "pedestals", "-t", "1200", "--repo", repository, expect=3).err
    assert calibvcs("alias", "resolve", "front", "-t", "1600", "--repo", repository).out == "opal1000-1\n"
    refused = calibvcs("alias", "add", "front", "opal1000-1", "--begin", "9000", "--repo", repository, expect=4)
    assert "overlap" in refused.err
    assert "temperature" in calibvcs("run", "ls", "mfx1", "--repo", repository).out


def test_standard_input_and_output(calibvcs: Program, repository: Path) -> None:
    saved = io.BytesIO()
    np.save(saved, dark((4, 5), 1001, seed=2))
    words = ("pedestals", "-", "--begin", "2000", "-m", "From a pipe", "--repo", repository)
    calibvcs("add", "opal1000-1", *words, stdin=saved.getvalue())
    assert calibvcs("get", "opal1000-1", "pedestals", "-t", "2000", "-o", "-", "--repo", repository).out.startswith(
        "\ufffdNUMPY"
    )
    text = "# DTYPE uint16\n# NDIM 2\n# DIM:0 4\n# DIM:1 5\n" + "\n".join("0 0 8 0 1" for _ in range(4))
    words = ("pixel_status", "-", "--begin", "2000", "-m", "Text array", "--repo", repository)
    calibvcs("add", "opal1000-1", *words, stdin=text.encode())
    assert "uint16 4x5" in calibvcs("ls", "*/pixel_status", "--repo", repository).out


def test_manifest_is_one_commit(calibvcs: Program, repository: Path) -> None:
    np.save(calibvcs.folder / "rms.npy", dark((4, 5), 3))
    (calibvcs.folder / "set.toml").write_text(
        'message = "Dark run 8"\n'
        '[[constants]]\ndetector = "opal1000-1"\nctype = "pedestals"\nfile = "first.npy"\nbegin = 2026-01-01T00:00:00Z\n'
        '[[constants]]\ndetector = "opal1000-1"\nctype = "pixel_rms"\nfile = "rms.npy"\nbegin = "2026-01-01"\n'
        "parameters = { bias = 300 }\n"
    )
    before = git(repository, "rev-list", "--count", "HEAD")
    dry = calibvcs("add", "--manifest", "set.toml", "--dry-run", "--repo", repository)
    assert "dry run, nothing is changed" in dry.out
    assert git(repository, "rev-list", "--count", "HEAD") == before
    calibvcs("add", "--manifest", "set.toml", "--repo", repository)
    assert int(git(repository, "rev-list", "--count", "HEAD")) == int(before) + 1
    assert "bias" in calibvcs("show", "opal1000-1/pixel_rms", "--repo", repository).out


def test_geometry_difference_is_exact(calibvcs: Program, repository: Path) -> None:
    line = "JFCAMERA:V1 0 JUNGFRAU:V2 {n} {x} 51200 0 {turn} 0 0 0.1 0.0 0.0\n"
    root = "IP:V1 0 JFCAMERA:V1 0 0 0 10000 0 0 0 0 0 0\n"
    old = line.format(n=0, x=-19525.1, turn=90) + line.format(n=1, x=19525.3, turn=270) + root
    same = (
        "# another comment\n\n"
        + root.replace(" ", "   ")
        + line.format(n=1, x=19525.3, turn=270)
        + line.format(n=0, x="-19525.10", turn="90.0")
    )
    moved = old.replace("19525.3", "19537.8").replace("270", "270.1")
    for name, text in (("old", old), ("same", same), ("moved", moved)):
        (calibvcs.folder / f"{name}.txt").write_text(text)
    calibvcs("add", "opal1000-1", "geometry", "old.txt", "--begin", "0", "-m", "Assembly", "--repo", repository)
    constant = "opal1000-1/geometry/0-end"
    assert "no difference" in calibvcs("diff", "./same.txt", constant, "--repo", repository).out
    different = calibvcs("diff", constant, "./moved.txt", "--repo", repository, "--json", expect=1).json
    (panel,) = different["constants"][0]["geometry"]["panels"]
    assert panel["panel"] == "JFCAMERA:V1/0 JUNGFRAU:V2/1"
    assert {name: value for name, value in panel.items() if isinstance(value, float) and value} == {
        "dx": 12.5,
        "drot_z": 0.1,
    }
    text = calibvcs("diff", constant, "./moved.txt", "--repo", repository, expect=1).out
    assert "changed dx +12.5 um, drot_z +0.1 deg" in text


def test_states_of_the_whole_repository_are_compared(calibvcs: Program, repository: Path) -> None:
    calibvcs("tag", "create", "before", "-m", "x", "--repo", repository)
    status = np.zeros((4, 5), np.uint16)
    status[0, 0], status[1, 1] = 1, 8
    np.save(calibvcs.folder / "status.npy", status)
    calibvcs("add", "opal1000-1", "pixel_status", "status.npy", "--begin", "0", "-m", "a", "--repo", repository)
    calibvcs("tag", "create", "between", "-m", "x", "--repo", repository)
    status[1, 1], status[2, 2] = 0, 5
    np.save(calibvcs.folder / "status.npy", status)
    calibvcs("add", "opal1000-1", "pixel_status", "status.npy", "--begin", "0", "-m", "b", "--repo", repository)
    assert (
        "added opal1000-1/pixel_status/0-end" in calibvcs("diff", "before", "main", "--repo", repository, expect=1).out
    )
    changed = calibvcs("diff", "between", "HEAD", "--repo", repository, "--json", expect=1).json
    (segment,) = changed["constants"][0]["array"]["segments"]
    assert (segment["new_bad"], segment["cleared_bad"]) == (1, 1)
    assert segment["bits"] == {"1": [1, 0], "4": [1, 0], "8": [0, 1]}
    assert calibvcs("diff", "main", "HEAD", "--repo", repository).code == 0


def test_real_detectors(calibvcs: Program, shared_data: Path) -> None:
    repository = calibvcs.folder / "constants"
    calibvcs("init", repository)
    calibvcs(
        "detector", "add", JUNGFRAU, "--longname", JUNGFRAU_LONG, "--segment", "8000000020000", "--repo", repository
    )
    calibvcs("detector", "add", EPIX, "--longname", EPIX_LONG, "--repo", repository)
    frames = np.load(shared_data / "frames/mfx101332224-r0007-jungfrau.npy") & 0x3FFF
    mean = frames.mean(axis=0).astype(np.float32)
    jungfrau = np.stack([mean, mean + 1, mean + 2])
    mean = (np.load(shared_data / "frames/ueddaq02-r0109-epixquad.npy") & 0x3FFF).mean(axis=0).astype(np.float32)
    epix = np.stack([mean + gain for gain in range(7)])
    stamp = "4776162078881255856"  # of the event, 2025-03-28
    for detector, array in ((JUNGFRAU, jungfrau), (EPIX, epix)):
        np.save(calibvcs.folder / "pedestals.npy", array)
        calibvcs("add", detector, "pedestals", "pedestals.npy", "--begin", stamp, "-m", "Dark", "--repo", repository)
        check_three_ways(calibvcs, repository, f"{detector}/pedestals/1743188891-end", array, stamp)
    for number, file in enumerate(sorted((shared_data / "geometry").iterdir())):
        begin = str(1_600_000_000 + number)
        calibvcs("add", JUNGFRAU, "geometry", file, "--begin", begin, "-m", f"From {file.name}", "--repo", repository)
        calibvcs("get", JUNGFRAU, "geometry", "-t", begin, "-o", "got.txt", "--repo", repository)
        assert (calibvcs.folder / "got.txt").read_bytes() == file.read_bytes()
        assert stored(repository, f"jungfrau/{JUNGFRAU}/geometry/{begin}-end/geometry.txt") == file.read_bytes()
    assert calibvcs("verify", "--deep", "--repo", repository).code == 0
    git(repository, "fsck", "--strict")


def test_200_megabytes(calibvcs: Program) -> None:
    repository = calibvcs.folder / "constants"
    calibvcs("init", repository)
    calibvcs("detector", "add", "jungfrau-000016", "--repo", repository)
    shape = (3, 32, 512, 1024)
    words = np.arange(np.prod(shape), dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15) >> np.uint64(52)
    array = (words + np.uint64(1000)).astype(np.float32).reshape(shape)
    np.save(calibvcs.folder / "first.npy", array)
    calibvcs(
        "add", "jungfrau-000016", "pedestals", "first.npy", "--begin", "0", "-m", "All of it", "--repo", repository
    )
    array[1, 7] += 2
    np.save(calibvcs.folder / "second.npy", array)
    calibvcs(
        "add", "jungfrau-000016", "pedestals", "second.npy", "--begin", "0", "-m", "One segment", "--repo", repository
    )
    check_three_ways(calibvcs, repository, "jungfrau-000016/pedestals/0-end", array, "5")
    versions = [f"jungfrau-000016/pedestals/0-end@v{n}" for n in (1, 2)]
    changed = calibvcs("diff", *versions, "--repo", repository, "--json", expect=1).json["constants"][0]["array"]
    assert (changed["changed"], changed["max_abs"], changed["largest_median"]) == (512 * 1024, 2.0, 2.0)
    moved = [(s["gain"], s["segment"]) for s in changed["segments"] if s["changed"]]
    assert moved == [(1, 7)]


def test_quickstart(calibvcs: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    for role in ("AUTHOR", "COMMITTER"):  # a fresh machine knows nobody
        monkeypatch.delenv(f"GIT_{role}_NAME")
        monkeypatch.delenv(f"GIT_{role}_EMAIL")
    shown = calibvcs("quickstart").out
    for words in (
        "$ calibvcs ls",
        "$ calibvcs add",
        "$ calibvcs log",
        "$ calibvcs diff",
        "$ calibvcs why",
        "$ calibvcs get",
    ):
        assert words in shown
    assert "largest median difference +2" in shown
    calibvcs("verify", "--deep", "--repo", calibvcs.folder / "calibvcs-quickstart")
    assert "calibvcs-quickstart-2" in calibvcs("quickstart").out
    assert "exists already" in calibvcs("quickstart", "calibvcs-quickstart", expect=5).err


def test_doctor(calibvcs: Program, repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "format 1" in calibvcs("doctor", "--repo", repository).out
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.delenv(f"GIT_{role}_NAME")
    sick = calibvcs("doctor", "--repo", "/nowhere", expect=1).out
    assert "calibvcs init" in sick
    assert "git config --global user.name" in sick
