"""What stands at the place of a conflict at any commit, who made it so, and on which side it is newer."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from calibvcs.errors import CalibvcsError
from calibvcs.model.layout import ALIASES_FILE, EXPERIMENTS
from calibvcs.model.names import ConstantName
from calibvcs.model.three_way import Conflict, Side
from calibvcs.ops.catalogue import Catalogue
from calibvcs.ops.last_change import last_change
from calibvcs.ops.merges import records as merge_records
from calibvcs.store.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable

    from calibvcs.model.commits import Commit
    from calibvcs.ops.threads import Version
    from calibvcs.store.protocol import ReadableStore


class Standings:
    """Looks at both sides of a merge for those who have to settle its conflicts.

    Parameters
    ----------
    store : ReadableStore
        Where to read.
    ours, theirs : str
        Ids of the two commits.
    """

    def __init__(self, store: ReadableStore, ours: str, theirs: str) -> None:
        self._store = store
        self._catalogues = {
            side: Catalogue(Snapshot(store, tip)) for side, tip in ((Side.OURS, ours), (Side.THEIRS, theirs))
        }
        self._said: dict[tuple[str, ...], str] = {}

    def version(self, conflict: Conflict, side: Side) -> Version | None:
        """Return the version of a constant that is the default on a side; None where there is none."""
        catalogue = self._catalogues[side]
        constant = ConstantName.parse(conflict.name) if conflict.kind == "constant" else None
        gone = constant is None or catalogue.snapshot.entry(conflict.paths[0]) is None
        return None if gone or constant is None else catalogue.history.default(constant)

    def change(self, conflict: Conflict, side: Side) -> Commit:
        """Return the commit that made the matter of a conflict what it is on a side."""
        tip = self._catalogues[side].snapshot.commit_id or ""
        return last_change(self._store.commit, tip, cache(self._reader(conflict)))

    def newer(self, conflict: Conflict) -> Side | None:
        """Return the side on which the matter of a conflict is newer, by the author's date.

        For a constant, the versions that are the defaults are compared, not when they became so; for anything else,
        the commits that made it what it is.

        Returns
        -------
        Side or None
            None where both are of one date, or where a constant has no version on a side.
        """
        ours, theirs = (self._time(conflict, side) for side in Side)
        if ours is None or theirs is None or ours == theirs:
            return None
        return Side.OURS if ours > theirs else Side.THEIRS

    def _time(self, conflict: Conflict, side: Side) -> int | None:
        if conflict.kind == "constant":
            version = self.version(conflict, side)
            return version.commit.author.time if version else None
        return self.change(conflict, side).author.time

    def _reader(self, conflict: Conflict) -> Callable[[str], str]:
        def standing(commit_id: str) -> str:
            snapshot = Snapshot(self._store, commit_id)
            paths = _alias_tables(snapshot) if conflict.kind == "alias" else conflict.paths
            entries = [snapshot.entry(path) for path in paths]
            ids = tuple(
                f"{path} {entry.mode:o} {entry.id}" for path, entry in zip(paths, entries, strict=True) if entry
            )
            if conflict.kind in {"constant", "file"} or not ids:
                return "; ".join(ids)
            key = (conflict.name, *ids)
            if key not in self._said:
                self._said[key] = _said(conflict, {path: snapshot.read(path) or b"" for path in paths}, ids)
            return self._said[key]

        return standing


def _alias_tables(snapshot: Snapshot) -> tuple[str, ...]:
    folders = (name for name, entry in snapshot.names().items() if entry.is_tree and not name.startswith("."))
    paths = (f"{name}/{ALIASES_FILE}" for name in folders if name != EXPERIMENTS)
    return tuple(path for path in paths if snapshot.blob_id(path))


def _said(conflict: Conflict, files: dict[str, bytes], ids: tuple[str, ...]) -> str:
    """Return the row or entry as text; of a file that cannot be read, its id."""
    _, _, name = conflict.name.partition(":")
    path, data = next(iter(files.items()))
    try:
        if conflict.kind == "alias":
            return merge_records.alias_rows(files, name)
        if conflict.kind == "run":
            return merge_records.run_row(data, path, int(name))
        return merge_records.entry(data, path, name)
    except CalibvcsError:
        return "; ".join(ids)
