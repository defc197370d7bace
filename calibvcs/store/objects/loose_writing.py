"""Loose object files, written durably: a large one at the speed of the disk, small ones of one change together."""

from __future__ import annotations

import os
from contextlib import ExitStack, suppress
from itertools import islice
from typing import TYPE_CHECKING

from calibvcs.store.durable import disk_errors, sync_folder
from calibvcs.store.objects.beside import Beside
from calibvcs.store.objects.deflating import deflate, shrinks, store, stored_size
from calibvcs.store.objects.encoding import object_id
from calibvcs.store.objects.new_file import NewFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from calibvcs.store.protocol import Buffers

LARGE = 1 << 20
"""From this size on, in bytes, an object is hashed by one thread while another one writes it."""

_ATTEMPTS = 10
_AT_ONCE = 64
_PREFIX = "tmp_obj_"


def write(
    objects: Path,
    contents: Iterable[tuple[str, Buffers]],
    present: Callable[[str], bool],
    deflates: Callable[[Sequence[memoryview]], bool] = shrinks,
) -> list[str]:
    """Write objects; when this returns, their contents and names are on disk.

    Parameters
    ----------
    objects : Path
        The ``objects`` folder of a repository.
    contents : iterable of str and buffers
        Of every object its kind (blob, tree, commit or tag) and its content, in pieces.
    present : callable
        Tells whether the repository has an object of an id in another form, so that it need not be written.
    deflates : callable, optional
        Tells whether an object is deflated, by its bytes in pieces; the others are stored.

    Returns
    -------
    list of str
        Ids of the objects.

    Raises
    ------
    StorageError, NotWritableError
        If the disk is full, fails or is read-only; no part of an object is left behind.
    """
    made: list[str] = []
    waiting: list[tuple[str, list[memoryview]]] = []
    for kind, buffers in contents:
        views = [memoryview(buffer).cast("B") for buffer in buffers]
        if sum(map(len, views)) >= LARGE:
            made += _write_small(objects, waiting, present, deflates)
            made.append(_write_large(objects, kind, views, present, deflates))
            waiting = []
        else:
            waiting.append((kind, views))
    return made + _write_small(objects, waiting, present, deflates)


def path_of(objects: Path, wanted: str) -> Path:
    """Return where an object stands if it is loose."""
    return objects / wanted[:2] / wanted[2:]


def touched(path: Path) -> bool:
    """Tell whether an object is there, and keep it young: a clean-up that runs beside us spares what is young."""
    try:
        os.utime(path)
    except OSError:  # it is not there, or is somebody else's: then it is written (again), as with git
        return False
    return True


def _write_small(
    objects: Path,
    contents: Sequence[tuple[str, list[memoryview]]],
    present: Callable[[str], bool],
    deflates: Callable[[Sequence[memoryview]], bool],
) -> list[str]:
    """Write objects that share what syncing costs."""
    made = {number: object_id(*content) for number, content in enumerate(contents)}
    numbers = {new_id: number for number, new_id in made.items()}
    new = (item for item in numbers.items() if not (touched(path_of(objects, item[0])) or present(item[0])))
    while group := list(islice(new, _AT_ONCE)):
        needed = sum(len(view) for _, number in group for view in contents[number][1])
        with disk_errors(objects, needed), ExitStack() as stack:
            files: dict[str, NewFile] = {}
            for new_id, number in group:
                files[new_id] = stack.enter_context(NewFile(objects, prefix=_PREFIX, mode=0o444))
                _fill(files[new_id], *contents[number], deflates)
            for file in files.values():
                file.sync()
            _name(objects, files)
    return list(made.values())


def _write_large(
    objects: Path,
    kind: str,
    views: list[memoryview],
    present: Callable[[str], bool],
    deflates: Callable[[Sequence[memoryview]], bool],
) -> str:
    with disk_errors(objects, sum(map(len, views))), NewFile(objects, prefix=_PREFIX, mode=0o444) as file:

        def fill() -> None:
            _fill(file, kind, views, deflates)
            file.sync()

        with Beside(fill) as writing:
            new_id = object_id(kind, views)
            writing.result()
        if not (touched(path_of(objects, new_id)) or present(new_id)):
            _name(objects, {new_id: file})
    return new_id


def _fill(file: NewFile, kind: str, views: list[memoryview], deflates: Callable[[Sequence[memoryview]], bool]) -> None:
    size = sum(map(len, views))
    parts = [memoryview(f"{kind} {size}\0".encode()), *views]
    if deflates(views):
        deflate(file.write, parts)
        return
    if size >= LARGE:
        file.reserve(stored_size(parts))
    store(file.write, parts)


def _name(objects: Path, files: dict[str, NewFile]) -> None:
    folders: set[Path] = set()
    new_folders = False
    for new_id, file in files.items():
        path = path_of(objects, new_id)
        for attempt in range(_ATTEMPTS):
            try:
                file.rename(path)
                break
            except FileNotFoundError:  # there is no such folder yet, or whoever packs beside us took it away
                if attempt == _ATTEMPTS - 1:
                    raise
                with suppress(FileExistsError):
                    path.parent.mkdir()
                new_folders = True
        folders.add(path.parent)
    for folder in sorted(folders):
        with suppress(FileNotFoundError):  # taken away with its objects, which are in a pack by now
            sync_folder(folder)
    if new_folders:
        sync_folder(objects)
