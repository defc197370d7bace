"""The files that come out: pictures that can be opened, and pages that load nothing."""

from __future__ import annotations

import builtins
import io
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from calibvcs import Repository
from calibvcs.api.wire import as_json
from calibvcs.errors import InvalidOptionError, MissingProgramError, StorageError
from calibvcs.ops.pictures.pictures import picture
from calibvcs.ops.pictures.sources import PixelSource
from calibvcs.plots import constant
from calibvcs.plots.canvas import encoded
from tests.unit.plots.conftest import EVIL

matplotlib = pytest.importorskip("matplotlib")


CONSTANT = "jungfrau-3/pedestals/1000-end"


def pixels(file: Path) -> np.ndarray:
    from matplotlib.image import imread

    return imread(file)[..., :3]


@pytest.mark.parametrize(
    "given", [CONSTANT, "jungfrau-3/pixel_status", "jungfrau-3/pixel_mask", "jungfrau-3/common_mode", "opal1000-1/pedestals"]
)  # fmt: skip
def test_constants(repository: Repository, tmp_path: Path, given: str) -> None:
    done = repository.plot(given, tmp_path / "a.png")
    image = pixels(tmp_path / "a.png")
    assert image.shape[0] > 200
    assert image.shape[1] > 400
    assert done.bytes == (tmp_path / "a.png").stat().st_size
    assert (done.kind, done.format) == ("constant", "png")
    assert as_json(done)["schema"] == "calibvcs.plot/1"


def test_bad_pixels_are_magenta(repository: Repository, tmp_path: Path) -> None:
    def magenta(mark: bool) -> int:
        repository.plot(f"{CONSTANT}@v1", tmp_path / "a.png", mark=mark)
        return int((np.abs(pixels(tmp_path / "a.png") - (1, 0, 0.75)).max(axis=-1) < 0.02).sum())

    assert magenta(True) > 1000
    assert magenta(False) == 0


