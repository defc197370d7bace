"""What a repository says of itself: its name, what it requires, and how strict its gate is."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from calibvcs.model.constant_types import ConstantType


@dataclass(frozen=True, slots=True)
class GateLimits:
    """Limits of the gate for one ctype; None keeps the limit of `ConstantType`."""

    max_drift: float | None = None
    max_factor: float | None = None
    max_changed_fraction: float | None = None

    def applied(self, spec: ConstantType) -> ConstantType:
        """Return a specification with these limits in place of its own."""
        return replace(
            spec,
            max_drift=spec.max_drift if self.max_drift is None else self.max_drift,
            max_factor=spec.max_factor if self.max_factor is None else self.max_factor,
            max_changed_fraction=(
                spec.max_changed_fraction if self.max_changed_fraction is None else self.max_changed_fraction
            ),
        )


@dataclass(frozen=True, slots=True)
class RepositorySettings:
    """The content of ``.calibvcs/repository.toml``.

    Attributes
    ----------
    name : str
        Name of the repository.
    required : mapping of str to tuple of str
        Ctypes that every detector of a type must have.
    gate : mapping of str to GateLimits
        Limits by ctype.
    """

    name: str
    required: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    gate: Mapping[str, GateLimits] = field(default_factory=dict)
