"""What is different between a detector as the DCS interface showed it, and as a script left it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from calibvcs.errors import InvalidOptionError
from calibvcs.model.commits import Action
from calibvcs.model.names import ConstantName, parse_ctype
from calibvcs.ops.dcs.ranges import validity_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from calibvcs.formats.dcs.dcs_hdf5 import DcsCtype, DcsFile, DcsRange, DcsVersion
    from calibvcs.model.names import DetectorName


@dataclass(frozen=True)
class NewVersion:
    """A version that is to be added: the constant, its range, itself, and how the interface names its data."""

    constant: ConstantName
    of_range: DcsRange
    version: DcsVersion
    key: tuple[str, str, int]


@dataclass(frozen=True)
class NotedVersion:
    """A version of which notes or production time were changed."""

    constant: ConstantName
    before: DcsVersion
    after: DcsVersion


@dataclass(frozen=True)
class Difference:
    """What a script changed.

    Attributes
    ----------
    detector : DetectorName
        The detector.
    before, after : DcsFile
        As it was shown, and as it is to be.
    names : mapping
        ``vN`` of the versions that were shown: by constant and number.
    """

    detector: DetectorName
    before: DcsFile
    after: DcsFile
    names: Mapping[tuple[ConstantName, int], str]

    @property
    def is_empty(self) -> bool:
        """Whether nothing was changed."""
        return self.before == self.after

    @property
    def records(self) -> bool:
        """Whether something is to be written beside the constants."""
        return (
            _head(self.before) != _head(self.after)
            or [c.name for c in self.before.ctypes] != [c.name for c in self.after.ctypes]
            or any(_beside(old) != _beside(new) for old, new in self.ctypes if old and new)
            or any(old is None for old, _ in self.ctypes)
            or bool(self.deleted)
        )

    @cached_property
    def deleted(self) -> dict[tuple[str, str], list[int]]:
        """Numbers of versions that were taken away, by ctype and range."""
        found = {}
        for ctype, old, new in self.ranges():
            left = {version.number for version in new.versions} if new else set()
            gone = [version.number for version in old.versions if version.number not in left] if old else []
            if gone:
                found[ctype, (new or old).key] = gone  # type: ignore[union-attr]
        return found

    @property
    def action(self) -> Action:
        """What a commit of the records alone is."""
        lineage = [(f.predecessor, f.successor, f.tscfile) for f in (self.before, self.after)]
        return Action.DETECTOR if lineage[0] != lineage[1] else Action.PARAM

    @cached_property
    def ctypes(self) -> list[tuple[DcsCtype | None, DcsCtype | None]]:
        """Every ctype as it was and as it is."""
        old, new = ({ctype.name: ctype for ctype in file.ctypes} for file in (self.before, self.after))
        return [(old.get(name), new.get(name)) for name in {**old, **new}]

    def ranges(self) -> Iterator[tuple[str, DcsRange | None, DcsRange | None]]:
        """Yield name of the ctype, and every range as it was and as it is."""
        for old, new in self.ctypes:
            before, after = ({one.key: one for one in (c.ranges if c else ())} for c in (old, new))
            name = (new or old).name  # type: ignore[union-attr]
            for key in {**before, **after}:
                yield name, before.get(key), after.get(key)

    def constant(self, ctype: str, one: DcsRange) -> ConstantName:
        """Return the constant that a range is. Raises InvalidNameError, InvalidRangeError."""
        return ConstantName(self.detector, parse_ctype(ctype.lower()), validity_of(one))

    @cached_property
    def rounds(self) -> list[tuple[NewVersion, ...]]:
        """New versions; no two of one range in the same round."""
        rounds: list[list[NewVersion]] = []
        taken: dict[ConstantName, str] = {}
        for ctype, old, new in self.ranges():
            if new is None or not new.versions:
                continue
            constant = self.constant(ctype, new)
            if taken.setdefault(constant, new.key) != new.key:
                given = f"{new.key} is {constant.validity} here, as {taken[constant]} is"
                raise InvalidOptionError("range", given, "ranges are whole seconds in a repository")
            known = {version.number for version in old.versions} if old else set()
            added = [version for version in new.versions if version.number not in known]
            for place, version in enumerate(added):
                if place == len(rounds):
                    rounds.append([])
                rounds[place].append(NewVersion(constant, new, version, (ctype, new.key, version.number)))
        return [tuple(one) for one in rounds]

    @cached_property
    def defaults(self) -> dict[ConstantName, int]:
        """Ranges whose default is not what adding leaves it, with the version that it is to be."""
        found = {}
        for ctype, old, new in self.ranges():
            if new is None or not new.versions:
                continue
            known = {version.number for version in old.versions} if old else set()
            added = [version.number for version in new.versions if version.number not in known]
            left = added[-1] if added else old.default if old else 0
            if new.default != left:
                found[self.constant(ctype, new)] = new.default
        return found

    @cached_property
    def noted_before(self) -> list[NotedVersion]:
        """Changed notes of versions that were the default."""
        return [change for change, was_default in self._noted() if was_default]

    @cached_property
    def noted_after(self) -> list[NotedVersion]:
        """Changed notes of versions that become the default."""
        return [change for change, was_default in self._noted() if not was_default]

    def _noted(self) -> Iterator[tuple[NotedVersion, bool]]:
        for ctype, old, new in self.ranges():
            before = {version.number: version for version in old.versions} if old else {}
            for version in new.versions if new else ():
                known = before.get(version.number)
                if known is None or old is None or new is None or known == version:
                    continue
                if version.number not in {old.default, new.default}:
                    given, allowed = f"{ctype}/{new.key}/v{version.number}", "only the default version can be changed"
                    raise InvalidOptionError("version", given, allowed, "set_versdef makes it the default")
                yield NotedVersion(self.constant(ctype, new), known, version), version.number == old.default

    @cached_property
    def withdrawn(self) -> tuple[ConstantName, ...]:
        """Ranges of which no version is left."""
        gone = (
            self.constant(ctype, old)
            for ctype, old, new in self.ranges()
            if old and old.versions and not (new and new.versions)
        )
        return tuple(sorted(gone))


def _head(file: DcsFile) -> object:
    return file.tscfile, file.predecessor, file.successor, file.notes, file.dettype, file.detid, file.detname


def _beside(ctype: DcsCtype) -> object:
    """Return what of a ctype stands in its record, and how many versions of which range are left."""
    numbers = [(one.key, one.notes, one.begin, one.end, not one.versions) for one in ctype.ranges]
    return ctype.notes, numbers
