"""What was edited by hand in a worktree, in the words of the field: constants, records, and files that are neither."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from calibvcs.errors import CalibvcsError, InvalidDocumentError, InvalidNameError
from calibvcs.formats.toml import access_toml
from calibvcs.model import layout
from calibvcs.model.names import ConstantName, DetectorName, parse_ctype, parse_dettype, parse_experiment
from calibvcs.model.validity import Validity
from calibvcs.store.worktrees.ignored import not_ignored

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from calibvcs.store.snapshot import Snapshot
    from calibvcs.store.worktrees.look import Look, LookedAt
    from calibvcs.store.worktrees.worktree import Worktree

State = Literal["new", "changed", "removed"]

_SETTINGS = ".calibvcs"
_SETTING_FILES = {layout.REPOSITORY_FILE, access_toml.ACCESS_FILE}
_TOP_FILES = {layout.ATTRIBUTES_FILE, ".gitignore", ".mailmap", "README.md", "LICENSE"}
_DEPTH = 5
_NPY = b"\x93NUMPY"


@dataclass(frozen=True, slots=True)
class LeftFile:
    """A file or folder (with ``/`` at its end) that is none of the format, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class EditedConstant:
    """A constant of which files were edited.

    Attributes
    ----------
    name : ConstantName
        Its name.
    state : {"new", "changed", "removed"}
        Against the commit.
    files : mapping of str to LookedAt
        What is different, by the name of the file.
    data : str
        Name of the file that holds the data now; empty where it has none, or two.
    trouble : str
        Why it can be in no commit as it is; empty where nothing is known to be wrong.
    """

    name: ConstantName
    state: State
    files: Mapping[str, LookedAt]
    data: str
    trouble: str = ""


@dataclass(frozen=True)
class Edits:
    """Everything that was edited, against one commit.

    Attributes
    ----------
    constants : tuple of EditedConstant
        Sorted by name.
    records : tuple of LookedAt
        What stands beside constants: detectors, alias and run tables, settings; sorted by path.
    left : tuple of LeftFile
        Files that are none of the format, but for those that Git was told to ignore.
    unmerged : tuple of str
        Paths that a merge of C Git left in conflict.
    look : Look
        Where it was seen.
    """

    constants: tuple[EditedConstant, ...]
    records: tuple[LookedAt, ...]
    left: tuple[LeftFile, ...]
    unmerged: tuple[str, ...]
    look: Look = field(repr=False)


def edits_of(worktree: Worktree, snapshot: Snapshot) -> Edits:
    """Compare a worktree with a commit.

    Parameters
    ----------
    worktree : Worktree
        The files.
    snapshot : Snapshot
        The commit.

    Returns
    -------
    Edits
        What is different.

    Raises
    ------
    DamagedRepositoryError, DamagedObjectError
        If index or trees cannot be read.
    """
    look = worktree.look(snapshot.commit_id, is_of_the_format)
    constants: dict[ConstantName, dict[str, LookedAt]] = {}
    records: list[LookedAt] = []
    left: list[LeftFile] = []
    for one in look.files:
        try:
            constant = constant_or_record(one.path)
        except CalibvcsError as error:
            left.append(LeftFile(shown(one.path), shown(_reason(one, error))))
            continue
        if constant is None:
            records.append(one)
        else:
            constants.setdefault(constant, {})[one.path.rpartition("/")[2]] = one
    kept = set(not_ignored(worktree.root, [one.path for one in left]))
    return Edits(
        tuple(_edited(name, constants[name], snapshot, worktree.root) for name in sorted(constants)),
        tuple(records),
        tuple(one for one in left if one.path in kept),
        look.unmerged,
        look,
    )


