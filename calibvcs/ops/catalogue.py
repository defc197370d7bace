"""What the repository holds at one commit, in the words of the field. Reads names and metadata, never payloads."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from calibvcs.errors import (
    CalibvcsError,
    InvalidDocumentError,
    NotCalibvcsError,
    NoValidConstantError,
    UnknownConstantError,
    UnknownDetectorError,
    UnknownRunError,
    nearest,
)
from calibvcs.formats import aliases_toml, detector_toml, meta_toml, repository_toml, runs_toml
from calibvcs.model import layout
from calibvcs.model.aliases import resolve_alias
from calibvcs.model.choose import choose
from calibvcs.model.names import ConstantName, DetectorName, parse_ctype
from calibvcs.model.runs import RunTable
from calibvcs.model.times import RunName
from calibvcs.model.validity import Validity
from calibvcs.ops.history import History

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TypeVar

    from calibvcs.model.aliases import Alias
    from calibvcs.model.detector import Detector
    from calibvcs.model.metadata import Metadata
    from calibvcs.model.repository import RepositorySettings
    from calibvcs.store.protocol import TreeEntry
    from calibvcs.store.snapshot import Snapshot

    T = TypeVar("T")


class Catalogue:
    """The content of one commit.

    Parameters
    ----------
    snapshot : Snapshot
        The commit to read.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot

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
        if before is None or len(history.events) >= len(before.events):
            memo["history"] = history
        return history

    # --- detectors, aliases, runs -----------------------------------------------------------------------------

    @cached_property
    def detectors(self) -> tuple[DetectorName, ...]:
        """Names of the registered detectors, sorted."""
        return tuple(sorted(self._detectors()))

    def _detectors(self) -> Iterator[DetectorName]:
        for dettype in self._dettypes():
            for name, entry in self.snapshot.names(dettype).items():
                detector = _parsed(DetectorName.parse, name)
                if entry.is_tree and detector and layout.DETECTOR_FILE in self.snapshot.names(f"{dettype}/{name}"):
                    yield detector

    def _dettypes(self) -> Iterator[str]:
        for name, entry in self.snapshot.names().items():
            if entry.is_tree and not name.startswith(".") and name != layout.EXPERIMENTS:
                yield name

    def detector(self, name: DetectorName) -> Detector:
        """Return the record of a detector.

        Raises
        ------
        UnknownDetectorError
            If it is not registered; the nearest names are offered.
        """
        data = self.snapshot.read(layout.detector_file(name))
        if data is None:
            raise self._unknown(str(name))
        return detector_toml.decode(data, name)

    @cached_property
    def aliases(self) -> tuple[Alias, ...]:
        """Rows of all alias tables."""
        tables = ((dettype, self.snapshot.read(layout.aliases_file(dettype))) for dettype in self._dettypes())
        return tuple(row for dettype, data in tables if data is not None for row in aliases_toml.decode(data, dettype))

    def resolve(self, given: str, time: float) -> DetectorName:
        """Return the detector that a name, an alias or psana's short name means at a time.

        Parameters
        ----------
        given : str
            Name as the user wrote it.
        time : float
            UNIX seconds.

        Returns
        -------
        DetectorName
            A registered detector.

        Raises
        ------
        UnknownDetectorError
            If nothing of this name is there; the nearest names are offered.
        """
        meant = resolve_alias(self.aliases, given, time)
        if meant is not None:
            return meant
        known = DetectorName.parse(given) if "-" in given else _parsed(DetectorName.parse, given)
        if known is None or self.snapshot.blob_id(layout.detector_file(known)) is None:
            raise self._unknown(given, time)
        return known

    def _unknown(self, given: str, time: float | None = None) -> UnknownDetectorError:
        meanings = [row for row in self.aliases if row.alias == given]
        if meanings and time is not None:
            listed = ", ".join(f"{row.validity} ({row.detector})" for row in meanings)
            reason = f"as an alias it means nothing at {time:.16g}, but in {listed}"
            return UnknownDetectorError(given, reason=reason)
        known = [*map(str, self.detectors), *(row.alias for row in self.aliases)]
        return UnknownDetectorError(given, nearest(given, known), len(self.detectors))

    def experiments(self) -> tuple[str, ...]:
        """Return the names of the experiments that have a run table."""
        names = self.snapshot.names(layout.EXPERIMENTS)
        return tuple(sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml")))

    def run_table(self, experiment: str) -> RunTable:
        """Return the run table of an experiment, an empty one where there is none."""
        data = self.snapshot.read(layout.experiment_file(experiment))
        return RunTable(experiment) if data is None else runs_toml.decode(data, experiment)

    def seconds(self, time: float | RunName) -> float:
        """Return UNIX seconds; a run stands for its begin.

        Raises
        ------
        UnknownRunError
            If the run is not in the table of its experiment, or its begin is not known.
        """
        if not isinstance(time, RunName):
            return time
        table = self.run_table(time.experiment)
        if not table.runs:
            known = tuple(f"experiment {name}" for name in self.experiments())
            raise UnknownRunError(time.experiment, time.run, known)
        return table.begin_of(time.run)

    # --- constants --------------------------------------------------------------------------------------------

    def ctypes(self, detector: DetectorName) -> tuple[str, ...]:
        """Return the ctypes that a detector has, sorted."""
        names = self.snapshot.names(layout.detector_folder(detector))
        return tuple(sorted(n for n, entry in names.items() if entry.is_tree and _parsed(parse_ctype, n) is not None))

    def ranges(self, detector: DetectorName, ctype: str) -> tuple[Validity, ...]:
        """Return the validity ranges of a ctype, in the order of precedence, the weakest first."""
        names = self.snapshot.names(layout.ctype_folder(detector, ctype))
        parsed = (_parsed(Validity.parse, name) for name, entry in names.items() if entry.is_tree)
        return tuple(sorted(validity for validity in parsed if validity is not None))

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
        data = self.snapshot.read(path)
        if data is None:
            self.payload(constant)
            raise InvalidDocumentError(path, "it is missing")
        return meta_toml.decode(data, path)

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

    def choose(self, detector: DetectorName, ctype: str, time: float) -> ConstantName:
        """Return the constant in force at a time. Raises as `choose_and_skip`."""
        return self.choose_and_skip(detector, ctype, time)[0]

    def choose_and_skip(
        self, detector: DetectorName, ctype: str, time: float
    ) -> tuple[ConstantName, tuple[Validity, ...]]:
        """Return the constant in force at a time, and the ranges that it is chosen over only for being withdrawn.

        Raises
        ------
        UnknownConstantError
            If the detector has no such ctype; the nearest ones are offered.
        NoValidConstantError
            If no range is valid at that time; the nearest ones are listed.
        """
        ranges = self.ranges(detector, ctype)
        if not ranges:
            raise self.unknown_ctype(detector, ctype)
        withdrawn: list[Validity] = []
        while (winner := choose(ranges, time, withdrawn)) is not None:
            constant = ConstantName(detector, ctype, winner)
            if not self.metadata(constant).withdrawn:
                return constant, tuple(withdrawn)
            withdrawn.append(winner)
        closest = sorted((v for v in ranges if v not in withdrawn), key=lambda validity: validity.distance(time))
        raise NoValidConstantError(str(detector), ctype, time, tuple(map(str, closest[:3])), tuple(map(str, withdrawn)))

    def unknown_ctype(self, detector: DetectorName, ctype: str) -> UnknownConstantError:
        """Return the error for a ctype that a detector does not have."""
        present = self.ctypes(detector)
        offered = nearest(ctype, present) or present
        return UnknownConstantError(f"{detector}/{ctype}", tuple(f"{detector}/{name}" for name in offered))


def _parsed(parse: Callable[[str], T], text: str) -> T | None:
    """Parse a name found in a tree; what breaks the grammar is no constant (``verify`` lists it)."""
    try:
        return parse(text)
    except CalibvcsError:
        return None
