"""Which documents of a psana calibration database are wanted, each once; what cannot come in is told with reasons."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from calibvcs.errors import InvalidDataError, InvalidNameError, InvalidOptionError
from calibvcs.formats.psana.psana_documents import detector_of, short_name
from calibvcs.formats.psana.psana_import import PsanaDocument, read_document, read_longnames
from calibvcs.sources.psana_store import NAMES, PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from calibvcs.model.names import DetectorName
    from calibvcs.sources.psana_store import PsanaStore

_SHOWN = 20


@dataclass(slots=True)
class Selection:
    """What was found.

    Attributes
    ----------
    documents : list of PsanaDocument
        In the order in which the database gave them; psana's ties are decided by it.
    longnames : dict
        Long name of each detector, where one is known.
    passed_over : list of str
        What was left out, each with the reason.
    copies : int
        Documents that were left out since they are copies of others.
    """

    documents: list[PsanaDocument] = field(default_factory=list)
    longnames: dict[DetectorName, str] = field(default_factory=dict)
    passed_over: list[str] = field(default_factory=list)
    copies: int = 0


def select(store: PsanaStore, detectors: Sequence[DetectorName], experiments: Sequence[str]) -> Selection:
    """Return the documents of a database, without the data.

    Parameters
    ----------
    store : PsanaStore
        The database.
    detectors : sequence of DetectorName
        Detectors that are wanted; empty for all.
    experiments : sequence of str
        Experiments that are wanted; empty for all.

    Returns
    -------
    Selection
        Documents of experiments first, then those of detectors that no experiment has; private databases
        (``cdb_<detector>_<suffix>``) are passed over.

    Raises
    ------
    InvalidOptionError
        If the database has nothing of a detector or experiment that was named.
    NetworkError, InvalidDataError, MissingFileError
        If the database cannot be read.
    """
    found = Selection()
    wanted = {short_name(name) for name in detectors}
    databases = [name for name in store.databases() if name != NAMES]
    collections = _collections(store, databases, wanted, experiments)
    of_detectors = [name for name in collections if name.removeprefix(PREFIX) in collections[name]]
    private = {name for name in collections if name not in of_detectors and _is_private(name, collections[name])}
    found.passed_over += [f"{name}: a private database" for name in sorted(private)]
    of_experiments = [name for name in collections if name not in of_detectors and name not in private]
    for database in of_experiments:
        experiment = database.removeprefix(PREFIX)
        if not experiments or experiment in experiments:
            for collection in collections[database]:
                found.documents += _read(store, database, collection, found.passed_over, experiment)
    originals = {identity for document in found.documents for identity in (document.id, document.data)}
    for database in of_detectors:
        for document in _read(store, database, database.removeprefix(PREFIX), found.passed_over):
            if originals.intersection(document.copy_of):
                found.copies += 1
            elif not experiments or document.experiment in experiments:
                found.documents.append(document)
    _check("--detector", detectors, {document.detector for document in found.documents})
    _check("--experiment", experiments, {document.experiment for document in found.documents})
    found.longnames = _longnames(store, found.documents)
    return found


def _collections(
    store: PsanaStore, databases: Sequence[str], wanted: set[str], experiments: Sequence[str]
) -> dict[str, tuple[str, ...]]:
    """Return the collections to be read of each database that may have something."""
    found = {}
    for database in databases:
        name = database.removeprefix(PREFIX)
        if experiments and name not in experiments and "_" not in name:
            continue  # another experiment, for the short name of a detector has a _
        names = [one for one in store.collections(database) if not wanted or one in wanted]
        if names:
            found[database] = tuple(names)
    return found


def _is_private(database: str, collections: Sequence[str]) -> bool:
    """Tell whether a database is somebody's own copy of a detector's: its name goes on behind the short name."""
    return any(database.startswith(f"{PREFIX}{collection}_") for collection in collections)


def _read(
    store: PsanaStore, database: str, collection: str, passed_over: list[str], experiment: str = ""
) -> Iterator[PsanaDocument]:
    for fields in store.documents(database, collection):
        try:
            yield read_document(fields, database, collection, experiment)
        except InvalidDataError as error:
            passed_over.append(error.problem)
        except InvalidNameError as error:
            passed_over.append(f"{database}/{str(fields.get('_id'))[:40]}: {error.problem}")


def _check(option: str, wanted: Sequence[object], there: set[object]) -> None:
    """Refuse where nothing is there of what was named."""
    missing = [str(one) for one in wanted if one not in there]
    if missing:
        known = ", ".join(sorted(map(str, there))[:_SHOWN]) or "nothing"
        raise InvalidOptionError(option, ", ".join(missing), f"of what was asked for, the database has {known}")


def _longnames(store: PsanaStore, documents: Sequence[PsanaDocument]) -> dict[DetectorName, str]:
    """Return the long names that the database of names tells, else the last one that a document of the detector has."""
    wanted = {document.detector for document in documents}
    found: dict[DetectorName, str] = {}
    for document in documents:
        told = (document.details or {}).get("longname")
        if isinstance(told, str) and told != short_name(document.detector):
            found[document.detector] = told
    known = store.collections(NAMES) if NAMES in store.databases() else ()
    for dettype in sorted({name.dettype for name in wanted} & set(known)):
        for short, (long, _) in read_longnames(list(store.documents(NAMES, dettype)), NAMES).items():
            try:
                name = detector_of(short)
            except InvalidNameError:
                continue
            if name in wanted:
                found[name] = long
    return found
