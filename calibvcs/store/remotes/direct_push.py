"""A push by path where C Git is not installed: only where nothing that Git would do is left out.

What a hook or a setting would refuse must not get in by another way. So a repository with any hook is not pushed to
from here, nor one with a worktree, and no ref is taken away or moved back.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from calibvcs.errors import BranchMovedError, PushRefusedError
from calibvcs.store.remotes.missing import is_ancestor, missing_objects
from calibvcs.store.remotes.path import bring
from calibvcs.store.remotes.remote import Pushed, has_promises

if TYPE_CHECKING:
    from collections.abc import Sequence

    from calibvcs.store.git import GitStore
    from calibvcs.store.remotes.remote import Progress, RefUpdate

_HOOKS = {"pre-receive", "update", "post-receive", "post-update", "reference-transaction", "proc-receive"}
_HEADS = "refs/heads/"


def push_without_git(
    store: GitStore, there: GitStore, updates: Sequence[RefUpdate], name: str, progress: Progress | None
) -> Pushed:
    """Bring objects to a repository on this machine, and move its refs.

    Raises
    ------
    BranchMovedError
        If a ref does not stand where the caller thinks.
    PushRefusedError
        If it has hooks or a worktree, or if a ref is to be taken away or moved back.
    """
    reason = _what_only_git_can_do(store, there, updates)
    if reason:
        raise PushRefusedError(name, updates[0].ref, reason, "install git, or push through ssh or http")
    refs = there.refs()
    for ref, old, _ in updates:
        if refs.get(ref) != old:
            raise BranchMovedError(ref.removeprefix(_HEADS))
    lacking = missing_objects(store, [new for _, _, new in updates if new], refs.values())
    if has_promises(store.folder):  # what is not here is there: it was promised
        lacking = [one for one in lacking if one.kind != "blob" or store.kind(one.id)]
    done = bring(store, there, lacking, name, promised=has_promises(there.folder), progress=progress)
    for ref, old, new in updates:
        if new is not None and old != new and not there.set_ref(ref, old, new):
            raise BranchMovedError(ref.removeprefix(_HEADS))
    return Pushed(tuple(one for one in updates if one.old != one.new), done.objects, done.size)


def _what_only_git_can_do(store: GitStore, there: GitStore, updates: Sequence[RefUpdate]) -> str:
    if _has_hooks(there):
        return "it has hooks, and without C Git on this machine they cannot be run"
    if not there.bare:
        return "it has a worktree, and without C Git on this machine that cannot follow"
    for _, old, new in updates:
        if new is None or (old and not (store.kind(old) and is_ancestor(store, old, new))):
            return "without C Git on this machine only new commits on top of a branch can be pushed"
    return ""


def _has_hooks(there: GitStore) -> bool:
    from dulwich.config import ConfigFile, StackedConfig

    config = StackedConfig([ConfigFile.from_path(str(there.folder / "config")), *StackedConfig.default_backends()])
    try:
        config.get((b"core",), b"hooksPath")
    except KeyError:
        return any(os.access(there.folder / "hooks" / hook, os.X_OK) for hook in _HOOKS)
    return True
