"""``get``: the constant in force for a detector, a ctype and a time, with its data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from calibvcs.model.names import ConstantName, parse_ctype
from calibvcs.ops import payload as payloads

if TYPE_CHECKING:
    from calibvcs.model.metadata import Metadata
    from calibvcs.model.validity import Validity
    from calibvcs.ops.catalogue import Catalogue
    from calibvcs.ops.payload import Value


@dataclass(frozen=True)
class Constant:
    """A constant with its data.

    Attributes
    ----------
    name : ConstantName
        Detector, ctype and range.
    data : ndarray or str
        The array, read-only, in the dtype, shape and unit that `meta` tells; or the text.
    meta : Metadata
        What stands beside the data.
    blob : str
        Id of the data in the repository: equal data have equal ids.
    catalogue : Catalogue
        The state of the repository that was read.
    """

    name: ConstantName
    data: Value
    meta: Metadata
    blob: str
    catalogue: Catalogue

    @property
    def validity(self) -> Validity:
        """The range of UNIX seconds that it is valid for."""
        return self.name.validity

    @property
    def at(self) -> str:
        """Id of the commit that was read."""
        return self.catalogue.snapshot.commit_id or ""

    @property
    def version(self) -> str:
        """Its version among those of its range, for example ``v2``."""
        version = self.catalogue.history.default(self.name)
        return version.name if version else ""

    @property
    def commit(self) -> str:
        """Id of the commit that added these data: the exact name of the version."""
        version = self.catalogue.history.default(self.name)
        return version.commit.id if version else self.at

    def __repr__(self) -> str:
        form = "text" if self.meta.is_text else f"{self.meta.dtype} {self.meta.shape}"
        unit = f" {self.meta.unit}" if self.meta.unit else ""
        return f"<Constant {self.name} {form}{unit} blob {self.blob[:12]}>"


def get(catalogue: Catalogue, detector: str, ctype: str, time: float) -> Constant:
    """Return the constant in force.

    Parameters
    ----------
    catalogue : Catalogue
        The commit to look at.
    detector : str
        Detector or alias; an alias is resolved at `time`.
    ctype : str
        Calibration type.
    time : float
        UNIX seconds.

    Returns
    -------
    Constant
        The constant with its data; the hash of the data is checked.

    Raises
    ------
    UnknownDetectorError, UnknownConstantError
        If there is no such detector or ctype.
    NoValidConstantError
        If no range is valid at that time.
    DamagedObjectError
        If the data are missing or damaged.
    """
    name = catalogue.choose(catalogue.resolve(detector, time), parse_ctype(ctype), time)
    return read(catalogue, name)


def read(catalogue: Catalogue, name: ConstantName) -> Constant:
    """Return a constant that is named in full.

    Raises
    ------
    UnknownConstantError
        If it is not there.
    DamagedObjectError
        If the data are missing or damaged.
    """
    file, entry = catalogue.payload(name)
    data = payloads.load(catalogue.snapshot.store, file, entry.id, f"{name}/{file}")
    return Constant(name, data, catalogue.metadata(name), entry.id, catalogue)
