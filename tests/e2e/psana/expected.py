"""What calibration and image have to be: plain numpy from the published formulas, with nothing of calibvcs or psana."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Constants: TypeAlias = Mapping[str, NDArray[Any]]
DATA_BITS = 0x3FFF


def mask(constants: Constants) -> NDArray[np.uint8]:
    """Return 1 for pixels that are good in every gain range, shape (segment, row, column)."""
    good = constants["pixel_status"] == 0
    if "status_extra" in constants:
        good = good & (constants["status_extra"] == 0)
    if good.ndim == 4:
        good = good[:5].all(axis=0)
    return good.astype(np.uint8)


def factors(constants: Constants) -> NDArray[np.float32]:
    """Return what to multiply with: 1 / gain, 0 where the gain is 0."""
    gain = constants["pixel_gain"]
    out = np.zeros(gain.shape, np.float32)
    np.divide(np.float32(1), gain, out=out, where=gain != 0)
    return out


def jungfrau(raw: NDArray[np.uint16], constants: Constants) -> NDArray[np.float32]:
    """Calibrate one event of a Jungfrau; the two upper bits tell the gain range, and 10 is none.

    Parameters
    ----------
    raw : ndarray of uint16, shape (segment, row, column)
        Data of the event.
    constants : mapping
        ``pedestals``, ``pixel_gain``, ``pixel_offset``, ``pixel_status`` of shape (3, segment, row, column).

    Returns
    -------
    ndarray of float32
        Same shape, in keV where the gain is ADU/keV.
    """
    levels = constants["pedestals"] + constants["pixel_offset"]
    scale = factors(constants) * mask(constants)
    data = (raw & DATA_BITS).astype(np.float32)
    bits = raw >> 14
    out = np.zeros(raw.shape, np.float32)
    for gain, code in enumerate((0b00, 0b01, 0b11)):
        here = bits == code
        out[here] = ((data - levels[gain]) * scale[gain])[here]
    return out


def epix10ka_ranges(raw: NDArray[np.uint16], pixel_config: NDArray[np.uint8], trbit: NDArray[Any]) -> NDArray[np.int64]:
    """Return the gain range of each pixel of one panel, -1 for none.

    Parameters
    ----------
    raw : ndarray of uint16, shape (352, 384)
        Data of the panel; bit 14 is the switch of the automatic ranges.
    pixel_config : ndarray of uint8, shape (4, 176, 192)
        Configuration of the pixels of the four chips.
    trbit : ndarray, shape (4,)
        Configuration of the chips.
    """
    turned = [np.rot90(chip, 2) for chip in pixel_config]
    code = (
        np.vstack((np.hstack((turned[2], turned[1])), np.hstack((pixel_config[3], pixel_config[0])))).astype(int) & 12
    )
    quarter = {2: (0, 0), 3: (1, 0), 0: (1, 1), 1: (0, 1)}
    for chip, (down, right) in quarter.items():
        if trbit[chip]:
            code[176 * down : 176 * (down + 1), 192 * right : 192 * (right + 1)] += 16
    code += 32 * ((raw >> 14) & 1).astype(int)
    rules = ((28, 28), (28, 12), (12, 8), (60, 16), (60, 0), (60, 48), (60, 32))
    return np.select([(code & bits) == value for bits, value in rules], range(7), -1)


def epix10ka(raw: NDArray[np.uint16], ranges: NDArray[np.int64], constants: Constants) -> NDArray[np.float32]:
    """Calibrate one event of an epix10ka with several panels, arrays as for `jungfrau` with seven gain ranges."""
    levels, scale = np.zeros(raw.shape, np.float32), np.ones(raw.shape, np.float32)
    gains = factors(constants)
    for gain in range(7):
        here = ranges == gain
        levels[here], scale[here] = constants["pedestals"][gain][here], gains[gain][here]
    return ((raw & DATA_BITS).astype(np.float32) - levels) * scale * mask(constants)


def _jungfrau_pixels() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    x = np.concatenate([(first + np.arange(256)) * 75.0 for first in (-514.5, -256.5, 1.5, 259.5)])
    y = np.concatenate([(first + np.arange(256)) * 75.0 for first in (-256.5, 1.5)])
    x[[255, 511, 767]] += 37.5
    x[[256, 512, 768]] -= 37.5
    y[255] += 37.5
    y[256] -= 37.5
    return x, y


def _epix10ka_pixels() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    def line(pixels: int) -> NDArray[np.float64]:
        right = 175.0 + np.arange(pixels // 2) * 100.0  # the wide pixel in the middle, then regular ones
        return np.concatenate((-right[::-1], right))

    return line(384), -line(352)


def _turned(a: NDArray[Any], b: NDArray[Any], degrees: float) -> tuple[NDArray[Any], NDArray[Any]]:
    angle = np.radians(degrees)
    c, s = np.cos(angle), np.sin(angle)
    return a * c - b * s, b * c + a * s


_SEGMENTS = {"JUNGFRAU:V2": (_jungfrau_pixels, 75.0), "EPIX10KA:V1": (_epix10ka_pixels, 100.0)}


def bins(geometry: str) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Return image row and column of each pixel, shape (segment, row, column), of a geometry of known segments."""
    lines = [line.split() for line in geometry.splitlines() if line.strip() and not line.startswith("#")]
    nodes = [(tuple(f[0:2]), tuple(f[2:4]), [float(x) for x in f[4:]]) for f in lines]
    sizes = []

    def pixels(node: tuple[str, ...], move: list[float]) -> list[NDArray[np.float64]]:
        if node[0] in _SEGMENTS:
            axes, size = _SEGMENTS[node[0]]
            sizes.append(size)
            x, y = np.meshgrid(*axes())
            found = [x[None], y[None], np.zeros((1, *x.shape))]
        else:
            children = [pixels(own, shift) for parent, own, shift in nodes if parent == node]
            found = [np.concatenate(part) for part in zip(*children, strict=True)]
        x0, y0, z0, rz, ry, rx, tz, ty, tx = move
        x, y, z = found
        x, y = _turned(x, y, rz + tz)
        z, x = _turned(z, x, ry + ty)
        y, z = _turned(y, z, rx + tx)
        return [x + x0, y + y0, z + z0]

    own = {node for _, node, _ in nodes}
    (top,) = [(node, move) for parent, node, move in nodes if parent not in own]
    x, y, _ = pixels(*top)
    size = sizes[0]
    return tuple(((a - (a.min() - size / 2)) / size).astype(np.uint64) for a in (x, y))  # type: ignore[return-value]


def image(values: NDArray[np.float32], geometry: str) -> NDArray[np.float32]:
    """Return the image of one event: the last pixel wins a bin, lone empty bins get the least of their neighbours."""
    rows, columns = bins(geometry)
    out = np.zeros((int(rows.max()) + 1, int(columns.max()) + 1), np.float32)
    filled = np.zeros((out.shape[0] + 2, out.shape[1] + 2), bool)
    for row, column, value in zip(rows.ravel().tolist(), columns.ravel().tolist(), values.ravel(), strict=True):
        out[row, column] = value
        filled[row + 1, column + 1] = True
    around = filled.copy()  # what lies outside the image counts as filled
    around[[0, -1], :] = around[:, [0, -1]] = True
    holes = ~filled[1:-1, 1:-1] & around[:-2, 1:-1] & around[2:, 1:-1] & around[1:-1, :-2] & around[1:-1, 2:]
    for row, column in np.argwhere(holes):
        out[row, column] = min(out[row - 1, column], out[row + 1, column], out[row, column - 1], out[row, column + 1])
    return out
