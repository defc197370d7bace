"""The data of a calib directory: a text n-d array, a geometry or other text, as a file of it becomes a payload."""

from __future__ import annotations

import hashlib
import os
import stat
from typing import TYPE_CHECKING, Final

from calibvcs.errors import InvalidDataError, MissingFileError
from calibvcs.formats import text_array
from calibvcs.model.constant_types import KNOWN, constant_type
from calibvcs.model.metadata import InputFile
from calibvcs.ops import payload

if TYPE_CHECKING:
    from pathlib import Path

    from calibvcs.ops.payload import Payload

_LARGEST_FILE: Final = 1024 * 1024 * 1024

# What LCLS-I takes where a file has no header; float32 is meant elsewhere.
_USUAL_DTYPES: Final = {
    "pixel_status": "uint16", "pixel_datast": "uint16", "status_data": "uint16", "status_extra": "uint64",
    "pixel_mask": "uint8", "users_mask": "uint8", "pixel_max": "uint64", "pixel_min": "uint64",
    "common_mode": "float64",
}  # fmt: skip


def read(path: Path, ctype: str) -> Payload:
    """Read one file.

    Parameters
    ----------
    path : Path
        The file, at most 1 GiB.
    ctype : str
        Calibration type. A geometry is kept byte for byte; anything else is a text n-d array; of a ctype of which
        nothing is known, it may be other text.

    Returns
    -------
    Payload
        The data, in the dtype and shape of the header. Without one they are a table of the dtype that LCLS-I has for
        the ctype, a single line of what is not per pixel a list.

    Raises
    ------
    MissingFileError
        If it cannot be read.
    InvalidDataError
        If it is not what the ctype asks for.
    """
    data = _content(path)
    spec = constant_type(ctype)
    if spec.kind == "text":
        return payload.from_text(data, ctype, str(path))
    try:
        text = data.decode()
    except UnicodeDecodeError:
        reason = f"it begins with {data[:6]!r}: in a calib directory, data are text"
        raise InvalidDataError(str(path), reason, "take it out; calibvcs add takes a .npy file") from None
    try:
        array = text_array.decode(text, str(path), _USUAL_DTYPES.get(ctype, "float32"))
    except InvalidDataError:
        if ctype in KNOWN:
            raise
        return payload.from_text(data, ctype, str(path))
    one_row = not spec.per_pixel and array.ndim == 2 and 1 in array.shape
    return payload.from_array(array.reshape(-1) if one_row else array)


def input_file(path: Path, name: str) -> InputFile:
    """Return size and SHA-256 of a file, by the name that it is recorded under.

    Raises
    ------
    MissingFileError
        If it cannot be read.
    """
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            return InputFile(name, file.tell(), digest)
    except OSError as error:
        raise MissingFileError(str(path), error.strerror or str(error)) from None


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise InvalidDataError(str(path), "it is no plain file", "take it out of the directory")
            data = file.read(_LARGEST_FILE + 1)
    except OSError as error:
        raise MissingFileError(str(path), error.strerror or str(error)) from None
    if len(data) > _LARGEST_FILE:
        reason = f"more than {_LARGEST_FILE} bytes"
        raise InvalidDataError(str(path), reason, "calibvcs add takes a .npy file of any size")
    return data
