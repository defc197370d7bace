"""The picture of one version of a constant: each gain range as a row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from calibvcs.plots import panels
from calibvcs.plots.canvas import new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from calibvcs.ops.pictures.difference import DifferencePicture
    from calibvcs.ops.pictures.pictures import Layer, Picture

_COLUMN, _HEAD, _LOWEST, _HIGHEST = 5.2, 1.1, 2.2, 5.4


def draw(picture: Picture) -> Figure:
    """Draw a constant.

    Parameters
    ----------
    picture : Picture
        What is to be seen.

    Returns
    -------
    Figure
        A row a gain range: the segments on one scale of colours, the histogram, and the image of the detector. The
        limits of the scale are the 1st and 99th percentile of the good pixels of all segments.

    Raises
    ------
    MissingProgramError
        If matplotlib is not installed.
    """
    if picture.line is not None:
        return _line(picture, picture.line)
    has_image = picture.layers[0].assembled is not None
    across = 3 if has_image else 2
    row = height_of(picture.grid.shape)
    if has_image:
        row = max(row, min(_HIGHEST, _COLUMN - 0.9))
    figure = new_figure(_COLUMN * across, row * len(picture.layers) + _HEAD)
    title(figure, picture.label, picture.said, facts(picture))
    grid = figure.subplots(
        len(picture.layers), across, squeeze=False, gridspec_kw={"width_ratios": [1.25, 1, 1.1][:across]}
    )
    for row_of, layer in zip(grid, picture.layers, strict=True):
        _row(figure, row_of, layer, picture)
    return figure


def _row(figure: Figure, axes: list[Axes], layer: Layer, picture: Picture) -> None:
    scale: panels.Scale = "values" if picture.kind == "values" else "bad"
    name = "" if layer.gain is None else f"gain {layer.gain}   "
    image = panels.mosaic(axes[0], layer, picture.grid, picture.tile, scale, layer.limits)
    axes[0].set_title(f"{name}{bad_text(layer, picture.kind)}", fontsize=9)
    if scale == "values":
        panels.colour_bar(figure, image, axes[0], picture.unit)
        outside = panels.histogram(axes[1], layer)
        axes[1].set_xlabel(picture.unit or "value", fontsize=8)
        axes[1].set_title(f"{name}{sampled(layer)}{f', {outside} outside' if outside else ''}", fontsize=9)
    elif picture.kind == "status":
        panels.bits(axes[1], layer.bits)
        axes[1].set_title(f"{name}bits", fontsize=9)
    else:
        panels.bits(axes[1], {0: layer.bad, 1: layer.pixels - layer.bad})
        axes[1].set_xlabel("mask (0 is bad)", fontsize=8)
        axes[1].set_title(f"{name}values", fontsize=9)
    if layer.assembled is not None:
        panels.assembled(axes[2], layer.assembled, picture.assembled_factor, scale, layer.limits)
        axes[2].set_title(f"{name}assembled", fontsize=9)


def _line(picture: Picture, values: NDArray[Any]) -> Figure:
    figure = new_figure(2 * _COLUMN, _HIGHEST)
    title(figure, picture.label, picture.said, facts(picture))
    axes = figure.subplots()
    axes.plot(values, marker="o" if values.size < 100 else "", linewidth=1)
    axes.set_xlabel("index")
    axes.set_ylabel(picture.unit or "value")
    axes.grid(visible=True, alpha=0.3)
    return figure


def height_of(shape: tuple[int, int]) -> float:
    """Return the height of a row of pictures in inches, for images of this shape."""
    return min(_HIGHEST, max(_LOWEST, (_COLUMN - 0.6) * shape[0] / shape[1] + 0.7))


def title(figure: Figure, *lines: str) -> None:
    """Write what a picture shows above it; nothing in it is taken for mathematics."""
    text = "\n".join(_short(line) for line in lines if line)
    figure.suptitle(text, fontsize=10, ha="left", x=0.01).set_parse_math(False)


def facts(picture: Picture | DifferencePicture) -> str:
    """Return form and legend in a line."""
    parts = [f"{picture.form} {picture.unit}".rstrip()]
    if picture.factor > 1:
        parts.append(f"a point is the mean of {picture.factor} x {picture.factor} pixels")
    marks = [note.removeprefix("bad by ") for note in picture.notes if note.startswith("bad by ")]
    if marks:
        parts.append(f"magenta: bad by {' and '.join(marks)}")
    return "   ".join(parts)


def bad_text(layer: Layer, kind: str) -> str:
    """Return how many pixels are bad."""
    share = f" ({100 * layer.bad / layer.pixels:.2g} %)" if layer.bad else ""
    text = (
        f"{layer.bad} of {layer.pixels} pixels bad{share}"
        if layer.bad or kind != "values"
        else f"{layer.pixels} pixels"
    )
    return f"{text}, {layer.nonfinite} not finite" if layer.nonfinite else text


def sampled(layer: Layer) -> str:
    """Return which pixels a histogram shows."""
    return "good pixels" if layer.values.size == layer.of else f"good pixels, from {layer.values.size} of {layer.of}"


def _short(line: str) -> str:
    return line if len(line) <= 150 else f"{line[:147]}..."
