"""The store in a Git repository, bare or with a worktree: readers take no lock, writers the branch's for an instant."""

from __future__ import annotations

from contextlib import nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

from dulwich.errors import NotGitRepository
from dulwich.refs import Ref
from dulwich.repo import InvalidWorktreeConfiguration, Repo, UnsupportedExtension, UnsupportedVersion

from calibvcs.errors import (
    AlreadyExistsError,
    BranchMovedError,
    DamagedObjectError,
    DamagedRepositoryError,
    NoRepositoryError,
)
from calibvcs.model.commits import Message, Tag
from calibvcs.store.database import ObjectDatabase
from calibvcs.store.objects import (
    decode_commit,
    decode_tag,
    decode_tree,
    encode_commit,
    encode_signature,
    encode_tag,
)
from calibvcs.store.refs import DETACHED, FOLDER_CLASH, append_reflog, branch_ref, clashing, compare_and_set
from calibvcs.store.trees import edited
from calibvcs.store.worktree import Worktree

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from calibvcs.model.commits import Commit, Signature
    from calibvcs.store.protocol import Buffers, TreeEntry

_ZERO = "0" * 40
_OBJECT_FORMAT = "sha1"


class GitStore:
    """Constants in a Git repository on disk.

    Parameters
    ----------
    path : Path
        Repository: its worktree, its ``.git`` or a bare one.

    Raises
    ------
    NoRepositoryError
        If there is no Git repository.
    DamagedRepositoryError
        If it cannot be opened, or is of a kind that is not known here.
    """

    def __init__(self, path: Path) -> None:
        if path.name == ".git" and path.is_dir():  # else its worktree would not follow
            path = path.parent
        try:
            self._repo = Repo(str(path))
        except NotGitRepository:
            raise NoRepositoryError(str(path)) from None
        except (UnsupportedVersion, UnsupportedExtension, InvalidWorktreeConfiguration) as error:
            reason = f"its configuration is not supported: {type(error).__name__} {error}"
            raise DamagedRepositoryError(str(path), reason) from None
        except (OSError, ValueError) as error:
            raise DamagedRepositoryError(str(path), f"git cannot open it: {error}") from None
        if self._repo.object_format.name != _OBJECT_FORMAT:
            self._repo.close()
            raise DamagedRepositoryError(str(path), f"its object format is not {_OBJECT_FORMAT}, the supported one")
        self.memo: dict[str, object] = {}
        self._folder = Path(self._repo.commondir())
        self._control = Path(self._repo.controldir())
        self._database = ObjectDatabase(Path(self._repo.object_store.path), self._repo.object_store)
        self._worktree = None if self._repo.bare else Worktree(self._repo, self)

    @classmethod
    def discover(cls, start: Path) -> GitStore:
        """Open the repository that a folder lies in, as Git finds it.

        Raises
        ------
        NoRepositoryError
            If neither the folder nor one above it is a repository.
        """
        start = start.resolve()
        for folder in (start, *start.parents):
            if (folder / ".git").exists() or ((folder / "objects").is_dir() and (folder / "HEAD").is_file()):
                return cls(folder)
        raise NoRepositoryError(str(start))

    def close(self) -> None:
        """Give files and maps back."""
        self._database.close()
        self._repo.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- refs -------------------------------------------------------------------------------------------------

    @property
    def location(self) -> str:
        """Where it is: the worktree, or the bare repository."""
        return str(self._repo.path)

    @property
    def folder(self) -> Path:
        """The Git folder itself."""
        return self._folder

    @property
    def bare(self) -> bool:
        """Whether it has no worktree."""
        return self._worktree is None

    @property
    def branch(self) -> str:
        """Name of the branch that HEAD stands on; ``HEAD`` where it is detached."""
        last = self._repo.refs.follow(Ref(b"HEAD"))[0][-1]  # a branch may itself stand for another one
        return last.removeprefix(b"refs/heads/").decode() if last.startswith(b"refs/heads/") else DETACHED

    def refs(self) -> Mapping[str, str]:
        """Return every ref with the id it stands on."""
        return {name.decode(): target.decode() for name, target in self._repo.refs.as_dict().items() if name != b"HEAD"}

    def tip(self) -> str | None:
        """Return the commit that the branch stands on; None while it has none."""
        branch = self.branch
        return self._ref("HEAD" if branch == DETACHED else f"refs/heads/{branch}")

    def _ref(self, name: str) -> str | None:
        try:
            return self._repo.refs[Ref(name.encode())].decode()
        except KeyError:
            return None

    # --- objects ----------------------------------------------------------------------------------------------

    def commit(self, commit_id: str) -> Commit:
        """Return a commit."""
        return decode_commit(self._read(commit_id, "commit"), commit_id)

    def tree(self, tree_id: str) -> Mapping[str, TreeEntry]:
        """Return the names in a tree."""
        return decode_tree(self._read(tree_id, "tree"), tree_id)

    def blob(self, blob_id: str) -> bytes:
        """Return the content of a blob, its hash checked."""
        return self._read(blob_id, "blob")

    def blob_head(self, blob_id: str, length: int) -> tuple[bytes, int]:
        """Return the first bytes of a blob, and its whole size in bytes."""
        kind, head, size = self._database.read_head(blob_id, length)
        if kind != "blob":
            raise DamagedObjectError(blob_id, f"it is a {kind}, not a blob")
        return head, size

    def blob_into(self, blob_id: str, begin: int, out: memoryview) -> None:
        """Read a blob, from some byte to its end, straight into memory."""
        kind = self._database.read_into(blob_id, begin, out)
        if kind != "blob":
            raise DamagedObjectError(blob_id, f"it is a {kind}, not a blob")

    def kind(self, wanted: str) -> str | None:
        """Return commit, tree, blob or tag; None where there is no such object."""
        return self._database.kind(wanted)

    def abbreviated(self, prefix: str) -> Sequence[str]:
        """Return the ids of the objects whose id begins with some hex digits."""
        return self._database.beginning_with(prefix)

    def tag(self, name: str) -> Tag | None:
        """Return a tag by its name, or by the id of its object."""
        target = self._ref(f"refs/tags/{name}") or name
        kind = self.kind(target) if len(target) == len(_ZERO) else None
        if kind == "commit" and target != name:
            return Tag(name, target, target)
        return decode_tag(self._read(target, "tag"), target, name) if kind == "tag" else None

    def _read(self, wanted: str, kind: str) -> bytes:
        found, content = self._database.read(wanted)
        if found != kind:
            raise DamagedObjectError(wanted, f"it is a {found}, not a {kind}")
        return content

    # --- writing ----------------------------------------------------------------------------------------------

    def put_blob(self, buffers: Buffers) -> str:
        """Write a blob durably and return its id; nothing refers to it yet."""
        return self._database.write("blob", buffers)

    def commit_edits(
        self, parent: str | None, edits: Mapping[str, str | None], text: str, author: Signature, committer: Signature
    ) -> str:
        """Write trees and commit, move the branch, and bring the worktree after it."""
        branch = self.branch
        ref = branch_ref(branch)
        if self.tip() != parent:
            raise BranchMovedError(branch)
        tree, made = edited(self.tree, self.commit(parent).tree if parent else None, edits)
        for data in made.values():
            self._database.write("tree", [data])
        parents = (parent,) if parent else ()
        commit_id = self._database.write("commit", [encode_commit(tree, parents, author, committer, text)])
        subject = Message.parse(text).subject
        with self._worktree.following(parent, edits) if self._worktree else nullcontext():
            if not self._move(ref, parent, commit_id, subject, committer):
                raise BranchMovedError(branch)
        return commit_id

    def create_tag(self, name: str, commit_id: str, text: str, tagger: Signature) -> Tag:
        """Write an annotated tag."""
        taken = AlreadyExistsError("tag", name, "tags are immutable; choose another name")
        if self._ref(f"refs/tags/{name}") is not None:
            raise taken
        beside = clashing(self.refs(), f"refs/tags/{name}")
        if beside:
            raise AlreadyExistsError("tag", beside.removeprefix("refs/tags/"), FOLDER_CLASH)
        tag_id = self._database.write("tag", [encode_tag(name, commit_id, tagger, text)])
        if not compare_and_set(self._folder, f"refs/tags/{name}", None, tag_id, self._packed_ref):
            raise taken
        return Tag(name, commit_id, tag_id, tagger, text)

    def _move(self, ref: str, old: str | None, new: str, subject: str, committer: Signature) -> bool:
        if not compare_and_set(self._folder, ref, old, new, self._packed_ref):
            return False
        line = f"{old or _ZERO} {new} {encode_signature(committer)}\tcalibvcs: {subject}"
        with suppress(OSError):  # the change is made; that it could not be logged must not look as if it were not
            append_reflog(self._control, "HEAD", line, create=not self.bare)
            append_reflog(self._folder, ref, line, create=not self.bare)
        return True

    def _packed_ref(self, ref: str) -> str | None:
        found = self._repo.refs.get_packed_refs().get(Ref(ref.encode()))
        return found.decode() if found else None
