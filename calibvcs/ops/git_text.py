"""Files of constants as a short, stable text, so that ``git diff``, ``git log -p`` and ``git blame`` can be read."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from calibvcs.errors import CalibvcsError, InvalidDataError, MissingFileError
from calibvcs.formats import geometry_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

_MAGIC = b"\x93NUMPY"
_HEAD = 1 << 16
_LARGEST_TEXT = 8 << 20
_FEW = 64
_NAMES = {3: ("segment", "row", "column"), 4: ("gain", "segment", "row", "column")}


def git_text(path: str) -> str:
    """Return a file as text; one that cannot be read as what it seems to be is told so in the text.

    Of an array: dtype, shape, the SHA-256 of the file, and a line of statistics for each gain range and segment. Of a
    geometry: its lines with one blank between the fields, and numbers written in one way, so that nothing but what
    moves a panel is a difference. Other text is left as it is.

    Parameters
    ----------
    path : str
        The file; Git gives a temporary one, of which no more than the name is that of the repository.

    Returns
    -------
    str
        Ends with a line feed where it is not empty; equal files give equal texts.

    Raises
    ------
    MissingFileError
        If there is no such file, or it cannot be read.
    """
    try:
        with Path(path).open("rb") as file:
            head = file.read(_HEAD)
            if head.startswith(_MAGIC):
                file.seek(0)
                digest = hashlib.file_digest(file, "sha256").hexdigest()
                return "".join(f"{line}\n" for line in _array(path, digest))
            file.seek(0)
            data = file.read(_LARGEST_TEXT + 1)
    except OSError as error:
        raise MissingFileError(path, error.strerror or str(error)) from None
    if len(data) > _LARGEST_TEXT or b"\0" in data:
        return f"no text, and no array: {Path(path).stat().st_size} bytes\n"
    text = data.decode(errors="replace")
    return _geometry(text) if geometry_text.looks_like_geometry(text) else text


def _array(path: str, digest: str) -> Iterator[str]:
    from calibvcs.formats import npy  # text needs no numpy

    try:
        array = npy.read_file(path)
    except InvalidDataError as error:
        yield f"array that cannot be read: {error.reason}"
        yield f"sha256 {digest}"
        return
    yield f"array {array.dtype.name} {'x'.join(map(str, array.shape))}"
    yield f"sha256 {digest}"
    if array.size <= _FEW:
        yield from (f"[{','.join(map(str, place))}] {value.item()!r}" for place, value in _values(array))
    else:
        yield from _blocks(array)


def _values(array: NDArray[Any]) -> Iterator[tuple[tuple[int, ...], Any]]:
    import numpy as np

    yield from np.ndenumerate(array)


def _blocks(array: NDArray[Any]) -> Iterator[str]:
    """Tell each block in a line. Which axis is which is not in the file: of three axes the first one is the blocks'."""
    from calibvcs.model.array_blocks import blocks
    from calibvcs.model.array_summary import summarise_block

    dims = _NAMES.get(array.ndim, tuple(f"axis{number}" for number in range(array.ndim)))
    for block in blocks(array.shape, dims):
        found = summarise_block(array[block.where], block, "values")
        s = found.statistics
        place = ",".join(str(index) for index in (block.gain, block.segment) if index is not None)
        numbers = f"min {s.min:.6g} median {s.median:.6g} mean {s.mean:.6g} max {s.max:.6g} rms {s.rms:.6g}"
        yield f"[{place}] {numbers} zeros {s.zeros} nonfinite {s.nonfinite} data {found.fingerprint[:12]}"


def _geometry(text: str) -> str:
    try:
        panels = iter(geometry_text.decode(text, "geometry").panels)
    except CalibvcsError:  # it is being edited: as it stands is better than nothing
        return text
    lines = []
    for line in text.removesuffix("\n").split("\n"):
        if not line.strip() or line.lstrip().startswith("#"):
            lines.append(line.strip())
            continue
        panel = next(panels)
        numbers = (format(number.normalize() + 0, "f") for number in panel.numbers)
        lines.append(" ".join([panel.parent, str(panel.parent_index), panel.name, str(panel.index), *numbers]))
    return "\n".join(lines) + "\n"
