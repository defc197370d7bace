"""The data of a constant out of the store: in a new array, in one of the caller, or mapped from the worktree."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from calibvcs.errors import DamagedObjectError, InvalidDataError, InvalidOptionError, NotHereError
from calibvcs.formats import npy
from calibvcs.model.layout import ARRAY_FILE

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from calibvcs.formats.npy import Header
    from calibvcs.ops.payload import Value
    from calibvcs.store.protocol import ReadableStore

_USUAL_HEAD = 256


def prepare(
    store: ReadableStore,
    file: str,
    blob: str,
    source: str,
    *,
    path: str | None = None,
    out: NDArray[Any] | None = None,
) -> Callable[[], Value]:
    """Look at the form of stored data, and return the function that reads them.

    Parameters
    ----------
    store : ReadableStore
        Where they are.
    file : str
        Name of their file, which tells array from text.
    blob : str
        Their id.
    source : str
        What they are called in errors.
    path : str, optional
        Path of their file in the worktree, which is mapped where it is sure to hold them. Default is to read them.
    out : ndarray, optional
        Array to read them into, in C order, writable, of exactly their dtype and shape. Default is a new one.

    Returns
    -------
    callable
        Reads them and returns `out`, a read-only array, or a text; to be called once, by any thread. It raises
        `DamagedObjectError` if they are missing or damaged, and then `out` holds anything; and `InvalidDataError` for
        a text that is not UTF-8.

    Raises
    ------
    InvalidOptionError
        If `out` does not fit; nothing was written into it.
    InvalidDataError
        If the bytes are not what the name of the file promises.
    DamagedObjectError
        If they are missing, or damaged at their begin.
    """
    if file != ARRAY_FILE:
        if out is not None:
            reason = f"{source} is text, which no array can hold"
            raise InvalidOptionError("out", _form(out), reason, "leave out away; .data is the text")
        return partial(_text, store, blob, source)
    header, size = array_header(store, blob, source)
    if out is None:
        return partial(_array, store, blob, header, size, source, path)
    _check_fit(out, header, source)
    return partial(_fill, store, blob, header, source, out)


def array_header(store: ReadableStore, blob: str, source: str) -> tuple[Header, int]:
    """Return what the header of a stored array says, and the size of its file in bytes. Raises as `prepare`."""
    try:
        head, size = store.blob_head(blob, _USUAL_HEAD)
        if not npy.holds_header(head):
            head, size = store.blob_head(blob, npy.HEAD_SIZE)
    except (DamagedObjectError, NotHereError) as error:
        raise named(error, source) from error
    return npy.read_header(head, size, source), size


def load(store: ReadableStore, file: str, blob: str, source: str) -> Value:
    """Return stored data: a read-only array or a text. Parameters and errors are those of `prepare`."""
    return prepare(store, file, blob, source)()


def _text(store: ReadableStore, blob: str, source: str) -> str:
    try:
        return store.blob(blob).decode()
    except (DamagedObjectError, NotHereError) as error:
        raise named(error, source) from error
    except UnicodeDecodeError as error:
        raise InvalidDataError(source, f"it is not UTF-8 text ({error.reason})", "calibvcs verify lists all") from None


def _array(store: ReadableStore, blob: str, header: Header, size: int, source: str, path: str | None) -> NDArray[Any]:
    mapped = store.clean_file(path, blob, size) if path else None
    if mapped is not None:
        return npy.decode(mapped, source)
    array = np.empty(header.shape, np.dtype(header.dtype).newbyteorder("<"))
    _read(store, blob, header, source, array)
    array.flags.writeable = False
    return array.view()  # nobody can make a view writable again whose owner is not


def _fill(store: ReadableStore, blob: str, header: Header, source: str, out: NDArray[Any]) -> NDArray[Any]:
    try:
        _read(store, blob, header, source, out)
    except DamagedObjectError as error:
        reason = f"{error.reason}; what out holds now is undefined"
        raise DamagedObjectError(error.object_id, reason, error.path) from error
    return out


def _read(store: ReadableStore, blob: str, header: Header, source: str, array: NDArray[Any]) -> None:
    try:
        store.blob_into(blob, header.data_offset, np.asarray(array).reshape(-1).view(np.uint8).data)
    except (DamagedObjectError, NotHereError) as error:
        raise named(error, source) from error


def _check_fit(out: object, header: Header, source: str) -> None:
    dtype = np.dtype(header.dtype).newbyteorder("<")
    fits = isinstance(out, np.ndarray) and not isinstance(out, np.ma.MaskedArray)
    fits = fits and out.dtype == dtype and out.shape == header.shape  # type: ignore[attr-defined]
    if not fits or not out.flags.c_contiguous or not out.flags.writeable:  # type: ignore[attr-defined]
        needed = f"needed for {source} is {dtype.name} {header.shape}, in C order and writable"
        raise InvalidOptionError("out", _form(out), needed, f"numpy.empty({header.shape}, {dtype.name!r})")


def _form(out: object) -> str:
    """Return what was given, as far as it matters."""
    if not isinstance(out, np.ndarray) or isinstance(out, np.ma.MaskedArray):
        return type(out).__name__
    order = "" if out.dtype.isnative else ", foreign byte order"
    order += "" if out.flags.c_contiguous else ", not in C order"
    return f"{out.dtype.name} {out.shape}{order}" + ("" if out.flags.writeable else ", read-only")


def named(error: DamagedObjectError | NotHereError, source: str) -> DamagedObjectError | NotHereError:
    """Return an error that also says what the object holds that is damaged, or not here."""
    if isinstance(error, NotHereError):
        return NotHereError(error.address, error.reason, blob=error.blob, source=source)
    return DamagedObjectError(error.object_id, f"{error.reason} (it holds {source})", error.path)
