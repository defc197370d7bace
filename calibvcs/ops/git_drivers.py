"""``install-git-drivers``: what C Git has to be told so that it shows constants in words, and never merges arrays."""

from __future__ import annotations

import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from calibvcs.errors import MissingProgramError, NotWritableError
from calibvcs.store.durable import disk_errors, write_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

BEGIN = "# calibvcs: begin, made by calibvcs install-git-drivers"
END = "# calibvcs: end"
_SECTIONS = ("diff.calibvcs", "diff.calibvcs-geometry", "diff.calibvcs-metadata", "difftool.calibvcs", "merge.calibvcs")
_ATTRIBUTES = (
    "*.npy binary -delta diff=calibvcs merge=calibvcs",
    "geometry.txt diff=calibvcs-geometry merge=calibvcs",
    "data.txt merge=calibvcs",
    "meta.toml diff=calibvcs-metadata merge=calibvcs",
)
_NOT_THERE = {5, 128}  # of git config --remove-section


@dataclass(frozen=True, slots=True)
class GitDrivers:
    """What was set up, or taken away.

    Attributes
    ----------
    config : str
        The configuration file of Git; ``--global`` for that of the user.
    attributes : str
        The file of attributes; empty for ``--global``: those of a repository say which files are meant.
    installed : bool
        Whether the drivers are there now.
    settings : mapping of str to str
        The entries of the configuration.
    """

    schema: ClassVar[str] = "calibvcs.git-drivers/1"

    config: str
    attributes: str
    installed: bool
    settings: dict[str, str]


def settings(program: str) -> dict[str, str]:
    """Return what Git's configuration has to say, by its key.

    Parameters
    ----------
    program : str
        How calibvcs is started, as a shell takes it: Git gives these entries to one.
    """
    return {
        "diff.calibvcs.textconv": f"{program} git-textconv",
        "diff.calibvcs-geometry.textconv": f"{program} git-textconv",
        "diff.calibvcs-metadata.xfuncname": r"^\[+[^]]*\]+$",
        "difftool.calibvcs.cmd": f'{program} git-difftool "$LOCAL" "$REMOTE" "$MERGED"',
        "merge.calibvcs.name": "constants are taken whole, from one side",
        "merge.calibvcs.driver": f"{program} git-merge %O %A %B %P",
    }


def program() -> str:
    """Return how this very calibvcs is started, as a shell takes it."""
    script = Path(sys.executable).with_name("calibvcs")
    if script.is_file():
        return shlex.quote(str(script))
    return shlex.join([sys.executable, "-P", "-m", "calibvcs"])


def install(git_folder: Path | None) -> GitDrivers:
    """Set the drivers up.

    Parameters
    ----------
    git_folder : Path or None
        Common Git folder of a repository; None is the configuration of the user, for all repositories.

    Returns
    -------
    GitDrivers
        What was set.

    Raises
    ------
    MissingProgramError
        If C Git is not there: nobody needs the drivers then.
    NotWritableError, StorageError
        If a file cannot be written.
    """
    wanted = settings(program())
    for key, value in wanted.items():
        _git(git_folder, [key, value])
    return _result(git_folder, wanted, installed=True)


def uninstall(git_folder: Path | None) -> GitDrivers:
    """Take the drivers away; what else stands in these files stays. Parameters and errors are those of `install`."""
    for section in _SECTIONS:
        _git(git_folder, ["--remove-section", section], allowed=_NOT_THERE)
    return _result(git_folder, {}, installed=False)


def _result(git_folder: Path | None, wanted: dict[str, str], *, installed: bool) -> GitDrivers:
    if git_folder is None:
        return GitDrivers("--global", "", installed, wanted)
    file = git_folder / "info" / "attributes"
    _write_attributes(file, _ATTRIBUTES if installed else ())
    return GitDrivers(str(git_folder / "config"), str(file), installed, wanted)


def _write_attributes(file: Path, lines: Sequence[str]) -> None:
    with disk_errors(file):
        before = file.read_text(errors="surrogateescape") if file.exists() else ""
        block = [BEGIN, *lines, END] if lines else []
        after = "".join(f"{line}\n" for line in [*_others(before), *block])
        if after != before:
            file.parent.mkdir(exist_ok=True)
            write_file(file, [after.encode(errors="surrogateescape")])


def _others(text: str) -> Iterator[str]:
    """Yield the lines that are not ours."""
    ours = False
    for line in text.splitlines():
        ours = ours or line == BEGIN
        if not ours:
            yield line
        ours = ours and line != END


def _git(git_folder: Path | None, words: Sequence[str], allowed: set[int] | None = None) -> None:
    """Let C Git write its configuration: it keeps comments and order."""
    where = ["--global"] if git_folder is None else ["--file", str(git_folder / "config")]
    try:
        done = subprocess.run(["git", "config", *where, *words], check=False, capture_output=True, text=True)
    except OSError as error:
        advice = "the drivers are for Git's own client; calibvcs diff, log and pull work without it"
        raise MissingProgramError("git", error.strerror or str(error), advice) from error
    if done.returncode and done.returncode not in (allowed or set()):
        place = "the configuration of the user" if git_folder is None else str(git_folder / "config")
        raise NotWritableError(place, done.stderr.strip() or f"git config ended with {done.returncode}")
