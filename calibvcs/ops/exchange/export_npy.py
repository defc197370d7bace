"""``export --npy``: constants as plain files, for programs that read nothing but ``.npy``, text and JSON."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, ClassVar

from calibvcs.errors import AlreadyExistsError, UnknownConstantError
from calibvcs.model import layout
from calibvcs.model.names import ConstantName
from calibvcs.store.durable import TEMPORARY, disk_errors, make_folders, sync_folder, write_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from calibvcs.model.names import DetectorName
    from calibvcs.ops.catalogue import Catalogue

INDEX_FILE = "index.json"
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class PlainFile:
    """One file, and the version that stands in it."""

    path: str
    constant: str
    version: str
    commit: str
    blob: str


@dataclass(frozen=True, slots=True)
class NpyExported:
    """What was written.

    Attributes
    ----------
    folder : str
        Where to.
    at : str
        Commit that was read.
    time : float or None
        The time at which the constants are in force, UNIX seconds; None for all ranges.
    files : tuple of PlainFile
        The data; ``meta.toml`` stands beside each.
    left_out : tuple of str
        Constants that were not written, each with the reason.
    """

    schema: ClassVar[str] = "calibvcs.export.npy/1"

    folder: str
    at: str
    time: float | None
    files: tuple[PlainFile, ...]
    left_out: tuple[str, ...]


def export_npy(
    catalogue: Catalogue,
    folder: Path,
    detectors: Sequence[DetectorName] = (),
    ctypes: Sequence[str] = (),
    time: float | None = None,
) -> NpyExported:
    """Write constants as ``<detname>/<ctype>/data.npy`` or ``geometry.txt``, with ``meta.toml``, and an ``index.json``.

    Parameters
    ----------
    catalogue : Catalogue
        The commit to read.
    folder : Path
        A new folder, or an empty one. It appears whole or not at all.
    detectors : sequence of DetectorName, optional
        Whose constants; default is all.
    ctypes : sequence of str, optional
        Which ctypes; default is all.
    time : float, optional
        UNIX seconds: what is in force then. Default is the default of every range, each in a folder of its range,
        ``<detname>/<ctype>/<begin>-<end>/``.

    Returns
    -------
    NpyExported
        The files.

    Raises
    ------
    AlreadyExistsError
        If the folder holds something.
    UnknownConstantError
        If nothing is selected.
    NotWritableError, StorageError
        If the disk refuses; nothing is left then.
    DamagedObjectError
        If data are missing or damaged.
    """
    left_out: list[str] = []
    names = list(_selected(catalogue, detectors or catalogue.detectors, ctypes, time, left_out))
    if not names:
        raise UnknownConstantError(" ".join([*map(str, detectors), *ctypes]) or "any constant")
    folder = folder.absolute()
    with disk_errors(folder):
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise AlreadyExistsError("folder", str(folder), "give a new folder, or remove what is in it")
        make_folders(folder.parent)
        new = folder.parent / f"{TEMPORARY}{os.getpid()}-{os.urandom(6).hex()}"
        try:
            files = tuple(_written(catalogue, new, name, time) for name in names)
            result = NpyExported(str(folder), catalogue.snapshot.commit_id or "", time, files, tuple(left_out))
            index = {"schema": result.schema, **asdict(result)}
            del index["folder"]  # it may be moved
            write_file(new / INDEX_FILE, [json.dumps(index, indent=1).encode()])
            new.replace(folder)
        except BaseException:
            shutil.rmtree(new, ignore_errors=True)
            raise
        sync_folder(folder.parent)
    return result


def _selected(
    catalogue: Catalogue,
    detectors: Sequence[DetectorName],
    ctypes: Sequence[str],
    time: float | None,
    left_out: list[str],
) -> Iterator[ConstantName]:
    for detector in detectors:
        for ctype in catalogue.ctypes(detector):
            if ctypes and ctype not in ctypes:
                continue
            if time is not None:
                found = catalogue.in_force(detector, ctype, time)
                if found:
                    yield found
                else:
                    left_out.append(f"{detector}/{ctype}: no range is valid at {time:.16g}")
                continue
            for validity in catalogue.ranges(detector, ctype):
                name = ConstantName(detector, ctype, validity)
                if catalogue.metadata(name).withdrawn:
                    left_out.append(f"{name}: it is withdrawn")
                else:
                    yield name


def _written(catalogue: Catalogue, new: Path, name: ConstantName, time: float | None) -> PlainFile:
    file, entry = catalogue.payload(name)
    place = f"{name.detector}/{name.ctype}" if time is not None else str(name)
    make_folders(new / place)
    store, version = catalogue.snapshot.store, catalogue.history.default(name)
    write_file(new / place / file, store.blob_blocks(entry.id, 0, _BLOCK))
    meta = catalogue.snapshot.read(f"{layout.constant_folder(name)}/{layout.META_FILE}")
    write_file(new / place / layout.META_FILE, [meta or b""])
    return PlainFile(
        f"{place}/{file}",
        str(name),
        version.name if version else "",
        version.commit.id if version else "",
        entry.id,
    )
