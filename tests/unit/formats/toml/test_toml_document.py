"""TOML: read with every type checked and every size bounded, written so that comments survive."""

import math
import time
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from calibvcs.errors import InvalidDocumentError, InvalidNameError, InvalidOptionError
from calibvcs.formats.toml import toml_document
from calibvcs.formats.toml.toml_document import SIZE_LIMIT, Table, parse_assignments, read, write


def table(text: str) -> Table:
    return read(text.encode(), "a/b.toml")


# --- reading --------------------------------------------------------------------------------------------------


def test_every_type_comes_as_itself() -> None:
    document = table(
        't = "x"\ni = 3\nf = 2.5\nb = true\nts = ["a"]\nis = [1, 2]\n[tab]\nk = "v"\n[[rows]]\nn = 1\n[[rows]]\nn = 2'
    )
    assert document.text("t") == "x"
    assert document.integer("i") == 3
    assert (document.number("f"), document.number("i")) == (2.5, 3)
    assert document.flag("b") is True
    assert document.texts("ts") == ("a",)
    assert document.integers("is") == (1, 2)
    assert document.table("tab").text("k") == "v"
    assert [row.integer("n") for row in document.tables("rows")] == [1, 2]
    assert list(document) == ["t", "i", "f", "b", "ts", "is", "tab", "rows"]
    assert document.raw("f") == 2.5
    assert document.raw("nothing") is None


def test_what_is_not_there_has_a_default() -> None:
    document = table("")
    assert document.text("k", "") == ""
    assert document.integer("k") is None
    assert document.integer("k", 5) == 5
    assert document.number("k") is None
    assert document.flag("k") is False
    assert document.texts("k") == ()
    assert document.integers("k") == ()
    assert document.tables("k") == ()
    assert list(document.table("k")) == []
    assert document.parameters() == {}


@pytest.mark.parametrize(
    ("method", "wrong", "expected"),
    [
        ("text", ["1", "true", "2026-01-01", '["a"]', "{}"], "text"),
        ("integer", ['"1"', "1.0", "true", "[1]", "2026-01-01"], "a whole number"),
        ("number", ['"1"', "true", "nan", "inf", "-inf", "[1]"], "a finite number"),
        ("flag", ["1", "0", '"true"', "[]"], "true or false"),
        ("texts", ['"a"', "[1]", '["a", 1]', "{}", "[[]]"], "a list of text"),
        ("integers", ["1", '["a"]', "[1, 1.0]", "[true]", "{}"], "a list of whole numbers"),
        ("table", ["1", "[]", '"x"', "[{}]"], "a table"),
        ("tables", ["1", "{}", "[1]", "[{}, 1]", '"x"'], "an array of tables"),
        ("parameters", ["1", "[]"], "a table"),
    ],
)
def test_a_wrong_type_names_file_key_value_and_what_is_expected(method: str, wrong: list[str], expected: str) -> None:
    for value in wrong:
        for head, key in (("", "key"), ("[outer]\n", "outer.key"), ("[[rows]]\n[[rows]]\n", "rows[1].key")):
            document = table(f"{head}key = {value}")
            inner = {"key": document, "outer.key": document.table("outer")}.get(key) or document.tables("rows")[1]
            with pytest.raises(InvalidDocumentError) as caught:
                getattr(inner, method)("key")
            assert caught.value.path == "a/b.toml"
            assert caught.value.reason.startswith(f"{key} is ")
            assert caught.value.reason.endswith(f"expected is {expected}")


def test_a_text_that_has_to_be_there_is_missed() -> None:
    with pytest.raises(InvalidDocumentError, match=r"a/b\.toml: outer\.key is missing; expected is text"):
        table("[outer]").table("outer").text("key")


def test_the_errors_of_the_model_name_file_and_key() -> None:
    def refuse(text: str) -> str:
        raise InvalidNameError("ctype", text, "a-z")

    with pytest.raises(InvalidDocumentError, match=r"a/b\.toml: key: 'X' is not a ctype"):
        table('key = "X"').parsed("key", refuse)


