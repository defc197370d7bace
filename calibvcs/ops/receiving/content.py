"""Whether new files keep the format: ``verify`` of what a push brings, and of nothing else."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from calibvcs.errors import CalibvcsError, DamagedObjectError, InvalidDocumentError, InvalidNameError
from calibvcs.formats.toml import (
    access_toml,
    aliases_toml,
    ctype_toml,
    detector_toml,
    meta_toml,
    repository_toml,
    runs_toml,
)
from calibvcs.model import layout
from calibvcs.model.access import ADMINS, GROUP, Verb
from calibvcs.model.names import ConstantName, DetectorName, parse_ctype, parse_dettype, parse_experiment
from calibvcs.model.validity import Validity
from calibvcs.ops.records import Records

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from calibvcs.model.access import Limits
    from calibvcs.model.aliases import Alias
    from calibvcs.ops.receiving.tree_changes import Touch
    from calibvcs.store.protocol import TreeEntry
    from calibvcs.store.quarantine import IncomingStore
    from calibvcs.store.snapshot import Snapshot

_DOCUMENT_BYTES = 4 << 20
_TEXT_BYTES = 16 << 20
_TOP_FILES = {layout.ATTRIBUTES_FILE, ".gitignore", ".mailmap", "README.md", "LICENSE"}
_SETTINGS = ".calibvcs"
_DEPTH = 5


class Problem(NamedTuple):
    """What is wrong with a path, and how it can be made right."""

    path: str
    reason: str
    advice: str = ""


class Contents:
    """The files of new commits, each looked at once.

    Parameters
    ----------
    store : IncomingStore
        Where they are.
    limits : Limits
        How large they may be.

    Attributes
    ----------
    size : int
        Bytes of all new files, not compressed.
    """

    def __init__(self, store: IncomingStore, limits: Limits) -> None:
        self._store, self._limits = store, limits
        self._checked: set[tuple[str, str]] = set()
        self._weighed: set[str] = set()
        self.size = 0

    def check(self, snapshot: Snapshot, touches: Iterable[Touch]) -> Iterator[Problem]:
        """Yield what is wrong with the files that one commit changed.

        Parameters
        ----------
        snapshot : Snapshot
            The commit.
        touches : iterable of Touch
            What it changed.

        Yields
        ------
        Problem
            One for each path that breaks the format.
        """
        folders: dict[str, None] = {}
        meanings = False
        for touch in touches:
            parts = touch.path.split("/")
            if len(parts) == _DEPTH and parts[0] != _SETTINGS:
                folders[touch.path.rpartition("/")[0]] = None
            if touch.after is None or touch.after.trouble or (touch.path, touch.after.id) in self._checked:
                continue
            self._checked.add((touch.path, touch.after.id))
            meanings |= parts[-1] in {layout.ALIASES_FILE, layout.DETECTOR_FILE}
            try:
                if touch.after.is_tree:
                    raise _no_such_file(touch.path)
                self._weigh(touch.path, touch.after.id)
                self._file(parts, touch.after.id, snapshot)
            except CalibvcsError as error:
                yield Problem(touch.path, _said(error, touch.path))
        for folder in folders:
            if names := snapshot.names(folder):
                yield from self._constant(folder, dict(names), snapshot)
        if meanings or len(snapshot.commit.parents) > 1:  # what is sound on each side of a merge may clash in it
            yield from self._meanings(snapshot)

    def _weigh(self, path: str, blob: str) -> None:
        if blob in self._weighed:
            return
        self._weighed.add(blob)
        kind, size = self._store.size(blob)
        if kind != "blob":
            raise InvalidDocumentError(path, f"it is a {kind}, not a blob")
        if size > self._limits.file_bytes:
            raise InvalidDocumentError(path, f"it has {size} bytes; at most {self._limits.file_bytes} may be pushed")
        self.size += size

    def _read(self, blob: str, most: int = _DOCUMENT_BYTES) -> bytes:
        return self._store.content(blob, most)[1]

    def _file(self, parts: list[str], blob: str, snapshot: Snapshot) -> None:
        path, depth = "/".join(parts), len(parts)
        if parts[0] == _SETTINGS and depth == 2:
            self._setting(path, blob)
        elif path in _TOP_FILES:
            self._read(blob)
        elif parts[0] == layout.EXPERIMENTS and depth == 2 and parts[1].endswith(".toml"):
            runs_toml.decode(self._read(blob), parse_experiment(parts[1].removesuffix(".toml")))
        elif depth == 2 and parts[1] == layout.ALIASES_FILE:
            dettype = parse_dettype(parts[0])
            for row in aliases_toml.decode(self._read(blob), dettype):
                if row.detector.dettype != dettype:
                    raise InvalidDocumentError(
                        path, f"alias {row} does not stand in the table of {row.detector.dettype}"
                    )
                if snapshot.blob_id(layout.detector_file(row.detector)) is None:
                    raise InvalidDocumentError(path, f"alias {row} means a detector that is not registered")
        elif depth == 3 and parts[2] == layout.DETECTOR_FILE:
            detector_toml.decode(self._read(blob), _detector(parts))
        elif depth == 4 and parts[3] == layout.CTYPE_FILE:
            _detector(parts)
            parse_ctype(parts[2])
            ctype_toml.decode(self._read(blob), path)
        elif depth == _DEPTH and parts[4] in {*layout.PAYLOAD_FILES, layout.META_FILE}:
            ConstantName(_detector(parts), parse_ctype(parts[2]), Validity.parse(parts[3]))
        else:
            raise _no_such_file(path)

    def _setting(self, path: str, blob: str) -> None:
        data = self._read(blob)
        if path == layout.REPOSITORY_FILE:
            repository_toml.decode(data)
        elif path == access_toml.ACCESS_FILE:
            access = access_toml.decode(data)
            rulers = [rule.who for rule in access.rules if Verb.ADMIN in rule.may]
            alone = {name for who in rulers for name in who}
            if not access.names_nobody and not any(
                not name.startswith(GROUP) or access.groups.get(name[1:]) for name in alone
            ):
                raise InvalidDocumentError(path, f"it leaves nobody who may change the rules; {GROUP}{ADMINS} is empty")

    def _constant(self, folder: str, files: dict[str, TreeEntry], snapshot: Snapshot) -> Iterator[Problem]:
        key = (folder, repr(sorted((name, entry.id) for name, entry in files.items())))
        if key in self._checked:
            return
        self._checked.add(key)
        try:
            constant = layout.constant_of(f"{folder}/")
        except CalibvcsError:  # told of its files
            return
        if constant is None:
            return
        if snapshot.blob_id(layout.detector_file(constant.detector)) is None:
            yield Problem(folder, f"detector {constant.detector} has no {layout.DETECTOR_FILE}")
        payload = [file for file in layout.PAYLOAD_FILES if file in files]
        if len(payload) != 1 or layout.META_FILE not in files:
            expected = f"{layout.META_FILE} and one of {', '.join(layout.PAYLOAD_FILES)}"
            yield Problem(folder, f"it holds {', '.join(sorted(files))}; expected is {expected}")
            return
        path = f"{folder}/{payload[0]}"
        try:
            self._data(constant, path, files)
        except CalibvcsError as error:
            yield Problem(path, _said(error, path))

    def _data(self, constant: ConstantName, path: str, files: dict[str, TreeEntry]) -> None:
        from calibvcs.formats import npy  # numpy takes long to import, and most pushes are of few files
        from calibvcs.ops import payload as payloads

        file = path.rpartition("/")[2]
        folder = layout.constant_folder(constant)
        metadata = meta_toml.decode(self._read(files[layout.META_FILE].id), f"{folder}/{layout.META_FILE}")
        expected = layout.payload_file(constant.ctype, text=metadata.is_text)
        blob = files[file].id
        if file != expected:
            raise InvalidDocumentError(path, f"by its metadata the file has to be {expected}, not {file}")
        if metadata.is_text:
            payloads.from_text(self._read(blob, _TEXT_BYTES), constant.ctype, path)
            return
        if self._store.size(blob)[1] > self._limits.file_bytes:
            return  # told already, and its head may be as large as all of it
        head, size = self._store.blob_head(blob, npy.HEAD_SIZE)
        header = npy.read_header(head, size, path)
        if (header.dtype, header.shape) != (metadata.dtype, metadata.shape):
            told = f"{metadata.dtype} {metadata.shape}"
            found = f"{header.dtype} {header.shape}"
            raise InvalidDocumentError(path, f"{layout.META_FILE} says {told}, the array is {found}")
        if metadata.dims and len(metadata.dims) != len(header.shape):
            axes = f"{layout.META_FILE} names {len(metadata.dims)} axes, the array has {len(header.shape)}"
            raise InvalidDocumentError(path, axes)

    def _meanings(self, snapshot: Snapshot) -> Iterator[Problem]:
        """Tell names that would mean two detectors, or another one than they say."""
        records = Records(snapshot)
        dettypes = {detector.dettype for detector in records.detectors}
        tables = sorted(f"{snapshot.blob_id(layout.aliases_file(dettype))}" for dettype in dettypes)
        key = ("", repr((tables, records.detectors)))
        if key in self._checked:
            return
        self._checked.add(key)
        try:
            rows = records.aliases
        except CalibvcsError:  # told where the table came in
            return
        farthest: dict[str, Alias] = {}
        for row in sorted(rows, key=lambda row: (row.alias, row.validity.begin)):
            path = layout.aliases_file(row.detector.dettype)
            other = farthest.get(row.alias)
            if other is not None and other.validity.overlaps(row.validity):
                yield Problem(path, f"alias {row} overlaps {other}; at one time an alias means one detector")
            if other is None or _end(row) > _end(other):
                farthest[row.alias] = row
            try:
                hidden = snapshot.blob_id(layout.detector_file(DetectorName.parse(row.alias)))
            except InvalidNameError:
                hidden = None
            if hidden is not None:
                yield Problem(path, f"alias {row} hides the detector of this name", "choose another name for the alias")


def _end(row: Alias) -> float:
    return math.inf if row.validity.end is None else row.validity.end


def _detector(parts: list[str]) -> DetectorName:
    detector = DetectorName.parse(parts[1])
    if str(detector) != parts[1] or detector.dettype != parts[0]:
        raise InvalidNameError("folder of a detector", "/".join(parts[:2]), f"{detector.dettype}/{detector}")
    return detector


def _no_such_file(path: str) -> InvalidDocumentError:
    return InvalidDocumentError(path, "format 1 has no such file")


def _said(error: CalibvcsError, path: str) -> str:
    """Return what an error says, without what is said beside it anyway."""
    reason = error.reason if isinstance(error, DamagedObjectError | InvalidDocumentError) else error.problem
    return reason.removeprefix(f"{path}: ")
