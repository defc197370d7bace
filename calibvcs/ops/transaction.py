"""One change: planned on the newest commit, and planned anew when somebody else was faster."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from calibvcs.errors import BranchMovedError
from calibvcs.ops.catalogue import Catalogue
from calibvcs.ops.patience import Patience
from calibvcs.store.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from calibvcs.model.commits import Message, Person
    from calibvcs.store.protocol import Store

T = TypeVar("T")


@dataclass(frozen=True)
class Plan(Generic[T]):
    """What a change does to the commit that it was planned on.

    Attributes
    ----------
    edits : mapping of path to bytes or blob id
        Small files as bytes, payloads as the id of a blob that is written already, None to take a file away.
    message : Message
        Why, and what it is.
    result : T
        Whatever the verb returns beside the commit.
    """

    edits: Mapping[str, bytes | str | None]
    message: Message
    result: T


def commit(store: Store, author: Person, plan: Callable[[Catalogue], Plan[T]]) -> tuple[str, T]:
    """Make a change.

    Parameters
    ----------
    store : Store
        Where to.
    author : Person
        Who makes it.
    plan : callable
        Returns the edits for a state of the repository; it checks everything there, since it is called again on the
        newer state when another writer was faster.

    Returns
    -------
    tuple of str and T
        Id of the new commit, and the result of the plan that it was made from.

    Raises
    ------
    BranchMovedError
        If others were faster all the time.
    """
    patience = Patience(store.branch)
    while True:
        parent = store.tip()
        catalogue = Catalogue(Snapshot(store, parent))
        if parent is not None:
            _ = catalogue.settings  # nothing is ever written into a repository that is not ours
        made = plan(catalogue)
        text = made.message.encode()
        edits = {path: store.put_blob([new]) if isinstance(new, bytes) else new for path, new in made.edits.items()}
        signed, committer = author.sign()
        try:
            return store.commit_edits(parent, edits, text, signed, committer, sign=author.signer), made.result
        except BranchMovedError:
            patience.overtaken()
