"""The gate: each rule names the value it found and the limit."""

import numpy as np
import pytest
from numpy.typing import NDArray

from calibvcs.model import gate
from calibvcs.model.array_blocks import blocks
from calibvcs.model.array_difference import compare
from calibvcs.model.constant_types import ConstantType, constant_type
from calibvcs.model.detector import Detector
from calibvcs.model.gate import Level, Verdict, check_ctype, check_form, check_values
from calibvcs.model.names import DetectorName
from calibvcs.model.repository import GateLimits


def detector(name: str, segments: int = 0, **parameters: object) -> Detector:
    ids = tuple(f"panel{n}" for n in range(segments))
    return Detector(DetectorName.parse(name), segments=ids, parameters=parameters)  # type: ignore[arg-type]


JUNGFRAU = detector("jungfrau-1", 2)
EPIX = detector("epix100-1")
OPAL = detector("opal1000-1")


def form(ctype: str, shape: tuple[int, ...], dtype: str = "float32", of: Detector = JUNGFRAU) -> Verdict:
    return check_form(shape, dtype, constant_type(ctype), of)


def rules(verdict: Verdict) -> list[str]:
    return [refusal.rule for refusal in verdict.refusals]


def text(verdict: Verdict) -> str:
    return "; ".join(map(str, verdict.refusals))


# --- ctype ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("ctype", "present"), [("pedestals", ()), ("geometry", ()), ("afterglow", ("afterglow",))])
def test_a_ctype_that_is_known_or_present_passes(ctype: str, present: tuple[str, ...]) -> None:
    assert check_ctype(ctype, present) == Verdict()


@pytest.mark.parametrize(
    ("ctype", "present", "offered"),
    [("pedestal", (), "pedestals"), ("pixel_gian", (), "pixel_gain"), ("afterglo", ("afterglow",), "afterglow"), ("xyz", (), "pedestals")],
)  # fmt: skip
def test_a_new_ctype_is_answered_with_the_nearest_names(ctype: str, present: tuple[str, ...], offered: str) -> None:
    verdict = check_ctype(ctype, present)
    assert rules(verdict) == ["ctype"]
    assert f"'{ctype}' is new here" in text(verdict)
    assert offered in verdict.refusals[0].limit


# --- form -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ctype", "shape", "dtype", "of"),
    [
        ("pedestals", (3, 2, 512, 1024), "float32", JUNGFRAU),
        ("pixel_status", (3, 2, 512, 1024), "uint16", JUNGFRAU),
        ("pixel_status", (3, 2, 512, 1024), "uint64", JUNGFRAU),
        ("pixel_mask", (2, 512, 1024), "uint8", JUNGFRAU),
        ("pixel_max", (3, 2, 512, 1024), "uint16", JUNGFRAU),
        ("common_mode", (16,), "float64", JUNGFRAU),
        ("pedestals", (704, 768), "float32", EPIX),
        ("pedestals", (1, 704, 768), "float32", EPIX),
        ("pedestals", (1, 704, 768), "float32", detector("epix100-1", 1)),
        ("pedestals", (704, 768), "float32", detector("epix100-1", 1)),
        ("pedestals", (1024, 1024), "float32", OPAL),
        ("pedestals", (7, 4, 10, 10), "float32", OPAL),  # of an unknown type nothing is demanded
        ("pedestals", (3, 2, 32, 64), "float32", detector("jungfrau-1", 2, panel_shape=[32, 64])),
        ("afterglow", (2, 3, 4, 5, 6), "complex64", JUNGFRAU),
    ],
)
def test_what_has_the_usual_form_passes_without_a_warning(
    ctype: str, shape: tuple[int, ...], dtype: str, of: Detector
) -> None:
    assert form(ctype, shape, dtype, of) == Verdict()


