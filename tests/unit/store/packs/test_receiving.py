"""Packs that come in: sound ones are kept as they are, and of damaged or lying ones nothing."""

from __future__ import annotations

import hashlib
import itertools
import random
import struct
import tracemalloc
import zlib
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from calibvcs.errors import DamagedPackError
from calibvcs.store.objects.encoding import object_id
from calibvcs.store.objects.reading import ObjectReader
from calibvcs.store.packs.delta_resolving import DeltaResolver
from calibvcs.store.packs.receiving import PackReceiver, Received
from tests.unit.store.packs_by_hand import Entry, delta, distance, varint, whole, write_pack

NOISE = random.Random(3).randbytes(300_000)
PEOPLE = b"author A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n\nx\n"


def pack_of(entries: list[Entry], *, claimed: int | None = None) -> bytes:
    body, offsets = struct.pack(">4sII", b"PACK", 2, len(entries) if claimed is None else claimed), {}
    for entry in entries:
        offsets[entry.id] = len(body)
        back = distance(len(body) - offsets[entry.base]) if entry.base else b""
        body += entry.head + back + entry.stream
    return body + hashlib.sha1(body, usedforsecurity=False).digest()


def receive(
    objects: Path,
    data: bytes,
    *,
    pieces: int = 65_515,
    here: dict[str, tuple[str, bytes]] | None = None,
    promised: bool = False,
) -> Received:
    here = here or {}
    with PackReceiver(objects, "test", here.get, here.__contains__, promised=promised) as receiver:
        for begin in range(0, len(data), pieces):
            receiver.write(data[begin : begin + pieces])
        return receiver.finish()


def reader(objects: Path) -> ObjectReader:
    def fallback() -> None:
        raise AssertionError("nothing unusual is here")

    return ObjectReader(objects, fallback)  # type: ignore[arg-type]


def files(objects: Path) -> list[str]:
    return sorted(path.name for path in (objects / "pack").iterdir())


def family(kind: str = "blob") -> tuple[list[Entry], dict[str, bytes]]:
    """Return a base, deltas of it in both forms, and deltas of these."""
    one, two = NOISE[:5000], NOISE[:4000] + b"two"
    three, four = two + b"three", NOISE[:4000] + b"twfour"
    entries = [
        delta(two, three, by_id=True, kind=kind), whole(one, kind), delta(one, two, by_id=False, kind=kind),
        delta(two, four, by_id=False, kind=kind),
    ]  # fmt: skip
    return entries, {object_id(kind, [content]): content for content in (one, two, three, four)}


@pytest.mark.parametrize("pieces", [1, 7, 4096, 1 << 20])
def test_a_pack_is_kept_byte_for_byte_and_all_of_it_can_be_read(tmp_path: Path, pieces: int) -> None:
    entries, contents = family()
    entries += [whole(b""), whole(NOISE[:20_000], level=0), whole(bytes(200_000))]
    contents |= {object_id("blob", [content]): content for content in (b"", NOISE[:20_000], bytes(200_000))}
    data = pack_of(entries)
    received = receive(tmp_path, data, pieces=pieces)
    assert received.pack
    assert received == Received(received.pack, len(contents), len(data))
    assert received.pack.read_bytes() == data
    assert received.pack.name == f"pack-{data[-20:].hex()}.pack"
    found = reader(tmp_path)
    assert {one: found.read(one) for one in contents} == {one: ("blob", content) for one, content in contents.items()}
    found.close()
    assert len(files(tmp_path)) == 2


