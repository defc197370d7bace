"""Loose object files: written durably, read with every length checked."""

from __future__ import annotations

import hashlib
import os
import re
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from zlib_ng import zlib_ng as zlib

from calibvcs.errors import DamagedObjectError
from calibvcs.store.durable import disk_errors, make_folders, sync_folder, write_temporary
from calibvcs.store.objects import object_id
from calibvcs.store.streams import InflateError, inflate_into, write_stored

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from calibvcs.store.protocol import Buffers

_ATTEMPTS = 10
_CHUNK = 1 << 20
_SAMPLE = 1 << 16
_HEADER = re.compile(rb"(blob|tree|commit|tag) (0|[1-9][0-9]{0,15})\0")
_HEADER_LIMIT = 32
_HEAD = 4096
_LARGE = 1 << 20
_LEVEL = 6
_PREFIX = "tmp_obj_"


def path_of(objects: Path, wanted: str) -> Path:
    """Return where an object stands if it is loose."""
    return objects / wanted[:2] / wanted[2:]


def write(objects: Path, kind: str, buffers: Buffers, present: Callable[[str], bool]) -> str:
    """Write an object; when this returns, content and name are on disk.

    A large one is written by one thread and hashed by another at the same time, both of which work outside the
    interpreter's lock.

    Parameters
    ----------
    objects : Path
        The ``objects`` folder of a repository.
    kind : str
        blob, tree, commit or tag.
    buffers : sequence of bytes or memoryview
        The content, in pieces.
    present : callable
        Tells whether the repository has an object of an id in another form, so that it need not be written.

    Returns
    -------
    str
        Id of the object.

    Raises
    ------
    StorageError, NotWritableError
        If the disk is full, fails or is read-only; no part of the object is left behind.
    """
    views = [memoryview(buffer).cast("B") for buffer in buffers]
    size = sum(map(len, views))
    parts = [memoryview(f"{kind} {size}\0".encode()), *views]
    content = _content(parts)
    with disk_errors(objects, size):
        if size < _LARGE:
            new_id = object_id(kind, views)
            if _touched(path_of(objects, new_id)) or present(new_id):
                return new_id
            temporary = write_temporary(objects, content, mode=0o444, prefix=_PREFIX)
        else:
            from concurrent.futures import ThreadPoolExecutor  # verbs that write no array need not pay for it

            with ThreadPoolExecutor(max_workers=1) as other:
                writing = other.submit(write_temporary, objects, content, mode=0o444, prefix=_PREFIX)
                new_id = object_id(kind, views)
                temporary = writing.result()
        try:
            if _touched(path_of(objects, new_id)) or present(new_id):
                temporary.unlink()
            else:
                _name(temporary, path_of(objects, new_id))
        except BaseException:
            with suppress(FileNotFoundError):
                temporary.unlink()
            raise
    return new_id


def _content(parts: list[memoryview]) -> Iterator[bytes] | Callable[[int], None]:
    """Choose the form of a stream: what hardly shrinks, as measured values do, is stored."""
    longest = max(parts, key=len)
    middle = len(longest) // 2
    sample = longest[middle : middle + _SAMPLE]
    if len(sample) < _SAMPLE or 2 * len(zlib.compress(sample, 1)) < len(sample):
        return _deflated(parts)
    return partial(write_stored, parts=parts)


def _deflated(parts: list[memoryview]) -> Iterator[bytes]:
    deflater = zlib.compressobj(_LEVEL)
    for part in parts:
        for begin in range(0, len(part), _CHUNK):
            yield deflater.compress(part[begin : begin + _CHUNK])
    yield deflater.flush()


def _touched(path: Path) -> bool:
    """Tell whether an object is there, and keep it young: a clean-up that runs beside us spares what is young."""
    try:
        os.utime(path)
    except OSError:  # it is not there, or is somebody else's: then it is written (again), as with git
        return False
    return True


def _name(temporary: Path, path: Path) -> None:
    for _ in range(_ATTEMPTS):
        make_folders(path.parent)
        with suppress(FileNotFoundError):  # whoever packs beside us takes empty folders away
            temporary.replace(path)
            break
    else:
        temporary.replace(path)
    with suppress(FileNotFoundError):  # ... and, with its folder, an object that is in a pack by now
        sync_folder(path.parent)


