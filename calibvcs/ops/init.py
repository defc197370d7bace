"""``init``: the first commit of a repository of constants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from calibvcs.formats.toml import repository_toml
from calibvcs.model import layout
from calibvcs.model.commits import Action, Message
from calibvcs.model.repository import RepositorySettings
from calibvcs.ops import transaction

if TYPE_CHECKING:
    from calibvcs.model.commits import Person
    from calibvcs.ops.catalogue import Catalogue
    from calibvcs.store.protocol import Store


@dataclass(frozen=True, slots=True)
class InitResult:
    """A new repository: where it is, its name, and its first commit."""

    schema: ClassVar[str] = "calibvcs.init/1"

    path: str
    name: str
    commit: str
    bare: bool


def init(store: Store, author: Person, name: str, *, bare: bool = False) -> InitResult:
    """Write the first commit into an empty Git repository.

    Parameters
    ----------
    store : Store
        The empty store.
    author : Person
        Who makes it.
    name : str
        Name of the repository.
    bare : bool, optional
        Whether it has no worktree, for the result.

    Returns
    -------
    InitResult
        Where it is, its name, and its first commit.
    """
    edits: dict[str, bytes | str | None] = {
        layout.REPOSITORY_FILE: repository_toml.encode(RepositorySettings(name)),
        layout.ATTRIBUTES_FILE: layout.ATTRIBUTES,
    }

    def plan(_: Catalogue) -> transaction.Plan[None]:
        return transaction.Plan(edits, Message(f"Make repository {name}", Action.INIT), None)

    commit, _ = transaction.commit(store, author, plan)
    return InitResult(store.location, name, commit, bare)