def test_rows_go_down(repository: Repository, tmp_path: Path) -> None:
    """A camera whose first row is bright has it on top."""
    data = np.zeros((40, 60), np.float32) + np.arange(40, dtype=np.float32)[::-1, None] + 1
    repository.add("opal1000-1", "pixel_rms", data, begin=0, message="Bright on top")
    repository.plot("opal1000-1/pixel_rms", tmp_path / "a.png")
    image = pixels(tmp_path / "a.png")
    yellow = (image[..., 0] > 0.9) & (image[..., 1] > 0.8) & (image[..., 2] < 0.3)
    purple = (image[..., 0] < 0.35) & (image[..., 1] < 0.1) & (image[..., 2] > 0.3)
    left = np.s_[:, : image.shape[1] // 3]
    assert np.nonzero(yellow[left])[0].mean() < np.nonzero(purple[left])[0].mean()


def test_svg_is_the_same_each_time(repository: Repository, tmp_path: Path) -> None:
    for name in ("a.svg", "b.SVG"):
        repository.plot("opal1000-1/pedestals", tmp_path / name)
    first, second = (tmp_path / name for name in ("a.svg", "b.SVG"))
    assert first.read_bytes() == second.read_bytes()
    page = Page(first.read_text())
    assert "svg" in page.tags
    assert not [load for load in page.loads if load.startswith("http")]


def test_difference_and_trend(repository: Repository, tmp_path: Path) -> None:
    done = repository.plot_diff(f"{CONSTANT}@v1", f"{CONSTANT}@v2", tmp_path / "d.png")
    assert done.of == (f"{CONSTANT}@v1", f"{CONSTANT}@v2")
    assert pixels(tmp_path / "d.png").shape[1] > 1000
    mask = "jungfrau-3/pixel_mask"
    repository.plot_diff(mask, mask, tmp_path / "e.png")
    done = repository.plot_trend("jungfrau-3", tmp_path / "t.png")
    assert done.notes == ("jungfrau-3/geometry/0-end is text, which has no numbers",)
    assert pixels(tmp_path / "t.png").shape[0] > 1000
    for how in ({"defaults": True}, {"what": "rms"}, {"what": "bad"}):
        repository.plot_trend("*/pixel_mask", tmp_path / "t.png", **how)
        assert pixels(tmp_path / "t.png").shape[0] > 200


def test_mistakes(repository: Repository, tmp_path: Path) -> None:
    with pytest.raises(InvalidOptionError, match=r"\.png or \.svg"):
        repository.plot(CONSTANT, tmp_path / "a.jpg")
    with pytest.raises(StorageError):
        repository.plot(CONSTANT, tmp_path / "nowhere" / "a.png")
    with pytest.raises(InvalidOptionError, match="median, rms, bad"):
        repository.plot_trend("jungfrau-3", tmp_path / "a.png", what="mode")
    with pytest.raises(InvalidOptionError, match="in these bounds"):
        repository.plot_trend("jungfrau-3", tmp_path / "a.png", until=5)
    assert list(tmp_path.glob("*.png")) == []


@pytest.fixture
def without_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let matplotlib be not installed."""
    real = builtins.__import__

    def imported(name: str, *rest: object) -> object:
        if name.startswith("matplotlib"):
            raise ImportError("No module named 'matplotlib'")
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", imported)


@pytest.mark.usefixtures("without_matplotlib")
def test_without_matplotlib(repository: Repository, tmp_path: Path) -> None:
    with pytest.raises(MissingProgramError, match=r"pip install 'calibvcs\[plot\]'") as error:
        repository.plot(CONSTANT, tmp_path / "a.png")
    assert error.value.exit_code == 3
    _, done = repository.diff_html(f"{CONSTANT}@v1", f"{CONSTANT}@v2", tmp_path / "a.html")
    assert "pip install" in done.notes[0]
    page = (tmp_path / "a.html").read_text()
    assert "<img" not in page
    assert "pip install" in page
    assert repository.preview(CONSTANT).layers


class Page(HTMLParser):
    """What is in a page: its tags in balance, and everything that it would load."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.loads: list[str] = []
        self.text = io.StringIO()
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loads += [value or "" for name, value in attrs if name in {"src", "href", "action", "srcset"}]
        if tag not in {"meta", "img", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.write(data)


def test_page(repository: Repository, tmp_path: Path) -> None:
    difference, done = repository.diff_html(f"{CONSTANT}@v1", f"{CONSTANT}@v2", tmp_path / "a.html")
    assert not difference.same
    text = (tmp_path / "a.html").read_text()
    page = Page(text)
    assert page.open == []
    assert "script" not in page.tags
    assert len(page.loads) == 1
    assert page.loads[0].startswith("data:image/png;base64,iVBOR")
    shown = page.text.getvalue()
    assert EVIL in shown
    for commit in [entry.commit for entry in repository.log(CONSTANT).commits]:
        assert commit in shown
    assert "Grace Hopper <grace@example.org>" in shown
    assert "default-src 'none'" in text
    assert (done.kind, done.notes) == ("page", ())


def test_page_of_everything(repository: Repository, folder: Path, tmp_path: Path) -> None:
    difference, _ = repository.diff_html("HEAD~5", "HEAD", tmp_path / "a.html")
    shown = Page((tmp_path / "a.html").read_text()).text.getvalue()
    assert f"{CONSTANT}: added" in shown
    assert f"{len(difference.constants)} constants differ" in shown
    same, _ = repository.diff_html(CONSTANT, CONSTANT, tmp_path / "b.html")
    assert same.same
    assert "There is no difference." in (tmp_path / "b.html").read_text()


def test_notebooks(repository: Repository) -> None:
    constant = repository.get("jungfrau-3", "pedestals", 2000)
    for result, wanted in (
        (constant, f"{constant.commit}"),
        (repository.get("jungfrau-3", "geometry", 2000), "MTRX:V2:8:12:100:100"),
        (repository.diff(f"{CONSTANT}@v1", f"{CONSTANT}@v2"), "largest |d| 5"),
        (repository.diff(CONSTANT, CONSTANT), "no difference"),
        (repository.diff("HEAD~3", "HEAD"), "added"),
        (repository.log(), EVIL),
    ):
        html = result._repr_html_()
        page = Page(html)
        assert page.open == []
        assert "script" not in page.tags
        assert wanted in page.text.getvalue()
        assert len(html) < 20_000


@pytest.mark.parametrize(
    "data",
    [
        np.full((5, 6), np.nan, np.float32),
        np.array([[1e300, -1e300], [np.inf, -np.inf]]),
        np.array([[2**62, -(2**62)]]),
        np.array([[2**64 - 1, 0]], np.uint64),
        np.eye(3, dtype=bool),
        np.eye(3, dtype=np.complex64) * 1j,
        np.full((3, 3), 60000, np.float16),
        np.arange(5000, dtype=np.float32).reshape(5000, 1),
        np.array([[3.0]]),
    ],
    ids=lambda data: f"{data.dtype} {data.shape}",
)
def test_any_array_can_be_drawn(repository: Repository, data: np.ndarray) -> None:
    source = PixelSource("x", "x", "", "values", data.dtype.name, data.shape, ("row", "column"), None, "", data)
    seen = picture(repository._session.catalogue(), source)
    assert encoded(constant.draw(seen), "png", "x").startswith(b"\x89PNG")
    assert seen.layers[0].limits[0] < seen.layers[0].limits[1]


def test_a_ctype_that_nobody_knows_is_an_image_too(repository: Repository) -> None:
    data = np.arange(20, dtype=np.float32).reshape(4, 5)
    repository.add("opal1000-1", "mine", data, begin=0, message="x", force_reason="new")
    np.testing.assert_array_equal(repository.preview("opal1000-1/mine").layers[0].tiles[0].values, data)
