"""What a push brings is seen beside what stands there, and weighed without being inflated."""

from __future__ import annotations

import os
import subprocess
import zlib
from pathlib import Path

import pytest

from calibvcs.errors import DamagedObjectError
from calibvcs.store.objects.encoding import object_id
from calibvcs.store.quarantine import IncomingStore, incoming_folder


@pytest.fixture
def server(tmp_path: Path) -> Path:
    folder = tmp_path / "server.git"
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", folder], check=True)
    (folder / "objects" / "incoming" / "pack").mkdir(parents=True)
    return folder


def written(objects: Path, content: bytes, kind: str = "blob") -> str:
    name = object_id(kind, [content])
    path = objects / name[:2] / name[2:]
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(zlib.compress(f"{kind} {len(content)}\0".encode() + content))
    return name


def test_what_comes_in_is_told_from_what_stood_there(server: Path, tmp_path: Path) -> None:
    lender = tmp_path / "lender"
    subprocess.run(["git", "init", "-q", "--bare", lender], check=True)
    (server / "objects" / "info" / "alternates").write_text(f"{lender}/objects\n")
    old, new, lent = (
        written(folder, text)
        for folder, text in (
            (server / "objects", b"old"), (server / "objects" / "incoming", b"new"), (lender / "objects", b"lent"),
        )
    )  # fmt: skip
    environment = {"GIT_OBJECT_DIRECTORY": f"{server}/./objects/incoming"}
    with IncomingStore(server, incoming_folder(environment)) as store:
        assert [store.blob(name) for name in (old, new, lent)] == [b"old", b"new", b"lent"]
        assert [store.is_stored(name) for name in (old, new, lent, "0" * 40)] == [True, False, True, False]
        assert store.size(new) == ("blob", 3)
    with IncomingStore(server, incoming_folder({})) as store:
        assert store.is_stored(old)
        assert store.kind(new) is None


def test_a_pack_that_comes_in_is_read_with_its_deltas(server: Path) -> None:
    base = b"".join(b"%d\n" % number for number in range(5000))
    contents = [base, base[:3000] + b"other" + base[3000:], b"small"]
    names = [written(server / "objects", content) for content in contents]
    command = ["git", "-C", server, "pack-objects", "-q", "--window=10", server / "objects/incoming/pack/pack"]
    subprocess.run(command, input="\n".join(names).encode() + b"\n", check=True, capture_output=True)
    for name in names:
        (server / "objects" / name[:2] / name[2:]).unlink()
    with IncomingStore(server, server / "objects" / "incoming") as store:
        assert [store.size(name) for name in names] == [("blob", len(content)) for content in contents]
        assert not store.is_stored(names[0])
        for name, content in zip(names, contents, strict=True):
            assert store.content(name, 1 << 20) == ("blob", content)
        subprocess.run(
            ["git", "-C", server, "verify-pack", *(server / "objects/incoming/pack").glob("*.idx")], check=True
        )


def test_what_is_too_large_is_not_inflated(server: Path) -> None:
    """Of eight gigabytes there are only the first bytes: whoever reads on gets an error."""
    size, name = 8 << 30, "12" + "3" * 38
    path = server / "objects" / "incoming" / name[:2] / name[2:]
    path.parent.mkdir()
    stream = zlib.compressobj()
    head = stream.compress(f"blob {size}\0".encode() + bytes(1 << 16)) + stream.flush(zlib.Z_SYNC_FLUSH)
    path.write_bytes(head)
    os.truncate(path, 16 << 20)
    with IncomingStore(server, server / "objects" / "incoming") as store:
        assert store.size(name) == ("blob", size)
        with pytest.raises(DamagedObjectError, match=f"it is a blob of {size} bytes; at most 1000 are read"):
            store.content(name, 1000)


def test_what_is_not_there_is_told(server: Path) -> None:
    with (
        IncomingStore(server, server / "objects" / "incoming") as store,
        pytest.raises(DamagedObjectError, match="missing"),
    ):
        store.size("0" * 40)
