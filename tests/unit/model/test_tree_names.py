"""Names in trees that some file system takes for something else."""

import pytest

from calibvcs.model.tree_names import clashing, trouble


@pytest.mark.parametrize(
    "name",
    [
        ".git", ".GIT", ".Git", ".git ", ".git.", ".git . .", "git~1", "GIT~1", "git~12", ".git:x", ".git::$INDEX_ALLOCATION",
        ".g\u200cit", ".gi\u200dt", "\ufeff.git", ".gi\u202et", "\uff0egit", ".\uff47it", "a/.git", "a\\.git", ".git/x",
    ],
)  # fmt: skip
def test_what_means_git_is_told(name: str) -> None:
    assert trouble(name) == "means .git on some file systems"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "no name"), (".", "no name"), ("..", "no name"), ("a/b", "a path"), ("a\\b", "a path"), ("a\nb", "control"),
        ("a\0b", "control"), ("\x7f", "control"), ("a\u202eb", "control"), ("a\u200bb", "control"), ("\udcff", "UTF-8"),
        ("ped\u0435stals", "ASCII"), ("é", "ASCII"), ("x" * 256, "longer"),
    ],
)  # fmt: skip
def test_what_is_no_name_is_told(name: str, reason: str) -> None:
    assert reason in trouble(name)


@pytest.mark.parametrize(
    "name",
    ["data.npy", ".gitattributes", ".gitignore", ".calibvcs", "README.md", "0-end", "git", "opal1000-1", "a.git"],
)
def test_names_of_the_format_are_no_trouble(name: str) -> None:
    assert trouble(name) == ""


def test_names_that_differ_in_case_are_told() -> None:
    assert clashing(["a", "b", "A", "c", "B"]) == [("a", "A"), ("b", "B")]
    assert clashing(["a", "b"]) == []
