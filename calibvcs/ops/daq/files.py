"""The files of a set of constants in shared memory: all of them are written first, then renamed, the index last.

A failure, or the end of the process, before the first rename leaves what was there; so does a lack of room, which is
looked for before anything is written. Readers take no lock. Writers do, in the kernel, on the folder itself: nothing is
left of it when a writer dies, and the next one clears away what the dead one had not finished.
"""

from __future__ import annotations

import fcntl
import os
import re
import stat
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from calibvcs.errors import CalibvcsError, NotWritableError, StorageError, WriterBusyError
from calibvcs.formats.psana import shm_index
from calibvcs.formats.psana.shm_index import FOLDER, INDEX_FILE, LARGEST_INDEX, PAYLOAD_SUFFIX, SharedFile
from calibvcs.store.durable import disk_errors, make_folders, sync_folder
from calibvcs.store.objects.new_file import NewFile

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Self

    from calibvcs.formats.psana.shm_index import ShmIndex

IN_PROGRESS = ".inprogress"

_TEMPORARY = re.compile(
    r"(?:calibconst(?:_.+)?\.pkl|.+_calibc_cache\.pkl|index\.json|[0-9a-f]+\.npy)\.[0-9]+-[0-9a-f]{12}\.inprogress"
)
_PATIENCE = 60.0
_PAUSE = 0.02
_SPARE = 1 << 16  # folders and the last, half-filled page of each file


def read_index(output_dir: Path) -> ShmIndex | None:
    """Return what was exported into a folder; None where nothing was, or it cannot be understood."""
    path = output_dir / FOLDER / INDEX_FILE
    try:
        if path.stat().st_size > LARGEST_INDEX:
            return None
        return shm_index.decode(path.read_bytes(), str(path))
    except (FileNotFoundError, NotADirectoryError, CalibvcsError):
        return None


def unchanged(output_dir: Path, file: SharedFile) -> bool:
    """Tell whether a file is the one that was written."""
    try:
        known = (output_dir / file.name).stat()
    except OSError:
        return False
    return (known.st_size, known.st_mtime_ns) == (file.size, file.modified)


