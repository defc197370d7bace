"""The message of a merge: what was merged, and how conflicts were settled; in words, and in trailers for machines."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from calibvcs.model.commits import Message

if TYPE_CHECKING:
    from calibvcs.model.three_way import Settled
    from calibvcs.ops.merges.merging import Merged

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def merge_message(merged: Merged, name: str, comment: str = "") -> str:
    """Return the text of the commit that a merge becomes.

    The trailers are ``Calibvcs-Action: merge``, ``Calibvcs-Merged`` with the id of the commit that came in, and, for
    every conflict that was settled, ``Calibvcs-Settled`` with the side that was taken and the name of the matter.

    Parameters
    ----------
    merged : Merged
        The merge, without open conflicts.
    name : str
        What came in, as people call it: ``origin/main``, ``proposals/ada/front``.
    comment : str, optional
        Why, if there is more to say; its first line becomes the subject.

    Returns
    -------
    str
        Comment, what came in, trailers.

    Raises
    ------
    InvalidOptionError
        If the comment has control characters or lines that look like trailers of calibvcs.
    """
    words = [comment.strip() or f"Merge {_line(name)}", "", _counted(merged)]
    if merged.settled:
        words += ["", "Changed on both sides:", *map(_told, merged.settled)]
    trailers = ["Calibvcs-Action: merge", f"Calibvcs-Merged: {merged.theirs}"]
    trailers += [f"Calibvcs-Settled: {done.side} {_line(done.conflict.name)}" for done in merged.settled]
    return Message("\n".join(words)).encode() + "\n" + "\n".join(trailers) + "\n"


def _counted(merged: Merged) -> str:
    constants = sum(one.kind == "constant" for one in merged.taken)
    files = len(merged.taken) - constants
    counts = [f"{number} {what}{'s' * (number != 1)}" for number, what in ((constants, "constant"), (files, "file"))]
    return f"Taken from there: {' and '.join(count for count in counts if count[0] != '0') or 'nothing'}."


def _told(done: Settled) -> str:
    return (
        f"- {_line(done.conflict.name)}: {done.side} ({done.rule})"
        if done.rule.value != done.side.value
        else (f"- {_line(done.conflict.name)}: {done.side}")
    )


def _line(name: str) -> str:
    """Return a name on one line; a path made by hand may hold anything."""
    return _UNPRINTABLE.sub("?", name)
