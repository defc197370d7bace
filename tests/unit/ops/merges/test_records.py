"""Merging run tables, alias tables and records of detectors."""

from __future__ import annotations

import pytest

from calibvcs.model.three_way import Rule, Rules
from calibvcs.ops.merges.merging import merge
from calibvcs.ops.verify import verify
from tests.unit.ops.branches import FOLDER, GAIN, Branches

RUNS, ALIASES, OTHER_ALIASES, DETECTOR = (
    "experiments/mfx1.toml", "opal/aliases.toml", "jungfrau/aliases.toml", f"{FOLDER}/detector.toml"
)  # fmt: skip


@pytest.fixture
def store() -> Branches:
    return Branches()


def run(number: int, comment: str = "", above: str = "") -> str:
    return f'{above}[[runs]]\nrun = {number}\nkind = "data"\nbegin = {100 * number}\n' + (
        f'comment = "{comment}"\n' if comment else ""
    )


def alias(name: str, detector: str, begin: int | None = None, end: int | None = None) -> str:
    times = "".join(f"{key} = {time}\n" for key, time in (("begin", begin), ("end", end)) if time is not None)
    return f'[[aliases]]\nalias = "{name}"\ndetector = "{detector}"\n{times}'


def table(*rows: str, head: str = "") -> str:
    return "\n".join(filter(None, [head, *rows]))


class Three:
    """A file before, on our side and on theirs; None where it is not there."""

    def __init__(self, store: Branches, files: dict[str, tuple[str | None, str | None, str | None]]) -> None:
        self.store = store
        before, ours, theirs = ({path: said[side] for path, said in files.items()} for side in range(3))
        base = self._on(store.first, before)
        self.ours, self.theirs = self._on(base, ours), self._on(base, theirs)

    def _on(self, parent: str, files: dict[str, str | None]) -> str:
        return self.store.on(parent, {path: None if text is None else text.encode() for path, text in files.items()})

    def conflicts(self) -> list[tuple[str, str]]:
        found, other = (
            merge(self.store, *pair).conflicts for pair in ((self.ours, self.theirs), (self.theirs, self.ours))
        )
        assert [(c.kind, c.name, c.paths, c.base, c.ours, c.theirs) for c in found] == [
            (c.kind, c.name, c.paths, c.base, c.theirs, c.ours) for c in other
        ]
        return [(conflict.kind, conflict.name) for conflict in found]

    def merged(self, path: str, rule: Rule | None = None) -> str | None:
        rules = Rules(rule)
        there = self.store.merge(self.ours, self.theirs, rules)
        turned = {Rule.OURS: Rule.THEIRS, Rule.THEIRS: Rule.OURS}
        back = self.store.merge(self.theirs, self.ours, Rules(turned.get(rule, rule) if rule else None))
        assert self.store.read(there, path) == self.store.read(back, path)
        return self.store.read(there, path)


def test_runs_of_both_sides_stand_in_order_with_their_comments(store: Branches) -> None:
    base = table(run(2), head="# Beam time\n")
    ours = table(run(2), run(4, above="# Ours\n"), head="# Beam time\n")
    theirs = table(run(1, above="# Theirs\n"), run(2), run(3), head="# Beam time\n")
    three = Three(store, {RUNS: (base, ours, theirs)})
    assert three.conflicts() == []
    expected = table(run(1, above="# Theirs\n"), run(2), run(3), run(4, above="# Ours\n"), head="# Beam time\n")
    assert three.merged(RUNS) == expected


def test_the_same_run_on_both_sides_is_a_conflict_of_that_run(store: Branches) -> None:
    texts = (table(run(1)), table(run(1, "Ours"), run(2)), table(run(1, "Theirs"), run(3)))
    three = Three(store, {RUNS: texts})
    assert three.conflicts() == [("run", "mfx1:1")]
    assert three.merged(RUNS, Rule.OURS) == table(run(1, "Ours"), run(2), run(3))
    assert three.merged(RUNS, Rule.THEIRS) == table(run(1, "Theirs"), run(2), run(3))
    assert three.merged(RUNS, Rule.NEWEST) == table(run(1, "Theirs"), run(2), run(3))


def test_newest_asks_who_changed_the_run_and_not_the_file(store: Branches) -> None:
    base = store.on(store.first, {RUNS: table(run(1)).encode()})
    ours = store.on(base, {RUNS: table(run(1, "Ours")).encode()}, time=7000)
    theirs = store.on(base, {RUNS: table(run(1, "Theirs")).encode()}, time=6000)
    later = store.on(theirs, {RUNS: table(run(1, "Theirs"), run(2)).encode()}, time=9000)
    assert store.read(store.merge(ours, later, Rules(Rule.NEWEST)), RUNS) == table(run(1, "Ours"), run(2))
    assert store.read(store.merge(later, ours, Rules(Rule.NEWEST)), RUNS) == table(run(1, "Ours"), run(2))


