"""Putting the hook into a repository: nothing of anybody else is lost, and it starts in any surroundings."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from calibvcs.errors import AlreadyExistsError, InvalidOptionError, NoRepositoryError
from calibvcs.store.hooks import install, is_installed, makers_of, pusher_order

LINES = b"a b refs/heads/main\nc d refs/heads/other\n"


@pytest.fixture
def server(tmp_path: Path) -> Path:
    folder = tmp_path / "a server's.git"
    subprocess.run(["git", "init", "-q", "--bare", folder], check=True)
    return folder


def command(folder: Path, status: int = 0) -> tuple[str, ...]:
    """Return a program that notes down its input, and how often it ran."""
    program = f"import sys; open({str(folder / 'seen')!r}, 'ab').write(sys.stdin.buffer.read()); sys.exit({status})"
    return sys.executable, "-I", "-c", program


def run(hook: Path) -> int:
    """Start a hook as Git does, but with nothing in its environment."""
    return subprocess.run([hook], input=LINES, cwd=hook.parents[1], env={}, capture_output=True).returncode


def config(server: Path, *arguments: str) -> str:
    return subprocess.run(["git", "-C", server, "config", *arguments], capture_output=True, text=True).stdout.strip()


@pytest.mark.parametrize("status", [0, 6])
def test_the_hook_hands_everything_on(server: Path, tmp_path: Path, status: int) -> None:
    assert not is_installed(server)
    done = install(server, command(tmp_path, status), ["grace", "root"])
    assert Path(done.path) == server / "hooks" / "pre-receive"
    assert is_installed(server)
    assert run(Path(done.path)) == status
    assert (tmp_path / "seen").read_bytes() == LINES
    assert (done.kept, done.makers) == ("", ("grace", "root"))


def test_the_repository_is_set_up_for_it(server: Path, tmp_path: Path) -> None:
    config(server, "receive.denyDeletes", "true")
    install(server, command(tmp_path), ["grace"])
    assert config(server, "--get-all", "receive.denydeletes") == "false"
    assert config(server, "transfer.fsckObjects") == "true"
    assert (makers_of(server), pusher_order(server)) == (("grace",), "")
    config(server, "calibvcs.pusher", "REMOTE_USER os")
    assert install(server, command(tmp_path), []).makers == ("grace",)
    assert pusher_order(server) == "REMOTE_USER os"


def test_it_is_installed_again_over_itself(server: Path, tmp_path: Path) -> None:
    install(server, command(tmp_path, 1), [])
    done = install(server, command(tmp_path), [])
    assert (run(Path(done.path)), done.kept) == (0, "")


def test_another_hook_is_not_overwritten(server: Path, tmp_path: Path) -> None:
    other = server / "hooks" / "pre-receive"
    other.write_text("#!/bin/sh\nexit 3\n")
    other.chmod(0o755)
    with pytest.raises(AlreadyExistsError, match="--keep asks it first"):
        install(server, command(tmp_path), [])
    assert other.read_text() == "#!/bin/sh\nexit 3\n"


@pytest.mark.parametrize(("status", "expected", "seen"), [(0, 0, True), (3, 1, False)])
def test_another_hook_that_is_kept_is_asked_first(
    server: Path, tmp_path: Path, status: int, expected: int, seen: bool
) -> None:
    other = server / "hooks" / "pre-receive"
    other.write_text(f"#!/bin/sh\n/bin/cat > {tmp_path}/before\nexit {status}\n")
    other.chmod(0o755)
    done = install(server, command(tmp_path), [], keep=True)
    assert done.kept == str(server / "hooks" / "pre-receive.before")
    assert run(Path(done.path)) == expected
    assert (tmp_path / "before").read_bytes() == LINES
    assert (tmp_path / "seen").exists() is seen
    assert install(server, command(tmp_path), []).kept == done.kept


def test_a_hook_that_git_did_not_ask_is_not_asked_now(server: Path, tmp_path: Path) -> None:
    (server / "hooks" / "pre-receive").write_text("#!/bin/sh\nexit 3\n")
    done = install(server, command(tmp_path), [], keep=True)
    assert run(Path(done.path)) == 0


def test_the_configured_folder_of_hooks_is_used(server: Path, tmp_path: Path) -> None:
    config(server, "core.hooksPath", "own/hooks")
    done = install(server, command(tmp_path), [])
    assert Path(done.path) == server / "own" / "hooks" / "pre-receive"


def test_a_folder_of_hooks_for_all_repositories_is_left_alone(server: Path, tmp_path: Path, private_home: Path) -> None:
    (private_home / ".gitconfig").write_text(f"[core]\n\thooksPath = {tmp_path}/shared\n")
    with pytest.raises(InvalidOptionError, match="other repositories use this folder too"):
        install(server, command(tmp_path), [])
    config(server, "core.hooksPath", "hooks")
    assert is_installed(server) is False
    install(server, command(tmp_path), [])
    assert is_installed(server)


def test_there_has_to_be_a_repository(tmp_path: Path) -> None:
    with pytest.raises(NoRepositoryError):
        install(tmp_path, command(tmp_path), [])
