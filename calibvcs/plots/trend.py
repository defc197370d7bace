"""The picture of a trend: a number of each gain range, version after version."""

from __future__ import annotations

import math
from itertools import groupby
from typing import TYPE_CHECKING, Final

from calibvcs.errors import InvalidOptionError
from calibvcs.model.times import as_text
from calibvcs.plots.canvas import new_figure
from calibvcs.plots.constant import title

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from calibvcs.model.array_statistics import SegmentStatistics
    from calibvcs.ops.statistics.trend import Trend, TrendLine

WHAT: Final = ("median", "rms", "bad")
_MOST: Final = 48
_LABELS: Final = 24


def draw(trend: Trend, what: str | None = None) -> Figure:
    """Draw a trend.

    Parameters
    ----------
    trend : Trend
        The numbers.
    what : {"median", "rms", "bad"}, optional
        Which; default is the median, of masks and status the number of bad pixels.

    Returns
    -------
    Figure
        A plot a detector, ctype and gain range, one above the other: versions stand at even distances, in the order
        of the trend, and a full circle is the default of its range.

    Raises
    ------
    InvalidOptionError
        If there is no such number, nothing to be drawn, or more than 48 plots.
    MissingProgramError
        If matplotlib is not installed.
    """
    if what is not None and what not in WHAT:
        raise InvalidOptionError("--what", what, f"allowed are {', '.join(WHAT)}")
    drawable = [line for line in trend.lines if line.gains]
    groups = [
        (name, list(group)) for name, group in groupby(drawable, key=lambda line: line.constant.rpartition("/")[0])
    ]
    plots = [(name, lines, gain) for name, lines in groups for gain in range(max(len(line.gains) for line in lines))]
    if not plots:
        raise InvalidOptionError("--trend", trend.pattern, "no version of an array is in these bounds")
    if len(plots) > _MOST:
        advice = "name a detector and a ctype: calibvcs plot --trend DET/CTYPE -o FILE.png"
        raise InvalidOptionError("--trend", trend.pattern, f"{len(plots)} plots; {_MOST} are allowed", advice)
    versions = max(len(lines) for _, lines in groups)
    figure = new_figure(min(16, max(7, 2.5 + 0.45 * versions)), 1.2 + 2.1 * len(plots))
    order = (
        "versions in the order in which they were added"
        if trend.over == "history"
        else "defaults, by begin of validity"
    )
    without = len(trend.lines) - len(drawable)
    left = f"   {without} versions have no numbers" if without else ""
    title(figure, f"{trend.pattern}   {order}, commit {trend.at[:10]}{left}", _legend(plots[0][1]))
    for axes, (name, lines, gain) in zip(figure.subplots(len(plots), 1, squeeze=False)[:, 0], plots, strict=True):
        chosen = what or ("median" if lines[-1].kind == "values" else "bad")
        _plot(axes, name, lines, gain, chosen, validity=trend.over == "validity")
    return figure


def _legend(lines: Sequence[TrendLine]) -> str:
    return "full circle: the default of its range; open: an older version" if len(lines) > 1 else ""


def _plot(axes: Axes, name: str, lines: Sequence[TrendLine], gain: int, what: str, *, validity: bool) -> None:
    numbers = [_number(line.gains[gain], what) if gain < len(line.gains) else math.nan for line in lines]
    places = range(len(lines))
    axes.plot(places, numbers, color="C0", linewidth=1)
    for full in (True, False):
        some = [place for place in places if lines[place].default is full]
        face = "C0" if full else "white"
        axes.plot(some, [numbers[place] for place in some], "o", color="C0", markerfacecolor=face, markersize=5)
    found = next(line.gains[gain].gain for line in lines if gain < len(line.gains))
    label = "" if found is None else f"   gain {found}"
    axes.set_title(f"{name}{label}   {what}", fontsize=9, loc="left").set_parse_math(False)
    axes.set_ylabel("pixels" if what == "bad" else lines[-1].unit, fontsize=8)
    several = len({line.constant for line in lines}) > 1
    step = -(-len(lines) // _LABELS)
    shown = [place for place in places if place % step == 0]
    axes.set_xticks(
        shown,
        [_label(lines[place], validity=validity, several=several) for place in shown],
        fontsize=7,
        rotation=30,
        ha="right",
    )
    axes.tick_params(axis="y", labelsize=7)
    axes.ticklabel_format(axis="y", useOffset=False)
    axes.grid(visible=True, alpha=0.3, linewidth=0.5)
    axes.margins(x=0.03, y=0.15)


def _number(one: SegmentStatistics, what: str) -> float:
    if what == "bad":
        return float(one.suspect)
    return one.median if what == "median" else one.rms


def _label(line: TrendLine, *, validity: bool, several: bool) -> str:
    begin = as_text(line.begin)[:10]
    if validity:
        return f"from {begin} {line.version}"
    return f"{line.date[:10]} {line.version}{f' from {begin}' if several else ''}"
