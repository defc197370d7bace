"""New data beside the data before them: each is read once, and neither has to be in memory as a whole.

The data before come from the store piece by piece. What the gate asks of a piece is computed while it is in the
processor's cache; of a large array, in two threads, one of which also reads.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from calibvcs.errors import DamagedObjectError, NotHereError
from calibvcs.model.array_blocks import blocks, in_memory_order
from calibvcs.model.array_difference import ArrayDifference, compare, segment_difference
from calibvcs.model.gate import Level
from calibvcs.model.piece_difference import PIECE, Workspace, compare_piece, finite_differences, finite_median
from calibvcs.model.value_facts import ValueFacts, value_facts
from calibvcs.ops.loading import array_header, named

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future

    from numpy.typing import NDArray

    from calibvcs.formats.npy import Header
    from calibvcs.model.array_blocks import ArrayKind
    from calibvcs.model.piece_difference import PieceDifference
    from calibvcs.store.protocol import ReadableStore

_LARGE = 1 << 21
"""Values from which on a second thread is worth its while."""

_MEMORY = 22 << 20
"""Bytes that two threads may take together; where they need more, there is one."""


@dataclass(frozen=True)
class StoredArray:
    """An array in the store.

    Attributes
    ----------
    store : ReadableStore
        Where it is.
    blob : str
        Id of its file.
    header : Header
        What the header of the file says.
    source : str
        What it is called in errors.
    """

    store: ReadableStore
    blob: str
    header: Header
    source: str

    @property
    def dtype(self) -> np.dtype[Any]:
        """Dtype of its values."""
        return np.dtype(self.header.dtype).newbyteorder("<")

    def pieces(self, size: int, first: int = 0) -> Iterator[NDArray[Any]]:
        """Yield its values in C order, from one on, `size` at a time; each piece is valid until the next is wanted."""
        width = self.dtype.itemsize
        try:
            for piece in self.store.blob_blocks(self.blob, self.header.data_offset + first * width, size * width):
                yield np.frombuffer(piece, self.dtype)
        except (DamagedObjectError, NotHereError) as error:
            raise named(error, self.source) from error


def stored_array(store: ReadableStore, blob: str, source: str) -> StoredArray:
    """Return an array in the store; only its header is read.

    Raises
    ------
    InvalidDataError
        If the bytes are not what they have to be.
    DamagedObjectError
        If they are missing, or damaged at their begin.
    """
    return StoredArray(store, blob, array_header(store, blob, source)[0], source)


@dataclass(frozen=True, slots=True)
class Examination:
    """What the gate has to know of new data.

    Attributes
    ----------
    facts : ValueFacts
        What the values are.
    difference : ArrayDifference or None
        New minus previous; None where there are no data before.
    levels : tuple of Level
        Medians by gain range and segment, if they were asked for; of a segment of more than a million pixels, those of
        its parts.
    """

    facts: ValueFacts
    difference: ArrayDifference | None = None
    levels: tuple[Level, ...] = ()


@dataclass(frozen=True, slots=True)
class _Job:
    """A piece of new data, the number of its block, whether it is the whole block, and the same piece of the old."""

    block: int
    whole: bool
    new: NDArray[Any]
    old: NDArray[Any] | None


@dataclass(frozen=True, slots=True)
class _Look:
    block: int
    facts: ValueFacts
    difference: PieceDifference | None = None
    medians: tuple[float, float] | None = None


def examine(
    new: NDArray[Any], before: StoredArray | None, *, dims: tuple[str, ...], kind: ArrayKind, with_levels: bool
) -> Examination:
    """Look at new data, and at what changed from the data before them.

    Parameters
    ----------
    new : ndarray
        The new data, C order, a plain dtype.
    before : StoredArray or None
        The data before them. Their values are read only if they have the same shape.
    dims : tuple of str
        Names of the axes, such as ``("gain", "segment", "row", "column")``.
    kind : {"values", "mask", "status"}
        How the values are to be read.
    with_levels : bool
        Whether medians of both are wanted.

    Returns
    -------
    Examination
        The same as if both had been compared as a whole: counts are exact, differences are computed in float64, and
        the median of a difference is that of all the pixels of a segment.

    Raises
    ------
    DamagedObjectError
        If the data before cannot be read, or are not those that their id names.
    """
    if before is None or before.header.shape != new.shape:
        looks = _looks(new, None, PIECE, lambda job, _: _Look(job.block, value_facts(job.new, kind)))
        facts = sum((look.facts for look in looks), ValueFacts())
        if before is None:
            return Examination(facts)
        old = before.header
        return Examination(facts, ArrayDifference(old.shape, new.shape, old.dtype, new.dtype.name, comparable=False))
    found = list(blocks(new.shape, dims))
    if not in_memory_order(dims):
        return _whole(new, before, dims, kind, with_levels=with_levels)
    size = new.size // len(found)
    looks = _looks(new, before, size, partial(_look, kind=kind, with_levels=with_levels))
    facts = sum((look.facts for look in looks), ValueFacts())
    by_block: dict[int, list[_Look]] = {}
    for look in looks:
        by_block.setdefault(look.block, []).append(look)
    segments = tuple(
        segment_difference(
            block,
            [look.difference for look in by_block[number] if look.difference is not None],
            kind,
            _passes(new, before, number * size, size),
        )
        for number, block in enumerate(found)
    )
    levels = tuple(Level(found[look.block].gain, *look.medians) for look in looks if look.medians is not None)
    difference = ArrayDifference(new.shape, new.shape, before.header.dtype, new.dtype.name, True, segments)
    return Examination(facts, difference, levels)


def _whole(
    new: NDArray[Any], before: StoredArray, dims: tuple[str, ...], kind: ArrayKind, *, with_levels: bool
) -> Examination:
    """Look at arrays whose blocks are spread over the file; no detector has such."""
    old = np.concatenate([piece.copy() for piece in before.pieces(PIECE)]).reshape(new.shape)
    difference = compare(old, new, dims=dims, kind=kind)
    workspace = Workspace(new.size)
    levels = (
        Level(block.gain, *(finite_median(array[block.where].reshape(-1), workspace) for array in (new, old)))
        for block in (blocks(new.shape, dims) if with_levels else ())
    )
    return Examination(value_facts(new.reshape(-1), kind), difference, tuple(levels))


def _jobs(new: NDArray[Any], before: StoredArray | None, block: int) -> Iterator[_Job]:
    """Yield pieces in C order, none of which reaches over the end of a block."""
    flat = new.reshape(-1)
    reading = _reading(block)
    begins = range(0, flat.size, reading)
    olds = before.pieces(reading) if before else [None] * len(begins)
    for begin, old in zip(begins, olds, strict=True):  # strict: the hash is checked at the end of the old ones
        place, end = begin, min(begin + reading, flat.size)
        while place < end:
            number = place // block
            stop = min(end, (number + 1) * block)
            piece = None if old is None else old[place - begin : stop - begin]
            yield _Job(number, stop - place == block, flat[place:stop], piece)
            place = stop


def _reading(block: int) -> int:
    """Return how many values are read at a time: a part of a block, a block, or several small ones."""
    return PIECE // 2 if block > PIECE else block * max(1, PIECE // 4 // block)


def _looks(
    new: NDArray[Any], before: StoredArray | None, block: int, look: Callable[[_Job, Workspace], _Look]
) -> list[_Look]:
    """Look at all pieces, in two threads if that is worth it; the results come in the order of the pieces."""
    jobs = _jobs(new, before, block)
    size = min(block, _reading(block), new.size) if before else 0
    width = before.dtype.itemsize if before else 0
    memory = 2 * Workspace.BYTES * size + width * (size + _reading(block))
    if new.size < _LARGE or memory > _MEMORY:
        workspace = Workspace(size)
        return [look(job, workspace) for job in jobs]
    from concurrent.futures import ThreadPoolExecutor  # small data need not pay for it

    own, others, spare = Workspace(size), Workspace(size), np.empty(size, before.dtype if before else None)
    looks: list[_Look | Future[_Look]] = []
    busy: Future[_Look] | None = None
    with ThreadPoolExecutor(max_workers=1) as other:
        for job in jobs:
            if busy is None or busy.done():
                busy = other.submit(look, _kept(job, spare), others)
                looks.append(busy)
            else:
                looks.append(look(job, own))
    return [found if isinstance(found, _Look) else found.result() for found in looks]


def _kept(job: _Job, memory: NDArray[Any]) -> _Job:
    """Return a job whose old values stay when the next ones are read."""
    if job.old is None:
        return job
    old = memory[: job.old.size]
    np.copyto(old, job.old)
    return replace(job, old=old)


def _look(job: _Job, workspace: Workspace, *, kind: ArrayKind, with_levels: bool) -> _Look:
    facts = value_facts(job.new, kind)
    if job.old is None:
        return _Look(job.block, facts)
    difference = compare_piece(job.old, job.new, kind, workspace, whole=job.whole)
    medians = (finite_median(job.new, workspace), finite_median(job.old, workspace)) if with_levels else None
    return _Look(job.block, facts, difference, medians)


def _passes(new: NDArray[Any], before: StoredArray, first: int, size: int) -> Callable[[], Iterator[NDArray[Any]]]:
    """Return what lets the differences of a block pass by once more."""

    def again() -> Iterator[NDArray[Any]]:
        flat, step = new.reshape(-1)[first : first + size], PIECE // 4
        workspace = Workspace(step)
        for begin, old in zip(range(0, size, step), before.pieces(step, first), strict=False):
            piece = flat[begin : begin + step]
            yield finite_differences(old[: piece.size], piece, workspace)

    return again
