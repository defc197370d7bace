"""The companion of the DAQ as it is really started: it follows runs and commits, survives everything, and stops at once."""

from __future__ import annotations

import importlib.util
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

import calibvcs as calibvcs_api
from calibvcs import shm
from calibvcs.formats.psana.psana_unpickle import decode_constants
from tests import xtc2_writer
from tests.e2e.conftest import SCRIPT, Program, dark

BEGIN = 1_767_225_600
LARGE = (2000, 1500)
KILLS = int(os.environ.get("CALIBVCS_TEST_KILLS", "1"))  # pairs of SIGTERM and SIGKILL; 100 for a long run by hand
SOON = "0.004"  # minutes
NEVER = "600"
PATIENCE = 30.0


def until(happens: Callable[[], object], told: Callable[[], str] = lambda: "it did not happen") -> None:
    """Wait for something that another process does."""
    end = time.monotonic() + PATIENCE
    while not happens():
        assert time.monotonic() < end, told()
        time.sleep(0.01)


@dataclass
class Running:
    """A prefetcher that has been started."""

    process: subprocess.Popen[bytes]
    log: Path

    def said(self, text: str) -> int:
        """Return how often a line with this text was logged."""
        return len(re.findall(text, self.log.read_text()))

    def await_line(self, text: str, times: int = 1) -> None:
        until(lambda: self.said(text) >= times, lambda: f"no {text!r} in\n{self.log.read_text()}")

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)


@dataclass
class Daq:
    """A repository, the folder of an experiment, and the folder that psana reads."""

    program: Program
    repository: Path
    xtc: Path
    output: Path
    environment: dict[str, str] = field(default_factory=dict)

    def words(self, *more: str | Path) -> list[str]:
        folders = ["--xtc-dir", self.xtc, "--output-dir", self.output, "--repo", self.repository]
        return list(map(str, ["prefetch", *folders, *more]))

    def once(self, *more: str | Path, expect: int = 0) -> str:
        """Make one round; return its log."""
        done = self.program(*self.words("--once", *more), expect=expect)
        assert done.out == ""
        return done.err

    @contextmanager
    def running(self, *more: str | Path) -> Iterator[Running]:
        """Start it; it must not have ended by itself when the test is over."""
        log = self.output.parent / "log"
        with log.open("wb") as file:
            process = subprocess.Popen([SCRIPT, *self.words("--log-level", "DEBUG", *more)], stderr=file, stdout=file)
        try:
            yield Running(process, log)
            assert process.poll() in {None, 0, -signal.SIGKILL}, log.read_text()
        finally:
            process.kill()
            process.wait()
        assert "Traceback" not in log.read_text(), log.read_text()

    def run(self, number: int = 7, serial: str = "1", **given: object) -> Path:
        path = self.xtc / f"mfx101332224-r{number:04d}-s000-c000.xtc2"
        whole = self.xtc.parent / "whole" / path.name
        detectors = {"front": ("opal1000", [serial])}
        xtc2_writer.write_run(whole, run=number, begin=BEGIN + number, detectors=detectors, **given)  # type: ignore[arg-type]
        whole.replace(path)
        return path

    def add(self, level: float, detector: str = "opal1000-1", shape: tuple[int, int] = (4, 5)) -> None:
        """Add pedestals; those of another shape are forced in."""
        with calibvcs_api.open(self.repository) as repository:
            values = dark(shape, level)
            repository.add(detector, "pedestals", values, begin=1000, message=f"level {level}", force_reason="large")

    def add_detector(self, name: str) -> None:
        with calibvcs_api.open(self.repository) as repository:
            repository.detector.add(name)

    @property
    def pickle(self) -> Path:
        return self.output / "calibconst.pkl"

    def level(self) -> float:
        """Return what psana would take for the pedestals, rounded to ADU; -1 before there are any."""
        try:
            data = self.pickle.read_bytes()
        except FileNotFoundError:
            return -1
        _, constants = decode_constants(data, "pickle")
        return round(float(np.median(constants["front"]["pedestals"][0])), -1)

    def unique_id(self) -> str:
        return decode_constants(self.pickle.read_bytes(), "pickle")[0]["front"]

    def litter(self) -> list[str]:
        return [str(path) for path in self.output.rglob("*") if "inprogress" in path.name or "tmp" in path.name]


