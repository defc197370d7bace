"""Errors of a change: it must not be made (4), or something is in the way (5)."""

from __future__ import annotations

from dataclasses import dataclass

from calibvcs.errors.root import CalibvcsError


class RefusedError(CalibvcsError):
    """A change is understood but must not be made."""

    exit_code = 4


class EmptyCommentError(RefusedError):
    """A change came without a reason."""

    says = "the comment is empty: every change says why it was made"
    advises = "add -m 'why this change is made'"


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


class GateRefusedError(RefusedError):
    """New data look wrong; an expert may force them in, with a reason."""

    constant: str
    refusals: tuple[Refusal, ...]

    advises = "if this is meant, repeat with --force --reason 'why it is right'; the reason goes into the commit"

    @property
    def problem(self) -> str:
        """Every reason, one a line."""
        return f"the gate refuses {self.constant}:" + "".join(f"\n  - {refusal}" for refusal in self.refusals)


class LockedError(RefusedError):
    """The default of a constant is protected."""

    constant: str
    reason: str

    says = "{constant} is locked: {reason}"
    advises = "calibvcs unlock {constant} -m WHY, then repeat"


class RemovedConstantError(RefusedError):
    """Files of constants, or of what stands beside them, were taken away from the worktree."""

    removed: tuple[str, ...]
    renamed: str = ""

    says = "removed from the worktree: {removed}; there is no deletion, and history would keep it anyway"

    @property
    def hint(self) -> str:
        """How to mark what is bad, or to give it another range."""
        first = self.removed[0]
        if self.renamed:
            keep = f"calibvcs restore {first} brings the old one back, commit adds {self.renamed} beside it"
            return f"a range is not renamed: {keep}; then calibvcs withdraw {first} -m WHY, if it was wrong"
        return f"calibvcs restore {first} brings it back; calibvcs withdraw CONSTANT -m WHY marks a bad one"


class OverlapError(RefusedError):
    """An alias would mean two detectors at one time."""

    alias: str
    given: str
    existing: str

    says = "alias {alias!r} for {given} overlaps {existing}; at one time an alias means one detector"
    advises = "give --begin and --end that do not overlap; see calibvcs alias ls"


class ConflictError(CalibvcsError):
    """Something else is in the way."""

    exit_code = 5


class AlreadyExistsError(ConflictError):
    """What was to be made is there already."""

    what: str
    name: str
    advice: str = ""

    says = "{what} {name!r} exists already"
    advises = "{advice}"


class NothingToChangeError(ConflictError):
    """What was asked for is so already."""

    name: str
    state: str

    says = "{name} {state}; nothing was changed"
    advises = "see calibvcs log for who made it so, and why"


class BranchMovedError(ConflictError):
    """Others committed so often that this change found no gap."""

    branch: str
    attempts: int = 1

    says = "branch {branch!r} moved under this change {attempts} times; nothing was committed"
    advises = "repeat the command"


class MergeConflictError(ConflictError):
    """Two clones changed the same, and not to the same."""

    name: str
    conflicts: tuple[str, ...]

    @property
    def problem(self) -> str:
        """What both changed, one a line."""
        listed = "".join(f"\n  {conflict}" for conflict in self.conflicts)
        return f"{self.name} and this clone changed the same; nothing was merged:{listed}"

    advises = "see the numbers with --show; then decide for all (--ours, --theirs, --newest) or one (--take ours:NAME)"


class WriterBusyError(ConflictError):
    """Another writer holds a lock file for longer than a writer ever needs it."""

    path: str
    age: float

    says = "{path} is held by another writer (for {age:.0f} s); nothing was committed"
    advises = "repeat the command; if no program is writing (a writer was killed), remove that file"


class DirtyWorktreeError(ConflictError):
    """A file of the worktree that a change would replace was edited by hand."""

    paths: tuple[str, ...]

    says = "edited in the worktree and not committed: {paths}"
    advises = "nothing was changed; first: calibvcs commit -m WHY, or calibvcs restore {paths}"


class NothingToCommitError(ConflictError):
    """No edit is there that could be committed."""

    reason: str = "worktree clean"
    left: tuple[str, ...] = ()

    says = "nothing to commit, {reason}"

    @property
    def problem(self) -> str:
        """Why, and every file that is none of the format, one a line."""
        return super().problem + "".join(f"\n  - {one}" for one in self.left)

    @property
    def hint(self) -> str:
        """Where files that are left over would belong."""
        return "docs/formats/repository-v1.md tells where files stand; calibvcs add takes any file" if self.left else ""
