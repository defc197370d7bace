"""``experiments/<experiment>.toml``: the run table."""

import pytest

from calibvcs.errors import InvalidDocumentError
from calibvcs.formats.toml import runs_toml
from calibvcs.model.runs import Run, RunKind, RunReason, RunTable

EXPERIMENT = "mfx101332224"
TABLE = RunTable(
    EXPERIMENT,
    "MFX",
    (
        Run(0, RunKind.DATA),
        Run(7, RunKind.DARK, 0, 150, RunReason.POWER_CYCLED, "after the power cut"),
        Run(8, RunKind.CHARGE_INJECTION, 200, None, RunReason.OTHER),
    ),
)
FILE = """\
instrument = "MFX"

[[runs]]
run = 0
kind = "data"

[[runs]]
run = 7
kind = "dark"
begin = 0
end = 150
reason = "power-cycled"
comment = "after the power cut"

[[runs]]
run = 8
kind = "charge-injection"
begin = 200
reason = "other"
"""


def test_the_file_reads_as_the_format_says() -> None:
    assert runs_toml.encode(TABLE).decode() == FILE
    assert runs_toml.decode(FILE.encode(), EXPERIMENT) == TABLE


def test_an_empty_table_is_an_empty_file() -> None:
    assert runs_toml.encode(RunTable(EXPERIMENT)) == b""
    assert runs_toml.decode(b"", EXPERIMENT) == RunTable(EXPERIMENT)


def test_runs_are_ordered_by_number_whatever_the_order_of_the_file() -> None:
    head, *blocks = FILE.split("\n[[runs]]\n")
    text = "\n[[runs]]\n".join([head, *reversed(blocks)])
    assert runs_toml.decode(text.encode(), EXPERIMENT) == TABLE


def test_a_run_is_a_data_run_unless_it_says_otherwise() -> None:
    assert runs_toml.decode(b"[[runs]]\nrun = 5\n", EXPERIMENT).runs == (Run(5, RunKind.DATA),)


def test_comments_stay_with_their_runs() -> None:
    by_hand = "# Night shift.\n" + FILE.replace("end = 150", "end = 150  # by the logbook").replace(
        "[[runs]]\nrun = 8", "# slow panel\n[[runs]]\nrun = 8"
    )
    table = TABLE.marked(Run(9, RunKind.DATA, 900)).marked(Run(3, RunKind.FLAT, 5))
    data = runs_toml.encode(table, by_hand.encode())
    assert runs_toml.decode(data, EXPERIMENT) == table
    for kept in ("# Night shift.\n", "end = 150  # by the logbook\n", "# slow panel\n[[runs]]\nrun = 8\n"):
        assert kept in data.decode()
    assert runs_toml.encode(TABLE, by_hand.encode()) == by_hand.encode()


def test_a_run_that_is_marked_again_loses_what_is_no_longer_said() -> None:
    table = TABLE.marked(Run(7, RunKind.DATA, 0))
    assert runs_toml.decode(runs_toml.encode(table, FILE.encode()), EXPERIMENT) == table
    assert runs_toml.encode(table, FILE.encode()) == runs_toml.encode(table)


def test_the_last_run_can_be_taken_out() -> None:
    previous = b'# none yet\n\n[[runs]]\nrun = 1\nkind = "data"\n'
    assert runs_toml.encode(RunTable(EXPERIMENT), previous) == b"# none yet\n"


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("", "runs[1].run is None; expected is a run number"),
        ('run = "7"', "runs[1].run is '7'; expected is a whole number"),
        ("run = true", "runs[1].run is True; expected is a whole number"),
        ("run = -1", "runs[1].run is -1; expected is a run number"),
        ("run = 1", "runs[1].run is 1; expected is a run number that no other row has"),
        (
            'run = 7\nkind = "darkness"',
            "runs[1].kind is 'darkness'; expected is data or dark or flat or charge-injection",
        ),
        ('run = 7\nkind = ""', "runs[1].kind is ''; expected is data or"),
        ("run = 7\nkind = 1", "runs[1].kind is 1; expected is text"),
        ('run = 7\nreason = "bored"', "runs[1].reason is 'bored'; expected is power-cycled or"),
        ("run = 7\nreason = 1", "runs[1].reason is 1; expected is text"),
        ('run = 7\nbegin = "now"', "runs[1].begin is 'now'; expected is a whole number"),
        ("run = 7\nbegin = 2026-01-01T00:00:00Z", "runs[1].begin is datetime.datetime("),
        ("run = 7\nbegin = 1.5", "runs[1].begin is 1.5; expected is a whole number"),
        ("run = 7\nbegin = -1", "runs[1].begin is -1; expected is UNIX seconds from 0 to 4294967295"),
        ("run = 7\nend = 4294967296", "runs[1].end is 4294967296; expected is UNIX seconds"),
        ("run = 7\nbegin = 10\nend = 10", "runs[1].end is 10; expected is a time behind the begin of the run (10)"),
        ("run = 7\ncomment = []", "runs[1].comment is []; expected is text"),
    ],
)
def test_a_row_that_breaks_a_rule_names_file_row_and_key(row: str, told: str) -> None:
    with pytest.raises(InvalidDocumentError) as caught:
        runs_toml.decode(f"[[runs]]\nrun = 1\n[[runs]]\n{row}\n".encode(), EXPERIMENT)
    assert caught.value.path == "experiments/mfx101332224.toml"
    assert caught.value.reason.startswith(told)


@pytest.mark.parametrize(
    ("text", "told"), [("runs = 5", "runs is 5"), ("[runs]", "runs is {}"), ("instrument = 1", "instrument is 1")]
)
def test_a_wrong_type_names_file_and_key(text: str, told: str) -> None:
    with pytest.raises(InvalidDocumentError) as caught:
        runs_toml.decode(text.encode(), EXPERIMENT)
    assert caught.value.reason.startswith(told)
