"""What pictures show: means, bad pixels, limits, the image of the detector, differences."""

from __future__ import annotations

import numpy as np
import pytest

from calibvcs import Repository
from calibvcs.errors import InvalidOptionError, NoValidConstantError
from calibvcs.geometry import load
from calibvcs.ops.pictures.difference import difference_picture, open_pair
from calibvcs.ops.pictures.pictures import picture
from calibvcs.ops.pictures.sources import open_constant
from tests.unit.plots.conftest import GEOMETRY, SHAPE, pedestals

CONSTANT = "jungfrau-3/pedestals/1000-end"


def drawn(repository: Repository, given: str, **how: object):
    catalogue = repository._session.catalogue()
    return picture(catalogue, open_constant(catalogue, given, 2000.0), **how)


def test_segments_and_bad_pixels(repository: Repository) -> None:
    got = drawn(repository, f"{CONSTANT}@v1")
    assert (got.label, got.factor, got.tile, len(got.layers)) == (f"{CONSTANT}@v1", 1, SHAPE[2:], 3)
    assert got.notes == ("bad by jungfrau-3/pixel_status/1000-end", "bad by jungfrau-3/pixel_mask/0-end")
    bad = np.zeros(SHAPE, bool)
    bad[0, 1, 3, 4] = True
    bad[:, 0, :, 11] = True
    for gain, layer in enumerate(got.layers):
        assert (layer.gain, layer.segments) == (gain, (0, 1))
        assert (layer.pixels, layer.bad, layer.nonfinite) == (192, bad[gain].sum(), 0)
        for segment, tile in enumerate(layer.tiles):
            np.testing.assert_array_equal(tile.bad, bad[gain, segment])
            wanted = np.where(bad[gain, segment], np.nan, pedestals()[gain, segment])
            np.testing.assert_array_equal(tile.values, wanted)
        good = pedestals()[gain][~bad[gain]]
        np.testing.assert_array_equal(np.sort(layer.values), np.sort(good))
        assert layer.limits == pytest.approx(tuple(np.percentile(good.astype("f8"), (1, 99))))


def test_the_detector_is_right_side_up(repository: Repository) -> None:
    """Rows go down as in psana, and the corner of each segment is where the geometry turns it to."""
    got = drawn(repository, f"{CONSTANT}@v1", mark=False)
    for gain, layer in enumerate(got.layers):
        assert layer.assembled is not None
        wanted = load(GEOMETRY).image(pedestals()[gain], fill_value=np.nan)
        np.testing.assert_array_equal(layer.assembled.values, wanted)
    assert got.assembled_factor == 1


def test_marks_and_infinite_values(repository: Repository) -> None:
    marked, plain = (drawn(repository, CONSTANT, mark=mark).layers[0] for mark in (True, False))
    assert (marked.bad, marked.nonfinite) == (9, 0)
    assert (plain.bad, plain.nonfinite) == (0, 1)
    assert np.isfinite(plain.values).all()
    assert plain.tiles[1].bad[3, 4] == 1


def test_small_pictures(repository: Repository) -> None:
    got = drawn(repository, f"{CONSTANT}@v1", side=4, mark=False)
    assert max(got.grid.shape) <= 4
    whole = pedestals()[0, 0]
    blocks = [
        [whole[r : r + got.factor, c : c + got.factor].mean() for c in range(0, 12, got.factor)]
        for r in range(0, 8, got.factor)
    ]
    np.testing.assert_allclose(got.layers[0].tiles[0].values, blocks, rtol=1e-5)


def test_status_and_mask(repository: Repository) -> None:
    status = drawn(repository, "jungfrau-3/pixel_status")
    assert [layer.bad for layer in status.layers] == [1, 0, 0]
    assert [layer.bits for layer in status.layers] == [{1: 1, 8: 1}, {}, {}]
    assert status.layers[0].tiles[1].values[3, 4] == 1
    mask = drawn(repository, "jungfrau-3/pixel_mask")
    assert [(layer.gain, layer.bad) for layer in mask.layers] == [(None, 8)]


