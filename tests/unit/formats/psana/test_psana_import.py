from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from calibvcs.errors import CalibvcsError, InvalidDataError, InvalidNameError
from calibvcs.formats.psana.psana_fields import LARGEST_ARRAY
from calibvcs.formats.psana.psana_import import PsanaDocument, decode_array, read_document, read_longnames

SHORT = "jungfrau_000003"


def fields(**changes: Any) -> dict[str, Any]:
    """Return a document as psana's tools write it; None takes a field away."""
    document: dict[str, Any] = {
        "_id": "67e412245d33c5d053195feb", "id_data": "67e41224ec457ad314a08cf6", "id_data_exp": 0, "id_doc_exp": 0,
        "detector": SHORT, "shortname": SHORT, "experiment": "mfx101332224", "run": 7, "run_end": "end",
        "ctype": "pedestals", "data_type": "ndarray", "data_dtype": "float32", "data_shape": "(3, 1, 4, 5)",
        "data_size": "60", "data_ndim": "4", "time_sec": 1743000050, "comment": "Dark run", "uid": "ghopper",
        "host": "psana01", "extpars": '{"command": "jungfrau_dark_proc -r 7"}', "version": "V2025-03-26",
    }  # fmt: skip
    return {key: value for key, value in (document | changes).items() if value is not None}


def read(**changes: Any) -> PsanaDocument:
    return read_document(fields(**changes), "cdb_mfx101332224", SHORT, "mfx101332224")


def test_a_document_as_psana_writes_it() -> None:
    document = read()
    assert str(document.detector) == "jungfrau-000003"
    assert (document.run, document.run_end, document.time) == (7, None, 1743000050)
    assert document.made == 0x67E41224
    assert document.form is not None
    assert (document.form.dtype, document.form.shape, document.form.size) == ("<f4", (3, 1, 4, 5), 240)
    assert document.author == ("ghopper", "ghopper@psana01")
    assert document.command == "jungfrau_dark_proc -r 7"
    assert document.comment == "Dark run"
    assert (document.details or {})["version"] == "V2025-03-26"


@pytest.mark.parametrize(
    ("given", "run_end"), [("end", None), (12, 12), ("12", 12), ("7", 7), (9999, None), ("9999", None)]
)
def test_last_run(given: object, run_end: int | None) -> None:
    assert read(run_end=given).run_end == run_end


# What psana ignores or fails on: it is passed over here.
@pytest.mark.parametrize("given", ["", "END", 10000, "10000", -1, 6, None, 7.5, True, [7], "0x7", "\uff17"])
def test_a_last_run_that_psana_never_chooses(given: object) -> None:
    with pytest.raises(InvalidDataError, match="run_end"):
        read(run_end=given)


@pytest.mark.parametrize("given", ["7", 7.0, True, -1, 10000, None, {"$gt": 0}, 10**400])
def test_a_first_run_that_is_no_whole_number(given: object) -> None:
    with pytest.raises(InvalidDataError, match="run is"):
        read(run=given)


@pytest.mark.parametrize(
    ("given", "shape"), [("(5,)", (5,)), ("(5)", (5,)), ("(3,1 , 2)", (3, 1, 2)), ("( 4, )", (4,))]
)
def test_shape(given: str, shape: tuple[int, ...]) -> None:
    form = read(data_shape=given).form
    assert form is not None
    assert form.shape == shape


@pytest.mark.parametrize(
    "given",
    [
        "__import__('os').system('touch pwned')", "(3, 1, 512, 1024)[0:1]", "(3*1,)", "3, 1", "(3, -1)", "()", "(,)",
        "(0, 4)", "(99999999999, 1)", "(2147483648, 2)", "(1," * 2000 + ")", "(\uff13,)", (3, 1), [3, 1], 3, None, "(1e3,)",
        "(3,\n1)", "(" + "1," * 33 + ")",
    ],
)  # fmt: skip
def test_a_shape_is_never_evaluated(given: object) -> None:
    with pytest.raises(InvalidDataError, match="data_shape"):
        read(data_shape=given)


@pytest.mark.parametrize(
    ("given", "dtype"),
    [("float32", "<f4"), ("<f4", "<f4"), (">f4", ">f4"), ("uint8", "|u1"), ("|u1", "|u1"), ("bool", "|b1")],
)
def test_dtype(given: str, dtype: str) -> None:
    form = read(data_dtype=given).form
    assert form is not None
    assert form.dtype == dtype


@pytest.mark.parametrize(
    "given", ["O", "|O", "object", "V8", "S4", "f16", "float128", "f4,f4", "<M8[s]", "", None, 4, "<f4 "]
)
def test_a_dtype_that_is_no_number(given: object) -> None:
    with pytest.raises(InvalidDataError, match="data_dtype"):
        read(data_dtype=given)


def test_a_pickle_is_passed_over() -> None:
    with pytest.raises(InvalidDataError, match="pickle, which is never loaded"):
        read(data_type="any")


@pytest.mark.parametrize("given", [None, "pickle", "json", 1, ["ndarray"]])
def test_another_kind_of_data(given: object) -> None:
    with pytest.raises(InvalidDataError, match="data_type"):
        read(data_type=given)


