"""``repository.access``: what the rules of a repository say, as a user asks."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

import calibvcs
from calibvcs.api.access import AccessVerbs
from calibvcs.api.hosting import check_push, install_hook, os_user
from calibvcs.cli import hosting
from calibvcs.errors import InvalidDataError, InvalidOptionError

RULES = '[groups]\nexperts = ["ada"]\nadmins = ["root"]\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "constants"
    calibvcs.init(made)
    return made


def commit_rules(folder: Path) -> None:
    (folder / ".calibvcs" / "access.toml").write_text(RULES)
    for command in (["add", "-A"], ["commit", "-q", "-m", "Rules"]):
        subprocess.run(["git", "-C", folder, *command], check=True)


def test_a_question_is_answered_by_the_rules_of_a_commit(folder: Path) -> None:
    commit_rules(folder)
    with calibvcs.open(folder) as repository:
        access = AccessVerbs(repository._session)
        yes = access.check("ada", "write", "opal1000/opal1000-1")
        no = access.check("ada", "admin", ".calibvcs/access.toml")
        before = access.check("ada", "write", "opal1000/opal1000-1", at="HEAD~1")
    assert (yes.allowed, yes.rule) == (True, "rule 2: @experts may write, tag")
    assert (no.allowed, no.rule) == (False, "")
    assert no.reason.startswith("no rule lets ada admin .calibvcs/access.toml on branch main (rule 3: @admins")
    assert not before.allowed


def test_whoever_installs_the_hook_begins(folder: Path) -> None:
    with calibvcs.open(folder) as repository:
        assert not AccessVerbs(repository._session).check("maker", "write").allowed
    done = install_hook(folder, ["maker"])
    assert Path(done.path).parent == folder / ".git" / "hooks"
    with calibvcs.open(folder) as repository:
        assert AccessVerbs(repository._session).check("maker", "write").allowed


def test_a_table_is_held_against_the_rules(folder: Path) -> None:
    commit_rules(folder)
    with calibvcs.open(folder) as repository:
        access = AccessVerbs(repository._session)
        assert access.test(b"ada write x main allow\nguest write x main deny\n", "table").passed
        assert access.test(b"guest write x main allow\n", "table").failures
        with pytest.raises(InvalidDataError, match="line 1"):
            access.test(b"guest\n", "table")
        with pytest.raises(InvalidOptionError, match="allowed are read, propose, write, tag, admin"):
            access.check("ada", "delete")


def test_what_is_shown(folder: Path) -> None:
    commit_rules(folder)
    with calibvcs.open(folder) as repository:
        access = AccessVerbs(repository._session)
        assert list(hosting._checked(access.check("ada", "tag"))) == [
            "ada may tag the whole repository on branch main, by rule 2: @experts may write, tag"
        ]
        result = access.test(b"guest write x main allow\nada write x main allow\n", "table")
        assert list(hosting._tested(result))[-1] == "1 of 2 expectations hold"


def test_lines_that_git_does_not_write_are_told(folder: Path) -> None:
    with pytest.raises(InvalidOptionError, match="OLD NEW REF is needed"):
        check_push(folder, ["x"], {}, os_user(), 0)


def test_a_folder_without_a_repository_lets_nothing_in(tmp_path: Path) -> None:
    result = check_push(tmp_path, [f"{'0' * 40} {'1' * 40} refs/heads/main"], {}, "ada", 0)
    assert not result.accepted
    assert "no repository at or above" in str(result.refusals[0])
