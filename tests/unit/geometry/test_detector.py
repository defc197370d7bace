"""Coordinates and image bins of whole detectors."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from calibvcs import geometry
from calibvcs.errors import InvalidDataError, InvalidOptionError

FILES = (
    "cspad", "epix100a", "epix10kaquad", "epixm320", "epixuhr3x2-01", "jungfrau05M", "jungfrau4M", "pnccd",
)  # fmt: skip
TILTED = """CAMERA:V1 0 MTRX:V2:4:6:10:10 0 100.5 -20 3 90 0 0 0.5 0.25 -0.125
CAMERA:V1 0 MTRX:V2:4:6:10:10 1 -60 200 -4 0 180 0 0 0 0
IP 0 CAMERA:V1 0 10 20 100000 0 0 0 0.25 0 0
"""
CSPAD2X2 = """CSPAD2X2:V1 0 SENS2X1:V1 0 21769 10453 9 180 0 0 -0.00197 -0.02369 0.01919
CSPAD2X2:V1 0 SENS2X1:V1 1 21810 33805 3 180 0 0 0 -0.00658 -0.03837
IP 0 CSPAD2X2:V1 0 0 0 1000000 0 0 0 10 0 0
"""


@pytest.mark.parametrize("name", FILES)
def test_real_detectors_are_those_of_psana_bit_for_bit(name: str, shared_data: Path) -> None:
    text = (shared_data / "geometry" / f"geometry-def-{name}.data").read_text()
    with np.load(shared_data / "geometry_ref" / f"{name}.npz") as expected:
        detector = geometry.load(text)
        assert detector.shape == tuple(expected["shape"])
        assert detector.image_shape == tuple(expected["image_shape"])
        assert detector.pixel_size == expected["pixel_size"]
        x, y, z = detector.pixel_coords()
        rows, columns = detector.pixel_indexes()
        assert (int(rows.max()) + 1, int(columns.max()) + 1) == detector.image_shape
        for key, array in zip(("X", "Y", "Z", "rows", "cols"), (x, y, z, rows, columns), strict=True):
            assert array.dtype == str(expected["dtype" if key in "XYZ" else "index_dtype"])
            assert np.array_equal(array.ravel()[expected["sample_index"]], expected[f"sample_{key}"])
            assert hashlib.sha256(array).hexdigest() == str(expected[f"sha256_{key}"])
        for key, array in zip("XYZ", detector.pixel_coords(tilt=False), strict=True):
            assert hashlib.sha256(array).hexdigest() == str(expected[f"sha256_{key}_notilt"])
        again = detector.pixel_indexes(coords=(x, y, z))
        assert np.array_equal(again, (rows, columns))
        assert hashlib.sha256(x).hexdigest() == str(expected["sha256_X"])


def test_segments_are_turned_then_moved() -> None:
    x, y, z = geometry.load("IP 0 MTRX:V2:1:3:10:10 0 1 2 -3 90 0 0 0 0 0").pixel_coords()
    assert np.allclose(x, 1, atol=1e-12)
    assert y.round(9).tolist() == [[[-8, 2, 12]]]
    assert z.tolist() == [[[-3, -3, -3]]]


def test_z_is_against_the_beam_below_the_interaction_point() -> None:
    for parent, z0, found in (("IP:V1", 5, -5), ("IP", -5, -5), ("X", 5, 5)):
        _, _, z = geometry.load(f"{parent} 0 MTRX:V2:1:1:10:10 0 0 0 {z0} 0 0 0 0 0 0").pixel_coords()
        assert z.item() == found


def test_tilts_can_be_left_out() -> None:
    plain = TILTED.replace("0.5 0.25 -0.125", "0 0 0").replace("0.25 0 0", "0 0 0")
    design = geometry.load(TILTED).pixel_coords(tilt=False)
    assert all(map(np.array_equal, design, geometry.load(plain).pixel_coords()))
    assert not np.array_equal(design[0], geometry.load(TILTED).pixel_coords()[0])
    rows, _ = geometry.load(TILTED).pixel_indexes(tilt=False)
    assert np.array_equal(rows, geometry.load(plain).pixel_indexes()[0])


def test_frame_of_the_laboratory() -> None:
    detector = geometry.load(TILTED)
    x, y, z = detector.pixel_coords()
    lab = detector.pixel_coords(frame="lab")
    for found, expected in zip(lab, (-y, -x, -z), strict=True):
        assert found.tobytes() == expected.tobytes()
    with pytest.raises(InvalidOptionError, match="psana, lab"):
        detector.pixel_coords(frame="crystfel")  # type: ignore[arg-type]


def test_bins() -> None:
    text = "IP 0 MTRX:2:3:10:10 0 5 7 0 0 0 0 0 0 0\nIP 0 MTRX:2:3:10:10 1 24 7 0 0 0 0 0 0 0"
    rows, columns = geometry.load(text).pixel_indexes()
    assert rows[:, :, 0].tolist() == [[0, 1], [2, 3]]  # 5, 15, 24, 34 um from the edge at 0
    assert columns[0, 0].tolist() == [0, 1, 2]
    assert geometry.load(text).image_shape == (4, 3)


def test_coordinates_of_another_detector_are_refused() -> None:
    detector = geometry.load(TILTED)
    x, y, z = detector.pixel_coords()
    for wrong in ((x[:1], y, z), (x.astype(np.float32), y, z)):
        with pytest.raises(InvalidOptionError, match=r"float64 of shape \(2, 4, 6\)"):
            detector.pixel_indexes(coords=wrong)


def test_cspad2x2_has_its_segments_on_the_last_axis() -> None:
    detector = geometry.load(CSPAD2X2)
    apart = geometry.load(CSPAD2X2.replace("CSPAD2X2", "CAMERA"))
    assert detector.shape == (185, 388, 2)
    assert detector.image_shape == (454, 459)
    arrays = (*detector.pixel_coords(), *detector.pixel_indexes(), detector.pixel_areas(), detector.mask())
    others = (*apart.pixel_coords(), *apart.pixel_indexes(), apart.pixel_areas(), apart.mask())
    for array, other in zip(arrays, others, strict=True):
        assert array.flags.c_contiguous
        assert array.dtype == other.dtype
        assert np.array_equal(array, np.moveaxis(other, 0, -1))
    with pytest.raises(InvalidDataError, match="psana makes no such cache"):
        geometry.detector_cache(detector)


def test_the_last_pixel_is_seen_in_an_image() -> None:
    text = "IP 0 MTRX:2:2:10:10 0 0 0 0 0 0 0 0 0 0\nIP 0 MTRX:2:2:10:10 1 10 0 0 0 0 0 0 0 0"
    detector = geometry.load(text)
    values = np.arange(8, dtype=np.float32).reshape(2, 2, 2)
    image = detector.image(values)
    assert image.dtype == np.float32
    assert image.tolist() == [[0, 1], [4, 5], [6, 7]]
    with pytest.raises(InvalidOptionError, match=r"the shape \(2, 2, 2\)"):
        detector.image(values[:1])
    far = geometry.load(text.replace(" 1 10 ", " 1 1e12 "))
    with pytest.raises(InvalidDataError, match="very far from the others"):
        far.image(values)
    empty = geometry.load(text.replace(" 1 10 ", " 1 30 ")).image(values, fill_value=-1)
    assert empty[2].tolist() == [-1, -1]


@pytest.mark.parametrize("version", [1, 2])
def test_dummies_of_archon_are_in_no_image(version: int) -> None:
    detector = geometry.load(f"IP 0 ARCHON:V{version} 0 0 0 0 90 0 0 0 0 0", shape=(3, 4800))
    dummies = np.isnan(detector.pixel_coords()[1])
    rows, columns = detector.pixel_indexes()
    assert dummies.sum() == 3 * 16 * 36
    for found in (rows, columns):
        assert (found[dummies] == geometry.NO_BIN).all()
        assert found[~dummies].max() < 16 * 264
    assert detector.image_shape == (5, 16 * 264)
    assert np.array_equal(detector.pixel_indexes(coords=detector.pixel_coords()), (rows, columns))
    image = detector.image(np.ones(detector.shape, np.uint16))
    assert image.sum() == 3 * 16 * 264


def test_archon_beside_a_matrix() -> None:
    text = "IP 0 MTRX:3:4800:10:10 0 0 0 0 0 0 0 0 0 0\nIP 0 ARCHON:V1 0 1e5 0 0 0 0 0 0 0 0"
    detector = geometry.load(text, shape=(3, 4800))
    rows, _ = detector.pixel_indexes()
    assert (rows[0] != geometry.NO_BIN).all()
    assert (rows[1] == geometry.NO_BIN).sum() == 3 * 16 * 36


def test_arrays_belong_to_the_caller() -> None:
    detector = geometry.load(TILTED)
    before = detector.pixel_coords()
    before[0][...] = 0
    assert detector.pixel_coords()[0].any()
