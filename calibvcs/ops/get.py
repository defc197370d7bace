"""``get``: the constants in force for a detector, a ctype and a time, with their data."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from calibvcs.errors import InvalidOptionError
from calibvcs.model.layout import constant_folder
from calibvcs.model.names import ConstantName, parse_ctype
from calibvcs.ops.loading import prepare

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

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
        The array, in the dtype, shape and unit that `meta` tells; or the text. The array is read-only, and may be a
        map of a file in the worktree, unless it was given as `out`: then it is that very array.
    meta : Metadata
        What stands beside the data.
    blob : str
        Id of the data in the repository: equal data have equal ids.
    catalogue : Catalogue
        The state of the repository that was read.
    fallback : str
        That this is the constant of a predecessor, in words; empty where it is the detector's own.
    """

    name: ConstantName
    data: Value
    meta: Metadata
    blob: str
    catalogue: Catalogue
    fallback: str = ""

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
        told = f" ({self.fallback})" if self.fallback else ""
        return f"<Constant {self.name} {form}{unit} blob {self.blob[:12]}{told}>"

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        from calibvcs.ops.pictures import html_tables

        return html_tables.constant(self)


def get(
    catalogue: Catalogue,
    detector: str,
    ctype: str,
    time: float,
    out: NDArray[Any] | None = None,
    fallback: str | None = None,
    *,
    allow_withdrawn: bool = False,
) -> Constant:
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
    out : ndarray, optional
        Array to read the data into, in C order, writable, of exactly their dtype and shape. Default is a new one.
    fallback : {"predecessor"}, optional
        Where no range is valid, take the constant of the detector's predecessor.
    allow_withdrawn : bool, optional
        Take also what was withdrawn.

    Returns
    -------
    Constant
        The constant with its data.

    Raises
    ------
    UnknownDetectorError, UnknownConstantError
        If there is no such detector or ctype.
    NoValidConstantError
        If no range is valid at that time.
    InvalidOptionError
        If `out` does not fit; nothing was written into it.
    DamagedObjectError
        If the data are missing or damaged.
    """
    if fallback is None and not allow_withdrawn:
        return read(catalogue, _named(catalogue, detector, ctype, time), out)
    from calibvcs.ops.lineage import stands_in, with_fallback

    asked, ctype = catalogue.resolve(detector, time), parse_ctype(ctype)
    found = with_fallback(catalogue, asked, ctype, time, fallback, allow_withdrawn=allow_withdrawn)
    constant = read(catalogue, catalogue.choose(found, ctype, time, allow_withdrawn=allow_withdrawn), out)
    return replace(constant, fallback=stands_in(asked, found, ctype))


def get_many(
    catalogue: Catalogue,
    requests: Sequence[tuple[str, str]],
    time: float,
    outs: Sequence[NDArray[Any] | None],
    threads: int,
) -> tuple[Constant, ...]:
    """Return several constants in force at one time, their data read by several threads.

    Parameters
    ----------
    catalogue : Catalogue
        The commit to look at.
    requests : sequence of (str, str)
        Detector or alias, and ctype.
    time : float
        UNIX seconds.
    outs : sequence of ndarray or None
        For each request an array to read its data into, or None. No two of them may share memory.
    threads : int
        How many payloads are read at the same time.

    Returns
    -------
    tuple of Constant
        In the order of the requests.

    Raises
    ------
    UnknownDetectorError, UnknownConstantError, NoValidConstantError
        As `get`, for the first request that cannot be met; no data were read.
    InvalidOptionError
        If one of `outs` does not fit, or two share memory; nothing was written into any.
    DamagedObjectError
        If data are missing or damaged, of the first such request; what `outs` hold is undefined then.
    """
    from concurrent.futures import ThreadPoolExecutor  # whoever wants one constant need not pay for it

    _check_apart(outs)
    names = [_named(catalogue, detector, ctype, time) for detector, ctype in requests]
    prepared = [_prepared(catalogue, name, out) for name, out in zip(names, outs, strict=True)]
    if min(threads, len(prepared)) < 2:
        return tuple(finish() for finish in prepared)
    with ThreadPoolExecutor(min(threads, len(prepared)), thread_name_prefix="calibvcs-get") as pool:
        waiting = [pool.submit(finish) for finish in prepared]
        try:
            return tuple(future.result() for future in waiting)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def read(catalogue: Catalogue, name: ConstantName, out: NDArray[Any] | None = None) -> Constant:
    """Return a constant that is named in full, its data in `out` where that is given.

    Raises
    ------
    UnknownConstantError
        If it is not there.
    InvalidOptionError
        If `out` does not fit; nothing was written into it.
    DamagedObjectError
        If the data are missing or damaged.
    """
    return _prepared(catalogue, name, out)()


def _named(catalogue: Catalogue, detector: str, ctype: str, time: float) -> ConstantName:
    return catalogue.choose(catalogue.resolve(detector, time), parse_ctype(ctype), time)


def _prepared(catalogue: Catalogue, name: ConstantName, out: NDArray[Any] | None) -> Callable[[], Constant]:
    """Do all that looks at names and metadata; what is left to be done is only data, and for any thread."""
    file, entry = catalogue.payload(name)
    path = f"{constant_folder(name)}/{file}"
    read_data = prepare(catalogue.snapshot.store, file, entry.id, f"{name}/{file}", path=path, out=out)
    meta = catalogue.metadata(name)
    return lambda: Constant(name, read_data(), meta, entry.id, catalogue)


def _check_apart(outs: Sequence[NDArray[Any] | None]) -> None:
    arrays = [(number, out) for number, out in enumerate(outs) if isinstance(out, np.ndarray)]
    for (first, a), (second, b) in combinations(arrays, 2):
        if np.may_share_memory(a, b):  # exact for arrays in C order, and only such are taken
            reason = f"arrays {first} and {second} share memory"
            raise InvalidOptionError("out", "", reason, "give every constant an array of its own")
