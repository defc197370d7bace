"""What ``get`` chooses, without reading the data; and the data, byte for byte, into a file."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from calibvcs.model.choose import explain
from calibvcs.model.names import parse_ctype
from calibvcs.store.durable import disk_errors, write_file

if TYPE_CHECKING:
    from calibvcs.ops.catalogue import Catalogue

STANDARD_OUTPUT = "-"


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


def choose(catalogue: Catalogue, detector: str, ctype: str, time: float) -> Chosen:
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
    found = catalogue.resolve(detector, time)
    name, withdrawn = catalogue.choose_and_skip(found, parse_ctype(ctype), time)
    ranges = catalogue.ranges(found, ctype)
    metadata, version = catalogue.metadata(name), catalogue.history.default(name)
    (reason,) = (c.reason for c in explain(ranges, time, withdrawn) if c.validity == name.validity)
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
        reason=reason,
        considered=len(ranges),
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
        Path; the file appears whole or not at all. ``-`` is standard output.

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
    data = catalogue.snapshot.store.blob(chosen.blob)
    with disk_errors(output, len(data)):
        if output == STANDARD_OUTPUT:
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
        elif Path(output).exists() and not Path(output).is_file():  # a pipe or a device cannot be replaced
            Path(output).write_bytes(data)
        else:
            write_file(Path(output).resolve(), [data])
    return replace(chosen, output=output)
