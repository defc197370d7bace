"""Large repositories in seconds: the commits that calibvcs would have made, by ``git index-pack`` and ``fast-import``.

``git fast-import`` searches the whole list of a folder for every file, so the trees of ctypes, which may be very large,
are made here and given to ``index-pack``.
"""

from __future__ import annotations

import hashlib
import io
import struct
import subprocess
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

import calibvcs
from calibvcs.formats.toml import detector_toml, meta_toml
from calibvcs.model import layout
from calibvcs.model.commits import Action, Message
from calibvcs.model.detector import Detector
from calibvcs.model.metadata import Metadata
from calibvcs.model.names import ConstantName, DetectorName
from tests.bench.surroundings import git

SHAPE = (4, 4)
_WHO = b"Ada Lovelace <ada@example.org>"
_NUMBERS = {"tree": 2, "blob": 3}


def camera(number: int) -> str:
    """Return the name of a camera."""
    return str(DetectorName("opal1000", str(number)))


def tiny(number: int) -> np.ndarray:
    """Return float32 pedestals of a camera of 4 x 4 pixels that no other number below 16 million gives."""
    array = np.full(SHAPE, 900, np.float32)
    array[0, 0] = number
    return array


def npy(number: int) -> bytes:
    """Return the file of `tiny`."""
    file = io.BytesIO()
    np.save(file, tiny(number))
    return file.getvalue()


def build(path: Path, commits: Iterable[Sequence[str]]) -> None:
    """Make a bare repository in which every commit adds some constants, one minute after the one before.

    Parameters
    ----------
    path : Path
        Where.
    commits : iterable of sequence of str
        ``DET/CTYPE/RANGE`` of what each commit adds; the data of the n-th of all are ``tiny(n)``.
    """
    calibvcs.init(path, bare=True)
    names = [list(map(ConstantName.parse, commit)) for commit in commits]
    objects = _Objects()
    changes = [list(objects.add(commit)) for commit in names]
    objects.give(path)
    detectors = sorted({constant.detector for commit in names for constant in commit})
    start = int(git(path, "log", "-1", "--format=%ct"))
    records = [(layout.detector_file(detector), detector_toml.encode(Detector(detector))) for detector in detectors]
    stream = io.BytesIO()
    stream.write(_commit(Message("Register the detectors", Action.DETECTOR), start + 1))
    stream.write(b"from refs/heads/main^0\n")
    stream.writelines(b"M 100644 inline %b\n%b" % (file.encode(), _data(content)) for file, content in records)
    for minute, (commit, trees) in enumerate(zip(names, changes, strict=True), 1):
        stream.write(_commit(Message(f"Dark run {minute}", Action.ADD, tuple(commit)), start + 60 * minute))
        stream.writelines(b"M 040000 %b %b\n" % (tree.encode(), folder.encode()) for folder, tree in trees)
    subprocess.run(["git", "fast-import", "--quiet"], cwd=path, input=stream.getbuffer(), check=True)


class _Objects:
    """Blobs, and the trees of ranges and ctypes, on their way into a pack."""

    def __init__(self) -> None:
        self._pack: dict[str, bytes] = {}
        self._meta = self._put(
            "blob", meta_toml.encode(Metadata("float32", SHAPE, ("row", "column"), "ADU", "subtract"))
        )
        self._ranges: dict[str, dict[str, str]] = {}
        self._count = 0

    def add(self, constants: Iterable[ConstantName]) -> Iterator[tuple[str, str]]:
        """Add constants, and yield the folder and the new tree of each ctype that they belong to."""
        touched = set()
        for constant in constants:
            folder = layout.ctype_folder(constant.detector, constant.ctype)
            files = {"data.npy": self._put("blob", npy(self._count)), "meta.toml": self._meta}
            tree = b"".join(b"100644 %b\0%b" % (name.encode(), bytes.fromhex(blob)) for name, blob in files.items())
            self._ranges.setdefault(folder, {})[str(constant.validity)] = self._put("tree", tree)
            self._count += 1
            touched.add(folder)
        for folder in touched:
            entries = sorted(self._ranges[folder].items(), key=lambda entry: f"{entry[0]}/")
            tree = b"".join(b"40000 %b\0%b" % (name.encode(), bytes.fromhex(range_)) for name, range_ in entries)
            yield folder, self._put("tree", tree)

    def give(self, path: Path) -> None:
        """Put all into a pack of a repository."""
        pack = b"PACK" + struct.pack(">II", 2, len(self._pack)) + b"".join(self._pack.values())
        pack += hashlib.sha1(pack, usedforsecurity=False).digest()
        subprocess.run(["git", "index-pack", "--stdin"], cwd=path, input=pack, check=True, stdout=subprocess.DEVNULL)

    def _put(self, kind: str, content: bytes) -> str:
        header = f"{kind} {len(content)}\0".encode()
        new_id = hashlib.sha1(header + content, usedforsecurity=False).hexdigest()
        if new_id not in self._pack:
            size, head = len(content) >> 4, [_NUMBERS[kind] << 4 | len(content) & 15]
            while size:
                head[-1] |= 128
                head.append(size & 127)
                size >>= 7
            self._pack[new_id] = bytes(head) + zlib.compress(content, 1)
        return new_id


def _data(content: bytes) -> bytes:
    return b"data %d\n%b\n" % (len(content), content)


def _commit(message: Message, seconds: int) -> bytes:
    who = b"".join(b"%b %b %d +0000\n" % (role, _WHO, seconds) for role in (b"author", b"committer"))
    return b"commit refs/heads/main\n" + who + _data(message.encode().encode())[:-1]
