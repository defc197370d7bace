"""The verbs that answer what is in force at a time: with its data, without them, or with the reason.

Operations are imported when they are called: a verb that only reads names must not pay for numpy.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Literal

from calibvcs.api import given
from calibvcs.errors import InvalidOptionError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from calibvcs.api.session import Session
    from calibvcs.model.times import TimeLike
    from calibvcs.ops.choosing import Chosen
    from calibvcs.ops.get import Constant
    from calibvcs.ops.why import Why

_MOST_THREADS = 4  # more only wait for the memory of the machine


class GettingVerbs:
    """The verbs of a `Repository` that choose."""

    _session: Session

    def get(
        self,
        detector: str,
        ctype: str,
        when: TimeLike,
        *,
        at: str | None = None,
        out: NDArray[Any] | None = None,
        fallback: Literal["predecessor"] | None = None,
        allow_withdrawn: bool = False,
    ) -> Constant:
        """Return the constant in force at a time, with its data.

        Among the ranges that cover the time, the largest begin wins, then the smallest end; withdrawn constants are
        skipped.

        Where the file of the constant in the worktree is clean, as Git sees it, `get` maps it instead of reading the
        object, so that even a large array is there at once. Git and calibvcs replace files and never write into them,
        and so the array stays as it is whatever they do. A program that opens the file and writes into it (as
        ``numpy.save`` to its path does) changes the array that shows it, and one that shortens the file makes the next
        look at the array end this process with a bus error. Who wants to be safe from that gives `out`, takes a copy
        (``.data.copy()``), or opens a bare repository.

        Parameters
        ----------
        detector : str
            Detector or alias; an alias is resolved at the time asked for.
        ctype : str
            Calibration type, for example ``pedestals``.
        when : time
            UNIX seconds (int or float); ISO 8601 text (without a zone it is UTC), ``"now"`` or ``"EXPERIMENT:RUN"``,
            which is the begin of that run; datetime (naive is UTC); datetime64; psana event or its 64-bit stamp.
        at : str, optional
            Branch, tag, commit or date: the state of the repository to read; default is the newest commit.
        out : ndarray, optional
            Array to read the data into: in C order, writable, of exactly their dtype and shape. It is filled from the
            repository, never from a file of the worktree. Default is a new, read-only array.
        fallback : {"predecessor"}, optional
            Where no range is valid, take the constant of the detector that this one replaced, or of that one's own
            predecessor; ``.fallback`` of the result says so. Default is never.
        allow_withdrawn : bool, optional
            Take also what was withdrawn, to see what somebody used before; ``.meta.withdrawn`` says so.

        Returns
        -------
        Constant
            ``.data``, a read-only array in the dtype and shape that were stored, or a text; with `out` it is `out`
            itself, which the caller owns and may write into; ``.meta``, with dtype, shape, dims, unit, origin and
            provenance; ``.validity``, in UNIX seconds; ``.version``, for example ``"v2"``; ``.commit``, id of the
            commit that added the data.

        Raises
        ------
        NoValidConstantError
            If no range is valid at that time; the nearest ones are listed.
        UnknownDetectorError, UnknownConstantError
            If there is no such detector, or it has no such ctype.
        UnknownRunError, UnknownRevisionError
            If the begin of the run is not known, or `at` is not there.
        InvalidNameError, InvalidTimeError
            If a name or the time cannot be read.
        InvalidOptionError
            If `out` is not as it has to be, or the constant is a text; nothing was written into it.
        InvalidDataError
            If the data, committed by hand, are not what their file name promises.
        BrokenRepositoryError
            If what is read is missing or damaged, or in a format that this program does not know. The message of
            `DamagedObjectError` says so if `out` holds undefined values now.

        Examples
        --------
        >>> pedestals = repository.get("jungfrau-000001", "pedestals", "2026-02-14T12:00:00Z")
        >>> pedestals.data.shape, pedestals.data.dtype.name, pedestals.meta.unit
        ((3, 2, 32, 64), 'float32', 'ADU')
        >>> str(pedestals.validity), pedestals.version
        ('1769904000-end', 'v1')

        By an alias, for a run:

        >>> str(repository.get("front", "pedestals", "mfx000126:7").validity)
        '1767225600-end'

        Into an array that is there already, for each of several times:

        >>> import numpy as np
        >>> buffer = np.empty((3, 2, 32, 64), "float32")
        >>> days = ("2026-01-14", "2026-02-14")
        >>> [str(repository.get("jungfrau-000001", "pedestals", day, out=buffer).validity) for day in days]
        ['1767225600-end', '1769904000-end']
        >>> float(buffer[0, 0, 0, 0]) == float(pedestals.data[0, 0, 0, 0])
        True
        """
        from calibvcs.ops.get import get

        catalogue = self._session.catalogue(at)
        seconds = self._session.seconds(catalogue, when)
        return get(catalogue, detector, ctype, seconds, out, fallback, allow_withdrawn=allow_withdrawn)

    def get_many(
        self,
        requests: Iterable[tuple[str, str]],
        when: TimeLike,
        *,
        at: str | None = None,
        out: Sequence[NDArray[Any] | None] | None = None,
        threads: int | None = None,
    ) -> tuple[Constant, ...]:
        """Return several constants in force at one time, from one and the same commit, read by several threads.

        Parameters
        ----------
        requests : iterable of (str, str)
            Detector or alias, and ctype, as `get` takes them.
        when, at
            As for `get`, for all of them. The newest commit is looked up once: what others commit meanwhile does not
            mix with it.
        out : sequence of ndarray or None, optional
            For each request an array to read its data into, as for `get`, or None. Default is new arrays for all.
        threads : int, optional
            How many payloads are read at the same time; default is the number of processors, 4 at most.

        Returns
        -------
        tuple of Constant
            In the order of the requests.

        Raises
        ------
        CalibvcsError
            What `get` raises, for the first request that cannot be met; the message names its constant. Names, times
            and `out` of all are looked at before any data are read. If data are missing or damaged, what the arrays in
            `out` hold is undefined.
        InvalidOptionError
            If `requests` are no pairs of texts, `out` has not as many entries or two that share memory, or `threads`
            is less than 1.

        Examples
        --------
        >>> ctypes = ["pedestals", "pixel_gain"]
        >>> pedestals, gain = repository.get_many([("front", ctype) for ctype in ctypes], "2026-01-14")
        >>> str(gain.name), gain.at == pedestals.at
        ('jungfrau-000001/pixel_gain/0-end', True)
        """
        from calibvcs.ops.get import get_many

        asked = given.pairs("requests", requests)
        arrays = (None,) * len(asked) if out is None else tuple(out)
        if len(arrays) != len(asked):
            raise InvalidOptionError("out", f"{len(arrays)} arrays", f"one entry for each of {len(asked)} requests")
        count = min(_processors(), _MOST_THREADS) if threads is None else threads
        if count < 1:
            raise InvalidOptionError("threads", str(count), "1 or more are allowed")
        catalogue = self._session.catalogue(at)
        return get_many(catalogue, asked, self._session.seconds(catalogue, when), arrays, count)

    def choose(
        self,
        detector: str,
        ctype: str,
        when: TimeLike,
        *,
        at: str | None = None,
        output: str | os.PathLike[str] | None = None,
        fallback: Literal["predecessor"] | None = None,
        allow_withdrawn: bool = False,
    ) -> Chosen:
        """Return which constant is in force and why, without its data; write the data to a file, byte for byte.

        Parameters
        ----------
        detector, ctype, when, at
            As for `get`.
        output : str or path, optional
            File to write the data to; it appears whole or not at all. ``-`` is standard output. Default is none.
        fallback, allow_withdrawn
            As for `get`.

        Returns
        -------
        Chosen
            Name, version, commit, validity in UNIX seconds, dtype, shape, unit, and the reason.

        Raises
        ------
        NoValidConstantError
            If no range is valid at that time; the nearest ones are listed.
        UnknownDetectorError, UnknownConstantError
            If there is no such detector, or it has no such ctype.
        UnknownRunError, UnknownRevisionError
            If the begin of the run is not known, or `at` is not there.
        InvalidNameError, InvalidTimeError
            If a name or the time cannot be read.
        NotWritableError, StorageError
            If the file cannot be written.
        BrokenRepositoryError
            If what is read is missing or damaged, or in a format that this program does not know.
        """
        from calibvcs.ops.choosing import choose, write

        catalogue = self._session.catalogue(at)
        seconds = self._session.seconds(catalogue, when)
        chosen = choose(catalogue, detector, ctype, seconds, fallback, allow_withdrawn=allow_withdrawn)
        return chosen if output is None else write(catalogue, chosen, os.fspath(output))

    def why(
        self,
        detector: str,
        ctype: str,
        when: TimeLike,
        *,
        at: str | None = None,
        fallback: Literal["predecessor"] | None = None,
    ) -> Why:
        """Explain which constant is in force at a time, and why no other one.

        Parameters
        ----------
        detector, ctype, when, at, fallback
            As for `get`.

        Returns
        -------
        Why
            ``.chosen``, the name of the constant, None where no range is valid; ``.candidates``, all ranges of the
            ctype, the winner first, each with its outcome, the reason, and who added it when and why.

        Raises
        ------
        UnknownDetectorError, UnknownConstantError
            If there is no such detector, or it has no such ctype.
        UnknownRunError, UnknownRevisionError
            If the begin of the run is not known, or `at` is not there.
        InvalidNameError, InvalidTimeError
            If a name or the time cannot be read.
        BrokenRepositoryError
            If what is read is damaged, or in a format that this program does not know.

        Examples
        --------
        >>> answer = repository.why("jungfrau-000001", "pedestals", "2026-02-14T12:00:00Z")
        >>> answer.chosen
        'jungfrau-000001/pedestals/1769904000-end'
        >>> [candidate.outcome for candidate in answer.candidates]
        ['chosen', 'begins earlier']
        >>> answer.candidates[1].reason
        'covers the time, but begins 2678400 s before 1769904000-end'
        """
        from calibvcs.ops.why import why

        catalogue = self._session.catalogue(at)
        return why(catalogue, detector, ctype, self._session.seconds(catalogue, when), fallback)


def _processors() -> int:
    """Return how many processors this process may use, which in a batch job is less than there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
