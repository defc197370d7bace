"""Writes small valid XTC2 files, byte by byte from the description of the format; it shares no code with the reader."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

CONFIGURE, UNCONFIGURE, BEGIN_RUN, END_RUN, BEGIN_STEP, END_STEP, ENABLE, DISABLE, SLOW_UPDATE = range(2, 11)
L1_ACCEPT = 12
PARENT, SHAPES_DATA, SHAPES, DATA, NAMES = range(5)
CHARSTR, ENUMVAL, ENUMDICT = 10, 11, 12
CORRUPTED = 1 << 3
KINDS = {"u1": 0, "u2": 1, "u4": 2, "u8": 3, "i1": 4, "i2": 5, "i4": 6, "i8": 7, "f4": 8, "f8": 9}
LETTERS = {kind: letters for letters, kind in KINDS.items()} | {ENUMVAL: "i4", ENUMDICT: "i4"}


def stamp(unix: int, nanoseconds: int = 0) -> int:
    """Return the psana stamp of a time."""
    return unix - 631_152_000 << 32 | nanoseconds


@dataclass(frozen=True)
class Block:
    """A Names block: one algorithm of one segment; a field is (name, type, axes)."""

    key: int
    detector: str
    dettype: str
    serial: str
    fields: Sequence[tuple[str, int, int]] = ()
    algorithm: str = "raw"
    segment: int = 0
    version: tuple[int, int, int] = (0, 2, 0)


def xtc(kind: int, payload: bytes = b"", *, source: int = 0, damage: int = 0, extent: int | None = None) -> bytes:
    """Return an Xtc; `extent` lies about its size."""
    return struct.pack("<IHHI", source, damage, kind, len(payload) + 12 if extent is None else extent) + payload


def datagram(service: int, when: int, payload: bytes = b"", *, damage: int = 0, extent: int | None = None) -> bytes:
    """Return a datagram; `extent` lies about its size."""
    head = struct.pack("<III", when & 0xFFFFFFFF, when >> 32, service << 24)
    return head + xtc(PARENT, payload, damage=damage, extent=extent)


def names(block: Block) -> bytes:
    """Return the Xtc of a Names block; behind its texts stands garbage, as in real files."""
    arrays = sum(rank > 0 for _, _, rank in block.fields)
    major, minor, micro = block.version
    texts = b"".join(map(_padded, (block.dettype, block.detector, block.serial, block.algorithm)))
    payload = struct.pack("<I", arrays) + texts
    payload += struct.pack("<II", major << 16 | minor << 8 | micro, block.segment)
    for name, kind, rank in block.fields:
        payload += _padded("") + struct.pack("<I", 0) + _padded(name) + struct.pack("<II", kind, rank)
    return xtc(NAMES, payload, source=block.key)


def data(block: Block, values: Sequence[object], *, damage: int = 0, shapes_first: bool = True) -> bytes:
    """Return the ShapesData of a block: its values in the order of its fields."""
    shapes = packed = b""
    for (_, kind, rank), value in zip(block.fields, values, strict=True):
        if kind == CHARSTR:
            text = str(value).encode() + b"\0"
            text += b"\0" * (-len(text) % 4)
            shapes += struct.pack("<5I", len(text), 0, 0, 0, 0)
            packed += text
            continue
        array = np.asarray(value, "<" + LETTERS[kind])
        assert array.ndim == rank, (value, rank)
        if rank:
            shapes += struct.pack("<5I", *array.shape, *[0] * (5 - rank))
        packed += array.tobytes()
    parts = [xtc(SHAPES, shapes)] if shapes else []
    parts.insert(len(parts) if shapes_first else 0, xtc(DATA, packed))
    return xtc(SHAPES_DATA, b"".join(parts), source=block.key, damage=damage)


RUN_INFO = Block(
    0x1FF, "runinfo", "runinfo", "", [("expt", CHARSTR, 1), ("runnum", 2, 0)], "runinfo", version=(0, 0, 1)
)
CHUNK_INFO = Block(
    0x1FC, "chunkinfo", "chunkinfo", "", [("filename", CHARSTR, 1), ("chunkid", 2, 0)], "chunkinfo", version=(0, 0, 1)
)
SMALL = Block(
    0x20000, "smdinfo", "offset", "", [("intOffset", 3, 0), ("intDgramSize", 3, 0)], "offsetAlg", version=(0, 0, 0)
)


def raw_blocks(
    detector: str,
    dettype: str,
    serials: Sequence[str] | Mapping[int, str],
    *,
    kind: int = 1,
    axes: int = 2,
    first_key: int = 0x100,
) -> list[Block]:
    """Return one raw block a segment, with the fields ``raw`` (an array) and ``frame_cnt``."""
    numbered = serials if isinstance(serials, Mapping) else dict(enumerate(serials))
    fields = [("raw", kind, axes), ("frame_cnt", 3, 0)]
    return [
        Block(first_key + n, detector, dettype, serial, fields, segment=segment)
        for n, (segment, serial) in enumerate(numbered.items())
    ]


def begin_run(when: int, experiment: str | None, run: int = 0) -> bytes:
    """Return BeginRun; without an experiment, one of a stream that does not tell."""
    return datagram(BEGIN_RUN, when, data(RUN_INFO, [experiment, run]) if experiment is not None else b"")


def head(blocks: Iterable[Block], experiment: str | None, run: int, begin: int, *, with_run: bool = True) -> bytes:
    """Return Configure, and BeginRun a second later."""
    configure = datagram(CONFIGURE, begin - (1 << 32), b"".join(map(names, [*blocks, RUN_INFO, CHUNK_INFO])))
    return configure + (begin_run(begin, experiment, run) if with_run else b"")


def event(when: int, blocks: Sequence[Block], frames: Sequence[np.ndarray], count: int = 0) -> bytes:
    """Return an L1Accept with one frame a block."""
    return datagram(L1_ACCEPT, when, b"".join(data(b, [f, count]) for b, f in zip(blocks, frames, strict=True)))


def write_run(
    path: Path,
    *,
    experiment: str | None = "mfx101332224",
    run: int = 7,
    begin: int = 1_767_225_600,
    detectors: Mapping[str, tuple[str, Sequence[str] | Mapping[int, str]]] | None = None,
    frames: int = 3,
    shape: tuple[int, ...] = (4, 6),
    end: bool = True,
) -> Path:
    """Write a whole run: Configure, BeginRun, Enable, events a second apart, Disable, EndRun.

    Parameters
    ----------
    path : Path
        The file; its folder is made.
    experiment, run, begin
        As BeginRun tells them; `begin` in UNIX seconds. Without an experiment this stream does not tell.
    detectors : mapping
        (detType, detId of every segment) by name; a jungfrau with one segment if it is left out.
    frames : int
        Number of events. The frame of event e, detector d, segment s is e * 1000 + d * 100 + s, plus its pixel number.
    shape : tuple of int
        Of a segment.
    end : bool
        Whether the run has ended.
    """
    detectors = detectors if detectors is not None else {"jungfrau": ("jungfrau", ["serial-1"])}
    blocks: list[tuple[int, Block]] = []
    for number, (name, (dettype, serials)) in enumerate(detectors.items()):
        made = raw_blocks(name, dettype, serials, axes=len(shape), first_key=0x100 + len(blocks))
        blocks += [(number, block) for block in made]
    plain = [block for _, block in blocks]
    content = head(plain, experiment, run, stamp(begin)) + datagram(ENABLE, stamp(begin, 5))
    for e in range(frames):
        values = [frame(e, number, block.segment, shape) for number, block in blocks]
        content += event(stamp(begin + 1 + e, 250), plain, values, e)
    if end:
        content += datagram(DISABLE, stamp(begin + frames + 1)) + datagram(END_RUN, stamp(begin + frames + 2))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def frame(number: int, detector: int, segment: int, shape: tuple[int, ...]) -> np.ndarray:
    """Return what `write_run` writes for a segment."""
    return (np.arange(np.prod(shape)).reshape(shape) + number * 1000 + detector * 100 + segment).astype(np.uint16)


def small_data(content: bytes) -> bytes:
    """Return small data of a file: transitions copied, events replaced by where they stand in it."""
    out, offset = b"", 0
    while offset < len(content):
        nanoseconds, seconds, env = struct.unpack_from("<III", content, offset)
        size = 12 + struct.unpack_from("<I", content, offset + 20)[0]
        whole = content[offset : offset + size]
        service, when = env >> 24, seconds << 32 | nanoseconds
        if service == CONFIGURE:
            whole = datagram(CONFIGURE, when, names(SMALL) + whole[24:])
        elif service == L1_ACCEPT:
            whole = datagram(L1_ACCEPT, when, data(SMALL, [offset, size]))
        out += whole
        offset += size
    return out


def _padded(text: str) -> bytes:
    """Return a text in 256 bytes, with garbage behind its NUL."""
    return (text.encode() + b"\0").ljust(256, b"x")