def test_what_is_no_image(repository: Repository) -> None:
    got = drawn(repository, "jungfrau-3/common_mode")
    assert got.layers == ()
    np.testing.assert_array_equal(got.line, [6, 5, 100, 10])
    with pytest.raises(InvalidOptionError, match="text"):
        drawn(repository, "jungfrau-3/geometry")


def test_what_is_in_force_when(repository: Repository) -> None:
    got = drawn(repository, CONSTANT, time=10.0)
    assert got.notes[0] == "no pixel_status is in force at 1970-01-01T00:00:10Z"
    flat = drawn(repository, "opal1000-1/pedestals")
    assert [note.split(":")[0] for note in flat.notes] == [
        "no pixel_status is in force at 1970-01-01T00", "no pixel_mask is in force at 1970-01-01T00",
        "no assembled image",
    ]  # fmt: skip
    catalogue = repository._session.catalogue()
    assert open_constant(catalogue, "jungfrau-3/pedestals", 0.0, 1500.0).label == f"{CONSTANT}@v2"
    with pytest.raises(NoValidConstantError):
        open_constant(catalogue, "jungfrau-3/pedestals", 0.0, 500.0)


def test_a_status_of_another_form_is_told(repository: Repository) -> None:
    repository.add(
        "opal1000-1", "pixel_status", np.ones((2, 2), np.uint8), begin=0, message="x", force_reason="of another camera"
    )
    assert "another shape, (2, 2)" in drawn(repository, "opal1000-1/pedestals").notes[0]


def test_difference_is_second_minus_first(repository: Repository) -> None:
    catalogue = repository._session.catalogue()
    pair = open_pair(catalogue, f"{CONSTANT}@v1", f"{CONSTANT}@v2", 2000.0)
    got = difference_picture(catalogue, *pair)
    assert len(got.rows) == 3
    wanted = np.zeros(SHAPE[2:])
    wanted[2:4] = 5
    wanted[:, 11] = np.nan
    minus = got.rows[1][2]
    np.testing.assert_allclose(minus.tiles[0].values, wanted, atol=1e-3)
    assert minus.of == 22
    assert minus.limits == pytest.approx((-5, 5), abs=1e-3)
    assert [row[2].of for row in got.rows] == [0, 22, 0]
    assert minus.assembled is not None
    assert np.nanmax(minus.assembled.values) == pytest.approx(5, abs=1e-3)


def test_difference_of_status_counts_what_turned(repository: Repository) -> None:
    data = np.zeros(SHAPE, np.uint16)
    data[2, 0, 1, 1] = data[2, 0, 1, 2] = 4
    repository.add("jungfrau-3", "pixel_status", data, begin=1000, message="Two more, one less")
    catalogue = repository._session.catalogue()
    name = "jungfrau-3/pixel_status/1000-end"
    got = difference_picture(catalogue, *open_pair(catalogue, f"{name}@v1", f"{name}@v2", 2000.0))
    assert [sorted(row[2].values.tolist()) for row in got.rows] == [[-1], [], [1, 1]]


def test_what_cannot_be_compared(repository: Repository, tmp_path) -> None:
    catalogue = repository._session.catalogue()
    np.save(tmp_path / "dark.npy", pedestals() + 1)
    np.save(tmp_path / "small.npy", np.zeros((2, 2), np.float32))
    dark, small = str(tmp_path / "dark.npy"), str(tmp_path / "small.npy")
    first, second = open_pair(catalogue, CONSTANT, dark, 2000.0)
    assert (first.name is None, second.label) == (False, dark)
    got = difference_picture(catalogue, *open_pair(catalogue, dark, f"{CONSTANT}@v1", 2000.0), mark=False)
    assert got.rows[0][2].tiles[0].values.max() == pytest.approx(-1)
    for a, b in ((dark, dark), (small, CONSTANT), (CONSTANT, small), (CONSTANT, "jungfrau-3/pixel_mask")):
        with pytest.raises(InvalidOptionError):
            open_pair(catalogue, a, b, 2000.0)
