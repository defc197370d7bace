"""What C Git calls, after ``install-git-drivers``: ``git-textconv``, ``git-difftool``, ``git-merge``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from calibvcs.cli import exits, output
from calibvcs.errors import CalibvcsError

if TYPE_CHECKING:
    from calibvcs.ops.diff import Diff

_File = Annotated[str, typer.Argument(metavar="FILE")]


def git_textconv(file: _File) -> None:
    """Print a file as text, for git diff, git log -p and git blame."""
    from calibvcs.ops.git_text import git_text

    sys.stdout.write(git_text(file))


def git_difftool(local: _File, remote: _File, path: _File) -> None:
    """Print the difference of two files by their numbers, for git difftool."""
    from calibvcs.api.git_drivers import NO_FILE

    if NO_FILE in {local, remote}:
        print(f"{'added' if local == NO_FILE else 'removed'} {path}")
        git_textconv(remote if local == NO_FILE else local)
        return
    from calibvcs.cli import diff_view

    for line in diff_view.diff(_difference(local, remote, path)):
        print(line)


def git_merge(base: _File, ours: _File, theirs: _File, path: _File) -> None:  # noqa: ARG001 - as Git calls it
    """Refuse to merge a file of a constant that both sides changed, and say how one of them is taken."""
    output.note(f"calibvcs: {path} was changed on both sides, and constants are not mixed")
    try:
        shown = _difference(ours, theirs, path)
    except CalibvcsError:
        pass  # what cannot be compared is refused all the same
    else:
        from calibvcs.cli import diff_view

        for difference in shown.constants:
            for line in [*diff_view.constant(difference)][1:]:
                output.note(f"  {line}")
    folder = path.rpartition("/")[0]
    output.note(f"  take one side:  git checkout --ours|--theirs -- {folder} && git add {folder}")
    output.note("  or go back:     git merge --abort, then calibvcs pull --ours|--theirs|--newest")
    raise typer.Exit(exits.DIFFERENT)


def _difference(a: str, b: str, path: str) -> Diff:
    import calibvcs

    with calibvcs.open() as repository:
        return repository.diff_files(a, b, path)
