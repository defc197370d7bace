"""What stood beside the data of each version when it was the default for the last time."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from calibvcs.errors import CalibvcsError
from calibvcs.ops.catalogue import Catalogue
from calibvcs.store.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Collection

    from calibvcs.model.metadata import Metadata
    from calibvcs.model.names import ConstantName
    from calibvcs.ops.threads import Version


def last_metadata(catalogue: Catalogue, constant: ConstantName, versions: Collection[Version]) -> dict[str, Metadata]:
    """Return the metadata of versions with everything that was set since they were added, while they were the default.

    Parameters
    ----------
    catalogue : Catalogue
        The commit to look at.
    constant : ConstantName
        The constant.
    versions : collection of Version
        Versions of it.

    Returns
    -------
    dict of str to Metadata
        By the name of the version; neither locked nor withdrawn.

    Raises
    ------
    InvalidDocumentError, DamagedObjectError
        If what was added cannot be read.
    """
    store = catalogue.snapshot.store
    missing = {version.name: version for version in versions}
    found: dict[str, Metadata] = {}
    for event in catalogue.history.events(str(constant)):
        name = dict(event.versions).get(str(constant), "")
        if name in missing:
            try:
                found[name] = Catalogue(Snapshot(store, event.commit.id)).metadata(constant)
            except CalibvcsError:  # a commit that was made by hand may have broken it for a while
                continue
            del missing[name]
        if not missing:
            break
    for name, version in missing.items():
        found[name] = Catalogue(Snapshot(store, version.commit.id)).metadata(constant)
    return {name: _free(metadata) for name, metadata in found.items()}


def _free(metadata: Metadata) -> Metadata:
    return replace(metadata, locked=False, lock_reason="", withdrawn=False, withdrawn_reason="")
