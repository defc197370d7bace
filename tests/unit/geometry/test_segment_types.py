"""Every segment type: what is known of it, and what psana makes of it."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from calibvcs import geometry
from calibvcs.errors import InvalidDataError, InvalidOptionError
from calibvcs.geometry.segment_types import KNOWN, SegmentType, segment_type

# Two segments, turned and moved: SHA-256 of X, Y, Z, rows and columns as psana 4.3.4 gives them. The angles are those
# whose sines and cosines are the same in every mathematical library. Archon has no bins in psana.
TEXT = """CAMERA:V1 0 {0} 0 1000.5 -2000.25 3 90 0 0 0 0 0
CAMERA:V1 0 {0} 1 -60000 2000 -4 0 0 180 0 0 0
IP 0 CAMERA:V1 0 10 20 100000 0 180 0 0 0 0
"""
OF_PSANA = {
    "SENS2X1:V1": "388d69319fb45ef1490f83884a5747bd50a637003f42c52f0813b62e4bf0ec1f",
    "EPIX100:V1": "37082f8e05b1e5b3d2e073fd2511bb7cecbe1ddde601d97a4abbd5f4c691ecb8",
    "EPIX10KA:V1": "dbb3a537ffb6bcf039b464ce2a90fe23dda09725a8bdb1236c1e4db8b79c48c7",
    "EPIXHR2X2:V1": "4ab6aa1e68557cbe8ccb75b39668819617d4179c1f247cb397d0d1fe3e45d15f",
    "EPIXHR1X4:V1": "3920b41ddea40b4218453c79debfa16a21786b3606db5f1417e3522b08cd174e",
    "EPIXUHR3X2:V1": "0ab8912a471b16c69c3d84c6d1f1c6bcc2f2c381c8bdc89426fa566eac08b59e",
    "JUNGFRAU:V1": "fb0fd28f809a281fcb7c678b33fc402da984d6495ea591a7338b7358bc8563b5",
    "JUNGFRAU:V2": "7a9fe574a492c81aa5832aa606628eba4f42c26168dd002f16f404e1af2eaf1c",
    "PNCCD:V1": "2bdf2781ba8712319997858a1c76ec8615ec91b460bcc5f626f1c5ceed983c78",
    "EPIXMASIC:V1": "77e1d87df888de464c8b9baefc4eb6beacd087537808c48e09a601ea7660645c",
    "EPIXUHRASIC:V1": "7149a90b5c7feff0fa54f8a6f0997fd153f0a2d4193c2d092f47dc29e601879e",
    "MTRX:37:53:54.5:109.92": "266c70b1ee5eb69a317557874f91ae2cdbb1020a42a8c55bf57c83634cfdd7e5",
    "MTRX:V2:37:53:54.5:109.92": "0e519963fff8e454e47043c6a414584cb11cb7643194a51f13ba2822594e4a7c",
    "MTRXANY:V1": "84d73d4f01dce0e8413ae0639b73e80d7e5edc15c824638309676c8a0b9c7084",
    "ARCHON:V1": "99f7ce203cf0d91ac18d921d97343d26e1fa8e2ed264c6baa8c8036e41a09a21",
    "ARCHON:V2": "deacce7955f7d217c6d0392190314ae820ecd9da30f651d89f00ed44e9eb1209",
}
SHAPES = {"MTRXANY:V1": (75, 100), "ARCHON:V1": (75, 4800), "ARCHON:V2": (75, 4800)}


def kind(name: str) -> SegmentType:
    found = segment_type(name, SHAPES.get(name))
    assert found is not None
    return found


def steps(values: np.ndarray) -> dict[float, int]:
    """Return how often each difference of neighbours is there."""
    found, counts = np.unique(np.round(np.diff(values), 9), return_counts=True)
    return dict(zip(found.tolist(), counts.tolist(), strict=True))


def coordinates(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return x along columns and y along rows, in the frame of the segment."""
    found = kind(name)
    assert not found.x_along_rows
    return found.columns.centres, found.rows.centres


@pytest.mark.parametrize("name", OF_PSANA)
def test_arrays_are_those_of_psana(name: str) -> None:
    detector = geometry.load(TEXT.format(name), shape=SHAPES.get(name))
    digest = hashlib.sha256()
    for array in detector.pixel_coords():
        digest.update(array)
    if not name.startswith("ARCHON"):
        for array in detector.pixel_indexes():
            assert array.dtype == np.uint64
            digest.update(array)
    assert digest.hexdigest() == OF_PSANA[name]


