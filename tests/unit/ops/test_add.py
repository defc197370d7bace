"""``add`` on a store in memory: what new data are held against, and many constants in one change."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from calibvcs.errors import GateRefusedError, InvalidOptionError, LockedError
from calibvcs.model.commits import Action, Person
from calibvcs.model.metadata import Origin
from calibvcs.ops import payload
from calibvcs.ops.add import AddResult, add
from calibvcs.ops.catalogue import Catalogue
from calibvcs.ops.default import set_state
from calibvcs.ops.detector import DetectorChange, add_detector
from calibvcs.ops.init import init
from calibvcs.ops.new_constant import NewConstant
from calibvcs.store.memory import MemoryStore
from calibvcs.store.snapshot import Snapshot

CAMERA = "opal1000-1"


@pytest.fixture
def store(author: Person) -> MemoryStore:
    """Return a store with one camera."""
    store = MemoryStore()
    init(store, author, "Constants")
    add_detector(store, author, CAMERA, DetectorChange(), "The camera")
    return store


def dark(level: float, dtype: str = "f4") -> NDArray[np.generic]:
    return np.full((4, 5), level, dtype)


def new(
    data: NDArray[np.generic] | str, begin: int = 0, end: int | None = None, ctype: str = "pedestals"
) -> NewConstant:
    made = payload.from_text(data.encode(), ctype, "x") if isinstance(data, str) else payload.from_array(data)
    return NewConstant(CAMERA, ctype, made, begin, end)


def put(store: MemoryStore, author: Person, *constants: NewConstant, reason: str = "") -> AddResult:
    return add(store, author, constants, "Why", force_reason=reason)


def test_it_is_held_against_the_data_in_force_else_the_nearest(store: MemoryStore, author: Person) -> None:
    (first,) = put(store, author, new(dark(10), 100, 200)).constants
    assert first.changes is None
    for begin, end, against in (
        (300, 400, "100-200"),
        (150, 160, "100-200"),
        (20, 30, "100-200"),
        (350, 360, "300-400"),
    ):
        (one,) = put(store, author, new(dark(begin), begin, end)).constants
        assert one.changes is not None
        assert one.changes.against == f"{CAMERA}/pedestals/{against}"
    (again,) = put(store, author, new(dark(12), 100, 200)).constants
    assert again.changes is not None
    assert (again.version, again.changes.against, again.changes.median) == ("v2", f"{CAMERA}/pedestals/100-200", 2)


def test_withdrawn_data_are_passed_over(store: MemoryStore, author: Person) -> None:
    put(store, author, new(dark(10)), new(dark(20), 100))
    set_state(store, author, f"{CAMERA}/pedestals/100-end", "Light leak", 0, Action.WITHDRAW)
    (one,) = put(store, author, new(dark(11), 200)).constants
    assert one.changes is not None
    assert one.changes.against == f"{CAMERA}/pedestals/0-end"


def test_data_of_another_dtype_are_compared_and_of_another_shape_refused(store: MemoryStore, author: Person) -> None:
    put(store, author, new(dark(10, "f8")), reason="As it came")
    (one,) = put(store, author, new(dark(13), 5)).constants
    assert one.changes is not None
    assert (one.changes.changed, one.changes.max_abs) == (20, 3)
    with pytest.raises(
        GateRefusedError, match=r"shape: \(4, 6\); allowed is \(4, 5\), as in opal1000-1/pedestals/5-end"
    ):
        put(store, author, new(np.ones((4, 6), "f4"), 9))
    with pytest.raises(GateRefusedError, match=r"drift: median change \+9987 ADU"):
        put(store, author, new(dark(10_000), 9))


def test_array_and_text_are_not_compared(store: MemoryStore, author: Person) -> None:
    put(store, author, new("a\nb\n", ctype="settings"), reason="New here")
    (lines,) = put(store, author, new("a\nc\n", 5, ctype="settings")).constants
    assert lines.changes is not None
    assert (lines.changes.of, lines.changes.changed, lines.changes.compared) == ("lines", 1, 2)
    (array,) = put(store, author, new(dark(1), 9, ctype="settings")).constants
    assert array.changes is None
    (text,) = put(store, author, new("a\n", 10, ctype="settings")).constants
    assert text.changes is None


def test_the_same_data_are_refused_and_a_lock_holds(store: MemoryStore, author: Person) -> None:
    put(store, author, new(dark(10)))
    with pytest.raises(GateRefusedError, match=r"the data are those of opal1000-1/pedestals/0-end@v1"):
        put(store, author, new(dark(10)))
    (forced,) = put(store, author, new(dark(10)), reason="Taken again").constants
    assert forced.version == "v2"
    set_state(store, author, f"{CAMERA}/pedestals/0-end", "In use", 0, Action.LOCK)
    with pytest.raises(LockedError, match="In use"):
        put(store, author, new(dark(11)), reason="Better")


def test_many_in_one_change(store: MemoryStore, author: Person) -> None:
    result = put(store, author, *(new(dark(level), level) for level in range(1, 40)), new(dark(1), ctype="pixel_rms"))
    assert [one.constant.validity.begin for one in result.constants] == [*range(1, 40), 0]
    assert {(one.version, one.commit) for one in result.constants} == {("v1", result.commit)}
    catalogue = Catalogue(Snapshot(store, store.tip()))
    assert len(catalogue.ranges(result.constants[0].constant.detector, "pedestals")) == 39
    assert store.tip() == result.commit


def test_a_range_twice_in_one_change_is_refused(store: MemoryStore, author: Person) -> None:
    tip = store.tip()
    with pytest.raises(InvalidOptionError, match="named twice"):
        put(store, author, new(dark(1), 5), new(dark(2), 6), new(dark(3), 5))
    assert store.tip() == tip


def test_one_that_is_refused_refuses_all(store: MemoryStore, author: Person) -> None:
    tip = store.tip()
    with pytest.raises(GateRefusedError, match="not all zero"):
        put(store, author, new(dark(1), 5), new(dark(0), 6))
    assert store.tip() == tip


def test_a_range_is_not_taken_from_runs_where_there_is_none(store: MemoryStore, author: Person) -> None:
    data = payload.from_array(dark(1))
    with pytest.raises(InvalidOptionError, match="the begin of the range is needed"):
        put(store, author, NewConstant(CAMERA, "pedestals", data, None, origin=Origin("mfx1")))
