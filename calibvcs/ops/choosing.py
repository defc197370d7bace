"""What ``get`` chooses, without reading the data; and the data, byte for byte, into a file."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from calibvcs.model.choose import WHY_CHOSEN
from calibvcs.model.names import parse_ctype
from calibvcs.ops.lineage import stands_in, with_fallback
from calibvcs.store.durable import disk_errors, write_file

if TYPE_CHECKING:
    from calibvcs.ops.catalogue import Catalogue

STANDARD_OUTPUT = "-"
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Chosen:
    """The constant in force.

    Attributes
    ----------
    constant, version, commit, at : str
        Its name and version, the commit that added its data, and the commit that was read.
    time : float
        What was asked for, UNIX seconds.
    begin, end : int or None
        Validity, UNIX seconds, half-open; None is open.
    blob, dtype, unit : str
        Id, dtype and unit of the data.
    shape : tuple of int
        Shape of the data.
    reason : str
        Why it was chosen.
    considered : int
        Number of ranges that were looked at.
    output : str
        File that the data were written to, if any.
    fallback : str
        That this is the constant of a predecessor, in words; empty where it is the detector's own.
    withdrawn : bool
        That it was withdrawn, and is only chosen because that was asked for.
    """

    schema: ClassVar[str] = "calibvcs.get/1"

    constant: str
    version: str
    commit: str
    at: str
    time: float
    begin: int
    end: int | None
    blob: str
    dtype: str
    shape: tuple[int, ...]
    unit: str
    reason: str
    considered: int
    output: str = ""
    fallback: str = ""
    withdrawn: bool = False


def choose(
    catalogue: Catalogue,
    detector: str,
    ctype: str,
    time: float,
    fallback: str | None = None,
    *,
    allow_withdrawn: bool = False,
) -> Chosen:
    """Return the constant in force, and why.

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
    fallback : {"predecessor"}, optional
        Where no range is valid, take the constant of the detector's predecessor.
    allow_withdrawn : bool, optional
        Take also what was withdrawn.

    Returns
    -------
    Chosen
        Everything but the data.

    Raises
    ------
    UnknownDetectorError, UnknownConstantError
        If there is no such detector or ctype.
    NoValidConstantError
        If no range is valid at that time.
    """
    asked, ctype = catalogue.resolve(detector, time), parse_ctype(ctype)
    found = with_fallback(catalogue, asked, ctype, time, fallback, allow_withdrawn=allow_withdrawn)
    name = catalogue.choose(found, ctype, time, allow_withdrawn=allow_withdrawn)
    metadata, version = catalogue.metadata(name), catalogue.history.default(name)
    return Chosen(
        constant=str(name),
        version=version.name if version else "",
        commit=version.commit.id if version else "",
        at=catalogue.snapshot.commit_id or "",
        time=time,
        begin=name.validity.begin,
        end=name.validity.end,
        blob=catalogue.payload(name)[1].id,
        dtype=metadata.dtype,
        shape=metadata.shape,
        unit=metadata.unit,
        reason=WHY_CHOSEN,
        considered=len(catalogue.timeline(found, ctype)),
        fallback=stands_in(asked, found, ctype),
        withdrawn=metadata.withdrawn,
    )


def write(catalogue: Catalogue, chosen: Chosen, output: str) -> Chosen:
    """Write the data of a constant to a file, byte for byte as they stand in the repository.

    Parameters
    ----------
    catalogue : Catalogue
        The commit that was read.
    chosen : Chosen
        The constant.
    output : str
        Path; the file appears whole or not at all. ``-`` is standard output, which, like a pipe, has got the bytes
        before damage at their end can be told.

    Returns
    -------
    Chosen
        The same with the path.

    Raises
    ------
    StorageError, NotWritableError
        If the file cannot be written.
    DamagedObjectError
        If the data are missing or damaged.
    """
    store = catalogue.snapshot.store
    size = store.blob_head(chosen.blob, 0)[1]
    blocks = store.blob_blocks(chosen.blob, 0, _BLOCK)
    with disk_errors(output, size):
        if output == STANDARD_OUTPUT:
            sys.stdout.buffer.writelines(blocks)
            sys.stdout.buffer.flush()
        elif Path(output).exists() and not Path(output).is_file():  # a pipe or a device cannot be replaced
            with Path(output).open("wb") as file:
                file.writelines(blocks)
        else:
            write_file(Path(output).resolve(), blocks)
    return replace(chosen, output=output)
