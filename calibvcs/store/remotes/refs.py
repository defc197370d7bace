"""The refs of another repository, and those here that follow them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from calibvcs.errors import InvalidNameError, UnknownRevisionError
from calibvcs.store.refs.reading import is_ref_name
from calibvcs.store.remotes.remote import Notice, RefUpdate

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from calibvcs.store.git import GitStore
    from calibvcs.store.remotes.remote import RemoteRefs

HEADS, TAGS = "refs/heads/", "refs/tags/"
_ID = 40
_HEX = frozenset("0123456789abcdef")


def trusted_refs(given: Iterable[tuple[bytes, bytes | None]]) -> dict[str, str]:
    """Return those branches and tags that another repository names whose names and ids are sound.

    A name becomes a path here: what Git would not take for the name of a ref is passed over.
    """
    found = {}
    for name, target in given:
        ref, wanted = name.decode(errors="surrogateescape"), (target or b"").decode(errors="replace")
        if ref.startswith((HEADS, TAGS)) and is_ref_name(ref) and len(wanted) == _ID and set(wanted) <= _HEX:
            found[ref] = wanted
    return dict(sorted(found.items()))


def wanted_refs(remote: RemoteRefs, branches: Sequence[str] | None, *, tags: bool) -> dict[str, str]:
    """Return the refs of another repository that are to come.

    Raises
    ------
    UnknownRevisionError
        If it has no branch of a name.
    """
    known = tuple(ref.removeprefix(HEADS) for ref in remote.refs if ref.startswith(HEADS))
    for branch in branches or ():
        if branch not in known:
            raise UnknownRevisionError(branch, known)
    names = set(known if branches is None else branches)
    return {
        ref: target
        for ref, target in remote.refs.items()
        if ref.removeprefix(HEADS) in names or (tags and ref.startswith(TAGS))
    }


def follow(store: GitStore, name: str, wanted: Mapping[str, str]) -> tuple[tuple[RefUpdate, ...], tuple[Notice, ...]]:
    """Let the refs here stand where those of another repository stand; the objects are here already.

    A branch is kept as ``refs/remotes/NAME/BRANCH``. A tag that is here already, and stands elsewhere, stays.

    Raises
    ------
    InvalidNameError
        If the name of the other repository cannot be part of the name of a ref.
    WriterBusyError, StorageError, NotWritableError
        If a ref cannot be written.
    """
    if not is_ref_name(f"refs/remotes/{name}/main"):
        raise InvalidNameError("name of a remote", name, "letters, digits, '-', '_' and '.'", "origin")
    changed: list[RefUpdate] = []
    notices: list[Notice] = []
    here = store.refs()
    for ref, target in wanted.items():
        own = f"refs/remotes/{name}/{ref.removeprefix(HEADS)}" if ref.startswith(HEADS) else ref
        old = here.get(own)
        if old == target:
            continue
        if ref.startswith(TAGS) and old is not None:
            notices.append(Notice("tag-differs", f"tag {ref.removeprefix(TAGS)!r} is another one here; it stays"))
        elif store.set_ref(own, old, target):
            changed.append(RefUpdate(own, old, target))
        else:
            notices.append(Notice("ref-not-moved", f"{own} is being moved by somebody else; it stays"))
    return tuple(changed), tuple(notices)
