"""The ctypes that are known, and what each demands."""

import numpy as np
import pytest

from calibvcs.model.constant_types import KNOWN, ConstantType, constant_type
from calibvcs.model.layout import GEOMETRY_CTYPES
from calibvcs.model.metadata import DEFAULT_CONVENTIONS
from calibvcs.model.names import parse_ctype
from calibvcs.model.repository import GateLimits

OF_PSANA = {
    "pedestals", "pixel_status", "pixel_rms", "pixel_gain", "pixel_offset", "pixel_mask", "pixel_bkgd", "pixel_max", "pixel_min",
    "common_mode", "status_extra", "status_data", "pixel_datast", "users_mask", "geometry", "code_geometry",
}  # fmt: skip


def test_the_ctypes_of_psana_are_known() -> None:
    assert KNOWN.keys() >= OF_PSANA


@pytest.mark.parametrize("spec", KNOWN.values(), ids=lambda spec: spec.name)
def test_a_declaration_is_sound(spec: ConstantType) -> None:
    assert parse_ctype(spec.name) == spec.name
    assert KNOWN[spec.name] is spec
    assert [np.dtype(name).name for name in spec.dtypes] == list(spec.dtypes)
    assert bool(spec.dtypes) == (spec.kind != "text")
    assert spec.max_changed_fraction is None or spec.kind in {"mask", "status"}
    assert (spec.max_drift is None and spec.max_factor is None) or (spec.kind == "values" and spec.unit)
    assert spec.max_factor is None or spec.max_factor >= 1


@pytest.mark.parametrize("ctype", GEOMETRY_CTYPES)
def test_a_geometry_is_text(ctype: str) -> None:
    assert KNOWN[ctype].kind == "text"
    assert KNOWN[ctype].array_kind == "values", "an array that was forced in there is read as values"


def test_all_zero_can_be_right_only_where_zero_means_something() -> None:
    assert not any(KNOWN[ctype].zeros for ctype in ("pedestals", "pixel_rms", "pixel_gain", "pixel_mask", "pixel_max"))
    assert all(KNOWN[ctype].zeros for ctype in ("pixel_status", "pixel_offset", "common_mode", "pixel_min"))


def test_a_mask_counts_good_pixels_and_a_status_bad_bits() -> None:
    assert (KNOWN["pixel_mask"].array_kind, KNOWN["users_mask"].array_kind) == ("mask", "mask")
    assert KNOWN["pixel_status"].array_kind == "status"
    assert KNOWN["pedestals"].array_kind == "values"


def test_an_unknown_ctype_demands_nothing() -> None:
    spec = constant_type("afterglow")
    assert (spec.name, spec.kind, spec.dtypes, spec.per_pixel, spec.zeros) == ("afterglow", "values", (), False, True)
    assert (spec.max_drift, spec.max_factor, spec.max_changed_fraction) == (None, None, None)


def test_unknown_text_is_text() -> None:
    assert constant_type("notes", text=True).kind == "text"


def test_what_is_known_of_a_ctype_does_not_depend_on_the_data() -> None:
    assert constant_type("pedestals", text=True) is constant_type("pedestals") is KNOWN["pedestals"]


def test_every_convention_is_of_a_known_ctype() -> None:
    assert DEFAULT_CONVENTIONS.keys() <= KNOWN.keys()
    assert DEFAULT_CONVENTIONS["pixel_gain"] == "divide", "a gain in ADU/keV divides, as in psana 4"
    assert KNOWN["pixel_gain"].unit == "ADU/keV"


def test_the_limits_of_a_repository_replace_those_of_the_ctype() -> None:
    spec = GateLimits(max_drift=5, max_changed_fraction=0).applied(KNOWN["pedestals"])
    assert (spec.max_drift, spec.max_factor, spec.max_changed_fraction) == (5, None, 0)
    assert GateLimits().applied(KNOWN["pixel_gain"]) == KNOWN["pixel_gain"]
