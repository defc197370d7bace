"""The objects of a repository: the next copy is read where one is damaged, and none is ever hidden or taken on trust."""

from __future__ import annotations

import random
import subprocess
import sys
import time
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from dulwich.object_store import DiskObjectStore

from calibvcs.errors import DamagedObjectError
from calibvcs.store.objects.encoding import object_id
from calibvcs.store.objects.reading import ObjectReader
from tests.unit.store.packs_by_hand import delta, index_of, loose, many_of, whole, write_loose, write_pack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from calibvcs.store.objects.protocol import Verify

    Open = Callable[..., ObjectReader]

TEXT = b"".join(b"a line of text, number %d\n" % number for number in range(200))
NOISE = random.Random(5).randbytes(90_000)
MISSING = "ab" * 20
IDS = {content: object_id("blob", [content]) for content in (TEXT, NOISE)}


def never() -> DiskObjectStore:
    raise AssertionError("dulwich is not needed for this")


@pytest.fixture
def objects(tmp_path: Path) -> Path:
    for name in ("pack", "info"):
        (tmp_path / "objects" / name).mkdir(parents=True)
    return tmp_path / "objects"


@pytest.fixture
def reader(objects: Path) -> Iterator[Open]:
    """Return what opens a reader, and closes it in the end."""
    opened: list[ObjectReader] = []
    stores: list[DiskObjectStore] = []

    def open_reader(verify: Verify = "first", *, unusual: bool = False, folder: Path = objects) -> ObjectReader:
        def dulwich() -> DiskObjectStore:
            stores.append(DiskObjectStore(str(folder)))
            return stores[-1]

        opened.append(ObjectReader(folder, dulwich if unusual else never, verify))
        return opened[-1]

    yield open_reader
    for one in (*opened, *stores):
        one.close()


def into(reader: ObjectReader, wanted: str, size: int) -> bytes:
    out = bytearray(size)
    assert reader.read_into(wanted, 0, memoryview(out)) == "blob"
    return bytes(out)


def ways(reader: ObjectReader, content: bytes) -> list[bytes]:
    """Read a blob in every way."""
    wanted = object_id("blob", [content])
    head = reader.read_head(wanted, 10)
    assert head == ("blob", content[:10], len(content))
    assert reader.kind(wanted) == "blob"
    return [
        reader.read(wanted)[1],
        into(reader, wanted, len(content)),
        b"".join(map(bytes, reader.blocks(wanted, "blob", 0, 1000))),
    ]


# --- where objects are ------------------------------------------------------------------------------------------


def test_what_is_missing_is_told_and_dulwich_is_not_asked(objects: Path, reader: Open) -> None:
    write_pack(objects, [whole(TEXT)])
    one = reader()
    assert one.kind(MISSING) is None
    assert one.kind("v1.0") is None
    assert one.kind("../../etc/passwd") is None
    looks = (
        lambda: one.read(MISSING), lambda: one.read_head(MISSING, 5), lambda: one.read_into(MISSING, 0, memoryview(b"")),
        lambda: next(one.blocks(MISSING, "blob", 0, 5)), lambda: one.read("v1.0"),
    )  # fmt: skip
    for look in looks:
        with pytest.raises(DamagedObjectError, match=f"missing in {objects}"):
            look()


def test_packs_that_appear_and_vanish_are_followed(objects: Path, reader: Open) -> None:
    one = reader()
    assert one.kind(IDS[TEXT]) is None
    first, _ = write_pack(objects, [whole(TEXT)])
    assert ways(one, TEXT) == [TEXT] * 3
    write_pack(objects, [whole(NOISE), whole(TEXT)])
    for suffix in (".pack", ".idx"):
        first.with_suffix(suffix).unlink()
    assert ways(one, NOISE) == [NOISE] * 3
    assert ways(one, TEXT) == [TEXT] * 3
    loose(objects, b"later")
    assert ways(one, b"later") == [b"later"] * 3


