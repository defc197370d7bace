"""``squeeze``: which data a clone has; more of them, or fewer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from calibvcs.errors import InvalidOptionError
from calibvcs.model import layout
from calibvcs.ops.sharing.selection import Selection, payloads, selected
from calibvcs.store.configuration import settings
from calibvcs.store.remotes.settings import configure_selection
from calibvcs.store.upkeep.cleaning import free

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from calibvcs.model.names import ConstantName
    from calibvcs.ops.catalogue import Catalogue
    from calibvcs.store.git import GitStore
    from calibvcs.store.remotes.remote import Fetched, Progress, Remote

_SEPARATOR = " "


@dataclass(frozen=True, slots=True)
class Squeezed:
    """What a squeezed clone holds now.

    Attributes
    ----------
    constants : int
        How many constants have their data here.
    objects, bytes : int
        How many objects came, and in how many bytes.
    files_removed : int
        Files that were taken out of the worktree.
    freed : int
        Bytes of arrays that left this clone; the repository that it came from has them.
    """

    schema: ClassVar[str] = "calibvcs.squeeze/1"

    constants: int
    objects: int
    bytes: int
    files_removed: int
    freed: int = 0


def remembered(store: GitStore) -> Selection:
    """Return what a clone was told to hold; everything where it was told nothing."""
    found = settings(store.folder / "config")

    def words(name: str) -> tuple[str, ...]:
        return tuple(found.get(f"calibvcs.{name}", "").split(_SEPARATOR)) if found.get(f"calibvcs.{name}") else ()

    since, until, depth = (found.get(f"calibvcs.{name}", "") for name in ("since", "until", "depth"))
    return Selection(
        found.get("calibvcs.experiment", ""),
        words("detectors"),
        words("ctypes"),
        float(since) if since else None,
        float(until) if until else None,
        int(depth) if depth.isdigit() else None,
    )


def remember(store: GitStore, wanted: Selection) -> None:
    """Write down what a clone is to hold, so that what comes later is chosen the same way."""
    values = {
        "experiment": wanted.experiment,
        "detectors": _SEPARATOR.join(wanted.detectors),
        "ctypes": _SEPARATOR.join(wanted.ctypes),
        "since": "" if wanted.since is None else f"{wanted.since:.16g}",
        "until": "" if wanted.until is None else f"{wanted.until:.16g}",
        "depth": "" if wanted.depth is None else str(wanted.depth),
    }
    configure_selection(store.folder, values, sparse=not store.bare)


def bring(
    store: GitStore, remote: Remote, catalogue: Catalogue, wanted: Selection, progress: Progress | None = None
) -> list[Fetched]:
    """Bring the data that a selection needs: first all records, which are small, then the payloads in one request.

    Parameters
    ----------
    store : GitStore
        Where they come to.
    remote : Remote
        Where they are.
    catalogue : Catalogue
        The commit whose defaults are meant.
    wanted : Selection
        What is wanted.
    progress : callable, optional
        Is given the number of bytes so far.

    Returns
    -------
    list of Fetched
        What came.

    Raises
    ------
    NetworkError
        If the other repository cannot be reached, or lacks something.
    """
    records = (entry.id for path, entry in catalogue.snapshot.files() if not is_payload(path))
    fetched = [_missing(store, remote, records, progress)]
    return [*fetched, _missing(store, remote, payloads(catalogue, wanted), progress)]


def _missing(store: GitStore, remote: Remote, ids: Iterable[str], progress: Progress | None) -> Fetched:
    lacking = [wanted for wanted in dict.fromkeys(ids) if store.kind(wanted) is None]
    return remote.fetch_objects(store, lacking, progress=progress)


def check_out(store: GitStore, catalogue: Catalogue, wanted: Selection) -> int:
    """Bring the worktree to a commit with what a selection means; return the number of its constants."""
    constants = selected(catalogue, wanted)
    if not store.bare:
        place_files(store, catalogue, constants, whole=wanted.whole)
    return len(constants)


def left_out(catalogue: Catalogue, wanted: Selection) -> Callable[[str], bool]:
    """Return what tells of a path whether its file is left out of the worktree: data that are not wanted."""
    chosen = {layout.constant_folder(constant) for constant in selected(catalogue, wanted)}
    return lambda path: is_payload(path) and path.rpartition("/")[0] not in chosen


def place_files(store: GitStore, catalogue: Catalogue, constants: list[ConstantName], *, whole: bool) -> int:
    """Check out some constants and all records; return how many files were taken away."""
    from calibvcs.store.worktrees.checking_out import check_out as to_worktree
    from calibvcs.store.worktrees.checking_out import write_patterns

    chosen = {layout.constant_folder(constant) for constant in constants}

    def is_wanted(path: str) -> bool:
        return whole or not is_payload(path) or path.rpartition("/")[0] in chosen

    if not whole:
        paths = (path for path, _ in catalogue.snapshot.files() if is_wanted(path))
        write_patterns(store.control, paths)
    commit = catalogue.snapshot.commit_id or ""
    return to_worktree(store.root, store.control, store, commit, is_wanted)[1]


def is_payload(path: str) -> bool:
    """Tell whether a file holds the data of a constant."""
    return path.rpartition("/")[2] in layout.PAYLOAD_FILES


def squeeze(
    store: GitStore,
    remote: Remote,
    catalogue: Catalogue,
    wanted: Selection,
    *,
    dropping: bool = False,
    progress: Progress | None = None,
) -> Squeezed:
    """Let a squeezed clone hold what a selection means: what it lacks is brought, other files leave the worktree.

    Parameters
    ----------
    store : GitStore
        The clone.
    remote : Remote
        Where it came from, open.
    catalogue : Catalogue
        The commit whose defaults are meant.
    wanted : Selection
        What is wanted from now on.
    dropping : bool, optional
        Whether arrays that are not wanted leave the clone; of what was made here nothing does.
    progress : callable, optional
        Is given the number of bytes so far.

    Returns
    -------
    Squeezed
        What the clone holds now.

    Raises
    ------
    UnknownDetectorError, UnknownRunError
        If a name of the selection is not there.
    NetworkError, StorageError, NotWritableError
        If network or disk fail; the clone still holds what it held.
    WriterBusyError
        If arrays are to leave, and a clean-up is at work.
    """
    constants = selected(catalogue, wanted)
    came = bring(store, remote, catalogue, wanted, progress)
    remember(store, wanted)
    removed = 0 if store.bare else place_files(store, catalogue, constants, whole=False)
    freed = free(store.folder, payloads(catalogue, wanted)) if dropping else 0
    return Squeezed(len(constants), sum(one.objects for one in came), sum(one.size for one in came), removed, freed)


def changed_selection(before: Selection, add: Selection, drop: tuple[str, ...]) -> Selection:
    """Return a selection with more or fewer detectors and ctypes, and another time where one is given.

    Parameters
    ----------
    before : Selection
        What was wanted.
    add : Selection
        What comes to it.
    drop : tuple of str
        Detectors and ctypes that are not wanted any more, as they were given.

    Returns
    -------
    Selection
        What is wanted from now on.

    Raises
    ------
    InvalidOptionError
        If something that is dropped is not in the selection, or nothing is left that names a detector.
    """
    kept = before.detectors + before.ctypes
    for name in drop:
        if name not in kept:
            raise InvalidOptionError("--drop", name, f"this clone holds {', '.join(kept) or 'everything'}")
    detectors = tuple(name for name in dict.fromkeys(before.detectors + add.detectors) if name not in drop)
    if before.detectors and not detectors:
        raise InvalidOptionError("--drop", " ".join(drop), "no detector would be left; add another one first")
    return Selection(
        experiment=add.experiment or before.experiment,
        detectors=detectors,
        ctypes=tuple(name for name in dict.fromkeys(before.ctypes + add.ctypes) if name not in drop),
        since=before.since if add.since is None else add.since,
        until=before.until if add.until is None else add.until,
        depth=before.depth if add.depth is None else add.depth,
    )
