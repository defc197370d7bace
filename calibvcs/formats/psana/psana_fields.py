"""Fields of the documents of a psana calibration database, each looked at before it is used.

Names and ids by their grammar, a shape as digits, commas and parentheses, a dtype from a list; nothing is evaluated.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from calibvcs.errors import InvalidDataError
from calibvcs.formats.psana.psana_documents import LAST_RUN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from calibvcs.model.detector import ParameterValue

LARGEST_ARRAY: Final = 2 << 30
LONGEST_FIELD: Final = 4096
ID: Final = re.compile(r"[0-9a-f]{24}")
_RUN: Final = re.compile(r"[0-9]{1,4}")
_SHAPE: Final = re.compile(r"\( *((?:[0-9]{1,10} *, *){0,31}[0-9]{1,10}) *,? *\)")
_DTYPE: Final = re.compile(r"[<>=|]?([biufc])([0-9]{1,2})")
_CODES: Final = frozenset({"b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "c8", "c16"})
_NAMES: Final = {np.dtype(code).name: np.dtype(code).str for code in _CODES}
_DETAILS: Final = (
    "version", "time_sec", "time_stamp", "dtype", "detname", "dettype", "longname", "run_orig", "tstamp_orig",
    "iofname", "cwd", "extpars",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ArrayForm:
    """Dtype (with its order of bytes) and shape that an array is declared to have."""

    dtype: str
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """Number of bytes that the array takes."""
        return math.prod(self.shape) * np.dtype(self.dtype).itemsize


class Fields:
    """Fields of one document, each with its check. They raise InvalidDataError, which names the field and its value.

    Parameters
    ----------
    fields : mapping
        The document as it came.
    database : str
        Where it stands.
    """

    def __init__(self, fields: Mapping[str, object], database: str) -> None:
        self._fields = fields
        identity = fields.get("_id")
        self._source = f"{database}/{identity if isinstance(identity, str) else '?'}"[:100]

    def wrong(self, key: str, allowed: str) -> InvalidDataError:
        """Return the error that tells what a field is, and what it may be."""
        given = repr(self._fields[key])[:80] if key in self._fields else "missing"
        return InvalidDataError(self._source, f"{key} is {given}; allowed is {allowed}")

    def text(self, key: str) -> str:
        """Return text that is needed."""
        value = self._fields.get(key)
        if not isinstance(value, str) or not value:
            raise self.wrong(key, "text")
        return value

    def optional_text(self, key: str, longest: int = LONGEST_FIELD) -> str:
        """Return text that is recorded and never interpreted; what UTF-8 cannot say is replaced."""
        value = self._fields.get(key)
        return value[:longest].encode(errors="replace").decode() if isinstance(value, str) else ""

    def hex(self, key: str) -> str:
        """Return an id: 24 hex digits."""
        value = self._fields.get(key)
        if not isinstance(value, str) or not ID.fullmatch(value):
            raise self.wrong(key, "24 hex digits")
        return value

    def run(self) -> int:
        """Return the first run."""
        value = self._fields.get("run")
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= LAST_RUN:
            raise self.wrong("run", f"a whole number from 0 to {LAST_RUN}")
        return value

    def run_end(self) -> int | None:
        """Return the last run, None where it is open."""
        value = self._fields.get("run_end")
        if value == "end":
            return None
        if isinstance(value, str) and _RUN.fullmatch(value):
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= LAST_RUN:
            raise self.wrong("run_end", f"'end', or a whole number from 0 to {LAST_RUN}")
        return None if value == LAST_RUN else value

    def form(self) -> ArrayForm | None:
        """Return the declared array, None for text."""
        kind = self._fields.get("data_type")
        if kind == "any":
            raise InvalidDataError(self._source, "data_type is 'any': a Python pickle, which is never loaded here")
        if kind == "str":
            return None
        if kind != "ndarray":
            raise self.wrong("data_type", "'ndarray' or 'str'")
        form = ArrayForm(self._dtype(), self._shape())
        if not 0 < form.size <= LARGEST_ARRAY:
            raise self.wrong("data_shape", f"an array of 1 to {LARGEST_ARRAY} bytes")
        return form

    def _dtype(self) -> str:
        given = self._fields.get("data_dtype")
        if isinstance(given, str):
            if given in _NAMES:
                return _NAMES[given]
            match = _DTYPE.fullmatch(given)
            if match and match[1] + match[2] in _CODES:
                return np.dtype(given).str
        raise self.wrong("data_dtype", f"one of {', '.join(sorted(_NAMES))}")

    def _shape(self) -> tuple[int, ...]:
        given = self._fields.get("data_shape")
        match = _SHAPE.fullmatch(given) if isinstance(given, str) and len(given) <= LONGEST_FIELD else None
        if match is None:
            raise self.wrong("data_shape", "digits and commas in parentheses, such as '(3, 1, 512, 1024)'")
        return tuple(int(length) for length in match[1].split(","))

    def details(self) -> dict[str, ParameterValue]:
        """Return other fields, as far as they can be kept."""
        found: dict[str, ParameterValue] = {}
        for key in _DETAILS:
            value = self._fields.get(key)
            if isinstance(value, str) and value:
                found[key] = self.optional_text(key)
            elif isinstance(value, int | float) and abs(value) < 1 << 63:
                found[key] = value
        return found
