"""Object files taken over: linked where that is possible, else copied; whoever packs beside us does no harm."""

from __future__ import annotations

import errno
import os
import random
import subprocess
from pathlib import Path

import pytest

from calibvcs.errors import StorageError
from calibvcs.model.commits import Signature
from calibvcs.store.git import GitStore
from calibvcs.store.initialise import initialise
from calibvcs.store.remotes import linking
from calibvcs.store.remotes.linking import link_everything, link_large

NOISE = random.Random(7).randbytes(2 << 20)
WHO = Signature("Grace Hopper", "grace@example.org", 5)


@pytest.fixture
def source(tmp_path: Path) -> GitStore:
    store = initialise(tmp_path / "source", bare=True)
    for number in range(3):
        edits = {f"{number}": store.put_blob([NOISE[number:]]), f"small{number}": store.put_blob([b"%d" % number])}
        store.commit_edits(store.tip(), edits, "Change", WHO, WHO)
    return store


def names(objects: Path) -> set[str]:
    return {str(path.relative_to(objects)) for path in objects.rglob("*") if path.is_file()}


def test_everything_is_linked(source: GitStore, tmp_path: Path) -> None:
    target = tmp_path / "target"
    linked = link_everything(source.folder / "objects", target)
    assert names(target) == names(source.folder / "objects")
    assert (len(linked.ids), linked.copied) == (12, 0)
    assert linked.size == sum(path.stat().st_size for path in target.rglob("*") if path.is_file())
    assert all(path.stat().st_nlink == 2 for path in target.rglob("*") if path.is_file())
    assert link_everything(source.folder / "objects", target).ids == set()


@pytest.mark.parametrize("code", [errno.EXDEV, errno.EPERM, errno.EMLINK])
def test_what_cannot_be_linked_is_copied(
    source: GitStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr("calibvcs.store.remotes.linking.os.link", refuse)
    target = tmp_path / "target"
    linked = link_everything(source.folder / "objects", target)
    assert linked.copied == len(linked.ids) == 12
    for name in names(source.folder / "objects"):
        assert (target / name).read_bytes() == (source.folder / "objects" / name).read_bytes()
        assert (target / name).stat().st_mode & 0o777 == 0o444
    assert names(target) == names(source.folder / "objects")


def test_a_full_disk_leaves_no_half_copy(source: GitStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EXDEV, "other file system")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr("calibvcs.store.remotes.linking.os.link", refuse)
    monkeypatch.setattr("calibvcs.store.remotes.linking.os.fsync", full)
    with pytest.raises(StorageError):
        link_everything(source.folder / "objects", tmp_path / "target")
    assert names(tmp_path / "target") == set()


def test_only_large_loose_ones_among_those_that_are_named(source: GitStore, tmp_path: Path) -> None:
    tree = source.tree(source.commit(source.tip() or "").tree)
    wanted = [tree["0"].id, tree["small1"].id, "a" * 40]
    linked = link_large(source.folder / "objects", tmp_path / "target", wanted)
    assert linked.ids == {tree["0"].id}
    assert names(tmp_path / "target") == {f"{tree['0'].id[:2]}/{tree['0'].id[2:]}"}


def test_packs_come_with_their_files_and_the_index_last(
    source: GitStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    subprocess.run(["git", "-C", source.folder, "gc", "-q"], check=True)
    (pack,) = (source.folder / "objects" / "pack").glob("*.pack")
    pack.with_suffix(".promisor").write_bytes(b"")
    pack.with_suffix(".keep").write_bytes(b"")
    order: list[str] = []
    take = linking._take
    monkeypatch.setattr(linking, "_take", lambda file, *more: (order.append(file.suffix), take(file, *more))[1])
    link_everything(source.folder / "objects", tmp_path / "target")
    assert order[0] == ".pack"
    assert order[-1] == ".idx"
    assert ".promisor" in order
    assert ".keep" not in order


def test_whoever_packs_the_source_meanwhile_loses_nothing(
    source: GitStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    take, seen = linking._take, []

    def packing(*arguments: object) -> None:
        seen.append(arguments)
        if len(seen) in {4, 14}:
            subprocess.run(["git", "-C", source.folder, "repack", "-adq"], check=True)
            subprocess.run(["git", "-C", source.folder, "prune-packed", "-q"], check=True)
            if len(seen) > 4:
                (pack,) = (source.folder / "objects" / "pack").glob("*.pack")
                for file in (source.folder / "objects" / "pack").glob(f"{pack.stem}.*"):
                    file.rename(file.with_name(file.name.replace(pack.stem, "pack-" + "1" * 40)))
        take(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(linking, "_take", packing)
    target = initialise(tmp_path / "target", bare=True)
    link_everything(source.folder / "objects", target.folder / "objects")
    target.set_ref("refs/heads/main", None, source.tip() or "")
    subprocess.run(["git", "-C", target.folder, "fsck", "--strict"], check=True)
