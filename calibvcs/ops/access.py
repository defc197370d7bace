"""``access check`` and ``access test``: what the rules of a commit say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from calibvcs.formats.toml import access_toml
from calibvcs.model.access import Access, Verb

if TYPE_CHECKING:
    from collections.abc import Iterable

    from calibvcs.formats.access_table import Expectation
    from calibvcs.model.access import Decision
    from calibvcs.store.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class AccessCheck:
    """What the rules say to one question."""

    schema: ClassVar[str] = "calibvcs.access-check/1"

    allowed: bool
    user: str
    verb: str
    path: str
    branch: str
    rule: str
    reason: str


@dataclass(frozen=True, slots=True)
class AccessTest:
    """What the rules say to a table of expectations.

    Attributes
    ----------
    expectations : int
        Number of questions.
    failures : tuple of str
        One sentence for each answer that is not the expected one.
    """

    schema: ClassVar[str] = "calibvcs.access-test/1"

    expectations: int
    failures: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether every answer is the expected one."""
        return not self.failures


def access_of(snapshot: Snapshot, makers: tuple[str, ...] = ()) -> Access:
    """Return who may change what, by the rules of one commit.

    Parameters
    ----------
    snapshot : Snapshot
        The commit; a repository without any has the rules by default.
    makers : tuple of str, optional
        Who made the repository: they are in the groups ``experts`` and ``admins`` until the file names anybody.

    Returns
    -------
    Access
        The rules.

    Raises
    ------
    InvalidDocumentError
        If the file is broken.
    """
    data = snapshot.read(access_toml.ACCESS_FILE)
    access = Access() if data is None else access_toml.decode(data)
    return access.begun_by(makers)


def check(snapshot: Snapshot, user: str, verb: Verb, path: str, branch: str, makers: tuple[str, ...] = ()) -> Decision:
    """Tell whether a user may do something, by the rules of one commit.

    Parameters
    ----------
    snapshot : Snapshot
        The commit whose rules are asked.
    user : str
        Name of the user, as the server tells it.
    verb : Verb
        What they want to do.
    path, branch : str
        Where; an empty path is the whole repository.
    makers : tuple of str, optional
        Who made the repository, see `access_of`.

    Returns
    -------
    Decision
        Whether they may, and the rule that says so.

    Raises
    ------
    InvalidDocumentError
        If the file of the rules is broken.
    """
    return access_of(snapshot, makers).decide(user, verb, path, branch)


def as_check(decision: Decision) -> AccessCheck:
    """Return a decision as a result that can be shown."""
    return AccessCheck(
        decision.allowed,
        decision.user,
        decision.verb,
        decision.path,
        decision.branch,
        decision.rule,
        str(decision),
    )


def test(access: Access, expectations: Iterable[Expectation]) -> AccessTest:
    """Hold rules against what is expected of them.

    Parameters
    ----------
    access : Access
        The rules.
    expectations : iterable of Expectation
        Questions and the answers that they have to get.

    Returns
    -------
    AccessTest
        The answers that are others.
    """
    failures = []
    number = 0
    for number, expected in enumerate(expectations, 1):  # noqa: B007 - their number is part of the result
        decision = access.decide(expected.user, expected.verb, expected.path, expected.branch)
        if decision.allowed is not expected.allowed:
            failures.append(f"line {expected.line}: expected is {'allow' if expected.allowed else 'deny'}; {decision}")
    return AccessTest(number, tuple(failures))
