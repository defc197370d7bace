"""``import hdf5``: a file of the Detector Calibration Store comes in, version by version, with everything it notes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from calibvcs.errors import CalibvcsError, InvalidDataError, InvalidNameError, InvalidOptionError
from calibvcs.formats.dcs.dcs_hdf5 import version_name
from calibvcs.formats.dcs.dcs_reading import DcsReader
from calibvcs.model.names import ConstantName, DetectorName, parse_ctype
from calibvcs.ops import payload as payloads
from calibvcs.ops.dcs import ranges, records, versions
from calibvcs.ops.dcs.notes import complete, detector_change, told
from calibvcs.ops.detector import DetectorChange
from calibvcs.ops.exchange.taking_over import Kept, register, sound_comment, take_over

if TYPE_CHECKING:
    from collections.abc import Callable

    from calibvcs.formats.dcs.dcs_hdf5 import DcsCtype, DcsFile, DcsRange, DcsVersion
    from calibvcs.model.commits import Person
    from calibvcs.ops.exchange.taking_over import TakenOver
    from calibvcs.ops.payload import Payload
    from calibvcs.store.protocol import Store


@dataclass(frozen=True, slots=True)
class Part:
    """Which part of a file is wanted.

    Attributes
    ----------
    ctypes : tuple of str
        Calibration types; empty for all.
    time : float or None
        UNIX seconds: of each ctype the range that the original chooses for it; None for all ranges.
    version : int or None
        Number of the version, as the file counts; None for all.
    detector : str
        Name to take it over under; empty for that of the file.
    """

    ctypes: tuple[str, ...] = ()
    time: float | None = None
    version: int | None = None
    detector: str = ""


def import_hdf5(store: Store, author: Person, path: str, part: Part) -> TakenOver:
    """Take over a file, or a part of it; taking over the same again changes nothing.

    Parameters
    ----------
    store : Store
        Where to.
    author : Person
        Who does it: the committer, and the author of what nobody signed.
    path : str
        The file.
    part : Part
        What is wanted of it.

    Returns
    -------
    TakenOver
        What was added, what was here already, and what could not be taken, with the reasons.

    Raises
    ------
    MissingFileError
        If the file cannot be read.
    InvalidDataError
        If it is no such file, or damaged.
    InvalidNameError
        If its detector has no name that is one here, and none is given.
    InvalidOptionError
        If it has nothing of what was asked for.
    LockedError
        If a default here is protected.
    """
    with DcsReader(path) as reader:
        name = _name(reader.file, part.detector, path)
        passed_over = list(reader.problems)
        plan = _Plan(path, name, part, passed_over)
        wanted = plan.versions(reader)
        change = detector_change(name, reader.file, renamed=bool(part.detector))
        source = sound_comment(Path(path).name, "a file")
        made = versions.seconds(reader.file.tscfile)
        dated = author if made is None else author._replace(author_date=(made, 0))
        neighbours = [DetectorName.parse(other) for other in (change.predecessor, change.successor) if other]
        registered = register(store, dated, source, {**dict.fromkeys(neighbours, DetectorChange()), name: change})
        taken = take_over(store, author, source, wanted)
        noted = told(reader.file, plan.ctypes)
    commit = complete(store, author, f"Take over what {source} notes of {name}\n\n{noted}", name, change, plan.ctypes)
    return replace(taken, detectors=registered, passed_over=tuple(passed_over), commit=commit or taken.commit)


class _Plan:
    """What of a file comes in.

    Parameters
    ----------
    path : str
        The file.
    name : DetectorName
        Its detector here.
    part : Part
        What is wanted.
    passed_over : list of str
        Is told what is left out.

    Attributes
    ----------
    ctypes : dict
        Parameters to be recorded of each ctype.
    """

    def __init__(self, path: str, name: DetectorName, part: Part, passed_over: list[str]) -> None:
        self._path, self._name, self._part, self._passed_over = path, name, part, passed_over
        self.ctypes: dict[str, dict[str, Any]] = {}

    def versions(self, reader: DcsReader) -> list[Kept]:
        """Return the versions that are wanted, in their order."""
        known = {ctype.name: ctype for ctype in reader.file.ctypes}
        missing = [given for given in self._part.ctypes if given not in known]
        if missing:
            allowed = f"the file has {', '.join(known) or 'none'}"
            raise InvalidOptionError("--ctype", ", ".join(missing), allowed, f"h5dump -n {self._path} lists all of it")
        wanted = [ctype for ctype in known.values() if not self._part.ctypes or ctype.name in self._part.ctypes]
        wanted.sort(key=lambda ctype: ctype.name != ctype.name.lower())  # those that keep their name come first
        found = [kept for ctype in wanted for kept in self._of_ctype(reader, ctype)]
        if not found and (self._part.time is not None or self._part.version is not None):
            given = " ".join(
                f"{option} {value}"
                for option, value in (("--time", self._part.time), ("--version", self._part.version))
                if value is not None
            )
            allowed = "the file has nothing of that"
            raise InvalidOptionError(Path(self._path).name, given, allowed, "leave an option away to take more")
        return found

    def _of_ctype(self, reader: DcsReader, ctype: DcsCtype) -> list[Kept]:
        name = ctype.name.lower()
        try:
            parse_ctype(name)
        except InvalidNameError as error:
            self._passed_over.append(f"/{ctype.name}: {error.problem}")
            return []
        if name in self.ctypes:
            self._passed_over.append(f"/{ctype.name}: another ctype of the file is called {name} here")
            return []
        more: dict[str, object] = {} if name == ctype.name else {"name": ctype.name}
        empty = tuple(one for one in ctype.ranges if not one.versions)
        if empty and self._part.time is None and self._part.version is None:
            more["ranges"] = ranges.tables_of_ranges(empty)
        parameters = records.parameters_of(ctype.notes, more)
        self.ctypes[name] = parameters if len(parameters) > 1 or parameters[records.TABLE] or not ctype.ranges else {}
        kept: list[Kept] = []
        taken: dict[ConstantName, str] = {}
        for one in self._ranges(ctype):
            where = f"/{ctype.name}/{one.key}"
            try:
                constant = ConstantName(self._name, name, ranges.validity_of(one))
            except CalibvcsError as error:
                self._passed_over.append(f"{where}: {error.problem}")
                continue
            if constant in taken:
                self._passed_over.append(f"{where}: it is {constant.validity} here, as {taken[constant]} is")
                continue
            taken[constant] = one.key
            kept += self._of_range(reader, ctype.name, one, constant)
        return kept

    def _ranges(self, ctype: DcsCtype) -> list[DcsRange]:
        time = self._part.time
        filled = [one for one in ctype.ranges if one.versions]
        if time is None:
            return filled
        return sorted((one for one in filled if one.holds(time)), key=lambda one: one.precedence)[-1:]

    def _of_range(self, reader: DcsReader, ctype: str, one: DcsRange, constant: ConstantName) -> list[Kept]:
        kept = []
        for version in one.versions:
            if self._part.version not in {None, version.number}:
                continue
            where = f"/{ctype}/{one.key}/{version_name(version.number)}"
            if not version.dtype:
                continue  # the reader told why
            load = _loader(reader, ctype, one.key, version.number, constant.ctype, f"{self._path}:{where}")
            if version.dtype == "text":
                try:  # small, and whether it is what its ctype asks for shows only in it
                    load()
                except InvalidDataError as error:
                    self._passed_over.append(f"{where}: {error.reason}")
                    continue
            kept.append(self._kept(one, version, constant, load))
        return kept

    def _kept(self, one: DcsRange, version: DcsVersion, constant: ConstantName, load: Callable[[], Payload]) -> Kept:
        source = Path(self._path).name
        unit, convention = versions.unit_of(version.notes)
        return Kept(
            constant=constant,
            load=load,
            comment=versions.comment_of(
                version.notes, f"Version {version.number} of {constant.ctype} {one.key} in {source}"
            ),
            time=versions.time_of(version),
            author=versions.author_of(version.notes),
            default=version.number == one.default,
            origin=versions.origin_of(version.notes, source),
            unit=unit,
            convention=convention,
            parameters=versions.version_parameters(one, version),
            provenance=versions.provenance_of(version.notes),
        )


def _loader(reader: DcsReader, ctype: str, key: str, number: int, name: str, source: str) -> Callable[[], Payload]:
    def load() -> Payload:
        data = reader.data(ctype, key, number)
        return payloads.from_text(data, name, source) if isinstance(data, bytes) else payloads.from_array(data)

    return load


def _name(file: DcsFile, given: str, path: str) -> DetectorName:
    if given:
        return DetectorName.parse(given)
    written = file.detname or (f"{file.dettype}-{file.detid}" if file.dettype else Path(path).stem)
    try:
        return DetectorName.parse(written.lower())
    except InvalidNameError:
        advice = "name it: calibvcs import hdf5 FILE --detector DETNAME"
        raise InvalidDataError(path, f"its detector {written!r} has no name that is one here", advice) from None