def test_a_long_value_is_shown_in_short() -> None:
    with pytest.raises(InvalidDocumentError) as caught:
        table(f'key = "{"x" * 100_000}"').integer("key")
    assert len(caught.value.problem) < 400


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xfe", b"key = \xe9", b'key = "\xed\xa0\x80"', b"\xef\xbb\xbfkey = 1", b"key", b"key =", b"= 1", b"key = 1\nkey = 2",
        b"[a]\n[a]", b"key = 01", b"key = 'x", b"\0", b"key = 1 2", b"<<<<<<< HEAD\nkey = 1\n=======\nkey = 2\n>>>>>>> theirs\n",
    ],
    ids=repr,
)  # fmt: skip
def test_what_is_no_toml_names_the_file(data: bytes) -> None:
    with pytest.raises(InvalidDocumentError, match=r"a/b\.toml: it is no valid TOML"):
        read(data, "a/b.toml")


def test_a_file_is_not_read_past_its_size_bound() -> None:
    assert list(read(b"#" * SIZE_LIMIT, "a/b.toml")) == []
    with pytest.raises(InvalidDocumentError, match=f"it has {SIZE_LIMIT + 1} bytes; at most {SIZE_LIMIT}"):
        read(b"#" * (SIZE_LIMIT + 1), "a/b.toml")


@pytest.mark.parametrize(
    "data",
    [
        b"key = " + b"[" * 100_000,
        b"key = " + b"[" * 100_000 + b"]" * 100_000,
        b"key = " + b"[" * 40 + b"]" * 40,
        b"key = " + b"{a = " * 50_000,
        b"key = " + b"{a = " * 40 + b"1" + b"}" * 40,
        b".".join([b"a"] * 1_000_000) + b" = 1",
        b" . ".join([b"a"] * 9) + b" = 1",
        b".".join([b'"\\""'] * 300_000) + b" = 1",
        b".".join([b"'a'"] * 300_000) + b" = 1",
        b"[" + b".".join([b"a"] * 1_000_000) + b"]",
        b"[[" + b".".join([b"a"] * 1_000_000) + b"]]",
        b"key = {" + b".".join([b"a"] * 1_000_000) + b" = 1}",
    ],
    ids=lambda data: f"{data[:12]!r} {len(data)}",
)
def test_a_nesting_bomb_is_refused_at_once(data: bytes) -> None:
    begin = time.process_time()
    with pytest.raises(InvalidDocumentError) as caught:
        read(data, "a/b.toml")
    assert "deep" in caught.value.reason or "parts" in caught.value.reason
    assert time.process_time() - begin < 5


@pytest.mark.parametrize(
    "text",
    [
        'key = "a.b.c.d.e.f.g.h.i.j.k"',
        "key = 'run.0001.2026.01.01.12.00.00.xtc2.copy'",
        "# a.b.c.d.e.f.g.h.i.j.k\n",
        '# "\na.b = 1\n# ".a.b.c.d.e.f.g.h.i.j.k\n',
        'key = """\na.b.c.d.e.f.g.h.i.j.k = 1\n"""',
        "a.b.c.d.e.f.g.h = 1",
        f"key = [{', '.join(['1.5'] * 1000)}]",
    ],
)
def test_dots_in_text_are_no_nesting(text: str) -> None:
    assert len(list(table(text))) <= 1


@pytest.mark.parametrize(
    "number", ["9" * 5000, "0x" + "f" * 5000, "-" + "9" * 5000, "0o" + "7" * 100, str(2**64), str(-(2**64))]
)
def test_a_number_of_any_length_does_no_harm(number: str) -> None:
    for text in (f"key = {number}", f"key = [{number}]", f"[parameters]\nkey = {{x = {number}}}"):
        with pytest.raises(InvalidDocumentError) as caught:
            table(text)
        assert len(caught.value.problem) < 400


def test_numbers_of_64_bits_are_read() -> None:
    assert table(f"a = {2**64 - 1}").integer("a") == 2**64 - 1
    assert table(f"a = {-(2**63)}").integer("a") == -(2**63)


def test_dates_among_parameters_become_text() -> None:
    document = table(
        "[parameters]\nday = 2026-01-01\nat = 2026-01-01T12:00:00Z\nlocal = 12:30:00\nlist = [2026-01-01]\n"
        "table = {day = 2026-01-01}"
    )
    assert document.parameters() == {
        "day": "2026-01-01", "at": "2026-01-01T12:00:00+00:00", "local": "12:30:00", "list": ["2026-01-01"],
        "table": {"day": "2026-01-01"},
    }  # fmt: skip


