"""Git's configuration as Git writes it is read by itself; whatever else there may be in one is left to dulwich."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from calibvcs.store.configuration import is_true, plain_settings, settings

if TYPE_CHECKING:
    from pathlib import Path

PLAIN = b"""\
[core]
\trepositoryformatversion = 0
\tfilemode = true
\tBare = false
; a comment, and a name without a value
\tlogAllRefUpdates
# the last value counts
\tcompression = 1
[remote "origin"]
\turl = ssh://git@server:22/data/constants.git
\tfetch = +refs/heads/*:refs/remotes/origin/*
[branch "feature/A b]"]
\tmerge = refs/heads/main
[core]
compression=9
"""


def test_what_git_writes_is_read() -> None:
    assert plain_settings(PLAIN) == {
        "core.repositoryformatversion": "0",
        "core.filemode": "true",
        "core.bare": "false",
        "core.logallrefupdates": "true",
        "core.compression": "9",
        "remote.origin.url": "ssh://git@server:22/data/constants.git",
        "remote.origin.fetch": "+refs/heads/*:refs/remotes/origin/*",
        "branch.feature/A b].merge": "refs/heads/main",
    }


@pytest.mark.parametrize(
    "unusual",
    [
        b'[user]\n\tname = "Grace"\n', b"[user]\n\tname = Grace # Hopper\n", b"[user]\n\tname = Grace ; Hopper\n",
        b"[core]\n\tworktree = a\\\n b\n", b"[core] bare = true\n", b"[core.sub]\n\tx = 1\n", b"bare = true\n",
        b'[core "a\\"b"]\n\tx = 1\n', b"[core\n", b"[]\n", b"[core]\n\t1x = 2\n", b"[core]\n\tx_y = 2\n",
        b"[core]\r\n\tbare = true\r\n", b"[core]\n\tx = a\x00b\n", b"\xff\xfe", b"\xef\xbb\xbf[core]\n", b"[core]\n\tx = a\tb\n",
        b'[a"b"]\n', b'[a "b]\n', b'[a "b"c"]\n', b'[a ""b"]\n', b"[core]\n\t= 1\n",
    ],
)  # fmt: skip
def test_what_is_unusual_is_left_to_others(unusual: bytes) -> None:
    assert plain_settings(unusual) is None


def test_what_is_unusual_is_read_all_the_same(tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_bytes(
        b'[Core]\n\tworkTree = "a b" # there\n[remote "Origin"]\n\turl = x\\\ny\n[include]\n\tpath = nowhere\n'
    )
    found = settings(file)
    assert found == {"core.worktree": "a b", "remote.Origin.url": "xy", "include.path": "nowhere"}


def test_a_missing_file_sets_nothing(tmp_path: Path) -> None:
    assert settings(tmp_path / "config") == {}
    assert plain_settings(b"") == {}


def test_what_is_no_configuration_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "config").write_bytes(b"\xff\x00[")
    with pytest.raises(ValueError, match="section"):
        settings(tmp_path / "config")


@pytest.mark.parametrize(
    ("value", "true"), [("true", True), ("Yes", True), ("on", True), ("1", True), ("0", False), ("", False)]
)
def test_what_git_takes_for_true(value: str, true: bool) -> None:
    assert is_true(value) is true


def test_dulwich_is_not_imported_for_what_git_writes(tmp_path: Path) -> None:
    (tmp_path / "config").write_bytes(PLAIN)
    program = (
        "import sys; from pathlib import Path; from calibvcs.store.configuration import settings; "
        f"settings(Path({str(tmp_path / 'config')!r})); print([name for name in sys.modules if 'dulwich' in name])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
