"""The verbs between clones: bringing changes and data from another repository, and bringing changes to it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from calibvcs import settings
from calibvcs.errors import InvalidOptionError, InvalidTimeError
from calibvcs.model.times import parse_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from calibvcs.api.session import Session
    from calibvcs.model.three_way import Rules
    from calibvcs.model.times import TimeLike
    from calibvcs.ops.merges.describing import ConflictDescription
    from calibvcs.ops.sharing.cloning import Cloned
    from calibvcs.ops.sharing.pulling import FetchedRefs, Pulled
    from calibvcs.ops.sharing.pushing import PushedBranch
    from calibvcs.ops.sharing.squeezing import Squeezed

_RULES = ("ours", "theirs", "newest")


def clone(
    url: str | os.PathLike[str],
    path: str | os.PathLike[str],
    *,
    experiment: str = "",
    detectors: Sequence[str] = (),
    ctypes: Sequence[str] = (),
    since: TimeLike | None = None,
    until: TimeLike | None = None,
    depth: int | None = None,
    bare: bool = False,
    progress: Callable[[int], None] | None = None,
) -> Cloned:
    """Make a clone: all of a repository, or all of its history and the data of a selection.

    Parameters
    ----------
    url : str or path
        A path, ``ssh://``, ``user@host:path``, ``http(s)://`` or ``git://``.
    path : str or path
        Folder for the clone; it does not exist, or is empty.
    experiment : str, optional
        Only the detectors and the time of this experiment, by its run table.
    detectors, ctypes : sequence of str, optional
        Only these: names, aliases or globs.
    since, until : time, optional
        Only what is in force at some time between them, half-open.
    depth : int, optional
        Beside the defaults, the data of so many of the newest versions of each constant; default is none.
    bare : bool, optional
        Whether the clone has no worktree.
    progress : callable, optional
        Is given the number of bytes so far.

    Returns
    -------
    Cloned
        What came: ``.constants`` with their data, ``.objects``, ``.bytes``.

    Raises
    ------
    AlreadyExistsError
        If something is at `path`.
    NoRepositoryError, NotCalibvcsError
        If there is no repository of constants at `url`.
    UnknownDetectorError, UnknownRunError
        If a name of the selection is not there.
    InvalidOptionError, InvalidTimeError
        If the address or a time cannot be read.
    NetworkError, StorageError, NotWritableError
        If network or disk fail; nothing is left behind then.
    """
    from calibvcs.ops.sharing.cloning import clone as made
    from calibvcs.ops.sharing.selection import Selection

    given = os.fspath(url)
    bounds = [None if moment is None else _seconds(moment) for moment in (since, until)]
    wanted = Selection(experiment, tuple(detectors), tuple(ctypes), bounds[0], bounds[1], _depth(depth))
    with settings.remote(given) as remote:
        is_path = remote.address.transport == "path"
        if is_path and Path(remote.address.path).is_file():
            advice = f"a bundle becomes a repository with: calibvcs bundle unbundle {given} --new PATH"
            raise InvalidOptionError("URL", given, "it is a file, not a repository", advice)
        address = str(Path(remote.address.path).resolve()) if is_path else given
        return made(remote, address, Path(path).expanduser(), wanted, bare=bare, progress=progress)


def _depth(given: int | None) -> int | None:
    if given is not None and given < 1:
        raise InvalidOptionError("depth", str(given), "1 or more are allowed")
    return given


def _seconds(given: TimeLike) -> float:
    time = parse_time(given)
    if isinstance(time, (int, float)):
        return time
    raise InvalidTimeError(str(given), "a run means nothing before the clone is there; experiment= takes its time")


class SharingVerbs:
    """The verbs of a `Repository` that ask the one it came from."""

    _session: Session

    def fetch(self, *, progress: Callable[[int], None] | None = None) -> FetchedRefs:
        """Bring what others changed, without changing anything here but what is known of them.

        Parameters
        ----------
        progress : callable, optional
            Is given the number of bytes so far.

        Returns
        -------
        FetchedRefs
            ``.moved``, the branches and tags that moved there; ``.objects`` and ``.bytes`` that came.

        Raises
        ------
        NetworkError
            If the repository that this one came from cannot be reached, or there is none.
        StorageError, NotWritableError
            If the disk refuses.
        """
        from calibvcs.ops.sharing.pulling import fetch

        known, remote = self._session.remote()
        with remote:
            return fetch(self._session.store, remote, known, progress)

    def squeeze(
        self,
        *,
        detectors: Sequence[str] = (),
        ctypes: Sequence[str] = (),
        since: TimeLike | None = None,
        until: TimeLike | None = None,
        depth: int | None = None,
        drop: Sequence[str] = (),
        progress: Callable[[int], None] | None = None,
    ) -> Squeezed:
        """Let a squeezed clone hold more, or fewer, of the data.

        Parameters
        ----------
        detectors, ctypes : sequence of str, optional
            What comes to those that it holds.
        since, until : time, optional
            Another time.
        depth : int, optional
            How many of the newest versions of each constant are held beside its default.
        drop : sequence of str, optional
            Detectors and ctypes whose files leave the worktree. All arrays that came from the other repository and are
            not held any more leave the disk.
        progress : callable, optional
            Is given the number of bytes so far.

        Returns
        -------
        Squeezed
            ``.constants`` with their data here, ``.objects`` and ``.bytes`` that came, ``.freed`` bytes.

        Raises
        ------
        InvalidOptionError
            If the clone is not squeezed, or what is dropped is not in it.
        UnknownDetectorError
            If a detector is not there.
        NetworkError, StorageError, NotWritableError
            If network or disk fail.
        """
        from calibvcs.ops.sharing.selection import Selection
        from calibvcs.ops.sharing.squeezing import changed_selection, remembered, squeeze

        known, remote = self._session.remote()
        if not known.squeezed:
            raise InvalidOptionError("clone", self._session.store.location, "it is not squeezed: it holds everything")
        catalogue, store = self._session.catalogue(), self._session.store
        bounds = [None if moment is None else self._session.seconds(catalogue, moment) for moment in (since, until)]
        add = Selection("", tuple(detectors), tuple(ctypes), bounds[0], bounds[1], _depth(depth))
        wanted = changed_selection(remembered(store), add, tuple(drop))
        with remote:
            return squeeze(store, remote, catalogue, wanted, dropping=bool(drop), progress=progress)

    def pull(
        self,
        *,
        settle: str = "",
        take: Iterable[str] = (),
        progress: Callable[[int], None] | None = None,
    ) -> Pulled:
        """Bring what others changed into the branch: different constants never conflict.

        Parameters
        ----------
        settle : {"", "ours", "theirs", "newest"}, optional
            How everything is settled that both changed; default leaves it open, and then nothing is changed.
        take : iterable of str, optional
            The same for single matters, ``ours:NAME``: a constant, ``alias:NAME``, ``EXPERIMENT:RUN``, or a path.
        progress : callable, optional
            Is given the number of bytes so far.

        Returns
        -------
        Pulled
            ``.kind``, up-to-date, fast-forward or merge; ``.taken``, what came in; ``.settled``, conflicts.

        Raises
        ------
        MergeConflictError
            If something that both changed is not settled.
        DirtyWorktreeError
            If a file that would be replaced was edited by hand.
        UnknownRevisionError
            If the other repository has no branch of this name.
        InvalidOptionError
            If `settle` or `take` cannot be read.
        NetworkError, StorageError, NotWritableError
            If network or disk fail; nothing is torn.
        """
        from calibvcs.ops.sharing.pulling import pull

        rules = settling(settle, take)
        known, remote = self._session.remote()
        with remote:
            return pull(self._session.store, remote, known, self._session.author(), rules, progress)

    def push(
        self,
        *,
        settle: str = "",
        take: Iterable[str] = (),
        dry_run: bool = False,
        progress: Callable[[int], None] | None = None,
    ) -> PushedBranch:
        """Bring the branch to where this clone came from; what others changed meanwhile is merged first.

        Parameters
        ----------
        settle, take
            As for `pull`.
        dry_run : bool, optional
            Whether only to tell what would change there.
        progress : callable, optional
            Is given the number of bytes so far.

        Returns
        -------
        PushedBranch
            ``.commit`` that the branch there stands on; ``.preview``, the defaults that change, and for which runs.

        Raises
        ------
        NothingToChangeError
            If everything is there already.
        PushRefusedError
            If a rule there refuses; `propose` asks somebody who may.
        MergeConflictError, BranchMovedError
            If something is not settled, or others were faster all the time.
        InvalidOptionError
            If `settle` or `take` cannot be read.
        NetworkError
            If the other repository cannot be reached.
        """
        from calibvcs.ops.sharing.pushing import push

        rules = settling(settle, take)
        known, remote = self._session.remote()
        with remote:
            author = self._session.author()
            return push(self._session.store, remote, known, author, rules, dry_run=dry_run, progress=progress)

    def conflicts(self) -> tuple[ConflictDescription, ...]:
        """Return what this clone and the one it came from changed both, in numbers; `fetch` comes first.

        Returns
        -------
        tuple of ConflictDescription
            Who changed what on each side, and the difference of each side from what both started from.

        Raises
        ------
        NetworkError
            If this clone came from nowhere.
        UnknownRevisionError
            If the other repository has no branch of this name.
        """
        from calibvcs.ops.merges.describing import describe
        from calibvcs.ops.merges.merging import merge
        from calibvcs.ops.sharing.pulling import their_tip

        store = self._session.store
        known, _ = self._session.remote()
        merged = merge(store, store.tip() or "", their_tip(store, known))
        return tuple(describe(store, merged, conflict) for conflict in merged.conflicts)


def settling(settle: str, take: Iterable[str]) -> Rules:
    """Return how conflicts are to be settled.

    Parameters
    ----------
    settle : {"", "ours", "theirs", "newest"}
        For all of them.
    take : iterable of str
        For single ones, ``ours:NAME``.

    Returns
    -------
    Rules
        As `calibvcs.ops.merges.merging.merge` takes them.

    Raises
    ------
    InvalidOptionError
        If one cannot be read.
    """
    from calibvcs.model.three_way import Rule, Rules

    single = {}
    for given in take:
        rule, _, name = given.partition(":")
        if rule not in _RULES or not name:
            raise InvalidOptionError("--take", given, "ours:NAME, theirs:NAME or newest:NAME is allowed")
        single[name] = Rule(rule)
    if settle and settle not in _RULES:
        raise InvalidOptionError("settle", settle, f"allowed are {', '.join(_RULES)}")
    return Rules(Rule(settle) if settle else None, single)
