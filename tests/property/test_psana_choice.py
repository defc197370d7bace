"""For every run with a known begin, the ranges of seconds give what psana's rule gives for the ranges of runs."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from calibvcs.formats.psana.psana_import import PsanaDocument
from calibvcs.model.choose import choose
from calibvcs.model.names import DetectorName
from calibvcs.model.runs import Run, RunKind, RunTable
from calibvcs.ops.exchange.psana_ranges import place

DETECTOR = DetectorName.parse("jungfrau-000003")
FIRST = 1_700_000_000
LAST_RUN = 30


def document(number: int, run: int, run_end: int | None, time: int | None, made: int) -> PsanaDocument:
    return PsanaDocument(
        "cdb_mfx1", f"{made:08x}{number:016x}", made, DETECTOR, "pedestals", "mfx1", run, run_end, time, None, "0" * 24
    )


documents = st.lists(
    st.tuples(
        st.integers(0, LAST_RUN),
        st.one_of(st.none(), st.integers(0, 9)),
        st.one_of(st.none(), st.integers(FIRST - 1000, FIRST + 1000 * LAST_RUN)),
        st.integers(FIRST, FIRST + 2000 * LAST_RUN),
    ),
    min_size=1,
    max_size=12,
)
known_runs = st.lists(st.integers(0, LAST_RUN), unique=True, max_size=LAST_RUN).map(sorted)


def by_psana(found: list[PsanaDocument], run: int) -> PsanaDocument | None:
    """The rule as psana applies it: latest begin, then narrower, then the newest; of equal ones the last."""
    matching = [one for one in found if one.run <= run <= (9999 if one.run_end is None else one.run_end)]
    ordered = sorted(
        matching, key=lambda one: (one.run, -((9999 if one.run_end is None else one.run_end) - one.run), one.made)
    )
    return ordered[-1] if ordered else None


@given(documents, known_runs, st.booleans())
def test_choice_is_that_of_psana(
    rows: list[tuple[int, int | None, int | None, int]], known: list[int], last_ends: bool
) -> None:
    found = [
        document(number, run, None if width is None else run + width, time, made)
        for number, (run, width, time, made) in enumerate(rows)
    ]
    runs = tuple(
        Run(n, RunKind.DATA, FIRST + 1000 * n, FIRST + 1000 * n + 900 if last_ends and n == known[-1] else None)
        for n in known
    )
    placed, notes = place(found, {"mfx1": RunTable("mfx1", runs=runs)})
    defaults = {one.constant.validity: one.document for one in placed if one.default}
    assert len(defaults) == len({one.constant for one in placed})
    for run in runs:
        validity = choose(defaults, run.begin or 0)
        wanted = by_psana(found, run.run)
        if wanted is None:
            continue  # psana goes on to the database of the detector
        assert validity is not None
        assert defaults[validity] is wanted
    assert not [note for note in notes if "psana takes" in note]


@given(documents)
def test_versions_come_in_the_order_in_which_they_were_made(
    rows: list[tuple[int, int | None, int | None, int]],
) -> None:
    found = [document(number, run, None, time, made) for number, (run, _, time, made) in enumerate(rows)]
    placed, _ = place(found, {"mfx1": RunTable("mfx1")})
    assert [one.document.made for one in placed] == sorted(one.made for one in found)
    assert {id(one.document) for one in placed} == {id(one) for one in found}