@pytest.mark.parametrize(
    ("ctype", "dtype", "advice"),
    [
        ("pedestals", "float64", "astype('float32')"),
        ("pedestals", "uint16", "astype('float32')"),
        ("pixel_mask", "bool", "astype('uint8')"),
        ("pixel_status", "int32", "uint8 or uint16 or uint32 or uint64"),
        ("pixel_status", "float32", "astype('uint8')"),
    ],
)
def test_a_dtype_that_does_not_go_with_the_ctype_is_refused(ctype: str, dtype: str, advice: str) -> None:
    shape = (2, 512, 1024) if ctype == "pixel_mask" else (3, 2, 512, 1024)
    verdict = form(ctype, shape, dtype)
    assert rules(verdict) == ["dtype"]
    assert verdict.refusals[0].value == dtype
    assert advice in verdict.refusals[0].limit


def test_an_array_is_refused_where_the_ctype_is_text() -> None:
    assert text(form("geometry", (2, 2))) == "dtype: an array of float32; allowed is text, since geometry is text"


@pytest.mark.parametrize("shape", [(16, 1), (1, 16), (2, 2, 2)])
def test_a_list_of_values_has_one_axis(shape: tuple[int, ...]) -> None:
    assert f"{shape} has {len(shape)} axes; allowed is one axis" in text(form("common_mode", shape, "float64"))


@pytest.mark.parametrize("shape", [(), (1024,), (1, 3, 2, 512, 1024)])
def test_pixels_have_two_to_four_axes(shape: tuple[int, ...]) -> None:
    verdict = form("pedestals", shape)
    assert rules(verdict) == ["shape"]
    assert "(3, 2, rows, columns) for pedestals of jungfrau-1" in text(verdict)


@pytest.mark.parametrize("declared", [0, 2])
def test_the_gain_axis_has_as_many_entries_as_the_type_has_gain_ranges(declared: int) -> None:
    verdict = form("pedestals", (7, 2, 512, 1024), of=detector("jungfrau-1", declared))
    assert "has 7 gain ranges; allowed is (3, " in text(verdict)


@pytest.mark.parametrize(
    ("ctype", "shape", "found"),
    [
        ("pedestals", (3, 8, 512, 1024), "8 segments;"),
        ("pedestals", (2, 512, 1024), "2 segments and no gain axis;"),
        ("pedestals", (3, 512, 1024), "3 segments and no gain axis;"),
        ("pedestals", (512, 1024), "1 segments and no gain axis;"),
        ("pixel_bkgd", (3, 512, 1024), "3 segments;"),
        ("pixel_bkgd", (512, 1024), "1 segments;"),
        ("pixel_bkgd", (3, 2, 512, 1024), "2 segments and a gain axis;"),
    ],
)
def test_declared_segments_are_held_against_the_array(ctype: str, shape: tuple[int, ...], found: str) -> None:
    verdict = form(ctype, shape)
    assert rules(verdict) == ["shape"]
    assert f"{shape} has {found}" in text(verdict)
    assert "it declares 2 segments" in text(verdict)


def test_where_nobody_declared_segments_any_number_passes() -> None:
    for segments in (1, 2, 8, 32):
        assert form("pedestals", (3, segments, 512, 1024), of=detector("jungfrau-1")) == Verdict()


def test_a_declared_panel_is_a_limit_and_that_of_the_type_a_hint() -> None:
    verdict = form("pedestals", (3, 2, 512, 1024), of=detector("jungfrau-1", 2, panel_shape=[32, 64]))
    assert (
        text(verdict)
        == "shape: (3, 2, 512, 1024) has panels of (512, 1024); allowed is (32, 64), as the detector declares"
    )
    verdict = form("pedestals", (3, 2, 32, 64))
    assert verdict.refusals == ()
    assert verdict.warnings == ("panels of (32, 64); a full panel of a jungfrau has (512, 1024)",)


