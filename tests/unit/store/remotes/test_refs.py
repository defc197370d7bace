"""Refs that another repository names: hostile ones are passed over, the others are followed."""

from __future__ import annotations

from pathlib import Path

import pytest

from calibvcs.errors import InvalidNameError, UnknownRevisionError
from calibvcs.model.commits import Signature
from calibvcs.store.initialise import initialise
from calibvcs.store.objects.encoding import encode_commit
from calibvcs.store.remotes.haves import Haves
from calibvcs.store.remotes.refs import follow, trusted_refs, wanted_refs
from calibvcs.store.remotes.remote import RefUpdate, RemoteRefs, has_promises
from tests.unit.store.packs_by_hand import loose

A, B = "a" * 40, "b" * 40
WHO = Signature("Grace Hopper", "grace@example.org", 5)


def test_only_sound_names_and_ids_are_trusted() -> None:
    given = [
        (b"refs/heads/main", A), (b"refs/tags/v1", B), (b"refs/tags/v1^{}", A), (b"HEAD", A), (b"refs/heads/../../config", A),
        (b"refs/heads/a..b", A), (b"refs/heads/.hidden", A), (b"refs/heads/x.lock", A), (b"refs/heads/", A),
        (b"refs/heads//x", A), (b"/refs/heads/x", A), (b"refs/heads/a\x00b", A), (b"refs/heads/a b", A),
        (b"refs/notes/x", A), (b"refs/heads/short", "abc"), (b"refs/heads/upper", A.upper()), (b"refs/heads/none", None),
        (b"refs/heads/\xff\xfe", A), (b"refs/heads/ok/deep", B),
    ]  # fmt: skip
    found = trusted_refs((name, one.encode() if one else None) for name, one in given)
    assert {ref for ref in found if ref.isascii()} == {"refs/heads/main", "refs/heads/ok/deep", "refs/tags/v1"}


def test_branches_are_chosen_by_name_and_an_unknown_one_is_told() -> None:
    remote = RemoteRefs({"refs/heads/main": A, "refs/heads/x/y": B, "refs/tags/main": B}, "main")
    assert wanted_refs(remote, None, tags=True) == remote.refs
    assert wanted_refs(remote, None, tags=False) == {"refs/heads/main": A, "refs/heads/x/y": B}
    assert wanted_refs(remote, ["x/y"], tags=False) == {"refs/heads/x/y": B}
    assert wanted_refs(remote, [], tags=True) == {"refs/tags/main": B}
    with pytest.raises(UnknownRevisionError, match="maim"):
        wanted_refs(remote, ["maim"], tags=True)


def test_refs_here_follow_but_tags_that_are_here_stay(tmp_path: Path) -> None:
    with initialise(tmp_path, bare=True) as store:
        wanted = {"refs/heads/main": A, "refs/heads/deep/x": B, "refs/tags/v1": A}
        changed, notices = follow(store, "origin", wanted)
        assert set(changed) == {
            RefUpdate("refs/remotes/origin/main", None, A), RefUpdate("refs/remotes/origin/deep/x", None, B),
            RefUpdate("refs/tags/v1", None, A),
        }  # fmt: skip
        assert not notices
        assert follow(store, "origin", wanted) == ((), ())
        changed, notices = follow(store, "origin", {"refs/heads/main": B, "refs/tags/v1": B})
        assert changed == (RefUpdate("refs/remotes/origin/main", A, B),)
        assert [notice.kind for notice in notices] == ["tag-differs"]
        assert store.refs()["refs/tags/v1"] == A
        for name in ("../x", "a b", "", "x.lock", ".x"):
            with pytest.raises(InvalidNameError):
                follow(store, name, wanted)


def test_a_ref_that_others_move_just_now_stays_and_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with initialise(tmp_path, bare=True) as store:
        monkeypatch.setattr(store, "set_ref", lambda *_: False)
        assert [notice.kind for notice in follow(store, "origin", {"refs/heads/main": A})[1]] == ["ref-not-moved"]


def test_few_commits_are_told_common_ones_first_and_then_at_growing_distances(tmp_path: Path) -> None:
    with initialise(tmp_path, bare=True) as store:
        tree = loose(store.folder / "objects", b"", "tree")
        commits: list[str] = []
        for number in range(600):
            text = encode_commit(tree, tuple(commits[-1:]), WHO, WHO, f"Change {number}")
            commits.append(loose(store.folder / "objects", text, "commit"))
        store.set_ref("refs/heads/main", None, commits[-1])
        store.set_ref("refs/remotes/origin/main", None, commits[300])
        tag = store.create_tag("v1", commits[10], "Ten", WHO)
        walker = Haves(store)
        assert next(walker) is None, "before it begins there is nothing to tell"
        walker.begin([commits[300], tag.id])
        told = [one.decode() for one in iter(walker.__next__, None)]
        assert set(told[:2]) == {commits[300], commits[10]}
        assert told[2] == commits[-1]
        assert len(told) < 20
        distances = [len(commits) - 1 - commits.index(one) for one in told[3:]]
        assert distances[:6] == [1, 3, 7, 15, 31, 63]


def test_promises_are_known_by_gits_configuration(tmp_path: Path) -> None:
    assert not has_promises(tmp_path)
    for text, promised in (
        ("[remote \"origin\"]\n\tpromisor = true\n", True), ("[remote \"origin\"]\n\tpromisor = false\n", False),
        ("[extensions]\n\tpartialClone = origin\n", True), ("[core]\n\tbare = true\n", False), ("[broken", False),
    ):  # fmt: skip
        (tmp_path / "config").write_text(text)
        assert has_promises(tmp_path) is promised
