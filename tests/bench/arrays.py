"""Constants as dark runs give them, the same in every run of the benchmark."""

from __future__ import annotations

import io

import numpy as np

PANEL = (512, 1024)
FRAMES = 1000
QUICK = (3, 1, 256, 512)


def jungfrau(panels: int) -> tuple[int, ...]:
    """Return the shape of a constant of a Jungfrau: gain, segment, row, column."""
    return (3, panels, *PANEL)


def pedestals(shape: tuple[int, ...], seed: int) -> np.ndarray:
    """Return float32 pedestals in ADU: means of 1000 integer frames, with noise down to the last bit."""
    level = np.random.default_rng(seed).normal(2800, 40, shape)
    return (np.round(level * FRAMES) / FRAMES).astype(np.float32)


def rms(shape: tuple[int, ...], seed: int) -> np.ndarray:
    """Return float32 noise in ADU: about 3, with noise down to the last bit."""
    return np.random.default_rng(seed).gamma(40, 0.075, shape).astype(np.float32)


def status(shape: tuple[int, ...], seed: int) -> np.ndarray:
    """Return uint64 status words: one pixel in 200 has one of eight bits, all others are zero."""
    drawn = np.random.default_rng(seed).integers(0, 1600, shape, dtype=np.uint16)
    return np.where(drawn < 8, np.uint64(1) << drawn.clip(0, 7).astype(np.uint64), np.uint64(0))


def gain(shape: tuple[int, ...], seed: int) -> np.ndarray:
    """Return float32 gains in ADU/keV: one value a gain range and segment, but for one pixel in a thousand."""
    generator = np.random.default_rng(seed)
    level = generator.normal(41.5, 0.5, (*shape[:-2], 1, 1)) * np.ones(shape)
    odd = generator.integers(0, 1000, shape, dtype=np.uint16) == 0
    return np.where(odd, level * 1.01, level).astype(np.float32)


def mask(shape: tuple[int, ...], seed: int) -> np.ndarray:
    """Return a uint8 mask: one pixel in 200 is bad, and so is the rim of every panel."""
    good = (np.random.default_rng(seed).integers(0, 200, shape, dtype=np.uint16) != 0).astype(np.uint8)
    good[..., (0, -1), :] = 0
    good[..., :, (0, -1)] = 0
    return good


def geometry(panels: int, shift: int = 0) -> str:
    """Return geometry text of a Jungfrau of so many panels; `shift` is where the first one lies, in um."""
    rows = [
        f"JFCAMERA:V1 0 JUNGFRAU:V2 {number} {shift if number == 0 else 0} {-19525 + 39050 * number} 0 90 0 0 0.01 0 0"
        for number in range(panels)
    ]
    return "\n".join(["# TITLE Benchmark", *rows, "IP:V1 0 JFCAMERA:V1 0 0 0 100000 0 0 0 0 0 0", ""])


def small(number: int) -> np.ndarray:
    """Return a float32 array of 1 kB that no other number gives."""
    array = np.full((16, 16), 900 + number % 100, np.float32)
    array[0, :2] = number % 4096, number // 4096
    return array


def stamp(array: np.ndarray, number: int) -> np.ndarray:
    """Write a number into the first 32 values, a bit a value: nothing is written that is there already."""
    array.reshape(-1)[:32] = (number >> np.arange(32)) & 1
    return array


def saved(array: np.ndarray) -> bytes:
    """Return what `numpy.save` writes."""
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def same(found: object, array: np.ndarray) -> bool:
    """Tell whether something is this array, bit for bit."""
    if not isinstance(found, np.ndarray) or found.dtype != array.dtype or found.shape != array.shape:
        return False
    return np.array_equal(found.reshape(-1).view(np.uint8), array.reshape(-1).view(np.uint8))