@pytest.mark.parametrize(
    ("ctype", "shape", "of"),
    [
        ("pedestals", (3, 512, 1024), detector("jungfrau-1")),
        ("pedestals", (8, 512, 1024), detector("jungfrau-1")),
        ("pixel_bkgd", (3, 8, 512, 1024), detector("jungfrau-1")),
        ("pedestals", (2, 1, 704, 768), EPIX),  # an epix100 has one gain range
        ("pixel_bkgd", (2, 1, 10, 10), OPAL),  # a background has none anywhere
    ],
)
def test_an_unusual_number_of_axes_is_a_warning(ctype: str, shape: tuple[int, ...], of: Detector) -> None:
    verdict = form(ctype, shape, of=of)
    assert verdict.refusals == ()
    assert f"{shape} has {len(shape)} axes; usual is (" in verdict.warnings[0]


def test_every_refusal_is_told_at_once() -> None:
    assert rules(form("pedestals", (3, 8, 512, 1024), "float64")) == ["dtype", "shape"]


def test_verdicts_add_up() -> None:
    one, two = form("geometry", (2, 2)), form("pedestals", (3, 2, 32, 64))
    assert (one + two).refusals == one.refusals
    assert (one + two).warnings == two.warnings


# --- values ---------------------------------------------------------------------------------------------------


def values(ctype: str, array: NDArray[np.generic]) -> Verdict:
    return check_values(array, constant_type(ctype))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_values_are_finite(bad: float) -> None:
    array = np.ones((2, 3, 4), "f4")
    array[0, 1, 2] = array[1, 1, 1] = bad
    assert text(values("pedestals", array)) == "finite: 2 of 24 values are NaN or infinite; allowed is 0"


def test_complex_values_are_finite_in_both_parts() -> None:
    assert rules(values("afterglow", np.array([1, complex(0, np.inf)]))) == ["finite"]


def test_a_value_is_found_in_any_block_of_a_large_array() -> None:
    array = np.zeros(3 << 18, "f4")
    assert rules(values("pedestals", array)) == ["not all zero"]
    array[-1] = 1
    assert values("pedestals", array) == Verdict()
    array[-1] = np.nan
    assert rules(values("pedestals", array)) == ["finite"]


def test_an_array_that_is_not_contiguous_is_looked_at_whole() -> None:
    array = np.ones((4, 6), "f4").T
    array[5, 3] = np.nan
    assert rules(values("pedestals", array)) == ["finite"]


@pytest.mark.parametrize("zero", [0.0, -0.0])
@pytest.mark.parametrize("ctype", ["pedestals", "pixel_rms", "pixel_gain"])
def test_all_zero_is_refused_where_it_means_nothing(ctype: str, zero: float) -> None:
    assert text(values(ctype, np.full((2, 3), zero, "f4"))).startswith("not all zero: all 6 values are zero")


def test_a_mask_without_one_good_pixel_is_refused() -> None:
    assert rules(values("pixel_mask", np.zeros((2, 2), "u1"))) == ["not all zero"]


@pytest.mark.parametrize("ctype", ["pixel_status", "pixel_offset", "pixel_min", "afterglow"])
def test_all_zero_passes_where_it_can_be_right(ctype: str) -> None:
    assert values(ctype, np.zeros((2, 2), "f4")) == Verdict()


@pytest.mark.parametrize(
    "array", [np.ones((2, 2), "u1"), np.array([0, 1], "u1"), np.array([False, True]), np.array([1, 0], "f4")]
)
def test_a_mask_is_of_ones_and_zeros(array: NDArray[np.generic]) -> None:
    assert values("pixel_mask", array) == Verdict()


@pytest.mark.parametrize(
    ("array", "told"),
    [
        (np.array([0, 1, 2, 255], "u1"), "2 of 4 values are neither, the first is 2"),
        (np.array([-1, 1], "i2"), "1 of 2 values are neither, the first is -1"),
        (np.array([0.5, 1, 0], "f4"), "1 of 3 values are neither, the first is 0.5"),
    ],
)
def test_other_values_in_a_mask_are_refused(array: NDArray[np.generic], told: str) -> None:
    assert text(values("pixel_mask", array)) == f"mask: {told}; allowed is 1 (good) and 0 (bad)"


