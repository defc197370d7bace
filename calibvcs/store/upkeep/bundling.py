"""Making a bundle of a repository, and taking one in: streamed, and all or nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from calibvcs.errors import AlreadyExistsError, DamagedObjectError, DamagedPackError, NotHereError, UnknownRevisionError
from calibvcs.store.durable import TEMPORARY, disk_errors, sync_folder
from calibvcs.store.objects.compression import Chooser
from calibvcs.store.objects.encoding import decode_commit
from calibvcs.store.objects.local_objects import LocalObjects
from calibvcs.store.objects.new_file import NewFile
from calibvcs.store.packs.bundle_files import encode_head, open_bundle, read_head
from calibvcs.store.packs.receiving import PackReceiver
from calibvcs.store.packs.scanning import PackScanner
from calibvcs.store.packs.stream import PackStream
from calibvcs.store.remotes.refs import HEADS, TAGS, follow
from calibvcs.store.remotes.remote import has_promises
from calibvcs.store.remotes.settings import RemoteSettings, configure_remote
from calibvcs.store.upkeep.gathering import Gatherer
from calibvcs.store.upkeep.roots import roots_of
from calibvcs.store.upkeep.walking import Walk

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from calibvcs.store.git import GitStore
    from calibvcs.store.packs.bundle_files import BundleHead
    from calibvcs.store.remotes.remote import Notice, RefUpdate

_PIECE = 1 << 20


class Bundled(NamedTuple):
    """A bundle that was made: its refs, how many objects and bytes are in it."""

    refs: dict[str, str]
    objects: int
    size: int


class TakenIn(NamedTuple):
    """A bundle that was taken in: its head, how many objects came, and the refs that moved."""

    head: BundleHead
    objects: int
    changed: tuple[RefUpdate, ...]
    notices: tuple[Notice, ...]


def make_bundle(store: GitStore, target: Path, folders: Iterable[str] | None, payloads: frozenset[str]) -> Bundled:
    """Write branches and tags, and all that they refer to, into one file.

    Parameters
    ----------
    store : GitStore
        The repository.
    target : Path
        The file; it must not exist.
    folders : iterable of str or None
        Folders whose payloads go with it, at any time in history; None for all payloads of all folders.
    payloads : frozenset of str
        Names of the files that are payloads. All other files always go with it.

    Returns
    -------
    Bundled
        What is in it.

    Raises
    ------
    AlreadyExistsError
        If there is such a file.
    UnknownRevisionError
        If there is no commit yet.
    DamagedObjectError, NotHereError
        If something that belongs into it is damaged, or was left out of a squeezed clone; no file is left then.
    StorageError, NotWritableError
        If the disk refuses; no file is left then.
    """
    if target.exists():
        raise AlreadyExistsError("file", str(target), "choose another name")
    refs = {ref: one for ref, one in store.refs().items() if ref.startswith((HEADS, TAGS))}
    if not refs:
        raise UnknownRevisionError(store.branch, ())
    shallow = roots_of(store.folder).shallow
    with LocalObjects(store.folder / "objects") as local:
        wanted, kinds, needed = _selected(store, local, refs, shallow, folders, payloads)
        deflates = Chooser(store.folder / "config")
        with disk_errors(target), NewFile(target.absolute().parent, prefix=TEMPORARY, mode=0o666) as file:
            file.write([encode_head(refs, store.branch, needed, partial=folders is not None)])
            stream = PackStream(file, deflates)
            gatherer = Gatherer(stream, local.all_copies, deflates)
            gatherer.take(wanted, kinds)
            for lost in wanted.keys() - stream.places.keys():
                if lost not in gatherer.damaged and has_promises(store.folder):
                    raise NotHereError(store.location, "it was left out of this clone", blob=lost, source=wanted[lost])
                raise DamagedObjectError(lost, gatherer.damaged.get(lost, "it is missing"), wanted[lost])
            stream.finish()
            size = file.position
            file.rename(target)
        sync_folder(target.absolute().parent)
    return Bundled(refs, len(wanted), size)


def look_into(path: Path, store: GitStore | None = None) -> tuple[BundleHead, tuple[str, ...], int]:
    """Read a bundle to its end.

    Parameters
    ----------
    path : Path
        The file.
    store : GitStore, optional
        Where it is to be taken in.

    Returns
    -------
    tuple
        Its head, what the store would lack, and how many objects it holds.

    Raises
    ------
    MissingFileError, DamagedPackError
        If it cannot be read, or is damaged.
    """
    with open_bundle(path) as file:
        head = read_head(file, path)
        scanner = PackScanner(lambda _kind, _content: None)
        try:
            while data := file.read(_PIECE):
                scanner.feed(data)
            scanner.finish()
        except ValueError as error:
            raise DamagedPackError(str(path), str(error)) from None
    return head, _lacking(head, store) if store else (), scanner.count


def take_in(store: GitStore, path: Path, name: str) -> TakenIn:
    """Take a bundle in: its objects, then ``refs/remotes/NAME/*`` and the tags that are new.

    In a repository without any ref, the branch is made to stand where that of the bundle stands, and where the bundle
    leaves payloads out, they count as promised by it.

    Parameters
    ----------
    store : GitStore
        Where it goes.
    path : Path
        The file.
    name : str
        Under which name its branches are kept.

    Returns
    -------
    TakenIn
        What came.

    Raises
    ------
    MissingFileError, DamagedPackError
        If it cannot be read, is damaged, or needs what is not here; no ref was moved then.
    StorageError, NotWritableError
        If the disk refuses.
    """
    fresh = not store.refs()
    with open_bundle(path) as file:
        head = read_head(file, path)
        lacking = _lacking(head, store)
        if lacking:
            raise DamagedPackError(str(path), f"it continues a history that is not here: {', '.join(lacking[:3])}")
        promised = head.partial and (fresh or has_promises(store.folder))

        def read(wanted: str) -> tuple[str, bytes] | None:
            return store.read_object(wanted) if store.kind(wanted) else None

        def present(wanted: str) -> bool:
            return store.kind(wanted) is not None

        with PackReceiver(store.folder / "objects", str(path), read, present, promised=promised) as receiver:
            while data := file.read(_PIECE):
                receiver.write(data)
            done = receiver.finish()
    gone = [ref for ref, target in head.refs.items() if not present(target)]
    if gone:
        raise DamagedPackError(str(path), f"it does not hold what {gone[0]} stands on")
    branch = head.head or store.branch
    if fresh:
        remote = RemoteSettings(name, str(path.absolute()), squeezed=promised)
        configure_remote(store.folder, remote, branch)
    changed, notices = follow(store, name, head.refs)
    target = head.refs.get(f"{HEADS}{branch}")
    if fresh and target is not None:
        store.set_ref(f"{HEADS}{branch}", None, target)
    return TakenIn(head, done.objects, changed, notices)


def _selected(
    store: GitStore,
    local: LocalObjects,
    refs: dict[str, str],
    shallow: frozenset[str],
    folders: Iterable[str] | None,
    payloads: frozenset[str],
) -> tuple[dict[str, str], dict[str, str], tuple[str, ...]]:
    """Return what goes into a bundle, the kinds of what is no blob, and the commits that it continues."""
    others: set[str] = set()

    def note(path: str, blob: str) -> None:
        if path.rpartition("/")[2] not in payloads:
            others.add(blob)

    walk = Walk(local.reader, shallow, note)
    walk.add((target, ref) for ref, target in refs.items())
    commits = [one for one, kind in walk.kinds.items() if kind == "commit"]
    needed = [parent for one in commits if one in shallow for parent in store.commit(one).parents]
    if folders is None:
        return walk.found, walk.kinds, tuple(needed)
    chosen = Walk(local.reader)
    trees = {decode_commit(local.reader.read(one)[1], one).tree for one in commits}
    for folder in folders:
        chosen.add((found, folder) for found in _below(store, trees, folder.split("/")))
    wanted = {
        one: path for one, path in walk.found.items() if one in walk.kinds or one in others or one in chosen.found
    }
    return wanted, walk.kinds, tuple(needed)


def _below(store: GitStore, trees: set[str], parts: list[str]) -> set[str]:
    """Return the trees that stand at a path in others."""
    for part in parts:
        entries = (store.tree(tree).get(part) for tree in trees)
        trees = {entry.id for entry in entries if entry is not None and entry.is_tree}
    return trees


def _lacking(head: BundleHead, store: GitStore) -> tuple[str, ...]:
    return tuple(one for one in head.needed if store.kind(one) is None)
