"""The data of a constant on their way into the store: from a user's file, an array or text in memory to a blob."""

from __future__ import annotations

import hashlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeAlias

import numpy as np

from calibvcs.errors import InvalidDataError, MissingFileError
from calibvcs.formats import geometry_text, npy, text_array
from calibvcs.model.constant_types import KNOWN, constant_type
from calibvcs.model.layout import ARRAY_FILE, GEOMETRY_CTYPES, payload_file
from calibvcs.model.metadata import InputFile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

STANDARD_INPUT = "-"
SIZE_LIMIT = 2 << 30
_MAPPED = 1 << 20  # the system maps only some ten thousand files, which a manifest may have
_NPY_MAGIC = b"\x93NUMPY"

Value: TypeAlias = "NDArray[Any] | str"


@dataclass(frozen=True, slots=True)
class Payload:
    """Data that are fit to be stored.

    Attributes
    ----------
    file : str
        Name of the file in the folder of the constant.
    array : ndarray or None
        The array, C order and little endian; None for text.
    buffers : sequence of bytes or memoryview
        The content of the file.
    """

    file: str
    array: NDArray[Any] | None
    buffers: Sequence[bytes | memoryview]

    @property
    def dtype(self) -> str:
        """Dtype as `Metadata` has it."""
        return "text" if self.array is None else self.array.dtype.name

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape as `Metadata` has it."""
        return () if self.array is None else self.array.shape

    @property
    def text(self) -> str:
        """The text; empty for an array."""
        return "" if self.array is not None else bytes(self.buffers[0]).decode()


def from_array(array: NDArray[Any]) -> Payload:
    """Take an array; it is brought into C order and little endian where it is not.

    Raises
    ------
    InvalidDataError
        If the dtype is not plain, or the array is empty.
    """
    header, values = npy.encode(array)
    # What is looked at is what is written; and an array that had to be brought into order is in memory once.
    kept = np.frombuffer(values, array.dtype.newbyteorder("<")).reshape(array.shape)
    return Payload(ARRAY_FILE, kept, (header, values))


def from_text(text: bytes, ctype: str, source: str) -> Payload:
    """Take text, byte for byte; a geometry has to be one.

    Raises
    ------
    InvalidDataError
        If it is not UTF-8, or not the geometry that the ctype asks for.
    """
    if ctype in GEOMETRY_CTYPES:
        geometry_text.decode(text, source)
    try:
        text.decode()
    except UnicodeDecodeError as error:
        raise InvalidDataError(source, f"it is not UTF-8 text ({error.reason})", "give UTF-8 text or .npy") from None
    if not text.strip() or b"\0" in text:
        raise InvalidDataError(source, "it is empty, or holds zero bytes", "give UTF-8 text or .npy")
    return Payload(payload_file(ctype, text=True), None, (text,))


def from_file(path: str, ctype: str) -> Payload:
    """Read a file: ``.npy`` by its first bytes; text as geometry or n-d array, as the ctype asks; ``-`` is stdin.

    Raises
    ------
    MissingFileError
        If it cannot be read.
    InvalidDataError
        If it is not what the ctype asks for.
    """
    if path == STANDARD_INPUT:
        return _from_stream(sys.stdin.buffer, ctype, "standard input")
    try:
        with Path(path).open("rb") as file:
            if not file.seekable():
                return _from_stream(file, ctype, path)
            begin = file.read(len(_NPY_MAGIC))
            if begin != _NPY_MAGIC:
                file.seek(0)
                return _from_stream(file, ctype, path)
            if os.fstat(file.fileno()).st_size > _MAPPED:
                return from_array(npy.read_file(path))
            return from_array(npy.decode(begin + file.read(), path))
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the path
        raise MissingFileError(path, getattr(error, "strerror", None) or str(error)) from None


def from_npy(path: str) -> Payload:
    """Read a file that has to be ``.npy``.

    Raises
    ------
    MissingFileError
        If it cannot be read.
    InvalidDataError
        If it is not, or holds what is not stored.
    """
    try:
        if Path(path).stat().st_size > _MAPPED:
            return from_array(npy.read_file(path))
        return from_array(npy.decode(Path(path).read_bytes(), path))
    except OSError as error:
        raise MissingFileError(path, error.strerror or str(error)) from None


def _from_stream(stream: BinaryIO, ctype: str, source: str) -> Payload:
    data = stream.read(SIZE_LIMIT + 1)
    if len(data) > SIZE_LIMIT:
        raise InvalidDataError(
            source, f"it has more than {SIZE_LIMIT} bytes", "give it as a .npy file, which is mapped"
        )
    return _from_bytes(data, ctype, source)


def _from_bytes(data: bytes, ctype: str, source: str) -> Payload:
    if data.startswith(_NPY_MAGIC):
        return from_array(npy.decode(data, source))
    spec = constant_type(ctype)
    if spec.kind == "text" or geometry_text.looks_like_geometry(data[:65536].decode(errors="replace")):
        return from_text(data, ctype, source)
    if not data.strip():
        raise InvalidDataError(source, "it is empty", "give a .npy file or a text array")
    try:
        text = data.decode()
    except UnicodeDecodeError:
        reason = f"it begins with {data[:6]!r}: neither .npy nor UTF-8 text"
        raise InvalidDataError(source, reason, "numpy.save(path, array) writes what is read here") from None
    try:
        array = text_array.decode(text, source, spec.dtypes[0] if spec.dtypes else "float32")
    except InvalidDataError:
        if ctype in KNOWN:
            raise
        return from_text(data, ctype, source)  # a ctype of which nothing is known may as well be text
    one_row = not spec.per_pixel and array.ndim == 2 and 1 in array.shape
    return from_array(array.reshape(-1) if one_row else array)


def input_file(path: str) -> InputFile:
    """Return size and SHA-256 of a file that data were made from.

    Raises
    ------
    MissingFileError
        If it cannot be read.
    """
    try:
        with Path(path).open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            return InputFile(path, file.tell(), digest)
    except OSError as error:
        raise MissingFileError(path, error.strerror or str(error)) from None


def content(path: str, limit: int) -> bytes:
    """Return what a small file holds, and one byte more than a limit of a larger one.

    Raises
    ------
    MissingFileError
        If it cannot be read.
    """
    try:
        with Path(path).open("rb") as file:
            return file.read(limit + 1)
    except OSError as error:
        raise MissingFileError(path, error.strerror or str(error)) from None


def peek(path: str) -> str:
    """Return the begin of a file as text, to tell its kind.

    Raises
    ------
    MissingFileError
        If it cannot be read.
    """
    try:
        with Path(path).open("rb") as file:
            return file.read(1 << 16).decode(errors="replace")
    except OSError as error:
        raise MissingFileError(path, error.strerror or str(error)) from None
