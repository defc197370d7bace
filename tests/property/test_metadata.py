"""Metadata and tables of the repository: they come back exactly, and any bytes are read or refused as a document."""

import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calibvcs.errors import InvalidDocumentError, UnsupportedFormatError
from calibvcs.formats.toml import aliases_toml, detector_toml, meta_toml, repository_toml, runs_toml, toml_document
from calibvcs.model.detector import Detector
from calibvcs.model.metadata import InputFile, Metadata, Origin, Provenance
from calibvcs.model.names import DetectorName
from calibvcs.model.runs import Run, RunKind, RunReason, RunTable

PATH = "jungfrau/jungfrau-1/pedestals/0-end/meta.toml"
DETECTOR = DetectorName("jungfrau", "1")

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
NAMES = st.sampled_from(["", "mfx101332224", "ADU/keV", "µm", "a b", '"', "\\", "line\nline", "# no comment"]) | TEXT
INTEGERS = st.integers(-(2**63), 2**64 - 1)
VALUES = st.recursive(
    st.booleans() | INTEGERS | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
PARAMETERS = st.dictionaries(TEXT | st.sampled_from(["parameters", "bias", "a.b", "runs"]), VALUES, max_size=4)
METADATA = st.builds(
    Metadata,
    dtype=st.sampled_from(["float32", "uint16", "text"]),
    shape=st.lists(st.integers(0, 2**40), max_size=4).map(tuple),
    dims=st.lists(NAMES, max_size=4).map(tuple),
    unit=NAMES,
    convention=NAMES,
    origin=st.builds(Origin, NAMES, st.none() | st.integers(0, 10**6), st.none() | st.integers(0, 10**6), NAMES),
    provenance=st.builds(
        Provenance,
        st.lists(NAMES, max_size=4).map(tuple),
        NAMES,
        NAMES,
        NAMES,
        st.lists(st.builds(InputFile, NAMES, st.integers(0, 2**60), NAMES), max_size=3).map(tuple),
    ),
    parameters=PARAMETERS,
    locked=st.booleans(),
    lock_reason=NAMES,
    withdrawn=st.booleans(),
    withdrawn_reason=NAMES,
)


def exact(value: object) -> object:
    """Return what tells 1, 1.0 and True apart, and 0.0 from -0.0."""
    if isinstance(value, dict):
        return {key: exact(inner) for key, inner in value.items()}
    return [exact(inner) for inner in value] if isinstance(value, list) else (type(value), repr(value))


@given(METADATA)
def test_metadata_come_back_exactly(metadata: Metadata) -> None:
    data = meta_toml.encode(metadata)
    again = meta_toml.decode(data, PATH)
    assert again == metadata
    assert exact(again.parameters) == exact(metadata.parameters)
    assert meta_toml.encode(again) == data, "equal metadata give equal bytes"


@given(PARAMETERS, PARAMETERS)
def test_parameters_of_a_detector_become_what_they_are_meant_to_be(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    previous = detector_toml.encode(Detector(DETECTOR, "x", parameters=before))
    for parameters in (after, {**before, **after}):
        again = detector_toml.decode(
            detector_toml.encode(Detector(DETECTOR, parameters=parameters), previous), DETECTOR
        )
        assert again.longname == ""
        assert exact(again.parameters) == exact(parameters)


# --- files that were edited by hand ---------------------------------------------------------------------------

COMMENTS = st.lists(st.sampled_from(["", "\n", "# x\n", "\n# y\n\n", "  # z\n", "#\n\n\n"]), min_size=10, max_size=10)
RUNS = st.lists(
    st.builds(
        Run,
        st.integers(0, 6),
        st.sampled_from(RunKind),
        st.none() | st.integers(0, 10),
        st.none() | st.integers(11, 20),
        st.none() | st.sampled_from(RunReason),
        NAMES,
    ),
    max_size=5,
    unique_by=lambda run: run.run,
).map(lambda runs: tuple(sorted(runs, key=lambda run: run.run)))


def by_hand(table: RunTable, comments: list[str]) -> bytes:
    """Write a run table as somebody might who annotates it."""
    head, *blocks = runs_toml.encode(table).decode().split("[[runs]]\n")
    text = comments[0] + head
    for number, (block, comment) in enumerate(zip(blocks, comments[1:], strict=False)):
        text += f'{comment}[[runs]] # row {table.runs[number].run}\n{block.rstrip()}\nnote = "note {table.runs[number].run}"\n{comment}'
    return text.encode()


@given(RUNS, RUNS, COMMENTS, NAMES)
def test_a_run_table_edited_by_hand_keeps_its_comments_and_notes(
    before: tuple[Run, ...], after: tuple[Run, ...], comments: list[str], instrument: str
) -> None:
    previous = by_hand(RunTable("mfx1", "MFX", before), comments)
    table = RunTable("mfx1", instrument, after)
    data = runs_toml.encode(table, previous)
    assert runs_toml.decode(data, "mfx1") == table
    for run in before:
        stays = run.run in {other.run for other in after}
        assert (f"[[runs]] # row {run.run}\n" in data.decode()) is stays
        assert (f'note = "note {run.run}"\n' in data.decode()) is stays
    assert runs_toml.encode(table, data) == data, "a table that does not change is not written differently"


@given(RUNS, COMMENTS)
def test_a_run_table_that_does_not_change_stays_byte_for_byte(runs: tuple[Run, ...], comments: list[str]) -> None:
    table = RunTable("mfx1", "MFX", runs)
    previous = by_hand(table, comments)
    assert runs_toml.encode(table, previous).rstrip() == previous.rstrip()


SOURCES = st.lists(
    st.sampled_from(
        ["longname = 'x' # c\n", "[parameters]\n", "[parameters.a]\n", "b = 1\n", "b.c = 2\n", "parameters.z = {q = 1}\n", "[other]\n",
         "[[other.rows]]\n", "# comment\n", "\n", "segments = [ # c\n 'a', # d\n]\n", "'b' = 3 # e\n", "[parameters.'x y']\n", "d = 2026-01-01\n",
         "[[parameters.rows]]\n", "\r\n", "e = '''\n[parameters]\n'''\n", "[parameters.a.f]\n", "f.g.h = 1\n"]
    ),
    max_size=9,
).map("".join)  # fmt: skip


@settings(max_examples=300)
@given(SOURCES, PARAMETERS, NAMES)
def test_a_record_written_in_any_way_by_hand_becomes_what_is_meant(
    source: str, parameters: dict[str, Any], longname: str
) -> None:
    previous = source.encode()
    try:
        record = detector_toml.decode(previous, DETECTOR)
    except InvalidDocumentError:
        return
    unknown = {key: value for key, value in toml_document.read(previous, "").values.items() if key not in
               {"longname", "segments", "parameters"}}  # fmt: skip
    if all(toml_document.read(previous, "").values.values()):  # what says nothing is left out
        assert detector_toml.encode(record, previous) == previous
    for wanted in (parameters, {**record.parameters, **parameters}, {"b": 2}, {}):
        data = detector_toml.encode(Detector(DETECTOR, longname, ("a",), parameters=wanted), previous)
        again = detector_toml.decode(data, DETECTOR)
        assert (again.longname, again.segments) == (longname, ("a",))
        assert exact(again.parameters) == exact(wanted)
        values = toml_document.read(data, "").values
        assert {key: str(values[key]) for key in unknown} == {key: str(value) for key, value in unknown.items()} or any(
            isinstance(value, dict | list) for value in unknown.values()
        )


# --- any bytes ------------------------------------------------------------------------------------------------

LINES = st.lists(
    st.builds(
        "{} = {}\n".format,
        st.sampled_from(
            ["dtype", "shape", "dims", "unit", "locked", "run", "begin", "end", "kind", "reason", "alias", "detector", "format", "name",
             "origin", "provenance", "parameters", "runs", "aliases", "required", "gate", "max_factor", "inputs", "size", "path"]
        ),
        st.sampled_from(
            ["1", "-1", "0", "1.5", "nan", '"x"', '"a-1"', '"dark"', "true", "[]", "[1]", '["a"]', "{}", "[{}]", "2026-01-01", "'''x'''",
             str(2**63), "0x" + "f" * 40, '{a = {b = "c"}}', "[[1], [2]]"]
        ),
    )
    | st.sampled_from(
        ["[origin]\n", "[provenance]\n", "[[provenance.inputs]]\n", "[parameters]\n", "[[runs]]\n", "[[aliases]]\n", "[required]\n", "[gate]\n",
         "[gate.pedestals]\n", "# x\n"]
    ),
    max_size=6,
).map("".join)  # fmt: skip
DOCUMENTS = (
    LINES.map(str.encode) | st.binary(max_size=60) | st.text(max_size=60).map(lambda t: t.encode(errors="replace"))
)


@pytest.mark.parametrize(
    "decode",
    [
        lambda data: meta_toml.decode(data, PATH),
        lambda data: meta_toml.decode(b'dtype = "float32"\n' + data, PATH),
        lambda data: detector_toml.decode(data, DETECTOR),
        lambda data: aliases_toml.decode(data, "jungfrau"),
        lambda data: runs_toml.decode(data, "mfx1"),
        repository_toml.decode,
        lambda data: repository_toml.decode(b"format = 1\n" + data),
    ],
    ids=["meta", "meta with a dtype", "detector", "aliases", "runs", "repository", "repository with a format"],
)
@given(DOCUMENTS)
def test_any_bytes_are_a_document_or_refused(decode: Callable[[bytes], object], data: bytes) -> None:
    try:
        decode(data)
    except (InvalidDocumentError, UnsupportedFormatError) as error:
        told = str(error)
    else:
        told = "sound"
    assert told


@given(st.lists(st.tuples(TEXT, TEXT), max_size=4))
def test_any_assignment_becomes_a_parameter_that_comes_back(pairs: list[tuple[str, str]]) -> None:
    given = [f"{key.replace('=', '')}x={text}" for key, text in pairs]
    parameters = toml_document.parse_assignments(given)
    if any(isinstance(value, float) and math.isnan(value) for value in parameters.values()):
        return
    again = toml_document.read(toml_document.write({"parameters": parameters}), "").parameters()
    assert exact(again) == exact(parameters)
