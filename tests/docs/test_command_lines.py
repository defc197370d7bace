"""Every command line that any page shows has verbs, arguments and options that the program knows."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from calibvcs.cli.app import build
from calibvcs.cli.several_values import spread
from tests.docs import pages

_LANGUAGES = {"console", "sh"}


def _command_lines(page: Path) -> Iterator[tuple[int, str]]:
    for block in pages.blocks(page.read_text()):
        if block.language not in _LANGUAGES:
            continue
        text = "\n".join(block.lines).replace("\\\n", " ")
        for number, line in enumerate(text.split("\n")):
            if block.language == "sh" or line.startswith("$ "):
                yield block.first + number, line.removeprefix("$ ")


def _calls(line: str) -> Iterator[list[str]]:
    """Yield the arguments of each call of calibvcs in a line of a shell."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words: list[str] = []
    for word in [*lexer, ";"]:
        if not set(word) <= set(";|&<>()"):
            words.append(word)
            continue
        while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
            del words[0]
        if words and words[0] == "calibvcs":
            yield words[1:]
        words = []


CALLS = [
    pytest.param(arguments, id=f"{page.relative_to(pages.ROOT)}:{number}")
    for page in [pages.ROOT / "README.md", *sorted(pages.DOCS.rglob("*.md"))]
    for number, line in _command_lines(page)
    for arguments in _calls(line)
]


@pytest.mark.parametrize("arguments", CALLS)
def test_known(arguments: list[str]) -> None:
    if arguments in (["--help"], ["--version"]):
        return
    arguments = spread(arguments)
    command = typer.main.get_command(build(arguments))
    while inner := getattr(command, "commands", None):
        assert arguments, "a verb is missing"
        assert arguments[0] in inner, f"there is no verb {arguments[0]}"
        command, arguments = inner[arguments[0]], arguments[1:]
    command.make_context("calibvcs", list(arguments))  # raises for options and arguments that do not exist


def test_calls_are_found() -> None:
    line = "A=1 calibvcs get x | head && echo calibvcs no; calibvcs ls > 'a b' # calibvcs no"
    assert list(_calls(line)) == [["get", "x"], ["ls"]]
    assert len(CALLS) > 100
