"""The day of a detector expert, on real frames and a real geometry: from an alias to the lock file of a paper."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from calibvcs.geometry import load
from tests.e2e.conftest import Program, git

EPIX, SEGMENTS = "epix10ka-000002", 4
ROWS, COLUMNS = slice(100, 120), slice(30, 90)  # a block of bad pixels in panel 2
PANEL = "    20150    20934 "


@pytest.fixture
def at_desk(calibvcs: Program, shared_data: Path) -> Path:
    """Return a repository of the epix quad with its geometry and status, and files of two darks beside it."""
    frames = np.load(shared_data / "frames/ueddaq02-r0109-epixquad.npy") & 0x3FFF
    for number, frame in enumerate(frames, 109):
        np.save(calibvcs.folder / f"dark{number}.npy", np.stack([frame + np.float32(gain) for gain in range(7)]))
    status = np.zeros((7, *frames.shape[1:]), np.uint64)
    status[:, 2, ROWS, COLUMNS] = 1
    np.save(calibvcs.folder / "status.npy", status)
    repository = calibvcs.folder / "constants"
    calibvcs("init", repository)
    calibvcs("detector", "add", EPIX, cwd=repository)
    geometry = shared_data / "geometry/geometry-def-epix10kaquad.data"
    words = ("--begin", "2020-11-20", "-m")
    calibvcs("alias", "add", "epixquad", EPIX, "--begin", "2020-01-01", "-m", "The quad of UED", cwd=repository)
    calibvcs("add", "epixquad", "geometry", geometry, *words, "Optical metrology", cwd=repository)
    calibvcs("add", "epixquad", "pixel_status", "../status.npy", *words, "A block of dead pixels", cwd=repository)
    return repository


def add_darks(calibvcs: Program, repository: Path) -> None:
    for run, why in ((109, "power-cycled"), (110, "temperature")):
        words = ("--begin", f"2020-11-20T10:{run - 90}:00Z", "--kind", "dark", "--reason", why, "-m", "Shutter closed")
        calibvcs("run", "mark", f"uedmm02:{run}", *words, cwd=repository)
        words = ("--begin", "2020-11-20", "--input", f"../dark{run}.npy", "-m", f"Dark run {run}: {why}")
        added = calibvcs("add", "epixquad", "pedestals", f"../dark{run}.npy", *words, cwd=repository)
        assert f"@v{run - 108}" in added.out


def test_from_an_alias_to_a_lock_file(calibvcs: Program, at_desk: Path) -> None:
    def run(*words: str, expect: int = 0) -> str:
        return calibvcs(*words, cwd=at_desk, expect=expect).out

    add_darks(calibvcs, at_desk)
    assert "power-cycled" in run("run", "ls", "uedmm02", "--kind", "dark")

    file = next((at_desk / "epix10ka" / EPIX / "geometry").glob("*/geometry.txt"))
    text = file.read_text()
    assert text.count(PANEL) == 1
    file.write_text(text.replace(PANEL, "    20250    20934 "))  # as an editor saves it
    assert "changed" in run("status")
    run("commit", "-m", "Panel 2 was moved by 100 um at the exchange of the window")
    assert "nothing to commit" in run("status")

    told = run("diff", "epixquad/geometry@v1", "epixquad/geometry", "--html", "../moved.html", expect=1)
    assert "EPIX10KA:V1/2: changed dx +100 um" in told
    run("diff", "epixquad/pedestals@v1", "epixquad/pedestals", "--html", "../darks.html", expect=1)
    page = (calibvcs.folder / "darks.html").read_text()
    for words in ("Dark run 109: power-cycled", "Dark run 110: temperature", "dark110.npy", "data:image/png;base64,"):
        assert words in page

    assert "v2" in run("blame", "epixquad/pedestals")
    pixel = run("blame", "epixquad/pedestals", "--pixel", "5,7", "--segment", "3", "--gain", "0")
    values = [np.load(calibvcs.folder / f"dark{number}.npy")[0, 3, 5, 7] for number in (109, 110)]
    assert all(f"{value:g}" in pixel for value in values)

    run("default", "set", "epixquad/pedestals@v1", "-m", "Run 110 was taken with the beam on")
    run("tag", "create", "paper-2020", "-m", "What the paper uses")
    run("tag", "state", "paper-2020", "validated", "-m", "Compared with the flat field of run 120")
    run("tag", "state", "paper-2020", "published", "-m", "Accepted")
    state = run("tag", "state", "paper-2020")
    assert state.index("validated") < state.index("published") or "published" in state.splitlines()[0]
    assert "paper-2020" in run("log")

    run("lock-file", "write", "../used.toml", "--at", "paper-2020")
    run("default", "set", "epixquad/pedestals@v2", "-m", "No, it was off")
    assert "3 of 3 constants are there, bit for bit" in run("lock-file", "check", "../used.toml")
    run("lock-file", "restore", "../used.toml", "../of-the-paper")
    (restored,) = (calibvcs.folder / "of-the-paper").glob(f"**/{EPIX}/pedestals/*/data.npy")
    assert restored.read_bytes() == (calibvcs.folder / "dark109.npy").read_bytes()

    run("install-git-drivers")
    history = git(at_desk, "log", "-p", "--", f"epix10ka/{EPIX}")
    assert "Binary files" not in history
    assert "+CAMERA 0 EPIX10KA:V1 2 20250 20934 -19" in history
    assert "+[0,3] min" in history
    assert run("verify", "--deep").endswith("0 errors, 0 warnings\n")
    git(at_desk, "fsck", "--strict")
    assert git(at_desk, "status", "--porcelain") == ""


def test_its_pictures_are_right_side_up(calibvcs: Program, at_desk: Path) -> None:
    pixels = pytest.importorskip("matplotlib.image")
    add_darks(calibvcs, at_desk)
    calibvcs("plot", "epixquad/pedestals", "-o", "../dark.png", cwd=at_desk)
    drawn = pixels.imread(calibvcs.folder / "dark.png")[..., :3]
    first = drawn[: len(drawn) // 7]  # of seven gain ranges
    colour = first.max(axis=2) - first.min(axis=2) > 0.2
    magenta = (first[..., 0] > 0.8) & (first[..., 1] < 0.2) & (first[..., 2] > 0.5)
    width = first.shape[1]

    # The panels as the array has them: panel 2 is the lower left one of four.
    top, bottom, left, right = place_in(magenta[:, : width // 3], colour[:, : width // 3])
    expected = [(352 + ROWS.start) / 704, (352 + ROWS.stop) / 704, COLUMNS.start / 768, COLUMNS.stop / 768]
    assert (top, bottom, left, right) == pytest.approx(expected, abs=0.03)

    # The assembled image has row 0 on top: the block stands where the indexes of its pixels say.
    text = next((at_desk / "epix10ka" / EPIX / "geometry").glob("*/geometry.txt")).read_text()
    rows, columns = (np.asarray(indexes) for indexes in load(text).pixel_indexes())
    expected = [
        edge / (indexes.max() + 1)
        for indexes in (rows, columns)
        for edge in (indexes[2, ROWS, COLUMNS].min(), indexes[2, ROWS, COLUMNS].max() + 1)
    ]
    found = place_in(magenta[:, width * 7 // 10 :], colour[:, width * 7 // 10 :])
    assert found == pytest.approx(expected, abs=0.03)


def place_in(part: np.ndarray, whole: np.ndarray) -> tuple[float, float, float, float]:
    """Return top, bottom, left and right of a part in units of the height and width of the whole."""
    (top, bottom), (left, right) = _edges(part)
    (upper, lower), (west, east) = _edges(whole)
    height, width = lower - upper, east - west
    return (top - upper) / height, (bottom - upper) / height, (left - west) / width, (right - west) / width


def _edges(mask: np.ndarray) -> list[tuple[int, int]]:
    return [(int(places.min()), int(places.max()) + 1) for places in np.nonzero(mask)]
