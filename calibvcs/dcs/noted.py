"""What all four levels of the interface have: parameters and a history."""

from __future__ import annotations

import math
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from calibvcs.api import given
from calibvcs.errors import InvalidOptionError
from calibvcs.formats.dcs.dcs_hdf5 import Notes
from calibvcs.model.validity import TIME_LIMIT
from calibvcs.ops.dcs.records import MARK, TABLE, scalars_of, values_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from calibvcs.dcs.backends import Backend
    from calibvcs.dcs.times import TimeStamp

TIME_FORMAT = "%Y-%m-%dT%H:%M:%S"
"""How `history` writes times, UTC."""

_LEAST_STEP = 1e-6


class Noted:
    """Something that has parameters and a history.

    Parameters
    ----------
    backend : Backend
        Where it is kept.
    notes : Notes
        As they were read.
    """

    def __init__(self, backend: Backend, notes: Notes) -> None:
        self._backend = backend
        self._parameters: dict[str, Any] = {}
        self._history: dict[str, str] = {}
        self._take_notes(notes)

    def _take_notes(self, notes: Notes) -> None:
        self._parameters, self._history = values_of(notes), dict(notes.history)

    # --- parameters

    def dictpars(self) -> dict[str, Any]:
        """Return all parameters by their names, a copy; empty where there are none."""
        return dict(self._parameters)

    def par(self, k: str) -> Any:
        """Return the value of a parameter; None where there is none of this name."""
        return self._parameters.get(k)

    def set_dictpars(self, d: Mapping[str, Any]) -> None:
        """Replace all parameters, but for those that calibvcs keeps (their names begin with ``calibvcs_``).

        Raises
        ------
        InvalidOptionError
            If a name is reserved, or a value cannot be stored.
        """
        new = {key: value for key, value in given.parameters(d).items() if self._parameters.get(key) != value}
        for key in new:
            _check_name(key)
        kept = {key: value for key, value in self._parameters.items() if key.startswith(MARK) or key in d}
        self._parameters = {**kept, **new}

    def add_par(self, k: str, v: Any) -> None:
        """Set a parameter: number, text, true or false, or a list or mapping of these.

        Raises
        ------
        InvalidOptionError
            If the name is reserved, or the value cannot be stored.
        """
        _check_name(k)
        self._parameters[k] = given.parameters({k: v})[k]

    def del_par(self, k: str) -> None:
        """Take a parameter away; where there is none of this name, nothing happens.

        Raises
        ------
        InvalidOptionError
            If the name is reserved.
        """
        _check_name(k)
        self._parameters.pop(k, None)

    # --- history

    def history(self, fmt: str | None = None) -> str:
        """Return the history as text, one record a line behind its time, oldest first.

        Parameters
        ----------
        fmt : str, optional
            Format of the times, as `time.strftime` has it, in UTC; default is ``%Y-%m-%dT%H:%M:%S``.

        Returns
        -------
        str
            Empty where there is none.
        """
        form = TIME_FORMAT if fmt is None else fmt
        return "\n".join(
            f"{datetime.fromtimestamp(stamp, tz=UTC).strftime(form)} {record}"
            for stamp, record in sorted(self.histdict().items())
        )

    def histdict(self) -> dict[float, str]:
        """Return the history: records by their times, UNIX seconds."""
        return {_seconds(name): record for name, record in self._history.items()}

    def add_history(self, rec: str, ts: TimeStamp | None = None) -> None:
        """Add a record to the history.

        Parameters
        ----------
        rec : str
            What happened.
        ts : time, optional
            When; default is now. A record of the very same time is not replaced: the new one comes just behind it.

        Raises
        ------
        InvalidOptionError
            If the record is no text.
        InvalidTimeError, UnknownRunError
            If the time cannot be read, or is a run that is not known.
        """
        _check_text("record", rec)
        stamp = time.time() if ts is None else self._backend.seconds(ts)
        while f"{stamp:.6f}" in self._history:
            stamp += _LEAST_STEP
        self._history[f"{stamp:.6f}"] = rec

    def _notes(self) -> Notes:
        return Notes(scalars_of(self._parameters), dict(sorted(self._history.items())))


def _check_text(what: str, given: object) -> None:
    if not isinstance(given, str) or not given.strip():
        raise InvalidOptionError(what, str(given), "a text is needed")


def _check_name(key: str) -> None:
    _check_text("parameter", key)
    if not key.isprintable() or key == TABLE or key.startswith(MARK):
        allowed = f"a name of printable characters; {TABLE!r} and names that begin with {MARK!r} are reserved"
        raise InvalidOptionError("parameter", str(key), allowed)


def _seconds(name: str) -> float:
    """Return the time that a record of a file is named by; what is none counts as 1970."""
    try:
        stamp = float(name)
    except ValueError:
        return 0.0
    return stamp if math.isfinite(stamp) and 0 <= stamp < TIME_LIMIT else 0.0
