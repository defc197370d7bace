"""Which detectors go into shared memory: those of a run, found in the repository, and the time that counts."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from calibvcs.errors import InvalidOptionError, MissingFileError, UnknownDetectorError, UnknownRunError
from calibvcs.model.names import parse_experiment
from calibvcs.sources.protocol import SourceDetector

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from calibvcs.model.detector import Detector
    from calibvcs.ops.catalogue import Catalogue
    from calibvcs.sources.runs import RunFiles

# Data of this experiment are for tests of psana, which takes one detector's constants for all detectors in them.
_TEST_EXPERIMENT, _TEST_DETECTOR = "xpptut15", "cspad_detnum1234"

_FILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,200}")
_WAYS = "give --detector, --experiment or --xtc-dir"


@dataclass(frozen=True, slots=True)
class ShmRequest:
    """What is asked for.

    Attributes
    ----------
    experiment : str
        Experiment; its run table names detectors and times.
    run : int or None
        Run; None is the last one.
    time : float or None
        UNIX seconds; None is the begin of the run.
    xtc_dir : str
        Folder of XTC2 files that tell the detectors.
    detectors : tuple of str
        Names or aliases of detectors.
    sources : tuple of SourceDetector
        Detectors as the data name them.
    skipped : tuple of str
        Names of those that are not wanted.
    caches : tuple of str
        Names of those whose image geometry is wanted.
    """

    experiment: str = ""
    run: int | None = None
    time: float | None = None
    xtc_dir: str = ""
    detectors: tuple[str, ...] = ()
    sources: tuple[SourceDetector, ...] = ()
    skipped: tuple[str, ...] = ()
    caches: tuple[str, ...] = ()

    @property
    def says_what(self) -> bool:
        """Whether it tells which detectors are meant."""
        return bool(self.experiment or self.xtc_dir or self.detectors or self.sources)

    def recorded(self, selection: Selection) -> dict[str, Any]:
        """Return it as plain values, with what it came out to, so that it can be asked again."""
        sources = () if self.detectors or not selection.from_data else selection.sources
        return {
            "experiment": selection.experiment,
            "run": selection.run,
            "time": selection.time,
            "detectors": list(self.detectors),
            "sources": [asdict(one) for one in sources],
            "skipped": list(self.skipped),
            "caches": list(self.caches),
        }

    @classmethod
    def recalled(cls, given: Mapping[str, Any]) -> ShmRequest | None:
        """Return what was recorded; None where it cannot be understood."""
        match given:
            case {
                "experiment": str(experiment),
                "run": int() | None as run,
                "time": int() | float() as time,
                "detectors": [*detectors],
                "sources": [*sources],
                "skipped": [*skipped],
                "caches": [*caches],
            } if all(isinstance(one, str) for one in (*detectors, *skipped, *caches)):
                found = [_source(one) for one in sources]
                if all(found):
                    known = tuple(one for one in found if one)
                    names = (tuple(detectors), known, tuple(skipped), tuple(caches))
                    return cls(experiment, run, time, "", *names)
        return None


def _source(given: object) -> SourceDetector | None:
    match given:
        case {"name": str(name), "dettype": str(dettype), "longname": str(longname), "segments": [*segments]}:
            return SourceDetector(name, dettype, longname, tuple(n for n in segments if isinstance(n, int)))
    return None


@dataclass(frozen=True, slots=True)
class Found:
    """A detector of the run.

    Attributes
    ----------
    source : SourceDetector
        As the data, the run table or the user name it.
    detector : Detector or None
        What it is in the repository; None where it is not there, or not wanted.
    reason : str
        Why not.
    skipped : bool
        Whether it is not wanted.
    """

    source: SourceDetector
    detector: Detector | None
    reason: str = ""
    skipped: bool = False


@dataclass(frozen=True, slots=True)
class Selection:
    """The detectors of a run, and the time that counts.

    Attributes
    ----------
    experiment : str
        Experiment, if any.
    run : int or None
        Run, if any.
    time : float
        UNIX seconds.
    found : tuple of Found
        The detectors.
    from_data : bool
        Whether the data told them.
    notes : tuple of str
        What is worth knowing.
    """

    experiment: str
    run: int | None
    time: float
    found: tuple[Found, ...]
    from_data: bool
    notes: tuple[str, ...] = ()

    @property
    def sources(self) -> tuple[SourceDetector, ...]:
        """The detectors as the data name them."""
        return tuple(one.source for one in self.found)


@dataclass
class _Notes:
    """What is worth knowing, each thing once."""

    lines: list[str] = field(default_factory=list)

    def add(self, line: str) -> None:
        if line not in self.lines:
            self.lines.append(line)


def select(catalogue: Catalogue, request: ShmRequest) -> Selection:
    """Find the detectors that a request means; one that is not there is told, not passed over.

    Parameters
    ----------
    catalogue : Catalogue
        The commit to look at.
    request : ShmRequest
        What is asked for.

    Returns
    -------
    Selection
        The detectors and the time.

    Raises
    ------
    InvalidOptionError
        If the request does not say which detectors and which time.
    MissingFileError
        If the folder holds no usable run.
    UnknownRunError
        If the begin of the run is not known.
    UnknownDetectorError
        If a detector that was named is not there.
    InvalidNameError
        If the experiment, as the data name it, cannot be the name of one.
    """
    if request.detectors and (request.xtc_dir or request.sources):
        raise InvalidOptionError(
            "--detector", ", ".join(request.detectors), "the data tell which detectors they are of"
        )
    notes = _Notes()
    if request.xtc_dir or request.sources:
        selection = _from_data(catalogue, request, notes)
    else:
        selection = _from_tables(catalogue, request, notes)
    if selection.experiment:
        parse_experiment(selection.experiment)  # data may say anything, and this becomes the name of a file
    names = {one.name for one in selection.sources}
    for option, wanted in (("--detectors", request.caches), ("--skip-calib-load", request.skipped)):
        for name in wanted:
            if name not in names and not (option == "--skip-calib-load" and name == "all"):
                raise InvalidOptionError(option, name, f"the detectors are {', '.join(sorted(names))}")
    for name in request.caches:
        if not _FILE_NAME.fullmatch(name):
            raise InvalidOptionError(
                "--detectors", name, "it cannot be the name of a file: a-z, 0-9, _ . - are allowed"
            )
    return selection


def _from_data(catalogue: Catalogue, request: ShmRequest, notes: _Notes) -> Selection:
    """Find the detectors that data name, by their unique ids."""
    experiment, run, begin, sources = request.experiment, request.run, request.time, request.sources
    if request.xtc_dir and not sources:
        files = _run_files(request)
        experiment, run, sources = files.experiment, files.run, files.detectors
        for look in files.incomplete:
            notes.add(f"{look.path} is {look.state}: {look.reason}; detectors may be missing")
        if begin is None:
            begin = _table_time(catalogue, experiment, run)
        if begin is None:
            begin = files.begin
    elif begin is None:
        begin = _begin(catalogue, experiment, run)[1]
    registry = _Registry(catalogue)
    wanted = [one for one in sources if one.normal]
    found = tuple(_found(registry, one, request.skipped, experiment, notes) for one in wanted)
    return Selection(experiment, run, begin, found, True, tuple(notes.lines))


def _run_files(request: ShmRequest) -> RunFiles:
    from calibvcs.sources.runs import look_in

    looked = look_in(request.xtc_dir, request.experiment or None)
    runs = [one for one in looked.runs if request.run is None or one.run == request.run]
    if not runs:
        which = "run" if request.run is None else f"run {request.run}"
        of = f" of {request.experiment}" if request.experiment else ""
        passed = "; ".join(f"{one.path.name} is {one.state}: {one.reason}" for one in looked.passed_over[:5])
        raise MissingFileError(request.xtc_dir, f"no usable {which}{of} in it ({passed or 'no XTC2 files'})")
    return max(runs, key=lambda one: (one.begin, one.run))


def _table_time(catalogue: Catalogue, experiment: str, run: int) -> float | None:
    """Return the begin of a run by the run table, if it knows it."""
    try:
        return catalogue.run_table(parse_experiment(experiment)).begin_of(run) if experiment else None
    except UnknownRunError:
        return None


def _begin(catalogue: Catalogue, experiment: str, run: int | None) -> tuple[int | None, float]:
    """Return run and begin by the run table; without a run, those of the last one."""
    if not experiment:
        raise InvalidOptionError("--time", "", "the time is not known", "give --time T, or --experiment E [--run R]")
    table = catalogue.run_table(parse_experiment(experiment))
    if run is None:
        run = max((one.run for one in table.runs if one.begin is not None), default=None)
    if run is None:
        advice = "give --time T, or: calibvcs run mark E:R --kind data --begin T --end T -m WHY"
        raise InvalidOptionError("--experiment", experiment, "its run table knows no begin of a run", advice)
    return run, table.begin_of(run)


def _from_tables(catalogue: Catalogue, request: ShmRequest, notes: _Notes) -> Selection:
    """Take the detectors that were named, or those that the run table names."""
    experiment, run, time = request.experiment, request.run, request.time
    if not request.says_what:
        raise InvalidOptionError("export --shm", "", "nothing says which detectors are meant", _WAYS)
    if run is not None and not experiment:
        raise InvalidOptionError("--run", str(run), "it goes with an experiment", "give --experiment E, or --run E:R")
    if time is None:
        run, time = _begin(catalogue, experiment, run)
    names = request.detectors or catalogue.run_table(parse_experiment(experiment)).detectors
    if not names:
        advice = f'write detectors = ["NAME"] into experiments/{experiment}.toml, or {_WAYS}'
        raise InvalidOptionError("--experiment", experiment, "its run table names no detectors", advice)
    found = tuple(_named(catalogue, name, time, request, notes) for name in dict.fromkeys(names))
    return Selection(experiment, run, time, found, False, tuple(notes.lines))


def _named(catalogue: Catalogue, name: str, time: float, request: ShmRequest, notes: _Notes) -> Found:
    try:
        detector = catalogue.detector(catalogue.resolve(name, time))
    except UnknownDetectorError as error:
        if name in request.detectors:
            raise
        return Found(SourceDetector(name, "", "", ()), None, error.problem)
    longname = detector.longname
    if not longname:
        longname = f"{detector.name.dettype}_{detector.name.detid}"
        notes.add(f"{detector.name} has no longname: psana will not take it for the detector of its data")
    source = SourceDetector(name, detector.name.dettype, longname, ())
    return _unless_skipped(Found(source, detector), request.skipped)


def _unless_skipped(found: Found, skipped: Iterable[str]) -> Found:
    if {found.source.name, "all"} & set(skipped):
        return Found(found.source, None, "skipped", skipped=True)
    return found


class _Registry:
    """The detectors of the repository by their unique ids; each type is read when it is asked for."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._read: dict[str, tuple[Detector, ...]] = {}

    def of_type(self, dettype: str) -> tuple[Detector, ...]:
        if dettype not in self._read:
            names = (name for name in self._catalogue.detectors if name.dettype == dettype)
            self._read[dettype] = tuple(self._catalogue.detector(name) for name in names)
        return self._read[dettype]

    def all(self) -> tuple[Detector, ...]:
        types = dict.fromkeys(name.dettype for name in self._catalogue.detectors)
        return tuple(one for dettype in types for one in self.of_type(dettype))


