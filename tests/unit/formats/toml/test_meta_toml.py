"""``meta.toml``: what stands beside the data of a constant."""

import pytest

from calibvcs.errors import InvalidDocumentError, InvalidOptionError
from calibvcs.formats.toml import meta_toml
from calibvcs.model.metadata import InputFile, Metadata, Origin, Provenance

PATH = "jungfrau/jungfrau-000003/pedestals/0-end/meta.toml"
WHOLE = Metadata(
    dtype="float32",
    shape=(3, 8, 512, 1024),
    dims=("gain", "segment", "row", "column"),
    unit="ADU",
    convention="subtract",
    origin=Origin("mfx101332224", 0, 9, "jf4m"),
    provenance=Provenance(
        ("calibvcs", "add", "dark.npy"), "calibvcs 0.1", "grace", "psana1", (InputFile("dark.npy", 0, "e3b0"), InputFile("b", 5, ""))
    ),
    parameters={"bias": 300, "cooled": False, "note": "", "offset": 0, "list": [], "table": {"a": {"b": [1.0]}}},
    locked=True,
    lock_reason="validated",
    withdrawn=True,
    withdrawn_reason="light leak",
)  # fmt: skip


def test_the_file_reads_as_the_format_says() -> None:
    assert (
        meta_toml.encode(WHOLE).decode()
        == """\
dtype = "float32"
shape = [3, 8, 512, 1024]
dims = ["gain", "segment", "row", "column"]
unit = "ADU"
convention = "subtract"
locked = true
lock_reason = "validated"
withdrawn = true
withdrawn_reason = "light leak"

[origin]
experiment = "mfx101332224"
run = 0
run_end = 9
source = "jf4m"

[provenance]
command = ["calibvcs", "add", "dark.npy"]
software = "calibvcs 0.1"
user = "grace"
host = "psana1"

[[provenance.inputs]]
path = "dark.npy"
size = 0
sha256 = "e3b0"

[[provenance.inputs]]
path = "b"
size = 5
sha256 = ""

[parameters]
bias = 300
cooled = false
list = []
note = ""
offset = 0

[parameters.table.a]
b = [1.0]
"""
    )


@pytest.mark.parametrize(
    "metadata",
    [WHOLE, Metadata("text"), Metadata("float32", (2,)), Metadata("float64", (), ())],
    ids=["whole", "text", "1d", "0d"],
)
def test_metadata_come_back(metadata: Metadata) -> None:
    data = meta_toml.encode(metadata)
    assert meta_toml.decode(data, PATH) == metadata
    assert meta_toml.encode(meta_toml.decode(data, PATH)) == data


def test_the_order_of_parameters_makes_no_other_file() -> None:
    one = Metadata("text", parameters={"b": {"y": 1, "x": [{"q": 1, "p": 2}]}, "a": 2})
    two = Metadata("text", parameters={"a": 2, "b": {"x": [{"p": 2, "q": 1}], "y": 1}})
    assert one == two
    assert meta_toml.encode(one) == meta_toml.encode(two)


def test_what_is_not_said_is_not_written() -> None:
    assert meta_toml.encode(Metadata("text")) == b'dtype = "text"\n'
    assert meta_toml.encode(Metadata("float32", (2, 3))) == b'dtype = "float32"\nshape = [2, 3]\n'


def test_the_state_of_the_default_is_written_only_where_it_is_set() -> None:
    plain = Metadata("float32", (2,))
    assert b"locked" not in meta_toml.encode(plain)
    assert b"withdrawn" not in meta_toml.encode(plain)
    locked = meta_toml.decode(meta_toml.encode(plain.lock("validated")), PATH)
    assert (locked.locked, locked.lock_reason) == (True, "validated")
    assert meta_toml.encode(locked.unlock()) == meta_toml.encode(plain)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "dtype is missing"),
        ("dtype = 32", "dtype is 32"),
        ('dtype = "float32"\nshape = "3,2"', "shape is '3,2'"),
        ('dtype = "float32"\nshape = [3, 2.0]', "shape is [3, 2.0]"),
        ('dtype = "float32"\ndims = [1]', "dims is [1]"),
        ('dtype = "float32"\nunit = 5', "unit is 5"),
        ('dtype = "float32"\nlocked = "yes"', "locked is 'yes'"),
        ('dtype = "float32"\nwithdrawn = 1', "withdrawn is 1"),
        ('dtype = "float32"\nlock_reason = true', "lock_reason is True"),
        ('dtype = "float32"\norigin = "mfx1"', "origin is 'mfx1'"),
        ('dtype = "float32"\n[origin]\nrun = "7"', "origin.run is '7'"),
        ('dtype = "float32"\n[origin]\nexperiment = 7', "origin.experiment is 7"),
        ('dtype = "float32"\n[provenance]\ncommand = "add"', "provenance.command is 'add'"),
        ('dtype = "float32"\n[provenance]\ninputs = ["a"]', "provenance.inputs is ['a']"),
        ('dtype = "float32"\n[[provenance.inputs]]\nsize = 5', "provenance.inputs[0].path is missing"),
        (
            'dtype = "float32"\n[[provenance.inputs]]\npath = "a"\nsha256 = "0"\nsize = "5"',
            "provenance.inputs[0].size is '5'",
        ),
        ('dtype = "float32"\n[[provenance.inputs]]\npath = "a"\nsize = 5', "provenance.inputs[0].sha256 is missing"),
        ('dtype = "float32"\nparameters = [1]', "parameters is [1]"),
    ],
)
def test_a_wrong_type_names_file_and_key(text: str, told: str) -> None:
    with pytest.raises(InvalidDocumentError) as caught:
        meta_toml.decode(text.encode(), PATH)
    assert caught.value.path == PATH
    assert caught.value.reason.startswith(told)


def test_keys_of_a_newer_program_are_passed_over() -> None:
    assert meta_toml.decode(b'dtype = "text"\nmood = "good"\n[origin]\nweather = 1\n', PATH) == Metadata("text")


def test_parameters_that_cannot_be_stored_are_refused_before_anything_is_written() -> None:
    with pytest.raises(InvalidOptionError, match=r"parameters\.bias"):
        meta_toml.encode(Metadata("text", parameters={"bias": {1, 2}}))  # type: ignore[dict-item]


def test_the_bytes_of_a_file_name_do_not_break_the_file() -> None:
    metadata = Metadata("text", provenance=Provenance(("add", "dark\udcff.npy")))
    assert meta_toml.decode(meta_toml.encode(metadata), PATH).provenance.command == ("add", "dark?.npy")
