"""Merges of any histories, held against an obvious model: what stands where, in a dict for each side."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from calibvcs.model.commits import Action
from calibvcs.model.layout import constant_folder
from calibvcs.model.names import ConstantName
from calibvcs.model.three_way import Rule, Rules
from calibvcs.ops.merges import virtual_base
from calibvcs.ops.merges.merging import merge
from calibvcs.ops.verify import verify
from calibvcs.store.snapshot import Snapshot
from tests.unit.ops.branches import GAIN, LATER, PEDESTALS, Branches, files_of, metadata

CONSTANTS = (PEDESTALS, LATER, GAIN, ConstantName.parse("opal-1/pixel_rms/0-end"))
NAMES = {str(name): name for name in CONSTANTS}

# What stands in a constant: a value, and whether it is withdrawn; None where there is no such constant.
Standing = tuple[int, bool] | None
STATES = st.fixed_dictionaries(
    {name: st.one_of(st.none(), st.tuples(st.integers(1, 3), st.booleans())) for name in CONSTANTS}
)
CHANGES = st.dictionaries(
    st.sampled_from(CONSTANTS), st.one_of(st.none(), st.tuples(st.integers(1, 4), st.booleans())), max_size=4
)


def written(store: Branches, parent: str, state: dict[ConstantName, Standing]) -> str:
    files: dict[str, bytes | None] = {}
    for name, standing in state.items():
        meta = metadata().withdraw("Bad") if standing and standing[1] else metadata()
        files |= files_of(name, standing[0] if standing else None, meta)
    return store.on(parent, files)


def standing_of(store: Branches, commit: str) -> dict[ConstantName, Standing]:
    found: dict[ConstantName, Standing] = {}
    for name in CONSTANTS:
        value = store.value(commit, name)
        found[name] = None if value is None else (int(value), store.at(commit).metadata(name).withdrawn)
    return found


@settings(max_examples=150)
@given(base=STATES, ours=CHANGES, theirs=CHANGES, rule=st.sampled_from([Rule.OURS, Rule.THEIRS]))
def test_each_constant_comes_from_the_side_that_changed_it(
    base: dict[ConstantName, Standing],
    ours: dict[ConstantName, Standing],
    theirs: dict[ConstantName, Standing],
    rule: Rule,
) -> None:
    store = Branches()
    parted = written(store, store.first, base)
    states = {Rule.OURS: {**base, **ours}, Rule.THEIRS: {**base, **theirs}}
    a, b = (
        written(store, store.on(parted, {"README.md": side.encode()}), states[side])
        for side in (Rule.OURS, Rule.THEIRS)
    )
    a, b = (store.on(side, {"README.md": None}) for side in (a, b))
    expected, disputed = dict[ConstantName, Standing](), set[str]()
    for name in CONSTANTS:
        mine, yours = states[Rule.OURS][name], states[Rule.THEIRS][name]
        expected[name] = yours if mine == base[name] else mine
        if mine != yours and base[name] not in (mine, yours):
            disputed.add(str(name))
            expected[name] = states[rule][name]
    merged = merge(store, a, b)
    assert {conflict.name for conflict in merged.conflicts} == disputed
    if not disputed:
        assert store.tree_of(store.write(merged)) == store.tree_of(store.merge(b, a))
    commit = store.merge(a, b, Rules(rule))
    turned = store.merge(b, a, Rules(Rule.THEIRS if rule is Rule.OURS else Rule.OURS))
    assert standing_of(store, commit) == expected
    assert store.tree_of(commit) == store.tree_of(turned)
    assert verify(store.at(commit)).sound
    told = {(one.name, one.change) for one in merge(store, a, b, Rules(rule)).taken}
    changes = {
        (str(name), "added" if mine is None else "removed" if expected[name] is None else "changed")
        for name, mine in states[Rule.OURS].items()
        if mine != expected[name]
    }
    assert told == changes


@settings(max_examples=60)
@given(base=STATES, changes=st.tuples(CHANGES, CHANGES, CHANGES))
def test_the_order_of_merges_makes_no_difference_where_nothing_is_disputed(
    base: dict[ConstantName, Standing], changes: tuple[dict[ConstantName, Standing], ...]
) -> None:
    store = Branches()
    parted = written(store, store.first, base)
    tips = [written(store, store.on(parted, {f"{n}": b""}), {**base, **change}) for n, change in enumerate(changes)]
    tips = [store.on(tip, {f"{n}": None}) for n, tip in enumerate(tips)]
    assume(not any(merge(store, a, b).conflicts for a, b in permutations(tips, 2)))
    trees = {store.tree_of(store.merge(store.merge(a, b), c)) for a, b, c in permutations(tips)}
    trees |= {store.tree_of(store.merge(a, store.merge(b, c))) for a, b, c in permutations(tips)}
    assert len(trees) == 1


# --- any history ---------------------------------------------------------------------------------------------------

Value = tuple[int, str]
"""A value that no other commit wrote, and the commit that wrote it."""


@dataclass
class Tip:
    """A commit, all commits before it, and the value of every constant."""

    commit: str
    known: frozenset[str]
    values: dict[ConstantName, Value]


STEPS = st.lists(
    st.tuples(
        st.integers(0, 2),  # which branch
        st.one_of(st.integers(0, len(CONSTANTS) - 1), st.sampled_from(["merge 1", "merge 2", "start anew"])),
        st.sampled_from([Rule.OURS, Rule.THEIRS]),
    ),
    min_size=2, max_size=24,
)  # fmt: skip


class Model:
    """Branches that write and merge."""

    def __init__(self) -> None:
        self.store = Branches()
        first = self.store.add(self.store.first, PEDESTALS, 1)
        start = Tip(first, frozenset([self.store.first, first]), {PEDESTALS: (1, first)})
        self.past = {self.store.first: {}, first: start.values}
        self.tips = [start, start, start]

    def step(self, branch: int, what: int | str, rule: Rule) -> None:
        if isinstance(what, int):
            self.write(branch, CONSTANTS[what])
        elif what == "start anew":
            self.tips[branch] = self.tips[branch - 1]
        else:
            self.merge(branch, (branch + int(what[-1])) % 3, rule)

    def now(self, branch: int, tip: Tip) -> None:
        self.tips[branch] = tip
        self.past[tip.commit] = tip.values

    def write(self, branch: int, name: ConstantName) -> None:
        value, tip = len(self.past), self.tips[branch]
        commit = self.store.add(tip.commit, name, value)
        self.now(branch, Tip(commit, tip.known | {commit}, {**tip.values, name: (value, commit)}))

    def merge(self, branch: int, other: int, rule: Rule) -> None:
        ours, theirs = self.tips[branch], self.tips[other]
        merged = merge(self.store, ours.commit, theirs.commit)
        open_ones = {NAMES[conflict.name] for conflict in merged.conflicts}
        commit = self.store.merge(ours.commit, theirs.commit, Rules(single={str(name): rule for name in open_ones}))
        if theirs.commit in ours.known or ours.commit in theirs.known:
            self.tips[branch] = ours if theirs.commit in ours.known else theirs
            assert commit == self.tips[branch].commit
            return
        values: dict[ConstantName, Value] = {}
        for name in {*ours.values, *theirs.values}:
            mine, yours = ours.values.get(name), theirs.values.get(name)
            chosen = mine if rule is Rule.OURS else yours
            if name not in open_ones:
                chosen = next(
                    one for one in (mine, yours) if (one[0] if one else None) == self.store.value(commit, name)
                )
            if len(merged.bases) == 1:  # obvious
                base = self.past[merged.bases[0]].get(name)
                assert (name in open_ones) == (mine != yours and base not in (mine, yours))
                assert name in open_ones or chosen == (yours if mine == base else mine)
            elif mine != yours and name not in open_ones:  # at least, the side that won knew what it won over
                lost, winner = (yours, ours) if chosen == mine else (mine, theirs)
                assert lost is None or lost[1] in winner.known
            if chosen is not None:
                values[name] = chosen
        assert {name: self.store.value(commit, name) for name in values} == {
            n: value for n, (value, _) in values.items()
        }
        self.now(branch, Tip(commit, ours.known | theirs.known | {commit}, values))
        self.check_versions(self.tips[branch])

    def check_versions(self, tip: Tip) -> None:
        history = self.store.at(tip.commit).history
        for name, (_, writer) in tip.values.items():
            default = history.default(name)
            assert default is not None
            assert default.commit.id == writer
            found = {version.commit.id for version in history.versions(name)}
            assert found == {one for one in tip.known if name in self.store.commit(one).message.constants}


@settings(max_examples=150, deadline=None)
@given(steps=STEPS)
def test_no_value_is_lost_but_to_a_side_that_knew_it(steps: list[tuple[int, int | str, Rule]]) -> None:
    model = Model()
    for step in steps:
        model.step(*step)


@settings(max_examples=60, deadline=None)
@given(steps=STEPS)
def test_that_holds_without_a_look_behind_crosswise_merges(steps: list[tuple[int, int | str, Rule]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(virtual_base, "MOST_MERGES", 0)
        model = Model()
        for step in steps:
            model.step(*step)


@settings(max_examples=60, deadline=None)
@given(
    ours=st.lists(st.sampled_from([Action.ADD, Action.LOCK, Action.WITHDRAW, Action.RESTORE]), max_size=3),
    theirs=st.lists(st.sampled_from([Action.ADD, Action.LOCK, Action.WITHDRAW, Action.RESTORE]), max_size=3),
    rule=st.sampled_from(Rule),
)
def test_the_default_of_a_merge_has_the_data_that_readers_get(
    ours: list[Action], theirs: list[Action], rule: Rule
) -> None:
    store = Branches()
    first = store.add(store.first, PEDESTALS, 1)
    second = store.add(first, PEDESTALS, 2)
    tips, adds, value = [], 2, 2
    for actions in (ours, theirs):
        tip = second
        for action in actions:
            if action is Action.ADD:
                adds, value = adds + 1, value + 1
                tip = store.add(tip, PEDESTALS, value)
            elif action is Action.RESTORE:
                tip = store.restore(tip, PEDESTALS, first)
            else:
                tip = store.mark(tip, action, PEDESTALS, store.value(tip, PEDESTALS) or 0)
        tips.append(tip)
    merged = merge(store, *tips, Rules(rule))
    assume(not merged.conflicts)
    commit = store.write(merged)
    history = store.at(commit).history
    default = history.default(PEDESTALS)
    assert history.count(PEDESTALS) == adds
    assert default is not None
    assert history.blob(default) == Snapshot(store, commit).blob_id(f"{constant_folder(PEDESTALS)}/data.npy")
