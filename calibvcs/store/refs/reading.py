"""Reading refs as Git does: a file of its own comes before packed-refs, and a ref may stand for another one.

What the branch stands on is remembered together with the state of the files that it was read from. While they stand
unchanged, asking again costs a look at each of them.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from calibvcs.errors import DamagedRepositoryError
from calibvcs.store.refs.moving import DETACHED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from calibvcs.store.opening import Folders

    State: TypeAlias = "tuple[int, int, int, int] | None"

_MARGIN = 2_000_000_000
"""Nanoseconds. A file may change twice in one tick of the clock and look the same (coarse clocks tick in seconds):
only one that was older than this when it was read is known by its state."""

_LONGEST_CHAIN = 5
_ID = 40
_HEX = frozenset("0123456789abcdefABCDEF")
_OF_ONE_WORKTREE = ("refs/bisect/", "refs/rewritten/", "refs/worktree/")
_FORBIDDEN = frozenset(map(chr, (*range(33), 127))) | frozenset("~^:?*[\\")


class Head(NamedTuple):
    """What HEAD stands for.

    Attributes
    ----------
    branch : str
        Name of the branch; ``HEAD`` where it is detached.
    commit : str or None
        Id that it stands on; None where the branch has no commit yet.
    """

    branch: str
    commit: str | None


class _Reading:
    """One way from a ref to an id, and the files that it was read from, each with its state then."""

    def __init__(self) -> None:
        self.files: list[tuple[Path, State]] = []
        self._begin = time.time_ns()
        self._certain = True

    def content(self, path: Path) -> bytes | None:
        """Return the content of a file; None where there is none."""
        link = _link(path)
        if link is not None:
            self._certain = False  # the state seen would be that of another file
            if link.startswith("refs/"):
                return f"ref: {link}".encode()  # how Git once wrote a ref that stands for another one
        try:
            with path.open("rb", buffering=0) as file:
                state = _state(os.fstat(file.fileno()))
                content = file.read()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            content = state = None
        except OSError as error:
            if error.errno != errno.ENAMETOOLONG:
                raise DamagedRepositoryError(str(path), f"it cannot be read: {error.strerror}") from None
            content = state = None
        self._certain &= state is None or max(state[:2]) < self._begin - _MARGIN
        self.files.append((path, state))
        return content

    def still_holds(self) -> bool:
        """Tell whether the files would be read in the same way again."""
        return self._certain and all(_state_of(path) == state for path, state in self.files)


class RefReader:
    """The refs of a repository.

    Parameters
    ----------
    folders : Folders
        Where they are: HEAD in the Git folder of one worktree, branches and tags in the one that all worktrees share.
    """

    def __init__(self, folders: Folders) -> None:
        self._root, self._control, self._common, _ = folders
        self._packed = self._common / "packed-refs"
        self._known: tuple[Head, _Reading] | None = None

    def head(self) -> Head:
        """Return the branch that HEAD stands on, and its commit.

        Raises
        ------
        DamagedRepositoryError
            If HEAD is missing, or it or its branch cannot be read.
        """
        if self._known is None or not self._known[1].still_holds():
            reading = _Reading()
            last, target = self._resolved("HEAD", reading)
            if last == "HEAD" and target is None:
                raise self._damage("HEAD is missing")
            branch = last.removeprefix("refs/heads/") if last.startswith("refs/heads/") else DETACHED
            self._known = Head(branch, target), reading
        return self._known[0]

    def target(self, ref: str) -> str | None:
        """Return the id that a ref stands on in the end; None where there is no such ref.

        Raises
        ------
        DamagedRepositoryError
            If it cannot be read.
        """
        return self._resolved(ref, _Reading())[1] if is_ref_name(ref) else None

    def packed(self, ref: str) -> str | None:
        """Return the id on which a ref stands in ``packed-refs``; None where it is not there."""
        return self._packed_target(ref, _Reading())

    def all(self) -> dict[str, str]:
        """Return every ref with the id it stands on; one that is broken or stands for a missing one is left out.

        Raises
        ------
        DamagedRepositoryError
            If ``packed-refs`` cannot be read.
        """
        loose = list(self._loose_names())  # before packed-refs: Git takes a file away after it has packed it
        found: dict[str, str | None] = dict(self._packed_lines())
        for ref in loose:
            try:
                found[ref] = self.target(ref)
            except DamagedRepositoryError:
                found[ref] = None
        return {ref: target for ref, target in sorted(found.items()) if target is not None and is_ref_name(ref)}

    def _resolved(self, ref: str, reading: _Reading) -> tuple[str, str | None]:
        """Return the last ref of a chain, and its id."""
        first = ref
        for _ in range(_LONGEST_CHAIN + 1):
            content = reading.content(self._path(ref))
            if content is None:
                return ref, self._packed_target(ref, reading)
            text = os.fsdecode(content)
            if not text.startswith("ref:"):
                if not _is_id(text[:_ID]) or text[_ID : _ID + 1].strip():
                    raise self._damage(f"{ref} holds {text[:_ID]!r}, which is no commit id")
                return ref, text[:_ID].lower()
            before, ref = ref, text.removeprefix("ref:").strip()
            if not is_ref_name(ref):
                raise self._damage(f"{before} stands for {ref!r}, which is no ref")
        raise self._damage(f"{first} stands for a ref that stands for another one, and so on")

    def _path(self, ref: str) -> Path:
        own = not ref.startswith("refs/") or ref.startswith(_OF_ONE_WORKTREE)
        return (self._control if own else self._common) / ref

    def _packed_target(self, ref: str, reading: _Reading) -> str | None:
        data = reading.content(self._packed)
        if data is None:
            return None
        end = data.find(f" {ref}\n".encode(errors="surrogateescape"))  # names have no spaces: this ends a line
        return self._packed_id(data[max(0, end - _ID) : end]) if end >= 0 else None

    def _packed_lines(self) -> Iterator[tuple[str, str]]:
        data = _Reading().content(self._packed) or b""
        for line in data.splitlines():
            if line[:1] in {b"#", b"^"}:  # what the file can do, and the commit that a tag in the line above is on
                continue
            target, _, ref = line.partition(b" ")
            yield os.fsdecode(ref), self._packed_id(target)

    def _packed_id(self, data: bytes) -> str:
        text = data.decode(errors="replace")
        if not _is_id(text):
            raise self._damage(f"packed-refs holds {text!r}, which is no commit id")
        return text.lower()

    def _damage(self, reason: str) -> DamagedRepositoryError:
        return DamagedRepositoryError(str(self._root), reason)

    def _loose_names(self) -> Iterator[str]:
        if self._control == self._common:
            yield from _names_below(self._common, "refs/")
            return
        yield from (ref for ref in _names_below(self._common, "refs/") if not ref.startswith(_OF_ONE_WORKTREE))
        for folder in _OF_ONE_WORKTREE:
            yield from _names_below(self._control, folder)


def is_ref_name(name: str) -> bool:
    """Tell whether Git takes a name for that of a ref: ``refs/...``, or in capitals as ``HEAD``."""
    if not name.startswith("refs/"):
        return name.isascii() and name.isupper() and name.replace("_", "").isalpha()
    if _FORBIDDEN & set(name) or ".." in name or "@{" in name or name.endswith("."):
        return False
    return all(part and part[0] != "." and not part.endswith(".lock") for part in name.split("/"))


def _names_below(folder: Path, inside: str) -> Iterator[str]:
    try:
        entries = list(os.scandir(folder / inside))
    except (FileNotFoundError, NotADirectoryError):
        return
    for entry in entries:
        name = inside + entry.name
        if entry.is_dir():
            yield from _names_below(folder, f"{name}/")
        elif is_ref_name(name):  # else it is a lock, or a file that is being written
            yield name


def _is_id(text: str) -> bool:
    return len(text) == _ID and set(text) <= _HEX


def _link(path: Path) -> str | None:
    try:
        return str(path.readlink())
    except OSError:
        return None


def _state(found: os.stat_result) -> State:
    """Return what tells one content of a file from the next; a folder in its place is no file."""
    if stat.S_ISDIR(found.st_mode):
        return None
    return found.st_mtime_ns, found.st_ctime_ns, found.st_ino, found.st_size


def _state_of(path: Path) -> State:
    try:
        return _state(path.stat())
    except OSError:
        return None