def _found(
    registry: _Registry, source: SourceDetector, skipped: Iterable[str], experiment: str, notes: _Notes
) -> Found:
    asked = _unless_skipped(Found(source, None), skipped)
    if asked.skipped:
        return asked
    longname = _TEST_DETECTOR if experiment == _TEST_EXPERIMENT else source.longname
    if not longname:
        return Found(source, None, "the data tell no unique id of it")
    dettype, *segments = longname.split("_")
    same = registry.of_type(dettype)
    equal = [one for one in same if one.longname == longname] or [
        one for one in registry.all() if longname in {one.longname, f"{one.name.dettype}_{one.name.detid}"}
    ]
    if len(equal) == 1:
        return Found(source, equal[0])
    if equal:
        return Found(source, None, f"{_names(equal)} all have the unique id {_short(longname)}")
    holding = [
        one
        for one in same
        if segments and set(segments) <= set(one.longname.split("_")[1:]) and one.longname.startswith(f"{dettype}_")
    ]
    if len(holding) == 1:
        notes.add(f"{source.name} is taken for {holding[0].name}: all its segments are among those of that one")
        return Found(source, holding[0])
    several = f"; {_names(holding)} have all its segments" if holding else ""
    return Found(source, None, f"no detector has the unique id {_short(longname)}{several}")


def _names(detectors: Iterable[Detector]) -> str:
    return ", ".join(str(one.name) for one in detectors)


def _short(longname: str) -> str:
    return longname if len(longname) <= 60 else f"{longname[:57]}..."
