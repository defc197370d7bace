"""HISTORY of a calib directory: one line a deployment, ``key:value`` pairs; and the times that LCLS' programs write.

Two flavours are read, ``file: copy_of: exp: run: app: user: host: cptime: zone: comment:`` and
``file: copy_of: ctype: user: host: cptime: cwd: cmt:``; the first one is written, with the offset in the time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from calibvcs.model.validity import TIME_LIMIT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import tzinfo

LARGEST_FILE: Final = 16 * 1024 * 1024
"""What lies behind these bytes is not looked at."""

_LONGEST_LINE: Final = 4000

_COMMENT: Final = re.compile(r"(?:^|\s)(?:comment|cmt):")
_KEY: Final = re.compile(r"(?:^|(?<=\s))(file|copy_of|exp|run|app|ctype|user|host|cptime|zone|cwd):")
_WRITTEN: Final = ("file", "copy_of", "exp", "run", "app", "user", "host", "cptime")
# What %Z of LCLS' programs gives; another one says no more than the zone that the reader assumes.
_OFFSETS: Final = {"UTC": "+0000", "GMT": "+0000", "PST": "-0800", "PDT": "-0700"}
_NOTHING: Final = frozenset({"", "N/A", "n/a", "None", "none"})
_STAMP: Final = re.compile(r"([0-9]{4})-?([0-9]{2})-?([0-9]{2})[-T_]?([0-9]{2}):?([0-9]{2}):?([0-9]{2})([+-][0-9]{4})?")


@dataclass(frozen=True, slots=True)
class Deployment:
    """One line of HISTORY.

    Attributes
    ----------
    fields : mapping of str to str
        Its pairs but for the comment, as written; empty ones and N/A are left out.
    comment : str
        Why, as the user wrote it.
    """

    fields: Mapping[str, str]
    comment: str = ""

    @property
    def file(self) -> str:
        """Name of the file that was deployed."""
        return self.fields.get("file", "")

    def time(self, zone: tzinfo) -> int | None:
        """Return when it was deployed, UNIX seconds; None where the line does not tell."""
        written, named = self.fields.get("cptime", ""), _OFFSETS.get(self.fields.get("zone", ""), "")
        found = parse_stamp(written + named, zone)
        return parse_stamp(written, zone) if found is None else found  # it may have its own offset


def decode(data: bytes) -> tuple[Deployment, ...]:
    """Read HISTORY.

    Parameters
    ----------
    data : bytes
        The file; what lies behind 16 MiB is not looked at.

    Returns
    -------
    tuple of Deployment
        The lines that name a file, in their order. Other lines, and those of more than 4000 characters, are left out.
    """
    lines = data[:LARGEST_FILE].decode(errors="replace").split("\n")
    found = (_deployment(line.strip()) for line in lines if len(line) <= _LONGEST_LINE)
    return tuple(deployment for deployment in found if deployment.file)


def encode(deployment: Deployment) -> str:
    """Return the line of a deployment, with its end; what it does not tell is written as N/A."""
    pairs = [f"{key}:{_word(deployment.fields.get(key, ''))}" for key in _WRITTEN]
    return " ".join([*pairs, f"comment:{_line(deployment.comment) or 'N/A'}"]) + "\n"


def parse_stamp(text: str, zone: tzinfo) -> int | None:
    """Return a time as LCLS' programs write it as UNIX seconds.

    Parameters
    ----------
    text : str
        ``2016-05-01T10:11:12``, ``2016-05-01-10:11:12`` or ``20160501101112``; an offset such as ``-0700`` may follow.
    zone : tzinfo
        Zone of the clock that wrote it, where no offset follows.

    Returns
    -------
    int or None
        UNIX seconds; None where the text is no time.
    """
    match = _STAMP.fullmatch(text)
    if match is None:
        return None
    try:
        when = datetime(*map(int, match.groups()[:6]), tzinfo=zone)  # type: ignore[misc, arg-type]
        if match[7]:
            offset = datetime.strptime(match[7], "%z").tzinfo
            when = when.replace(tzinfo=offset)
        seconds = int(when.timestamp())
    except (ValueError, OverflowError):
        return None
    return seconds if 0 <= seconds < TIME_LIMIT else None


def stamp(seconds: int) -> str:
    """Return UNIX seconds as HISTORY has times, in UTC and with its offset."""
    return datetime.fromtimestamp(seconds, tz=UTC).strftime("%Y-%m-%dT%H:%M:%S%z")


def _deployment(line: str) -> Deployment:
    comment = _COMMENT.search(line)
    head, said = (line[: comment.start()], line[comment.end() :]) if comment else (line, "")
    keys = list(_KEY.finditer(head))
    ends = [*(key.start() for key in keys), len(head)]
    fields: dict[str, str] = {}
    for key, end in zip(keys, ends[1:], strict=True):
        value = _line(head[key.end() : end])
        if value not in _NOTHING:
            fields.setdefault(key[1], value)
    text = _line(said)
    return Deployment(fields, "" if text in _NOTHING else text)


def _line(text: str) -> str:
    """Return text without white space around it and without control characters."""
    return "".join(letter if letter.isprintable() else " " for letter in text).strip()


def _word(text: str) -> str:
    return "_".join(_line(text).split()) or "N/A"
