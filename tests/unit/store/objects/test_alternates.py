"""Borrowed objects: whatever Git follows is followed, and nothing is followed for ever."""

from __future__ import annotations

from pathlib import Path

import pytest

from calibvcs.store.objects.alternates import alternates


def folder(path: Path, *names: str) -> Path:
    """Make an object folder that borrows from others."""
    (path / "info").mkdir(parents=True)
    if names:
        (path / "info/alternates").write_text("".join(f"{name}\n" for name in names))
    return path


def test_who_borrows_nothing_has_no_alternates(tmp_path: Path) -> None:
    assert alternates(folder(tmp_path / "a")) == ()
    assert alternates(tmp_path / "missing") == ()


def test_absolute_and_relative_names_comments_and_quotes(tmp_path: Path) -> None:
    absolute, relative = folder(tmp_path / "absolute"), folder(tmp_path / "beside/relative")
    odd = folder(tmp_path / 'odd "name"\tü')
    quoted = '"' + str(odd).replace('"', '\\"').replace("\t", "\\t").replace("ü", "\\303\\274") + '"'
    own = folder(tmp_path / "own", "# a comment", "", str(absolute), "../beside/relative", quoted, "../missing")
    assert [path.resolve() for path in alternates(own)] == [absolute, relative, odd]


def test_those_of_alternates_are_followed_and_loops_are_harmless(tmp_path: Path) -> None:
    own = folder(tmp_path / "own", "../second", "../third")
    second = folder(tmp_path / "second", "../third", "../own", "../second")
    third = folder(tmp_path / "third", "../second", "../fourth")
    fourth = folder(tmp_path / "fourth", "../own")
    assert [path.resolve() for path in alternates(own)] == [second, third, fourth]


def test_nothing_is_borrowed_over_more_than_five_steps(tmp_path: Path) -> None:
    for number in range(9):
        folder(tmp_path / str(number), f"../{number + 1}")
    assert [path.resolve().name for path in alternates(tmp_path / "0")] == list("12345")


def test_a_link_to_oneself_is_oneself(tmp_path: Path) -> None:
    own = folder(tmp_path / "own", "../link")
    (tmp_path / "link").symlink_to(own)
    assert alternates(own) == ()


@pytest.mark.parametrize(
    "content", [b"\0\n", b"\xff\xfe\n", b'"\n', b'"\\400"\n', b"x" * 5000, b'"\\777\\x"\n', b"\r\n"]
)
def test_no_bytes_break_it(tmp_path: Path, content: bytes) -> None:
    own = folder(tmp_path / "own")
    (own / "info/alternates").write_bytes(content)
    assert alternates(own) == ()
    (own / "info/alternates").unlink()
    (own / "info/alternates").mkdir()
    assert alternates(own) == ()
