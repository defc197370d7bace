"""What is written down beside the constants at one commit: detectors, aliases, and the runs of experiments.

The reader of a kind of record is imported when there is one to be read: most verbs need one kind, or none.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from calibvcs.errors import CalibvcsError, UnknownDetectorError, UnknownRunError, nearest
from calibvcs.model import layout
from calibvcs.model.names import DetectorName
from calibvcs.model.times import RunName

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TypeVar

    from calibvcs.model.aliases import Alias
    from calibvcs.model.detector import Detector
    from calibvcs.model.runs import RunTable
    from calibvcs.store.snapshot import Snapshot

    T = TypeVar("T")


class Records:
    """The records of one commit.

    Parameters
    ----------
    snapshot : Snapshot
        The commit to read.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self._registered: dict[str, DetectorName] = {}

    @cached_property
    def detectors(self) -> tuple[DetectorName, ...]:
        """Names of the registered detectors, sorted."""
        return tuple(sorted(self._detectors()))

    def _detectors(self) -> Iterator[DetectorName]:
        for dettype in self._dettypes():
            for name, entry in self.snapshot.names(dettype).items():
                detector = parsed(DetectorName.parse, name)
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
        from calibvcs.formats.toml import detector_toml

        data = self.snapshot.read(layout.detector_file(name))
        if data is None:
            raise self._unknown(str(name))
        return detector_toml.decode(data, name)

    @cached_property
    def aliases(self) -> tuple[Alias, ...]:
        """Rows of all alias tables."""
        from calibvcs.formats.toml import aliases_toml

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
        if given in self._registered:
            return self._registered[given]
        from calibvcs.model.aliases import resolve_alias

        meant = resolve_alias(self.aliases, given, time)
        if meant is not None:
            return meant
        known = DetectorName.parse(given) if "-" in given else parsed(DetectorName.parse, given)
        if known is None or self.snapshot.blob_id(layout.detector_file(known)) is None:
            raise self._unknown(given, time)
        if not any(row.alias == given for row in self.aliases):  # an alias may mean another one at another time
            self._registered[given] = known
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
        from calibvcs.formats.toml import runs_toml
        from calibvcs.model.runs import RunTable

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


def parsed(parse: Callable[[str], T], text: str) -> T | None:
    """Parse a name found in a tree; what breaks the grammar is no constant (``verify`` lists it)."""
    try:
        return parse(text)
    except CalibvcsError:
        return None