def test_a_pack_that_vanishes_before_it_was_opened_is_not_needed(objects: Path, reader: Open) -> None:
    first, _ = write_pack(objects, [whole(TEXT)])
    one = reader()
    assert one.beginning_with(IDS[TEXT][:5]) == [IDS[TEXT]]  # its index is open, itself not
    write_pack(objects, [whole(TEXT), whole(NOISE)])
    for suffix in (".pack", ".idx"):
        first.with_suffix(suffix).unlink()
    assert ways(one, TEXT) == [TEXT] * 3


def test_what_a_clean_up_took_away_does_not_count_as_present(objects: Path, reader: Open) -> None:
    pack, _ = write_pack(objects, [whole(TEXT)])
    one = reader()
    assert one.elsewhere(IDS[TEXT]) == pack
    assert one.read(IDS[TEXT]) == ("blob", TEXT)
    pack.unlink()
    pack.with_suffix(".idx").unlink()
    assert one.elsewhere(IDS[TEXT]) is None
    loose(objects, TEXT)
    assert one.elsewhere(IDS[TEXT]) is None


def test_other_files_of_git_are_passed_over(objects: Path, reader: Open) -> None:
    pack, _ = write_pack(objects, [whole(TEXT)])
    for name in (".keep", ".bitmap", ".rev", ".mtimes", ".promisor"):
        pack.with_suffix(name).write_bytes(b"")
    for name in ("pack-half.idx", "tmp_pack_1", "tmp_idx_1", "multi-pack-index.lock", "pack-x.idx.lock"):
        (objects / "pack" / name).write_bytes(b"half of a file")
    (objects / "info/commit-graph").write_bytes(b"no commit graph")
    assert ways(reader(), TEXT) == [TEXT] * 3


def test_old_indexes_are_read_by_dulwich(objects: Path, reader: Open) -> None:
    write_pack(objects, [whole(TEXT), delta(TEXT, TEXT + b"1", by_id=True)], old=True)
    one = reader(unusual=True)
    for content in (TEXT, TEXT + b"1"):
        assert ways(one, content) == [content] * 3
    assert one.beginning_with(IDS[TEXT][:6]) == [IDS[TEXT]]
    assert one.elsewhere(IDS[TEXT]) is not None
    assert one.kind(MISSING) is None
    with pytest.raises(DamagedObjectError, match="missing in"):
        one.read(MISSING)


@pytest.mark.parametrize("where", ["loose", "packed"])
def test_borrowed_objects_are_read_and_count_as_present(
    tmp_path: Path, objects: Path, reader: Open, where: str
) -> None:
    middle, far = tmp_path / "middle/objects", tmp_path / "far/objects"
    (middle / "info").mkdir(parents=True)
    (middle / "info/alternates").write_text("../../far/objects\n")
    if where == "loose":
        loose(far, TEXT)
    else:
        write_pack(far, [whole(TEXT)])
    one = reader()
    assert one.kind(IDS[TEXT]) is None
    (objects / "info/alternates").write_text(f"{middle}\n")
    assert reader().beginning_with(IDS[TEXT][:4]) == [IDS[TEXT]]
    assert ways(one, TEXT) == [TEXT] * 3
    held = one.elsewhere(IDS[TEXT])
    assert held is not None
    assert far in held.resolve().parents
    assert one.beginning_with(IDS[TEXT][:4]) == [IDS[TEXT]]
    (objects / "info/alternates").unlink()
    assert one.kind(IDS[TEXT]) is None


def test_ids_are_found_by_how_they_begin_wherever_they_are(objects: Path, reader: Open) -> None:
    contents = [b"%d" % number for number in range(600)]
    write_pack(objects, [whole(content) for content in contents[:300]])
    write_pack(objects, [whole(content) for content in contents[200:400]])
    for content in contents[350:]:
        loose(objects, content)
    made, one = sorted(object_id("blob", [content]) for content in contents), reader()
    for length in (0, 1, 2, 3, 4, 40):
        for prefix in {wanted[:length] for wanted in made[:40]}:
            assert one.beginning_with(prefix) == [wanted for wanted in made if wanted.startswith(prefix)]
    assert one.beginning_with("zz") == []


