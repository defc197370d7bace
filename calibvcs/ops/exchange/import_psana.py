"""``import psana``: what a psana calibration database keeps comes in, each document once, with its time and author."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from calibvcs.errors import InvalidDataError, InvalidOptionError, MissingFileError, StorageError
from calibvcs.formats.psana import psana_import
from calibvcs.formats.psana.psana_documents import short_name
from calibvcs.model.layout import GEOMETRY_CTYPES
from calibvcs.model.metadata import Origin, Provenance
from calibvcs.model.runs import RunTable
from calibvcs.ops import payload as payloads
from calibvcs.ops.catalogue import Catalogue
from calibvcs.ops.detector import DetectorChange
from calibvcs.ops.exchange.psana_known import known_documents, parameters
from calibvcs.ops.exchange.psana_ranges import Placed, place
from calibvcs.ops.exchange.psana_selection import Selection, select
from calibvcs.ops.exchange.run_ranges import read_run_table
from calibvcs.ops.exchange.taking_over import Kept, TakenOver, take_over
from calibvcs.sources.psana_store import open_store
from calibvcs.store.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Sequence

    from calibvcs.formats.psana.psana_import import PsanaDocument
    from calibvcs.model.commits import Person
    from calibvcs.model.names import DetectorName
    from calibvcs.ops.payload import Payload
    from calibvcs.sources.psana_store import PsanaStore
    from calibvcs.store.protocol import Store


@dataclass(frozen=True, slots=True)
class PsanaRequest:
    """What is to come in.

    Attributes
    ----------
    where : str
        Address of the web service, or path of a dump.
    detectors : sequence of DetectorName
        Detectors that are wanted; empty for all.
    experiments : sequence of str
        Experiments that are wanted; empty for all.
    run_table : Path or None
        A file with the runs of one experiment.
    since : float or None
        Only documents that were made at or after this time, UNIX seconds.
    """

    where: str
    detectors: Sequence[DetectorName] = ()
    experiments: Sequence[str] = ()
    run_table: Path | None = None
    since: float | None = None


@dataclass(frozen=True, slots=True)
class ImportedPsana(TakenOver):
    """What came in from a psana calibration database.

    Attributes
    ----------
    copies : int
        Documents of detector databases that were left out, since they are copies of what experiments have.
    notes : tuple of str
        Ranges whose end is not known, and runs that get something else here than psana chooses for them.
    """

    copies: int = 0
    notes: tuple[str, ...] = ()


def import_psana(store: Store, author: Person, request: PsanaRequest) -> ImportedPsana:
    """Take over documents and data, oldest first; doing it again adds only what is new.

    Everything is read and checked before the first commit is made. A document that cannot come in does not keep the
    others out: it is told in the result, with the reason.

    Parameters
    ----------
    store : Store
        Where to.
    author : Person
        Who does it.
    request : PsanaRequest
        What from where.

    Returns
    -------
    ImportedPsana
        What was added, and what was not, with the reasons.

    Raises
    ------
    InvalidOptionError
        If the database has nothing of what was named, or nobody says which experiment a run table is of.
    MissingFileError
        If a file cannot be read.
    InvalidDataError
        If the dump is damaged, or the server answers with something else than documents.
    NetworkError
        If the server cannot be reached.
    StorageError
        If there is no room for the data on their way.
    LockedError
        If a default here is protected.
    """
    with open_store(request.where) as source, tempfile.TemporaryDirectory(prefix="calibvcs-psana-") as room:
        found = select(source, request.detectors, request.experiments)
        here = known_documents(store, found.documents)
        placed, notes = place(found.documents, _run_tables(store, request, found.documents), here)
        fetch = _Fetch(source, Path(room))
        wanted = _wanted(placed, here, request.since)
        kept = [one for one in (_kept(each, fetch, found) for each in wanted) if one is not None]
        detectors = {version.constant.detector: _detector(version.constant.detector, found) for version in kept}
        taken = take_over(store, author, f"psana's {source.name}", kept, detectors, found.passed_over)
    values = {field.name: getattr(taken, field.name) for field in fields(TakenOver)}
    values["known"] = tuple(dict.fromkeys([*map(str, here.values()), *taken.known]))
    return ImportedPsana(**values, copies=found.copies, notes=tuple(notes))


def _run_tables(store: Store, request: PsanaRequest, documents: Iterable[PsanaDocument]) -> dict[str, RunTable]:
    """Return the run table of each experiment: that of the file, else that of the repository, which may be empty."""
    catalogue = Catalogue(Snapshot(store, store.tip()))
    names = dict.fromkeys(document.experiment for document in documents)
    tables = {name: catalogue.run_table(name) if name else RunTable("") for name in names}
    if request.run_table is not None:
        candidates = [*request.experiments] or [name for name in names if name == request.run_table.stem]
        if len(candidates) != 1:
            allowed = "exactly one --experiment is needed beside it, or a file called EXPERIMENT.csv or EXPERIMENT.toml"
            raise InvalidOptionError("--run-table", str(request.run_table), allowed)
        tables[candidates[0]] = read_run_table(request.run_table, candidates[0])
    return tables


def _wanted(placed: Sequence[Placed], here: Container[str], since: float | None) -> list[Placed]:
    """Return what is new, and with it the defaults of the constants that it belongs to."""
    new = [one.document.name not in here and (since is None or one.document.made >= since) for one in placed]
    touched = {one.constant for one, is_new in zip(placed, new, strict=True) if is_new}
    return [one for one, is_new in zip(placed, new, strict=True) if is_new or (one.default and one.constant in touched)]


def _kept(placed: Placed, fetch: _Fetch, found: Selection) -> Kept | None:
    document = placed.document
    try:
        load = fetch(document)
    except (InvalidDataError, MissingFileError) as error:
        found.passed_over.append(error.problem)
        return None
    what = f"{document.ctype} of {short_name(document.detector)}"
    where = f" for {document.experiment} run {document.run}" if document.experiment else ""
    return Kept(
        constant=placed.constant,
        load=load,
        comment=document.comment or f"{what}{where}",
        time=document.made,
        author=document.author,
        default=placed.default,
        origin=Origin(document.experiment, document.run, document.run_end, f"psana {document.name}"),
        parameters=parameters(document),
        provenance=Provenance(
            command=(document.command,) if document.command else (),
            software="psana",
            user=document.user,
            host=document.host,
        ),
    )


def _detector(name: DetectorName, found: Selection) -> DetectorChange:
    longname = found.longnames.get(name, "")
    pieces = tuple(longname.split("_"))[1:] if longname.startswith(f"{name.dettype}_") else ()
    return DetectorChange(longname=longname, segments=pieces if all(pieces) else ())


class _Fetch:
    """Brings and checks the data of a document; what a server sends is laid down until its turn comes.

    Parameters
    ----------
    source : PsanaStore
        The database.
    room : Path
        A folder to lay data down in.
    """

    def __init__(self, source: PsanaStore, room: Path) -> None:
        self._source, self._room, self._count = source, room, 0

    def __call__(self, document: PsanaDocument) -> Callable[[], Payload]:
        """Return what loads the data. Raises InvalidDataError or MissingFileError where they are none."""
        data = self._source.payload(document.database, document.data, document.largest)
        _payload(data, document)
        if not self._source.is_remote:
            return partial(self._again, document)
        self._count += 1
        path = self._room / str(self._count)
        try:
            path.write_bytes(data)
        except OSError as error:
            raise StorageError(str(path), error.strerror or str(error), len(data)) from None
        return partial(_from_file, path, document)

    def _again(self, document: PsanaDocument) -> Payload:
        return _payload(self._source.payload(document.database, document.data, document.largest), document)


def _from_file(path: Path, document: PsanaDocument) -> Payload:
    return _payload(path.read_bytes(), document)


def _payload(data: bytes | memoryview, document: PsanaDocument) -> Payload:
    if document.form is not None and document.ctype in GEOMETRY_CTYPES:
        raise InvalidDataError(document.name, f"an array; {document.ctype} is text")
    if document.form is None:
        return payloads.from_text(bytes(data), document.ctype, document.name)
    return payloads.from_array(psana_import.decode_array(data, document))