def test_a_mask_with_nan_is_refused_for_both_reasons() -> None:
    assert rules(values("pixel_mask", np.array([1, np.nan]))) == ["finite", "mask"]


def test_a_status_may_have_any_bits() -> None:
    assert values("pixel_status", np.array([0, 1, 64, 2**64 - 1], "u8")) == Verdict()


# --- change ---------------------------------------------------------------------------------------------------

DIMS = ("gain", "segment", "row", "column")


def change(ctype: str, new: NDArray[np.generic], old: NDArray[np.generic], limits: GateLimits | None = None) -> Verdict:
    spec: ConstantType = (limits or GateLimits()).applied(constant_type(ctype))
    dims = DIMS[4 - new.ndim :]
    difference = compare(old, new, dims=dims, kind=spec.array_kind)
    levels = [
        Level(block.gain, *(float(np.median(values)) if values.size else np.nan for values in pair))
        for block in blocks(new.shape, dims)
        if new.shape == old.shape
        for pair in [[array[block.where][np.isfinite(array[block.where])] for array in (new, old)]]
    ]
    return gate.check_change(difference, levels, spec, "jungfrau-1/pedestals/0-end")


PEDESTALS = np.full((3, 2, 8, 8), 2500, "f4")


def test_another_shape_than_the_predecessor_is_refused() -> None:
    verdict = change("pedestals", PEDESTALS, PEDESTALS[:, :1])
    assert text(verdict) == "shape: (3, 2, 8, 8); allowed is (3, 1, 8, 8), as in jungfrau-1/pedestals/0-end"


def test_a_change_within_the_limit_passes() -> None:
    for shift in (0, 1000, -1000):
        assert change("pedestals", PEDESTALS + np.float32(shift), PEDESTALS) == Verdict()


@pytest.mark.parametrize("shift", [1001, -1001])
def test_a_drift_names_gain_segment_value_and_limit(shift: float) -> None:
    new = PEDESTALS.copy()
    new[2, 1] += shift
    assert text(change("pedestals", new, PEDESTALS)) == (
        f"drift: median change {shift:+} ADU in gain 2, segment 1; allowed is 1000 ADU against jungfrau-1/pedestals/0-end"
    )


def test_a_few_hot_pixels_are_no_drift() -> None:
    new = PEDESTALS.copy()
    new[..., :3] += 10_000
    assert change("pedestals", new, PEDESTALS) == Verdict()


def test_one_segment_that_comes_as_zeros_is_a_drift() -> None:
    new = PEDESTALS.copy()
    new[:, 1] = 0
    assert rules(change("pedestals", new, PEDESTALS)) == ["drift"]


def test_a_drift_of_an_array_without_gains_and_segments_names_no_place() -> None:
    old = np.full((8, 8), 100, "f4")
    assert "median change +2000 ADU; allowed" in text(change("pedestals", old + np.float32(2000), old))


def test_the_limit_of_the_repository_counts() -> None:
    new = PEDESTALS + np.float32(5)
    assert rules(change("pedestals", new, PEDESTALS, GateLimits(max_drift=4.5))) == ["drift"]
    assert rules(change("pedestals", new, PEDESTALS, GateLimits(max_drift=5))) == []
    assert rules(change("pedestals", new, PEDESTALS, GateLimits(max_drift=0))) == ["drift"]


def test_nan_that_was_forced_in_does_not_hide_a_drift() -> None:
    new = PEDESTALS + np.float32(2000)
    new[0, 0, 0, 0] = np.nan
    assert rules(change("pedestals", new, PEDESTALS)) == ["drift"]


GAINS = np.stack([np.full((2, 8, 8), value, "f4") for value in (41.5, -1.4, -0.11)])  # of a jungfrau, ADU/keV