# --- the index of many packs ------------------------------------------------------------------------------------


def many(objects: Path) -> dict[str, dict[str, int]]:
    """Write three packs and the index of them all."""
    packs = {}
    for number in range(3):
        path, offsets = write_pack(objects, [whole(b"%d" % other) for other in range(10 * number, 10 * number + 10)])
        packs[path.with_suffix(".idx").name] = offsets
    (objects / "pack/multi-pack-index").write_bytes(many_of(packs))
    return packs


def test_with_an_index_of_many_packs_the_others_are_not_opened(
    objects: Path, reader: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    many(objects)
    monkeypatch.setattr("calibvcs.store.packs.reading.PackIndex", None)
    one = reader()
    for number in range(30):
        assert ways(one, b"%d" % number) == [b"%d" % number] * 3
    assert one.kind(MISSING) is None


def test_an_outdated_index_of_many_packs_hides_nothing(objects: Path, reader: Open) -> None:
    packs = many(objects)
    write_pack(objects, [whole(TEXT)])
    gone = objects / "pack" / next(iter(packs))
    write_pack(objects, [whole(b"%d" % number) for number in range(10)], name="anew")
    for suffix in (".pack", ".idx"):
        gone.with_suffix(suffix).unlink()
    one = reader()
    for content in (TEXT, *(b"%d" % number for number in range(30))):
        assert ways(one, content) == [content] * 3


def test_a_damaged_index_of_many_packs_hides_nothing(objects: Path, reader: Open) -> None:
    packs = many(objects)
    file = objects / "pack/multi-pack-index"
    sound = file.read_bytes()
    wanted = sorted(one for offsets in packs.values() for one in offsets)[11]
    chance = random.Random(1)
    head = 12 + 12 * 5 + len("pack-.idx" * 3) + 40 * 3 + 4
    for place in {*range(head), *(chance.randrange(len(sound)) for _ in range(300))}:
        damaged = bytearray(sound)
        damaged[place] ^= chance.randint(1, 255)
        file.write_bytes(damaged)
        one = reader()
        assert object_id(*(lambda kind, content: (kind, [content]))(*one.read(wanted))) == wanted
        one.close()
    for place in range(0, len(sound), 29):
        file.write_bytes(sound[:place])
        one = reader()
        assert one.read(wanted)[0] == "blob"
        one.close()


# --- damage -----------------------------------------------------------------------------------------------------


def test_where_one_copy_is_damaged_the_next_one_is_read(tmp_path: Path, objects: Path, reader: Open) -> None:
    write_loose(objects, loose(objects, TEXT), b"damaged")
    broken, offsets = write_pack(objects, [whole(TEXT)], name="0")
    damaged = bytearray(broken.read_bytes())
    damaged[offsets[IDS[TEXT]] + 10] ^= 1
    broken.write_bytes(damaged)
    with pytest.raises(DamagedObjectError, match=IDS[TEXT]):
        reader().read(IDS[TEXT])
    loose(tmp_path / "other", TEXT)
    (objects / "info/alternates").write_text(f"{tmp_path / 'other'}\n")
    one = reader()
    assert one.read(IDS[TEXT]) == ("blob", TEXT)
    assert into(one, IDS[TEXT], len(TEXT)) == TEXT
    write_pack(objects, [whole(TEXT)], name="1")
    (objects / "info/alternates").unlink()
    assert into(reader(), IDS[TEXT], len(TEXT)) == TEXT


def test_no_flipped_byte_of_an_index_gives_wrong_bytes(objects: Path, reader: Open) -> None:
    pack, offsets = write_pack(objects, [whole(b"%d" % number) for number in range(30)], large_from=300)
    file = pack.with_suffix(".idx")
    sound, chance = file.read_bytes(), random.Random(1)
    wanted = sorted(offsets)[11]
    first = 8 + 4 * int(wanted[:2], 16)
    places = {*range(8), *range(first - 8, first + 8), *range(1024, 1032)}
    for place in {*places, *(chance.randrange(len(sound)) for _ in range(400))}:
        damaged = bytearray(sound)
        damaged[place] ^= chance.randint(1, 255)
        file.write_bytes(damaged)
        one = reader(unusual=True)
        try:
            kind, content = one.read(wanted)
            assert object_id(kind, [content]) == wanted
        except DamagedObjectError as error:
            assert error.object_id == wanted  # noqa: PT017 - most bytes belong to other objects
            assert file.name in str(error) or pack.name in str(error)  # noqa: PT017
        one.close()


@pytest.mark.parametrize("length", [0, 4, 8, 500, 1032, 1100, -60, -1])
def test_an_index_that_is_cut_short_is_told(objects: Path, reader: Open, length: int) -> None:
    pack, _ = write_pack(objects, [whole(TEXT), whole(NOISE)])
    file = pack.with_suffix(".idx")
    file.write_bytes(file.read_bytes()[:length])
    one = reader(unusual=True)
    with pytest.raises(DamagedObjectError, match=rf"{IDS[TEXT]}.*{file.name}"):
        one.read(IDS[TEXT])


def test_an_index_that_names_another_object_is_noticed(objects: Path, reader: Open) -> None:
    pack, offsets = write_pack(objects, [whole(TEXT), whole(NOISE)])
    swapped = dict(zip(offsets, reversed(offsets.values()), strict=True))
    pack.with_suffix(".idx").write_bytes(index_of(swapped, bytes(20)))
    for content in (TEXT, NOISE):
        with pytest.raises(DamagedObjectError, match=rf"{IDS[content]}.*{pack.name}.*hash"):
            reader().read(IDS[content])
        with pytest.raises(DamagedObjectError, match=rf"{IDS[content]}.*{pack.name}.*(hash|expected)"):
            into(reader(), IDS[content], len(content))


CLAIM = """
import resource, sys
from pathlib import Path
from calibvcs.errors import DamagedObjectError
from calibvcs.store.objects.reading import ObjectReader
resource.setrlimit(resource.RLIMIT_AS, (400 << 20, 400 << 20))
reader = ObjectReader(Path(sys.argv[1]), None)
for wanted in sys.argv[2:]:
    for look in (
        lambda: reader.read(wanted), lambda: reader.read_into(wanted, 0, memoryview(bytearray(900))),
        lambda: list(reader.blocks(wanted, "blob", 0, 1 << 20)), lambda: reader.read_head(wanted, 2000),
    ):
        try:
            look()
        except DamagedObjectError as error:
            print(error.object_id == wanted and sys.argv[1] in str(error))
"""


def test_a_claim_of_4_gigabytes_is_refused_in_little_memory(objects: Path) -> None:
    stream = zlib.compress(b"blob %d\0" % (4 << 30) + NOISE[:900], 0)
    write_loose(objects, "cd" * 20, stream)
    claims = whole(NOISE[:900], claimed=4 << 30)
    made = delta(TEXT, TEXT + b"1", by_id=True, claimed=4 << 30)
    write_pack(objects, [claims, whole(TEXT), made, whole(NOISE * 50)])
    command = [sys.executable, "-c", CLAIM, str(objects), "cd" * 20, claims.id, made.id]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.stdout.split(), done.stderr) == (["True"] * 12, "")


