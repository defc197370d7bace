"""From what a user writes for a constant to the constant that is meant."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass
from typing import TYPE_CHECKING

from calibvcs.errors import CalibvcsError, InvalidNameError, InvalidOptionError, UnknownConstantError, nearest
from calibvcs.model import layout
from calibvcs.model.names import ConstantName, ConstantReference, parse_version
from calibvcs.ops.catalogue import Catalogue
from calibvcs.store.refs.revisions import resolve
from calibvcs.store.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from calibvcs.model.commits import Commit
    from calibvcs.ops.threads import Version
    from calibvcs.store.protocol import ReadableStore

_GLOB = frozenset("*?[")


@dataclass(frozen=True, slots=True)
class Located:
    """A constant found: its name, and the commit at which its data are the ones that are meant."""

    constant: ConstantName
    commit_id: str
    version: str

    @property
    def label(self) -> str:
        """What people call it: the constant, and its version where it has one."""
        return f"{self.constant}@{self.version}" if self.version else str(self.constant)


def locate(store: ReadableStore, catalogue: Catalogue, given: str, time: float) -> Located:
    """Find the one constant that a reference means.

    Parameters
    ----------
    store : ReadableStore
        Where to look.
    catalogue : Catalogue
        The commit to look at, unless the reference names another one.
    given : str
        ``DET/CTYPE/RANGE[@VERSION]``; VERSION is ``vN`` or a revision. ``DET/CTYPE`` means its only range.
    time : float
        When an alias is to be resolved, UNIX seconds.

    Returns
    -------
    Located
        The constant and the commit.

    Raises
    ------
    InvalidNameError
        If the reference leaves open which range is meant.
    UnknownConstantError, UnknownVersionError, UnknownRevisionError, UnknownDetectorError
        If something that it names is not there.
    """
    reference = ConstantReference.parse(given)
    commit_id = catalogue.snapshot.commit_id or ""
    if reference.version and parse_version(reference.version) is None:
        commit_id = _version_commit(catalogue, reference, time) or resolve(store, reference.version)
        catalogue = Catalogue(Snapshot(store, commit_id))
    constant = _constant(catalogue, reference, given, time)
    known = catalogue.history
    if reference.version and parse_version(reference.version) is not None:
        version = known.version(constant, reference.version)
        return Located(constant, version.commit.id, version.name)
    catalogue.payload(constant)
    default = known.default(constant)
    return Located(constant, commit_id, default.name if default else "")


def locate_version(catalogue: Catalogue, given: str, time: float) -> Version:
    """Find the version that ``DET/CTYPE/RANGE@vN`` means.

    Raises
    ------
    InvalidNameError
        If no version is named.
    """
    reference = ConstantReference.parse(given)
    if reference.version is None:
        raise InvalidNameError("version", given, "DETECTOR/CTYPE/RANGE@vN, see calibvcs log DETECTOR/CTYPE/RANGE")
    constant = _constant(catalogue, reference, given, time)
    return catalogue.history.version(constant, reference.version)


def version_of(catalogue: Catalogue, located: Located) -> Version | None:
    """Return the version that was located; None where history knows none."""
    return next((v for v in catalogue.history.versions(located.constant) if v.name == located.version), None)


def commit_of(catalogue: Catalogue, located: Located) -> Commit:
    """Return the commit that brought what was located; where history knows none, the one at which it was found."""
    version = version_of(catalogue, located)
    return version.commit if version else catalogue.snapshot.store.commit(located.commit_id)


def select(catalogue: Catalogue, pattern: str | None, time: float) -> Iterator[ConstantName]:
    """Yield the constants that a pattern matches.

    Parameters
    ----------
    catalogue : Catalogue
        The commit to look at.
    pattern : str or None
        Glob over ``DET/CTYPE/RANGE``; missing parts match everything; DET may be an alias. None matches all.
    time : float
        When an alias is to be resolved, UNIX seconds.

    Yields
    ------
    ConstantName
        Sorted by detector, ctype and range.

    Raises
    ------
    UnknownDetectorError, UnknownConstantError
        If a part without wildcards names something that is not there.
    """
    wanted = expand(catalogue, pattern, time)
    for detector in catalogue.detectors:
        if not fnmatch.fnmatchcase(str(detector), wanted[0]):
            continue
        ctypes = catalogue.ctypes(detector)
        if not _GLOB & set(wanted[0] + wanted[1]) and wanted[1] not in ctypes:
            raise catalogue.unknown_ctype(detector, wanted[1])
        for ctype in ctypes:
            if fnmatch.fnmatchcase(ctype, wanted[1]):
                for validity in catalogue.ranges(detector, ctype):
                    if fnmatch.fnmatchcase(str(validity), wanted[2]):
                        yield ConstantName(detector, ctype, validity)


def expand(catalogue: Catalogue, pattern: str | None, time: float) -> tuple[str, str, str]:
    """Return the globs for detector, ctype and range of a pattern, an alias resolved.

    Raises
    ------
    InvalidNameError
        If the pattern has more than three parts.
    UnknownDetectorError
        If its first part has no wildcard and names nothing.
    """
    parts = (pattern or "*").rstrip("/").split("/")
    if len(parts) > 3 or not all(parts):
        raise InvalidNameError("pattern", pattern or "", "DETECTOR[/CTYPE[/RANGE]] with * ? and [...]")
    if not _GLOB & set(parts[0]):
        parts[0] = str(catalogue.resolve(parts[0], time))
    parts += ["*"] * (3 - len(parts))
    return parts[0], parts[1], parts[2]


def matches(constants: Iterable[str], wanted: tuple[str, str, str]) -> bool:
    """Tell whether one of some constants is matched by the globs of a pattern."""
    return any(
        all(fnmatch.fnmatchcase(part, glob) for part, glob in zip(constant.split("/"), wanted, strict=True))
        for constant in constants
    )


def literal_prefix(wanted: tuple[str, str, str]) -> str:
    """Return how the names of all constants begin that the globs of a pattern match."""
    prefix = ""
    for glob in wanted:
        literal = next((glob[:place] for place, letter in enumerate(glob) if letter in _GLOB), glob)
        prefix += literal
        if literal != glob:
            break
        prefix += "/"
    return prefix.removesuffix("/") if prefix.count("/") == len(wanted) else prefix


def _constant(catalogue: Catalogue, reference: ConstantReference, given: str, time: float) -> ConstantName:
    detector = catalogue.resolve(reference.detector, time)
    if reference.ctype is None:
        raise InvalidNameError(
            "constant", given, f"DETECTOR/CTYPE/RANGE; {detector} has {_names(catalogue.ctypes(detector))}"
        )
    if reference.validity is not None:
        constant = ConstantName(detector, reference.ctype, reference.validity)
        if not catalogue.snapshot.names(layout.constant_folder(constant)):
            here = [str(c) for c in select(catalogue, str(detector), time)]
            same = [name for name in here if name.startswith(f"{detector}/{reference.ctype}/")]
            raise UnknownConstantError(str(constant), tuple(same) or nearest(str(constant), here))
        return constant
    ranges = catalogue.ranges(detector, reference.ctype)
    if not ranges:
        raise catalogue.unknown_ctype(detector, reference.ctype)
    if len(ranges) > 1:
        constants = _names(f"{detector}/{reference.ctype}/{validity}" for validity in ranges)
        raise InvalidOptionError("constant", given, "there are several ranges; one has to be named", constants)
    return ConstantName(detector, reference.ctype, ranges[0])


def _version_commit(catalogue: Catalogue, reference: ConstantReference, time: float) -> str | None:
    """Return the commit of a version that is named by the beginning of its commit id."""
    try:
        constant = _constant(catalogue, reference, reference.detector, time)
        return catalogue.history.version(constant, reference.version or "").commit.id
    except CalibvcsError:
        return None


def _names(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"