@pytest.fixture
def daq(calibvcs: Program, tmp_path: Path) -> Daq:
    """Return an experiment whose camera is opal1000-1, pedestals about 1000 ADU; no run yet."""
    (tmp_path / "xtc").mkdir()
    (tmp_path / "shm").mkdir()
    calibvcs_api.init(tmp_path / "constants")
    made = Daq(calibvcs, tmp_path / "constants", tmp_path / "xtc", tmp_path / "shm")
    made.add_detector("opal1000-1")
    made.add(1000)
    return made


def test_one_round_writes_what_export_would(daq: Daq) -> None:
    daq.run()
    assert "wrote" in daq.once("-e", "mfx101332224")
    assert (daq.level(), daq.unique_id()) == (1000, "opal1000_1")
    assert shm.attach(daq.output)["front"]["pedestals"].shape == (4, 5)
    before = daq.pickle.stat()
    assert daq.once("--check-before-update", "--log-level", "WARNING") == ""
    assert daq.pickle.stat().st_mtime_ns == before.st_mtime_ns
    folders = ["--xtc-dir", daq.xtc, "--output-dir", daq.output, "--repo", daq.repository]
    assert "fresh" in daq.program("export", "--shm", "--check", *folders).out


def test_what_cannot_be_used_is_named(daq: Daq) -> None:
    assert "no usable run yet" in daq.once(expect=1)
    whole = daq.run(8).read_bytes()
    (daq.xtc / "mfx101332224-r0008-s000-c000.xtc2").write_bytes(whole[:1000])
    (daq.xtc / "mfx101332224-r0009-s000-c000.xtc2").touch()
    (daq.xtc / "mfx101332224-r0010-s000-c000.xtc2").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(4000))
    xtc2_writer.write_run(daq.xtc / "other.xtc2", experiment="xpp000001")
    (daq.xtc / "dangling.xtc2").symlink_to(daq.xtc / "nowhere")
    told = daq.once("-e", "mfx101332224", expect=1)
    for name, state in (("r0008-s000-c000", "being written"), ("r0009-s000-c000", "empty"), ("other", "foreign")):
        assert re.search(rf"passed over \S*{name}.xtc2: {state}: ", told), told
    assert told.count("passed over") == 5
    assert not daq.pickle.exists()
    daq.run(5)
    assert "mfx101332224:5" in daq.once("-e", "mfx101332224")
    assert daq.level() == 1000


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_it_follows_runs_and_commits_until_it_is_told_to_stop(daq: Daq, number: int) -> None:
    daq.add_detector("opal1000-2")
    with daq.running("--interval", SOON) as running:
        running.await_line("no usable run yet")
        daq.run(7)
        until(lambda: daq.level() == 1000)
        daq.add(1200)
        until(lambda: daq.level() == 1200)
        running.await_line("nothing to do")
        before = daq.pickle.stat().st_mtime_ns
        said = running.said("nothing to do")
        daq.add(700, detector="opal1000-2")  # concerns nobody here
        daq.run(8)  # with the same camera
        running.await_line("run mfx101332224:8")
        running.await_line("nothing to do", said + 3)
        assert daq.pickle.stat().st_mtime_ns == before
        daq.run(9, serial="2")  # another camera took its place
        until(lambda: daq.level() == 700)
        assert daq.unique_id() == "opal1000_2"
        assert running.stop(number) == 0
        assert running.said(f"stopped by {signal.Signals(number).name}") == 1
    assert daq.litter() == []


@pytest.mark.skipif(not importlib.util.find_spec("watchfiles"), reason="watchfiles is not installed")
def test_new_files_and_commits_are_seen_at_once(daq: Daq) -> None:
    with daq.running("--watch", "--interval", NEVER) as running:
        running.await_line("no usable run yet")
        path = daq.run(7)
        until(lambda: daq.level() == 1000)
        daq.add(1200)
        until(lambda: daq.level() == 1200)
        until(lambda: not running_rounds_go_on(running))
        rounds = running.said("nothing to do|wrote")
        with path.open("ab") as growing:  # events of a run that is known are no news
            growing.write(bytes(100))
        (daq.xtc / "mfx101332224-r0007-s000-c001.xtc2").write_bytes(bytes(100))
        (daq.xtc / "notes.txt").write_text("not data")
        time.sleep(0.5)
        assert running.said("nothing to do|wrote") == rounds
        head = daq.run(8, serial="2").read_bytes()
        new = daq.xtc / "mfx101332224-r0008-s000-c000.xtc2"
        new.write_bytes(head[:800])
        daq.add_detector("opal1000-2")
        daq.add(700, detector="opal1000-2")
        new.write_bytes(head)
        until(lambda: daq.level() == 700)
        assert running.stop() == 0


