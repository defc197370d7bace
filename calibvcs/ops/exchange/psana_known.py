"""Which documents of a psana calibration database are here already, and as what: an import leaves them as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from calibvcs.errors import CalibvcsError
from calibvcs.model.names import ConstantName
from calibvcs.ops.catalogue import Catalogue
from calibvcs.store.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from calibvcs.formats.psana.psana_import import PsanaDocument
    from calibvcs.model.detector import Parameters, ParameterValue
    from calibvcs.store.protocol import Store

PARAMETER = "psana"
"""The parameter of a constant that holds what psana's document said of it."""


def parameters(document: PsanaDocument) -> Parameters:
    """Return what is kept of a document beside the data: by its ids it is known again."""
    told: dict[str, ParameterValue] = {**(document.details or {}), "id_data": document.data}
    if document.copy_of:
        told["copy_of"] = [*document.copy_of]
    return {PARAMETER: told}


def known_documents(store: Store, documents: Iterable[PsanaDocument]) -> dict[str, ConstantName]:
    """Find documents, or those that they are copies of, among all versions that are here.

    Parameters
    ----------
    store : Store
        Here.
    documents : iterable of PsanaDocument
        The documents.

    Returns
    -------
    dict
        Name of each document that is here already, with the constant that it is a version of.
    """
    wanted = list(documents)
    here: dict[str, ConstantName] = {}
    for name, told in _told(Catalogue(Snapshot(store, store.tip())), wanted):
        for identity in _ids(told):
            here[identity] = name
    found = {}
    for document in wanted:
        for identity in (document.id, document.data, *document.copy_of):
            if identity in here:
                found[document.name] = here[identity]
    return found


def _told(catalogue: Catalogue, documents: Iterable[PsanaDocument]) -> Iterator[tuple[ConstantName, object]]:
    """Return what the versions of the constants of some documents tell of psana."""
    store = catalogue.snapshot.store
    for detector, ctype in dict.fromkeys((document.detector, document.ctype) for document in documents):
        if detector not in catalogue.detectors:
            continue
        for validity in catalogue.ranges(detector, ctype):
            name = ConstantName(detector, ctype, validity)
            for version in catalogue.history.versions(name):
                try:
                    metadata = Catalogue(Snapshot(store, version.commit.id)).metadata(name)
                except CalibvcsError:  # a version that cannot be read is told by verify
                    continue
                yield name, metadata.parameters.get(PARAMETER)


def _ids(told: object) -> Iterator[str]:
    if not isinstance(told, dict):
        return
    told_ids: Mapping[str, object] = told
    copied = told_ids.get("copy_of")
    for identity in (told_ids.get("id"), told_ids.get("id_data"), *(copied if isinstance(copied, list) else ())):
        if isinstance(identity, str) and identity:
            yield identity
