"""Any sequence of changes on a real Git repository, held against an obvious model: lists of versions in a dict."""

from __future__ import annotations

import copy
import math
import random
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

import calibvcs
from calibvcs.errors import (
    AlreadyExistsError,
    CalibvcsError,
    GateRefusedError,
    LockedError,
    NotFoundError,
    OverlapError,
    UnknownDetectorError,
    UnknownParameterError,
    UnknownRunError,
    UnknownVersionError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

DETECTORS = ["opal1000-1", "opal1000-2", "epixuhr-9"]
ALIASES = ["front", "back"]
CTYPES = ["pedestals", "pixel_rms"]
BOUNDS = [0, 100, 200, 300]
TIMES = [0, 50, 100, 150.5, 199, 200, 299.999, 300, 10**9]
RUNS = [f"mfx{experiment}:{run}" for experiment in (1, 2) for run in (1, 2, 10)]
TAGS = ["golden", "golden/2026", "run24-1", "run24-2"]
STATES = ["testing", "validated", "published", "invalid"]
NEXT = {
    "open": {"testing", "validated", "published", "invalid"},
    "testing": {"validated", "published", "invalid"},
    "validated": {"testing", "published", "invalid"},
    "published": {"invalid"},
    "invalid": set[str](),
}
KEYS = ["bias", "mode"]
ZEROS = 0

# --- the model ---------------------------------------------------------------------------------------------------


@dataclass
class Range:
    """The values of all versions of one range, the index of the default, and its state."""

    values: list[int] = field(default_factory=list)
    default: int = 0
    locked: bool = False
    withdrawn: bool = False
    parameters: dict[int, dict[str, int]] = field(default_factory=dict)


@dataclass
class Model:
    """What a repository holds. A range is a pair of seconds, its end infinite where it is open."""

    detectors: dict[str, str] = field(default_factory=dict)
    ranges: dict[tuple[str, str], dict[tuple[int, float], Range]] = field(default_factory=dict)
    aliases: list[tuple[str, str, int, float]] = field(default_factory=list)
    runs: dict[str, tuple[str, int | None]] = field(default_factory=dict)
    predecessors: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, dict[str, int]] = field(default_factory=dict)

    def detector(self, name: str, time: float) -> str | None:
        meant = [detector for alias, detector, begin, end in self.aliases if alias == name and begin <= time < end]
        return meant[0] if meant else name if name in self.detectors else None

    def chosen(self, name: str, ctype: str, time: float) -> tuple[int, float] | None:
        detector = self.detector(name, time)
        valid = [
            (begin, end)
            for (begin, end), one in self.ranges.get((detector or "", ctype), {}).items()
            if begin <= time < end and not one.withdrawn
        ]
        return min(valid, key=lambda span: (-span[0], span[1]), default=None)

    def value(self, name: str, ctype: str, time: float) -> int | None:
        span = self.chosen(name, ctype, time)
        if span is None:
            return None
        one = self.ranges[self.detector(name, time) or "", ctype][span]
        return one.values[one.default]

    def with_fallback(self, name: str, ctype: str, time: float) -> int | None:
        """Return the value of the detector, else that of the nearest predecessor that has one."""
        current, seen = self.detector(name, time), set[str]()
        while current and current not in seen:
            spans = [s for s, one in self.ranges.get((current, ctype), {}).items() if not one.withdrawn]
            valid = [(begin, end) for begin, end in spans if begin <= time < end]
            if valid:
                one = self.ranges[current, ctype][min(valid, key=lambda span: (-span[0], span[1]))]
                return one.values[one.default]
            seen.add(current)
            current = self.predecessors.get(current)
        return None


def range_text(begin: int, end: float) -> str:
    return f"{begin}-{'end' if math.isinf(end) else int(end)}"


def constant_text(detector: str, ctype: str, span: tuple[int, float]) -> str:
    return f"{detector}/{ctype}/{range_text(*span)}"


