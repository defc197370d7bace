"""What was recorded with a commit: the command lines, and the files that they read, as they are now."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from calibvcs.errors import MissingFileError
from calibvcs.model.layout import constant_folder
from calibvcs.model.times import as_text
from calibvcs.ops.catalogue import Catalogue
from calibvcs.ops.payload import input_file
from calibvcs.store.refs.revisions import resolve
from calibvcs.store.snapshot import Snapshot

if TYPE_CHECKING:
    from pathlib import Path

    from calibvcs.model.metadata import InputFile, Provenance
    from calibvcs.store.protocol import ReadableStore


@dataclass(frozen=True, slots=True)
class RecordedInput:
    """A file that was read then.

    Attributes
    ----------
    path, size, sha256 : str and int
        As recorded.
    state : {"same", "changed", "missing"}
        What stands at that path now.
    """

    path: str
    size: int
    sha256: str
    state: Literal["same", "changed", "missing"]


@dataclass(frozen=True, slots=True)
class RecordedCommand:
    """A command line.

    Attributes
    ----------
    command : tuple of str
        Its words.
    software, user, host : str
        What ran it, who, and where.
    constants : tuple of str
        The constants that came of it.
    inputs : tuple of RecordedInput
        The files that they were made from.
    """

    command: tuple[str, ...]
    software: str
    user: str
    host: str
    constants: tuple[str, ...]
    inputs: tuple[RecordedInput, ...]


@dataclass(frozen=True, slots=True)
class Recording:
    """What was recorded with a commit.

    Attributes
    ----------
    commit, author, date, comment : str
        The commit.
    commands : tuple of RecordedCommand
        Each command line once.
    """

    schema: ClassVar[str] = "calibvcs.recorded/1"

    commit: str
    author: str
    date: str
    comment: str
    commands: tuple[RecordedCommand, ...]


def recorded(store: ReadableStore, revision: str, folder: Path) -> Recording:
    """Return what was recorded with a commit.

    Parameters
    ----------
    store : ReadableStore
        Where to look.
    revision : str
        The commit.
    folder : Path
        Where relative paths of inputs begin.

    Returns
    -------
    Recording
        Command lines and inputs; none for a commit that added nothing.

    Raises
    ------
    UnknownRevisionError
        If it is not there.
    """
    commit = store.commit(resolve(store, revision))
    then = Catalogue(Snapshot(store, commit.id))
    found: dict[tuple[str, ...], tuple[Provenance, list[str], dict[InputFile, None]]] = {}
    for name in commit.message.constants:
        if not then.snapshot.names(constant_folder(name)):
            continue
        how = then.metadata(name).provenance
        words = _words(how.command)
        if words:
            _, names, inputs = found.setdefault(words, (how, [], {}))
            names.append(str(name))
            inputs.update(dict.fromkeys(how.inputs))
    commands = tuple(
        RecordedCommand(
            words, how.software, how.user, how.host, tuple(names), tuple(_state(one, folder) for one in inputs)
        )
        for words, (how, names, inputs) in found.items()
    )
    return Recording(commit.id, commit.author.name, as_text(commit.author.time), commit.message.subject, commands)


def _words(command: tuple[str, ...]) -> tuple[str, ...]:
    """Return the words of a command; one that was recorded as a single text is taken apart as a shell does."""
    if len(command) != 1 or not any(blank in command[0] for blank in " \t\n"):
        return command
    try:
        return tuple(shlex.split(command[0]))
    except ValueError:
        return command


def _state(file: InputFile, folder: Path) -> RecordedInput:
    try:
        now = input_file(str(folder / file.path))
    except MissingFileError:
        return RecordedInput(file.path, file.size, file.sha256, "missing")
    same = (now.size, now.sha256) == (file.size, file.sha256)
    return RecordedInput(file.path, file.size, file.sha256, "same" if same else "changed")
