"""``.calibvcs/repository.toml``: the file that makes a Git repository one of constants."""

import pytest

from calibvcs.errors import InvalidDocumentError, UnsupportedFormatError
from calibvcs.formats.toml import repository_toml
from calibvcs.model.repository import GateLimits, RepositorySettings

WHOLE = RepositorySettings(
    "lcls",
    {"jungfrau": ("pedestals", "pixel_gain"), "epix100": ("pedestals",)},
    {
        "pedestals": GateLimits(max_drift=0),
        "pixel_gain": GateLimits(max_factor=2.5),
        "parameters": GateLimits(1, 1, 0.5),
    },
)
FILE = """\
format = 1
name = "lcls"

[required]
jungfrau = ["pedestals", "pixel_gain"]
epix100 = ["pedestals"]

[gate.pedestals]
max_drift = 0

[gate.pixel_gain]
max_factor = 2.5

[gate.parameters]
max_drift = 1
max_factor = 1
max_changed_fraction = 0.5
"""


def test_the_file_reads_as_the_format_says() -> None:
    assert repository_toml.encode(WHOLE).decode() == FILE
    assert repository_toml.decode(FILE.encode()) == WHOLE


def test_a_format_is_all_that_has_to_be_there() -> None:
    assert repository_toml.decode(b"format = 1") == RepositorySettings("")
    assert repository_toml.encode(RepositorySettings("")) == b"format = 1\n"


@pytest.mark.parametrize(
    ("text", "given"),
    [
        ("", "missing"), ('name = "lcls"', "missing"), ("format = 2", "2"), ("format = 0", "0"), ("format = -1", "-1"),
        ('format = "1"', "'1'"), ("format = 1.0", "1.0"), ("format = true", "True"), ("format = [1]", "[1]"),
        ('format = 2\nname = 5\ngate = "new"', "2"),  # what a newer format means is not ours to judge
    ],
)  # fmt: skip
def test_another_format_is_not_supported(text: str, given: str) -> None:
    with pytest.raises(UnsupportedFormatError) as caught:
        repository_toml.decode(text.encode())
    assert (caught.value.given, caught.value.supported) == (given, 1)
    assert "upgrade" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("name = 5", "name is 5; expected is text"),
        ("required = []", "required is []; expected is a table"),
        ('[required]\njungfrau = "pedestals"', "required.jungfrau is 'pedestals'; expected is a list of text"),
        ("gate = 5", "gate is 5; expected is a table"),
        ("[gate]\npedestals = 5", "gate.pedestals is 5; expected is a table"),
        ('[gate.pedestals]\nmax_drift = "5"', "gate.pedestals.max_drift is '5'; expected is a finite number"),
        ("[gate.pedestals]\nmax_drift = true", "gate.pedestals.max_drift is True; expected is a finite number"),
        ("[gate.pedestals]\nmax_drift = nan", "gate.pedestals.max_drift is nan; expected is a finite number"),
        ("[gate.pedestals]\nmax_drift = -1", "gate.pedestals.max_drift is -1; expected is 0 or more"),
        ("[gate.pixel_gain]\nmax_factor = 0", "gate.pixel_gain.max_factor is 0; expected is 1 or more"),
        ("[gate.pixel_gain]\nmax_factor = 0.5", "gate.pixel_gain.max_factor is 0.5; expected is 1 or more"),
        (
            "[gate.pixel_status]\nmax_changed_fraction = 30",
            "gate.pixel_status.max_changed_fraction is 30; expected is a fraction",
        ),
    ],
)
def test_a_wrong_value_names_file_and_key(text: str, told: str) -> None:
    with pytest.raises(InvalidDocumentError) as caught:
        repository_toml.decode(f"format = 1\n{text}\n".encode())
    assert caught.value.path == ".calibvcs/repository.toml"
    assert caught.value.reason.startswith(told)


def test_what_is_no_toml_is_a_broken_document() -> None:
    for data in (b"format = ", b"\xff", b"format = 1\n" + b"x = " + b"[" * 10_000):
        with pytest.raises(InvalidDocumentError, match=r"\.calibvcs/repository\.toml"):
            repository_toml.decode(data)


def test_keys_of_others_are_passed_over() -> None:
    assert repository_toml.decode(b'format = 1\nmotto = "x"\n[gate.pedestals]\nmood = 1\n').gate == {
        "pedestals": GateLimits()
    }
