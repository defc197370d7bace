"""A table of what the rules of access have to say: one expectation a line, ``USER VERB PATH BRANCH allow|deny``.

Blanks separate the columns. A path ``-`` is the whole repository. Empty lines, and all behind a ``#``, are passed over.
"""

from __future__ import annotations

from typing import NamedTuple

from calibvcs.errors import CalibvcsError, InvalidDataError
from calibvcs.model.access import Verb, parse_user

SIZE_LIMIT = 4 << 20
_COLUMNS = 5


class Expectation(NamedTuple):
    """One line: what the rules have to say to a question.

    Attributes
    ----------
    line : int
        Number of the line, 1 for the first.
    user, verb, path, branch : str
        The question.
    allowed : bool
        What has to be the answer.
    """

    line: int
    user: str
    verb: Verb
    path: str
    branch: str
    allowed: bool


def decode(data: bytes, source: str) -> tuple[Expectation, ...]:
    """Read a table.

    Parameters
    ----------
    data : bytes
        Content of the file.
    source : str
        What it is called in errors, usually the path.

    Returns
    -------
    tuple of Expectation
        One a line, in their order.

    Raises
    ------
    InvalidDataError
        If it is too large, not UTF-8, has no expectation at all, or a line is none; the line is named.
    """
    if len(data) > SIZE_LIMIT:
        raise _wrong(source, f"it has {len(data)} bytes; at most {SIZE_LIMIT} are read")
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise _wrong(source, "it is not UTF-8 text") from None
    found = []
    for number, line in enumerate(text.split("\n"), 1):
        columns = line.partition("#")[0].split()
        if columns:
            found.append(_expectation(number, columns, source))
    if not found:
        raise _wrong(source, "it expects nothing")
    return tuple(found)


def _expectation(number: int, columns: list[str], source: str) -> Expectation:
    if len(columns) != _COLUMNS:
        raise _wrong(source, f"line {number}: it has {len(columns)} columns; needed are {_COLUMNS}")
    user, verb, path, branch, answer = columns
    verbs = [each.value for each in Verb]
    if verb not in verbs:
        raise _wrong(source, f"line {number}: {verb!r} is no verb; verbs are {', '.join(verbs)}")
    if answer not in {"allow", "deny"}:
        raise _wrong(source, f"line {number}: {answer!r} is neither allow nor deny")
    try:
        parse_user(user)
    except CalibvcsError as error:
        raise _wrong(source, f"line {number}: {error.problem}") from None
    return Expectation(number, user, Verb(verb), "" if path == "-" else path, branch, answer == "allow")


def _wrong(source: str, reason: str) -> InvalidDataError:
    return InvalidDataError(source, reason, "a line is USER VERB PATH BRANCH allow|deny")