# --- writing --------------------------------------------------------------------------------------------------

PARAMETERS: dict[str, Any] = {
    "no": False, "yes": True, "zero": 0, "zero float": 0.0, "minus zero": -0.0, "empty": "", "nothing": [], "void": {}, "one": 1,
    "one float": 1.0, "large": 2**64 - 1, "small": -(2**63), "tiny": 5e-324, "huge": 1.7976931348623157e308, "infinite": math.inf,
    "list": [1, 2.5, "x", True, []], "table": {"a": {"b": {"c": [0, ""]}}}, "rows": [{"x": 1}, {"x": 2}], "mixed": [1, {"x": [{}]}],
    "": "empty key", "a.b": "dot", 'quo"te': "'''", "new\nline": 'line\nline\r\n\t"""\\', "ü": "\u00b5m \U0001f600", "control": "\0\x1b\x7f",
    "date": "2026-01-01", "number": "300", "flag": "true",
}  # fmt: skip


def test_parameters_survive_exactly() -> None:
    data = write({"longname": "x", "parameters": PARAMETERS})
    again = read(data, "a/b.toml").parameters()
    assert again == PARAMETERS
    assert {key: repr(value) for key, value in again.items()} == {key: repr(PARAMETERS[key]) for key in again}
    assert write({"longname": "x", "parameters": again}) == data


def test_what_is_no_number_survives_too() -> None:
    again = read(write({"parameters": {"x": math.nan}}), "").parameters()["x"]
    assert isinstance(again, float)
    assert math.isnan(again)


def test_what_says_nothing_is_left_out_but_zeros_are_kept() -> None:
    data = write(
        {
            "a": None,
            "b": "",
            "c": [],
            "d": {},
            "e": False,
            "f": 0,
            "g": 0.0,
            "h": {"i": None, "j": ""},
            "k": {"run": 0},
            "l": True,
        }
    )
    assert data == b"f = 0\ng = 0.0\nl = true\n\n[k]\nrun = 0\n"
    assert write({"a": None, "b": ""}) == b""


def test_a_table_that_is_called_parameters_elsewhere_is_no_free_table() -> None:
    assert (
        write({"gate": {"parameters": {"max_drift": 5, "max_factor": None}}}) == b"[gate.parameters]\nmax_drift = 5\n"
    )


@pytest.mark.parametrize(
    "value", [2**64, -(2**64), None, 1j, b"x", {1, 2}, {1: 2}, date(2026, 1, 1), np.float32(1.5), np.int64(3), np.ones(2), [None], {"x": None}],
    ids=repr,
)  # fmt: skip
def test_what_toml_does_not_know_is_refused_by_name(value: object) -> None:
    with pytest.raises(InvalidOptionError) as caught:
        write({"parameters": {"bias": value}})
    assert caught.value.problem.startswith("parameters.bias")
    assert "cannot be stored" in caught.value.problem


def test_what_would_not_be_read_again_is_not_written() -> None:
    deep: Any = 1
    for _ in range(40):
        deep = [deep]
    with pytest.raises(InvalidOptionError, match="32 deep"):
        write({"parameters": {"deep": deep}})
    with pytest.raises(InvalidOptionError, match=f"at most {SIZE_LIMIT}"):
        write({"parameters": {"long": "x" * SIZE_LIMIT}})
    cycle: list[Any] = []
    cycle.append(cycle)
    with pytest.raises(InvalidOptionError):
        write({"parameters": {"cycle": cycle}})


def test_numbers_of_numpy_that_are_python_numbers_too_are_stored_as_such() -> None:
    assert write({"parameters": {"bias": np.float64(300)}}) == b"[parameters]\nbias = 300.0\n"
    assert write({"list": (1, 2)}) == b"list = [1, 2]\n"


def test_what_utf8_cannot_hold_becomes_a_question_mark() -> None:
    assert write({"command": ["add", "dark\udcff.npy"], "x\ud800": 1}) == b'command = ["add", "dark?.npy"]\n"x?" = 1\n'


