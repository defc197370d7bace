"""The one tree of errors.

Every class names a kind of trouble that a caller can act upon; the exit code of the command line follows from the
branch it stands on (``docs/exit-codes.md``)::

    CalibvcsError
    ├── UsageError             2  InvalidNameError  InvalidTimeError  InvalidRangeError  InvalidOptionError
    │                             NoIdentityError
    ├── NotFoundError          3  NoRepositoryError  UnknownDetectorError  UnknownConstantError  NoValidConstantError
    │                             UnknownVersionError  UnknownRevisionError  UnknownRunError  UnknownTagError
    │                             MissingFileError
    ├── RefusedError           4  EmptyCommentError  InvalidDataError  GateRefusedError  LockedError  OverlapError
    ├── ConflictError          5  AlreadyExistsError  BranchMovedError  WriterBusyError  DirtyWorktreeError
    ├── AccessError            6  NotWritableError
    ├── BrokenRepositoryError  7  NotCalibvcsError  UnsupportedFormatError  InvalidDocumentError  DamagedObjectError
    │                             DamagedRepositoryError
    └── StorageError           9  the disk is full or fails

(8 is kept for the network.) A class states its text as two templates over its fields: ``says``, what was given and
what is allowed, and ``advises``, what to do next. Errors keep their fields and survive pickling.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterable

_SHOWN_NAMES = 5
_SHOWN_TEXT = 200


def nearest(given: str, known: Iterable[str]) -> tuple[str, ...]:
    """Return the known names that look most like the given one, best first."""
    return tuple(difflib.get_close_matches(given, sorted(set(known)), n=_SHOWN_NAMES, cutoff=0.5))


def _listed(names: tuple[Any, ...]) -> str:
    more = f" and {len(names) - _SHOWN_NAMES} more" if len(names) > _SHOWN_NAMES else ""
    return ", ".join(map(str, names[:_SHOWN_NAMES])) + more if names else "none"


def _rebuild(cls: type[CalibvcsError], state: dict[str, Any]) -> CalibvcsError:
    error = cls.__new__(cls)
    error.__dict__.update(state)
    return error


@dataclass(eq=False)
class CalibvcsError(Exception):
    """Trouble that has a name: what was given, what is allowed, what to do next."""

    exit_code: ClassVar[int] = 70
    says: ClassVar[str] = "calibvcs cannot do this"
    advises: ClassVar[str] = ""

    @property
    def problem(self) -> str:
        """What was given and what is allowed."""
        return self.says.format(**self._shown())

    @property
    def hint(self) -> str:
        """What to do next; may be empty."""
        return self.advises.format(**self._shown())

    def _shown(self) -> dict[str, Any]:
        """Return the fields as they are shown: lists and long text in short."""
        shown = {field.name: getattr(self, field.name) for field in fields(self)}
        for name, value in shown.items():
            if isinstance(value, tuple):
                shown[name] = _listed(value)
            elif isinstance(value, str) and name == "given" and len(value) > _SHOWN_TEXT:
                shown[name] = value[:_SHOWN_TEXT] + "..."
        return shown

    def __str__(self) -> str:
        return f"{self.problem}\n{self.hint}" if self.hint else self.problem

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), {field.name: getattr(self, field.name) for field in fields(self)})


# --- 2: the call itself is not understood ---------------------------------------------------------------------


class UsageError(CalibvcsError):
    """The call cannot be understood."""

    exit_code = 2


@dataclass(eq=False)
class InvalidNameError(UsageError):
    """A name breaks the grammar of names."""

    what: str
    given: str
    allowed: str
    suggestion: str = ""

    says = "{given!r} is not a {what}: allowed is {allowed}"

    @property
    def hint(self) -> str:
        """A name that would be allowed, or where the grammar stands."""
        grammar = "the grammar of names stands in docs/formats/repository-v1.md"
        return f"did you mean {self.suggestion!r}?" if self.suggestion else grammar


@dataclass(eq=False)
class InvalidTimeError(UsageError):
    """A time cannot be read, or lies outside what can be stored."""

    given: str
    reason: str = "it cannot be read as a time"

    says = "time {given!r}: {reason}"
    advises = (
        "give UNIX seconds (1767225600), ISO 8601 (2026-01-01T00:00:00Z; without a zone it is UTC), "
        "a 64-bit psana stamp, or EXPERIMENT:RUN; an open end is the word 'end'"
    )


@dataclass(eq=False)
class InvalidRangeError(UsageError):
    """A validity range is empty or runs backwards."""

    begin: int
    end: int

    says = "the range {begin}-{end} is empty: its begin must lie before its end (the end is not part of it)"
    advises = "exchange --begin and --end, or leave --end out for an open end"


@dataclass(eq=False)
class InvalidOptionError(UsageError):
    """An argument or option has a value that is not allowed, or does not go with another one."""

    option: str
    given: str
    allowed: str
    advice: str = ""

    advises = "{advice}"

    @property
    def problem(self) -> str:
        """What was given and what is allowed."""
        return f"{self.option} {self.given!r}: {self.allowed}" if self.given else f"{self.option}: {self.allowed}"


class NoIdentityError(UsageError):
    """Nobody has said who is the author of a change."""

    says = "no identity: every change carries the name and e-mail address of the person who made it"
    advises = (
        "git config --global user.name 'Your Name' && git config --global user.email you@example.org "
        "(or set GIT_AUTHOR_NAME and GIT_AUTHOR_EMAIL)"
    )


# --- 3: something that was named is not there -----------------------------------------------------------------


class NotFoundError(CalibvcsError):
    """Something that was named does not exist."""

    exit_code = 3


@dataclass(eq=False)
class NoRepositoryError(NotFoundError):
    """There is no Git repository where one was looked for."""

    path: str

    says = "no repository at or above {path!r}"
    advises = "name one with --repo PATH or CALIBVCS_REPO, or make one: calibvcs init PATH"


@dataclass(eq=False)
class UnknownDetectorError(NotFoundError):
    """No detector or alias of this name is in the repository."""

    given: str
    nearest: tuple[str, ...] = ()
    known: int = 0

    advises = "see calibvcs detector ls, or register it: calibvcs detector add DETNAME"

    @property
    def problem(self) -> str:
        """What was given, and what there is instead."""
        there = f"nearest: {_listed(self.nearest)}" if self.nearest else f"the repository knows {self.known} detectors"
        return f"unknown detector {self._shown()['given']!r}; {there}"


@dataclass(eq=False)
class UnknownConstantError(NotFoundError):
    """A constant (detector, ctype and range) is not there at this commit."""

    given: str
    nearest: tuple[str, ...] = ()

    says = "no constant {given!r} here; nearest: {nearest}"
    advises = "see calibvcs ls; --at REF looks at another state of the repository"


@dataclass(eq=False)
class NoValidConstantError(NotFoundError):
    """No constant of this detector and ctype is valid at the time asked for."""

    detector: str
    ctype: str
    time: float
    nearest: tuple[str, ...] = ()
    withdrawn: tuple[str, ...] = ()

    says = "no {ctype} of {detector} is valid at {time:.10g}; nearest ranges: {nearest}"

    @property
    def problem(self) -> str:
        """What was asked for, and what there is instead."""
        skipped = f"; withdrawn and therefore skipped: {_listed(self.withdrawn)}" if self.withdrawn else ""
        return super().problem + skipped

    @property
    def hint(self) -> str:
        """How to see more, or to bring a withdrawn range back."""
        if self.withdrawn:
            constant = f"{self.detector}/{self.ctype}/{self.withdrawn[0]}@vN"
            return f"make another version the default: calibvcs default set {constant} -m WHY"
        return f"see calibvcs why {self.detector} {self.ctype} --time {self.time:.10g}, or add a range that covers it"


@dataclass(eq=False)
class UnknownVersionError(NotFoundError):
    """A constant has no such version."""

    constant: str
    given: str
    known: tuple[str, ...] = ()

    says = "{constant} has no version {given!r}; it has {known}"
    advises = "see calibvcs default show {constant}"


@dataclass(eq=False)
class UnknownRevisionError(NotFoundError):
    """No branch, tag, commit or date answers to this name."""

    given: str
    known: tuple[str, ...] = ()
    reason: str = ""

    says = "unknown revision {given!r}"
    advises = "give a branch, a tag, a commit id (4 digits or more) or a date (2026-01-31, 2026-01-31T12:00:00Z)"

    @property
    def problem(self) -> str:
        """What was given, and what there is instead."""
        return f"{super().problem}; {self.reason or f'branches and tags: {_listed(self.known)}'}"


@dataclass(eq=False)
class UnknownRunError(NotFoundError):
    """A run is not in the run table of its experiment, or its begin is not known."""

    experiment: str
    run: int
    known: tuple[str, ...] = ()

    says = "the begin of run {experiment}:{run} is not in the run table; known: {known}"
    advises = "calibvcs run mark {experiment}:{run} --kind data --begin T --end T -m WHY, or give the time itself"


@dataclass(eq=False)
class UnknownTagError(NotFoundError):
    """There is no tag of this name."""

    given: str
    known: tuple[str, ...] = ()

    says = "no tag {given!r}; tags: {known}"
    advises = "see calibvcs tag list"


@dataclass(eq=False)
class MissingFileError(NotFoundError):
    """A file that was named on the command line is not there or cannot be read."""

    path: str
    reason: str = "no such file"

    says = "cannot read {path!r}: {reason}"
    advises = "give the path of an existing file, or - for standard input"


# --- 4: understood, but refused -------------------------------------------------------------------------------


class RefusedError(CalibvcsError):
    """A change is understood but must not be made."""

    exit_code = 4


class EmptyCommentError(RefusedError):
    """A change came without a reason."""

    says = "the comment is empty: every change says why it was made"
    advises = "add -m 'why this change is made'"


@dataclass(eq=False)
class InvalidDataError(RefusedError):
    """Data do not have the form that their format demands."""

    source: str
    reason: str
    advice: str = ""

    says = "{source}: {reason}"
    advises = "{advice}"


@dataclass(frozen=True)
class Refusal:
    """One reason of the gate: the rule, the value found and the limit."""

    rule: str
    value: str
    limit: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.value}; allowed is {self.limit}"


@dataclass(eq=False)
class GateRefusedError(RefusedError):
    """New data look wrong; an expert may force them in, with a reason."""

    constant: str
    refusals: tuple[Refusal, ...]

    advises = "if this is meant, repeat with --force --reason 'why it is right'; the reason goes into the commit"

    @property
    def problem(self) -> str:
        """Every reason, one a line."""
        return f"the gate refuses {self.constant}:" + "".join(f"\n  - {refusal}" for refusal in self.refusals)


@dataclass(eq=False)
class LockedError(RefusedError):
    """The default of a constant is protected."""

    constant: str
    reason: str

    says = "{constant} is locked: {reason}"
    advises = "calibvcs unlock {constant} -m WHY, then repeat"


@dataclass(eq=False)
class OverlapError(RefusedError):
    """An alias would mean two detectors at one time."""

    alias: str
    given: str
    existing: str

    says = "alias {alias!r} for {given} overlaps {existing}; at one time an alias means one detector"
    advises = "give --begin and --end that do not overlap; see calibvcs alias ls"


# --- 5: somebody or something else is in the way --------------------------------------------------------------


class ConflictError(CalibvcsError):
    """Something else is in the way."""

    exit_code = 5


@dataclass(eq=False)
class AlreadyExistsError(ConflictError):
    """What was to be made is there already."""

    what: str
    name: str
    advice: str = ""

    says = "{what} {name!r} exists already"
    advises = "{advice}"


@dataclass(eq=False)
class BranchMovedError(ConflictError):
    """Others committed so often that this change found no gap."""

    branch: str
    attempts: int = 1

    says = "branch {branch!r} moved under this change {attempts} times; nothing was committed"
    advises = "repeat the command"


@dataclass(eq=False)
class WriterBusyError(ConflictError):
    """Another writer holds a lock file for longer than a writer ever needs it."""

    path: str
    age: float

    says = "{path} is held by another writer (for {age:.0f} s); nothing was committed"
    advises = "repeat the command; if no program is writing (a writer was killed), remove that file"


@dataclass(eq=False)
class DirtyWorktreeError(ConflictError):
    """A file of the worktree that a change would replace was edited by hand."""

    paths: tuple[str, ...]

    says = "edited in the worktree and not committed: {paths}"
    advises = "commit or restore these files with git first; nothing was changed"


# --- 6, 7, 9: access, the repository itself, the disk ---------------------------------------------------------


class AccessError(CalibvcsError):
    """The user may not do this."""

    exit_code = 6


@dataclass(eq=False)
class NotWritableError(AccessError):
    """A place on disk cannot be written or read by this user."""

    path: str
    reason: str

    says = "no access to {path!r}: {reason}; nothing was changed"
    advises = "ask the owner of the repository, or work in a clone of your own: git clone REPOSITORY PATH"


class BrokenRepositoryError(CalibvcsError):
    """The repository is not what it should be."""

    exit_code = 7


@dataclass(eq=False)
class DamagedRepositoryError(BrokenRepositoryError):
    """A file that Git needs (configuration, index, refs) cannot be understood."""

    path: str
    reason: str

    says = "{path}: {reason}"
    advises = "see what git says: git -C {path} status; git fsck"


@dataclass(eq=False)
class NotCalibvcsError(BrokenRepositoryError):
    """A Git repository, but not one of constants."""

    path: str
    commit: str = ""

    says = "{path!r} is a Git repository but holds no .calibvcs/repository.toml (commit {commit:.12})"
    advises = "use a repository made with calibvcs init, or another --at"


@dataclass(eq=False)
class UnsupportedFormatError(BrokenRepositoryError):
    """The repository was written in a format that this program does not know."""

    given: str
    supported: int = 1

    says = "the repository has format {given}; this program reads format {supported}"
    advises = "upgrade: pip install --upgrade calibvcs"


@dataclass(eq=False)
class InvalidDocumentError(BrokenRepositoryError):
    """A metadata file of the repository cannot be understood."""

    path: str
    reason: str

    says = "{path}: {reason}"
    advises = "calibvcs verify lists all such files; git log -p -- {path} shows what changed it"


@dataclass(eq=False)
class DamagedObjectError(BrokenRepositoryError):
    """A Git object is missing or damaged."""

    object_id: str
    reason: str
    path: str = ""

    says = "object {object_id}: {reason}"
    advises = "run git fsck; copy the object from another clone: git fetch REMOTE"


@dataclass(eq=False)
class StorageError(CalibvcsError):
    """The disk is full or fails."""

    exit_code = 9

    path: str
    reason: str
    needed: int = 0

    says = "cannot write {path!r}: {reason} ({needed} bytes were to be written); nothing was committed"
    advises = "free some space or check the disk (calibvcs doctor), then repeat"