def test_a_run_table_that_both_made(store: Branches) -> None:
    three = Three(
        store, {RUNS: (None, table(run(1), head='instrument = "mfx"\n'), table(run(2), head='instrument = "mfx"\n'))}
    )
    assert three.merged(RUNS) == table(run(1), run(2), head='instrument = "mfx"\n')
    three = Three(
        store, {RUNS: (None, table(run(1), head='instrument = "mfx"\n'), table(run(2), head='instrument = "cxi"\n'))}
    )
    assert three.conflicts() == [("experiment", "mfx1:instrument")]
    assert three.merged(RUNS, Rule.THEIRS) == table(run(1), run(2), head='instrument = "cxi"\n')


def test_a_run_that_was_taken_out(store: Branches) -> None:
    base = table(run(1), run(2))
    assert Three(store, {RUNS: (base, table(run(2)), table(run(1), run(2), run(3)))}).merged(RUNS) == table(
        run(2), run(3)
    )
    three = Three(store, {RUNS: (base, table(run(2)), table(run(1, "Theirs"), run(2)))})
    assert three.conflicts() == [("run", "mfx1:1")]
    assert three.merged(RUNS, Rule.OURS) == table(run(2))


def test_a_table_that_one_side_took_away_has_what_the_other_one_added(store: Branches) -> None:
    assert Three(store, {RUNS: (table(run(1)), None, table(run(1), run(2)))}).merged(RUNS) == table(run(2))
    three = Three(store, {RUNS: (table(run(1), run(2)), None, table(run(1)))})
    assert (three.conflicts(), three.merged(RUNS)) == ([], None)


@pytest.mark.parametrize(
    "theirs",
    ["runs = [{run = 1, kind = 'data'}, {run = 3}]", "[[runs]]\nrun = 1\n[[runs]]\nrun = 1\n", "broken = ", "[[runs]]\nrun = 'x'\n"],
)  # fmt: skip
def test_a_table_that_cannot_be_cut_is_merged_as_a_whole(store: Branches, theirs: str) -> None:
    three = Three(store, {RUNS: (table(run(1)), table(run(1), run(2)), theirs)})
    assert three.conflicts() == [("file", RUNS)]
    assert three.merged(RUNS, Rule.THEIRS) == theirs


def test_no_comment_is_lost_silently(store: Branches) -> None:
    three = Three(store, {RUNS: (table(run(1)), table(run(1, "Ours")), table(run(1, above="# Theirs\n")))})
    assert three.conflicts() == [("file", RUNS)]
    three = Three(store, {RUNS: (table(run(1)), table(run(1), run(2)), table(run(1, above="# Theirs\n")))})
    assert three.merged(RUNS) == table(run(1, above="# Theirs\n"), run(2))


def test_keys_that_nobody_knows_are_kept(store: Branches) -> None:
    theirs = table(run(1), run(2) + 'weather = "rain"\n')
    assert Three(store, {RUNS: (table(run(1)), table(run(1), run(3)), theirs)}).merged(RUNS) == table(
        run(1), run(2) + 'weather = "rain"\n', run(3)
    )


# --- aliases ------------------------------------------------------------------------------------------------------


def test_different_aliases_and_times_do_not_conflict(store: Branches) -> None:
    base = alias("front", "opal-1", 0, 100)
    ours, theirs = (
        table(base, alias("front", "opal-1", 200, 300)),
        table(base, alias("back", "opal-1"), alias("front", "opal-2", 100, 200)),
    )
    three = Three(store, {ALIASES: (base, ours, theirs)})
    assert three.conflicts() == []
    assert three.merged(ALIASES) == table(
        alias("back", "opal-1"), base, alias("front", "opal-2", 100, 200), alias("front", "opal-1", 200, 300)
    )


@pytest.mark.parametrize("other", [ALIASES, OTHER_ALIASES])
def test_an_alias_never_means_two_detectors_at_one_time(store: Branches, other: str) -> None:
    mine, yours = alias("front", "opal-1", 0), alias("front", "opal-2" if other == ALIASES else "jungfrau-1", 100, 200)
    files: dict[str, tuple[str | None, str | None, str | None]]
    files = (
        {ALIASES: (None, mine, yours)}
        if other == ALIASES
        else {ALIASES: (None, mine, None), other: (None, None, yours)}
    )
    three = Three(store, files)
    assert three.conflicts() == [("alias", "alias:front")]
    assert three.merged(ALIASES, Rule.OURS) == mine
    assert three.merged(other, Rule.THEIRS) == yours
    assert three.merged(other, Rule.NEWEST) == yours
    if other != ALIASES:
        assert three.merged(other, Rule.OURS) is None
        assert three.merged(ALIASES, Rule.THEIRS) is None


def test_rows_that_overlapped_before_are_no_conflict_of_the_merge(store: Branches) -> None:
    base = table(alias("front", "opal-1", 0), alias("front", "opal-2", 5))
    three = Three(store, {ALIASES: (base, table(base, alias("a", "opal-1")), table(base, alias("b", "opal-1")))})
    assert three.conflicts() == []


