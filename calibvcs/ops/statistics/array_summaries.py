"""The summary of stored arrays: read once, block by block, then known by the id of the data."""

from __future__ import annotations

import json
from contextlib import nullcontext
from dataclasses import astuple, dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from calibvcs.errors import InvalidOptionError
from calibvcs.model.array_blocks import blocks, in_memory_order
from calibvcs.model.array_statistics import SegmentStatistics, gain_statistics
from calibvcs.model.array_summary import ArraySummary, BlockSummary, joined, summarise, summarise_block
from calibvcs.model.constant_types import constant_type
from calibvcs.model.layout import ARRAY_FILE, constant_folder
from calibvcs.ops.examination import StoredArray, stored_array

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future, ThreadPoolExecutor
    from contextlib import AbstractContextManager

    from numpy.typing import NDArray

    from calibvcs.model.array_blocks import ArrayKind, Block
    from calibvcs.model.metadata import Metadata
    from calibvcs.model.names import ConstantName
    from calibvcs.ops.catalogue import Catalogue
    from calibvcs.store.protocol import ReadableStore

_FORMAT = "array-summary-1"
"""Another meaning of the numbers is another name: what an older program remembered is not taken for them."""

_WORTH_KEEPING = 1 << 14
_WORTH_WRITING = 1 << 26
_LARGE = 1 << 21
"""Values from which on a summary is remembered, is brought to disk at once, and is made by two threads."""


@dataclass(frozen=True, slots=True)
class Summarised:
    """The default data of a constant at a commit.

    Attributes
    ----------
    blob : str
        Their id.
    meta : Metadata
        What stands beside them.
    kind : {"values", "mask", "status"}
        How they are to be read.
    summary : ArraySummary
        The numbers.
    """

    blob: str
    meta: Metadata
    kind: ArrayKind
    summary: ArraySummary


def holds_array(catalogue: Catalogue, name: ConstantName) -> bool:
    """Tell whether the data of a constant are an array. Raises as `Catalogue.payload`."""
    return catalogue.payload(name)[0] == ARRAY_FILE


class Summaries:
    """Summaries of stored arrays; what was read is remembered at the end of the ``with`` statement at the latest.

    Parameters
    ----------
    store : ReadableStore
        Whose arrays they are.
    """

    def __init__(self, store: ReadableStore) -> None:
        self._store = store
        self._new: dict[str, str] = {}
        self._read_since = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._remember()

    def of(self, catalogue: Catalogue, name: ConstantName) -> Summarised:
        """Return the summary of the data of a constant; they are read only where nobody did so before.

        Parameters
        ----------
        catalogue : Catalogue
            The commit to look at.
        name : ConstantName
            The constant.

        Returns
        -------
        Summarised
            Numbers per gain range and segment, in the unit of the constant.

        Raises
        ------
        UnknownConstantError
            If it is not there.
        InvalidOptionError
            If it is text.
        InvalidDataError
            If the bytes are not what their file name promises.
        DamagedObjectError, NotHereError
            If the data are missing or damaged.
        """
        file, entry = catalogue.payload(name)
        if file != ARRAY_FILE:
            path = f"{constant_folder(name)}/{file}"
            advice = f"calibvcs show {name}; who changed which line: git blame {path}"
            raise InvalidOptionError("constant", str(name), "it is text, which has no statistics", advice)
        meta, spec, detector = catalogue.metadata(name), constant_type(name.ctype), catalogue.detector(name.detector)
        key = _key(entry.id, detector.dims(spec, meta.shape), spec.array_kind)
        known = _decode(self._new.get(key) or self._store.derived.recall([key]).get(key, ""))
        if known is None:
            stored = stored_array(self._store, entry.id, f"{name}/{file}")
            dims = detector.dims(spec, stored.header.shape)
            known = _read(stored, dims, spec.array_kind)
            self._keep(_key(entry.id, dims, spec.array_kind), known)
        return Summarised(entry.id, meta, spec.array_kind, known)

    def _keep(self, key: str, summary: ArraySummary) -> None:
        pixels = sum(one.pixels for one in summary.gains)
        if pixels >= _WORTH_KEEPING:
            self._new[key] = _encode(summary)
            self._read_since += pixels
        if self._read_since >= _WORTH_WRITING:
            self._remember()

    def _remember(self) -> None:
        if self._new:
            self._store.derived.remember(self._new)
            self._new, self._read_since = {}, 0


