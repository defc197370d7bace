"""Three trees merged into one: constants as a whole, records part by part, everything else file by file."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from calibvcs.errors import CalibvcsError
from calibvcs.formats.toml import meta_toml
from calibvcs.model import layout
from calibvcs.model.metadata import Provenance
from calibvcs.model.names import DetectorName, parse_dettype, parse_experiment
from calibvcs.model.three_way import Conflict, Side
from calibvcs.ops.merges import records as merge_records
from calibvcs.ops.merges.records import Contents
from calibvcs.ops.merges.three_trees import Place
from calibvcs.store.protocol import FILE_MODE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from calibvcs.model.three_way import Judge
    from calibvcs.ops.merges.three_trees import Trees
    from calibvcs.store.protocol import TreeEntry


@dataclass(frozen=True, slots=True)
class Taken:
    """Something that came from theirs: a constant by its name, or a file by its path, and what it is to ours."""

    kind: Literal["constant", "file"]
    name: str
    change: Literal["added", "changed", "removed"]


@dataclass(frozen=True, slots=True)
class Content:
    """The outcome: edits of ours (files as blob id or bytes, None takes one away), and what they bring."""

    edits: dict[str, str | bytes | None] = field(default_factory=dict)
    taken: list[Taken] = field(default_factory=list)


def taken_at(place: Place) -> Taken:
    """Return what it is to ours that theirs comes to a place."""
    change: Literal["added", "changed", "removed"]
    change = "added" if place.ours is None else "removed" if place.theirs is None else "changed"
    return Taken("constant", str(place.constant), change) if place.constant else Taken("file", place.path, change)


def merge_content(trees: Trees, base: str | None, ours: str, theirs: str, judge: Judge) -> Content:
    """Merge three trees.

    Parameters
    ----------
    trees : Trees
        Where to read.
    base, ours, theirs : str
        Ids of the trees; None for a base that is empty.
    judge : Judge
        Settles conflicts; where one stays open, the outcome has what ours has.

    Returns
    -------
    Content
        Edits of ours.

    Raises
    ------
    InvalidDocumentError
        If something that is to be taken from theirs is no plain file.
    DamagedObjectError
        If a tree or a record is missing or damaged.
    """
    merge = _ContentMerge(trees, (base, ours, theirs), judge)
    merge.run()
    return merge.content


class _ContentMerge:
    def __init__(self, trees: Trees, roots: tuple[str | None, str | None, str | None], judge: Judge) -> None:
        self._trees = trees
        self._roots = roots
        self._judge = judge
        self.content = Content()

    def run(self) -> None:
        places = list(self._trees.places(*self._roots))
        tables = [place for place in places if _is_alias_table(place.path)]
        for place in places:
            if place.constant:
                self._constant(place)
            elif place not in tables:
                self._file(place)
        if tables:
            self._aliases(tables)
        self._detectors(places)

    def _take(self, place: Place) -> None:
        self.content.edits.update(self._trees.exchange(place.path, place.ours, place.theirs))
        self.content.taken.append(taken_at(place))

    def _constant(self, place: Place) -> None:
        if place.ours == place.base:
            self._take(place)
            return
        conflict = Conflict("constant", str(place.constant), (place.path,), *map(_id, place[1:]))
        if self._is_same_constant(place):  # nothing is decided for readers, so nobody need be asked
            side = self._judge.newer(conflict) or (Side.OURS if conflict.ours < conflict.theirs else Side.THEIRS)
        else:
            side = self._judge.side(conflict)
        if side is Side.THEIRS:
            self._take(place)

    def _is_same_constant(self, place: Place) -> bool:
        """Tell whether both sides have the same data and metadata, but for how they came about."""
        if not (place.ours and place.theirs and place.ours.is_tree and place.theirs.is_tree):
            return False
        ours, theirs = (dict(self._trees.names(entry.id)) for entry in (place.ours, place.theirs))
        metas = [self._trees.blob(names.pop(layout.META_FILE, None)) for names in (ours, theirs)]
        if ours != theirs or None in metas:
            return False
        try:
            a, b = (replace(meta_toml.decode(data or b"", place.path), provenance=Provenance()) for data in metas)
        except CalibvcsError:
            return False
        return a == b and repr(a.parameters) == repr(b.parameters)

    def _file(self, place: Place) -> None:
        if place.ours == place.base:
            self._take(place)
            return
        merged = self._record(place) if _are_plain(place[1:]) else None
        if merged is None:
            self._whole(place)
        else:
            self._write(place, merged)

    def _whole(self, place: Place) -> None:
        if self._judge.side(Conflict("file", place.path, (place.path,), *map(_id, place[1:]))) is Side.THEIRS:
            self._take(place)

    def _record(self, place: Place) -> bytes | None:
        """Merge a run table or a record; None for what is neither, or has to be merged as a whole."""
        folder, _, name = place.path.rpartition("/")
        is_table = folder == layout.EXPERIMENTS and name.endswith(".toml")
        is_record = name in {layout.DETECTOR_FILE, layout.CTYPE_FILE}
        if not is_table and (not is_record or place.ours is None or place.theirs is None):
            return None
        given = Contents(*map(self._trees.blob, place[1:]))
        attempt = self._judge.attempt()
        try:
            if is_table:
                merged = merge_records.merge_runs(place.path, parse_experiment(name[:-5]), given, attempt)
            elif name == layout.CTYPE_FILE:
                merged = merge_records.merge_ctype(place.path, folder.partition("/")[2], given, attempt)
            else:
                detector = DetectorName.parse(folder.rpartition("/")[2])
                if place.path != layout.detector_file(detector):
                    return None
                merged = merge_records.merge_detector(place.path, detector, given, attempt)
        except CalibvcsError:
            return None
        self._judge.adopt(attempt)
        return merged

    def _aliases(self, changed: Sequence[Place]) -> None:
        """Merge all alias tables together: rows of one alias may stand in several."""
        tables = self._alias_tables()
        if all(place.ours == place.base for place in tables):
            for place in changed:
                self._take(place)
            return
        attempt = self._judge.attempt()
        merged: dict[str, bytes] | None = None
        if all(_are_plain(place[1:]) for place in tables):
            given = {place.path: Contents(*map(self._trees.blob, place[1:])) for place in tables}
            try:
                merged = merge_records.merge_aliases(given, attempt)
            except CalibvcsError:
                merged = None
        if merged is None:  # whether rows overlap cannot be told, so that nothing is taken unasked
            for place in changed:
                self._whole(place)
            return
        self._judge.adopt(attempt)
        for place in tables:
            self._write(place, merged[place.path])

    def _alias_tables(self) -> list[Place]:
        tables = []
        for name in sorted({name for root in self._roots if root for name in self._trees.names(root)}):
            path = f"{name}/{layout.ALIASES_FILE}"
            place = Place(path, *(self._trees.find(root, path) for root in self._roots))
            if _is_alias_table(path) and len(set(place[1:])) > 1:
                tables.append(place)
        return tables

    def _detectors(self, places: Sequence[Place]) -> None:
        """Ask where one side took the record of a detector away for which the other one has constants."""
        parts = (place.path.split("/") for place in places if place.path.count("/") > 1)
        folders = sorted({f"{dettype}/{name}" for dettype, name, *_ in parts if _is_detector_folder(dettype, name)})
        records = [f"{folder}/{layout.DETECTOR_FILE}" for folder in folders]
        found = [Place(path, *(self._trees.find(root, path) for root in self._roots)) for path in records]
        doubtful = [place for place in found if place.base and (place.ours is None) != (place.theirs is None)]
        doubtful = [place for place in doubtful if not self._judge.disputed(place.path)]
        edits = {path: new if new is None else "0" * 40 for path, new in self.content.edits.items()}  # just names count
        outcome = self._trees.edited(self._roots[1], edits) if doubtful else None
        for place in doubtful:
            left = self._trees.find(outcome, place.path.rpartition("/")[0])
            if left is None or not left.is_tree or self._trees.find(outcome, place.path):
                continue  # nothing is left of the detector, or its record is there
            conflict = Conflict("file", place.path, (place.path,), *map(_id, place[1:]))
            side = self._judge.side(conflict)
            if place.ours and side is Side.OURS:
                del self.content.edits[place.path]
                self.content.taken.remove(taken_at(place))
            elif place.theirs and side is Side.THEIRS:
                self._take(place)

    def _write(self, place: Place, merged: bytes) -> None:
        """Put a merged record in place; where all of it is gone, and a side took the file away, so is the file."""
        _, ours, theirs = (self._trees.blob(entry) for entry in place[1:])
        if not merged and None in (ours, theirs):
            if ours is not None:
                self._take(place._replace(theirs=None))
        elif merged == theirs:
            if ours != theirs:
                self._take(place)
        elif merged != ours:
            self.content.edits[place.path] = merged
            self.content.taken.append(taken_at(place._replace(theirs=place.theirs or place.ours)))


def _is_alias_table(path: str) -> bool:
    folder, _, name = path.partition("/")
    if name != layout.ALIASES_FILE:
        return False
    try:
        return bool(parse_dettype(folder))
    except CalibvcsError:
        return False


def _is_detector_folder(dettype: str, name: str) -> bool:
    try:
        return DetectorName.parse(name).dettype == dettype
    except CalibvcsError:
        return False


def _are_plain(entries: Sequence[TreeEntry | None]) -> bool:
    return all(entry is None or entry.mode == FILE_MODE for entry in entries)


def _id(entry: TreeEntry | None) -> str:
    return entry.id if entry else ""