def test_every_known_type_is_tried() -> None:
    tried = {name if not name.startswith("MTRX:") else name[:7] for name in OF_PSANA}
    assert tried == {name if not name.startswith("MTRX:") else name[:7] for name in KNOWN} - {"MTRX:<r"} | {"MTRX:37"}


@pytest.mark.parametrize(
    ("name", "shape", "size"),
    [
        ("SENS2X1:V1", (185, 388), 109.92), ("EPIX100:V1", (704, 768), 50), ("EPIX10KA:V1", (352, 384), 100),
        ("EPIXHR2X2:V1", (288, 384), 100), ("EPIXHR1X4:V1", (144, 768), 100), ("EPIXUHR3X2:V1", (336, 576), 100),
        ("JUNGFRAU:V1", (512, 1024), 75), ("JUNGFRAU:V2", (512, 1024), 75), ("PNCCD:V1", (512, 512), 75),
        ("EPIXMASIC:V1", (192, 384), 50), ("EPIXUHRASIC:V1", (168, 192), 100), ("MTRX:10:20:7:5", (10, 20), 5),
        ("MTRX:V2:10:20:5:7.5", (10, 20), 5), ("MTRXANY:V1", (75, 100), 75), ("ARCHON:V1", (75, 4800), 10),
        ("ARCHON:V2", (75, 4800), 10),
    ],
)  # fmt: skip
def test_shape_and_size(name: str, shape: tuple[int, int], size: float) -> None:
    assert kind(name).shape == shape
    assert kind(name).pixel_size == size


def test_cspad() -> None:
    x, y = coordinates("SENS2X1:V1")
    assert steps(x) == {109.92: 386, 439.68: 1}
    assert round(x[194] - x[193], 9) == 439.68
    assert steps(y) == {-109.92: 184}
    assert x[0] == -x[-1]
    assert y[92] == 0


@pytest.mark.parametrize(
    ("name", "size", "step", "seams", "y_first"),
    [
        ("EPIX100:V1", 50, 300, (352, 384), -17700), ("EPIX10KA:V1", 100, 350, (176, 192), 17675),
        ("EPIXHR2X2:V1", 100, 350, (144, 192), 14475),
    ],
)  # fmt: skip
def test_two_by_two(name: str, size: float, step: float, seams: tuple[int, int], y_first: float) -> None:
    x, y = coordinates(name)
    rising = 1 if y_first < 0 else -1
    assert steps(x) == {size: len(x) - 2, step: 1}
    assert steps(y) == {rising * size: len(y) - 2, rising * step: 1}
    assert x[seams[1]] - x[seams[1] - 1] == step
    assert (y[seams[0]] - y[seams[0] - 1]) * rising == step
    assert (x[0], y[0]) == (-x[-1], y_first)
    assert y[-1] == -y_first


def test_epixhr_1x4_overlaps_as_in_psana() -> None:
    x, y = coordinates("EPIXHR1X4:V1")
    assert [(x[n] - x[n - 1]).item() for n in (192, 384, 576)] == [450, 350, 450]
    assert steps(x) == {100: 764, 350: 1, 450: 2}
    assert x[384] == 175
    assert (y[0], y[71], y[72], y[-1]) == (7050, -50, 50, -7050)
    assert y[70:74].tolist() == [50, -50, 50, -50]
    plain = geometry.load("IP 0 EPIXHR1X4:V1 0 0 0 0 90 0 0 0 0 0\n")
    assert plain.image_shape == (142, 778)


def test_epixuhr_3x2() -> None:
    x, y = coordinates("EPIXUHR3X2:V1")
    assert steps(x) == {100: 573, 425: 2}
    assert steps(y) == {-100: 334, -425: 1}
    assert (x[192], x[383]) == (-9550, 9550)
    assert (x[192] - x[191], x[384] - x[383], y[168] - y[167]) == (425, 425, -425)
    assert (y[0], y[167], y[168], y[-1]) == (16912.5, 212.5, -212.5, -16912.5)


def test_jungfrau_1() -> None:
    x, y = coordinates("JUNGFRAU:V1")
    assert (x[[0, 256, 512, 768]] / 75).tolist() == [-514.5, -256.5, 1.5, 259.5]
    assert (y[[0, 256]] / 75).tolist() == [256.5, -1.5]
    assert steps(x) == {75: 1020, 225: 3}
    assert steps(y) == {-75: 510, -225: 1}