BY_HAND = """\
# This detector is on loan.
longname = "jf_1"  # as in the DAQ
note = "ask Philip"   # a key that the program does not know

segments = [
    "a",  # top
    "b",
]

# what the power supply says
[parameters]
bias = 300  # volts
# measured by hand
cooled = true
installed = 2026-01-01  # a date

[parameters.chiller]
t = 18  # degrees

[history]
owner = "ada"
"""
BY_HAND_VALUES: dict[str, Any] = {
    "longname": "jf_1", "segments": ["a", "b"], "successor": "",
    "parameters": {"bias": 300, "cooled": True, "installed": "2026-01-01", "chiller": {"t": 18}},
}  # fmt: skip


def test_a_document_that_does_not_change_stays_byte_for_byte() -> None:
    assert write(BY_HAND_VALUES, BY_HAND.encode()) == BY_HAND.encode()


def test_comments_order_and_unknown_keys_survive_a_rewrite() -> None:
    values = {
        **BY_HAND_VALUES,
        "longname": "jf_2",
        "parameters": {"bias": 310, "cooled": True, "installed": "2026-01-01", "chiller": {"t": 17}},
    }
    expected = BY_HAND.replace('"jf_1"', '"jf_2"').replace("300", "310").replace("t = 18", "t = 17")
    assert write(values, BY_HAND.encode()).decode() == expected


def test_only_what_was_taken_out_goes() -> None:
    data = write(
        {"longname": "jf_1", "segments": [], "successor": "jungfrau-2", "parameters": {"bias": 300}}, BY_HAND.encode()
    )
    again = read(data, "")
    assert again.values == {
        "longname": "jf_1", "note": "ask Philip", "successor": "jungfrau-2", "parameters": {"bias": 300}, "history": {"owner": "ada"},
    }  # fmt: skip
    for comment in ("on loan", "as in the DAQ", "does not know", "power supply", "volts"):
        assert f"{comment}".encode() in data


@pytest.mark.parametrize(
    ("old", "new"), [(1, True), (1, 1.0), (True, 1), (0, False), (1.0, 1), (0.0, -0.0), ("1", 1), ([1], [1.0])]
)
def test_a_change_of_type_alone_is_written(old: object, new: object) -> None:
    data = write({"parameters": {"x": new}}, write({"parameters": {"x": old}}))
    assert repr(read(data, "").parameters()["x"]) == repr(new)


RUNS = """\
instrument = "MFX"

# The night of the power cut.

# before it
[[runs]]
run = 1
kind = "dark"  # shutter closed

# behind it
[[runs]]
run = 3
kind = "data"
operator = "ada"  # a key that the program does not know
# to be continued
"""


def rows(*given: tuple[int, str, int | None]) -> dict[str, Any]:
    return {"instrument": "MFX", "runs": [{"run": run, "kind": kind, "begin": begin} for run, kind, begin in given]}


def test_rows_that_do_not_change_stay_byte_for_byte() -> None:
    assert write(rows((1, "dark", None), (3, "data", None)), RUNS.encode()) == RUNS.encode()


def test_a_row_at_the_end_leaves_all_comments() -> None:
    data = write(rows((1, "dark", None), (3, "data", None), (4, "data", 9)), RUNS.encode()).decode()
    assert data == RUNS + '\n[[runs]]\nrun = 4\nkind = "data"\nbegin = 9\n'


def test_a_row_in_between_does_not_come_between_a_row_and_its_comment() -> None:
    data = write(rows((1, "dark", None), (2, "data", 5), (3, "data", None)), RUNS.encode()).decode()
    added = '[[runs]]\nrun = 2\nkind = "data"\nbegin = 5\n'
    assert data.replace(added, "").replace("\n\n\n", "\n\n").split() == RUNS.split()
    assert data.index("shutter closed") < data.index("run = 2") < data.index("# behind it") < data.index("run = 3")


def test_a_row_that_changes_keeps_its_comments_and_unknown_keys() -> None:
    data = write(rows((1, "flat", 7), (3, "data", None)), RUNS.encode()).decode()
    assert data == RUNS.replace('"dark"  # shutter closed\n', '"flat"  # shutter closed\nbegin = 7\n')
    again = read(write(rows((3, "dark", None)), RUNS.encode()), "").values
    assert again["runs"] == [{"run": 3, "kind": "dark", "operator": "ada"}]


