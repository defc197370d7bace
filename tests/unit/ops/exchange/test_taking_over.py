"""Constants of another store: their order, people and times; what is known stays; the default of there is that of here."""

from __future__ import annotations

import numpy as np
import pytest

from calibvcs.errors import InvalidDataError, LockedError
from calibvcs.model.commits import Action, Person
from calibvcs.model.names import ConstantName, DetectorName
from calibvcs.ops import payload
from calibvcs.ops.add import add
from calibvcs.ops.catalogue import Catalogue
from calibvcs.ops.default import set_default, set_state
from calibvcs.ops.detector import DetectorChange
from calibvcs.ops.exchange.taking_over import Kept, TakenOver, take_over
from calibvcs.ops.init import init
from calibvcs.ops.payload import Payload
from calibvcs.ops.verify import verify
from calibvcs.store.memory import MemoryStore
from calibvcs.store.snapshot import Snapshot

CAMERA = DetectorName.parse("opal1000-1")
DARK = ConstantName.parse("opal1000-1/pedestals/100-200")
NOISE = ConstantName.parse("opal1000-1/pixel_rms/0-end")
THEN = 1_400_000_000


@pytest.fixture
def store(author: Person) -> MemoryStore:
    """Return an empty repository."""
    store = MemoryStore()
    init(store, author, "Constants")
    return store


def kept(
    level: float, time: int | None = THEN, constant: ConstantName = DARK, comment: str = "Why", *,
    author: tuple[str, str] | None = ("Ada", "ada@example.org"), default: bool = True,
) -> Kept:  # fmt: skip
    return Kept(constant, lambda: data(level), comment, time, author, default)


def data(level: float) -> Payload:
    return payload.from_array(np.full((4, 5), level, "f4"))


def take(store: MemoryStore, author: Person, *versions: Kept) -> TakenOver:
    return take_over(store, author, "the old store", versions, {CAMERA: DetectorChange()})


def catalogue(store: MemoryStore) -> Catalogue:
    return Catalogue(Snapshot(store, store.tip()))


def log(store: MemoryStore) -> list[tuple[str, str]]:
    """Return author and subject of every commit but the first two, oldest first."""
    events = list(catalogue(store).history.events())[::-1]
    return [(event.commit.author.name, event.message.subject) for event in events[2:]]


def standing(store: MemoryStore, constant: ConstantName = DARK) -> tuple[str, ...]:
    """Return the default of a constant, and the levels of its versions."""
    history = catalogue(store).history
    default = history.default(constant)
    values = [
        np.frombuffer(store.blob(history.blob(version) or "")[-4:], "f4")[0] for version in history.versions(constant)
    ]
    return (default.name if default else "", *(f"{value:g}" for value in values))


def test_each_version_is_a_commit_of_its_own_time_and_author(store: MemoryStore, author: Person) -> None:
    result = take(
        store, author, kept(10, THEN + 50, comment="Dark\n\nrun 12"), kept(11, THEN + 90), kept(1, THEN + 60, NOISE)
    )
    assert result.detectors == ("opal1000-1",)
    assert result.added == (f"{DARK}@v1", f"{NOISE}@v1", f"{DARK}@v2")
    assert (result.known, result.defaults, result.commit) == ((), (), store.tip())
    events = list(catalogue(store).history.events())
    assert [event.commit.author.time for event in events[:3]] == [THEN + 90, THEN + 60, THEN + 50]
    assert {event.commit.author[:2] for event in events[:3]} == {("Ada", "ada@example.org")}
    assert {event.commit.committer.name for event in events} == {"Grace Hopper"}
    assert events[2].message.comment == "Dark\n\nrun 12"
    assert verify(catalogue(store)).sound


def test_versions_of_a_constant_keep_their_order_whatever_their_clocks_said(store: MemoryStore, author: Person) -> None:
    versions = [kept(1, THEN + 9), kept(2, THEN), kept(3, None), kept(4, THEN + 10), kept(7, THEN + 5, NOISE)]
    result = take(store, author, *versions)
    assert standing(store) == ("v4", "1", "2", "3", "4")
    assert result.added[0] == f"{NOISE}@v1"


def test_what_nobody_dated_comes_where_its_neighbours_are_else_last(store: MemoryStore, author: Person) -> None:
    result = take(store, author, kept(5, None, NOISE), kept(1, None, author=None), kept(2, THEN))
    assert result.added == (f"{DARK}@v1", f"{DARK}@v2", f"{NOISE}@v1")
    assert [name for name, _ in log(store)] == ["Grace Hopper", "Ada", "Ada"]


@pytest.mark.parametrize("time", [-1, 2**32, 2**70])
def test_a_time_that_no_commit_can_have_counts_as_unknown(store: MemoryStore, author: Person, time: int) -> None:
    take(store, author, kept(1, time))
    assert next(iter(catalogue(store).history.events())).commit.author.time > THEN


def test_the_default_of_there_is_the_default_here(store: MemoryStore, author: Person) -> None:
    versions = [kept(1, THEN), kept(2, THEN + 1, default=False), kept(3, THEN + 2, default=False)]
    result = take(store, author, *versions)
    assert result.defaults == (f"{DARK}@v1",)
    assert standing(store) == ("v1", "1", "2", "3")
    assert log(store)[-1] == ("Grace Hopper", "Take over the default of the old store")


