"""An overlay: a calib directory that is looked at before the repository, as online tools of LCLS do."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from calibvcs.errors import CalibvcsError, InvalidOptionError, UnknownDetectorError
from calibvcs.formats.calib.calib_scan import scan
from calibvcs.model.names import DetectorName, parse_ctype
from calibvcs.model.times import RunName
from calibvcs.ops.exchange import calib_values
from calibvcs.ops.exchange.calib_sources import Sources
from calibvcs.ops.exchange.run_ranges import RunTimes
from calibvcs.store.durable import disk_errors, write_file

if TYPE_CHECKING:
    from calibvcs.ops.catalogue import Catalogue
    from calibvcs.ops.payload import Value

STANDARD_OUTPUT = "-"


@dataclass(frozen=True, slots=True)
class Overlaid:
    """A constant of an overlay.

    Attributes
    ----------
    path : str
        The file.
    detector, source, ctype : str
        Whose it is, here and in the DAQ of LCLS-I, and its calibration type.
    run : int
        The run that was asked for.
    first, last : int and int or None
        The runs that the file is for, both included; None is open.
    dtype : str
        Dtype of the data; ``text`` for text.
    shape : tuple of int
        Shape of the data; empty for text.
    reason : str
        Why it was chosen.
    considered : int
        Number of files that were looked at.
    output : str
        File that the data were written to, if any.
    """

    schema: ClassVar[str] = "calibvcs.overlay/1"

    path: str
    detector: str
    source: str
    ctype: str
    run: int
    first: int
    last: int | None
    dtype: str
    shape: tuple[int, ...]
    reason: str
    considered: int
    output: str = ""

    def load(self) -> Value:
        """Return the data.

        Returns
        -------
        ndarray or str
            The array in the dtype and shape of the file; or the text.

        Raises
        ------
        MissingFileError, InvalidDataError
            If the file cannot be read any more.
        """
        found = calib_values.read(Path(self.path), self.ctype)
        return found.text if found.array is None else found.array


def find(
    catalogue: Catalogue, folder: Path, detector: str, ctype: str, when: float | RunName, now: float
) -> Overlaid | None:
    """Return the constant that an overlay has for a run, by LCLS' rule; None where it has none.

    Parameters
    ----------
    catalogue : Catalogue
        The commit whose aliases, detectors and runs are meant.
    folder : Path
        The calib directory, or a folder that holds one as ``calib``.
    detector : str
        Detector or alias.
    ctype : str
        Calibration type.
    when : float or RunName
        The run, or UNIX seconds in a run of a run table.
    now : float
        UNIX seconds at which an alias is resolved where the begin of the run is not known.

    Returns
    -------
    Overlaid or None
        The file, with the form of its data.

    Raises
    ------
    MissingFileError, InvalidDataError
        If the folder is none, or the file that is chosen cannot be read: readers of LCLS would not pass it over.
    UnknownDetectorError
        If the name means nothing.
    InvalidOptionError
        If it is not known which run was going on at the time.
    """
    name = _detector(catalogue, detector, when, now)
    run = when.run if isinstance(when, RunName) else _run_at(catalogue, when, folder)
    sources, ctype = Sources(catalogue, {}), parse_ctype(ctype)
    files = scan(folder, lambda source, of: of == ctype and sources.detector(source) == name).files
    file = max((file for file in files if run in file.span), key=lambda file: file.span, default=None)
    if file is None:
        return None
    payload = calib_values.read(file.path, ctype)
    return Overlaid(
        path=str(file.path),
        detector=str(name),
        source=str(file.source),
        ctype=ctype,
        run=run,
        first=file.span.first,
        last=file.span.last,
        dtype=payload.dtype,
        shape=payload.shape,
        reason="largest first run of those that cover the run, then smallest last run",
        considered=len(files),
    )


def write(found: Overlaid, output: str) -> Overlaid:
    """Write the data of an overlay to a file, in the form that the repository has them in.

    Parameters
    ----------
    found : Overlaid
        The constant.
    output : str
        Path; the file appears whole or not at all. ``-`` is standard output.

    Returns
    -------
    Overlaid
        The same with the path.

    Raises
    ------
    StorageError, NotWritableError
        If the file cannot be written.
    MissingFileError, InvalidDataError
        If the file of the overlay cannot be read any more.
    """
    import sys

    buffers = calib_values.read(Path(found.path), found.ctype).buffers
    with disk_errors(output):
        if output == STANDARD_OUTPUT:
            sys.stdout.buffer.writelines(buffers)
            sys.stdout.buffer.flush()
        else:
            write_file(Path(output).resolve(), buffers)
    return replace(found, output=output)


def _detector(catalogue: Catalogue, given: str, when: float | RunName, now: float) -> DetectorName:
    try:
        time = catalogue.seconds(when)
    except CalibvcsError:  # an overlay knows runs that the repository does not
        time = now
    try:
        return catalogue.resolve(given, time)
    except UnknownDetectorError:
        if "-" not in given:
            raise
        return DetectorName.parse(given)  # it may have constants in the overlay alone


def _run_at(catalogue: Catalogue, time: float, folder: Path) -> int:
    """Return the run that was going on: of the experiment that the folder is named by, else of the only one."""
    known = catalogue.experiments()
    named = [part for part in reversed(folder.resolve().parts) if part in known]
    runs = {}
    for experiment in named[:1] or known:
        try:
            run = RunTimes(catalogue.run_table(experiment)).run_at(time)
        except CalibvcsError:
            continue
        if run is not None:
            runs[experiment] = run
    if len(runs) != 1:
        found = ", ".join(f"{experiment}:{run}" for experiment, run in runs.items())
        allowed = f"an overlay goes by run numbers, and the run at {time:.16g} is {found or 'in no run table'}"
        raise InvalidOptionError("--overlay", str(folder), allowed, "name the run: --run EXPERIMENT:RUN")
    return next(iter(runs.values()))
