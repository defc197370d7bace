"""Pages of Markdown, taken apart: what is shown as a session, what is a file, where links lead."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"

_ID = r"(?<=commit )[0-9a-f]{7,40}\b|(?<=blob )[0-9a-f]{7,40}\b|\b(?=[0-9]*[a-f])[0-9a-f]{7,64}\b"

PREPARE = "<!-- prepare"  # a comment of Markdown: no reader sees it, a test does what stands in it
_SIZE = r"[0-9.]+ (?:[kMG]?B|bytes)\b"
_VERSION = r"calibvcs [0-9]+\.[0-9]+\.[0-9]+"


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its lines, and the number of its first line, from 1."""

    language: str
    lines: tuple[str, ...]
    first: int


@dataclass(frozen=True)
class Step:
    """A command of a session and what is shown of its output; `first` and `last` are lines of the page, from 1."""

    command: str
    shown: tuple[str, ...]
    first: int
    last: int

    def matches(self, printed: str) -> bool:
        """Return whether this was printed: ids may be others, and ``...`` stands for anything."""
        return re.fullmatch(self._pattern(), printed.rstrip("\n")) is not None

    def _pattern(self) -> str:
        lines = [_line_pattern(line) for line in self.shown]
        if not lines:
            return ""
        pattern = lines[0]
        for above, below in pairwise(lines):
            pattern += f"(?:\n{below})" if _ANYTHING not in (above, below) else f"\n?{below}"
        return pattern


_ANYTHING = r"[\s\S]*"


def _line_pattern(line: str) -> str:
    if line.strip() == "...":
        return _ANYTHING
    pattern, done = "", 0
    for found in re.finditer(rf"(?P<id>{_ID})|{_SIZE}|{_VERSION}|\.\.\.", line):
        pattern += re.escape(line[done : found.start()])
        known = (known for known in (_SIZE, _VERSION) if re.fullmatch(known, found[0]))
        pattern += f"[0-9a-f]{{{len(found[0])}}}" if found["id"] else next(known, ".*")
        done = found.end()
    return pattern + re.escape(line[done:])


def blocks(text: str) -> Iterator[Block]:
    """Yield the fenced blocks of a page, and the comments that prepare them."""
    language, first, kept, fence = "", 0, [], ""
    for number, line in enumerate(text.splitlines(), 1):
        opened = re.match(r"(`{3,})(\S*)", line)
        if not fence and line == PREPARE:
            fence, language, first, kept = "-->", "prepare", number + 1, []
        elif not fence and opened:
            fence, language, first, kept = opened[1], opened[2], number + 1, []
        elif fence and line.rstrip() == fence:
            yield Block(language, tuple(kept), first)
            fence = ""
        elif fence:
            kept.append(line)


def steps(block: Block) -> list[Step]:
    """Return the commands of a block ``console``; a backslash at the end of a line continues the command."""
    found: list[Step] = []
    number = 0
    while number < len(block.lines):
        first = number
        assert block.lines[first].startswith("$ "), f"line {block.first + first} is output of nothing"
        command = [block.lines[number][2:]]
        while command[-1].endswith("\\"):
            number += 1
            command.append(block.lines[number])
        number += 1
        begin = number
        while number < len(block.lines) and not block.lines[number].startswith("$ "):
            number += 1
        shown = block.lines[begin:number]
        found.append(Step("\n".join(command), shown, block.first + begin, block.first + number))
    return found


def prose(text: str) -> str:
    """Return a page without what is inside fences and code spans."""
    outside, fence = [], ""
    for line in text.splitlines():
        opened = re.match(r"`{3,}", line)
        if opened and not fence:
            fence = opened[0]
        elif fence:
            fence = "" if line.rstrip() == fence else fence
        else:
            outside.append(line)
    return re.sub(r"`[^`\n]*`", "code", "\n".join(outside))


def links(text: str) -> list[str]:
    """Return where the links and images of a page lead."""
    return re.findall(r"\]\(([^)\s]+)\)", prose(text))


def anchors(text: str) -> set[str]:
    """Return the anchors of a page, made from its headings as Git hosts make them."""
    found: set[str] = set()
    fence = ""
    for line in text.splitlines():
        opened = re.match(r"`{3,}", line)
        if opened and not fence:
            fence = opened[0]
        elif fence:
            fence = "" if line.rstrip() == fence else fence
        elif heading := re.match(r"#{1,6} +(.*?) *$", line):
            words = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading[1]).lower()
            plain = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
            number = 0
            while (anchor := f"{plain}-{number}" if number else plain) in found:
                number += 1
            found.add(anchor)
    return found
