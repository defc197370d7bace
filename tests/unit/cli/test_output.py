"""What goes to a terminal: nothing that somebody recorded makes it do anything."""

from __future__ import annotations

import pytest

from calibvcs.cli import output


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Dark run 12, µm\ttab\nline", "Dark run 12, µm\ttab\nline"),
        ("\033[1mhead\033[0m \033[31mred\033[0m", "\033[1mhead\033[0m \033[31mred\033[0m"),
        ("\033]0;title\007", "\\x1b]0;title\\x07"),
        ("\033[2J\033[1;1H", "\\x1b[2J\\x1b[1;1H"),
        ("good\rbad\b\x9b2J", "good\\rbad\\x08\\x9b2J"),
    ],
)
def test_control_characters_are_written_out(text: str, shown: str, capsys: pytest.CaptureFixture[str]) -> None:
    output.show(None, lambda _: [text], as_json_text=False)
    output.note(text)
    assert capsys.readouterr() == (f"{shown}\n", f"{shown}\n")