def test_the_same_again_changes_nothing(store: MemoryStore, author: Person) -> None:
    versions = [kept(1), kept(2, default=False), kept(1, default=False), kept(4, constant=NOISE)]
    take(store, author, *versions)
    tip = store.tip()
    again = take(store, author, *versions)
    assert store.tip() == tip == again.commit
    assert (again.detectors, again.added, again.defaults) == ((), (), ())
    assert again.known == (str(DARK), str(NOISE))
    assert standing(store) == ("v1", "1", "2", "1")


def test_what_was_broken_off_is_finished(store: MemoryStore, author: Person) -> None:
    versions = [kept(1), kept(2, default=False), kept(3, default=False)]
    broken = Kept(DARK, _unreadable, "Why", THEN)
    with pytest.raises(InvalidDataError):
        take(store, author, *versions[:2], broken)
    assert standing(store) == ("v2", "1", "2")  # as after a crash: the default is not set yet
    assert take(store, author, *versions[:2]).defaults == (f"{DARK}@v1",)
    result = take(store, author, *versions)
    assert (result.added, result.defaults) == ((f"{DARK}@v3",), (f"{DARK}@v1",))
    assert standing(store) == ("v1", "1", "2", "3")


def _unreadable() -> Payload:
    raise InvalidDataError("file", "it is damaged", "bring it back")


def test_a_default_that_was_chosen_here_stays(store: MemoryStore, author: Person) -> None:
    versions = [kept(1), kept(2, default=False)]
    take(store, author, *versions)
    set_default(store, author, f"{DARK}@v2", "Better here", 0)
    assert take(store, author, *versions).defaults == ()
    assert standing(store)[0] == "v2"


def test_a_version_that_was_added_here_stays_the_default(store: MemoryStore, author: Person) -> None:
    take(store, author, kept(1))
    add(store, author, [kept(9).new(data(9))], "New here", force_reason="Warm")
    assert take(store, author, kept(1)).defaults == ()
    assert standing(store) == ("v2", "1", "9")
    take(store, author, kept(1), kept(2))
    assert standing(store) == ("v3", "1", "9", "2")


def test_data_that_the_gate_refuses_are_taken_all_the_same(store: MemoryStore, author: Person) -> None:
    take(store, author, kept(0), kept(0), kept(float("nan")))
    assert standing(store) == ("v3", "0", "0", "nan")
    event = next(iter(catalogue(store).history.events()))
    assert event.message.forced == "taken over from the old store"


def test_a_lock_holds(store: MemoryStore, author: Person) -> None:
    take(store, author, kept(1))
    set_state(store, author, str(DARK), "In use", 0, Action.LOCK)
    with pytest.raises(LockedError, match="In use"):
        take(store, author, kept(1), kept(2))
    assert take(store, author, kept(1)).known == (str(DARK),)


@pytest.mark.parametrize(
    ("comment", "subject"),
    [
        ("", "Take over from the old store"), (" \n", "Take over from the old store"), ("a\0b\x1bc", "a b c"),
        ("Calibvcs-Action: init", "> Calibvcs-Action: init"), ("\ud800 x", "x"), ("one\r\ntwo", "one"),
    ],
)  # fmt: skip
def test_comments_and_names_that_no_commit_can_have(
    store: MemoryStore, author: Person, comment: str, subject: str
) -> None:
    take(store, author, kept(1, comment=comment, author=("A<b>\n\0c", "x\ud800@y")))
    assert log(store) == [("Ab c", subject)]
    assert verify(catalogue(store)).sound


def test_an_empty_name_is_nobody(store: MemoryStore, author: Person) -> None:
    take(store, author, kept(1, author=("<>", "someone@example.org")))
    assert catalogue(store).snapshot.store.commit(store.tip() or "").author[:2] == ("Grace Hopper", "grace@example.org")


@pytest.mark.parametrize(
    ("name", "address"),
    [("dubrovin", "dubrovin"), ("A. Person", "a.person"), ("Jörg", "j.rg"), ("ä", "somebody"), ("-x-", "x")],
)
def test_an_address_that_nobody_knows_says_so(store: MemoryStore, author: Person, name: str, address: str) -> None:
    take(store, author, kept(1, author=(name, "")))
    assert store.commit(store.tip() or "").author[:2] == (name, f"{address}@unknown.invalid")


def test_detectors_that_replaced_each_other_are_registered_at_once(store: MemoryStore, author: Person) -> None:
    other = DetectorName.parse("opal1000-2")
    detectors = {
        CAMERA: DetectorChange(longname="old", successor="opal1000-2", parameters={"bias": 3}),
        other: DetectorChange(predecessor="opal1000-1", successor="opal1000-3", segments=("a", "b")),
    }
    result = take_over(store, author, "there", [], detectors, ["x: broken"])
    assert result.detectors == ("opal1000-1", "opal1000-2", "opal1000-3")
    assert result.passed_over == ("x: broken",)
    now = catalogue(store)
    assert now.history.length == 2
    first, second = now.detector(CAMERA), now.detector(other)
    assert (first.longname, first.predecessor, first.successor, first.parameters) == (
        "old",
        "",
        str(other),
        {"bias": 3},
    )
    assert (second.predecessor, second.segments) == (str(CAMERA), ("a", "b"))
    assert verify(now).sound
    again = take_over(store, author, "there", [], {CAMERA: DetectorChange(longname="new", predecessor=str(CAMERA))})
    assert again.detectors == ()
    assert catalogue(store).detector(CAMERA).longname == "old"


def test_a_detector_does_not_follow_itself(store: MemoryStore, author: Person) -> None:
    take_over(store, author, "there", [], {CAMERA: DetectorChange(predecessor=str(CAMERA))})
    assert catalogue(store).detector(CAMERA).predecessor == ""