def read(objects: Path, wanted: str) -> tuple[str, bytes] | None:
    """Return kind and content of a loose object, its hash checked; None where it is not loose.

    Raises
    ------
    DamagedObjectError
        If the file is cut short, lies about its size or does not have the hash of its name.
    """
    packed = _file(objects, wanted)
    if packed is None:
        return None
    kind, size, start = _header(packed, wanted)
    inflater = zlib.decompressobj()
    try:
        inflated = inflater.decompress(packed, start + size + 1)
    except InflateError as error:
        raise DamagedObjectError(wanted, f"the file cannot be inflated: {error}") from None
    if len(inflated) != start + size or not inflater.eof:
        raise DamagedObjectError(wanted, f"it claims {size} bytes and holds {len(inflated) - start} or more")
    check_hash(wanted, b"", memoryview(inflated))
    return kind, inflated[start:]


def read_into(objects: Path, wanted: str, begin: int, out: memoryview, *, check: bool) -> str | None:
    """Read the content of a loose object, from some byte on, straight into memory.

    Parameters
    ----------
    objects : Path
        The ``objects`` folder of a repository.
    wanted : str
        Id of the object.
    begin : int
        First byte that is wanted.
    out : memoryview
        Where it goes, item size 1; exactly as long as what follows `begin`.
    check : bool
        Whether the hash is held against the id.

    Returns
    -------
    str or None
        Kind of the object; None where it is not loose.

    Raises
    ------
    DamagedObjectError
        If the file is damaged, or not of this length.
    """
    packed = _file(objects, wanted, _HEAD)
    if packed is None:
        return None
    kind, size, start = _header(packed, wanted)
    try:
        if size != begin + len(out):
            raise ValueError(f"it claims {size} bytes, expected are {begin + len(out)}")  # noqa: TRY301
        with path_of(objects, wanted).open("rb", buffering=0) as file:
            before = inflate_into(file.fileno(), 0, start + begin, out)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise DamagedObjectError(wanted, f"the file cannot be read: {error}") from None
    if check:
        check_hash(wanted, before, out)
    return kind


def check_hash(wanted: str, before: bytes, out: memoryview) -> None:
    """Hold the bytes of an object, its header first, against its id.

    Raises
    ------
    DamagedObjectError
        If they do not belong together.
    """
    digest = hashlib.sha1(before, usedforsecurity=False)
    digest.update(out)
    if digest.hexdigest() != wanted:
        raise DamagedObjectError(wanted, "its content does not have this hash")


def read_head(objects: Path, wanted: str, length: int) -> tuple[str, bytes, int] | None:
    """Return kind, first bytes and whole size of a loose object; None where it is not loose.

    Raises
    ------
    DamagedObjectError
        If its first bytes cannot be read, or it lies about its size.
    """
    packed = _file(objects, wanted, 2 * length + _HEAD)
    if packed is None:
        return None
    kind, size, start = _header(packed, wanted)
    try:
        inflated = zlib.decompressobj().decompress(packed, start + length)
    except InflateError as error:
        raise DamagedObjectError(wanted, f"the file cannot be inflated: {error}") from None
    head = inflated[start:]
    if len(head) < min(length, size):
        raise DamagedObjectError(wanted, f"it claims {size} bytes and ends after {len(head)}")
    return kind, head, size


def _file(objects: Path, wanted: str, length: int = -1) -> bytes | None:
    path = path_of(objects, wanted)
    try:
        with path.open("rb") as file:
            return file.read(length)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise DamagedObjectError(wanted, f"{path}: {error.strerror}") from None


def _header(packed: bytes, wanted: str) -> tuple[str, int, int]:
    try:
        match = _HEADER.match(zlib.decompressobj().decompress(packed[:_HEAD], _HEADER_LIMIT))
    except InflateError as error:
        raise DamagedObjectError(wanted, f"the file cannot be inflated: {error}") from None
    if not match:
        raise DamagedObjectError(wanted, "the file does not begin like a Git object")
    return match[1].decode(), int(match[2]), match.end()
