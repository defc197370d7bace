"""Which edits are meant by what a user names: a path, a constant, a ctype or detector, or an alias."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from calibvcs.errors import CalibvcsError, UnknownConstantError, nearest
from calibvcs.model import layout
from calibvcs.model.names import ConstantReference

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from calibvcs.ops.catalogue import Catalogue


class Named(NamedTuple):
    """What a user named.

    Attributes
    ----------
    given : str
        As it was written.
    path : str or None
        The path in the worktree that it is, seen from the current folder; empty for the worktree itself, None where it
        leads out of it.
    """

    given: str
    path: str | None = None


def selection(catalogue: Catalogue, names: Sequence[Named], edited: Collection[str], now: float) -> frozenset[str]:
    """Return the edited paths that are meant.

    Parameters
    ----------
    catalogue : Catalogue
        The commit.
    names : sequence of Named
        What is meant; nothing means everything.
    edited : collection of str
        Paths that were edited, folders with ``/`` at their end.
    now : float
        When an alias is to be resolved, UNIX seconds.

    Returns
    -------
    frozenset of str
        Some of the edited paths; none where what is named is as it was.

    Raises
    ------
    UnknownConstantError
        If something that is named is neither edited nor in the commit.
    """
    if not names:
        return frozenset(edited)
    chosen: set[str] = set()
    for name in names:
        places = list(_places(catalogue, name, now))
        found = next((below for place in places if (below := _below(place, edited))), set())
        if not found and not any(catalogue.snapshot.entry(place) for place in places if place):
            raise UnknownConstantError(name.given, nearest(name.given, [*edited, *_constants(edited)]))
        chosen |= found
    return frozenset(chosen)


def _places(catalogue: Catalogue, name: Named, now: float) -> Iterator[str]:
    if name.path is not None:
        yield name.path
    text = name.given.strip("/")
    if text and text != ".":
        yield text
    try:
        reference = ConstantReference.parse(text)
        detector = catalogue.resolve(reference.detector, now)
    except CalibvcsError:  # it is a path, or nothing at all
        try:
            reference = ConstantReference.parse(text)
            constant = reference.constant
        except CalibvcsError:
            return
        if constant is not None:  # of a detector that is new itself
            yield layout.constant_folder(constant)
        return
    parts = [layout.detector_folder(detector), reference.ctype, reference.validity and str(reference.validity)]
    yield "/".join(part for part in parts if part)


def _below(place: str, edited: Collection[str]) -> set[str]:
    return {path for path in edited if not place or path.rstrip("/") == place or path.startswith(f"{place}/")}


def _constants(edited: Collection[str]) -> list[str]:
    """Return the edited paths as names of constants would begin."""
    return sorted({"/".join(path.split("/")[1:4]) for path in edited if path.count("/") == 4})
