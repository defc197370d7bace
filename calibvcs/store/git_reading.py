"""Reading a Git repository, bare or with a worktree: no lock is taken, and nothing is written."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Self

from calibvcs.errors import DamagedObjectError, ShallowHistoryError
from calibvcs.model.commits import Tag
from calibvcs.store.derived import DerivedData
from calibvcs.store.objects.database import ObjectDatabase
from calibvcs.store.objects.encoding import decode_commit, decode_tag
from calibvcs.store.objects.large_tree import MOST_KEPT, tree_of, weight_of
from calibvcs.store.opening import above, locate
from calibvcs.store.recent import Recent
from calibvcs.store.refs.reading import RefReader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from dulwich.object_store import DiskObjectStore

    from calibvcs.model.commits import Commit
    from calibvcs.store.objects.protocol import Objects, Verify
    from calibvcs.store.protocol import TreeEntry
    from calibvcs.store.worktrees.clean_files import CleanFiles

_ID_LENGTH = 40


class GitReader:
    """Constants in a Git repository on disk.

    Parameters
    ----------
    path : Path
        Repository: its worktree, its ``.git`` or a bare one.
    plain : bool
        Read and write objects with dulwich alone, and not with readers and writers of our own.
    verify : {"first", "always", "never"}
        When the hash of what `blob_into` and `blob_blocks` read is checked: when a copy of it is read for the first
        time, always, or never. All else is always checked; so is what is read with `plain`.

    Raises
    ------
    NoRepositoryError
        If there is no Git repository.
    DamagedRepositoryError
        If it cannot be opened, or is of a kind that is not known here.
    """

    def __init__(self, path: Path, *, plain: bool = False, verify: Verify = "first") -> None:
        folders = locate(path)
        self._root, self._control, self._folder, self.bare = folders
        self.memo: dict[str, object] = {}
        self.bring: Callable[[str], None] | None = None
        self._trees: Recent[Mapping[str, TreeEntry]] = Recent(MOST_KEPT)
        self.derived = DerivedData(self._folder / "calibvcs" / "derived-1.sqlite3")
        self._refs = RefReader(folders)
        self._borrowed: DiskObjectStore | None = None
        self._database = self._objects(plain=plain, verify=verify)
        self._maps_files, self._verify = not (self.bare or plain), verify

    @classmethod
    def discover(cls, start: Path, *, verify: Verify = "first") -> Self:
        """Open the repository that a folder lies in, as Git finds it. The parameters are those of the class.

        Raises
        ------
        NoRepositoryError
            If neither the folder nor one above it is a repository.
        """
        return cls(above(start), verify=verify)

    def close(self) -> None:
        """Give files and maps back."""
        self._database.close()
        self.derived.close()
        if self._borrowed:
            self._borrowed.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- refs -------------------------------------------------------------------------------------------------

    @property
    def location(self) -> str:
        """Where it is: the worktree, or the bare repository."""
        return str(self._root)

    @property
    def folder(self) -> Path:
        """The Git folder itself."""
        return self._folder

    @property
    def root(self) -> Path:
        """Where the files are; the Git folder itself where it is bare."""
        return self._root

    @property
    def control(self) -> Path:
        """The Git folder of this worktree, where HEAD and the index are."""
        return self._control

    @property
    def branch(self) -> str:
        """Name of the branch that HEAD stands on; ``HEAD`` where it is detached."""
        return self._refs.head().branch

    def refs(self) -> Mapping[str, str]:
        """Return every ref with the id it stands on."""
        return self._refs.all()

    def tip(self) -> str | None:
        """Return the commit that the branch stands on; None while it has none."""
        return self._refs.head().commit

    @cached_property
    def _clean_files(self) -> CleanFiles:
        from calibvcs.store.worktrees.clean_files import CleanFiles

        places = self._root, self._control / "index", self._folder / "info" / "attributes"
        return CleanFiles(*places, check=self._verify == "always")

    def _objects(self, *, plain: bool, verify: Verify) -> Objects:
        if not plain:
            return ObjectDatabase(self._folder / "objects", self._as_dulwich_reads, verify=verify)
        from calibvcs.store.objects.plain import PlainDatabase  # without it, dulwich is not needed to read

        return PlainDatabase(self._as_dulwich_reads)

    def _as_dulwich_reads(self) -> DiskObjectStore:
        from dulwich.object_store import DiskObjectStore

        if self._borrowed is None:
            self._borrowed = DiskObjectStore(str(self._folder / "objects"))
        return self._borrowed

    # --- objects ----------------------------------------------------------------------------------------------

    def commit(self, commit_id: str) -> Commit:
        """Return a commit."""
        try:
            return decode_commit(self._read(commit_id, "commit"), commit_id)
        except DamagedObjectError:
            if (self._folder / "shallow").exists() and self._database.kind(commit_id) is None:
                raise ShallowHistoryError(commit_id) from None
            raise

    def tree(self, tree_id: str) -> Mapping[str, TreeEntry]:
        """Return the names in a tree."""
        return self._trees.made(tree_id, lambda: tree_of(self._read(tree_id, "tree"), tree_id), weight_of)

    def tree_data(self, tree_id: str) -> bytes:
        """Return the bytes of a tree as Git stores them, their hash checked."""
        return self._read(tree_id, "tree")

    def blob(self, blob_id: str) -> bytes:
        """Return the content of a blob, its hash checked."""
        self._bring(blob_id)
        return self._read(blob_id, "blob")

    def _bring(self, blob_id: str) -> None:
        if self.bring and self._database.kind(blob_id) is None:  # a squeezed clone was promised what it lacks
            self.bring(blob_id)

    def blob_head(self, blob_id: str, length: int) -> tuple[bytes, int]:
        """Return the first bytes of a blob, and its whole size in bytes."""
        self._bring(blob_id)
        kind, head, size = self._database.read_head(blob_id, length)
        if kind != "blob":
            raise DamagedObjectError(blob_id, f"it is a {kind}, not a blob")
        return head, size

    def blob_into(self, blob_id: str, begin: int, out: memoryview) -> None:
        """Read a blob, from some byte to its end, straight into memory."""
        self._bring(blob_id)
        kind = self._database.read_into(blob_id, begin, out)
        if kind != "blob":
            raise DamagedObjectError(blob_id, f"it is a {kind}, not a blob")

    def blob_blocks(self, blob_id: str, begin: int, size: int) -> Iterator[memoryview]:
        """Read a blob, from some byte to its end, block by block; the hash is checked when the last one was read."""
        self._bring(blob_id)
        return self._database.blocks(blob_id, "blob", begin, size)

    def clean_file(self, path: str, blob_id: str, size: int) -> memoryview | None:
        """Return a blob as a map of its file in the worktree; None where the file may hold something else."""
        return self._clean_files.map(path, blob_id, size) if self._maps_files else None

    def kind(self, wanted: str) -> str | None:
        """Return commit, tree, blob or tag; None where there is no such object."""
        return self._database.kind(wanted)

    def abbreviated(self, prefix: str) -> Sequence[str]:
        """Return the ids of the objects whose id begins with some hex digits."""
        return self._database.beginning_with(prefix)

    def tag(self, name: str) -> Tag | None:
        """Return a tag by its name, or by the id of its object."""
        target = self._refs.target(f"refs/tags/{name}") or name
        kind = self.kind(target) if len(target) == _ID_LENGTH else None
        if kind == "commit" and target != name:
            return Tag(name, target, target)
        return decode_tag(self._read(target, "tag"), target, name) if kind == "tag" else None

    def read_object(self, wanted: str) -> tuple[str, bytes]:
        """Return kind and content of any object, its hash checked."""
        return self._database.read(wanted)

    def _read(self, wanted: str, kind: str) -> bytes:
        found, content = self._database.read(wanted)
        if found != kind:
            raise DamagedObjectError(wanted, f"it is a {found}, not a {kind}")
        return content
