"""Objects both ways: C Git accepts and packs what is written here, and all that it makes of them is read."""

from __future__ import annotations

import io
import random
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from calibvcs.errors import CalibvcsError
from calibvcs.model.commits import Signature
from calibvcs.store.git import GitStore
from calibvcs.store.initialise import initialise
from calibvcs.store.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterable

WHO = Signature("Grace Hopper", "grace@example.org", 1_767_225_600, 60)
CHANCE = random.Random(4)
NOISE = CHANCE.randbytes(1_300_000)


def git(folder: Path, *arguments: str | Path, stdin: bytes = b"") -> bytes:
    command = ["git", "-c", "protocol.file.allow=always", "-C", folder, *arguments]
    done = subprocess.run(command, input=stdin, capture_output=True)
    assert done.returncode == 0, f"git {arguments}: {done.stdout!r}{done.stderr!r}"
    return done.stdout


def fsck(folder: Path) -> None:
    done = subprocess.run(["git", "-C", folder, "fsck", "--strict", "--full"], capture_output=True, text=True)
    complaints = [line for line in (done.stdout + done.stderr).splitlines() if not line.startswith("dangling ")]
    assert (done.returncode, complaints) == (0, [])


def array(shape: tuple[int, ...], dtype: str, noisy: bool) -> bytes:
    values = np.frombuffer(NOISE, dtype, int(np.prod(shape))) if noisy else np.full(shape, 7, dtype)
    file = io.BytesIO()
    np.save(file, values.reshape(shape))
    return file.getvalue()


payloads = st.one_of(
    st.binary(max_size=100),
    st.integers(0, 200_000).map(lambda size: NOISE[:size]),
    st.integers(0, 3_000_000).map(bytes),
    st.builds(array, st.tuples(st.integers(1, 3), st.integers(1, 40), st.integers(1, 500)),
              st.sampled_from(["<f4", "<u8", "|u1", "<i2"]), st.booleans()),
    st.sampled_from([b"", NOISE, NOISE[: 1 << 20], NOISE[: (1 << 20) - 14], NOISE[:65535], NOISE[: 65535 - 11]]),
)  # fmt: skip


def commit(store: GitStore, blobs: Iterable[bytes], message: str) -> None:
    edits: dict[str, str | None] = {f"{n % 7}/{n}.npy": store.put_blob([data]) for n, data in enumerate(blobs)}
    store.commit_edits(store.tip(), edits, message, WHO, WHO)


def read_all(store: GitStore, contents: dict[str, bytes]) -> None:
    """Hold that every blob is read in every way, and every tree and commit too."""
    for wanted, content in contents.items():
        assert store.blob(wanted) == content
        assert store.blob_head(wanted, 100) == (content[:100], len(content))
        out = bytearray(len(content))
        store.blob_into(wanted, 0, memoryview(out))
        assert out == content
        begin = min(len(content), 128)
        assert b"".join(map(bytes, store.blob_blocks(wanted, begin, 100_000))) == content[begin:]
        assert wanted in store.abbreviated(wanted[:7])
    commit_id = store.tip()
    while commit_id is not None:
        assert set(dict(Snapshot(store, commit_id).files())) <= {f"{n % 7}/{n}.npy" for n in range(100)}
        commit_id = next(iter(store.commit(commit_id).parents), None)


def read_by_all(folder: Path, contents: dict[str, bytes], *opened: GitStore) -> None:
    """Hold that readers that were open before, new ones and the plain one read everything."""
    for store in opened:
        read_all(store, contents)
    with GitStore(folder, verify="always") as fresh, GitStore(folder, plain=True) as plain:
        read_all(fresh, contents)
        read_all(plain, contents)


PACKINGS = (
    ("repack", "-dq"),
    ("multi-pack-index", "write"),
    ("repack", "-adq", "--write-midx", "--write-bitmap-index"),
    ("-c", "repack.useDeltaBaseOffset=false", "repack", "-adfq"),
    ("-c", "pack.indexVersion=1", "repack", "-adfq"),
    ("gc", "-q", "--prune=now"),
)


@settings(max_examples=4, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(payloads, min_size=4, max_size=9), st.integers(0, 10**6))
def test_everything_git_makes_of_what_is_written_here_is_read(
    tmp_path_factory: pytest.TempPathFactory, blobs: list[bytes], change: int
) -> None:
    base = tmp_path_factory.mktemp("objects")
    folder = base / "constants"
    with initialise(folder, bare=True) as store:
        with store.batch():
            commit(store, blobs, "In one pack\n")
        changed = [data[: change % (len(data) + 1)] + b"changed" + data[change % (len(data) + 1) :] for data in blobs]
        commit(store, changed, "By themselves\n")
        contents = {store.put_blob([data]): data for data in (*blobs, *changed)}
        fsck(folder)
        listed = git(folder, "cat-file", "--batch-check", stdin="\n".join(contents).encode()).decode().splitlines()
        assert listed == [f"{wanted} blob {len(data)}" for wanted, data in contents.items()]
        for number, packing in enumerate(PACKINGS):
            git(folder, *packing)
            read_by_all(folder, contents, store)
            commit(store, [b"%d" % number], "In between\n")
        fsck(folder)
    clones = {"path": (), "no-local": ("--no-local",), "shared": ("--shared",), "reference": ("--reference", folder)}
    for name, options in clones.items():
        source = f"file://{folder}" if name == "reference" else folder
        git(base, "clone", "-q", "--bare", *options, source, base / name)
        read_by_all(base / name, contents)
        fsck(base / name)


