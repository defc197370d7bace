"""Run tables in files of their own."""

import pytest

from calibvcs.errors import InvalidDataError
from calibvcs.formats.calib import run_table_file
from calibvcs.model.runs import Run, RunKind


def test_reads_csv() -> None:
    text = "run, begin, end, comment\r\n2,2026-01-01T00:00:00Z,1767225700.5,x\r\n1,1767225000.9,\r\n3,,\r\n"
    table = run_table_file.decode(("\ufeff" + text).encode(), "runs.csv", "xpp1")
    assert table.experiment == "xpp1"
    assert table.runs == (
        Run(1, RunKind.DATA, 1767225000),
        Run(2, RunKind.DATA, 1767225600, 1767225701),
        Run(3, RunKind.DATA),
    )


def test_reads_toml() -> None:
    table = run_table_file.decode(b'[[runs]]\nrun = 7\nkind = "data"\nbegin = 100\nend = 200\n', "runs.toml", "")
    assert table.runs == (Run(7, RunKind.DATA, 100, 200),)


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"run,begin\n1,yesterday\n", "line 2: time 'yesterday'"),
        (b"run,begin\n1,xpp1:3\n", "is no time"),
        (b"run,begin\n1,now\n", "is no time"),
        (b"run,begin\n-1,5\n", "run '-1'"),
        (b"run,begin\n1,5\n1,6\n", "run 1 for the second time"),
        (b"run,begin,end\n1,5,5\n", "run 1 ends at 5"),
        (b"run,begin\n1,-5\n", "line 2"),
        (b"run,begin\n1,1e400\n", "line 2"),
        (b"run,end\n1,5\n", "neither CSV nor TOML"),
        (b"\xff", "not UTF-8"),
        (b"[[runs]]\nrun = 'x'\n", "neither CSV nor TOML"),
    ],
)
def test_refuses(data: bytes, found: str) -> None:
    with pytest.raises(InvalidDataError, match=found) as caught:
        run_table_file.decode(data, "runs", "")
    assert caught.value.source.startswith("runs")


def test_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_table_file, "_MOST_RUNS", 2)
    with pytest.raises(InvalidDataError, match="more than 2 runs"):
        run_table_file.decode(b"run,begin\n1,1\n2,2\n3,3\n", "runs", "")
    monkeypatch.setattr(run_table_file, "LARGEST_FILE", 10)
    with pytest.raises(InvalidDataError, match="allowed are 10"):
        run_table_file.decode(b"run,begin\n1,1\n", "runs", "")
    with pytest.raises(InvalidDataError):
        run_table_file.decode(b'run,begin\n"' + b"1\n" * 3, "runs", "")
