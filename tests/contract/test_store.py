"""What every store holds to: in memory, as a dry run on top of Git, in Git bare, with a worktree, packed, and plain."""

from __future__ import annotations

import itertools
import random
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from calibvcs.errors import (
    AlreadyExistsError,
    BranchMovedError,
    DamagedObjectError,
    DirtyWorktreeError,
    InvalidOptionError,
    NoSigningKeyError,
    UnknownRevisionError,
)
from calibvcs.model.commits import Signature, Tag
from calibvcs.store.git import GitStore
from calibvcs.store.initialise import initialise
from calibvcs.store.memory import MemoryStore
from calibvcs.store.objects.encoding import encode_tag, object_id
from calibvcs.store.protocol import FILE_MODE, TREE_MODE, TreeEntry
from calibvcs.store.refs.revisions import resolve
from calibvcs.store.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from calibvcs.model.commits import Signer
    from calibvcs.store.protocol import Buffers, Store

FIRST_SECOND = 1_767_225_600  # 2026-01-01T00:00:00Z
MISSING = "1234567890" * 4
KINDS = ("memory", "dry run", "bare", "worktree", "packed", "plain bare", "plain packed")


def git(folder: Path, *arguments: str, stdin: str | None = None) -> str:
    done = subprocess.run(["git", "-C", folder, *arguments], input=stdin, capture_output=True, text=True)
    assert done.returncode == 0, f"git {arguments}: {done.stdout}{done.stderr}"
    return done.stdout.strip()


class PackedStore(GitStore):
    """A bare repository in which C Git packs everything after every change."""

    def commit_edits(
        self,
        parent: str | None,
        edits: Mapping[str, str | None],
        text: str,
        author: Signature,
        committer: Signature,
        *,
        sign: Signer | None = None,
    ) -> str:
        made = super().commit_edits(parent, edits, text, author, committer, sign=sign)
        self._pack()
        return made

    def create_tag(
        self, name: str, target: str, text: str, tagger: Signature, *, kind: str = "commit", sign: Signer | None = None
    ) -> Tag:
        made = super().create_tag(name, target, text, tagger, kind=kind, sign=sign)
        self._pack()
        return made

    def _pack(self) -> None:
        git(self.folder, "gc", "-q")
        assert not any(path for path in (self.folder / "refs").rglob("*") if path.is_file())


OPENED = {"packed": PackedStore, "plain bare": GitStore, "plain packed": PackedStore}


@dataclass(frozen=True)
class Place:
    """A store, and the Git folder beneath it."""

    kind: str
    store: Store
    folder: Path | None


def at(minute: int, name: str = "Grace Hopper") -> Signature:
    return Signature(name, "grace@example.org", FIRST_SECOND + 60 * minute, 60)


def commit(store: Store, files: Mapping[str, bytes | None], text: str, minute: int) -> str:
    edits = {path: data if data is None else store.put_blob([data]) for path, data in files.items()}
    return store.commit_edits(store.tip(), edits, text, at(minute), at(minute))


def content(store: Store, revision: str | None = None) -> dict[str, bytes]:
    snapshot = Snapshot(store, resolve(store, revision))
    return {path: store.blob(entry.id) for path, entry in snapshot.files()}


SEED = (
    ({"a/x.txt": b"one\n", "a/b/y.txt": b"two\n", "top.txt": b"three\n"}, "Make three files\n"),
    ({"a/x.txt": b"one, again\n"}, "Change one\n"),
)
SEED_CONTENT = {"a/x.txt": b"one, again\n", "a/b/y.txt": b"two\n", "top.txt": b"three\n"}


def seed(store: Store) -> None:
    for minute, (files, text) in enumerate(SEED):
        commit(store, files, text, minute)
    store.create_tag("seed", store.tip() or "", "What the tests begin with\n", at(2))


