"""What the repository holds at one commit, in the words of the field. Reads names and metadata, never payloads."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from functools import cached_property, partial
from heapq import nsmallest
from typing import TYPE_CHECKING

from calibvcs.errors import (
    InvalidDocumentError,
    NotCalibvcsError,
    NoValidConstantError,
    UnknownConstantError,
    nearest,
)
from calibvcs.formats.toml import meta_toml, repository_toml
from calibvcs.model import layout
from calibvcs.model.names import ConstantName, DetectorName, parse_ctype
from calibvcs.model.timeline import Timeline
from calibvcs.ops.folders import Facts, KnownFolders
from calibvcs.ops.history import History
from calibvcs.ops.records import Records, parsed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from calibvcs.model.metadata import Metadata
    from calibvcs.model.repository import RepositorySettings
    from calibvcs.model.validity import Validity
    from calibvcs.store.protocol import TreeEntry


class Catalogue(Records):
    """The content of one commit: constants, and the records beside them."""

    @cached_property
    def settings(self) -> RepositorySettings:
        """Settings of the repository; reading them proves that it is one of ours.

        Raises
        ------
        NotCalibvcsError
            If the commit has no ``.calibvcs/repository.toml``.
        UnsupportedFormatError
            If it is written in a newer format.
        """
        data = self.snapshot.read(layout.REPOSITORY_FILE)
        if data is None:
            raise NotCalibvcsError(self.snapshot.store.location, self.snapshot.commit_id or "")
        return repository_toml.decode(data)

    @cached_property
    def history(self) -> History:
        """Everything that led to this commit: versions and changes."""
        memo = self.snapshot.store.memo
        known = memo.get("history")
        before = known if isinstance(known, History) else None
        history = History(self.snapshot.store, self.snapshot.commit_id, before)
        if before is None or history.length >= before.length:
            memo["history"] = history
        return history

    def ctypes(self, detector: DetectorName) -> tuple[str, ...]:
        """Return the ctypes that a detector has, sorted."""
        names = self.snapshot.names(layout.detector_folder(detector))
        return tuple(sorted(n for n, entry in names.items() if entry.is_tree and parsed(parse_ctype, n) is not None))

    def ranges(self, detector: DetectorName, ctype: str) -> tuple[Validity, ...]:
        """Return the validity ranges of a ctype, in the order of precedence, the weakest first."""
        return tuple(self.timeline(detector, ctype).ranges())

    def timeline(self, detector: DetectorName, ctype: str) -> Timeline:
        """Return the ranges of a ctype, arranged for choosing."""
        entry = self.snapshot.entry(layout.ctype_folder(detector, ctype))
        if entry is None or not entry.is_tree:
            return Timeline(())
        return KnownFolders.of(self.snapshot.store).timeline(entry.id)

    def constants(self) -> Iterator[ConstantName]:
        """Yield every constant, sorted by detector, ctype and range."""
        for detector in self.detectors:
            for ctype in self.ctypes(detector):
                for validity in self.ranges(detector, ctype):
                    yield ConstantName(detector, ctype, validity)

    def metadata(self, constant: ConstantName) -> Metadata:
        """Return the metadata of a constant.

        Raises
        ------
        UnknownConstantError
            If the constant is not there.
        InvalidDocumentError
            If its ``meta.toml`` is missing or broken.
        """
        path = f"{layout.constant_folder(constant)}/{layout.META_FILE}"
        blob = self.snapshot.blob_id(path)
        if blob is None:
            self.payload(constant)
            raise InvalidDocumentError(path, "it is missing")
        store = self.snapshot.store
        found = KnownFolders.of(store).metadata(blob, lambda: meta_toml.decode(store.blob(blob), path))
        # What one caller does to the parameters must not be seen by the next.
        return replace(found, parameters=deepcopy(found.parameters)) if found.parameters else found

    def payload(self, constant: ConstantName) -> tuple[str, TreeEntry]:
        """Return file name and tree entry of the data of a constant.

        Raises
        ------
        UnknownConstantError
            If the constant is not there.
        """
        names = self.snapshot.names(layout.constant_folder(constant))
        for file in layout.PAYLOAD_FILES:
            if file in names:
                return file, names[file]
        raise UnknownConstantError(str(constant), nearest(str(constant), map(str, self.constants())))

    def facts(self, constants: Sequence[ConstantName]) -> list[Facts]:
        """Return what lists tell of many constants. Raises as `metadata` and `payload`."""
        trees = [self._folder(constant) for constant in constants]
        wanted = {tree: partial(self._read_facts, name) for tree, name in zip(trees, constants, strict=True)}
        found = KnownFolders.of(self.snapshot.store).facts(wanted)
        return [found[tree] for tree in trees]

    def _folder(self, constant: ConstantName) -> str:
        entry = self.snapshot.entry(layout.constant_folder(constant))
        if entry is None or not entry.is_tree:
            raise UnknownConstantError(str(constant), nearest(str(constant), map(str, self.constants())))
        return entry.id

    def _read_facts(self, constant: ConstantName) -> Facts:
        metadata, entry = self.metadata(constant), self.payload(constant)[1]
        store = self.snapshot.store
        # A list is still a list where data are missing: a squeezed clone left them elsewhere.
        size = store.blob_head(entry.id, 0)[1] if store.kind(entry.id) else None
        return Facts(size, metadata.dtype, metadata.shape, metadata.locked, metadata.withdrawn)

    def in_force(
        self, detector: DetectorName, ctype: str, time: float, *, allow_withdrawn: bool = False
    ) -> ConstantName | None:
        """Return the constant in force at a time, by the rule that chooses; None where there is none."""
        for validity in self.timeline(detector, ctype).covering(time):
            constant = ConstantName(detector, ctype, validity)
            if allow_withdrawn or not self.metadata(constant).withdrawn:
                return constant
        return None

    def choose(self, detector: DetectorName, ctype: str, time: float, *, allow_withdrawn: bool = False) -> ConstantName:
        """Return the constant in force at a time, or, if that is asked for, what would be if nothing were withdrawn.

        Raises
        ------
        UnknownConstantError
            If the detector has no such ctype; the nearest ones are offered.
        NoValidConstantError
            If no range is valid at that time; the nearest ones are listed.
        """
        found = self.in_force(detector, ctype, time, allow_withdrawn=allow_withdrawn)
        if found is not None:
            return found
        timeline = self.timeline(detector, ctype)
        ranges, withdrawn = timeline.ranges(), list(timeline.covering(time))
        if not ranges:
            raise self.unknown_ctype(detector, ctype)
        closest = nsmallest(3, (v for v in ranges if v not in withdrawn), key=lambda validity: validity.distance(time))
        raise NoValidConstantError(str(detector), ctype, time, tuple(map(str, closest)), tuple(map(str, withdrawn)))

    def unknown_ctype(self, detector: DetectorName, ctype: str) -> UnknownConstantError:
        """Return the error for a ctype that a detector does not have."""
        present = self.ctypes(detector)
        offered = nearest(ctype, present) or present
        return UnknownConstantError(f"{detector}/{ctype}", tuple(f"{detector}/{name}" for name in offered))
