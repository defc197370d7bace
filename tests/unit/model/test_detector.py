"""A detector: what its type demands, and the names of the axes of its arrays."""

import pytest

from calibvcs.model.constant_types import KNOWN, ConstantType, constant_type
from calibvcs.model.detector import DETECTOR_TYPES, Detector, DetectorType
from calibvcs.model.names import DetectorName, parse_dettype

OF_VALUES = constant_type("unheard_of")


def detector(name: str, segments: int = 0, **parameters: object) -> Detector:
    ids = tuple(f"panel{n}" for n in range(segments))
    return Detector(DetectorName.parse(name), segments=ids, parameters=parameters)  # type: ignore[arg-type]


def test_every_known_type_can_be_the_type_of_a_detector() -> None:
    for dettype, facts in DETECTOR_TYPES.items():
        assert parse_dettype(dettype) == dettype
        assert facts.gains >= 1
        assert facts.panel is None or min(facts.panel) > 0


@pytest.mark.parametrize(
    ("name", "gains", "panel"),
    [
        ("jungfrau-1", 3, (512, 1024)),
        ("epix10ka-1", 7, (352, 384)),
        ("epixm320-1", 3, (192, 384)),
        ("epix100-1", 1, (704, 768)),
        ("opal1000-1", 1, None),
    ],
)
def test_the_type_tells_gain_ranges_and_panels(name: str, gains: int, panel: tuple[int, int] | None) -> None:
    assert detector(name).type == DetectorType(gains, panel)
    assert detector(name).panel_shape == panel


def test_a_declared_panel_shape_goes_before_that_of_the_type() -> None:
    assert detector("jungfrau-1", panel_shape=[32, 64]).panel_shape == (32, 64)
    assert detector("opal1000-1", panel_shape=[32, 64]).panel_shape == (32, 64)


@pytest.mark.parametrize(
    "declared",
    [[32], [32, 64, 1], [], "32x64", {"rows": 32}, 32, [32, 64.0], ["32", "64"], [True, False], [32, True], [[32], [64]], False],
    ids=repr,
)  # fmt: skip
def test_a_panel_shape_that_is_none_does_not_count(declared: object) -> None:
    assert detector("jungfrau-1", panel_shape=declared).panel_shape == (512, 1024)


PIXEL = ("row", "column")


@pytest.mark.parametrize(
    ("name", "segments", "ctype", "shape", "dims"),
    [
        ("jungfrau-1", 0, "pedestals", (512, 1024), PIXEL),
        ("jungfrau-1", 0, "pedestals", (3, 512, 1024), ("gain", *PIXEL)),
        ("jungfrau-1", 0, "pedestals", (8, 512, 1024), ("segment", *PIXEL)),
        ("jungfrau-1", 0, "pedestals", (3, 8, 512, 1024), ("gain", "segment", *PIXEL)),
        ("jungfrau-1", 3, "pedestals", (3, 512, 1024), ("segment", *PIXEL)),  # three panels, one gain range
        ("jungfrau-1", 8, "pedestals", (3, 512, 1024), ("gain", *PIXEL)),
        ("jungfrau-1", 0, "pixel_mask", (3, 512, 1024), ("segment", *PIXEL)),  # a mask has no gain ranges
        ("jungfrau-1", 8, "pixel_mask", (8, 512, 1024), ("segment", *PIXEL)),
        ("jungfrau-1", 8, "pixel_status", (3, 8, 512, 1024), ("gain", "segment", *PIXEL)),
        ("epix10ka-1", 0, "pixel_gain", (7, 352, 384), ("gain", *PIXEL)),
        ("epix10ka-1", 0, "pixel_gain", (3, 352, 384), ("segment", *PIXEL)),
        ("epix100-1", 1, "pedestals", (704, 768), PIXEL),
        ("epix100-1", 1, "pedestals", (1, 704, 768), ("segment", *PIXEL)),
        ("epix100-1", 0, "pedestals", (5, 1, 704, 768), ("gain", "segment", *PIXEL)),
        ("opal1000-1", 0, "pixel_bkgd", (3, 10, 10), ("segment", *PIXEL)),
        ("epix100-1", 0, "pedestals", (7,), ("axis0",)),
        ("epix100-1", 0, "pedestals", (2, 3, 4, 5, 6), ("axis0", "axis1", "axis2", "axis3", "axis4")),
        ("epix100-1", 0, "pedestals", (), ()),
        ("epix100-1", 0, "common_mode", (16,), ("value",)),
        ("epix100-1", 0, "common_mode", (4, 4), ("axis0", "axis1")),
        ("epix100-1", 0, "unheard_of", (10, 10), ("axis0", "axis1")),
        ("epix100-1", 0, "unheard_of", (10,), ("value",)),
    ],
)
def test_axes_are_named_by_detector_and_ctype(
    name: str, segments: int, ctype: str, shape: tuple[int, ...], dims: tuple[str, ...]
) -> None:
    assert detector(name, segments).dims(constant_type(ctype), shape) == dims


@pytest.mark.parametrize("spec", [*KNOWN.values(), OF_VALUES], ids=lambda spec: spec.name)
@pytest.mark.parametrize("name", [f"{dettype}-1" for dettype in (*DETECTOR_TYPES, "opal1000")])
def test_every_axis_has_a_name_of_its_own(spec: ConstantType, name: str) -> None:
    for rank in range(7):
        for segments in (0, 1, 3, 8):
            dims = detector(name, segments).dims(spec, (3,) * rank)
            assert len(dims) == len(set(dims)) == rank