@pytest.fixture(params=KINDS)
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    kind = request.param
    if kind == "memory":
        yield Place(kind, MemoryStore(), None)
        return
    with initialise(tmp_path / "repository", bare=kind != "worktree") as store:
        if kind in OPENED:
            with OPENED[kind](tmp_path / "repository", plain=kind.startswith("plain")) as opened:
                yield Place(kind, opened, opened.folder)
        else:
            yield Place(kind, MemoryStore(store) if kind == "dry run" else store, store.folder)


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """Return a store with two commits and a tag; those of the dry run lie in the store that it stands on."""
    kind = request.param
    if kind == "memory":
        store = MemoryStore()
        seed(store)
        yield Place(kind, store, None)
        return
    with initialise(tmp_path / "repository", bare=kind != "worktree") as git_store:
        seed(git_store)
        if kind in OPENED:
            if kind.endswith("packed"):
                git(git_store.folder, "gc", "-q")
            with OPENED[kind](tmp_path / "repository", plain=kind.startswith("plain")) as opened:
                yield Place(kind, opened, opened.folder)
        else:
            yield Place(kind, MemoryStore(git_store) if kind == "dry run" else git_store, git_store.folder)


@pytest.fixture
def store(place: Place) -> Store:
    return place.store


# --- commits and trees ------------------------------------------------------------------------------------------


def test_an_empty_store_has_a_branch_but_no_commit(empty: Place) -> None:
    assert empty.store.branch == "main"
    assert empty.store.tip() is None
    assert empty.store.refs() == {}
    assert empty.store.tag("seed") is None
    assert empty.store.abbreviated("ab") == []
    with pytest.raises(UnknownRevisionError, match="'main' has no commit yet"):
        resolve(empty.store, None)


def test_the_first_commit_has_no_parent_and_becomes_the_tip(empty: Place) -> None:
    made = commit(empty.store, {"a/b.txt": b"text\n"}, "First\n\nWhy\n", 0)
    assert empty.store.tip() == made
    assert empty.store.refs() == {"refs/heads/main": made}
    found = empty.store.commit(made)
    assert (found.id, found.parents, found.text) == (made, (), "First\n\nWhy\n")
    assert found.author == found.committer == at(0)
    assert content(empty.store) == {"a/b.txt": b"text\n"}


def test_author_and_committer_are_kept_apart_with_their_times_and_zones(empty: Place) -> None:
    author = Signature("Ada Lovelace", "ada@example.org", FIRST_SECOND, -570)
    made = empty.store.commit_edits(None, {}, "Nothing yet\n", author, at(1))
    assert empty.store.commit(made).author == author
    assert empty.store.commit(made).committer == at(1)
    assert dict(empty.store.tree(empty.store.commit(made).tree)) == {}


def test_the_first_commit_cannot_be_made_twice(store: Store) -> None:
    before = store.tip()
    with pytest.raises(BranchMovedError):
        store.commit_edits(None, {"b": store.put_blob([b"b"])}, "Another first\n", at(9), at(9))
    assert store.tip() == before


def test_an_edit_changes_what_it_names_and_nothing_else(store: Store) -> None:
    old = store.tip()
    commit(store, {"a/b/y.txt": b"two, again\n", "a/c/z.txt": b"four\n", "top.txt": None}, "Change\n", 5)
    assert content(store) == {"a/b/y.txt": b"two, again\n", "a/c/z.txt": b"four\n", "a/x.txt": b"one, again\n"}
    assert content(store, old) == SEED_CONTENT
    assert content(store, "HEAD~2") == SEED[0][0]


def test_a_folder_vanishes_with_its_last_file(store: Store) -> None:
    commit(store, {"a/b/y.txt": None}, "Remove\n", 5)
    assert set(Snapshot(store, store.tip()).names("a")) == {"x.txt"}
    commit(store, {"a/x.txt": None}, "Remove\n", 6)
    assert set(Snapshot(store, store.tip()).names()) == {"top.txt"}
    commit(store, {"top.txt": None}, "Remove\n", 7)
    assert content(store) == {}
    commit(store, {"a/b/y.txt": b"back\n"}, "Bring back\n", 8)
    assert content(store) == {"a/b/y.txt": b"back\n"}


def test_to_remove_what_is_not_there_changes_nothing(store: Store) -> None:
    tree = store.commit(store.tip() or "").tree
    made = commit(store, {"a/none.txt": None, "none/at/all.txt": None}, "Remove nothing\n", 5)
    assert store.commit(made).tree == tree