@pytest.fixture
def made(tmp_path: Path) -> tuple[Path, dict[str, bytes]]:
    """Return a repository with objects that C Git wrote: of several levels, and deltas of each other."""
    git(tmp_path, "init", "-q", "--bare", "constants")
    folder, contents = tmp_path / "constants", {}
    lines = [f"line {number} of a text that changes little\n".encode() for number in range(2000)]
    for number in range(12):
        lines[97 * number] = b"changed\n"
        for level, data in ((0, b"".join(lines)), (9, array((3, 100 + number, 200), "<f4", noisy=True))):
            written = git(folder, "-c", f"core.compression={level}", "hash-object", "-w", "--stdin", stdin=data)
            contents[written.decode().strip()] = data
    rows = "".join(f"100644 blob {wanted}\t{number}.npy\n" for number, wanted in enumerate(contents))
    tree = git(folder, "mktree", stdin="".join(sorted(rows.splitlines(keepends=True))).encode()).decode().strip()
    who = b"author G <g@example.org> 0 +0000\ncommitter G <g@example.org> 0 +0000\n\nAll\n"
    data = f"tree {tree}\n".encode() + who
    commit_id = git(folder, "hash-object", "-w", "-t", "commit", "--stdin", stdin=data).decode().strip()
    git(folder, "update-ref", "HEAD", commit_id)
    return folder, contents


def blobs_by_all(folder: Path, contents: dict[str, bytes]) -> None:
    for options in ({"verify": "always"}, {"verify": "never"}, {"plain": True}):
        with GitStore(folder, **options) as store:
            for wanted, content in contents.items():
                out = bytearray(len(content))
                store.blob_into(wanted, 0, memoryview(out))
                assert out == content
                assert b"".join(map(bytes, store.blob_blocks(wanted, 0, 5000))) == store.blob(wanted) == content


@pytest.mark.parametrize("offsets", [True, False], ids=["by offset", "by id"])
def test_long_chains_of_deltas_are_read(made: tuple[Path, dict[str, bytes]], offsets: bool) -> None:
    folder, contents = made
    blobs_by_all(folder, contents)
    setting = f"repack.useDeltaBaseOffset={'true' if offsets else 'false'}"
    git(folder, "-c", setting, "repack", "-adfq", "--depth=50", "--window=50")
    (index,) = (folder / "objects/pack").glob("*.idx")
    assert b"chain length = 5" in git(folder, "verify-pack", "-v", index)
    blobs_by_all(folder, contents)


@pytest.mark.parametrize("version", ["1", "2", "2,0x100"])
def test_every_form_of_index_is_read(made: tuple[Path, dict[str, bytes]], version: str) -> None:
    folder, contents = made
    git(folder, "repack", "-adq")
    (index,) = (folder / "objects/pack").glob("*.idx")
    index.unlink()
    index.with_suffix(".rev").unlink(missing_ok=True)
    git(folder, "index-pack", f"--index-version={version}", "-o", index, index.with_suffix(".pack"))
    blobs_by_all(folder, contents)


def test_dulwich_is_not_imported_to_read_what_git_makes_usually(
    made: tuple[Path, dict[str, bytes]], tmp_path: Path
) -> None:
    folder, contents = made
    git(folder, "repack", "-adq", "--write-midx")
    git(tmp_path, "clone", "-q", "--bare", "--shared", folder, tmp_path / "shared")
    code = f"""
import sys
from pathlib import Path
from calibvcs.store.git import GitStore
from calibvcs.store.refs.revisions import resolve
with GitStore(Path({str(tmp_path / "shared")!r})) as store:
    tip = resolve(store, None)
    assert resolve(store, tip[:8]) == tip
    assert store.kind("ab" * 20) is None
    for wanted in {list(contents)!r}:
        store.blob(wanted)
        for block in store.blob_blocks(wanted, 0, 1000):
            pass
assert not [name for name in sys.modules if name.startswith("dulwich")]
"""
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("claimed", [1 << 30, 100_000])
def test_an_array_that_claims_more_than_it_has_is_refused(tmp_path: Path, claimed: int) -> None:
    import calibvcs

    calibvcs.init(tmp_path / "c", bare=True)
    with calibvcs.open(tmp_path / "c") as repository:
        repository.detector.add("opal1000-1")
        repository.add("opal1000-1", "pedestals", np.full((4, 5), 7, np.float32), begin=0, message="First")
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": (claimed,)})
    data = file.getvalue() + bytes(900)
    with GitStore(tmp_path / "c") as store:
        path = "opal1000/opal1000-1/pedestals/0-end/data.npy"
        store.commit_edits(store.tip(), {path: store.put_blob([data])}, "By hand\n", WHO, WHO)
    with calibvcs.open(tmp_path / "c") as repository, pytest.raises(CalibvcsError, match="bytes"):
        repository.get("opal1000-1", "pedestals", 5)
