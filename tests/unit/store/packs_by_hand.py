"""Packs and their indexes made byte for byte as Git documents them, so that any byte may be wrong on purpose."""

from __future__ import annotations

import hashlib
import os
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

from calibvcs.store.objects.encoding import object_id

NUMBERS = {"commit": 1, "tree": 2, "blob": 3, "tag": 4}


@dataclass(frozen=True)
class Entry:
    """An object in a pack: its id and the bytes of its entry; that of a delta on an offset depends on where it is."""

    id: str
    head: bytes
    stream: bytes
    base: str = ""


def varint(size: int, first_bits: int = 7, first: int = 0) -> bytes:
    made = bytearray([first | (size & ((1 << first_bits) - 1))])
    size >>= first_bits
    while size:
        made[-1] |= 0x80
        made.append(size & 0x7F)
        size >>= 7
    return bytes(made)


def whole(content: bytes, kind: str = "blob", *, claimed: int | None = None, level: int = -1) -> Entry:
    size = len(content) if claimed is None else claimed
    stream = zlib.compress(content, level)
    return Entry(object_id(kind, [content]), varint(size, 4, NUMBERS[kind] << 4), stream)


def delta_of(base: bytes, content: bytes, *, claimed: int | None = None) -> bytes:
    """Make a delta: what both begin with is copied, the rest is new."""
    same = len(os.path.commonprefix([base, content]))  # noqa: RUF071 - of bytes
    made = varint(len(base)) + varint(len(content) if claimed is None else claimed)
    for begin in range(0, same, 0xFFFF):
        made += struct.pack("<BIH", 0x80 | 0x0F | 0x30, begin, min(0xFFFF, same - begin))
    for begin in range(same, len(content), 127):
        piece = content[begin : begin + 127]
        made += bytes([len(piece)]) + piece
    return made


def delta(base: bytes, content: bytes, *, by_id: bool, kind: str = "blob", claimed: int | None = None) -> Entry:
    """Make an entry that is a delta of another object of the pack."""
    data, named = delta_of(base, content, claimed=claimed), object_id(kind, [base])
    head = varint(len(data), 4, (7 if by_id else 6) << 4) + (bytes.fromhex(named) if by_id else b"")
    return Entry(object_id(kind, [content]), head, zlib.compress(data), "" if by_id else named)


def distance(back: int) -> bytes:
    made = [back & 0x7F]
    while back := back >> 7:
        back -= 1
        made.append(0x80 | (back & 0x7F))
    return bytes(reversed(made))


def fanned(ids: list[str]) -> bytes:
    return struct.pack(">256I", *(sum(int(one[:2], 16) <= first for one in ids) for first in range(256)))


def index_of(offsets: dict[str, int], pack_sum: bytes, large_from: int = 1 << 31) -> bytes:
    ids = sorted(offsets)
    large = [offsets[one] for one in ids if offsets[one] >= large_from]
    short = [offsets[one] if offsets[one] < large_from else 1 << 31 | large.index(offsets[one]) for one in ids]
    body = b"\xfftOc\x00\x00\x00\x02" + fanned(ids) + b"".join(map(bytes.fromhex, ids)) + bytes(4 * len(ids))
    body += struct.pack(f">{len(ids)}I", *short) + struct.pack(f">{len(large)}Q", *large) + pack_sum
    return body + hashlib.sha1(body, usedforsecurity=False).digest()


def old_index_of(offsets: dict[str, int], pack_sum: bytes) -> bytes:
    ids = sorted(offsets)
    body = fanned(ids) + b"".join(struct.pack(">I", offsets[one]) + bytes.fromhex(one) for one in ids) + pack_sum
    return body + hashlib.sha1(body, usedforsecurity=False).digest()


def many_of(packs: dict[str, dict[str, int]], large_from: int = 1 << 31) -> bytes:
    names = sorted(packs)
    places = {one: (number, packs[name][one]) for number, name in enumerate(names) for one in packs[name]}
    ids = sorted(places)
    large = [offset for one in ids if (offset := places[one][1]) >= large_from]
    rows = [(pack, offset if offset < large_from else 1 << 31 | large.index(offset)) for pack, offset in
            (places[one] for one in ids)]  # fmt: skip
    listed = b"".join(name.encode() + b"\0" for name in names)
    parts = {
        b"PNAM": listed + bytes(-len(listed) % 4),
        b"OIDF": fanned(ids),
        b"OIDL": b"".join(map(bytes.fromhex, ids)),
        b"OOFF": b"".join(struct.pack(">II", *row) for row in rows),
    }
    if large:
        parts[b"LOFF"] = struct.pack(f">{len(large)}Q", *large)
    position = 12 + 12 * (len(parts) + 1)
    table = b""
    for name, part in parts.items():
        table += struct.pack(">4sQ", name, position)
        position += len(part)
    body = struct.pack(">4sBBBBI", b"MIDX", 1, 1, len(parts), 0, len(names)) + table
    body += struct.pack(">4sQ", bytes(4), position) + b"".join(parts.values())
    return body + hashlib.sha1(body, usedforsecurity=False).digest()


def write_pack(
    objects: Path, entries: list[Entry], *, name: str = "", large_from: int = 1 << 31, old: bool = False
) -> tuple[Path, dict[str, int]]:
    """Write a pack and its index; return its path and where everything begins."""
    body, offsets = struct.pack(">4sII", b"PACK", 2, len(entries)), {}
    for entry in entries:
        offsets[entry.id] = len(body)
        back = distance(len(body) - offsets[entry.base]) if entry.base else b""
        body += entry.head + back + entry.stream
    pack_sum = hashlib.sha1(body, usedforsecurity=False).digest()
    path = objects / "pack" / f"pack-{name or pack_sum.hex()}.pack"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body + pack_sum)
    index = old_index_of(offsets, pack_sum) if old else index_of(offsets, pack_sum, large_from)
    path.with_suffix(".idx").write_bytes(index)
    return path, offsets


def write_loose(objects: Path, wanted: str, stream: bytes) -> Path:
    """Put a file where an object of this id would stand."""
    path = objects / wanted[:2] / wanted[2:]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.write_bytes(stream)
    return path


def loose(objects: Path, content: bytes, kind: str = "blob", level: int = -1) -> str:
    """Write a loose object and return its id."""
    made = object_id(kind, [content])
    write_loose(objects, made, zlib.compress(f"{kind} {len(content)}\0".encode() + content, level))
    return made