def running_rounds_go_on(running: Running) -> bool:
    """Tell whether rounds are still being made; a watch looks once more when it begins."""
    before = running.said("nothing to do|wrote")
    time.sleep(1.5)
    return running.said("nothing to do|wrote") != before


def test_without_watchfiles_it_says_so_and_goes_by_the_interval(daq: Daq, tmp_path: Path, monkeypatch) -> None:
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "sitecustomize.py").write_text("import sys\nsys.modules['watchfiles'] = None\n")
    monkeypatch.setenv("PYTHONPATH", str(hidden))
    with daq.running("--watch", "--interval", SOON) as running:
        running.await_line("install watchfiles")
        daq.run(7)
        until(lambda: daq.level() == 1000)


def test_repository_and_folder_may_vanish_and_come_back(daq: Daq) -> None:
    daq.run(7)
    away = daq.repository.with_name("away")
    with daq.running("--interval", SOON) as running:
        until(lambda: daq.level() == 1000)
        daq.repository.rename(away)
        running.await_line("ERROR no repository", 2)
        away.rename(daq.repository)
        daq.xtc.rename(daq.xtc.with_name("away"))
        running.await_line("ERROR cannot read", 2)
        daq.add(1200)  # the run that was known goes on being served
        until(lambda: daq.level() == 1200)
        daq.xtc.with_name("away").rename(daq.xtc)
        tip = daq.repository / ".git" / "refs" / "heads" / "main"
        good = tip.read_text()
        tip.write_text("0" * 39 + "1\n")
        running.await_line("ERROR .*0000001", 2)
        tip.write_text(good)
        daq.add(1300)
        until(lambda: daq.level() == 1300)
        assert running.stop() == 0


def test_a_clone_is_kept_up_with_where_it_came_from(daq: Daq) -> None:
    daq.run(7)
    central = daq.repository.rename(daq.repository.with_name("central"))
    calibvcs_api.clone(central, daq.repository)
    with daq.running("--pull", "--interval", SOON) as running:
        until(lambda: daq.level() == 1000)
        with calibvcs_api.open(central) as repository:
            repository.add("opal1000-1", "pedestals", dark((4, 5), 1200), begin=1000, message="from elsewhere")
        until(lambda: daq.level() == 1200)
        central.rename(central.with_name("away"))
        running.await_line("ERROR .*central", 2)
        daq.add(1300)  # constants that are here are served all the same
        until(lambda: daq.level() == 1300)
        assert running.stop() == 0


def test_a_full_disk_costs_nothing_but_the_update(daq: Daq) -> None:
    mount = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", daq.output]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("only root may mount a small disk here")
    try:
        daq.run(7)
        metrics = daq.output.parent / "prefetch.prom"
        with daq.running("--interval", SOON, "--metrics-file", metrics) as running:
            until(lambda: daq.level() == 1000)
            room = os.statvfs(daq.output)
            (daq.output / "other").write_bytes(bytes(room.f_bavail * room.f_frsize))
            daq.add(1200)
            running.await_line("ERROR .*(space|room)", 2)
            assert daq.level() == 1000
            assert "calibvcs_prefetch_stale 1\n" in metrics.read_text()
            (daq.output / "other").unlink()
            until(lambda: daq.level() == 1200)
            until(lambda: "calibvcs_prefetch_stale 0\n" in metrics.read_text())
            assert running.stop() == 0
        assert daq.litter() == []
    finally:
        subprocess.run(["umount", daq.output], check=True)


