"""The store in a Git repository, bare or with a worktree: writers hold the branch for an instant."""

from __future__ import annotations

from contextlib import nullcontext, suppress
from functools import cached_property
from typing import TYPE_CHECKING

from calibvcs.errors import AlreadyExistsError, BranchMovedError
from calibvcs.model.commits import Message, Tag
from calibvcs.store.configuration import is_true, settings
from calibvcs.store.git_reading import GitReader
from calibvcs.store.objects.encoding import encode_commit, encode_signature, encode_tag
from calibvcs.store.objects.trees import changed_files, edited
from calibvcs.store.refs.moving import FOLDER_CLASH, append_reflog, branch_ref, clashing, compare_and_set
from calibvcs.store.signatures.signed_objects import signed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager

    from calibvcs.model.commits import Signature, Signer
    from calibvcs.store.protocol import Buffers
    from calibvcs.store.worktrees.worktree import Worktree

_ZERO = "0" * 40


class GitStore(GitReader):
    """Constants in a Git repository on disk; its parameters are those of `GitReader`."""

    @cached_property
    def _worktree(self) -> Worktree | None:
        from calibvcs.store.worktrees.worktree import Worktree  # only writers follow the branch

        if self.bare:
            return None
        modes = is_true(settings(self._folder / "config").get("core.filemode", "true"))
        return Worktree(self._root, self._control, self, modes=modes)

    @property
    def worktree(self) -> Worktree | None:
        """The checked-out files; None for a bare repository."""
        return self._worktree

    def put_blob(self, buffers: Buffers) -> str:
        """Write a blob durably and return its id; nothing refers to it yet."""
        return self._database.writer.put("blob", buffers)

    def batch(self) -> AbstractContextManager[None]:
        """Collect blobs, and the trees and the commit that follow, in one pack."""
        return self._database.writer.batch()

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
        """Write trees and commit, move the branch, and bring the worktree after it."""
        branch = self.branch
        ref = branch_ref(branch)
        if self.tip() != parent:
            raise BranchMovedError(branch)
        tree, made = edited(self.tree_data, self.commit(parent).tree if parent else None, edits)
        parents = tuple(one for one in (parent, merged) if one)
        commit = encode_commit(tree, parents, author, committer, text)
        commit = signed("commit", commit, sign(commit)) if sign else commit
        trees = [("tree", [data]) for data in made.values()]
        commit_id = self._database.writer.write([*trees, ("commit", [commit])])[-1]
        subject = Message.parse(text).subject
        with self._worktree.following(parent, edits) if self._worktree else nullcontext():
            if not self._move(ref, parent, commit_id, subject, committer):
                raise BranchMovedError(branch)
        return commit_id

    def advance(self, parent: str, commit_id: str, reason: str, committer: Signature) -> None:
        """Move the branch to a commit that was made on it elsewhere, and bring the worktree after it."""
        branch = self.branch
        ref = branch_ref(branch)
        paths = changed_files(self.tree, self.commit(parent).tree, self.commit(commit_id).tree)
        with self._worktree.following(parent, paths) if self._worktree else nullcontext():
            if not self._move(ref, parent, commit_id, reason, committer):
                raise BranchMovedError(branch)

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
        """Write an annotated tag."""
        taken = AlreadyExistsError("tag", name, "tags are immutable; choose another name")
        if self._refs.target(f"refs/tags/{name}") is not None:
            raise taken
        beside = clashing(self.refs(), f"refs/tags/{name}")
        if beside:
            raise AlreadyExistsError("tag", beside.removeprefix("refs/tags/"), FOLDER_CLASH)
        tag = encode_tag(name, target, tagger, text, kind)
        signature = sign(tag) if sign else ""
        tag_id = self._database.write("tag", [signed("tag", tag, signature)])
        if not compare_and_set(self._folder, f"refs/tags/{name}", None, tag_id, self._refs.packed):
            raise taken
        return Tag(name, target, tag_id, tagger, text, signature)

    def set_ref(self, ref: str, old: str | None, new: str) -> bool:
        """Let a ref stand on an id if it still stands on the old one; tell whether it did. No worktree follows it."""
        return compare_and_set(self._folder, ref, old, new, self._refs.packed)

    def _move(self, ref: str, old: str | None, new: str, subject: str, committer: Signature) -> bool:
        if not compare_and_set(self._folder, ref, old, new, self._refs.packed):
            return False
        line = f"{old or _ZERO} {new} {encode_signature(committer)}\tcalibvcs: {subject}"
        with suppress(OSError):  # the change is made; that it could not be logged must not look as if it were not
            append_reflog(self._control, "HEAD", line, create=not self.bare)
            append_reflog(self._folder, ref, line, create=not self.bare)
        return True
