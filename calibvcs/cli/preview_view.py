"""A constant as a small picture in a terminal: two pixels a letter, the upper and the lower half of a block."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

import numpy as np
from rich.console import Console
from rich.text import Text

from calibvcs.images.colours import coloured, levels

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from calibvcs.ops.pictures.pictures import Layer, Picture

WIDEST: Final = 72
_SHADES: Final = " .:-=+*%@"
_BAD: Final = "X"
_MOSTLY: Final = 0.5


def width() -> int:
    """Return how many letters a picture may be wide here."""
    return max(8, min(WIDEST, Console(file=sys.stdout).width - 1))


def show(picture: Picture) -> None:
    """Print a constant as small pictures, a gain range each; without colours, letters stand for brightness."""
    console = Console(file=sys.stdout, highlight=False)
    if not picture.layers:
        console.print("no preview: it has no rows and columns", markup=False)
    for layer in picture.layers:
        console.print(Text(_heading(picture, layer)), soft_wrap=True)
        values, bad = (picture.grid.joined([getattr(one, part) for one in layer.tiles]) for part in ("values", "bad"))
        limits = layer.limits if picture.kind == "values" else None
        if limits is None:
            bad = values
        lines = (
            _letters(values, bad, limits) if console.color_system is None else _halves(coloured(values, bad, limits))
        )
        for line in lines:
            console.print(line, soft_wrap=True)
    for note in picture.notes:
        console.print(Text(note), soft_wrap=True)


def _heading(picture: Picture, layer: Layer) -> str:
    name = "" if layer.gain is None else f"gain {layer.gain}: "
    count = len(layer.segments)
    tiles = f"{count} segments, {picture.grid.across} side by side, " if count > 1 else ""
    scale = f"dark {layer.limits[0]:.6g} to bright {layer.limits[1]:.6g} {picture.unit}".rstrip()
    bad = f"{layer.bad + layer.nonfinite} of {layer.pixels} bad"
    return f"{name}{tiles}{f'{scale}, ' if picture.kind == 'values' else ''}{bad}"


def _halves(image: NDArray[np.uint8]) -> Iterator[Text]:
    """Yield lines of half blocks, the upper half in the colour of the letter, the lower one in that behind it."""
    if len(image) % 2:
        image = np.concatenate([image, np.zeros_like(image[:1])])
    for upper, lower in zip(image[::2], image[1::2], strict=True):
        line = Text(no_wrap=True)
        for above, below in zip(upper.tolist(), lower.tolist(), strict=True):
            line.append(
                "\u2580", style=f"rgb({above[0]},{above[1]},{above[2]}) on rgb({below[0]},{below[1]},{below[2]})"
            )
        yield line


def _letters(
    values: NDArray[np.float32], bad: NDArray[np.float32], limits: tuple[float, float] | None
) -> Iterator[Text]:
    """Yield lines of letters: a letter is twice as high as wide, so that every second row does."""
    rows = [slice(row, row + 2) for row in range(0, len(values), 2)]
    for row in rows:
        some, wrong = values[row], bad[row]
        empty = np.all(np.isnan(wrong), axis=0).tolist()
        is_bad = [bool(share > _MOSTLY) for share in np.nan_to_num(wrong).max(axis=0)]
        bright = np.zeros(some.shape[1]) if limits is None else np.nan_to_num(levels(some, limits)).max(axis=0)
        places = (bright * (len(_SHADES) - 1)).round().astype(int)
        letters = (
            " " if nothing else _BAD if wrong_one else _SHADES[place]
            for nothing, wrong_one, place in zip(empty, is_bad, places, strict=True)
        )
        yield Text("".join(letters).rstrip(), no_wrap=True)
