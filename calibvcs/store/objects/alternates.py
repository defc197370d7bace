"""Borrowed objects: the object folders of other repositories that one names in ``info/alternates``."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_DEEPEST = 5
_LARGEST = 1 << 20
_ESCAPE = re.compile(rb'\\([0-7]{3}|[abfnrtv"\\])')
_ESCAPED = dict(zip(b'abfnrtv"\\', b'\a\b\f\n\r\t\v"\\', strict=True))


def alternates(objects: Path) -> tuple[Path, ...]:
    """Return the object folders that one borrows from, and those that they borrow from, nearest first.

    As with Git, what does not exist is passed over, a folder that was named before too (loops are harmless), and more
    than five steps away nothing is borrowed.

    Parameters
    ----------
    objects : Path
        The ``objects`` folder of a repository.

    Returns
    -------
    tuple of Path
        Each folder once, without `objects` itself.
    """
    seen = {os.path.realpath(objects)}
    found: list[Path] = []
    level = [objects]
    for _ in range(_DEEPEST):
        level = [folder for above in level for folder in _named(above)]
        new = []
        for folder in level:
            real = os.path.realpath(folder)
            if real not in seen and os.path.isdir(folder):  # noqa: PTH112 - no name makes it fail
                seen.add(real)
                new.append(folder)
        found += new
        level = new
    return tuple(found)


def file_of(objects: Path) -> Path:
    """Return the file that names the alternates of an object folder."""
    return objects / "info" / "alternates"


def _named(objects: Path) -> Iterator[Path]:
    try:
        with file_of(objects).open("rb") as file:
            lines = file.read(_LARGEST).split(b"\n")
    except OSError:
        return
    for line in lines:
        name = _unquoted(line[1:-1]) if line.startswith(b'"') and line.endswith(b'"') and len(line) > 1 else line
        if name and not line.startswith(b"#") and b"\0" not in name:
            yield objects / Path(os.fsdecode(name))


def _unquoted(text: bytes) -> bytes:
    """Undo C's quotes, which Git puts around unusual names."""
    return _ESCAPE.sub(lambda found: bytes([_ESCAPED.get(found[1][0]) or int(found[1], 8) & 255]), text)
