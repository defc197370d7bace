"""``export --check``: whether what was exported is still what the repository says."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from calibvcs.errors import InvalidOptionError
from calibvcs.formats.psana.psana_pickle import cache_file
from calibvcs.formats.psana.shm_index import FOLDER, INDEX_FILE
from calibvcs.ops.daq.files import read_index, unchanged
from calibvcs.ops.daq.plan import plan
from calibvcs.ops.daq.selection import ShmRequest, select
from calibvcs.store.durable import disk_errors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from calibvcs.formats.psana.shm_index import SharedDetector, ShmIndex
    from calibvcs.ops.catalogue import Catalogue

_ID = 10


@dataclass(frozen=True, slots=True)
class ShmCheck:
    """What is there, held against the repository.

    Attributes
    ----------
    folder : str
        The folder.
    commit : str
        The commit that it was made from; empty where nothing was.
    newest : str
        The commit that it was held against.
    fresh : bool
        Whether nothing differs.
    same_constants : bool
        Whether at most the commit differs: the constants, detectors and files are the same.
    differences : tuple of str
        What differs, one a line.
    """

    schema: ClassVar[str] = "calibvcs.shm-check/1"

    folder: str
    commit: str
    newest: str
    fresh: bool
    same_constants: bool
    differences: tuple[str, ...]


def check_shm(catalogue: Catalogue, request: ShmRequest, output_dir: str) -> ShmCheck:
    """Hold what was exported against what the repository says; nothing is written.

    Parameters
    ----------
    catalogue : Catalogue
        The commit to compare with.
    request : ShmRequest
        Which detectors and which time; where it names no detectors, it is what was asked for then.
    output_dir : str
        The folder.

    Returns
    -------
    ShmCheck
        What differs.

    Raises
    ------
    InvalidOptionError, UnknownRunError, MissingFileError
        If the request cannot be understood.
    NotWritableError
        If the files may not be read.
    """
    newest = catalogue.snapshot.commit_id or ""
    with disk_errors(output_dir):
        index = read_index(Path(output_dir))
    if index is None:
        there = (Path(output_dir) / FOLDER / INDEX_FILE).exists()
        what = f"{FOLDER}/{INDEX_FILE} cannot be understood" if there else "nothing was exported there"
        return ShmCheck(output_dir, "", newest, fresh=False, same_constants=False, differences=(what,))
    known = request if request.says_what else ShmRequest.recalled(index.request)
    if known is None:
        raise InvalidOptionError("--check", output_dir, "it does not tell what was asked for", "give --detector")
    differences = tuple(_differences(catalogue, known, index, Path(output_dir)))
    commit = (
        () if index.commit == newest else (f"commit: {index.commit[:_ID]} there, {newest[:_ID]} in the repository",)
    )
    return ShmCheck(
        output_dir,
        index.commit,
        newest,
        fresh=not differences and not commit,
        same_constants=not differences,
        differences=(*commit, *differences),
    )


def _differences(catalogue: Catalogue, request: ShmRequest, index: ShmIndex, folder: Path) -> Iterator[str]:
    selection = select(catalogue, request)
    there = {one.name: one for one in index.detectors}
    now = {one.shared.name: one.shared for one in plan(catalogue, selection).detectors}
    for name in [*there, *(name for name in now if name not in there)]:
        if name not in now:
            yield f"{name}: it is there, and not wanted"
        elif name not in there:
            yield f"{name}: it is missing there"
        else:
            yield from _of_detector(name, there[name], now[name])
    written = {file.name for file in index.files}
    yield from (
        f"{file.name}: it is not the file that was written" for file in index.files if not unchanged(folder, file)
    )
    yield from (
        f"{cache_file(name)}: it is missing there" for name in request.caches if cache_file(name) not in written
    )
    for payload in sorted(index.payloads):
        if not (folder / FOLDER / payload).is_file():
            yield f"{FOLDER}/{payload}: it is gone"


def _of_detector(name: str, there: SharedDetector, now: SharedDetector) -> Iterator[str]:
    if there.longname != now.longname:
        yield f"{name}: unique id {there.longname} there, {now.longname} now"
    if there.detector != now.detector:
        yield f"{name}: {there.detector or 'no detector'} there, {now.detector or 'no detector'} in the repository"
    old = {one.ctype: one for one in there.constants}
    new = {one.ctype: one for one in now.constants}
    for ctype in sorted(old.keys() | new.keys()):
        before, after = (f"{s[ctype].validity} {s[ctype].version}" if ctype in s else "nothing" for s in (old, new))
        if before != after or old[ctype].blob != new[ctype].blob:
            yield f"{name}/{ctype}: {before} there, {after} in the repository"