def test_a_file_and_a_folder_take_each_others_place(place: Place) -> None:
    store = place.store
    if place.kind == "worktree":  # no format needs it; a folder in the way may hold files that nobody committed
        with pytest.raises(DirtyWorktreeError, match="not committed: a"):
            commit(store, {"a/x.txt": None, "a/b/y.txt": None, "a": b"a file now\n"}, "Fold\n", 5)
        assert content(store) == SEED_CONTENT
        return
    commit(store, {"a/x.txt": None, "a/b/y.txt": None, "a": b"a file now\n"}, "Fold\n", 5)
    assert content(store) == {"a": b"a file now\n", "top.txt": b"three\n"}
    commit(store, {"a": None, "a/x.txt": b"a folder again\n"}, "Unfold\n", 6)
    assert content(store) == {"a/x.txt": b"a folder again\n", "top.txt": b"three\n"}


def test_trees_tell_files_from_folders(store: Store) -> None:
    entries = store.tree(store.commit(store.tip() or "").tree)
    assert {name: entry.mode for name, entry in entries.items()} == {"a": TREE_MODE, "top.txt": FILE_MODE}
    assert entries["top.txt"] == TreeEntry(FILE_MODE, store.put_blob([b"three\n"]))


def test_ids_are_the_same_in_every_store(store: Store) -> None:
    twin = MemoryStore()
    seed(twin)
    for one in (store, twin):
        commit(one, {"b/data.npy": bytes(range(256)), "a-b": b"1", "a.b": b"2", "ab/c": b"3"}, "Ünïcode ✓\n", 5)
        commit(one, {"a/x.txt": None, "a0": b"4"}, "Remove\n\nBody\n\nKey: value\n", 6)
        one.create_tag("set/1", one.tip() or "", "All\n", at(7))
    assert store.refs() == twin.refs()
    assert store.commit(store.tip() or "") == twin.commit(twin.tip() or "")


@pytest.mark.parametrize("text", ["Größe ✓ 校正\n", "a\n\nb\n\n\nc\n", "no line end", "\ufeffmark\n", "\U0001f52c\n"])
def test_a_comment_comes_back_as_it_was_written(store: Store, text: str) -> None:
    made = commit(store, {"a/x.txt": text.encode()}, text, 5)
    assert store.commit(made).text == text


def test_a_person_is_stored_without_what_git_forbids(store: Store) -> None:
    strange = Signature(" Zoë <x> O'Neil,\n", "<zoe@example.org>", FIRST_SECOND, 0)
    made = store.commit_edits(store.tip(), {}, "x\n", strange, strange)
    assert store.commit(made).author == Signature("Zoë x O'Neil", "zoe@example.org", FIRST_SECOND, 0)


# --- compare and set --------------------------------------------------------------------------------------------


def test_a_change_on_an_old_commit_is_refused_and_nothing_of_it_is_visible(place: Place) -> None:
    store, old = place.store, place.store.tip()
    newest = commit(store, {"a/x.txt": b"first\n"}, "First\n", 5)
    refs = dict(store.refs())
    with pytest.raises(BranchMovedError) as caught:
        store.commit_edits(old, {"a/x.txt": store.put_blob([b"second\n"])}, "Second\n", at(6), at(6))
    assert caught.value.branch == "main"
    assert store.refs() == refs
    assert store.tip() == newest
    assert content(store)["a/x.txt"] == b"first\n"
    if place.kind == "worktree" and place.folder:
        assert (place.folder.parent / "a/x.txt").read_bytes() == b"first\n"
        assert git(place.folder.parent, "status", "--porcelain") == ""


def test_the_refused_change_succeeds_on_the_new_commit(store: Store) -> None:
    old = store.tip()
    newest = commit(store, {"a/x.txt": b"first\n"}, "First\n", 5)
    blob = store.put_blob([b"second\n"])
    with pytest.raises(BranchMovedError):
        store.commit_edits(old, {"a/x.txt": blob}, "Second\n", at(6), at(6))
    made = store.commit_edits(newest, {"a/x.txt": blob}, "Second\n", at(6), at(6))
    assert store.commit(made).parents == (newest,)
    assert content(store)["a/x.txt"] == b"second\n"


