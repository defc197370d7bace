"""``aliases.toml``: the dated names of the detectors of a type."""

import pytest

from calibvcs.errors import InvalidDocumentError
from calibvcs.formats.toml import aliases_toml
from calibvcs.model.aliases import Alias, add_alias
from calibvcs.model.names import DetectorName
from calibvcs.model.validity import Validity

ROWS = (
    Alias("back", DetectorName("epix100", "2"), Validity(0)),
    Alias("front", DetectorName("epix100", "1"), Validity(0, 10), "XppEpix"),
    Alias("front", DetectorName("epix100", "2"), Validity(10)),
)
FILE = """\
[[aliases]]
alias = "back"
detector = "epix100-2"
begin = 0

[[aliases]]
alias = "front"
detector = "epix100-1"
source = "XppEpix"
begin = 0
end = 10

[[aliases]]
alias = "front"
detector = "epix100-2"
begin = 10
"""


def test_the_file_reads_as_the_format_says() -> None:
    assert aliases_toml.encode(ROWS).decode() == FILE
    assert aliases_toml.decode(FILE.encode(), "epix100") == ROWS


def test_a_file_without_rows_has_none() -> None:
    assert aliases_toml.encode(()) == b""
    assert aliases_toml.decode(b"", "epix100") == ()
    assert aliases_toml.decode(b"# none yet\n", "epix100") == ()


def test_a_row_without_begin_is_valid_from_the_first_second() -> None:
    (row,) = aliases_toml.decode(b'[[aliases]]\nalias = "front"\ndetector = "epix100-1"\n', "epix100")
    assert row.validity == Validity(0)


def test_comments_stay_with_their_rows() -> None:
    by_hand = "# Cameras of hutch 3.\n\n" + FILE.replace("end = 10", "end = 10  # taken away").replace(
        '[[aliases]]\nalias = "back"', '# behind the sample\n[[aliases]]\nalias = "back"'
    )
    rows = add_alias(ROWS, Alias("aside", DetectorName("epix100", "3"), Validity(0)))
    rows = add_alias(rows, Alias("camera", DetectorName("epix100", "4"), Validity(0)))
    data = aliases_toml.encode(rows, by_hand.encode())
    assert aliases_toml.decode(data, "epix100") == rows
    text = data.decode()
    assert text.startswith('# Cameras of hutch 3.\n\n[[aliases]]\nalias = "aside"')
    assert '# behind the sample\n[[aliases]]\nalias = "back"' in text
    assert "end = 10  # taken away" in text
    assert aliases_toml.encode(ROWS, by_hand.encode()) == by_hand.encode()


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ('alias = "front"', "aliases[1].detector is missing"),
        ('detector = "epix100-1"', "aliases[1].alias is missing"),
        ('alias = "Front"\ndetector = "epix100-1"', "aliases[1].alias: 'Front' is not an alias"),
        ('alias = "front"\ndetector = "epix100"', "aliases[1].detector: 'epix100' is not a detector name"),
        ('alias = "front"\ndetector = 1', "aliases[1].detector is 1; expected is text"),
        (
            'alias = "front"\ndetector = "epix100-1"\nbegin = "now"',
            "aliases[1].begin is 'now'; expected is a whole number",
        ),
        ('alias = "front"\ndetector = "epix100-1"\nbegin = 1.0', "aliases[1].begin is 1.0; expected is a whole number"),
        ('alias = "front"\ndetector = "epix100-1"\nend = "end"', "aliases[1].end is 'end'; expected is a whole number"),
        ('alias = "front"\ndetector = "epix100-1"\nbegin = -5', "aliases[1].begin is -5"),
        ('alias = "front"\ndetector = "epix100-1"\nbegin = 10\nend = 10', "aliases[1].begin is 10"),
        ('alias = "front"\ndetector = "epix100-1"\nend = 4294967296', "aliases[1].begin is 0"),
        ('alias = "front"\ndetector = "epix100-1"\nsource = []', "aliases[1].source is []; expected is text"),
    ],
)
def test_a_row_that_breaks_a_rule_names_file_row_and_key(row: str, told: str) -> None:
    text = f'[[aliases]]\nalias = "back"\ndetector = "epix100-2"\n[[aliases]]\n{row}\n'
    with pytest.raises(InvalidDocumentError) as caught:
        aliases_toml.decode(text.encode(), "epix100")
    assert caught.value.path == "epix100/aliases.toml"
    assert caught.value.reason.startswith(told)


@pytest.mark.parametrize("text", ["aliases = 5", "[aliases]", 'aliases = ["front"]'])
def test_aliases_are_an_array_of_tables(text: str) -> None:
    with pytest.raises(InvalidDocumentError, match="an array of tables"):
        aliases_toml.decode(text.encode(), "epix100")