class ShmFiles:
    """The output folder, held by one writer; leaving its ``with`` statement lets go of it.

    Parameters
    ----------
    output_dir : Path
        Where the pickles are; index and payloads are in a folder below.
    mode : int
        Permissions of the files.

    Attributes
    ----------
    folder : Path
        Where index and payloads are.
    previous : ShmIndex or None
        The set that is there.
    """

    def __init__(self, output_dir: Path, mode: int) -> None:
        self.output_dir, self.folder = output_dir, output_dir / FOLDER
        self._mode = mode
        self._staged: dict[Path, NewFile] = {}
        self._linked: dict[Path, Path] = {}
        self._descriptor = -1
        self.previous: ShmIndex | None = None

    def __enter__(self) -> Self:
        with disk_errors(self.folder):
            make_folders(self.folder)
            self._descriptor = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            with disk_errors(self.folder):
                self._lock()
                self._open_folder()
                self.previous = read_index(self.output_dir)
                self._remove(path for path in self._all() if _TEMPORARY.fullmatch(path.name))
        except BaseException:
            os.close(self._descriptor)
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for file in self._staged.values():
            file.discard()
        self._remove(self._linked.values())
        os.close(self._descriptor)

    def _lock(self) -> None:
        begin = time.monotonic()
        while True:
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                waited = time.monotonic() - begin
                if waited > _PATIENCE:
                    raise WriterBusyError(str(self.folder), waited) from None
                time.sleep(_PAUSE)
            else:
                return

    def _open_folder(self) -> None:
        """Let those into the folder who may read its files."""
        known, wanted = os.fstat(self._descriptor), self._mode | 0o300 | (self._mode & 0o444) >> 2
        if known.st_uid == os.geteuid() and stat.S_IMODE(known.st_mode) != wanted:
            os.fchmod(self._descriptor, wanted)

    def _all(self) -> list[Path]:
        return [Path(entry.path) for folder in (self.output_dir, self.folder) for entry in os.scandir(folder)]

    @staticmethod
    def _remove(paths: Iterable[Path]) -> None:
        for path in paths:
            with suppress(OSError):  # of another user, whose it is to remove
                path.unlink()

    def has(self, name: str, size: int) -> bool:
        """Tell whether a payload is there, whole, and of this user; its name tells what it holds."""
        try:
            known = (self.folder / name).lstat()
        except OSError:
            return False
        return stat.S_ISREG(known.st_mode) and known.st_size == size and known.st_uid == os.geteuid()

    def make_room(self, needed: int, wanted: Iterable[str], names: Iterable[str]) -> None:
        """Clear away what no set needs, and look whether there is room and leave for what will be written.

        Parameters
        ----------
        needed : int
            Bytes that will be written.
        wanted : iterable of str
            Payloads of the new set.
        names : iterable of str
            Files that will be replaced in the output folder.

        Raises
        ------
        StorageError
            If there is no room; the set before has to stay while the new one is written.
        NotWritableError
            If a file belongs to somebody else, who alone may replace it.
        """
        keep = {*wanted, *(self.previous.payloads if self.previous else ())}
        with disk_errors(self.folder):
            self._remove(self.folder / name for name in self._payload_files() if name not in keep)
            for name in names:
                self._check_replaceable(self.output_dir / name)
            disk = os.statvfs(self.folder)
        free = disk.f_bavail * disk.f_frsize
        if needed + _SPARE > free:
            reason = f"no room: {free} bytes are free, and the files that are there stay until the new ones are whole"
            raise StorageError(str(self.output_dir), reason, needed)

    def _payload_files(self) -> list[str]:
        return [entry.name for entry in os.scandir(self.folder) if entry.name.endswith(PAYLOAD_SUFFIX)]

    def _check_replaceable(self, path: Path) -> None:
        try:
            known = path.lstat()
        except FileNotFoundError:
            return
        above, user = path.parent.stat(), os.geteuid()
        if stat.S_ISDIR(known.st_mode):
            raise NotWritableError(str(path), "it is a folder")
        if above.st_mode & stat.S_ISVTX and user not in {0, known.st_uid, above.st_uid}:
            raise NotWritableError(str(path), f"it belongs to user {known.st_uid}, who alone may replace it here")

    def stage(self, path: Path, pieces: Iterable[bytes | memoryview], size: int) -> NewFile:
        """Write a file under a temporary name, and bring it to disk."""
        with disk_errors(path, size):
            file = NewFile(path.parent, prefix=f"{path.name}.", suffix=IN_PROGRESS, mode=0o600)
            self._staged[path] = file
            for piece in pieces:
                file.write([piece])
            os.fchmod(file.descriptor, self._mode)
            file.sync()
        return file

    def stage_same(self, path: Path, other: Path, pieces: Iterable[bytes | memoryview], size: int) -> None:
        """Give what was staged for another path a second name; where the disk has no links, write it again."""
        temporary = path.parent / f"{path.name}.{os.getpid()}-{os.urandom(6).hex()}{IN_PROGRESS}"
        try:
            os.link(self._staged[other].path, temporary)
        except OSError:
            self.stage(path, pieces, size)
        else:
            self._linked[path] = temporary

    @property
    def standing(self) -> tuple[SharedFile, ...]:
        """Files of the set before that are still as they were written."""
        return tuple(one for one in (self.previous.files if self.previous else ()) if unchanged(self.output_dir, one))

    def shared_file(self, name: str, made_of: str = "") -> SharedFile:
        """Return what is to be known of a file, so that a change can be told."""
        path = self.output_dir / name
        if path in self._linked:
            known = self._linked[path].stat()
        else:
            known = os.fstat(self._staged[path].descriptor) if path in self._staged else path.stat()
        return SharedFile(name, known.st_size, known.st_mtime_ns, made_of)

    def publish(self, index: ShmIndex) -> None:
        """Rename everything into place, the index last; then remove what the new set does not need.

        Raises
        ------
        StorageError, NotWritableError
            If the disk refuses; index and payloads of the set before stay.
        """
        data = shm_index.encode(index)
        index_file = self.folder / INDEX_FILE
        self.stage(index_file, [data], len(data))
        try:
            self._rename(index, index_file)
        except BaseException:
            kept = self.previous.payloads if self.previous else frozenset()
            self._remove(self.folder / name for name in self._payload_files() if name not in kept)
            raise
        self._remove(self.folder / name for name in self._payload_files() if name not in index.payloads)
        gone = {file.name for file in self.previous.files} if self.previous else set()
        self._remove(self.output_dir / name for name in gone - {file.name for file in index.files})

    def _rename(self, index: ShmIndex, index_file: Path) -> None:
        with disk_errors(self.output_dir):
            for name in index.payloads:
                self._let_read(self.folder / name)
            for path, temporary in [*self._linked.items()]:
                temporary.replace(path)
                del self._linked[path]
            for path, file in self._staged.items():
                if path != index_file:
                    file.rename(path)
            sync_folder(self.output_dir)
            sync_folder(self.folder)
            self._staged[index_file].rename(index_file)
            sync_folder(self.folder)

    def _let_read(self, path: Path) -> None:
        """Give a payload that was there already the permissions that are asked for now."""
        if path not in self._staged and stat.S_IMODE(path.stat().st_mode) != self._mode:
            path.chmod(self._mode)
