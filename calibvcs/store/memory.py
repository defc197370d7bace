"""The twin in memory: the same protocol and the same ids, without a disk; alone, or on top of another store."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from calibvcs.errors import AlreadyExistsError, BranchMovedError, DamagedObjectError
from calibvcs.model.commits import Tag
from calibvcs.store.derived import DerivedData
from calibvcs.store.objects.encoding import decode_commit, decode_tag, encode_commit, encode_tag, object_id
from calibvcs.store.objects.large_tree import tree_of
from calibvcs.store.objects.trees import edited
from calibvcs.store.refs.moving import DETACHED, FOLDER_CLASH, branch_ref, clashing
from calibvcs.store.signatures.signed_objects import signed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from calibvcs.model.commits import Commit, Signature, Signer
    from calibvcs.store.protocol import Buffers, ReadableStore, TreeEntry

BRANCH = "main"


class MemoryStore:
    """A store that lives as long as the process.

    Parameters
    ----------
    base : ReadableStore, optional
        Store to start from: it is read through and never written, which is what a dry run needs.
    """

    def __init__(self, base: ReadableStore | None = None) -> None:
        self._base = base
        self._objects: dict[str, tuple[str, bytes]] = {}
        self._branch = base.branch if base else BRANCH
        self._refs: dict[str, str] = dict(base.refs()) if base else {}
        self.memo: dict[str, object] = {}
        self.derived = base.derived.unchanging() if base else DerivedData(None)

    @property
    def location(self) -> str:
        """Where it is, for people."""
        return self._base.location if self._base else "memory"

    @property
    def branch(self) -> str:
        """Name of the branch that HEAD stands on."""
        return self._branch

    def refs(self) -> Mapping[str, str]:
        """Return every ref with the id it stands on."""
        return dict(self._refs)

    def tip(self) -> str | None:
        """Return the commit that the branch stands on; None while it has none."""
        if self._base and self._branch == DETACHED:
            return self._base.tip()
        return self._refs.get(f"refs/heads/{self._branch}")

    def commit(self, commit_id: str) -> Commit:
        """Return a commit."""
        own = self._own(commit_id, "commit")
        if own is None and self._base:
            return self._base.commit(commit_id)
        return decode_commit(own or b"", commit_id)

    def tree(self, tree_id: str) -> Mapping[str, TreeEntry]:
        """Return the names in a tree."""
        own = self._own(tree_id, "tree")
        if own is None and self._base:
            return self._base.tree(tree_id)
        return tree_of(own or b"", tree_id)

    def tree_data(self, tree_id: str) -> bytes:
        """Return the bytes of a tree as Git stores them."""
        own = self._own(tree_id, "tree")
        if own is None and self._base:
            return self._base.tree_data(tree_id)
        return own or b""

    def blob(self, blob_id: str) -> bytes:
        """Return the content of a blob."""
        own = self._own(blob_id, "blob")
        if own is None and self._base:
            return self._base.blob(blob_id)
        return own or b""

    def blob_head(self, blob_id: str, length: int) -> tuple[bytes, int]:
        """Return the first bytes of a blob, and its whole size in bytes."""
        own = self._own(blob_id, "blob")
        if own is None and self._base:
            return self._base.blob_head(blob_id, length)
        return (own or b"")[:length], len(own or b"")

    def blob_into(self, blob_id: str, begin: int, out: memoryview) -> None:
        """Read a blob, from some byte to its end, into memory."""
        own = self._own(blob_id, "blob")
        if own is None and self._base:
            return self._base.blob_into(blob_id, begin, out)
        content = own or b""
        if len(content) != begin + len(out):
            raise DamagedObjectError(blob_id, f"it has {len(content)} bytes, expected are {begin + len(out)}")
        out[:] = content[begin:]
        return None

    def blob_blocks(self, blob_id: str, begin: int, size: int) -> Iterator[memoryview]:
        """Read a blob, from some byte to its end, block by block."""
        own = self._own(blob_id, "blob")
        if own is None and self._base:
            yield from self._base.blob_blocks(blob_id, begin, size)
            return
        content = memoryview(own or b"")
        if begin > len(content):
            raise DamagedObjectError(blob_id, f"it has {len(content)} bytes, wanted are those from {begin} on")
        for place in range(begin, len(content), size):
            yield content[place : place + size]

    def clean_file(self, path: str, blob_id: str, size: int) -> memoryview | None:
        """Return a blob as a map of its file in the worktree of the store beneath."""
        return self._base.clean_file(path, blob_id, size) if self._base else None

    def tag(self, name: str) -> Tag | None:
        """Return a tag by its name, or by the id of its object."""
        target = self._refs.get(f"refs/tags/{name}", name)
        kind = self.kind(target)
        if kind == "commit" and target != name:
            return Tag(name, target, target)
        if kind != "tag":
            return None
        own = self._own(target, "tag")
        if own is None and self._base:
            return self._base.tag(name)
        return decode_tag(own or b"", target, name)

    def kind(self, wanted: str) -> str | None:
        """Return commit, tree, blob or tag; None where there is no such object."""
        if wanted in self._objects:
            return self._objects[wanted][0]
        return self._base.kind(wanted) if self._base else None

    def abbreviated(self, prefix: str) -> Sequence[str]:
        """Return the ids of the objects whose id begins with some hex digits."""
        below = self._base.abbreviated(prefix) if self._base else ()
        return sorted({*below, *(found for found in self._objects if found.startswith(prefix))})

    def put_blob(self, buffers: Buffers) -> str:
        """Keep a blob and return its id."""
        return self._put("blob", b"".join(buffers))

    def commit_edits(
        self,
        parent: str | None,
        edits: Mapping[str, str | None],
        text: str,
        author: Signature,
        committer: Signature,
        *,
        sign: Signer | None = None,
        merged: str | None = None,
    ) -> str:
        """Make the trees and the commit that follow from edits of a parent, and move the branch to it."""
        ref = branch_ref(self._branch)
        if self.tip() != parent:
            raise BranchMovedError(self._branch)
        tree, made = edited(self.tree_data, self.commit(parent).tree if parent else None, edits)
        parents = tuple(one for one in (parent, merged) if one)
        commit = encode_commit(tree, parents, author, committer, text)
        commit = signed("commit", commit, sign(commit)) if sign else commit
        for data in made.values():
            self._put("tree", data)
        commit_id = self._put("commit", commit)
        self._refs[ref] = commit_id
        return commit_id

    def advance(self, parent: str, commit_id: str, reason: str, committer: Signature) -> None:  # noqa: ARG002 - no log
        """Move the branch to a commit that was made on it elsewhere."""
        ref = branch_ref(self._branch)
        if self.tip() != parent:
            raise BranchMovedError(self._branch)
        self._refs[ref] = commit_id

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Do nothing: there is no disk to be spared."""
        yield

    def create_tag(
        self,
        name: str,
        target: str,
        text: str,
        tagger: Signature,
        *,
        kind: str = "commit",
        sign: Signer | None = None,
    ) -> Tag:
        """Make an annotated tag."""
        ref = f"refs/tags/{name}"
        if ref in self._refs:
            raise AlreadyExistsError("tag", name, "tags are immutable; choose another name")
        beside = clashing(self._refs, ref)
        if beside:
            raise AlreadyExistsError("tag", beside.removeprefix("refs/tags/"), FOLDER_CLASH)
        tag = encode_tag(name, target, tagger, text, kind)
        signature = sign(tag) if sign else ""
        self._refs[ref] = self._put("tag", signed("tag", tag, signature))
        return Tag(name, target, self._refs[ref], tagger, text, signature)

    def _put(self, kind: str, data: bytes) -> str:
        new_id = object_id(kind, [data])
        self._objects[new_id] = (kind, data)
        return new_id

    def _own(self, wanted: str, kind: str) -> bytes | None:
        found = self._objects.get(wanted)
        if found is None:
            if self._base is None:
                raise DamagedObjectError(wanted, "it is missing")
            return None
        if found[0] != kind:
            raise DamagedObjectError(wanted, f"it is a {found[0]}, not a {kind}")
        return found[1]
