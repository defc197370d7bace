"""Which objects another repository lacks, told by what it has: found by walking from what it is to have."""

from __future__ import annotations

import heapq
import itertools
from typing import TYPE_CHECKING, NamedTuple

from calibvcs.store.objects.encoding import decode_commit, decode_tag
from calibvcs.store.refs.merge_base import merge_bases

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from calibvcs.model.commits import Commit
    from calibvcs.store.git import GitStore

_OTHER_REPOSITORY = 0o160000


class Lacking(NamedTuple):
    """An object that another repository lacks."""

    kind: str
    id: str


def missing_objects(
    store: GitStore, wants: Iterable[str], haves: Iterable[str], *, blobs: bool = True
) -> list[Lacking]:
    """Return the objects that somebody lacks who has some commits, with all that these refer to.

    Of an object that came and went long ago it is not known that the other one has it: it is among them, as with Git.

    Parameters
    ----------
    store : GitStore
        Where they are.
    wants : iterable of str
        Ids of the commits and tags that the other one is to have.
    haves : iterable of str
        Ids of the commits and tags that it has; those that are not here tell nothing.
    blobs : bool
        Whether blobs count, or only commits, trees and tags.

    Returns
    -------
    list of Lacking
        Tags and commits first, then trees and blobs, every one once.

    Raises
    ------
    DamagedObjectError
        If something that is needed to know it is missing or damaged.
    """
    had = set(haves)
    tags, others = _peeled(store, [want for want in wants if want not in had])
    had_commits = _peeled(store, [have for have in had if store.kind(have)])[1]
    commits = _new_commits(store, others, had_commits)
    found: dict[str, str] = {}
    for commit in reversed(commits):
        bases = [store.commit(parent).tree for parent in commit.parents]
        _walk(store, commit.tree, bases, found, blobs=blobs)
    lacking = [Lacking("tag", tag) for tag in tags if tag not in had]
    lacking += [Lacking("commit", commit.id) for commit in commits]
    return lacking + [Lacking(kind, wanted) for wanted, kind in found.items()]


def is_ancestor(store: GitStore, old: str, new: str) -> bool:
    """Tell whether a commit can be reached from another one; both are here."""
    return merge_bases(store.commit, [old], [new]) == (old,)


def _peeled(store: GitStore, wants: Sequence[str]) -> tuple[list[str], list[Commit]]:
    """Return the tags on the way from some ids to their commits, and these."""
    tags: dict[str, None] = {}
    commits: dict[str, Commit] = {}
    for want in wants:
        kind, content = store.read_object(want)
        while kind == "tag":
            tags[want] = None
            want = decode_tag(content, want, "").commit  # noqa: PLW2901 - it is the same ref, one step further
            kind, content = store.read_object(want)
        if kind == "commit":
            commits[want] = decode_commit(content, want)
    return list(tags), list(commits.values())


def _new_commits(store: GitStore, wants: Sequence[Commit], haves: Sequence[Commit]) -> list[Commit]:
    """Return the commits that can be reached from some, but not from others, newest first.

    Where a commit claims to be older than its parent, some may be among them that can be reached from others too.
    """
    had: dict[str, bool] = {}
    queue: list[tuple[int, int, Commit]] = []
    new: dict[str, Commit] = {}
    unsettled: set[str] = set()
    numbers = itertools.count()  # so that commits of the same second need not be compared

    def look_at(commit: Commit, *, is_had: bool) -> None:
        if had.get(commit.id) is None or (is_had and not had[commit.id]):
            had[commit.id] = is_had
            heapq.heappush(queue, (-commit.committer.time, next(numbers), commit))
            (unsettled.discard if is_had else unsettled.add)(commit.id)

    for commit in haves:
        look_at(commit, is_had=True)
    for commit in wants:
        look_at(commit, is_had=False)
    oldest = float("-inf")
    while unsettled or (queue and queue[0][0] <= oldest):
        _, _, commit = heapq.heappop(queue)
        is_had = had[commit.id]
        unsettled.discard(commit.id)
        if is_had:
            new.pop(commit.id, None)
        else:
            new[commit.id] = commit
            oldest = max(oldest, -commit.committer.time)
        for parent in commit.parents:
            if had.get(parent) is None or (is_had and not had[parent]):
                look_at(store.commit(parent), is_had=is_had)
    return [commit for commit in new.values() if not had[commit.id]]


def _walk(store: GitStore, tree: str, bases: list[str], found: dict[str, str], *, blobs: bool) -> None:
    """Collect what a tree has and none of the others in the same place has."""
    if tree in found or tree in bases:
        return
    found[tree] = "tree"
    others = [dict(store.tree(base).items()) for base in bases]  # a large tree is decoded once, not name by name
    for name, entry in store.tree(tree).items():
        there = [other[name] for other in others if name in other]
        if entry.mode == _OTHER_REPOSITORY or any(entry.id == one.id for one in there):
            continue
        if entry.is_tree:
            _walk(store, entry.id, [one.id for one in there if one.is_tree], found, blobs=blobs)
        elif blobs:
            found.setdefault(entry.id, "blob")
