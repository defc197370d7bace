"""Errors of signatures and of the states of tags: no key (2) or program (3), refused (4), no access (6), forged (7)."""

from __future__ import annotations

from calibvcs.errors.refusals import RefusedError
from calibvcs.errors.requests import NotFoundError, UsageError
from calibvcs.errors.surroundings import AccessError, BrokenRepositoryError


class NoSigningKeyError(UsageError):
    """A change shall be signed, and there is no key for it."""

    given: str
    reason: str

    advises = (
        "git config gpg.format ssh && git config user.signingkey ~/.ssh/id_ed25519.pub, or sign nothing: --no-sign; "
        "nothing was changed"
    )

    @property
    def problem(self) -> str:
        """Which key was looked for, and why it cannot be had."""
        return f"no key to sign with{f' ({self.given})' if self.given else ''}: {self.reason}"


class MissingProgramError(NotFoundError):
    """A program that is needed cannot be started."""

    program: str
    reason: str
    advice: str

    says = "cannot start {program!r}: {reason}"
    advises = "{advice}"


class SigningFailedError(AccessError):
    """The program that signs could not: a wrong passphrase, no agent, a key of somebody else."""

    program: str
    reason: str

    says = "{program} did not sign: {reason}"
    advises = "nothing was changed; unlock the key (ssh-add, gpg-agent), or sign nothing: --no-sign"


class TagStateRefusedError(RefusedError):
    """A tag cannot go from its state to another one."""

    tag: str
    before: str
    after: str
    reason: str

    says = "tag {tag} is {before}, and cannot become {after}: {reason}"
    advises = "set a new tag: calibvcs tag create NAME -m WHY; history: calibvcs tag show {tag}"


class TagNotAcceptedError(RefusedError):
    """A tag is not what was demanded: published, or signed by a known key."""

    tag: str
    reason: str

    says = "tag {tag} is not accepted: {reason}"
    advises = "see calibvcs tag show {tag}; calibvcs tag list tells the states of all"


class BrokenTagStateError(BrokenRepositoryError):
    """The states of a tag are no chain that ends at the tag: one was exchanged, taken away or forged."""

    tag: str
    reason: str

    says = "the states of tag {tag} cannot be trusted: {reason}"
    advises = "compare with the repository it came from: git ls-remote REMOTE 'refs/tags/{tag}*'"
