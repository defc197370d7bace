"""Errors of moving objects between repositories: the network (8), what another repository refuses (6) or sends (7)."""

from __future__ import annotations

from calibvcs.errors.root import CalibvcsError
from calibvcs.errors.surroundings import AccessError, BrokenRepositoryError


class NetworkError(CalibvcsError):
    """Another repository cannot be reached, or hung up."""

    exit_code = 8

    address: str
    reason: str
    advice: str = "check the address and the network, then repeat; nothing was changed here"

    says = "{address}: {reason}"
    advises = "{advice}"


class NotHereError(NetworkError):
    """Data stand in another repository, which has promised them, and they cannot be brought now."""

    advice: str = "calibvcs squeeze --detector DET brings data for work without a network; else allow the network"
    blob: str = ""
    source: str = ""

    @property
    def problem(self) -> str:
        """What is missing, where it stands, and why it does not come."""
        what = self.source or f"object {self.blob}"
        return f"{what} is not in this clone; it stands in {self.address}: {self.reason}"


class PushRefusedError(AccessError):
    """The repository that was pushed to refuses a change: a rule, a hook, or its settings."""

    address: str
    path: str
    reason: str
    said: str = ""

    advises = "do what it says, then push again; without the right to write there: calibvcs propose"

    @property
    def problem(self) -> str:
        """Which ref was refused, why, and all that the other side said."""
        said = "".join(f"\n  {line}" for line in self.said.splitlines())
        return f"{self.address} refuses {self.path}: {self.reason}{said}"


class DamagedPackError(BrokenRepositoryError):
    """A pack that came in is damaged, cut short, or lies about what it holds."""

    source: str
    reason: str

    says = "the pack from {source} is damaged: {reason}; nothing of it was kept"
    advises = "repeat; if it fails again, run git fsck where it comes from"