def test_the_index_is_the_one_that_git_documents(tmp_path: Path) -> None:
    entries, _ = family()
    path, offsets = write_pack(tmp_path / "by-hand", [entries[1], entries[2], entries[0], entries[3]])
    received = receive(tmp_path / "received", path.read_bytes())
    assert received.pack
    mine, documented = received.pack.with_suffix(".idx").read_bytes(), path.with_suffix(".idx").read_bytes()
    count = len(offsets)
    crcs = 8 + 1024 + 20 * count
    assert mine[:crcs] == documented[:crcs]
    assert mine[crcs + 4 * count : -20] == documented[crcs + 4 * count : -20]
    ordered = sorted(offsets)
    ends = sorted([*offsets.values(), len(path.read_bytes()) - 20])
    for number, one in enumerate(ordered):
        end = ends[ends.index(offsets[one]) + 1]
        crc = int.from_bytes(mine[crcs + 4 * number : crcs + 4 * number + 4])
        assert crc == zlib.crc32(path.read_bytes()[offsets[one] : end])


def test_a_thin_pack_is_completed_with_the_bases_that_are_here(tmp_path: Path) -> None:
    base, new, newer = NOISE[:5000], NOISE[:4000] + b"new", NOISE[:4000] + b"newer"
    here = {object_id("blob", [base]): ("blob", base)}
    data = pack_of([delta(base, new, by_id=True), delta(new, newer, by_id=True)])
    received = receive(tmp_path, data, here=here)
    assert received.objects == 3
    assert received.pack
    kept = received.pack.read_bytes()
    assert kept[-20:] == hashlib.sha1(kept[:-20], usedforsecurity=False).digest()
    assert struct.unpack(">I", kept[8:12]) == (3,)
    found = reader(tmp_path)
    for content in (base, new, newer):
        assert found.read(object_id("blob", [content])) == ("blob", content)
    found.close()


@pytest.mark.parametrize("salt", range(6))
def test_bases_are_found_in_whatever_order_their_ids_are(tmp_path: Path, salt: int) -> None:
    """A base that is itself made of one that is only here must not be looked for here."""
    contents = [NOISE[salt : 4000 + salt] + b"%d" % number for number in range(8)]
    here = {object_id("blob", [contents[0]]): ("blob", contents[0])}
    chain = [delta(one, other, by_id=True) for one, other in itertools.pairwise(contents)]
    received = receive(tmp_path, pack_of(chain[::-1]), here=here)
    assert received.objects == 8
    found = reader(tmp_path)
    for content in contents:
        assert found.read(object_id("blob", [content])) == ("blob", content)
    found.close()


def test_an_empty_pack_and_no_pack_leave_nothing(tmp_path: Path) -> None:
    assert receive(tmp_path, pack_of([])).pack is None
    assert receive(tmp_path, b"") == Received(None, 0, 0)
    assert files(tmp_path) == []


def test_what_a_pack_refers_to_must_be_there_but_promised_blobs(tmp_path: Path) -> None:
    blob = whole(b"data")
    tree_data = b"100644 f\0" + bytes.fromhex(blob.id)
    tree = whole(tree_data, "tree")
    commit = whole(f"tree {tree.id}\n".encode() + PEOPLE, "commit")
    assert receive(tmp_path / "whole", pack_of([commit, tree, blob])).objects == 3
    for lacking, missing in (([commit, tree], blob.id), ([commit, blob], tree.id)):
        with pytest.raises(DamagedPackError, match=missing):
            receive(tmp_path / "lacking", pack_of(lacking))
    assert receive(tmp_path / "here", pack_of([commit, tree]), here={blob.id: ("blob", b"data")}).objects == 2
    assert receive(tmp_path / "promised", pack_of([commit, tree]), promised=True).objects == 2
    assert [Path(name).suffix for name in files(tmp_path / "promised")] == [".idx", ".pack", ".promisor"]
    with pytest.raises(DamagedPackError, match=tree.id):
        receive(tmp_path / "lacking", pack_of([commit, blob]), promised=True)
    assert files(tmp_path / "lacking") == []


