"""The verbs that put versions into numbers, and find who changed what."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from calibvcs.api.session import Session
    from calibvcs.model.times import TimeLike
    from calibvcs.ops.statistics.bisect import Bisection, Step
    from calibvcs.ops.statistics.blame import Blame
    from calibvcs.ops.statistics.pixel_history import PixelHistory
    from calibvcs.ops.statistics.stats import Stats
    from calibvcs.ops.statistics.trend import Trend


class StatisticsVerbs:
    """The verbs of a `Repository` that compute, and remember what they computed."""

    _session: Session

    def stats(self, constant: str, *, at: str | None = None) -> Stats:
        """Return one version of a constant in numbers, per gain range and segment.

        The data are read once, block by block: no more than one gain range is in memory. What came out is kept beside
        the repository, so that the next call reads nothing.

        Parameters
        ----------
        constant : str
            ``DET/CTYPE/RANGE[@VERSION]``; DET may be an alias, the range may be left out where there is only one,
            VERSION is ``vN`` or a revision, and the default without it.
        at : str, optional
            Branch, tag, commit or date to look at; default is the newest commit.

        Returns
        -------
        Stats
            ``.gains``, each gain range as a whole, and ``.segments``, each segment in each gain range: smallest and
            largest value, mean, exact median and rms of the finite values in the unit of the constant; how many are
            not finite, how many are zero; for masks and status how many pixels are bad, and with which bits.

        Raises
        ------
        UnknownConstantError, UnknownDetectorError, UnknownVersionError, UnknownRevisionError
            If something that is named is not there.
        InvalidNameError
            If the name cannot be read, or leaves open which range is meant.
        InvalidOptionError
            If the constant is text.
        BrokenRepositoryError, NotHereError
            If the data are damaged, or missing here and not to be had elsewhere.

        Examples
        --------
        >>> dark = repository.stats("jungfrau-000001/pedestals/1767225600-end")
        >>> [(one.gain, one.pixels, round(one.median), one.nonfinite) for one in dark.gains]
        [(0, 4096, 2820, 0), (1, 4096, 15020, 0), (2, 4096, 14021, 0)]
        """
        from calibvcs.ops.statistics.stats import stats

        return stats(self._session.catalogue(at), constant, self._session.now())

    def trend(
        self,
        pattern: str,
        *,
        since: TimeLike | None = None,
        until: TimeLike | None = None,
        defaults: bool = False,
        segments: bool = False,
        at: str | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> Trend:
        """Return the same numbers for version after version.

        Parameters
        ----------
        pattern : str
            Glob over ``DET/CTYPE/RANGE`` with ``*``, ``?`` and ``[...]``; DET may be an alias; missing parts match
            everything.
        since, until : time, optional
            Bounds, both included: of the time at which a version was added, or with `defaults` of the time from which
            on a range is valid.
        defaults : bool, optional
            False: all versions in history, in the order in which they were added: how the constants were worked on.
            True: the default of each range, in the order in which the ranges begin: how the detector changed.
        segments : bool, optional
            Whether each segment is wanted too.
        at : str, optional
            Branch, tag, commit or date to look at; default is the newest commit.
        progress : callable, optional
            Is told how many versions were looked at, and how many there are.

        Returns
        -------
        Trend
            ``.lines``, one a version: commit, date, author, comment, and ``.gains`` as of `stats`; where the data are
            not to be had ``.problem`` says why. ``.texts``, what matches and has no numbers.

        Raises
        ------
        UnknownDetectorError, UnknownConstantError
            If a detector or ctype without wildcards is not there.
        UnknownRunError, UnknownRevisionError
            If a run that stands for a time, or `at`, is not there.
        InvalidNameError, InvalidTimeError
            If the pattern or a time cannot be read.
        BrokenRepositoryError
            If data are damaged.

        Examples
        --------
        >>> trend = repository.trend("jungfrau-000001/pedestals", defaults=True)
        >>> [(line.begin, line.version, round(line.gains[0].median, 2)) for line in trend.lines]
        [(1767225600, 'v1', 2819.84), (1769904000, 'v1', 2820.92)]
        """
        from calibvcs.ops.statistics.trend import trend

        session = self._session
        catalogue = session.catalogue(at)
        begin, end = (None if moment is None else session.seconds(catalogue, moment) for moment in (since, until))
        return trend(
            catalogue,
            pattern,
            session.now(),
            since=begin,
            until=end,
            defaults=defaults,
            segments=segments,
            progress=progress,
        )

    def blame(
        self, constant: str, *, gain: int | None = None, segment: int | None = None, at: str | None = None
    ) -> Blame:
        """Return which commit last changed each segment and gain range of a constant.

        Parameters
        ----------
        constant : str
            ``DET/CTYPE/RANGE[@VERSION]``, as for `stats`.
        gain, segment : int, optional
            Only this gain range, and this segment, counted from 0.
        at : str, optional
            Branch, tag, commit or date to look at; default is the newest commit.

        Returns
        -------
        Blame
            ``.blocks``, one a gain range and segment, with the id of a commit; ``.commits``, these commits, newest
            first. As many versions are read as it takes to tell all blocks, each once; from the second time on none.

        Raises
        ------
        UnknownConstantError, UnknownDetectorError, UnknownVersionError, UnknownRevisionError
            If something that is named is not there.
        InvalidNameError
            If the name cannot be read, or leaves open which range is meant.
        InvalidOptionError
            If the constant is text, or has no such gain range or segment.
        BrokenRepositoryError, NotHereError
            If data are damaged, or missing here and not to be had elsewhere.

        Examples
        --------
        >>> found = repository.blame("jungfrau-000001/pedestals/1769904000-end", gain=0)
        >>> [(block.segment, block.commit == found.commits[0].commit) for block in found.blocks]
        [(0, True), (1, True)]
        """
        from calibvcs.ops.statistics.blame import blame

        catalogue = self._session.catalogue(at)
        return blame(catalogue, constant, self._session.now(), gain=_index(gain), segment=_index(segment))

    def pixel_history(
        self,
        constant: str,
        row: int,
        column: int,
        *,
        gain: int | None = None,
        segment: int | None = None,
        at: str | None = None,
    ) -> PixelHistory:
        """Return every value that one pixel of a constant had, and who changed it.

        Parameters
        ----------
        constant : str
            ``DET/CTYPE/RANGE[@VERSION]``, as for `stats`.
        row, column : int
            Where it is in its segment, counted from 0.
        gain : int, optional
            Gain range, counted from 0; default is each of them.
        segment : int, optional
            Segment, counted from 0; may be left out where there is only one.
        at : str, optional
            Branch, tag, commit or date to look at; default is the newest commit.

        Returns
        -------
        PixelHistory
            ``.changes``, newest first: who changed the pixel, and its values since then, one a gain range.

        Raises
        ------
        UnknownConstantError, UnknownDetectorError, UnknownVersionError, UnknownRevisionError
            If something that is named is not there.
        InvalidNameError
            If the name cannot be read, or leaves open which range is meant.
        InvalidOptionError
            If the constant is text, or has no such pixel.
        BrokenRepositoryError, NotHereError
            If data are damaged, or missing here and not to be had elsewhere.

        Examples
        --------
        >>> history = repository.pixel_history("jungfrau-000001/pedestals/1769904000-end", 4, 10, segment=0, gain=2)
        >>> [(change.by.action, len(change.values)) for change in history.changes]
        [('add', 1)]
        """
        from calibvcs.ops.statistics.pixel_history import pixel_history

        row, column = operator.index(row), operator.index(column)
        catalogue, now = self._session.catalogue(at), self._session.now()
        return pixel_history(catalogue, constant, now, row, column, gain=_index(gain), segment=_index(segment))

    def bisect(
        self,
        constant: str,
        run: str | Sequence[str],
        *,
        good: str | None = None,
        bad: str | None = None,
        at: str | None = None,
        report: Callable[[Step], None] | None = None,
    ) -> Bisection:
        """Find the version of a constant with which a test of yours turns.

        Parameters
        ----------
        constant : str
            ``DET/CTYPE/RANGE``; DET may be an alias, the range may be left out where there is only one.
        run : str or sequence of str
            The test: a program and its arguments; a text is taken apart as a shell does, but no shell runs it. The
            path of a file with the data (``.npy``, or text) stands for ``{}``, or is the last argument. Exit status
            0 is good, 125 skips a version, all others from 1 to 127 are bad, as for ``git bisect run``.
        good, bad : str, optional
            Versions on either side, ``vN``; default are the first and the last one. Both are tested. Where the bad one
            is older, the version is found that made it good.
        at : str, optional
            Branch, tag, commit or date to look at; default is the newest commit.
        report : callable, optional
            Is told every version that was tested.

        Returns
        -------
        Bisection
            ``.found``, the version with which it turned, and ``.difference``, its numbers against the one before;
            ``.steps``, what was tested. Where skipped versions are in the way, ``.found`` is None, and
            ``.candidates`` names those that are left.

        Raises
        ------
        UnknownConstantError, UnknownDetectorError, UnknownVersionError, UnknownRevisionError
            If something that is named is not there.
        InvalidNameError
            If the name cannot be read, or leaves open which range is meant.
        InvalidOptionError
            If the command cannot be read, was killed, or finds `good` not good or `bad` not bad.
        MissingProgramError
            If the command cannot be started.
        StorageError
            If there is no room for the file.
        BrokenRepositoryError, NotHereError
            If data are damaged, or missing here and not to be had elsewhere.
        """
        from calibvcs.ops.statistics.bisect import bisect

        catalogue = self._session.catalogue(at)
        return bisect(catalogue, constant, self._session.now(), run, good=good, bad=bad, report=report)


def _index(given: int | None) -> int | None:
    return None if given is None else operator.index(given)
