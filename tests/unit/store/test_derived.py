"""The cache of what was derived: whatever happens to it, it is only ever slower without it."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TypeAlias

import pytest

from calibvcs.store import derived as module
from calibvcs.store.derived import DerivedData

Opener: TypeAlias = Callable[[Path | None], DerivedData]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "calibvcs" / "derived.sqlite3"


@pytest.fixture
def opened() -> Iterator[Opener]:
    """Return what opens a cache; it is closed with the test."""
    with ExitStack() as stack:
        yield lambda path: stack.enter_context(closing(DerivedData(path)))


def test_what_is_remembered_is_recalled_by_the_next(path: Path, opened: Opener) -> None:
    cache = opened(path)
    assert cache.recall(["a"]) == {}
    assert not path.exists()  # whoever only reads leaves nothing behind
    cache.remember({str(number): f"text {number}" for number in range(1200)})
    found = opened(path).recall([str(number) for number in range(2000)])
    assert found == {str(number): f"text {number}" for number in range(1200)}


def test_without_a_place_nothing_is_kept(path: Path, opened: Opener) -> None:
    for cache in (opened(None), opened(path).unchanging()):
        cache.remember({"a": "b"})
        assert cache.recall(["a"]) == {}
        assert cache.query("SELECT 1") is None
    assert not path.exists()


@pytest.mark.parametrize("content", [b"no database at all " * 100, b"SQLite format 3\0" + b"x" * 5000, b"x"])
def test_a_damaged_file_is_made_anew(path: Path, content: bytes, opened: Opener) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    assert opened(path).recall(["a"]) == {}
    opened(path).remember({"a": "b"})
    opened(path).remember({"a": "b"})
    assert opened(path).recall(["a"]) == {"a": "b"}


@pytest.mark.parametrize("page", range(1, 6))
def test_a_damaged_page_never_raises(path: Path, page: int, opened: Opener) -> None:
    opened(path).remember({str(number): "text" * 50 for number in range(200)})
    data = bytearray(path.read_bytes())
    data[page * 4096 : (page + 1) * 4096] = os.urandom(4096)
    path.write_bytes(data)
    found = opened(path).recall([str(number) for number in range(200)])
    assert found.items() <= {str(number): "text" * 50 for number in range(200)}.items()


def test_an_empty_file_is_filled(path: Path, opened: Opener) -> None:
    path.parent.mkdir()
    path.touch()
    assert opened(path).recall(["a"]) == {}
    opened(path).remember({"a": "b"})
    assert opened(path).recall(["a"]) == {"a": "b"}


def test_a_locked_file_is_done_without(path: Path, monkeypatch: pytest.MonkeyPatch, opened: Opener) -> None:
    monkeypatch.setattr(module, "_WAIT", 0.01)
    opened(path).remember({"a": "b"})
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    cache = opened(path)
    assert cache.recall(["a"]) == {}
    cache.remember({"c": "d"})
    other.execute("ROLLBACK")
    other.close()
    assert opened(path).recall(["a", "c"]) == {"a": "b"}


def test_a_folder_that_cannot_be_written_is_done_without(tmp_path: Path, opened: Opener) -> None:
    (tmp_path / "file").touch()
    cache = opened(tmp_path / "file" / "derived.sqlite3")
    cache.remember({"a": "b"})
    assert cache.recall(["a"]) == {}


def test_a_file_taken_away_is_noticed(path: Path, opened: Opener) -> None:
    cache = opened(path)
    cache.remember({"a": "b"})
    assert cache.recall(["a"]) == {"a": "b"}
    path.unlink()
    assert cache.recall(["a"]) == {}
    opened(path).remember({"a": "c"})
    assert cache.recall(["a"]) == {"a": "c"}


REMEMBER = """
import sys
from pathlib import Path
from calibvcs.store.derived import DerivedData
cache = DerivedData(Path(sys.argv[1]))
for number in range(20):
    cache.remember({f"{sys.argv[2]} {number}": "text"})
"""


def test_many_processes_share_it(path: Path) -> None:
    processes = [subprocess.Popen([sys.executable, "-c", REMEMBER, path, str(number)]) for number in range(3)]
    assert [process.wait() for process in processes] == [0, 0, 0]
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert connection.execute("SELECT count(*) FROM facts").fetchone()[0] > 0
    connection.close()


def test_a_fork_opens_it_anew(path: Path, opened: Opener) -> None:
    cache = opened(path)
    cache.remember({"a": "b"})
    assert cache.recall(["a"]) == {"a": "b"}
    child = os.fork()
    if child == 0:
        os._exit(0 if cache.recall(["a"]) == {"a": "b"} else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert cache.recall(["a"]) == {"a": "b"}
