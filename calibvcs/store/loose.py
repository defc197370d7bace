"""Loose object files: written durably, read with every length checked."""

from __future__ import annotations

import hashlib
import os
import re
from contextlib import suppress
from typing import TYPE_CHECKING

from zlib_ng import zlib_ng as zlib

from calibvcs.errors import DamagedObjectError
from calibvcs.store.durable import disk_errors, make_folders, sync_folder, write_temporary

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from calibvcs.store.protocol import Buffers

InflateError: type[Exception] = zlib.error  # type: ignore[assignment]  # its stub has an instance

_CHUNK = 1 << 20
_SAMPLE = 1 << 16
_HEADER = re.compile(rb"(blob|tree|commit|tag) (0|[1-9][0-9]{0,15})\0")
_HEADER_LIMIT = 32
_STORED, _DEFLATED = 0, 6


def path_of(objects: Path, wanted: str) -> Path:
    """Return where an object stands if it is loose."""
    return objects / wanted[:2] / wanted[2:]


def write(objects: Path, kind: str, new_id: str, buffers: Buffers) -> str:
    """Write an object; when this returns, content and name are on disk.

    Arrays of measured values hardly shrink, so that deflating them only costs time: they are stored.

    Parameters
    ----------
    objects : Path
        The ``objects`` folder of a repository.
    kind : str
        blob, tree, commit or tag.
    new_id : str
        Its id.
    buffers : sequence of bytes or memoryview
        The content, in pieces.

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
    path = path_of(objects, new_id)
    size = sum(len(view) for view in views)
    with disk_errors(path, size):
        if path.exists():
            os.utime(path)  # a clean-up that runs beside us keeps what was touched lately, as with git
            return new_id
        make_folders(path.parent)
        header = memoryview(f"{kind} {size}\0".encode())
        temporary = write_temporary(objects, _deflated([header, *views]), mode=0o444, prefix="tmp_obj_")
        try:
            temporary.replace(path)
        except BaseException:
            with suppress(FileNotFoundError):
                temporary.unlink()
            raise
        sync_folder(path.parent)
    return new_id


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
    if hashlib.sha1(inflated, usedforsecurity=False).hexdigest() != wanted:
        raise DamagedObjectError(wanted, "its content does not have this hash")
    return kind, inflated[start:]


def read_head(objects: Path, wanted: str, length: int) -> tuple[str, bytes, int] | None:
    """Return kind, first bytes and whole size of a loose object; None where it is not loose.

    Raises
    ------
    DamagedObjectError
        If its first bytes cannot be read, or it lies about its size.
    """
    packed = _file(objects, wanted, 2 * length + 4096)
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
        match = _HEADER.match(zlib.decompressobj().decompress(packed[:4096], _HEADER_LIMIT))
    except InflateError as error:
        raise DamagedObjectError(wanted, f"the file cannot be inflated: {error}") from None
    if not match:
        raise DamagedObjectError(wanted, "the file does not begin like a Git object")
    return match[1].decode(), int(match[2]), match.end()


def _deflated(views: list[memoryview]) -> Iterator[bytes]:
    longest = max(views, key=len)
    middle = len(longest) // 2
    sample = longest[middle : middle + _SAMPLE]
    shrinks = len(sample) < _SAMPLE or 2 * len(zlib.compress(sample, 1)) < len(sample)
    deflater = zlib.compressobj(_DEFLATED if shrinks else _STORED)
    for view in views:
        for begin in range(0, len(view), _CHUNK):
            yield deflater.compress(view[begin : begin + _CHUNK])
    yield deflater.flush()