@pytest.mark.parametrize("key", ["_id", "id_data"])
@pytest.mark.parametrize(
    "given", [None, 7, "", "67e4", "../../etc/passwd" + "a" * 8, "67E412245D33C5D053195FEB", "g" * 24]
)
def test_ids(key: str, given: object) -> None:
    with pytest.raises(InvalidDataError, match=f"{key} is"):
        read(**{key: given})


@pytest.mark.parametrize("given", ["Pedestals", "../x", "a b", "con", "a" * 65])
def test_a_ctype_that_is_no_name(given: str) -> None:
    with pytest.raises(InvalidNameError):
        read(ctype=given)


def test_another_detector_than_the_collection() -> None:
    with pytest.raises(InvalidDataError, match="'jungfrau_000003', as the collection is called"):
        read(detector="jungfrau_000004")


def test_short_names_are_split_at_the_first_underscore() -> None:
    document = read_document(fields(detector="epix10ka_a_1"), "cdb_mfx", "epix10ka_a_1")
    assert str(document.detector) == "epix10ka-a_1"
    with pytest.raises(InvalidNameError):
        read_document(fields(detector="xtcav"), "cdb_mfx", "xtcav")


@pytest.mark.parametrize(
    "given", [None, 1_000_000_000, 0, -1, "1743000050", True, 2**40, float("nan"), float("inf"), 10**400]
)
def test_a_time_that_nobody_gave(given: object) -> None:
    assert read(time_sec=given).time is None


@pytest.mark.parametrize("given", ["no comment", "", "  ", None, 7, "undefined"])
def test_a_comment_that_says_nothing(given: object) -> None:
    assert read(comment=given).comment == ""


@pytest.mark.parametrize(("user", "host", "author"), [
    ("ghopper", "psana01", ("ghopper", "ghopper@psana01")),
    ("ghopper", None, ("ghopper", "ghopper@localhost")),
    ("ghopper", "a> b\n", ("ghopper", "ghopper@localhost")),
    ("a <b>\nc", "psana01", None),
    (None, "psana01", None),
    (["ghopper"], "psana01", None),
])  # fmt: skip
def test_authors(user: object, host: object, author: tuple[str, str] | None) -> None:
    assert read(uid=user, host=host).author == author


@pytest.mark.parametrize("given", ["{", "[" * 60000, "1", '{"command": 7}', None, "x" * 2_000_000])
def test_extended_parameters_that_are_none(given: object) -> None:
    assert read(extpars=given).command == ""


def test_text_that_utf8_cannot_say_is_replaced() -> None:
    document = read(comment="dark \ud800 run", iofname="\udfff", cwd="x" * 10**6)
    document.comment.encode()
    assert len(str((document.details or {})["cwd"])) == 4096


@pytest.mark.parametrize("key", ["id_doc_exp", "id_exp", "id_data_exp"])
@pytest.mark.parametrize(
    ("given", "copy_of"), [(0, ()), ("N/A", ()), ("a" * 24, ("a" * 24,)), (None, ()), ({}, ()), ("A" * 24, ())]
)
def test_copies(key: str, given: object, copy_of: tuple[str, ...]) -> None:
    assert read(**{key: given}).copy_of == copy_of


@pytest.mark.parametrize("dtype", ["<f4", ">f4", "uint64", "bool", "complex128"])
def test_data_are_read_bit_for_bit(dtype: str) -> None:
    values = np.arange(60).reshape(3, 1, 4, 5).astype(dtype)
    found = decode_array(values.tobytes(), read(data_dtype=dtype))
    assert found.dtype == values.dtype
    np.testing.assert_array_equal(found, values)


@pytest.mark.parametrize("size", [0, 239, 241])
def test_data_of_another_size(size: int) -> None:
    with pytest.raises(InvalidDataError, match="takes 240 bytes"):
        decode_array(b"\0" * size, read())


def test_arrays_have_a_limit() -> None:
    with pytest.raises(InvalidDataError, match=str(LARGEST_ARRAY)):
        read(data_shape="(3, 1000, 1000, 1000)")


def test_any_field_of_any_type_is_read_or_refused() -> None:
    odd = [None, True, -1, 10**30, 1.5, float("nan"), "", "\0", "x" * 5000, [], [[1]], {}, {"a": 1}, b"\x80\x04."]
    refused = 0
    for key in fields():
        for value in odd:
            try:
                read_document({**fields(), key: value}, "cdb_mfx101332224", SHORT)
            except CalibvcsError:
                refused += 1
    assert refused > 8 * len(odd)


def test_long_names() -> None:
    documents: list[object] = [
        {"short": SHORT, "long": "jungfrau_b", "time_sec": 20.0}, {"short": SHORT, "long": "jungfrau_a", "time_sec": 10},
        {"short": 7, "long": "x"}, {"short": "jungfrau_000009"}, "no document", {"short": "j_1", "long": "L", "time_sec": 10**400},
        {"short": "jungfrau_000008", "long": "x" * 5000},
    ]  # fmt: skip
    assert {short: long for short, (long, _) in read_longnames(documents, "cdb_detnames").items()} == {
        SHORT: "jungfrau_a", "j_1": "L",
    }  # fmt: skip
    assert read_longnames({"no": "list"}, "cdb_detnames") == {}