# --- checking ---------------------------------------------------------------------------------------------------


def consistent_lie(content: bytes) -> bytes:
    """Return a sound stream of another content of the same length."""
    return zlib.compress(b"blob %d\0" % len(content) + bytes([content[0] ^ 1]) + content[1:], 0)


def replace(path: Path, content: bytes) -> None:
    path.unlink()
    path.write_bytes(content)


@pytest.mark.parametrize("way", ["into", "blocks"])
@pytest.mark.parametrize(("verify", "noticed"), [("first", True), ("always", True), ("never", False)])
def test_when_the_hash_is_checked(objects: Path, reader: Open, verify: Verify, noticed: bool, way: str) -> None:
    write_loose(objects, loose(objects, NOISE), consistent_lie(NOISE))
    one = reader(verify)

    def look() -> bytes:
        if way == "into":
            return into(one, IDS[NOISE], len(NOISE))
        return b"".join(map(bytes, one.blocks(IDS[NOISE], "blob", 0, 4096)))

    for _ in range(2):
        if noticed:
            with pytest.raises(DamagedObjectError, match="hash"):
                look()
        else:
            assert look()[1:] == NOISE[1:]
    with pytest.raises(DamagedObjectError, match="hash"):
        one.read(IDS[NOISE])


@pytest.mark.parametrize("verify", ["first", "always", "never"])
@pytest.mark.parametrize("level", [0, 6])
def test_the_check_sum_of_a_stream_is_always_checked(objects: Path, reader: Open, verify: Verify, level: int) -> None:
    file = objects / loose(objects, NOISE, level=level)[:2] / IDS[NOISE][2:]
    one = reader(verify)
    assert into(one, IDS[NOISE], len(NOISE)) == NOISE
    damaged = bytearray(file.read_bytes())
    damaged[-1] ^= 1
    file.write_bytes(damaged)
    with pytest.raises(DamagedObjectError, match=rf"{file}"):
        into(one, IDS[NOISE], len(NOISE))
    with pytest.raises(DamagedObjectError, match=rf"{file}"):
        list(one.blocks(IDS[NOISE], "blob", 0, 4096))


