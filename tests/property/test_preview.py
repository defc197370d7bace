"""What a preview says of any two states, held against a look at every second by the rule that chooses."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from calibvcs.model.choose import choose
from calibvcs.model.names import ConstantName
from calibvcs.model.validity import Validity
from calibvcs.ops.merges.preview import preview
from tests.unit.ops.branches import PEDESTALS, Branches, files_of, metadata

LAST = 12
SPANS = st.tuples(st.integers(0, LAST - 1), st.one_of(st.none(), st.integers(1, 6))).map(
    lambda pair: Validity(pair[0], None if pair[1] is None else pair[0] + pair[1])
)
STATES = st.dictionaries(SPANS, st.tuples(st.integers(1, 2), st.booleans()), max_size=7)


def written(store: Branches, state: dict[Validity, tuple[int, bool]]) -> str:
    files: dict[str, bytes | None] = {}
    for validity, (value, withdrawn) in state.items():
        name = ConstantName(PEDESTALS.detector, PEDESTALS.ctype, validity)
        files |= files_of(name, value, metadata().withdraw("Bad") if withdrawn else metadata())
    return store.on(store.first, files)


def read(state: dict[Validity, tuple[int, bool]], second: int) -> tuple[Validity, int] | None:
    found = choose(state, second, [one for one, (_, withdrawn) in state.items() if withdrawn])
    return None if found is None else (found, state[found][0])


@settings(max_examples=150, deadline=None)
@given(before=STATES, after=STATES)
def test_effects_are_just_the_seconds_in_which_a_reader_gets_something_else(
    before: dict[Validity, tuple[int, bool]], after: dict[Validity, tuple[int, bool]]
) -> None:
    store = Branches()
    table = "".join(f"[[runs]]\nrun = {second}\nbegin = {second}\n" for second in range(LAST + 9))
    new = store.on(written(store, after), {"experiments/mfx1.toml": table.encode()})
    found = preview(store.at(written(store, before)), store.at(new))
    expected = {second for second in range(LAST + 9) if read(before, second) != read(after, second)}
    assert {run for effect in found.effects for runs in effect.runs for run in runs.runs} == expected
    for effect in found.effects:
        seconds = range(effect.begin, LAST + 9 if effect.end is None else effect.end)
        assert expected.issuperset(seconds)
        for second in seconds:
            for state, told in ((before, effect.before), (after, effect.after)):
                value = read(state, second)
                assert told.partition("@")[0] == (f"opal-1/pedestals/{value[0]}" if value else "")
    spans = [(effect.begin, effect.end) for effect in found.effects]
    assert spans == sorted(spans)
    assert all(first[1] is not None and first[1] <= second[0] for first, second in pairwise(spans))


@settings(max_examples=80, deadline=None)
@given(before=STATES, after=STATES)
def test_every_default_that_is_not_the_same_is_listed(
    before: dict[Validity, tuple[int, bool]], after: dict[Validity, tuple[int, bool]]
) -> None:
    store = Branches()
    found = preview(store.at(written(store, before)), store.at(written(store, after)))
    changed = {str(one) for one in {*before, *after} if before.get(one) != after.get(one)}
    assert {row.constant.rpartition("/")[2] for row in found.defaults} == changed
    assert not found.files