# --- batches ----------------------------------------------------------------------------------------------------


def test_a_batch_makes_the_same_commit_as_single_writes(place: Place) -> None:
    store, twin = place.store, MemoryStore(place.store)
    files = {f"a/{number}.bin": random.Random(number).randbytes(300 * number) for number in range(30)}
    expected = commit(twin, {**files, "top.txt": None}, "Many\n", 5)
    with store.batch():
        assert commit(store, {**files, "top.txt": None}, "Many\n", 5) == expected
        assert store.tip() == expected
    assert content(store) == {path: data for path, data in {**SEED_CONTENT, **files}.items() if path != "top.txt"}
    assert content(twin) == content(store)
    if place.kind == "worktree" and place.folder:
        assert git(place.folder.parent, "status", "--porcelain") == ""


def test_several_changes_and_a_tag_in_one_batch_are_all_made(store: Store) -> None:
    with store.batch():
        first = commit(store, {"a/x.txt": b"first\n"}, "First\n", 5)
        store.create_tag("first", first, "In a batch\n", at(6))
        commit(store, {"a/x.txt": b"second\n"}, "Second\n", 7)
    assert content(store)["a/x.txt"] == b"second\n"
    assert content(store, "first")["a/x.txt"] == b"first\n"


def test_a_tag_ends_a_batch_of_blobs(store: Store) -> None:
    with store.batch():
        blob = store.put_blob([b"first\n"])
        store.create_tag("now", store.tip() or "", "In a batch\n", at(6))
        assert store.blob(blob) == b"first\n"


def test_an_exception_in_a_batch_leaves_a_store_that_goes_on(place: Place) -> None:
    store = place.store

    def fail() -> None:
        with store.batch():
            store.put_blob([b"first\n"])
            raise ValueError("x")

    with pytest.raises(ValueError, match="x"):
        fail()
    assert content(store) == SEED_CONTENT
    commit(store, {"a/x.txt": b"first\n"}, "First\n", 5)
    assert content(store)["a/x.txt"] == b"first\n"
    if place.kind not in {"memory", "dry run"} and place.folder:
        git(place.folder, "fsck", "--strict")
        assert list((place.folder / "objects").rglob("tmp_*")) == []


# --- blobs ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, 65535, 65536, 3_000_001])
@pytest.mark.parametrize("kind", ["noise", "zeros"])
def test_a_blob_comes_back_byte_for_byte(place: Place, size: int, kind: str) -> None:
    store = place.store
    data = random.Random(size).randbytes(size) if kind == "noise" else bytes(size)
    blob = store.put_blob([data])
    assert blob == MemoryStore().put_blob([data])
    assert store.blob(blob) == data
    commit(store, {"big.bin": data}, "Big\n", 5)
    assert store.blob(blob) == data
    for length in (0, 1, 100, 65548, size, size + 1):
        assert store.blob_head(blob, length) == (data[:length], size)