def test_a_copy_is_hashed_once_and_another_copy_again(
    objects: Path, reader: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = objects / loose(objects, NOISE, level=0)[:2] / IDS[NOISE][2:]
    one, always = reader(), reader("always")
    for same in (one, always):
        assert into(same, IDS[NOISE], len(NOISE)) == NOISE
    hashed: list[str] = []
    monkeypatch.setattr("calibvcs.store.objects.opened.OpenedObject._hold", lambda self, _: hashed.append(self.file))
    for _ in range(3):
        into(one, IDS[NOISE], len(NOISE))
        list(one.blocks(IDS[NOISE], "blob", 7, 4096))
    assert hashed == []
    into(always, IDS[NOISE], len(NOISE))
    assert hashed == [str(file)]
    hashed.clear()
    time.sleep(0.01)
    replace(file, file.read_bytes())
    into(one, IDS[NOISE], len(NOISE))
    into(one, IDS[NOISE], len(NOISE))
    assert hashed == [str(file)]
    pack, _ = write_pack(objects, [whole(NOISE)])
    file.unlink()
    into(one, IDS[NOISE], len(NOISE))
    into(one, IDS[NOISE], len(NOISE))
    assert hashed == [str(file), str(pack)]


def test_blocks_that_are_not_read_to_the_end_count_as_not_checked(objects: Path, reader: Open) -> None:
    write_loose(objects, loose(objects, NOISE), consistent_lie(NOISE))
    one = reader()
    next(one.blocks(IDS[NOISE], "blob", 0, 4096))
    with pytest.raises(DamagedObjectError, match="hash"):
        into(one, IDS[NOISE], len(NOISE))


def test_blocks_of_another_kind_are_refused(objects: Path, reader: Open) -> None:
    write_pack(objects, [whole(TEXT), delta(TEXT, TEXT + b"1", by_id=True)])
    one = reader()
    for content in (TEXT, TEXT + b"1"):
        with pytest.raises(DamagedObjectError, match="it is a blob, not a tree"):
            next(one.blocks(object_id("blob", [content]), "tree", 0, 10))
        with pytest.raises(DamagedObjectError, match="wanted are those from"):
            next(one.blocks(object_id("blob", [content]), "blob", len(content) + 1, 10))


def test_files_are_given_back(objects: Path, reader: Open) -> None:
    def count() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    for number in range(20):
        write_pack(objects, [whole(b"%d" % number), whole(NOISE + b"%d" % number)])
    loose(objects, TEXT)
    before = count()
    one = reader()
    for number in range(20):
        ways(one, NOISE + b"%d" % number)
        next(one.blocks(object_id("blob", [NOISE + b"%d" % number]), "blob", 0, 10))
    ways(one, TEXT)
    assert count() <= before + 21
    one.close()
    assert count() == before
