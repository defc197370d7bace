"""Which datasets of a file from anywhere are read: nothing outside it, no foreign filter, no more than it stores."""

from __future__ import annotations

import math

import h5py  # type: ignore[import-untyped]
import numpy as np

from calibvcs.formats.dcs.dcs_hdf5 import TEXT_LIMIT

_MOST_AXES = 32
# Deflate makes a thousand bytes of one at most; what declares more than it can hold would only fill the memory.
_MOST_GROWTH, _ALWAYS_FINE = 1100, 1 << 20
_FILTERS = {1, 2, 3, 4, 5, 6, 32000}  # deflate, shuffle, fletcher32, szip, nbit, scaleoffset, lzf
_PLAIN = frozenset(
    np.dtype(kind).name
    for kind in ("b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "c8", "c16")
)


def unreadable(dataset: h5py.Dataset, most: int | None = None) -> str:
    """Tell why a dataset is not read: what it is, where its bytes are, or how many it declares; "" where it is."""
    if dataset.shape is None or dataset.size == 0:
        return "it is empty"
    layout = dataset.id.get_create_plist()
    if layout.get_external_count() or dataset.is_virtual:
        return "its values are in another file, which is not opened"
    if any(layout.get_filter(i)[0] not in _FILTERS for i in range(layout.get_nfilters())):
        return "it is compressed by a filter that does not come with HDF5"
    limit = TEXT_LIMIT if most is None else most
    if is_text(dataset):
        info = h5py.check_string_dtype(dataset.dtype)
        if dataset.size != 1:
            return f"it has {dataset.size} texts; one is expected"
        if info is not None and (info.length or 0) > limit:
            return f"a text of {info.length} bytes; at most {limit} are read"
        return ""
    if dataset.dtype.name not in _PLAIN or dataset.dtype.hasobject:
        return f"its dtype is {dataset.dtype}; allowed are numbers and text"
    if len(dataset.shape) > _MOST_AXES:
        return f"it has {len(dataset.shape)} axes; at most {_MOST_AXES} are read"
    declared, stored = math.prod(dataset.shape) * dataset.dtype.itemsize, dataset.id.get_storage_size()
    compressed = layout.get_nfilters() > 0
    if declared > max(_ALWAYS_FINE, stored * (_MOST_GROWTH if compressed else 1)):
        return f"shape {dataset.shape} takes {declared} bytes, and the file stores {stored}"
    return ""


def is_text(dataset: h5py.Dataset) -> bool:
    """Tell whether a dataset holds text, of fixed or of variable length."""
    return h5py.check_string_dtype(dataset.dtype) is not None


def text_bytes(dataset: h5py.Dataset) -> bytes:
    """Return the one text of a dataset.

    Raises
    ------
    ValueError
        If it is too long.
    """
    value = np.asarray(dataset[()], dtype=object).reshape(-1)[0]
    text = value.encode(errors="surrogateescape") if isinstance(value, str) else bytes(value)
    if len(text) > TEXT_LIMIT:
        raise ValueError("the text is too long")
    return text