def summary_of(catalogue: Catalogue, name: ConstantName) -> Summarised:
    """Return the summary of the data of one constant. Parameters and errors are those of `Summaries.of`."""
    with Summaries(catalogue.snapshot.store) as summaries:
        return summaries.of(catalogue, name)


def _read(stored: StoredArray, dims: tuple[str, ...], kind: ArrayKind) -> ArraySummary:
    """Read an array from its first to its last byte; no more than one gain range of it is in memory."""
    shape = stored.header.shape
    found = list(blocks(shape, dims))
    size = int(np.prod(shape, dtype=np.int64)) // len(found)
    pieces = stored.pieces(size)
    if not in_memory_order(dims):  # no detector has such
        array = np.concatenate([piece.copy() for piece in stored.pieces(size)]).reshape(shape)
        return summarise(array, dims=dims, kind=kind)
    gains: list[SegmentStatistics] = []
    looks: list[BlockSummary] = []
    many = size * len(found) >= _LARGE and len(found) > 1
    with _other_thread() if many else nullcontext() as pool:
        memory: NDArray[Any] | None = None
        for _, group in groupby(found, lambda block: block.gain):
            members = list(group)
            if memory is None:
                memory = np.empty((len(members), size), stored.dtype)
            some = list(_look(members, pieces, memory, shape, kind, pool))
            gains.append(gain_statistics([look.statistics for look in some], memory.reshape(-1)))
            looks += some
    next(pieces, None)  # the hash is checked when one more is asked for than there are
    return joined(gains, looks)


def _other_thread() -> AbstractContextManager[ThreadPoolExecutor]:
    from concurrent.futures import ThreadPoolExecutor  # small data need not pay for it

    return ThreadPoolExecutor(1, thread_name_prefix="calibvcs-summary")


def _look(
    members: list[Block],
    pieces: Iterator[NDArray[Any]],
    memory: NDArray[Any],
    shape: tuple[int, ...],
    kind: ArrayKind,
    pool: ThreadPoolExecutor | None,
) -> list[BlockSummary]:
    """Look at the blocks of a gain range while the next ones are read."""
    waiting: list[Future[BlockSummary]] = []
    looks: list[BlockSummary] = []
    for place, block in enumerate(members):
        np.copyto(memory[place], next(pieces))
        values = memory[place].reshape([n for n, where in zip(shape, block.where, strict=True) if where == slice(None)])
        if pool is None:
            looks.append(summarise_block(values, block, kind))
        else:
            waiting.append(pool.submit(summarise_block, values, block, kind))
    return looks or [future.result() for future in waiting]


def _key(blob: str, dims: tuple[str, ...], kind: ArrayKind) -> str:
    return f"{_FORMAT} {blob} {kind} {','.join(dims)}"


def _encode(summary: ArraySummary) -> str:
    rows = [[astuple(one) for one in some] for some in (summary.gains, summary.segments)]
    return json.dumps([*rows, summary.fingerprints], separators=(",", ":"))


def _decode(text: str) -> ArraySummary | None:
    """Return what was remembered; None where that is nothing, or nothing that can be understood."""
    try:
        gains, segments, fingerprints = json.loads(text)
        return ArraySummary(_rows(gains), _rows(segments), tuple(map(str, fingerprints)))
    except (ValueError, TypeError, AttributeError):
        return None


def _rows(kept: list[list[Any]]) -> tuple[SegmentStatistics, ...]:
    return tuple(SegmentStatistics(*[*row, {int(bit): n for bit, n in bits.items()}]) for *row, bits in kept)
