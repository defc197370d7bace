"""Errors of the request: it cannot be understood (2), or what it names is not there (3)."""

from __future__ import annotations

from calibvcs.errors.root import CalibvcsError, listed


class UsageError(CalibvcsError):
    """The call cannot be understood."""

    exit_code = 2


class InvalidNameError(UsageError):
    """A name breaks the grammar of names."""

    what: str
    given: str
    allowed: str
    suggestion: str = ""

    @property
    def problem(self) -> str:
        """What was given, and the grammar."""
        article = "an" if self.what[0] in "aeiou" else "a"
        return f"{self._shown()['given']!r} is not {article} {self.what}: allowed is {self.allowed}"

    @property
    def hint(self) -> str:
        """A name that would be allowed, or where the grammar stands."""
        grammar = "the grammar of names stands in docs/formats/repository-v1.md"
        return f"did you mean {self.suggestion!r}?" if self.suggestion else grammar


class InvalidTimeError(UsageError):
    """A time cannot be read, or lies outside what can be stored."""

    given: str
    reason: str = "it cannot be read as a time"

    says = "time {given!r}: {reason}"
    advises = (
        "give UNIX seconds (1767225600), ISO 8601 (2026-01-01T00:00:00Z; without a zone it is UTC), "
        "a 64-bit psana stamp, or EXPERIMENT:RUN"
    )


class InvalidRangeError(UsageError):
    """A validity range is empty or runs backwards."""

    begin: int
    end: int

    says = "the range {begin}-{end} is empty: its begin must lie before its end (the end is not part of it)"
    advises = "exchange --begin and --end, or leave --end out for an open end"


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


class NotFoundError(CalibvcsError):
    """Something that was named does not exist."""

    exit_code = 3


class NoRepositoryError(NotFoundError):
    """There is no Git repository where one was looked for."""

    path: str

    says = "no repository at or above {path!r}"
    advises = "name one with --repo PATH or CALIBVCS_REPO, or make one: calibvcs init PATH"


class UnknownDetectorError(NotFoundError):
    """No detector or alias of this name is in the repository."""

    given: str
    nearest: tuple[str, ...] = ()
    known: int = 0
    reason: str = ""

    advises = "see calibvcs detector ls, or register it: calibvcs detector add DETNAME"

    @property
    def problem(self) -> str:
        """What was given, and what there is instead."""
        count = "1 detector" if self.known == 1 else f"{self.known} detectors"
        there = f"nearest: {listed(self.nearest)}" if self.nearest else f"the repository knows {count}"
        return f"unknown detector {self._shown()['given']!r}; {self.reason or there}"


class UnknownConstantError(NotFoundError):
    """A constant (detector, ctype and range) is not there at this commit."""

    given: str
    nearest: tuple[str, ...] = ()

    says = "no constant {given!r} here; nearest: {nearest}"
    advises = "see calibvcs ls; --at REF looks at another state of the repository"


class NoValidConstantError(NotFoundError):
    """No constant of this detector and ctype is valid at the time asked for."""

    detector: str
    ctype: str
    time: float
    nearest: tuple[str, ...] = ()
    withdrawn: tuple[str, ...] = ()

    says = "no {ctype} of {detector} is valid at {time:.16g}; nearest ranges: {nearest}"

    @property
    def problem(self) -> str:
        """What was asked for, and what there is instead."""
        skipped = f"; withdrawn and therefore skipped: {listed(self.withdrawn)}" if self.withdrawn else ""
        return super().problem + skipped

    @property
    def hint(self) -> str:
        """How to see more, or to bring a withdrawn range back."""
        if self.withdrawn:
            constant = f"{self.detector}/{self.ctype}/{self.withdrawn[0]}@vN"
            choice = f"make another version the default: calibvcs default set {constant} -m WHY"
            return f"{choice}; or look at it all the same: calibvcs get --allow-withdrawn"
        return f"see calibvcs why {self.detector} {self.ctype} --time {self.time:.16g}, or add a range that covers it"


class UnknownVersionError(NotFoundError):
    """A constant has no such version."""

    constant: str
    given: str
    known: tuple[str, ...] = ()

    says = "{constant} has no version {given!r}; it has {known}"
    advises = "see calibvcs default show {constant}"


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
        return f"{super().problem}; {self.reason or f'branches and tags: {listed(self.known)}'}"


class UnknownRunError(NotFoundError):
    """A run is not in the run table of its experiment, or its begin is not known."""

    experiment: str
    run: int
    known: tuple[str, ...] = ()

    says = "the begin of run {experiment}:{run} is not in the run table; known: {known}"
    advises = "calibvcs run mark {experiment}:{run} --kind data --begin T --end T -m WHY, or give the time itself"


class UnknownParameterError(NotFoundError):
    """A detector, ctype or range has no parameter of this name."""

    target: str
    given: str
    known: tuple[str, ...] = ()

    advises = "see calibvcs param get {target}"

    @property
    def problem(self) -> str:
        """What was given, and what there is instead."""
        there = f"it has {listed(self.known)}" if self.known else "it has none"
        shown = self._shown()
        return f"{shown['target']} has no parameter {shown['given']!r}; {there}"


class UnknownTagError(NotFoundError):
    """There is no tag of this name."""

    given: str
    known: tuple[str, ...] = ()

    says = "no tag {given!r}; tags: {known}"
    advises = "see calibvcs tag list"


class MissingFileError(NotFoundError):
    """A file that was named on the command line is not there or cannot be read."""

    path: str
    reason: str = "no such file"

    says = "cannot read {path!r}: {reason}"
    advises = "give the path of an existing file, or - for standard input"