def test_jungfrau_2_moves_wide_pixels_to_their_centres() -> None:
    x, y = coordinates("JUNGFRAU:V2")
    regular, _ = coordinates("JUNGFRAU:V1")
    moved = x - regular
    assert {n: moved[n].item() for n in np.flatnonzero(moved)} == {
        255: 37.5, 256: -37.5, 511: 37.5, 512: -37.5, 767: 37.5, 768: -37.5,
    }  # fmt: skip
    assert (y[[0, 255, 256, 511]] / 75).tolist() == [-256.5, -1, 1, 256.5]
    assert steps(y) == {75: 508, 112.5: 2, 150: 1}


def test_matrix_from_its_corner() -> None:
    detector = kind("MTRX:3:4:7:5")
    x, y = detector.grid
    assert x.tolist() == [[0], [7], [14]]
    assert y.tolist() == [[0, 5, 10, 15]]
    assert np.array_equal(kind("PNCCD:V1").grid[0], kind("MTRX:512:512:75:75").grid[0])


def test_matrix_around_its_centre() -> None:
    x, y = coordinates("MTRX:V2:3:4:7:5")
    assert x.tolist() == [-7.5, -2.5, 2.5, 7.5]
    assert y.tolist() == [7, 0, -7]
    for name, same in (("EPIXMASIC:V1", "MTRX:V2:192:384:50:50"), ("EPIXUHRASIC:V1", "MTRX:V2:168:192:100:100")):
        assert all(map(np.array_equal, coordinates(name), coordinates(same)))


def test_matrix_of_the_size_of_the_data() -> None:
    text = "IP 0 MTRXANY:V1 0 0 0 0 0 0 0 0 0 0"
    x, y, _ = geometry.load(text, shape=(3, 4), pixel_size=10).pixel_coords()
    assert x[0, 0].tolist() == [-15, -5, 5, 15]
    assert y[0, :, 0].tolist() == [10, 0, -10]
    assert geometry.load(text, shape=(3, 4)).pixel_size == 75
    with pytest.raises(InvalidOptionError, match=r"shape: MTRXANY:V1 has its size from the data"):
        geometry.load(text)
    with pytest.raises(InvalidOptionError, match="rows and columns of one segment"):
        geometry.load(text, shape=(1, 3, 4))  # type: ignore[arg-type]
    for shape in ((0, 4), (3, 65537)):
        with pytest.raises(InvalidOptionError, match="65536"):
            geometry.load(text, shape=shape)
    with pytest.raises(InvalidOptionError, match="pixel_size"):
        geometry.load(text, shape=(3, 4), pixel_size=0)


@pytest.mark.parametrize(("version", "first"), [(1, 0), (2, 36)])
def test_archon(version: int, first: int) -> None:
    x, y = coordinates(f"ARCHON:V{version}")
    banks = x.reshape(16, 300)
    real = banks[:, first : first + 264]
    assert np.isnan(x).sum() == 16 * 36
    assert not np.isnan(real).any()
    assert steps(real.ravel()) == {10: 16 * 264 - 1}
    assert real[0, 0] == -real[-1, -1]
    assert steps(y) == {-20: 74}
    assert y[37] == 0
    with pytest.raises(InvalidOptionError, match="4800 columns"):
        segment_type(f"ARCHON:V{version}", (300, 4000))


@pytest.mark.parametrize(
    "name",
    [
        "MTRX", "MTRX:V2", "MTRX:1:2:3", "MTRX:1:2:3:4:5", "MTRX:0:2:3:4", "MTRX:1:2:0:4", "MTRX:1:2:-3:4", "MTRX:1_0:2:3:4",
        "MTRX:V2:1:65537:3:4", "MTRX:V2:1:2:3:1e9", "MTRX:V2:1:2:nan:4", "MTRX:V2:\u0661:2:3:4", "MTRX:V2:1:2:3:2000000",
    ],
)  # fmt: skip
def test_matrix_without_a_size_is_refused(name: str) -> None:
    with pytest.raises(InvalidDataError, match="tells no size"):
        segment_type(name)


def test_other_names_are_groups() -> None:
    assert segment_type("QUAD:V1") is None
    assert segment_type("EPIXM320:V1") is None


def test_types_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="read-only"):
        kind("EPIX100:V1").columns.centres[0] = 1
