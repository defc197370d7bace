"""The log: one line each, and nothing about it can hurt the prefetcher."""

from __future__ import annotations

import io
import logging
import re
import sys
from pathlib import Path

import pytest

from calibvcs.errors import InvalidOptionError
from calibvcs.prefetch.log_lines import level_named, log, logging_to_stderr


def test_levels_have_names() -> None:
    assert level_named("debug") == logging.DEBUG
    assert level_named("WARNING") == logging.WARNING
    for wrong in ("", "LOUD", "NOTSET", "10"):
        with pytest.raises(InvalidOptionError, match="one of DEBUG, INFO, WARNING, ERROR"):
            level_named(wrong)


def test_a_record_is_one_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "logs" / "log"
    with logging_to_stderr(logging.INFO, file=file):
        log.warning("two\nlines")
        log.debug("not told")
    log.error("it is over")
    assert capsys.readouterr().err == "WARNING two; lines\n"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z WARNING two; lines\n", file.read_text())


def test_a_log_that_cannot_be_written_is_lost_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in the way").touch()
    with logging_to_stderr(logging.INFO, file=tmp_path / "in the way" / "log"):
        log.info("told all the same")
    assert capsys.readouterr().err == "INFO told all the same\n"
    gone = io.StringIO()
    monkeypatch.setattr(sys, "stderr", gone)
    with logging_to_stderr(logging.INFO, file=Path("/dev/full")):
        gone.close()
        log.info("nobody reads this")
