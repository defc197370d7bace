"""Names blocks of XTC2: what a Configure says about detectors, and about the fields of their data."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from calibvcs.sources.protocol import SourceDetector

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from calibvcs.sources.mapping import Bytes
    from calibvcs.sources.xtc2_datagrams import Xtc

_TEXT: Final = 256
_BLOCK: Final = struct.Struct("<256s256s256s256sII")
_COUNT: Final = 4
_FIELD: Final = struct.Struct("<256sI256sII")
_MOST_DIMS: Final = 5

CHARSTR, ENUMVAL, ENUMDICT = 10, 11, 12

CONFIG: Final = "config"
"""The algorithm whose fields say how a detector was configured; a detector without another one measures nothing."""

TYPES: Final = ("<u1", "<u2", "<u4", "<u8", "<i1", "<i2", "<i4", "<i8", "<f4", "<f8", "<u1", "<i4", "<i4")
"""The numpy type of each type of XTC2: 0-9 numbers, 10 text, 11 a value of an enumeration, 12 one of its labels."""

NOT_NORMAL: Final = frozenset({"epics", "scan", "step", "runinfo", "smdinfo", "chunkinfo"})
"""What stands among the detectors and is none: psana asks for no constants of it."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the data of a detector: its name, its type (0-12), and how many axes it has (0: one number)."""

    name: str
    kind: int
    rank: int
    enum: str = ""


@dataclass(frozen=True)
class Names:
    """One Names block: a segment of a detector, and what one algorithm (raw, config, fex ...) writes of it.

    There can be thousands of fields; they are read when they are needed.

    Attributes
    ----------
    key : int
        By which the data refer to it.
    detector : str
        Name of the detector in the experiment.
    dettype : str
        Type of the detector.
    serial : str
        Serial number of the segment.
    algorithm : str
        ``raw``, ``config``, ``fex`` ...
    version : tuple of int
        Of the algorithm: major, minor, micro.
    segment : int
        Number of the segment.
    data : Bytes
        What the block stands in.
    begin, end : int
        Where its fields stand.
    """

    key: int
    detector: str
    dettype: str
    serial: str
    algorithm: str
    version: tuple[int, int, int]
    segment: int
    data: Bytes
    begin: int
    end: int

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        """Fields in the order in which the data hold them.

        Raises
        ------
        InvalidDataError
            If a field has an unknown type or too many axes.
        """
        return tuple(_field(self.data, offset) for offset in range(self.begin, self.end, _FIELD.size))


def parse_names(data: Bytes, xtc: Xtc) -> Names:
    """Read a Names block.

    Parameters
    ----------
    data : Bytes
        Holds it.
    xtc : Xtc
        Where it is.

    Returns
    -------
    Names
        As it stands there; text ends at its first NUL, and control characters in it are replaced.

    Raises
    ------
    InvalidDataError
        If its size fits no number of fields.
    """
    begin = xtc.begin + _COUNT
    rest = xtc.end - begin - _BLOCK.size
    if rest < 0 or rest % _FIELD.size:
        size = xtc.end - xtc.begin
        raise data.broken(
            xtc.begin, f"a Names block of {size} bytes; it takes {_COUNT + _BLOCK.size}, and {_FIELD.size} a field"
        )
    dettype, detector, serial, algorithm, version, segment = _BLOCK.unpack_from(data.view, begin)
    parts = (version >> 16, version >> 8 & 255, version & 255)
    texts = (_text(detector), _text(dettype), _text(serial), _text(algorithm))
    return Names(xtc.key, *texts, parts, segment, data, begin + _BLOCK.size, xtc.end)


def detectors_of(streams: Iterable[Collection[Names]]) -> tuple[SourceDetector, ...]:
    """Return the detectors that the Names blocks of one Configure make up, or of one in each of several streams.

    The blocks of one segment may disagree about serial number and type; as in psana the first one counts.

    Parameters
    ----------
    streams : iterable of collection of Names
        Names blocks of each stream, in the order of its file.

    Returns
    -------
    tuple of SourceDetector
        In the order of their first blocks.
    """
    found: dict[str, list[dict[int, Names]]] = {}
    measuring: set[str] = set()
    for blocks in streams:
        for name, segments in segments_of(blocks).items():
            found.setdefault(name, []).append(segments)
        measuring |= {block.detector for block in blocks if block.algorithm != CONFIG}
    return tuple(_detector(name, parts, name in measuring) for name, parts in found.items())


def segments_of(blocks: Iterable[Names]) -> dict[str, dict[int, Names]]:
    """Return the first Names block of each segment of each detector."""
    found: dict[str, dict[int, Names]] = {}
    for block in blocks:
        found.setdefault(block.detector, {}).setdefault(block.segment, block)
    return found


def _detector(name: str, streams: list[dict[int, Names]], measuring: bool) -> SourceDetector:
    """Return a detector; its long name is made as psana makes it, and names a segment twice that two streams have."""
    last = {number: block for segments in streams for number, block in segments.items()}
    numbers = sorted(number for segments in streams for number in segments)
    dettype = next(reversed(streams[-1].values())).dettype
    longname = "_".join([dettype, *(last[number].serial for number in numbers)])
    ordered = tuple(sorted(last))
    serials = tuple(last[number].serial for number in ordered)
    return SourceDetector(name, dettype, longname, ordered, measuring and name not in NOT_NORMAL, serials)


def _field(data: Bytes, offset: int) -> Field:
    _, _, name, kind, rank = _FIELD.unpack_from(data.view, offset)
    if kind >= len(TYPES) or rank > _MOST_DIMS:
        reason = f"field {_text(name)!r} of type {kind} with {rank} axes; allowed are types 0-12 and {_MOST_DIMS} axes"
        raise data.broken(offset, reason)
    if kind == CHARSTR and rank != 1:
        raise data.broken(offset, f"text {_text(name)!r} with {rank} axes; text has one")
    label, _, enum = _text(name).partition(":") if kind in {ENUMVAL, ENUMDICT} else (_text(name), "", "")
    return Field(label, kind, rank, enum)


def _text(padded: bytes) -> str:
    """Return the text before the first NUL, as people can safely print it."""
    text = padded.partition(b"\0")[0].decode("utf-8", "replace")
    return text if text.isprintable() else "".join(char if char.isprintable() else "\ufffd" for char in text)
