"""Merges of run tables, alias tables and records of detectors, held against dicts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from hypothesis import given, settings
from hypothesis import strategies as st

from calibvcs.formats.toml import aliases_toml, detector_toml, runs_toml
from calibvcs.model.aliases import Alias
from calibvcs.model.detector import Detector
from calibvcs.model.names import DetectorName
from calibvcs.model.runs import Run, RunKind, RunTable
from calibvcs.model.three_way import Rule, Rules
from calibvcs.model.validity import Validity
from calibvcs.ops.merges.merging import merge
from tests.unit.ops.branches import FOLDER, PEDESTALS, Branches

K = TypeVar("K")
V = TypeVar("V")
RUNS, DETECTOR = "experiments/mfx1.toml", f"{FOLDER}/detector.toml"
TABLES = st.dictionaries(st.integers(1, 5), st.sampled_from(["", "a", "b"]), max_size=5)
ROWS = st.dictionaries(
    st.tuples(st.sampled_from(["front", "back"]), st.sampled_from(["opal-1", "opal-2", "epix-1"]), st.integers(0, 5)),
    st.one_of(st.none(), st.integers(6, 7), st.integers(1, 2)),
    max_size=3,
)
ENTRIES = st.dictionaries(
    st.sampled_from(["bias", "gain", "mode"]), st.sampled_from([1, 1.0, True, "x", [1, 2]]), max_size=3
)


def three_way(
    base: Mapping[K, V], ours: Mapping[K, V], theirs: Mapping[K, V], chosen: Mapping[K, V]
) -> tuple[dict[K, V], set[K]]:
    """Return what is to come out, of conflicts `chosen`; and the conflicts."""
    merged: dict[K, V] = {}
    disputed: set[K] = set()
    for key in {*base, *ours, *theirs}:
        a, b, c = (repr(side.get(key)) if key in side else None for side in (base, ours, theirs))
        source = theirs if b == a else ours
        if a != b != c and a != c:
            disputed.add(key)
            source = chosen
        if key in source:
            merged[key] = source[key]
    return merged, disputed


def parted(store: Branches, *sides: Mapping[str, bytes]) -> tuple[str, str]:
    start = store.on(store.first, sides[0])
    return store.add(store.on(start, sides[1]), PEDESTALS, 1), store.on(start, sides[2])


def both_ways(store: Branches, ours: str, theirs: str, rule: Rule) -> str:
    """Merge, and see that it makes no difference who does it."""
    commit = store.merge(ours, theirs, Rules(rule))
    turned = store.merge(theirs, ours, Rules(Rule.THEIRS if rule is Rule.OURS else Rule.OURS))
    assert store.tree_of(commit) == store.tree_of(turned)
    return commit


SIDES = st.sampled_from([Rule.OURS, Rule.THEIRS])


@settings(max_examples=100, deadline=None)
@given(base=TABLES, ours=TABLES, theirs=TABLES, rule=SIDES)
def test_runs_are_merged_by_their_number(
    base: dict[int, str], ours: dict[int, str], theirs: dict[int, str], rule: Rule
) -> None:
    def encoded(comments: dict[int, str]) -> dict[str, bytes]:
        runs = tuple(Run(number, RunKind.DATA, comment=comments[number]) for number in sorted(comments))
        return {RUNS: runs_toml.encode(RunTable("mfx1", "mfx", runs))}

    store = Branches()
    a, b = parted(store, *map(encoded, (base, ours, theirs)))
    expected, disputed = three_way(base, ours, theirs, ours if rule is Rule.OURS else theirs)
    assert {conflict.name for conflict in merge(store, a, b).conflicts} == {f"mfx1:{number}" for number in disputed}
    table = store.at(both_ways(store, a, b, rule)).run_table("mfx1")
    assert (table.instrument, {run.run: run.comment for run in table.runs}) == ("mfx", expected)


AliasRows = dict[tuple[str, str, int], int | None]


def alias_files(rows: AliasRows) -> dict[str, bytes]:
    aliases = [
        Alias(alias, DetectorName.parse(detector), Validity(begin, end and begin + end))
        for (alias, detector, begin), end in sorted(rows.items(), key=lambda row: (row[0][0], row[0][2], row[0][1]))
    ]
    return {
        f"{dettype}/aliases.toml": aliases_toml.encode(row for row in aliases if row.detector.dettype == dettype)
        for dettype in ("opal", "epix")
    }


def clashing(rows: AliasRows, alias: str) -> set[frozenset[object]]:
    spans = {(key, Validity(key[2], end and key[2] + end)) for key, end in rows.items() if key[0] == alias}
    return {frozenset((a[0], b[0])) for a in spans for b in spans if a[0] != b[0] and a[1].overlaps(b[1])}


@settings(max_examples=200, deadline=None)
@given(base=ROWS, ours=ROWS, theirs=ROWS, rule=SIDES)
def test_aliases_are_merged_by_name_and_never_mean_two_detectors_unless_they_did(
    base: AliasRows, ours: AliasRows, theirs: AliasRows, rule: Rule
) -> None:
    store = Branches()
    a, b = parted(store, *map(alias_files, (base, ours, theirs)))
    chosen = ours if rule is Rule.OURS else theirs
    expected, disputed = three_way(base, ours, theirs, chosen)
    names = {alias for alias, *_ in disputed}
    for alias in ("front", "back"):
        if clashing(expected, alias) - clashing(ours, alias) - clashing(theirs, alias):
            names.add(alias)
    expected = {key: end for key, end in expected.items() if key[0] not in names}
    expected |= {key: end for key, end in chosen.items() if key[0] in names}
    if ours != base:  # else theirs is taken as it is
        assert {conflict.name for conflict in merge(store, a, b).conflicts} == {f"alias:{alias}" for alias in names}
    found = store.at(both_ways(store, a, b, rule)).aliases
    told = {(row.alias, str(row.detector), row.validity.begin): row.validity for row in found}
    assert told == {key: Validity(key[2], end and key[2] + end) for key, end in expected.items()}


@settings(max_examples=100, deadline=None)
@given(base=ENTRIES, ours=ENTRIES, theirs=ENTRIES, rule=SIDES)
def test_a_record_is_merged_by_its_entries(
    base: dict[str, object], ours: dict[str, object], theirs: dict[str, object], rule: Rule
) -> None:
    def encoded(parameters: dict[str, object]) -> dict[str, bytes]:
        return {DETECTOR: detector_toml.encode(Detector(PEDESTALS.detector, "opal_1", parameters=parameters))}  # type: ignore[arg-type]

    store = Branches()
    a, b = parted(store, *map(encoded, (base, ours, theirs)))
    expected, disputed = three_way(base, ours, theirs, ours if rule is Rule.OURS else theirs)
    assert {c.name for c in merge(store, a, b).conflicts} == {f"opal-1:parameters.{key}" for key in disputed}
    found = store.at(both_ways(store, a, b, rule)).detector(PEDESTALS.detector)
    assert sorted(map(repr, found.parameters.items())) == sorted(map(repr, expected.items()))
    assert found.longname == "opal_1"