def bomb() -> list[Entry]:
    """Return deltas that make 64 times as much of their base, and so on: 4 kB, 256 kB, 16 MB, 1 GB."""
    entries, size, named = [whole(bytes(4096))], 4096, object_id("blob", [bytes(4096)])
    for _ in range(3):
        data = varint(size) + varint(64 * size)
        step = min(size, 0xFFFFFF)
        for _ in range(64 * size // step):
            data += struct.pack("<BI", 0x80 | 0x0F | 0x70, 0) + step.to_bytes(3, "little")
        head = varint(len(data), 4, 7 << 4) + bytes.fromhex(named)
        size *= 64
        named = object_id("blob", [bytes(size)]) if size < 1 << 28 else "0" * 40
        entries.append(Entry(named, head, zlib.compress(data)))
    return entries


GOOD = pack_of([whole(b"one"), whole(NOISE[:3000]), whole(b"three")])
BASE = NOISE[:3000]


def resummed(data: bytes) -> bytes:
    return data[:-20] + hashlib.sha1(data[:-20], usedforsecurity=False).digest()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (GOOD[:-1], "cut short"), (GOOD[:-21], "cut short"), (GOOD[:40], "cut short"), (GOOD[:11], "cut short"),
        (GOOD + b"!", "behind its end"), (GOOD[:-1] + bytes([GOOD[-1] ^ 1]), "check sum"), (b"KCAP" + GOOD[4:], "begin like a pack"),
        (b"PACK" + struct.pack(">II", 9, 3) + GOOD[12:], "begin like a pack"),
        (resummed(GOOD[:50] + b"\xff\xff" + GOOD[52:]), "inflated|claims"),
        (pack_of([whole(b"one")], claimed=2), "cut short|no objects|inflated|no base|claims"),
        (pack_of([whole(b"one")], claimed=0xFFFFFFFF), "cut short|no objects|inflated|no base|claims"),
        (pack_of([whole(b"one"), whole(b"two")], claimed=1), "behind its end"),
        (pack_of([whole(b"one", claimed=2)]), "claims 2 bytes and holds 3"), (pack_of([whole(b"one", claimed=4)]), "claims 4 bytes and holds 3"),
        (pack_of([whole(b"one", claimed=4 << 30)]), "claims 4294967296 bytes"), (pack_of([whole(b"one", claimed=1 << 62)]), "claims"),
        (pack_of([whole(b"", "tree", claimed=4 << 30)]), "a tree claims"), (pack_of([whole(b"x", "tree")]), "malformed"),
        (pack_of([whole(bytes(100_000_000), claimed=10)]), "claims 10 bytes"),
        (pack_of([Entry("", varint(3, 4, 5 << 4), zlib.compress(b"one"))]), "no objects of kind 5"),
        (pack_of([Entry("", varint(3, 4, 0), zlib.compress(b"one"))]), "no objects of kind 0"),
        (pack_of([Entry("", b"\xb0" + b"\x80" * 40, b"")]), "size that nothing has"),
        (pack_of([Entry("", varint(4, 4, 6 << 4) + b"\x7f", zlib.compress(b"one!"))]), "no base"),
        (pack_of([Entry("", varint(4, 4, 6 << 4) + b"\0", zlib.compress(b"one!"))]), "no base"),
        (pack_of([Entry("", varint(4, 4, 6 << 4) + b"\xff" * 30, zlib.compress(b"one!"))]), "no base"),
        (pack_of([whole(b"base"), Entry("", varint(4, 4, 6 << 4) + b"\x03", zlib.compress(b"one!"))]), "no base"),
        (pack_of([delta(BASE, b"new", by_id=True)]), "neither in it nor here"),
        (pack_of([whole(BASE), delta(BASE, b"new", by_id=True, claimed=5)]), "promises 5 bytes"),
        (pack_of([whole(BASE), delta(BASE, b"new", by_id=True, claimed=4 << 30)]), "makes 4294967296"),
        (pack_of([whole(BASE), Entry("", varint(4 << 30, 4, 7 << 4) + bytes.fromhex(whole(BASE).id), zlib.compress(b"x"))]), "a delta claims"),
        (pack_of([whole(b"one"), whole(b"one")]), "twice"), (pack_of([whole(BASE), whole(b"x"), delta(BASE, b"x", by_id=True)]), "twice"),
        (pack_of(bomb()), "makes 1073741824"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_of_a_damaged_or_lying_pack_nothing_is_kept_and_little_memory_is_taken(
    tmp_path: Path, data: bytes, reason: str
) -> None:
    (tmp_path / "pack").mkdir()
    tracemalloc.start()
    try:
        with pytest.raises(DamagedPackError, match=reason):
            receive(tmp_path, data)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < 70 << 20
    assert files(tmp_path) == []


def test_deltas_that_go_round_in_a_circle_are_refused(tmp_path: Path) -> None:
    one, two = NOISE[:300], NOISE[:200]
    with pytest.raises(DamagedPackError, match="neither in it nor here"):
        receive(tmp_path, pack_of([delta(one, two, by_id=True), delta(two, one, by_id=True)]))


def test_a_blob_of_any_size_goes_through_in_pieces(tmp_path: Path) -> None:
    stored, small = whole(bytes(64 << 20), level=0), whole(bytes(64 << 20) + b"!")
    data = pack_of([stored, small])
    with PackReceiver(tmp_path, "test", lambda _: None, lambda _: False) as receiver:
        tracemalloc.start()
        try:
            for begin in range(0, len(data), 65_515):
                receiver.write(data[begin : begin + 65_515])
            most = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert receiver.finish().objects == 2
    assert most < 8 << 20


def test_a_long_chain_of_large_deltas_holds_few_of_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("calibvcs.store.packs.delta_resolving._HELD", 1 << 20)
    versions = [NOISE + str(number).encode() * (number + 1) for number in range(12)]
    branches = [version + b"branch" for version in versions]
    entries = [whole(versions[0])]
    entries += [delta(old, new, by_id=True) for old, new in pairwise(versions)]
    entries += [delta(old, new, by_id=True) for old, new in zip(versions, branches, strict=True)]
    dropped = []
    drop = DeltaResolver._drop
    monkeypatch.setattr(DeltaResolver, "_drop", lambda self, chain: (drop(self, chain), dropped.append(self._held))[0])
    received = receive(tmp_path, pack_of(entries))
    assert received.objects == 24
    assert max(dropped) < 2 << 20
    found = reader(tmp_path)
    for content in (*versions, *branches):
        assert found.read(object_id("blob", [content])) == ("blob", content)
    found.close()


def test_what_progress_raises_ends_the_transfer_and_leaves_nothing(tmp_path: Path) -> None:
    seen = []

    def progress(size: int) -> None:
        seen.append(size)
        if size > 200:
            raise KeyboardInterrupt

    def send() -> None:
        with PackReceiver(tmp_path, "test", lambda _: None, lambda _: False, progress=progress) as receiver:
            for begin in range(0, len(GOOD), 100):
                receiver.write(GOOD[begin : begin + 100])

    with pytest.raises(KeyboardInterrupt):
        send()
    assert seen == [100, 200, 300]
    assert files(tmp_path) == []


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_damaged_byte_gets_in(tmp_path: Path, data: st.DataObject) -> None:
    entries, _ = family()
    pack = bytearray(pack_of([*entries, whole(b"x" * 500), whole(NOISE[:900], level=0)]))
    place = data.draw(st.integers(0, len(pack) - 1))
    pack[place] ^= data.draw(st.integers(1, 255))
    if data.draw(st.booleans()):
        pack = bytearray(resummed(bytes(pack)))
    objects = tmp_path / "objects"
    try:
        received = receive(objects, bytes(pack), pieces=data.draw(st.sampled_from([50, 1000, 100_000])))
    except DamagedPackError:
        assert not any(path.name.startswith("tmp") for path in (objects / "pack").iterdir())
        return
    assert bytes(pack) == resummed(bytes(pack)), "only a pack with its own check sum is taken"
    assert received.pack
    found = reader(objects)
    offsets = received.pack.with_suffix(".idx").read_bytes()
    for number in range(received.objects):
        one = offsets[8 + 1024 + 20 * number :][:20].hex()
        assert found.read(one)
    found.close()
    for path in (objects / "pack").iterdir():
        path.unlink()
