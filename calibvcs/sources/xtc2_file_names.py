"""What the names of XTC2 files say: ``{experiment}-r{run}-s{stream}-c{chunk}[.smd].xtc2``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

_NAME: Final = re.compile(
    r"(?P<experiment>.+)-r(?P<run>[0-9]{1,9})-s(?P<stream>[0-9]{1,5})-c(?P<chunk>[0-9]{1,5})(?P<small>\.smd)?\.xtc2"
)


@dataclass(frozen=True, slots=True)
class FileName:
    """What the name of an XTC2 file says: ``{experiment}-r{run}-s{stream}-c{chunk}[.smd].xtc2``. It is only a hint."""

    experiment: str
    run: int
    stream: int
    chunk: int
    small: bool


def parse_file_name(name: str) -> FileName | None:
    """Return what a file name says, or None if it is not of this form."""
    match = _NAME.fullmatch(name)
    if not match:
        return None
    run, stream, chunk = (int(match[part]) for part in ("run", "stream", "chunk"))
    return FileName(match["experiment"], run, stream, chunk, match["small"] is not None)


def chunk_beside(path: Path, chunk: int) -> Path | None:
    """Return the path of another chunk of the same stream, there or not; None if the name has no chunk."""
    if parse_file_name(path.name) is None:
        return None
    head, _, tail = path.name.rpartition("-c")
    digits = tail.partition(".")[0]
    return path.with_name(f"{head}-c{chunk:0{len(digits)}d}{tail[len(digits) :]}")