def test_a_row_that_goes_takes_its_own_comment_with_it() -> None:
    data = write(rows((3, "data", None)), RUNS.encode()).decode()
    assert "power cut" in data
    assert "behind it" in data
    assert "before it" not in data
    assert "shutter" not in data
    assert write(rows(), RUNS.encode()).decode().strip() == 'instrument = "MFX"\n\n# The night of the power cut.'


def test_rows_may_be_put_in_order() -> None:
    swapped = write(rows((3, "data", None), (1, "dark", None)), RUNS.encode())
    assert [row["run"] for row in read(swapped, "").values["runs"]] == [3, 1]
    assert b"shutter closed" in swapped


@pytest.mark.parametrize(
    "previous",
    [
        'runs = [{run = 1, kind = "dark"}]  # in one line\n',
        '[[runs]]\nrun = 1\nkind = "dark"\n[extra]\nx = 1\n',
        "[extra]\nx = '''\n[[runs]]\n'''\n[[runs]]\nrun = 1\nkind = 'dark'\n",
        '[["runs"]]\nrun = 1\nkind = "dark"\n',
        '[[runs]]\r\nrun = 1\r\nkind = "dark" # x\r\n',
        '[[runs]]\nrun = 1\nkind = "dark"',
        "a.b = 1\na.c = 2\n[x]\n[a.d]\n[x.y]\n",
        "[parameters]\na.b = 1\n[x]\n[parameters.c]\nd = 1\n",
    ],
)
def test_any_way_to_write_it_by_hand_is_rewritten_to_what_is_meant(previous: str) -> None:
    values = {**rows((1, "dark", 5), (2, "data", None)), "parameters": {"c": {"d": 2}}}
    again = read(write(values, previous.encode()), "").values
    assert again["runs"] == [{"run": 1, "kind": "dark", "begin": 5}, {"run": 2, "kind": "data"}]
    assert again["parameters"] == {"c": {"d": 2}}
    assert again["instrument"] == "MFX"
    unknown = {key: value for key, value in table(previous).values.items() if key not in {"runs", "parameters"}}
    assert {key: again[key] for key in unknown} == unknown


def test_the_module_reads_without_the_library_that_writes() -> None:
    assert "tomlkit" not in Path(toml_document.__file__).read_text().partition("def write")[0]


# --- assignments ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "key", "value"),
    [
        ("bias=300", "bias", 300),
        ("bias=300.0", "bias", 300.0),
        (" bias = 300 ", "bias", 300),
        ('mode="low"', "mode", "low"),
        ("mode=low", "mode", "low"),
        ("mode=", "mode", ""),
        ("on=true", "on", True),
        ("on=True", "on", "True"),
        ("shape=[2, 3]", "shape", [2, 3]),
        ("t={a=1}", "t", {"a": 1}),
        ("serial=000003", "serial", "000003"),
        ("day=2026-01-01", "day", "2026-01-01"),
        ("a=b=c", "a", "b=c"),
        ("a.b=1", "a.b", 1),
        ("x=1\nother = 2", "x", "1\nother = 2"),
        ("x=1 # volts", "x", 1),
        ("x='", "x", "'"),
        (f"x={2**64}", "x", str(2**64)),
        (f"x={'9' * 5000}", "x", "9" * 5000),
        ("x=" + "[" * 5000, "x", "[" * 5000),
    ],
    ids=lambda given: str(given)[:20],
)
def test_an_assignment_is_a_toml_value_or_text(given: str, key: str, value: object) -> None:
    parameters = parse_assignments([given])
    assert list(parameters) == [key]
    assert repr(parameters[key]).strip() == repr(value)
    assert read(write({"parameters": parameters}), "").parameters() == parameters


@pytest.mark.parametrize("given", ["", "bias", "=300", " =300"])
def test_an_assignment_needs_a_key_and_a_value(given: str) -> None:
    with pytest.raises(InvalidOptionError, match="KEY=VALUE"):
        parse_assignments([given])


def test_the_last_assignment_of_a_key_counts() -> None:
    assert parse_assignments(["a=1", "b=2", "a=3"]) == {"a": 3, "b": 2}