@pytest.mark.parametrize("size", [0, 1, 5000, 300_001])
@pytest.mark.parametrize("kind", ["noise", "zeros"])
def test_a_blob_comes_in_blocks_from_any_byte_on(place: Place, size: int, kind: str) -> None:
    store = place.store
    data = random.Random(size).randbytes(size) if kind == "noise" else bytes(size)
    commit(store, {"big.bin": data}, "Big\n", 5)
    blob = Snapshot(store, store.tip()).blob_id("big.bin") or ""
    for begin in {0, min(1, size), size // 2, size}:
        for length in (1000, 65536, 1 << 20):
            blocks = [bytes(block) for block in store.blob_blocks(blob, begin, length)]
            assert b"".join(blocks) == data[begin:]
            assert [len(block) for block in blocks[:-1]] == [length] * (len(blocks) - 1)
            assert all(blocks)
    for wanted, begin in ((blob, size + 1), (store.tip() or "", 0), (MISSING, 0)):
        with pytest.raises(DamagedObjectError, match=wanted):
            next(store.blob_blocks(wanted, begin, 1000))


def test_a_blob_is_read_into_memory_from_any_byte_on(store: Store) -> None:
    data = random.Random(1).randbytes(200_000)
    blob = store.put_blob([data])
    for begin in (0, 128, 200_000):
        out = bytearray(len(data) - begin)
        store.blob_into(blob, begin, memoryview(out))
        assert out == data[begin:]
    for wrong in (0, 199_999, 200_001):
        with pytest.raises(DamagedObjectError, match="has 200000 bytes"):
            store.blob_into(blob, 0, memoryview(bytearray(wrong)))


def test_a_tree_is_given_as_git_stores_it(store: Store) -> None:
    tree = store.commit(store.tip() or "").tree
    assert object_id("tree", [store.tree_data(tree)]) == tree
    with pytest.raises(DamagedObjectError, match="not a tree"):
        store.tree_data(store.tip() or "")


def test_a_blob_may_be_given_in_pieces(store: Store) -> None:
    pieces: Buffers = (b"head", memoryview(b"").cast("B"), memoryview(bytearray(range(200)))[10:20])
    assert store.blob(store.put_blob(pieces)) == b"head" + bytes(range(10, 20))
    assert store.put_blob(pieces) == store.put_blob([b"".join(pieces)])


def test_heads_of_packed_deltas_are_those_of_the_whole(place: Place) -> None:
    store = place.store
    lines = [f"line {number} of a text that changes little\n".encode() for number in range(300)]
    blobs = []
    for number in range(4):
        lines[17 * number] = b"changed\n"
        commit(store, {"long.txt": b"".join(lines)}, "Change\n", 5 + number)
        blobs.append((Snapshot(store, store.tip()).blob_id("long.txt") or "", b"".join(lines)))
    for blob, data in blobs:
        assert store.blob_head(blob, 60) == (data[:60], len(data))
        assert store.blob(blob) == data


# --- signatures -------------------------------------------------------------------------------------------------

ARMOUR = "-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----\n"


def test_what_is_signed_keeps_its_signature(store: Store) -> None:
    asked: list[bytes] = []

    def sign(data: bytes) -> str:
        asked.append(data)
        return ARMOUR

    commit_id = store.commit_edits(store.tip(), {"new": store.put_blob([b"x"])}, "Signed\n", at(5), at(6), sign=sign)
    made = store.commit(commit_id)
    assert (made.text, made.author, made.committer, made.signature) == ("Signed\n", at(5), at(6), ARMOUR)
    assert asked[0].startswith(f"tree {made.tree}\nparent {made.parents[0]}\n".encode())
    assert asked[0].endswith(b"\n\nSigned\n")
    assert store.commit(made.parents[0]).signature == ""
    tag = store.create_tag("signed", commit_id, "A set\n", at(7), sign=sign)
    assert tag == store.tag("signed") == Tag("signed", commit_id, tag.id, at(7), "A set\n", ARMOUR)
    assert asked[1] == encode_tag("signed", commit_id, at(7), "A set\n")
    above = store.create_tag("above", tag.id, "On a tag\n", at(8), kind="tag")
    assert store.tag(above.id) == above._replace(name=above.id)
    assert resolve(store, "above") == commit_id


def test_what_cannot_be_signed_is_not_written(store: Store) -> None:
    def sign(_: bytes) -> str:
        raise NoSigningKeyError("", "it is lost")

    before = store.tip(), dict(store.refs()), content(store)
    with pytest.raises(NoSigningKeyError):
        store.commit_edits(store.tip(), {"new": store.put_blob([b"x"])}, "Signed\n", at(5), at(6), sign=sign)
    with pytest.raises(NoSigningKeyError):
        store.create_tag("signed", store.tip() or "", "A set\n", at(7), sign=sign)
    with pytest.raises(NoSigningKeyError), store.batch():
        store.commit_edits(store.tip(), {"new": store.put_blob([b"y"])}, "Signed\n", at(5), at(6), sign=sign)
    assert (store.tip(), store.refs(), content(store)) == before
    commit(store, {"new": b"z"}, "Not signed\n", 9)


# --- tags and refs ----------------------------------------------------------------------------------------------


def test_a_tag_names_its_commit_and_keeps_who_and_why(store: Store) -> None:
    made = store.create_tag("run24/golden", store.tip() or "", "Ünïcode\n\nbody\n", at(3, "Zoë"))
    assert made == Tag("run24/golden", store.tip() or "", made.id, at(3, "Zoë"), "Ünïcode\n\nbody\n")
    assert store.tag("run24/golden") == made
    assert store.refs()["refs/tags/run24/golden"] == made.id
    assert store.kind(made.id) == "tag"
    by_id = store.tag(made.id)
    assert by_id is not None
    assert (by_id.commit, by_id.tagger) == (made.commit, made.tagger)
    assert store.tag("run24") is None


def test_a_tag_never_moves(store: Store) -> None:
    before = store.tag("seed")
    commit(store, {"a/x.txt": b"newer\n"}, "Newer\n", 5)
    for target in (store.tip() or "", before.commit if before else ""):
        with pytest.raises(AlreadyExistsError, match="immutable"):
            store.create_tag("seed", target, "Another\n", at(6))
    assert store.tag("seed") == before


@pytest.mark.parametrize(("first", "second"), [("cxi", "cxi/2026"), ("cxi/2026", "cxi"), ("a/b/c", "a")])
def test_a_tag_does_not_stand_where_another_one_has_its_folder(store: Store, first: str, second: str) -> None:
    store.create_tag(first, store.tip() or "", "First\n", at(3))
    refs = dict(store.refs())
    with pytest.raises(AlreadyExistsError) as caught:
        store.create_tag(second, store.tip() or "", "Second\n", at(4))
    assert caught.value.name == first
    assert store.refs() == refs
    store.create_tag(f"{first}-2", store.tip() or "", "Beside it\n", at(5))


def test_refs_are_the_branch_and_the_tags(store: Store) -> None:
    seed_tag = store.tag("seed")
    assert seed_tag is not None
    assert store.refs() == {"refs/heads/main": store.tip(), "refs/tags/seed": seed_tag.id}


# --- objects by id ----------------------------------------------------------------------------------------------


def test_kind_tells_what_an_id_names(store: Store) -> None:
    tip = store.tip() or ""
    tag = store.tag("seed")
    blob = Snapshot(store, tip).blob_id("a/x.txt")
    named = (tip, store.commit(tip).tree, blob or "", tag.id if tag else "", store.put_blob([b"new"]))
    assert [store.kind(one) for one in named] == ["commit", "tree", "blob", "tag", "blob"]
    assert store.kind(MISSING) is None


def test_abbreviated_finds_the_ids_that_begin_so(store: Store) -> None:
    tip = store.tip() or ""
    for digits in (4, 5, 7, 12, 39, 40):
        assert tip in store.abbreviated(tip[:digits])
        assert all(found.startswith(tip[:digits]) for found in store.abbreviated(tip[:digits]))
    assert store.abbreviated(tip) == [tip]
    assert store.abbreviated(MISSING[:8]) == []


def test_what_is_missing_is_told_as_damage(store: Store) -> None:
    looks = (store.commit, store.tree, store.blob, lambda wanted: store.blob_head(wanted, 10))
    for look in looks:
        with pytest.raises(DamagedObjectError, match="missing") as caught:
            look(MISSING)
        assert caught.value.object_id == MISSING


def test_an_object_of_another_kind_is_told_as_damage(store: Store) -> None:
    tip = store.tip() or ""
    tree = store.commit(tip).tree
    blob = Snapshot(store, tip).blob_id("top.txt") or ""
    looks = (
        (store.commit, tree), (store.commit, blob), (store.tree, tip), (store.tree, blob), (store.blob, tip),
        (store.blob, tree), (lambda wanted: store.blob_head(wanted, 4), tree),
    )  # fmt: skip
    for look, wanted in looks:
        with pytest.raises(DamagedObjectError, match="not a"):
            look(wanted)


# --- revisions --------------------------------------------------------------------------------------------------


def test_branches_tags_and_head_resolve(store: Store) -> None:
    tip = store.tip() or ""
    names = (None, "HEAD", "@", "main", "heads/main", "refs/heads/main", "seed", "tags/seed", "refs/tags/seed")
    assert {resolve(store, name) for name in names} == {tip}


def test_ancestors_resolve(store: Store) -> None:
    first = store.commit(store.tip() or "").parents[0]
    tip = commit(store, {"a/x.txt": b"third\n"}, "Third\n", 5)
    second = store.commit(tip).parents[0]
    assert {resolve(store, name) for name in ("HEAD^", "HEAD~", "HEAD~1", "@^1", "main~1", f"{tip[:12]}^")} == {second}
    assert {resolve(store, name) for name in ("HEAD~2", "HEAD^^", "HEAD~1^1", "seed~1", "HEAD~0~2^0")} == {first}
    for beyond in ("HEAD~3", "HEAD^2", "HEAD^^^", f"{first}^", "HEAD~999999999"):
        with pytest.raises(UnknownRevisionError, match="does not reach back"):
            resolve(store, beyond)
    with pytest.raises(UnknownRevisionError):
        resolve(store, "HEAD~" + "9" * 5000)


def test_ids_resolve_whole_and_abbreviated(store: Store) -> None:
    tip = store.tip() or ""
    for digits in (12, 13, 39, 40):
        assert resolve(store, tip[:digits]) == tip
    tag = store.tag("seed")
    assert resolve(store, tag.id if tag else "") == tip


def test_an_ambiguous_id_is_refused_but_not_for_the_sake_of_files(place: Place) -> None:
    store = place.store
    # Tags cost less to make than commits; two of 800 share four digits with a probability of 1 - 1e-2.
    names: dict[str, str] = {}
    tip = store.tip() or ""
    for number in range(3000):
        text = f"{number}\n"
        made = object_id("tag", [encode_tag(text.strip(), tip, at(3), text)])
        if made[:4] in names:
            store.create_tag(text.strip(), tip, text, at(3))
            store.create_tag(names[made[:4]], tip, f"{names[made[:4]]}\n", at(3))
            break
        names[made[:4]] = text.strip()
    with pytest.raises(UnknownRevisionError, match="beginning of 2 commit ids; give more digits"):
        resolve(store, made[:4])
    assert resolve(store, made) == tip
    number = next(n for n in itertools.count() if object_id("blob", [f"{n}".encode()])[:4] == tip[:4])
    blob = store.put_blob([f"{number}".encode()])
    assert {tip, blob} <= set(store.abbreviated(tip[:4]))
    assert resolve(store, tip[:4]) == tip


def test_dates_mean_the_newest_commit_up_to_then(store: Store) -> None:
    first, second = store.commit(store.tip() or "").parents[0], store.tip()
    third = commit(store, {"a/x.txt": b"later\n"}, "Later\n", 60 * 24)
    assert resolve(store, "2026-01-01T00:00:00Z") == first
    assert resolve(store, "2026-01-01T00:00:30") == first
    assert resolve(store, "2026-01-01T01:01:00+01:00") == second
    assert resolve(store, f"@{FIRST_SECOND + 60}") == second
    assert resolve(store, f"@{FIRST_SECOND + 59}") == first
    assert resolve(store, "2026-01-02") == third
    assert resolve(store, "2100-01-01") == third
    assert resolve(store, "2026-01-02~1") == second


@pytest.mark.parametrize("early", ["2025-12-31", "2025-12-31T23:59:59", "@0", f"@{FIRST_SECOND - 1}", "1970-01-01"])
def test_a_date_before_the_first_commit_has_no_answer(store: Store, early: str) -> None:
    with pytest.raises(UnknownRevisionError, match="no commit as old as that"):
        resolve(store, early)


@pytest.mark.parametrize(
    "unknown", ["", "x", "nonsense", "main2", "seed/2", "zzzz", "@x", "2026-13-01", "a b", "..", "^", "~1", MISSING]
)
def test_an_unknown_revision_is_refused_and_what_there_is_is_told(store: Store, unknown: str) -> None:
    with pytest.raises(UnknownRevisionError) as caught:
        resolve(store, unknown)
    assert caught.value.reason or caught.value.known == ("main", "seed")


def test_what_is_no_commit_does_not_resolve(store: Store) -> None:
    tip = store.tip() or ""
    with pytest.raises(UnknownRevisionError, match="names a tree, not a commit"):
        resolve(store, store.commit(tip).tree)
    with pytest.raises(UnknownRevisionError, match="names a blob, not a commit"):
        resolve(store, store.put_blob([b"three\n"]))


def test_a_tag_that_git_set_on_a_tag_resolves_to_the_commit(place: Place) -> None:
    if place.folder is None:
        pytest.skip("there is no Git beneath it")
    git(place.folder, "tag", "-a", "-m", "outer", "outer", "seed")
    git(place.folder, "tag", "light", "HEAD~1")
    git(place.folder, "tag", "file", "HEAD:top.txt")
    git(place.folder, "branch", "side", "HEAD~1")
    with GitStore(place.folder) as fresh:
        store = MemoryStore(fresh) if place.kind == "dry run" else place.store
        assert resolve(store, "outer") == store.tip()
        assert resolve(store, "outer~1") == resolve(store, "light") == resolve(store, "side")
        light, outer, inner = store.tag("light"), store.tag("outer"), store.tag("seed")
        assert light == Tag("light", resolve(store, "light"), resolve(store, "light"))
        assert outer is not None
        assert inner is not None
        assert (outer.commit, outer.text) == (inner.id, "outer\n")
        assert store.tag("file") is None
        with pytest.raises(UnknownRevisionError, match="names a blob"):
            resolve(store, "file")


# --- dry runs and detached heads --------------------------------------------------------------------------------


@pytest.mark.parametrize("bare", [True, False])
def test_a_dry_run_leaves_what_is_beneath_it_untouched(tmp_path: Path, bare: bool) -> None:
    with initialise(tmp_path / "repository", bare=bare) as base:
        seed(base)
        before = {path: path.stat().st_mtime_ns for path in (tmp_path / "repository").rglob("*")}
        store = MemoryStore(base)
        made = commit(store, {"a/x.txt": b"only tried\n", "new/file": b"new\n", "top.txt": None}, "Try\n", 5)
        tag = store.create_tag("trial", made, "Try\n", at(6))
        assert content(store)["a/x.txt"] == b"only tried\n"
        assert resolve(store, "trial") == resolve(store, "HEAD") == made
        assert resolve(store, "HEAD~1") == base.tip()
        assert resolve(store, made[:12]) == made
        assert {path: path.stat().st_mtime_ns for path in (tmp_path / "repository").rglob("*")} == before
        assert base.kind(made) is None
        assert base.tag("trial") is None
        assert base.kind(tag.id) is None
        assert content(base) == SEED_CONTENT


def test_a_dry_run_does_not_see_what_is_committed_beneath_it_later(tmp_path: Path) -> None:
    with initialise(tmp_path / "repository", bare=True) as base:
        seed(base)
        store = MemoryStore(base)
        old = store.tip()
        commit(base, {"a/x.txt": b"meanwhile\n"}, "Meanwhile\n", 5)
        assert store.tip() == old
        assert content(store) == SEED_CONTENT


@pytest.mark.parametrize("dry", [False, True])
def test_a_detached_head_is_read_but_never_written(tmp_path: Path, dry: bool) -> None:
    with initialise(tmp_path / "repository", bare=True) as base:
        seed(base)
        (base.folder / "HEAD").write_text(f"{base.tip()}\n", encoding="ascii")
        store = MemoryStore(base) if dry else base
        assert store.branch == "HEAD"
        assert content(store) == SEED_CONTENT
        refs = dict(base.refs())
        for parent in (store.tip(), None):
            with pytest.raises(InvalidOptionError, match="detached"):
                store.commit_edits(parent, {}, "x\n", at(5), at(5))
        assert base.refs() == refs
