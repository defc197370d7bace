"""What ``get`` chooses, without reading the data; and the data, byte for byte, into a file."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from calibvcs.errors import NoValidConstantError
from calibvcs.model.names import ConstantName
from calibvcs.ops.why import why
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
    answer = why(catalogue, detector, ctype, time)
    if answer.chosen is None:
        catalogue.choose(catalogue.resolve(detector, time), ctype, time)  # raises, and lists the nearest ranges
        raise NoValidConstantError(answer.detector, ctype, time)
    winner = answer.candidates[0]
    name = ConstantName.parse(winner.constant)
    metadata = catalogue.metadata(name)
    return Chosen(
        constant=winner.constant,
        version=winner.version,
        commit=winner.commit,
        at=answer.at,
        time=time,
        begin=name.validity.begin,
        end=name.validity.end,
        blob=catalogue.payload(name)[1].id,
        dtype=metadata.dtype,
        shape=metadata.shape,
        unit=metadata.unit,
        reason=winner.reason,
        considered=len(answer.candidates),
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
