"""A file that never fails while it is written; what went wrong is told when it is asked for."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

from calibvcs.formats.dcs.steady_file import SteadyFile


def test_it_is_a_file(tmp_path: Path) -> None:
    with SteadyFile(str(tmp_path / "a")) as file:
        assert (file.write(b"hello world"), file.seek(6), file.write(b"W"), file.tell()) == (11, 6, 1, 7)
        assert file.seek(-5, io.SEEK_END) == 6
        assert file.read(3) == b"Wor"
        assert (file.truncate(8), file.seek(0, io.SEEK_END), file.seek(-2, io.SEEK_CUR)) == (8, 8, 6)
        file.check()
        assert (file.readable(), file.writable(), file.seekable()) == (True, True, True)
        room = bytearray(b"xxxx")
        assert file.readinto(room) == 4
        assert room == b"Wo\0\0"
    assert (tmp_path / "a").read_bytes() == b"hello Wo"
    file.close()


def test_what_the_disk_refuses_is_told_later() -> None:
    file = SteadyFile("/dev/full")
    assert file.write(b"hello") == 5
    assert (file.write(b"more"), file.seek(0), file.read(3), file.truncate(2)) == (4, 0, b"\0\0\0", 2)
    with pytest.raises(OSError, match="No space left") as caught:
        file.check()
    assert caught.value.filename == "/dev/full"
    file.close()


def test_a_refusal_to_cut_is_told_too() -> None:
    with SteadyFile("/dev/null") as file:
        assert file.truncate(5) == 5
        with pytest.raises(OSError, match=os.strerror(22)):
            file.check()