@pytest.mark.parametrize("factor", [1, 1.1, 9.9, 1 / 9.9])
def test_a_gain_within_the_factor_passes(factor: float) -> None:
    assert change("pixel_gain", GAINS * np.float32(factor), GAINS) == Verdict()


@pytest.mark.parametrize("factor", [11, 1000, 1 / 11, 0.001, 0])
@pytest.mark.parametrize("gain", [0, 1, 2])
def test_a_slip_of_the_unit_in_one_gain_range_is_refused(gain: int, factor: float) -> None:
    new = GAINS.copy()
    new[gain] *= factor
    verdict = change("pixel_gain", new, GAINS)
    assert rules(verdict) == ["scale"]
    assert f"ADU/keV in gain {gain}, before {GAINS[gain, 0, 0, 0]:.6g}" in text(verdict)
    assert "a factor of 10" in text(verdict)


def test_a_gain_that_changes_its_sign_is_refused() -> None:
    assert rules(change("pixel_gain", -GAINS, GAINS)) == ["scale", "scale", "scale"]


def test_a_gain_against_zeros_is_refused() -> None:
    one = np.ones((8, 8), "f4")
    assert rules(change("pixel_gain", one, np.zeros_like(one))) == ["scale"]
    assert rules(change("pixel_gain", np.zeros_like(one), np.zeros_like(one))) == []


def test_a_gain_of_a_detector_without_gain_ranges_is_compared_as_one() -> None:
    old = np.full((2, 8, 8), 16.4, "f4")
    assert change("pixel_gain", old * np.float32(2), old) == Verdict()
    assert "median 1640 ADU/keV, before 16.4" in text(change("pixel_gain", old * np.float32(100), old))


def test_gains_without_one_finite_value_are_refused() -> None:
    new = GAINS.copy()
    new[0] = np.nan
    assert rules(change("pixel_gain", new, GAINS)) == ["scale"]
    assert rules(change("pixel_gain", GAINS, new)) == ["scale"]


def test_one_value_that_is_not_finite_does_not_hide_a_gain() -> None:
    old = GAINS.copy()
    old[0, 0, 0, 0] = np.nan
    assert change("pixel_gain", GAINS, old) == Verdict()
    assert rules(change("pixel_gain", GAINS * np.float32(100), old)) == ["scale"] * 3


def test_the_gain_of_a_range_is_the_median_of_its_segments() -> None:
    old, new = np.full((5, 8, 8), 16, "f4"), np.full((5, 8, 8), 16, "f4")
    new[:2] = 0
    assert change("pixel_gain", new, old) == Verdict()
    new[2] = 0
    assert "median 0 ADU/keV, before 16" in text(change("pixel_gain", new, old))


def test_pixels_that_turn_good_or_bad_are_counted() -> None:
    old = np.zeros((10, 10), "u2")
    new = old.copy()
    new[:3] = 8
    assert change("pixel_status", new, old) == Verdict()
    new[3, 0] = 1
    assert text(change("pixel_status", new, old)) == (
        "changed pixels: 31 of 100 pixels (31.0%) turn good or bad; allowed is 30% against jungfrau-1/pedestals/0-end"
    )
    assert rules(change("pixel_status", old, new)) == ["changed pixels"]
    assert rules(change("pixel_mask", (new != 0).astype("u1"), (old != 0).astype("u1"))) == ["changed pixels"]


def test_a_bad_pixel_that_stays_bad_for_another_reason_does_not_count() -> None:
    assert change("pixel_status", np.full((4, 4), 8, "u2"), np.full((4, 4), 3, "u2")) == Verdict()


def test_a_ctype_without_limits_may_change_at_will() -> None:
    old = np.ones((4, 4), "f4")
    assert change("pixel_bkgd", old * 1e6, old) == Verdict()
    assert change("afterglow", -old, old) == Verdict()
