"""What is kept of an array once all of it was read: its statistics, and a fingerprint of each block."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from calibvcs.model.array_blocks import ArrayKind, Block, blocks
from calibvcs.model.array_statistics import SegmentStatistics, block_statistics, gain_statistics

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

_DIGITS = 32


@dataclass(frozen=True, slots=True)
class ArraySummary:
    """An array in some numbers.

    Attributes
    ----------
    gains : tuple of SegmentStatistics
        One a gain range, all segments together; an array without such an axis is one of them.
    segments : tuple of SegmentStatistics
        One a gain range and segment, gain by gain.
    fingerprints : tuple of str
        One for each of the segments: two blocks have the same one if, and only if, dtype, shape and values are the
        same. NaN is the same as NaN, -0.0 as 0.0.
    """

    gains: tuple[SegmentStatistics, ...]
    segments: tuple[SegmentStatistics, ...]
    fingerprints: tuple[str, ...]


class BlockSummary(NamedTuple):
    """The same of one block."""

    statistics: SegmentStatistics
    fingerprint: str


def summarise(array: NDArray[Any], *, dims: tuple[str, ...], kind: ArrayKind) -> ArraySummary:
    """Return what is to be known of an array that is held, or mapped.

    Parameters
    ----------
    array : ndarray
        Real numbers, one at least; of complex ones the magnitude counts.
    dims : tuple of str
        Names of the axes, such as ``("gain", "segment", "row", "column")``.
    kind : {"values", "mask", "status"}
        How the values are to be read.

    Returns
    -------
    ArraySummary
        In the unit of the constant.

    Raises
    ------
    InvalidDataError
        If there are not as many names as axes.
    """
    gains: list[SegmentStatistics] = []
    looks: list[BlockSummary] = []
    for gain, members in groupby(blocks(array.shape, dims), lambda block: block.gain):
        some = [summarise_block(array[block.where], block, kind) for block in members]
        whole = array.copy() if gain is None else array.take(gain, axis=dims.index("gain"))
        gains.append(gain_statistics([look.statistics for look in some], whole.reshape(-1)))
        looks += some
    return joined(gains, looks)


def summarise_block(values: NDArray[Any], block: Block, kind: ArrayKind) -> BlockSummary:
    """Return what is to be known of one block. The parameters are those of `block_statistics`."""
    return BlockSummary(block_statistics(values, block, kind), fingerprint(values))


def joined(gains: Iterable[SegmentStatistics], looks: Sequence[BlockSummary]) -> ArraySummary:
    """Return the summary of an array from those of its gain ranges and blocks, both gain by gain."""
    return ArraySummary(
        tuple(gains), tuple(look.statistics for look in looks), tuple(look.fingerprint for look in looks)
    )


def fingerprint(values: NDArray[Any]) -> str:
    """Return 32 hex digits that tell apart values, dtype and shape; NaN is the same as NaN, -0.0 as 0.0.

    Parameters
    ----------
    values : ndarray
        Values of any shape and plain dtype.

    Returns
    -------
    str
        The first half of a SHA-256.
    """
    plain = np.ascontiguousarray(values)
    digest = hashlib.sha256(f"{plain.dtype.str}{plain.shape}".encode())
    if plain.dtype.kind in "fc":
        parts = plain.reshape(-1).view(plain.real.dtype) + 0  # which makes 0.0 of -0.0
        if np.isnan(parts.max()):
            parts[np.isnan(parts)] = np.nan
        plain = parts
    digest.update(plain.reshape(-1).view(np.uint8).data)
    return digest.hexdigest()[:_DIGITS]
