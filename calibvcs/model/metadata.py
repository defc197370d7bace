"""What stands beside the data of a constant: its form, unit, origin, provenance and state."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from calibvcs.model.detector import Parameters


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the data were taken.

    Attributes
    ----------
    experiment : str
        Experiment, for example ``mfx101332224``.
    run, run_end : int or None
        Run they were taken in; last run (included) that they are meant for, None for open.
    source : str
        Free text: detector source in the DAQ, file of origin.
    """

    experiment: str = ""
    run: int | None = None
    run_end: int | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file that the data were made from; ``size`` in bytes, ``sha256`` in hex."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Provenance:
    """How the data came about.

    Attributes
    ----------
    command : tuple of str
        Command line or call that added them.
    software : str
        Program and version.
    user, host : str
        Who ran it, and where.
    inputs : tuple of InputFile
        Files they were made from.
    """

    command: tuple[str, ...] = ()
    software: str = ""
    user: str = ""
    host: str = ""
    inputs: tuple[InputFile, ...] = ()


@dataclass(frozen=True, slots=True)
class Metadata:
    """The content of ``meta.toml``.

    Attributes
    ----------
    dtype : str
        numpy dtype, for example ``float32``; ``text`` for text.
    shape : tuple of int
        Shape of the array; empty for text.
    dims : tuple of str
        Names of the axes.
    unit : str
        Unit of the values, for example ``ADU``.
    convention : str
        How the values are to be applied, for example ``divide`` for a gain in ADU/keV.
    origin : Origin
        Where the data were taken.
    provenance : Provenance
        How they came about.
    parameters : mapping
        Free parameters.
    locked, withdrawn : bool
        State of the default; the reasons stand in `lock_reason` and `withdrawn_reason`.
    """

    dtype: str
    shape: tuple[int, ...] = ()
    dims: tuple[str, ...] = ()
    unit: str = ""
    convention: str = ""
    origin: Origin = field(default_factory=Origin)
    provenance: Provenance = field(default_factory=Provenance)
    parameters: Parameters = field(default_factory=dict)
    locked: bool = False
    lock_reason: str = ""
    withdrawn: bool = False
    withdrawn_reason: str = ""

    @property
    def is_text(self) -> bool:
        """Whether the constant is text, not an array."""
        return self.dtype == "text"

    def lock(self, reason: str) -> Metadata:
        """Return the same, locked."""
        return replace(self, locked=True, lock_reason=reason)

    def unlock(self) -> Metadata:
        """Return the same, not locked."""
        return replace(self, locked=False, lock_reason="")

    def withdraw(self, reason: str) -> Metadata:
        """Return the same, withdrawn."""
        return replace(self, withdrawn=True, withdrawn_reason=reason)


DEFAULT_CONVENTIONS: Mapping[str, str] = {
    "pedestals": "subtract",
    "pixel_offset": "subtract",
    "pixel_bkgd": "subtract",
    "pixel_gain": "divide",
    "pixel_mask": "1 good, 0 bad",
    "users_mask": "1 good, 0 bad",
    "pixel_status": "0 good, else bits",
}
"""How psana 4 applies the known ctypes; recorded where the user says nothing else."""
