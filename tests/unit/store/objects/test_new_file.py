"""Files under construction: they get their name, or nothing is left of them."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from calibvcs.store.objects import new_file
from calibvcs.store.objects.new_file import NewFile


def made(folder: Path) -> NewFile:
    return NewFile(folder, prefix="tmp_test_", mode=0o444)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(st.binary(max_size=50), max_size=3000), max_size=3), st.integers(1, 100))
def test_what_is_written_is_in_the_file(tmp_path: Path, writes: list[list[bytes]], most: int) -> None:
    with pytest.MonkeyPatch.context() as patch, made(tmp_path) as file:
        writev = os.writev

        def little(descriptor: int, buffers: list[bytes]) -> int:
            return writev(descriptor, [b"".join(buffers)[:most]])

        patch.setattr(new_file.os, "writev", little)
        for buffers in writes:
            file.write([*buffers])
        whole = b"".join(b"".join(buffers) for buffers in writes)
        assert file.position == len(whole)
        assert file.path.read_bytes() == whole
    assert list(tmp_path.iterdir()) == []


def test_a_renamed_file_stays_and_an_unnamed_one_goes(tmp_path: Path) -> None:
    with made(tmp_path) as file, made(tmp_path) as other:
        assert file.path != other.path
        assert all(path.name.startswith("tmp_test_") for path in tmp_path.iterdir())
        file.write([b"content"])
        file.sync()
        file.rename(tmp_path / "named")
    assert list(tmp_path.iterdir()) == [tmp_path / "named"]
    assert (tmp_path / "named").read_bytes() == b"content"
    assert (tmp_path / "named").stat().st_mode & 0o777 == 0o444


def test_no_file_is_left_open(tmp_path: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(5):
        with made(tmp_path) as file:
            file.write([b"x"])
        file.discard()
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_what_was_cut_off_is_forgotten(tmp_path: Path) -> None:
    with made(tmp_path) as file:
        file.write([b"one", b"two"])
        file.cut(3)
        file.write([b"three"])
        assert file.position == 8
        file.overwrite(b"ONE", 0)
        assert file.read(5, 1) == b"NEthr"
        assert file.path.read_bytes() == b"ONEthree"


def test_more_than_is_written_ahead_arrives_as_well(tmp_path: Path) -> None:
    content = os.urandom(9 << 20)
    with made(tmp_path) as file:
        file.reserve(len(content))
        for begin in range(0, len(content), 1 << 20):
            file.write([memoryview(content)[begin : begin + (1 << 20)]])
        file.sync()
        assert file.path.read_bytes() == content
        assert file.path.stat().st_size == len(content)


def test_a_disk_without_room_refuses_before_anything_is_written(tmp_path: Path) -> None:
    with made(tmp_path) as file, pytest.raises(OSError, match=os.strerror(errno.EFBIG)) as caught:
        file.reserve(1 << 62)
    assert caught.value.filename == str(file.path)


@pytest.mark.parametrize("code", [errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL])
def test_a_disk_that_cannot_reserve_is_written_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    monkeypatch.setattr(new_file, "_function", lambda _: lambda *_: code)
    with made(tmp_path) as file:
        file.reserve(100)
        file.write([bytes(5 << 20)])
        assert file.path.stat().st_size == 5 << 20


def test_a_system_without_these_calls_is_written_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(new_file.sys, "platform", "darwin")
    new_file._function.cache_clear()
    try:
        with made(tmp_path) as file:
            file.reserve(100)
            file.write([bytes(5 << 20)])
            assert file.path.stat().st_size == 5 << 20
    finally:
        new_file._function.cache_clear()
