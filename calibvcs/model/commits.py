"""What a commit says: who, when, why; and the trailers that tell machines what it was."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from calibvcs.errors import CalibvcsError, EmptyCommentError, InvalidOptionError
from calibvcs.model.names import ConstantName

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    Signer: TypeAlias = Callable[[bytes], str]

_ACTION = "Calibvcs-Action"
_CONSTANT = "Calibvcs-Constant"
_RESTORED = "Calibvcs-Restored"
_FORCED = "Calibvcs-Forced"
_TRAILER = re.compile(r"([A-Za-z0-9-]+): (.*)")
# Only writers look for these two, so they are compiled when they are used.
_CONTROL = r"[\x00-\x08\x0b-\x1f\x7f-\x9f]|[\ud800-\udfff]"
_OWN_TRAILER = r"(?im)^Calibvcs-[a-z]+[ \t]*:"  # Git reads them in any case


class Action(StrEnum):
    """What a commit did."""

    INIT = "init"
    ADD = "add"
    RESTORE = "restore"
    WITHDRAW = "withdraw"
    LOCK = "lock"
    UNLOCK = "unlock"
    ALIAS = "alias"
    DETECTOR = "detector"
    RUN = "run"
    PARAM = "param"
    MERGE = "merge"


class Signature(NamedTuple):
    """A person at a time.

    Attributes
    ----------
    name, email : str
        The person.
    time : int
        UNIX seconds.
    offset : int
        Minutes east of UTC of the person's clock.
    """

    name: str
    email: str
    time: int
    offset: int = 0


class Message(NamedTuple):
    """The message of a commit.

    Attributes
    ----------
    comment : str
        Subject and body as the author wrote them.
    action : Action or None
        What it did; None for a commit made by hand.
    constants : tuple of ConstantName
        The constants it touched.
    restored : str
        For `Action.RESTORE`: the commit whose version became the default again.
    forced : str
        The reason that was given for passing the gate by force.
    """

    comment: str
    action: Action | None = None
    constants: tuple[ConstantName, ...] = ()
    restored: str = ""
    forced: str = ""

    @property
    def subject(self) -> str:
        """First line of the comment."""
        return self.comment.partition("\n")[0]

    @property
    def body(self) -> str:
        """What follows the subject."""
        return self.comment.partition("\n")[2].strip()

    def encode(self) -> str:
        """Return the text of the commit: comment, empty line, trailers.

        Raises
        ------
        EmptyCommentError
            If the comment is empty.
        InvalidOptionError
            If it has control characters or lines that look like calibvcs' own trailers.
        """
        comment = clean_comment(self.comment)
        trailers = [f"{_ACTION}: {self.action}"] if self.action else []
        trailers += [f"{_CONSTANT}: {constant}" for constant in self.constants]
        trailers += [f"{_RESTORED}: {self.restored}"] if self.restored else []
        trailers += [f"{_FORCED}: {' '.join(clean_comment(self.forced).split())}"] if self.forced else []
        return comment + "\n" + ("\n" + "\n".join(trailers) + "\n" if trailers else "")

    @classmethod
    def parse(cls, text: str) -> Message:
        """Read a commit message; one without calibvcs trailers is all comment."""
        text = text.replace("\r\n", "\n").rstrip("\n")
        head, _, last = text.rpartition("\n\n")
        found = [match.groups() for line in last.split("\n") if (match := _TRAILER.fullmatch(line))]
        values: dict[str, list[str]] = {}
        for key, value in found:
            values.setdefault(key, []).append(value)
        action = next((a for a in Action if a.value in values.get(_ACTION, ())), None)
        if not head or action is None:
            return cls(text)
        constants = tuple(c for name in values.get(_CONSTANT, ()) if (c := _constant(name)) is not None)
        restored, forced = (values.get(key, [""])[0] for key in (_RESTORED, _FORCED))
        return cls(head.rstrip("\n"), action, constants, restored, forced)


def clean_comment(comment: str) -> str:
    """Return a comment without trailing white space.

    Raises
    ------
    EmptyCommentError
        If nothing is left.
    InvalidOptionError
        If it has control characters or lines that look like calibvcs' own trailers.
    """
    cleaned = "\n".join(line.rstrip() for line in comment.replace("\r\n", "\n").strip().split("\n"))
    if not cleaned:
        raise EmptyCommentError
    if re.search(_CONTROL, cleaned):
        raise InvalidOptionError("comment", comment[:40], "UTF-8 text without control characters is allowed")
    if re.search(_OWN_TRAILER, cleaned):
        raise InvalidOptionError(
            "comment", comment[:40], "no line may begin like a trailer of calibvcs ('Calibvcs-...:')"
        )
    return cleaned


def _constant(name: str) -> ConstantName | None:
    try:
        return ConstantName.parse(name)
    except CalibvcsError:  # somebody edited the message by hand: verify tells, reading goes on
        return None


class Commit(NamedTuple):
    """One commit: a state of the whole repository and how it came about.

    Attributes
    ----------
    id : str
        Commit id, 40 hex digits.
    tree : str
        Id of its tree.
    parents : tuple of str
        Ids of the commits before it.
    author, committer : Signature
        Who made the change, and who wrote the commit.
    text : str
        The whole message.
    signature : str
        Its signature, not checked; empty where there is none.
    """

    id: str
    tree: str
    parents: tuple[str, ...]
    author: Signature
    committer: Signature
    text: str
    signature: str = ""

    @property
    def message(self) -> Message:
        """The message, read."""
        return Message.parse(self.text)


class Tag(NamedTuple):
    """A named, annotated, immutable mark on a commit.

    Attributes
    ----------
    name : str
        Name of the tag.
    commit : str
        Id of the commit it names.
    id : str
        Id of the tag object; of a lightweight tag that of the commit.
    tagger : Signature or None
        Who set it; None for a lightweight tag.
    text : str
        Its message.
    signature : str
        Its signature, not checked; empty where there is none.
    """

    name: str
    commit: str
    id: str
    tagger: Signature | None = None
    text: str = ""
    signature: str = ""


class Person(NamedTuple):
    """Who makes a change, and by which clock.

    Attributes
    ----------
    name, email : str
        The author.
    committer_name, committer_email : str
        Whose program writes the commit; usually the same.
    clock : callable
        Returns UNIX seconds and minutes east of UTC.
    author_date, committer_date : tuple or None
        Times that replace the clock's.
    signer : callable or None
        Returns the signature of the bytes of a commit or tag; None leaves them without one.
    """

    name: str
    email: str
    committer_name: str
    committer_email: str
    clock: Callable[[], tuple[int, int]]
    author_date: tuple[int, int] | None = None
    committer_date: tuple[int, int] | None = None
    signer: Signer | None = None

    def sign(self) -> tuple[Signature, Signature]:
        """Return the signatures of author and committer, as of now."""
        author = self.author_date or self.clock()
        committer = self.committer_date or self.clock()
        return (
            Signature(self.name, self.email, *author),
            Signature(self.committer_name, self.committer_email, *committer),
        )
