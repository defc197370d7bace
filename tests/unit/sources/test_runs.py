"""Runs of a folder: what can be used, what is passed over and why."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from calibvcs.api.wire import as_json
from calibvcs.errors import MissingFileError
from calibvcs.sources import runs
from calibvcs.sources.runs import RunFolder, RunLook, look, look_in, runs_in
from tests import xtc2_writer as w

BEGIN = 1_767_225_600
WHEN = w.stamp(BEGIN)


def name(run: int, stream: int = 0, chunk: int = 0, experiment: str = "mfx101332224") -> str:
    return f"{experiment}-r{run:04d}-s{stream:03d}-c{chunk:03d}.xtc2"


def test_what_the_head_tells(tmp_path: Path) -> None:
    detectors = {"jf": ("jungfrau", ["a", "b"]), "epics": ("epics", ["x"]), "epicsinfo": ("epicsinfo", ["y"])}
    path = w.write_run(tmp_path / name(9), run=9, begin=BEGIN, detectors=detectors)
    found = look(path)
    assert (found.path, found.state, found.reason) == (path, "usable", "")
    assert (found.experiment, found.run, found.begin, found.stamp) == ("mfx101332224", 9, BEGIN, WHEN)
    assert {one.name: (one.dettype, one.longname, one.segments, one.normal) for one in found.detectors} == {
        "jf": ("jungfrau", "jungfrau_a_b", (0, 1), True),
        "epics": ("epics", "epics_x", (0,), False),
        "epicsinfo": ("epicsinfo", "epicsinfo_y", (0,), True),  # psana asks for constants of it
        "runinfo": ("runinfo", "runinfo_", (0,), False),
        "chunkinfo": ("chunkinfo", "chunkinfo_", (0,), False),
    }
    assert as_json(found)["schema"] == "calibvcs.run-look/1"


@pytest.mark.parametrize("cut", [1, 23, 24, 100, 3000, 6311])
def test_a_file_that_ends_before_its_run_has_begun_is_being_written(cut: int, tmp_path: Path) -> None:
    content = w.write_run(tmp_path / "x").read_bytes()
    (tmp_path / "x").write_bytes(content[:cut])
    found = look(tmp_path / "x")
    assert (found.state, found.begin) == ("being written", None)
    assert found.reason


def test_states(tmp_path: Path) -> None:
    blocks = w.raw_blocks("jf", "jungfrau", ["a"])
    head = w.head(blocks, "x", 1, WHEN, with_run=False)
    begin = w.begin_run(WHEN, "x", 1)
    slow = w.datagram(w.SLOW_UPDATE, WHEN)
    cases = {
        b"": ("empty", "the file is empty"),
        b"\0" * 100: ("foreign", "does not begin with a datagram"),
        b"%PDF-1.7 and so on, and on, and on": ("foreign", "does not begin with a datagram"),
        slow: ("foreign", "begins with SlowUpdate"),
        head: ("being written", "no BeginRun yet"),
        head + begin[:-1]: ("being written", "ends inside its BeginRun"),
        head + slow * 5: ("being written", "no BeginRun yet"),
        head + slow * 5 + begin: ("usable", ""),
        head + slow * 1001 + begin: ("broken", "no BeginRun among the first 1000"),
        head + b"\xff" * 24: ("broken", "no datagram: service 15"),
        head + begin[:24] + b"\xff" * (len(begin) - 24): ("broken", "an Xtc of 4294967295 bytes"),
        w.datagram(w.CONFIGURE, WHEN, w.xtc(w.NAMES, b"short")): ("broken", "a Names block of 5 bytes"),
        w.datagram(w.CONFIGURE, WHEN, extent=0xFFFFFFFF): ("broken", "a Configure of 4294967307 bytes"),
        head + w.datagram(w.BEGIN_RUN, WHEN, extent=0xFFFFFFFF): ("broken", "a BeginRun of 4294967307 bytes"),
        head + w.datagram(w.SLOW_UPDATE, WHEN, extent=0xFFFFFFFF): ("being written", "no BeginRun yet"),
    }  # fmt: skip
    for content, (state, reason) in cases.items():
        (tmp_path / "x.xtc2").write_bytes(content)
        found = look(tmp_path / "x.xtc2")
        assert (found.state, reason in found.reason) == (state, True), found


def test_look_never_raises(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    for path in (tmp_path, tmp_path / "pipe", tmp_path / "loop", tmp_path / "nowhere", "a\0b", "/dev/zero", ""):
        found = look(path)
        assert (found.state, bool(found.reason)) == ("foreign", True)


def test_only_the_head_is_read(tmp_path: Path) -> None:
    path = w.write_run(tmp_path / "x", frames=0)
    with path.open("r+b") as file:
        file.truncate(1 << 40)  # sparse: whoever reads on reads a terabyte
    assert look(path).state == "usable"


def test_runs_of_a_folder_with_their_streams(tmp_path: Path) -> None:
    for run, begin in ((12, BEGIN + 500), (7, BEGIN), (8, BEGIN + 100)):
        for stream in range(3):
            detectors = {"jf": ("jungfrau", {stream: f"s{stream}"})}
            experiment = None if stream == 2 else "mfx101332224"
            path = tmp_path / name(run, stream)
            w.write_run(path, run=run, begin=begin, detectors=detectors, experiment=experiment)
    w.write_run(tmp_path / name(8, 0, 1), run=99)
    w.write_run(tmp_path / "smalldata" / name(8).replace(".xtc2", ".smd.xtc2"), run=8)
    w.write_run(tmp_path / name(8).replace(".xtc2", ".smd.xtc2"), run=88)
    (tmp_path / "notes.txt").write_text("not ours")
    found = look_in(tmp_path)
    assert [(one.run, one.begin) for one in found.runs] == [(7, BEGIN), (8, BEGIN + 100), (12, BEGIN + 500)]
    assert found.passed_over == ()
    for one in found.runs:
        assert [stream.path.name for stream in one.streams] == [name(one.run, n) for n in range(3)]
        jf = next(detector for detector in one.detectors if detector.name == "jf")
        assert (jf.longname, jf.segments, jf.serials) == ("jungfrau_s0_s1_s2", (0, 1, 2), ("s0", "s1", "s2"))
        assert one.incomplete == ()
    assert runs_in(tmp_path) == list(found.runs)
    assert runs_in(tmp_path, "another") == []


def test_the_data_tell_and_not_the_name(tmp_path: Path) -> None:
    w.write_run(tmp_path / name(14, experiment="other"), run=3)
    w.write_run(tmp_path / "anything.xtc2", run=4, begin=BEGIN + 9)
    assert [(one.experiment, one.run) for one in runs_in(tmp_path, "mfx101332224")] == [
        ("mfx101332224", 3), ("mfx101332224", 4),
    ]  # fmt: skip
    assert runs_in(tmp_path, "other") == []


def test_what_is_passed_over_is_named(tmp_path: Path) -> None:
    content = w.write_run(tmp_path / name(7)).read_bytes()
    (tmp_path / name(7, 1)).write_bytes(content[:2000])
    (tmp_path / name(7, 2)).write_bytes(b"")
    (tmp_path / name(9)).write_bytes(b"<html>" * 9)
    (tmp_path / name(10)).mkdir()
    w.write_run(tmp_path / name(11), experiment="other", run=11)
    w.write_run(tmp_path / name(12), experiment=None, begin=5 + BEGIN)
    found = look_in(tmp_path, "mfx101332224")
    (run,) = found.runs
    assert run.run == 7
    assert [(one.path.name, one.state) for one in run.incomplete] == [
        (name(7, 1), "being written"), (name(7, 2), "empty"),
    ]  # fmt: skip
    states = {one.path.name: one.state for one in found.passed_over}
    assert states == {
        name(7, 1): "being written", name(7, 2): "empty", name(9): "foreign", name(10): "foreign",
        name(11): "foreign", name(12): "foreign",
    }  # fmt: skip
    assert "is of experiment 'other'" in next(one.reason for one in found.passed_over if one.path.name == name(11))
    assert all(one.reason for one in found.passed_over)


def test_a_folder_that_is_looked_at_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from calibvcs.sources import xtc2_heads

    seen: list[str] = []
    read = xtc2_heads.read_head
    monkeypatch.setattr(xtc2_heads, "read_head", lambda path: (seen.append(path.name), read(path))[1])
    folder = RunFolder(tmp_path, "mfx101332224")
    assert folder.look().runs == ()
    first = w.write_run(tmp_path / name(1), run=1)
    content = first.read_bytes()
    (tmp_path / name(2)).write_bytes(content[:50])
    assert [one.run for one in folder.look().runs] == [1]
    assert [one.run for one in folder.look().runs] == [1]
    assert seen == [name(1), name(2), name(2)], "what is being written is read again, what is usable is not"
    with first.open("ab") as file:
        file.write(b"more")
    w.write_run(tmp_path / name(2), run=2, begin=BEGIN + 50)
    assert [one.run for one in folder.look().runs] == [1, 2]
    assert seen[3:] == [name(2)]
    w.write_run(tmp_path / "new", run=5)
    (tmp_path / "new").rename(first)
    assert [one.run for one in folder.look().runs] == [5, 2]
    first.unlink()
    assert [one.run for one in folder.look().runs] == [2]


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match="no such file"):
        look_in(tmp_path / "nowhere")
    with pytest.raises(MissingFileError, match="not a directory"):
        look_in(w.write_run(tmp_path / "x"))


def test_importing_costs_nothing() -> None:
    program = "import sys, calibvcs.sources.runs; print('numpy' in sys.modules, calibvcs.sources.runs.RunLook.schema)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "calibvcs.run-look/1"]
    assert runs.RunLook is RunLook