# --- the machine -------------------------------------------------------------------------------------------------

spans = st.tuples(st.sampled_from(BOUNDS), st.sampled_from([*BOUNDS[1:], math.inf])).filter(
    lambda span: span[0] < span[1]
)
names = st.sampled_from([*DETECTORS, *ALIASES])
levels = st.integers(1, 30)


def array(value: int) -> np.ndarray[Any, Any]:
    return np.full((4, 4), value, np.float32)


class Histories(RuleBasedStateMachine):
    """Every verb that changes something; the model says whether it has to be refused."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="calibvcs-"))
        calibvcs.init(self.folder / "constants", bare=True)
        self.repository = calibvcs.open(self.folder / "constants")
        self.model = Model()
        self.commits = 1
        self.past: list[tuple[str, Model]] = []
        self.tags: dict[str, str] = {}
        self.states: dict[str, list[str]] = {}
        self.chance = random.Random(0)

    @initialize(seed=st.integers(0, 2**16), known=st.sets(st.sampled_from(DETECTORS), min_size=1, max_size=2))
    def begin(self, seed: int, known: set[str]) -> None:
        """Begin with something to work on: in most histories a detector is added once, and then used for long."""
        self.chance = random.Random(seed)
        self.changed()
        for name in sorted(known):
            self.add_detector(name)
            for value in (10, 11):
                self.add(name, CTYPES[0], (0, math.inf), value, False, False)
        first, *others = sorted(known)
        self.add(first, CTYPES[1], (100, math.inf), 12, False, False)
        for name in others:
            self.set_predecessor(name, first, None)
        self.create_tag(TAGS[0])

    def teardown(self) -> None:
        try:
            folder = self.folder / "constants"
            log = [entry.commit for entry in self.repository.log().commits]
            assert len(log) == len(set(log)) == self.commits
            assert git(folder, "rev-list", "HEAD").split() == log
            assert git(folder, "fsck", "--strict") == ""
            assert self.repository.verify(deep=True).sound
            git(folder, "gc", "-q")
            self.everything_agrees()
            for commit, model in self.past[:: max(1, len(self.past) // 5)]:
                self.agrees(commit, model)
        finally:
            self.repository.close()
            shutil.rmtree(self.folder)

    def change(self, make: Callable[[], Any], refusal: type[CalibvcsError] | None) -> bool:
        """Make a change that has to be refused where the model says so; tell whether it was made."""
        before = self.repository.commit
        if refusal:
            with pytest.raises(refusal):
                make()
            assert self.repository.commit == before
            return False
        assert make().commit == self.repository.commit != before
        self.commits += 1
        return True

    def changed(self) -> None:
        self.past.append((self.repository.commit, copy.deepcopy(self.model)))

    # --- detectors, aliases, runs, tags

    @precondition(lambda self: len(self.model.detectors) < len(DETECTORS))
    @rule(name=st.sampled_from(DETECTORS))
    def add_detector(self, name: str) -> None:
        refusal = AlreadyExistsError if name in self.model.detectors else None
        if self.change(lambda: self.repository.detector.add(name), refusal):
            self.model.detectors[name] = ""
            self.changed()

    @rule(name=st.sampled_from(DETECTORS), longname=st.sampled_from(["a", "b"]))
    def set_detector(self, name: str, longname: str) -> None:
        refusal: type[CalibvcsError] | None = None
        if name not in self.model.detectors:
            refusal = UnknownDetectorError
        elif self.model.detectors[name] == longname:
            refusal = CalibvcsError
        if self.change(lambda: self.repository.detector.set(name, longname=longname), refusal):
            self.model.detectors[name] = longname
            self.changed()

    @rule(alias=st.sampled_from(ALIASES), name=st.sampled_from(DETECTORS), span=spans)
    def add_alias(self, alias: str, name: str, span: tuple[int, float]) -> None:
        begin, end = span
        refusal: type[CalibvcsError] | None = None
        if name not in self.model.detectors:
            refusal = UnknownDetectorError
        elif any(a == alias and begin < last and first < end for a, _, first, last in self.model.aliases):
            refusal = OverlapError
        last = None if math.isinf(end) else int(end)
        if self.change(lambda: self.repository.alias.add(alias, name, begin=begin, end=last), refusal):
            self.model.aliases.append((alias, name, begin, end))
            self.changed()

    @rule(
        run=st.sampled_from(RUNS),
        kind=st.sampled_from(["data", "dark", "flat"]),
        begin=st.none() | st.sampled_from(BOUNDS),
    )
    def mark_run(self, run: str, kind: str, begin: int | None) -> None:
        self.change(lambda: self.repository.run.mark(run, kind=kind, reason="other", begin=begin, message="Look"), None)
        known = self.model.runs.get(run, ("", None))[1]
        self.model.runs[run] = kind, known if begin is None else begin
        self.changed()

    @precondition(lambda self: self.model.runs)
    @rule(run=st.sampled_from(RUNS))
    def unmark_run(self, run: str) -> None:
        refusal = None if run in self.model.runs else UnknownRunError
        if self.change(lambda: self.repository.run.unmark(run), refusal):
            del self.model.runs[run]
            self.changed()

    @rule(name=st.sampled_from(TAGS))
    def create_tag(self, name: str) -> None:
        if any(
            name == tag or f"{name}/".startswith(f"{tag}/") or f"{tag}/".startswith(f"{name}/") for tag in self.tags
        ):
            with pytest.raises(AlreadyExistsError):
                self.repository.tag.create(name, message="Again")
        else:
            self.repository.tag.create(name, message="All of these")
            self.tags[name] = self.repository.commit
            self.states[name] = ["open"]

    @rule(states=st.lists(st.sampled_from(STATES), min_size=1, max_size=3))
    def set_states_of_a_tag(self, states: list[str]) -> None:
        name = self.chance.choice([*self.tags, *self.tags, "nothing"])
        for state in states:
            self.set_state_of_a_tag(name, state)

    def set_state_of_a_tag(self, name: str, state: str) -> None:
        before, moves = self.repository.commit, self.states.get(name, ["gone"])
        refusal = NotFoundError if name not in self.tags else None if state in NEXT[moves[-1]] else CalibvcsError
        if refusal:
            with pytest.raises(refusal):
                self.repository.tag.set_state(name, state, comment="Looked at")
        else:
            self.repository.tag.set_state(name, state, comment="Looked at")
            self.states[name].append(state)
        assert self.repository.commit == before

    # --- lineage, parameters

    @rule(
        name=st.sampled_from(DETECTORS),
        other=st.sampled_from([*DETECTORS, ""]),
        since=st.none() | st.sampled_from(BOUNDS),
    )
    def set_predecessor(self, name: str, other: str, since: int | None) -> None:
        known = self.model.detectors
        refusal: type[CalibvcsError] | None = None
        if name not in known or (other and other not in known):
            refusal = UnknownDetectorError
        elif (
            name == other
            or (since is not None and not other)
            or (self.model.predecessors.get(name, "") == other and since is None)
            or (since is not None and self.lineage(name) == (other, since))
        ):
            refusal = CalibvcsError

        def make() -> Any:
            return self.repository.detector.set(name, predecessor=other, predecessor_until=since)

        if self.change(make, refusal):
            self.model.predecessors[name] = other
            self.changed()

    def lineage(self, name: str) -> tuple[str, int | None]:
        record = self.repository.detector.show(name).detector
        until = record.predecessor_until
        return record.predecessor, int(datetime.fromisoformat(until).timestamp()) if until else None

    @rule(key=st.sampled_from(KEYS), value=st.integers(0, 3), level=st.sampled_from(["detector", "ctype", "range"]))
    def set_parameter(self, key: str, value: int, level: str) -> None:
        target, here, locked = self.some_target(level)
        refusal: type[CalibvcsError] | None = LockedError if locked else None
        if refusal is None and here.get(key) == value:
            refusal = CalibvcsError
        if self.change(lambda: self.repository.param.set(target, {key: value}), refusal):
            here[key] = value
            self.changed()

    @rule(key=st.sampled_from(KEYS), level=st.sampled_from(["detector", "ctype", "range"]))
    def unset_parameter(self, key: str, level: str) -> None:
        target, here, locked = self.some_target(level)
        refusal: type[CalibvcsError] | None = LockedError if locked else None
        if refusal is None and key not in here:
            refusal = UnknownParameterError
        if self.change(lambda: self.repository.param.unset(target, [key]), refusal):
            del here[key]
            self.changed()

    @rule(value=st.integers(0, 3))
    def set_parameters_of_two_versions(self, value: int) -> None:
        """What is set while a version is the default comes back with it, and only with it."""
        self.set_parameter(KEYS[0], value, "range")
        self.set_default()
        self.set_parameter(KEYS[0], value + 1, "range")

    def some_target(self, level: str) -> tuple[str, dict[str, int], bool]:
        """Return what may have parameters, those of it, and whether it is locked."""
        if level == "range":
            constant, one = self.some_range()
            return constant, one.parameters.setdefault(one.default, {}), one.locked
        detector, ctype = self.chance.choice(sorted(self.model.ranges))
        target = detector if level == "detector" else f"{detector}/{ctype}"
        return target, self.model.parameters.setdefault(target, {}), False

    # --- constants

    def refusal_of_add(self, name: str, ctype: str, span: tuple[int, float], value: int, forced: bool) -> Any:
        detector = self.model.detector(name, span[0])
        if detector is None:
            return UnknownDetectorError
        one = self.model.ranges.get((detector, ctype), {}).get(span)
        if one and one.locked:
            return LockedError
        same = one is not None and one.values[one.default] == value
        return GateRefusedError if not forced and (value == ZEROS or same) else None

    @rule(
        name=names, ctype=st.sampled_from(CTYPES), span=spans, value=levels | st.just(ZEROS), forced=st.booleans(),
        dry_run=st.sampled_from([False, False, False, True]),
    )  # fmt: skip
    def add(self, name: str, ctype: str, span: tuple[int, float], value: int, forced: bool, dry_run: bool) -> None:
        begin, end = span
        refusal = self.refusal_of_add(name, ctype, span, value, forced)

        def make() -> Any:
            return self.repository.add(
                name, ctype, array(value), begin=begin, end=None if math.isinf(end) else int(end),
                message=f"Level {value}", force_reason="It is right" if forced else "", dry_run=dry_run,
            )  # fmt: skip

        if dry_run and not refusal:
            before = self.repository.commit
            make()
            assert self.repository.commit == before
        elif self.change(make, refusal):
            detector = self.model.detector(name, begin) or ""
            one = self.model.ranges.setdefault((detector, ctype), {}).setdefault(span, Range())
            one.values.append(value)
            one.default, one.withdrawn = len(one.values) - 1, False
            self.changed()

    @rule(forced=st.booleans())
    def add_to_a_range_that_is_there(self, forced: bool) -> None:
        value = self.chance.randrange(30)
        (name, ctype), spans = self.chance.choice(sorted(self.model.ranges.items()))
        self.add(name, ctype, self.chance.choice(sorted(spans)), value, forced, False)

    @rule(span=spans, value=levels)
    def add_beside_a_range_that_is_there(self, span: tuple[int, float], value: int) -> None:
        name, ctype = self.chance.choice(sorted(self.model.ranges))
        self.add(name, ctype, span, value, False, False)
        begin = self.chance.choice([begin for begin, _ in self.model.ranges[name, ctype]])
        self.add(name, ctype, (begin, begin + self.chance.choice([50, 100, 150])), value, False, False)

    @rule(name=st.sampled_from(ALIASES), value=levels)
    def add_by_an_alias_that_is_there(self, name: str, value: int) -> None:
        begins = [begin for alias, _, begin, _ in self.model.aliases if alias == name]
        if begins:
            self.add(name, CTYPES[0], (self.chance.choice(begins), math.inf), value, False, False)

    def some_range(self) -> tuple[str, Range]:
        """Return one of all ranges, rather one with many versions."""
        every = [
            (constant_text(*key, span), one) for key, spans in self.model.ranges.items() for span, one in spans.items()
        ]
        return max(self.chance.choices(every, k=2), key=lambda found: len(found[1].values))

    @rule()
    def set_default(self) -> None:
        constant, one = self.some_range()
        index = self.chance.randrange(len(one.values) + 1)
        refusal: type[CalibvcsError] | None = None
        if index >= len(one.values):
            refusal = UnknownVersionError
        elif one.locked:
            refusal = LockedError
        elif index == one.default and not one.withdrawn:
            refusal = CalibvcsError
        if self.change(lambda: self.repository.default.set(f"{constant}@v{index + 1}", message="Back"), refusal):
            one.default, one.withdrawn = index, False
            self.changed()

    @rule(verb=st.sampled_from(["lock", "unlock", "unlock", "withdraw"]))
    def change_state(self, verb: str) -> None:
        constant, one = self.some_range()
        refusal: type[CalibvcsError] | None = None
        if verb == "withdraw" and one.locked:
            refusal = LockedError
        elif {"lock": one.locked, "unlock": not one.locked, "withdraw": one.withdrawn}[verb]:
            refusal = CalibvcsError
        if self.change(lambda: getattr(self.repository, verb)(constant, message="Why"), refusal):
            if verb == "withdraw":
                one.withdrawn = True
            else:
                one.locked = verb == "lock"
            self.changed()

    @rule(
        name=st.sampled_from(DETECTORS),
        ctype=st.sampled_from(CTYPES),
        bad=st.sampled_from(["nan", "dtype", "shape", "message"]),
    )
    def offer_what_is_never_taken(self, name: str, ctype: str, bad: str) -> None:
        data = {"nan": array(1) * np.nan, "dtype": array(1).astype(np.int16), "shape": np.ones(3, np.float32)}.get(bad)
        with pytest.raises(CalibvcsError):
            self.repository.add(
                name, ctype, array(5) if data is None else data, begin=0, message="" if bad == "message" else "Why"
            )

    # --- reading

    @invariant()
    def everything_agrees(self) -> None:
        model = self.model
        rows = {row.constant: row for row in self.repository.ls().constants}
        expected = {
            constant_text(*key, span): (f"v{one.default + 1}", one.locked, one.withdrawn, *span)
            for key, spans in model.ranges.items()
            for span, one in spans.items()
        }
        assert expected == {
            name: (row.version, row.locked, row.withdrawn, row.begin, math.inf if row.end is None else row.end)
            for name, row in rows.items()
        }
        constant, one = self.some_range()
        shown = self.repository.default.show(constant)
        assert [row.version for row in shown.versions] == [f"v{n + 1}" for n in range(len(one.values))]
        assert [row.default for row in shown.versions].index(True) == one.default
        older = self.chance.choice(shown.versions)
        assert (
            self.repository.show(f"{constant}@{older.version}").segments[0].median
            == one.values[int(older.version[1:]) - 1]
        )
        assert {(d.name.dettype + "-" + d.name.detid): d.longname for d in self.repository.detector.ls().detectors} == (
            model.detectors
        )
        assert sorted(model.aliases) == sorted(
            (
                row.alias,
                str(row.detector),
                row.validity.begin,
                math.inf if row.validity.end is None else row.validity.end,
            )
            for row in self.repository.alias.ls().aliases
        )
        assert {f"{row.experiment}:{row.run}": (row.kind, row.begin) for row in self.repository.run.ls().runs} == (
            model.runs
        )
        assert {row.name: row.commit for row in self.repository.tag.list().tags} == self.tags
        self.parameters_agree()
        self.lineage_agrees()
        for name, states in self.states.items():
            judged = self.repository.tag.state(name)
            assert (["open", *(one.state for one in judged.history)], judged.trouble) == (states, "")
        for _ in range(4):
            self.agrees(None, model)
        self.agrees(*self.chance.choice(self.past))
        if self.tags:
            tag = self.chance.choice(sorted(self.tags))
            self.agrees(tag, next(model for commit, model in self.past if commit == self.tags[tag]))

    def parameters_agree(self) -> None:
        target, here, _ = self.some_target(self.chance.choice(["detector", "ctype"]))
        assert self.repository.param.get(target).parameters == here
        constant, one = self.some_range()
        assert self.repository.param.get(constant).parameters == one.parameters.get(one.default, {})
        older = self.chance.randrange(len(one.values))
        found = self.repository.param.get(f"{constant}@v{older + 1}").parameters
        assert found == one.parameters.get(older, {})

    def lineage_agrees(self) -> None:
        name, ctype = self.chance.choice([(name, ctype) for name in self.model.detectors for ctype in CTYPES])
        assert self.lineage(name)[0] == self.model.predecessors.get(name, "")
        time = self.chance.choice(TIMES)
        expected = self.model.with_fallback(name, ctype, time)
        if expected is None:
            with pytest.raises(NotFoundError):
                self.repository.get(name, ctype, time, fallback="predecessor")
        else:
            found = self.repository.get(name, ctype, time, fallback="predecessor")
            assert np.array_equal(found.data, array(expected))
            assert bool(found.fallback) == (str(found.name.detector) != name)

    def agrees(self, at: str | None, model: Model) -> None:
        anything = [(name, ctype) for name in (*DETECTORS, *ALIASES) for ctype in CTYPES]
        name, ctype = self.chance.choice([*anything, *4 * list(model.ranges)])
        run, time = self.chance.choice(RUNS), self.chance.choice(TIMES)
        begin = model.runs.get(run, ("", None))[1]
        when: Any = run if begin is not None and self.chance.random() < 0.3 else time
        moment = begin if when == run and begin is not None else time
        value = model.value(name, ctype, moment)
        if value is None:
            with pytest.raises(NotFoundError):
                self.repository.get(name, ctype, when, at=at)
        else:
            found = self.repository.get(name, ctype, when, at=at)
            assert np.array_equal(found.data, array(value))
        self.explained(at, model, name, ctype, moment)

    def explained(self, at: str | None, model: Model, name: str, ctype: str, moment: float) -> None:
        detector = model.detector(name, moment)
        ranges = model.ranges.get((detector or "", ctype), {})
        if not ranges:
            with pytest.raises(NotFoundError):
                self.repository.why(name, ctype, moment, at=at)
            return
        why = self.repository.why(name, ctype, moment, at=at)
        span = model.chosen(name, ctype, moment)
        assert why.chosen == (constant_text(detector or "", ctype, span) if span else None)
        assert {candidate.constant for candidate in why.candidates} == {
            constant_text(detector or "", ctype, other) for other in ranges
        }
        covering = {constant_text(detector or "", ctype, other) for other in ranges if other[0] <= moment < other[1]}
        assert {c.constant for c in why.candidates[: len(covering)]} == covering
        rows = self.repository.ls(f"{detector}/{ctype}", at=at, valid_at=moment).constants
        assert [row.constant for row in rows] == ([why.chosen] if why.chosen else [])


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", "-C", folder, *arguments], capture_output=True, text=True, check=True).stdout.strip()


def test_any_history_reads_as_the_model_says() -> None:
    run_state_machine_as_test(Histories, settings=settings(max_examples=34, stateful_step_count=25, deadline=None))
