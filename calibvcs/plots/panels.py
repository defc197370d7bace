"""The parts that pictures are made of: a mosaic of segments, an image of the detector, a histogram."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage
    from numpy.typing import NDArray

    from calibvcs.images.reduction import Grid, Reduced
    from calibvcs.ops.pictures.pictures import Layer

Scale = Literal["values", "difference", "bad"]

BAD: Final = (1.0, 0.0, 0.75)
"""Bad pixels: magenta, which is in none of the colour scales."""

_MAPS: Final = {"values": "viridis", "difference": "RdBu_r", "bad": "Greys"}
_BINS: Final = 120
_MOST_LABELS: Final = 64
_EMPTY: Final = "0.88"


def mosaic(
    axes: Axes, layer: Layer, grid: Grid, tile: tuple[int, int], scale: Scale, limits: tuple[float, float]
) -> AxesImage:
    """Draw the segments of a gain range side by side, rows downwards, each with its number."""
    values, bad = (grid.joined([getattr(one, part) for one in layer.tiles]) for part in ("values", "bad"))
    rows, columns = values.shape
    factor = tile[1] / grid.tile[1], tile[0] / grid.tile[0]
    # One segment has the numbers of its pixels on the axes; in a mosaic they would mean nothing.
    extent = (-0.5, columns * factor[0] - 0.5, rows * factor[1] - 0.5, -0.5)
    image = _image(axes, values, bad, scale, limits, extent)
    if grid.count > 1:
        axes.set_xticks([])
        axes.set_yticks([])
        for spine in axes.spines.values():
            spine.set_visible(False)
        for number, segment in enumerate(layer.segments[: _MOST_LABELS if grid.count <= _MOST_LABELS else 0]):
            row, column = grid.corner(number)
            place = column * factor[0], row * factor[1]
            box = {"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 0.8}
            axes.text(*place, f"{segment}", fontsize=7, va="top", ha="left", bbox=box)
    else:
        axes.set_xlabel("column", fontsize=8)
        axes.set_ylabel("row", fontsize=8)
        axes.tick_params(labelsize=7)
    return image


def assembled(axes: Axes, image: Reduced, factor: int, scale: Scale, limits: tuple[float, float]) -> AxesImage:
    """Draw the image of a detector as psana has it: row 0 on top, rows downwards."""
    rows, columns = image.values.shape
    extent = (-0.5, columns * factor - 0.5, rows * factor - 0.5, -0.5)
    drawn = _image(axes, image.values, image.bad, scale, limits, extent)
    axes.set_xlabel("image column", fontsize=8)
    axes.set_ylabel("image row", fontsize=8)
    axes.tick_params(labelsize=7)
    return drawn


def _image(
    axes: Axes,
    values: NDArray[np.float32],
    bad: NDArray[np.float32],
    scale: Scale,
    limits: tuple[float, float],
    extent: tuple[float, float, float, float],
) -> AxesImage:
    axes.set_facecolor("white")
    place: dict[str, Any] = {"origin": "upper", "extent": extent, "interpolation": "nearest", "aspect": "equal"}
    if scale == "bad":
        drawn = axes.imshow(np.where(np.isnan(bad), np.nan, 0), cmap="Greys", vmin=-0.25, vmax=2, **place)
        bad = values  # of a status or mask these are the part of bad pixels
    else:
        drawn = axes.imshow(values, cmap=_MAPS[scale], vmin=limits[0], vmax=limits[1], **place)
    marks = marked(bad)
    if marks is not None:
        axes.imshow(marks, **place)
    return drawn


def marked(bad: NDArray[np.float32]) -> NDArray[np.float32] | None:
    """Return bad pixels as an image to be laid over another one.

    Parameters
    ----------
    bad : ndarray of float32
        Part of bad pixels, 0 to 1; NaN where there are none.

    Returns
    -------
    ndarray of float32, shape (rows, columns, 4), or None
        Magenta, the more opaque the more is bad: the square root, so that one pixel among many is still seen. None
        where nothing is bad.
    """
    share = np.sqrt(np.nan_to_num(bad))
    if not share.any():
        return None
    image = np.empty((*bad.shape, 4), np.float32)
    image[..., :3] = BAD
    image[..., 3] = share
    return image


def colour_bar(figure: Figure, image: AxesImage, axes: Axes, unit: str) -> None:
    """Draw the colour scale of an image."""
    bar = figure.colorbar(image, ax=axes, shrink=0.85, pad=0.02, extend="both")
    bar.ax.tick_params(labelsize=7)
    bar.ax.ticklabel_format(useOffset=False)
    if unit:
        bar.set_label(unit, fontsize=8)


def histogram(axes: Axes, layer: Layer) -> int:
    """Draw how often values occur, and return how many are outside of what is drawn."""
    low, high = layer.limits
    room = 0.4 * (high - low)
    bounds = low - room, high + room
    values = layer.values.astype(np.float64)
    inside = values[(values >= bounds[0]) & (values <= bounds[1])]
    counts, edges = np.histogram(inside, bins=_BINS, range=bounds)
    axes.stairs(counts * (layer.of / max(values.size, 1)), edges, color="C0", linewidth=1.1)
    axes.axvspan(low, high, color="0.93", zorder=0)
    axes.set_yscale("symlog", linthresh=1)
    axes.set_ylim(bottom=0)
    axes.set_xlim(*bounds)
    axes.set_ylabel("pixels", fontsize=8)
    axes.tick_params(labelsize=7)
    axes.ticklabel_format(axis="x", useOffset=False)
    axes.grid(visible=True, alpha=0.3, linewidth=0.5)
    return values.size - inside.size


def bits(axes: Axes, counts: dict[int, int]) -> None:
    """Draw in how many pixels each bit of a status is set."""
    names = [str(bit) for bit in counts]
    bars = axes.bar(names, list(counts.values()), color="C3")
    axes.bar_label(bars, fontsize=7)
    axes.set_xlabel("status bit", fontsize=8)
    axes.set_ylabel("pixels", fontsize=8)
    axes.tick_params(labelsize=7)
    axes.margins(y=0.15)
    if not counts:
        axes.text(0.5, 0.5, "no bit is set", ha="center", va="center", transform=axes.transAxes, fontsize=9)
        axes.set_xticks([])
        axes.set_yticks([])