def test_a_row_that_both_ended_is_a_conflict_of_the_whole_alias(store: Branches) -> None:
    base = alias("front", "opal-1", 0)
    ours = table(alias("front", "opal-1", 0, 100), alias("front", "opal-2", 100))
    theirs = table(alias("back", "opal-1"), alias("front", "opal-1", 0, 200), alias("front", "opal-3", 200))
    three = Three(store, {ALIASES: (base, ours, theirs)})
    assert three.conflicts() == [("alias", "alias:front")]
    assert three.merged(ALIASES, Rule.OURS) == table(alias("back", "opal-1"), ours)
    assert three.merged(ALIASES, Rule.THEIRS) == theirs


def test_what_only_they_changed_is_taken_byte_for_byte(store: Branches) -> None:
    theirs = "# By hand\n\n\n" + alias("front", "opal-1") + "# The end"
    assert Three(store, {ALIASES: (None, None, theirs), RUNS: (None, table(run(1)), None)}).merged(ALIASES) == theirs


def test_where_a_table_cannot_be_read_no_other_one_is_taken_unasked(store: Branches) -> None:
    files = {ALIASES: (None, "broken = ", None), OTHER_ALIASES: (None, None, alias("front", "jungfrau-1"))}
    three = Three(store, files)
    assert ("file", OTHER_ALIASES) in [(c.kind, c.name) for c in merge(store, three.ours, three.theirs).conflicts]


# --- records of detectors -----------------------------------------------------------------------------------------


def test_entries_of_a_record_are_merged_one_by_one(store: Branches) -> None:
    base = '# Opal\nlongname = "a"\n\n[parameters]\nbias = 1\nmode = "x"\n'
    ours = base.replace('"a"', '"b"')
    theirs = base.replace("bias = 1", "bias = 2").replace('mode = "x"\n', "") + "gain = 1.5\n"
    three = Three(store, {DETECTOR: (base, ours, theirs)})
    assert three.conflicts() == []
    commit = store.merge(three.ours, three.theirs)
    detector = store.at(commit).detector(GAIN.detector)
    assert (detector.longname, detector.parameters) == ("b", {"bias": 2, "gain": 1.5})
    assert "# Opal" in (store.read(commit, DETECTOR) or "")
    assert verify(store.at(commit)).sound


def test_the_same_entry_on_both_sides_is_a_conflict_of_that_entry(store: Branches) -> None:
    base, ours, theirs = (f"[parameters]\nbias = {bias}\n" for bias in ("1", "2", "2.0"))
    three = Three(store, {DETECTOR: (base, ours, theirs)})
    assert three.conflicts() == [("detector", "opal-1:parameters.bias")]
    assert three.merged(DETECTOR, Rule.THEIRS) == theirs
    assert three.merged(DETECTOR, Rule.NEWEST) == theirs


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [("[parameters]\na = 2\n", "[parameters.a]\nb = 1\n"), ("[parameters]\na = 1 # one\nc = 2\n", "[parameters]\na = 1\nb = 2 # two\n")],
)  # fmt: skip
def test_what_cannot_be_said_together_is_merged_as_a_whole(store: Branches, ours: str, theirs: str) -> None:
    three = Three(store, {DETECTOR: ("[parameters]\na = 1\n", ours, theirs)})
    assert three.conflicts()
    for rule in (Rule.OURS, Rule.THEIRS):
        assert three.merged(DETECTOR, rule) == (ours if rule is Rule.OURS else theirs)


def test_a_record_keeps_the_comments_of_the_one_who_wrote_some(store: Branches) -> None:
    base, ours, theirs = "[parameters]\na = 1\n", "[parameters]\na = 1\nc = 2\n", "[parameters]\na = 1 # one\nb = 2\n"
    assert Three(store, {DETECTOR: (base, ours, theirs)}).merged(DETECTOR) == theirs + "c = 2\n"


def test_a_record_taken_away_and_changed_is_a_conflict_of_the_file(store: Branches) -> None:
    three = Three(store, {DETECTOR: ('longname = "a"\n', None, 'longname = "b"\n')})
    assert three.conflicts() == [("file", DETECTOR)]


def test_records_that_crosswise_merges_changed_alike(store: Branches) -> None:
    base = store.on(store.first, {RUNS: table(run(1)).encode()})
    one, other = (store.on(base, {RUNS: table(run(1), run(number)).encode()}) for number in (2, 3))
    left, right = store.merge(one, other), store.merge(other, one)
    ours = store.on(left, {RUNS: table(run(1), run(2)).encode()})
    theirs = store.on(right, {RUNS: table(run(1), run(2), run(3), run(4)).encode()})
    assert store.read(store.merge(ours, theirs), RUNS) == table(run(1), run(2), run(4))
