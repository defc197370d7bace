"""What breaks psana, though it can be read."""

from __future__ import annotations

import numpy as np
import pytest

from calibvcs.formats.psana.psana_limits import Unusable, unusable, unusable_geometry, unusable_values
from calibvcs.model.detector import Detector
from calibvcs.model.metadata import Metadata
from calibvcs.model.names import DetectorName

JUNGFRAU = Detector(DetectorName("jungfrau", "1"))
EPIX = Detector(DetectorName("epix10ka", "1"))
GOOD = (3, 2, 512, 1024)


def judged(
    detector: Detector,
    ctype: str,
    dtype: str,
    shape: tuple[int, ...] = (),
    segments: int | None = None,
    **others: Metadata,
) -> Unusable | None:
    return unusable(detector, ctype, {ctype: Metadata(dtype, shape), **others}, segments)


@pytest.mark.parametrize("ctype", ["pedestals", "pixel_gain", "pixel_offset"])
@pytest.mark.parametrize("shape", [(3, 512, 1024), (2, 2, 512, 1024), (3, 2, 512, 1000), (512, 1024)])
def test_a_jungfrau_needs_its_shape(ctype: str, shape: tuple[int, ...]) -> None:
    assert judged(JUNGFRAU, ctype, "float32", GOOD) is None
    found = judged(JUNGFRAU, ctype, "float32", shape)
    assert found is not None
    assert found.needed


def test_a_jungfrau_needs_the_segments_of_the_data() -> None:
    assert judged(JUNGFRAU, "pedestals", "float32", GOOD, 2) is None
    found = judged(JUNGFRAU, "pedestals", "float32", GOOD, 8)
    assert found is not None
    assert "psana needs (3, 8, 512, 1024)" in found.reason


def test_a_camera_with_declared_panels_is_taken_at_its_word() -> None:
    small = Detector(DetectorName("jungfrau", "1"), parameters={"panel_shape": [32, 64]})
    assert judged(small, "pedestals", "float32", (3, 2, 32, 64)) is None


@pytest.mark.parametrize(
    ("ctype", "dtype", "fine"),
    [
        ("pedestals", "float64", True), ("pedestals", "int16", True), ("pedestals", "complex64", False),
        ("pixel_status", "uint8", True), ("pixel_status", "uint64", True), ("pixel_status", "int64", False),
        ("pixel_status", "float32", False), ("pixel_mask", "uint8", True), ("pixel_mask", "bool", True),
        ("pixel_mask", "uint64", False), ("something_new", "complex128", True), ("common_mode", "float32", True),
    ],
)  # fmt: skip
def test_dtypes_that_psana_gets(ctype: str, dtype: str, fine: bool) -> None:
    assert (judged(EPIX, ctype, dtype, (7, 1, 352, 384)) is None) == fine


def test_status_extra_is_as_large_as_the_status() -> None:
    status = Metadata("uint64", (7, 1, 352, 384))
    assert judged(EPIX, "status_extra", "uint64", (7, 1, 352, 384), pixel_status=status) is None
    assert judged(EPIX, "status_extra", "uint64", (352, 384)) is None
    found = judged(EPIX, "status_extra", "uint64", (352, 384), pixel_status=status)
    assert found is not None
    assert found.needed


def test_common_mode_of_an_epix10ka_is_left_out() -> None:
    assert judged(EPIX, "common_mode", "float64", (4,)) == Unusable(
        "psana fails on common mode parameters of an epix10ka", needed=False
    )
    assert judged(JUNGFRAU, "common_mode", "float64", (4,)) is None


def test_texts_and_arrays_are_not_exchanged() -> None:
    assert judged(EPIX, "geometry", "text") is None
    assert judged(EPIX, "geometry", "float32", (2, 2)) is not None
    assert judged(EPIX, "pedestals", "text") is not None
    dictionary = judged(EPIX, "lasingoffreference", "text")
    assert dictionary is not None
    assert not dictionary.needed


@pytest.mark.parametrize("place", [0, 2**20 - 1, 2**20, 3 * 2 * 512 * 1024 - 1])
def test_nan_is_found_wherever_it_is(place: int) -> None:
    array = np.ones(GOOD, np.float32)
    assert unusable_values(JUNGFRAU, "pedestals", array) is None
    array.reshape(-1)[place] = np.nan
    assert unusable_values(JUNGFRAU, "pedestals", array) is not None
    assert unusable_values(JUNGFRAU, "pixel_rms", array) is None
    assert unusable_values(EPIX, "pedestals", array) is None


def test_infinite_values_are_no_nan() -> None:
    array = np.full((3, 1, 512, 1024), np.inf, np.float32)
    array[0] = -np.inf
    assert unusable_values(JUNGFRAU, "pedestals", array) is None


def test_geometries_that_psana_has_of_its_own() -> None:
    assert unusable_geometry("IP 0 ARCHON:V1 0 ...") is not None
    assert unusable_geometry("IP 0 MTRXANY:V1 0 ...") is not None
    assert unusable_geometry("IP 0 JUNGFRAU:V2 0 ...") is None