def test_told_to_stop_or_killed_while_it_writes_it_leaves_what_was_there(daq: Daq) -> None:
    daq.run(7)
    daq.add(1000, shape=LARGE)
    daq.once()
    for attempt, number in enumerate([signal.SIGTERM, signal.SIGKILL] * KILLS):
        daq.add(1100 + 10 * attempt, shape=LARGE)
        before = set(daq.litter())
        with daq.running("--interval", NEVER) as running:
            until(lambda before=before: set(daq.litter()) - before or running.said("wrote"))
            running.stop(number)
        assert daq.level() in {1000 + 10 * n for n in range(2 * KILLS + 20)}
        assert shm.attach(daq.output)["front"]["pedestals"].shape == LARGE
    daq.once()
    assert daq.level() == 1100 + 10 * attempt
    assert daq.litter() == []


def test_metrics_tell_how_things_stand(daq: Daq) -> None:
    metrics = daq.output.parent / "prefetch.prom"
    daq.once("--metrics-file", metrics, expect=1)
    assert "calibvcs_prefetch_stale 1\n" in metrics.read_text()
    daq.run(7)
    (daq.xtc / "empty.xtc2").touch()
    daq.once("--metrics-file", metrics)
    told = metrics.read_text()
    for line in (
        "stale 0",
        "rounds_total 1",
        "updates_total 1",
        "errors_total 0",
        "run 7",
        'passed_over_files{state="empty"} 1',
    ):
        assert f"calibvcs_prefetch_{line}\n" in told
    commit = shm.attach(daq.output).commit
    assert re.search(rf'calibvcs_prefetch_info{{.*experiment="mfx101332224".*commit="{commit}"', told)
    assert 'calibvcs_prefetch_detector_info{detector="front",longname="opal1000_1"} 1\n' in told
    lost = daq.output.parent / "nowhere" / "prefetch.prom"
    assert "nowhere" in daq.once("--metrics-file", lost)  # is told, and is no reason to fail


def test_detectors_may_be_left_out_or_unknown(daq: Daq) -> None:
    path = daq.xtc / "run.xtc2"
    cameras = {"front": ("opal1000", ["1"]), "back": ("opal1000", ["99"])}
    xtc2_writer.write_run(path, run=7, begin=BEGIN, detectors=cameras)
    assert "back" in daq.once()
    info, constants = decode_constants(daq.pickle.read_bytes(), "pickle")
    assert info == {"front": "opal1000_1", "back": "opal1000_99"}
    assert set(constants["front"]) == {"pedestals"}
    assert not constants["back"]
    daq.once("--skip-calib-load", "front", "back", "--log-level", "DEBUG")
    info, constants = decode_constants(daq.pickle.read_bytes(), "pickle")
    assert (set(info), constants["front"]) == ({"front", "back"}, constants["back"])
    daq.once("--skip-calib-load", "all")
    assert "no such detector" in daq.once("--detectors", "side")


def test_the_log_goes_to_a_file_that_may_be_moved_away(daq: Daq) -> None:
    daq.run(7)
    log = daq.output.parent / "logs" / "prefetch.log"
    with daq.running("--interval", SOON, "--log-file", log, "--timestamp") as running:
        until(lambda: log.exists() and "wrote" in log.read_text())
        log.rename(log.with_suffix(".1"))
        until(log.exists)
        assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d.\d{3}Z [A-Z]+ ", log.read_text())
        assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d.\d{3}Z INFO calibvcs ", running.log.read_text())
        log.parent.rename(log.parent.with_name("old"))
        log.parent.write_text("in the way")
        daq.add(1200)
        until(lambda: daq.level() == 1200)
        assert running.stop() == 0


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["--once"], 2, "--xtc-dir"),
        (["--xtc-dir", ".", "--interval", "0"], 2, "--interval"),
        (["--xtc-dir", ".", "--interval", "nan"], 2, "--interval"),
        (["--xtc-dir", ".", "--log-level", "LOUD"], 2, "one of DEBUG"),
        (["--xtc-dir", ".", "--mode", "9"], 2, "octal"),
        (["--xtc-dir", ".", "--accept", "published"], 2, "--at"),
        (["--xtc-dir", ".", "--accept", "any", "--at", "v1"], 2, "published, signed"),
        (["--shmem", "tst"], 3, "psana"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_what_no_round_could_do_is_refused_at_the_start(
    calibvcs: Program, words: list[str], code: int, told: str
) -> None:
    if "--shmem" in words and importlib.util.find_spec("psana"):
        pytest.skip("psana is installed here")
    done = calibvcs("prefetch", *words, expect=code)
    assert told in done.err
    assert "hint:" in done.err or code == 2
