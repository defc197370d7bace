"""The verbs that draw. matplotlib is loaded when one of them is called."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

    from calibvcs.api.session import Session
    from calibvcs.model.times import TimeLike
    from calibvcs.ops.diff import Diff
    from calibvcs.ops.pictures.pictures import Picture
    from calibvcs.plots.canvas import Plotted


class PlottingVerbs:
    """The verbs of a `Repository` that draw."""

    _session: Session

    def plot(
        self,
        constant: str,
        output: str | os.PathLike[str],
        *,
        time: TimeLike | None = None,
        mark: bool = True,
        at: str | None = None,
    ) -> Plotted:
        """Draw one version of a constant.

        A row a gain range: its segments on one scale of colours, a histogram, and the assembled image of the detector,
        rows downwards as psana has it. The data are read once, block by block.

        Parameters
        ----------
        constant : str
            ``DET/CTYPE[/RANGE][@VERSION]``; DET may be an alias. Without a range the one in force at `time` is drawn,
            or the only one.
        output : str or path
            File that ends in ``.png`` or ``.svg``; it appears whole or not at all.
        time : time, optional
            When status, mask and geometry are looked up; default is the begin of the range of the constant.
        mark : bool, optional
            Whether pixels are marked that status or mask in force call bad; these enter neither limits nor histogram.
        at : str, optional
            Branch, tag, commit or date to look at; default is the newest commit.

        Returns
        -------
        Plotted
            ``.output``; ``.notes``, by what pixels are marked, and what is not drawn and why.

        Raises
        ------
        MissingProgramError
            If matplotlib is not installed.
        InvalidOptionError
            If the name of the file has another ending, or the constant is text.
        UnknownConstantError, UnknownDetectorError, UnknownVersionError, UnknownRevisionError, NoValidConstantError
            If something that is named is not there.
        InvalidNameError, InvalidTimeError, UnknownRunError
            If a name or a time cannot be read, or leaves open what is meant.
        NotWritableError, StorageError
            If the file cannot be written.
        BrokenRepositoryError, NotHereError
            If the data are damaged, or missing here and not to be had elsewhere.
        """
        from calibvcs.plots import canvas
        from calibvcs.plots import constant as drawing

        path = os.fspath(output)
        form = canvas.format_of(path)
        canvas.require_matplotlib()
        picture = self._picture(constant, time, mark=mark, at=at, side=None)
        content = canvas.encoded(drawing.draw(picture), form, f"{picture.label} {picture.said}")
        return _written("constant", (picture.label,), path, form, content, picture.notes)

    def plot_diff(
        self,
        a: str,
        b: str,
        output: str | os.PathLike[str],
        *,
        time: TimeLike | None = None,
        mark: bool = True,
        at: str | None = None,
    ) -> Plotted:
        """Draw two constants and their difference, second minus first, as `diff` counts it.

        Parameters
        ----------
        a, b : str
            Two constants of one shape, ``DET/CTYPE[/RANGE][@VERSION]``; one of them may be a file, for example a dark
            run that is not added yet. A path that begins with ``.``, ``/`` or ``~`` is a file.
        output, time, mark, at
            As for `plot`; what is in force is that of the second side.

        Returns
        -------
        Plotted
            As for `plot`.

        Raises
        ------
        InvalidOptionError
            If the two have not one shape and kind, no rows and columns, or both are files.
        CalibvcsError
            What `plot` raises.
        """
        from calibvcs.ops.pictures.difference import difference_picture, open_pair
        from calibvcs.plots import canvas
        from calibvcs.plots import difference as drawing

        path = os.fspath(output)
        form = canvas.format_of(path)
        canvas.require_matplotlib()
        catalogue = self._session.catalogue(at)
        moment = None if time is None else self._session.seconds(catalogue, time)
        pair = open_pair(catalogue, a, b, self._session.now())
        picture = difference_picture(catalogue, *pair, time=moment, mark=mark)
        content = canvas.encoded(drawing.draw(picture), form, f"{picture.b} minus {picture.a}")
        return _written("difference", (picture.a, picture.b), path, form, content, picture.notes)

    def plot_trend(
        self,
        pattern: str,
        output: str | os.PathLike[str],
        *,
        what: Literal["median", "rms", "bad"] | None = None,
        since: TimeLike | None = None,
        until: TimeLike | None = None,
        defaults: bool = False,
        at: str | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> Plotted:
        """Draw what `trend` tells, a plot a detector, ctype and gain range.

        Parameters
        ----------
        pattern : str
            As for `trend`.
        output : str or path
            File that ends in ``.png`` or ``.svg``; it appears whole or not at all.
        what : {"median", "rms", "bad"}, optional
            Which number; default is the median, of masks and status the number of bad pixels.
        since, until, defaults, at, progress
            As for `trend`.

        Returns
        -------
        Plotted
            As for `plot`.

        Raises
        ------
        InvalidOptionError
            If there is nothing to be drawn, or more than 48 plots.
        CalibvcsError
            What `trend` and `plot` raise.
        """
        from calibvcs.ops.statistics.trend import trend
        from calibvcs.plots import canvas
        from calibvcs.plots import trend as drawing

        path = os.fspath(output)
        form = canvas.format_of(path)
        canvas.require_matplotlib()
        catalogue = self._session.catalogue(at)
        bounds = [None if moment is None else self._session.seconds(catalogue, moment) for moment in (since, until)]
        found = trend(
            catalogue,
            pattern,
            self._session.now(),
            since=bounds[0],
            until=bounds[1],
            defaults=defaults,
            progress=progress,
        )
        content = canvas.encoded(drawing.draw(found, what), form, f"trend of {pattern}")
        notes = tuple(f"{text} is text, which has no numbers" for text in found.texts)
        return _written("trend", (pattern,), path, form, content, notes)

    def diff_html(self, a: str, b: str, output: str | os.PathLike[str]) -> tuple[Diff, Plotted]:
        """Compare two things as `diff` does, and write what came out as a page for a browser.

        Parameters
        ----------
        a, b : str
            As for `diff`.
        output : str or path
            File; it appears whole or not at all. Everything is in it: numbers, pictures, the provenance of both sides.
            Nothing is loaded from elsewhere when it is looked at.

        Returns
        -------
        tuple of Diff and Plotted
            The difference, and the page; its notes say what is not shown and why. Without matplotlib it has no
            pictures.

        Raises
        ------
        NotWritableError, StorageError
            If the file cannot be written.
        CalibvcsError
            What `diff` raises.
        """
        from calibvcs.plots.page import page

        path = os.fspath(output)
        catalogue, now = self._session.catalogue(), self._session.now()
        difference = self.diff(a, b)  # type: ignore[attr-defined]
        content, notes = page(catalogue, difference, now)
        return difference, _written("page", (a, b), path, "html", content, notes)

    def preview(
        self,
        constant: str,
        *,
        side: int = 64,
        time: TimeLike | None = None,
        mark: bool = True,
        at: str | None = None,
    ) -> Picture:
        """Return a constant as small images, for a terminal or a page.

        Parameters
        ----------
        constant : str
            As for `plot`.
        side : int, optional
            Pixels that the segments of a gain range side by side may have, either way.
        time, mark, at
            As for `plot`.

        Returns
        -------
        Picture
            ``.layers``, one a gain range, each with the images of its segments and robust limits.

        Raises
        ------
        CalibvcsError
            What `plot` raises, but for what concerns files and matplotlib.

        Examples
        --------
        >>> picture = repository.preview("jungfrau-000001/pedestals/1769904000-end", side=32)
        >>> [(layer.gain, layer.pixels, layer.bad) for layer in picture.layers]
        [(0, 4096, 229), (1, 4096, 231), (2, 4096, 221)]
        """
        return self._picture(constant, time, mark=mark, at=at, side=side)

    def _picture(
        self, constant: str, time: TimeLike | None, *, mark: bool, at: str | None, side: int | None
    ) -> Picture:
        from calibvcs.ops.pictures.pictures import SIDE, picture
        from calibvcs.ops.pictures.sources import open_constant

        session = self._session
        catalogue = session.catalogue(at)
        moment = None if time is None else session.seconds(catalogue, time)
        source = open_constant(catalogue, constant, session.now(), moment)
        return picture(catalogue, source, time=moment, mark=mark, assemble=side is None, side=side or SIDE)


def _written(kind: str, of: tuple[str, ...], path: str, form: str, content: bytes, notes: tuple[str, ...]) -> Plotted:
    from calibvcs.plots.canvas import Plotted
    from calibvcs.store.durable import disk_errors, write_file

    with disk_errors(path, len(content)):
        write_file(Path(path).resolve(), [content])
    return Plotted(kind, of, path, form, len(content), notes)
