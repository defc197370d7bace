"""The picture of a difference: both sides on one scale, second minus first, and the histogram of that."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from calibvcs.plots import panels
from calibvcs.plots.canvas import new_figure
from calibvcs.plots.constant import facts, height_of, title

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from calibvcs.ops.pictures.difference import DifferencePicture
    from calibvcs.ops.pictures.pictures import Layer

_WIDTH, _HEAD = 4.4, 1.3


def draw(picture: DifferencePicture) -> Figure:
    """Draw a difference.

    Parameters
    ----------
    picture : DifferencePicture
        What is to be seen.

    Returns
    -------
    Figure
        A row a gain range: A, B, B - A, and the histogram of the differences that are not 0. A and B share a scale;
        the scale of the difference lies evenly about 0. With a geometry also the difference in the detector's image.

    Raises
    ------
    MissingProgramError
        If matplotlib is not installed.
    """
    has_image = picture.rows[0][2].assembled is not None
    across = 5 if has_image else 4
    row = max(height_of(picture.grid.shape) * 0.85, 3.4 if has_image else 0)
    figure = new_figure(_WIDTH * across, row * len(picture.rows) + _HEAD)
    legend = f"A  {picture.a}  {picture.said_a}", f"B  {picture.b}  {picture.said_b}"
    title(figure, *legend, facts(picture))
    grid = figure.subplots(len(picture.rows), across, squeeze=False)
    for axes, layers in zip(grid, picture.rows, strict=True):
        _row(figure, axes, layers, picture)
    return figure


def _row(figure: Figure, axes: list[Axes], layers: tuple[Layer, Layer, Layer], picture: DifferencePicture) -> None:
    first, second, minus = layers
    name = "" if first.gain is None else f"gain {first.gain}   "
    scale: panels.Scale = "values" if picture.kind == "values" else "bad"
    shared = min(first.limits[0], second.limits[0]), max(first.limits[1], second.limits[1])
    for place, layer, letter in ((0, first, "A"), (1, second, "B")):
        image = panels.mosaic(axes[place], layer, picture.grid, picture.tile, scale, shared)
        told = f"   {layer.bad} bad" if scale == "bad" else ""
        axes[place].set_title(f"{name}{letter}{told}", fontsize=9)
        if scale == "values":
            panels.colour_bar(figure, image, axes[place], picture.unit)
    image = panels.mosaic(axes[2], minus, picture.grid, picture.tile, "difference", minus.limits)
    panels.colour_bar(figure, image, axes[2], picture.unit if scale == "values" else "turned good    turned bad")
    axes[2].set_title(f"{name}B - A", fontsize=9)
    _counts(axes[3], minus, picture, name)
    if minus.assembled is not None:
        image = panels.assembled(axes[4], minus.assembled, picture.assembled_factor, "difference", minus.limits)
        axes[4].set_title(f"{name}B - A, assembled", fontsize=9)


def _counts(axes: Axes, minus: Layer, picture: DifferencePicture, name: str) -> None:
    if not minus.of:
        axes.text(0.5, 0.5, "all good pixels are equal", ha="center", va="center", transform=axes.transAxes, fontsize=9)
        axes.set_xticks([])
        axes.set_yticks([])
    elif picture.kind != "values":
        turned = {sign: int(np.count_nonzero(minus.values == sign)) for sign in (-1, 1)}
        bars = axes.bar(["turned good", "turned bad"], [turned[-1], turned[1]], color=["C0", "C3"])
        axes.bar_label(bars, fontsize=7)
        axes.set_ylabel("pixels", fontsize=8)
        axes.tick_params(labelsize=7)
    else:
        outside = panels.histogram(axes, minus)
        axes.set_xlabel(f"B - A {f'[{picture.unit}]' if picture.unit else ''}", fontsize=8)
        axes.axvline(0, color="black", linewidth=0.7)
        more = f", {outside} outside" if outside else ""
        axes.set_title(f"{name}{minus.of} of {minus.pixels - minus.bad} good pixels differ{more}", fontsize=9)