def constant_or_record(path: str) -> ConstantName | None:
    """Return the constant that a file belongs to, None for a record.

    Raises
    ------
    CalibvcsError
        If it is a file of neither: by its place, or because a name breaks the grammar.
    """
    parts = path.split("/")
    depth = len(parts)
    if path in _TOP_FILES or path in _SETTING_FILES:
        return None
    if parts[0] == layout.EXPERIMENTS and depth == 2 and parts[1].endswith(".toml"):
        parse_experiment(parts[1].removesuffix(".toml"))
    elif depth == 2 and parts[1] == layout.ALIASES_FILE and parts[0] != _SETTINGS:
        parse_dettype(parts[0])
    elif depth == 3 and parts[2] == layout.DETECTOR_FILE:
        _detector(parts)
    elif depth == 4 and parts[3] == layout.CTYPE_FILE:
        _detector(parts)
        parse_ctype(parts[2])
    elif depth == _DEPTH and parts[4] in {*layout.PAYLOAD_FILES, layout.META_FILE}:
        return ConstantName(_detector(parts), parse_ctype(parts[2]), Validity.parse(parts[3]))
    else:
        _check_folders(parts[:-1])
        raise InvalidDocumentError(path, "format 1 has no such file")
    return None


def is_of_the_format(folder: str) -> bool:
    """Tell whether a folder may hold files of the format, by its place and name."""
    parts = folder.split("/")
    try:
        _check_folders(parts)
    except CalibvcsError:
        return False
    return len(parts) < _DEPTH


def shown(text: str) -> str:
    """Return a path or message with bytes that are not UTF-8 as escapes, so that it can be printed."""
    return text.encode(errors="surrogateescape").decode(errors="backslashreplace")


def _check_folders(parts: Sequence[str]) -> None:
    own = parts and parts[0] in {_SETTINGS, layout.EXPERIMENTS}
    if not parts or (own and len(parts) == 1):
        return
    if own:
        raise InvalidDocumentError("/".join(parts), "format 1 has no such folder")
    parse_dettype(parts[0])
    if len(parts) > 1:
        _detector(list(parts))
    if len(parts) > 2:
        parse_ctype(parts[2])
    if len(parts) > 3:
        Validity.parse(parts[3])


def _detector(parts: list[str]) -> DetectorName:
    detector = DetectorName.parse(parts[1])
    if str(detector) != parts[1] or detector.dettype != parts[0]:
        raise InvalidNameError("folder of a detector", "/".join(parts[:2]), f"{detector.dettype}/{detector}")
    return detector


def _reason(one: LookedAt, error: CalibvcsError) -> str:
    """Return why a file is none of the format."""
    if one.content is None:
        return "it was removed, and is none of the format"
    reason = error.reason if isinstance(error, InvalidDocumentError) else error.problem
    return f"{one.trouble}; {reason}" if one.trouble and not one.path.endswith("/") else reason


def _edited(name: ConstantName, files: dict[str, LookedAt], snapshot: Snapshot, root: Path) -> EditedConstant:
    before = set(snapshot.names(layout.constant_folder(name)))
    there = {file for file in before if file not in files} | {f for f, one in files.items() if one.content is not None}
    data = [file for file in layout.PAYLOAD_FILES if file in there]
    state: State = "changed" if before else "new"
    if not data and (before or not there):
        state = "removed"
    only = data[0] if len(data) == 1 else ""
    return EditedConstant(name, state, files, only, _trouble(name, files, state, data, root))


def _trouble(name: ConstantName, files: Mapping[str, LookedAt], state: State, data: Sequence[str], root: Path) -> str:
    for one in files.values():
        if one.trouble:
            return f"{one.path.rpartition('/')[2]}: {one.trouble}"
    if state == "removed":
        return "it was removed, and there is no deletion"
    if len(data) != 1:
        expected = f"one of {', '.join(layout.PAYLOAD_FILES)} is needed"
        return f"it has {' and '.join(data) or 'no data'}; {expected}"
    file = data[0]
    if file != layout.ARRAY_FILE and file != layout.payload_file(name.ctype, text=True):
        return f"text of {name.ctype} stands in {layout.payload_file(name.ctype, text=True)}, not in {file}"
    meta = files.get(layout.META_FILE)
    if meta and meta.committed and meta.content is None and not has_new_data(files, file):
        return f"{layout.META_FILE} was removed"
    if file == layout.ARRAY_FILE and file in files and not _is_npy(root / files[file].path):
        return f"{file}: it is no .npy file"
    return ""


def has_new_data(files: Mapping[str, LookedAt], data: str) -> bool:
    """Tell whether the data of an edited constant are not those of the commit."""
    one = files.get(data)
    return one is not None and (one.committed is None or one.content != one.committed.id)


def _is_npy(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(_NPY)) == _NPY
    except OSError:
        return False
