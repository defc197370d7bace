"""Which edits go into a commit, and which can be in none, whatever they hold."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from calibvcs.errors import DirtyWorktreeError, InvalidDataError, NothingToCommitError, RemovedConstantError
from calibvcs.model import layout
from calibvcs.ops.worktree.edit_selection import selection

if TYPE_CHECKING:
    from collections.abc import Sequence

    from calibvcs.ops.catalogue import Catalogue
    from calibvcs.ops.worktree.edit_selection import Named
    from calibvcs.ops.worktree.edits import Edits
    from calibvcs.store.worktrees.look import LookedAt


def committable(found: Edits, catalogue: Catalogue, names: Sequence[Named], now: float) -> Edits:
    """Return the edits that are meant, where nothing is wrong with them that can be told without reading them.

    Parameters
    ----------
    found : Edits
        All edits.
    catalogue : Catalogue
        The commit that they were made on.
    names : sequence of Named
        What is meant; nothing means everything. Of a constant all edited files are meant, or none.
    now : float
        When an alias is to be resolved, UNIX seconds.

    Returns
    -------
    Edits
        Some of them, one at least; files that are none of the format are left as they are.

    Raises
    ------
    NothingToCommitError
        If none is meant.
    RemovedConstantError
        If files were taken away.
    InvalidDataError
        If something is no plain file, or stands where it does not belong.
    DirtyWorktreeError
        If C Git left a path in conflict.
    UnknownConstantError
        If something that is named is neither edited nor in the commit.
    """
    if found.unmerged:
        raise DirtyWorktreeError(found.unmerged)
    constants = [one for one in found.constants if any(map(_differs, one.files.values()))]
    records = [one for one in found.records if _differs(one)]
    paths = {file.path for one in constants for file in one.files.values()} | {one.path for one in records}
    chosen = selection(catalogue, names, sorted({*paths, *(one.path for one in found.left)}), now)
    named = [one for one in found.left if names and one.path in chosen]
    if named and not chosen & paths:
        advice = "docs/formats/repository-v1.md tells where files stand; calibvcs add takes any file"
        raise InvalidDataError(named[0].path, named[0].reason, advice)
    meant = replace(
        found,
        constants=tuple(one for one in constants if any(file.path in chosen for file in one.files.values())),
        records=tuple(one for one in records if one.path in chosen),
    )
    if not meant.constants and not meant.records:
        raise _nothing(found, names)
    _refuse_removed(meant)
    _refuse_troubled(meant)
    return meant


def _differs(one: LookedAt) -> bool:
    return bool(one.trouble) or one.content != (one.committed.id if one.committed else None)


def _nothing(found: Edits, names: Sequence[Named]) -> NothingToCommitError:
    if names:
        return NothingToCommitError(f"{', '.join(name.given for name in names)} unchanged")
    left = tuple(f"{one.path}: {one.reason}" for one in found.left)
    return NothingToCommitError("only files that are none of the format", left) if left else NothingToCommitError()


def _refuse_removed(meant: Edits) -> None:
    removed = [one.name for one in meant.constants if one.state == "removed"]
    gone = [one.path for one in meant.records if one.content is None]
    if removed or gone:
        kinds = {(name.detector, name.ctype) for name in removed}
        new = (one.name for one in meant.constants if one.state == "new")
        beside = next((str(name) for name in new if (name.detector, name.ctype) in kinds), "")
        raise RemovedConstantError((*map(str, removed), *gone), beside)


def _refuse_troubled(meant: Edits) -> None:
    files = [*(file for one in meant.constants for file in one.files.values()), *meant.records]
    for one in files:
        if one.trouble:
            executable = "executable" in one.trouble
            advice = f"chmod a-x {one.path}" if executable else "put a plain file in its place"
            raise InvalidDataError(one.path, one.trouble, advice)
    for constant in meant.constants:
        if constant.trouble:
            folder = layout.constant_folder(constant.name)
            raise InvalidDataError(folder, constant.trouble, f"correct it, or take it back: calibvcs restore {folder}")
