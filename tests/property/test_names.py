"""Names: what parses prints back to itself, and any other text is refused as a name."""

import itertools
from collections.abc import Callable

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from calibvcs.errors import CalibvcsError, InvalidNameError
from calibvcs.model import layout, names
from calibvcs.model.names import ConstantName, ConstantReference, DetectorName, parse_version
from calibvcs.model.validity import TIME_LIMIT, Validity


def allowed(parse: Callable[[str], object], text: str) -> bool:
    try:
        parse(text)
    except InvalidNameError:
        return False
    return True


WORDS = st.from_regex(r"[a-z0-9][a-z0-9_]{0,20}", fullmatch=True).filter(lambda text: allowed(names.parse_ctype, text))
DETAILS = st.from_regex(r"[a-z0-9][a-z0-9_.-]{0,20}", fullmatch=True).filter(
    lambda text: allowed(names.parse_alias, text)
)
SECONDS = st.integers(0, 50) | st.integers(0, TIME_LIMIT - 1)
VALIDITIES = st.builds(
    lambda begin, length: Validity(begin, None if length is None else min(begin + length, TIME_LIMIT)),
    st.integers(0, TIME_LIMIT - 100),
    st.none() | st.integers(1, 99),
)
DETECTORS = st.builds(DetectorName, WORDS, DETAILS)
CONSTANTS = st.builds(ConstantName, DETECTORS, WORDS, VALIDITIES)
REVISIONS = st.from_regex(r"v[1-9][0-9]{0,8}|[a-z0-9][a-z0-9/.@:-]{0,20}", fullmatch=True)

# Text near the grammar finds more than any text does.
NEARLY = st.text("aZ0_-./@ \n" + "end" + "\u212a\u0661", max_size=24) | st.sampled_from(
    ["con", "experiments", "nul-1", "a..b", "a-b.lock", "0-end", "00-end", "a-1/pedestals/0-end@v1", "_", "-", "@"]
)
TEXT = NEARLY | st.text(max_size=60) | st.text(st.characters(categories=["Cs", "Cc", "Zs", "Zl"]), max_size=10)

PARSERS = [
    names.parse_dettype, names.parse_ctype, names.parse_experiment, names.parse_alias, names.parse_tag, DetectorName.parse,
    ConstantName.parse, Validity.parse,
]  # fmt: skip


@pytest.mark.parametrize("parse", PARSERS, ids=lambda parse: parse.__qualname__)
@given(TEXT)
def test_what_parses_prints_back_to_itself_and_the_rest_is_refused(parse: Callable[[str], object], text: str) -> None:
    try:
        parsed = parse(text)
    except CalibvcsError:
        return
    if not (
        isinstance(parsed, DetectorName | ConstantName) and "-" not in text.partition("/")[0]
    ):  # psana's short name
        assert str(parsed) == text
    assert parse(str(parsed)) == parsed


@given(TEXT)
def test_any_text_is_a_reference_or_refused(text: str) -> None:
    try:
        reference = ConstantReference.parse(text)
    except CalibvcsError:
        return
    assert written(reference) == text
    assert reference.constant is None or reference.validity is not None


def written(reference: ConstantReference) -> str:
    parts = [reference.detector, reference.ctype, reference.validity]
    version = "" if reference.version is None else f"@{reference.version}"
    return "/".join(str(part) for part in parts if part is not None) + version


@given(TEXT)
def test_any_text_is_a_version_or_none(text: str) -> None:
    number = parse_version(text)
    assert number is None or f"v{number}" == text


@given(DETECTORS)
def test_a_detector_comes_back(name: DetectorName) -> None:
    assert DetectorName.parse(str(name)) == name
    if "_" not in name.dettype and "-" not in name.detid:
        assert DetectorName.parse(f"{name.dettype}_{name.detid}") == name, "psana's short name means the same"


@given(CONSTANTS)
def test_a_constant_comes_back_from_its_name_and_from_its_folder(constant: ConstantName) -> None:
    assert ConstantName.parse(str(constant)) == constant
    for file in layout.PAYLOAD_FILES:
        assert layout.constant_of(f"{layout.constant_folder(constant)}/{file}") == constant


@given(DETECTORS.map(str) | DETAILS, st.none() | WORDS, st.none() | VALIDITIES, st.none() | REVISIONS)
def test_a_reference_comes_back(
    detector: str, ctype: str | None, validity: Validity | None, version: str | None
) -> None:
    assume(ctype is not None or validity is None)
    reference = ConstantReference(detector, ctype, validity, version)
    assert ConstantReference.parse(written(reference)) == reference


@given(VALIDITIES)
def test_a_range_comes_back(validity: Validity) -> None:
    assert Validity.parse(str(validity)) == validity


@given(st.lists(CONSTANTS, max_size=8))
def test_constants_have_one_order(constants: list[ConstantName]) -> None:
    ordered = sorted(constants)
    for a, b in itertools.pairwise(ordered):
        assert a <= b


@pytest.mark.parametrize("parse", PARSERS[:6], ids=lambda parse: parse.__qualname__)
@given(TEXT | NEARLY.map(str.upper))
def test_a_suggestion_would_be_taken(parse: Callable[[str], object], text: str) -> None:
    try:
        parse(text)
    except InvalidNameError as error:
        suggestion = error.suggestion
    else:
        suggestion = ""
    assert not suggestion or parse(suggestion)


@given(st.text(max_size=20), st.text("/.ab-0 \n", max_size=40))
def test_any_path_belongs_to_a_constant_to_none_or_is_refused(name: str, rest: str) -> None:
    for path in (f"{name}/{rest}", rest, f"a/a-1/b/0-end/{name}"):
        try:
            constant = layout.constant_of(path)
        except CalibvcsError:
            continue
        assert constant is None or path.startswith(f"{layout.constant_folder(constant)}/")
