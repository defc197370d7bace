"""Records that were edited by hand: detectors, alias and run tables, settings; each is checked by its format."""

from __future__ import annotations

from typing import TYPE_CHECKING

from calibvcs.errors import AlreadyExistsError, InvalidDataError, InvalidDocumentError
from calibvcs.formats.toml import access_toml, aliases_toml, ctype_toml, detector_toml, repository_toml, runs_toml
from calibvcs.model import layout
from calibvcs.model.aliases import add_alias
from calibvcs.model.commits import Action, Signature
from calibvcs.model.names import DetectorName
from calibvcs.ops.catalogue import Catalogue
from calibvcs.store.memory import MemoryStore
from calibvcs.store.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from calibvcs.model.aliases import Alias

_NOBODY = Signature("", "", 0)


def check_record(path: str, data: bytes) -> None:
    """Check one record by its format.

    Raises
    ------
    InvalidDataError
        If it cannot be understood.
    """
    parts = path.split("/")
    try:
        if path == layout.REPOSITORY_FILE:
            repository_toml.decode(data)
        elif path == access_toml.ACCESS_FILE:
            access_toml.decode(data)
        elif parts[0] == layout.EXPERIMENTS:
            runs_toml.decode(data, parts[1].removesuffix(".toml"))
        elif parts[-1] == layout.ALIASES_FILE:
            for row in aliases_toml.decode(data, parts[0]):
                if row.detector.dettype != parts[0]:
                    reason = f"alias {row} belongs into {layout.aliases_file(row.detector.dettype)}"
                    raise InvalidDataError(path, reason, "calibvcs alias add finds the table")
        elif parts[-1] == layout.DETECTOR_FILE:
            detector_toml.decode(data, DetectorName.parse(parts[1]))
        elif parts[-1] == layout.CTYPE_FILE:
            ctype_toml.decode(data, path)
    except InvalidDocumentError as error:
        advice = f"correct it, or take it back: calibvcs restore {path}"
        raise InvalidDataError(path, error.reason, advice) from None


def with_records(catalogue: Catalogue, records: Mapping[str, bytes]) -> Catalogue:
    """Return the state that follows from new records, in memory; constants of one change are checked against it.

    Parameters
    ----------
    catalogue : Catalogue
        The commit.
    records : mapping of str to bytes
        Records that are to be committed, checked one by one.

    Returns
    -------
    Catalogue
        The same with these records.

    Raises
    ------
    OverlapError
        If an alias would mean two detectors at one time.
    UnknownDetectorError
        If an alias would mean a detector that is not registered.
    AlreadyExistsError
        If an alias would hide a detector.
    """
    if not records:
        return catalogue
    memory = MemoryStore(catalogue.snapshot.store)
    edits = {path: memory.put_blob([data]) for path, data in records.items()}
    made = memory.commit_edits(catalogue.snapshot.commit_id, edits, "Records\n", _NOBODY, _NOBODY)
    after = Catalogue(Snapshot(memory, made))
    rows: tuple[Alias, ...] = ()
    for row in after.aliases:
        rows = add_alias(rows, row)
        after.detector(row.detector)
        if row.alias in map(str, after.detectors):
            raise AlreadyExistsError("detector", row.alias, "an alias must not hide a detector; choose another name")
    return after


def action_of(paths: Iterable[str]) -> Action | None:
    """Return the verb that changes such records; None where there is none, or more than one."""
    found = {_action(path) for path in paths}
    return next(iter(found)) if len(found) == 1 else None


def _action(path: str) -> Action | None:
    if path.startswith(f"{layout.EXPERIMENTS}/"):
        return Action.RUN
    actions = {
        layout.ALIASES_FILE: Action.ALIAS,
        layout.DETECTOR_FILE: Action.DETECTOR,
        layout.CTYPE_FILE: Action.PARAM,
    }
    return actions.get(path.rpartition("/")[2])
