"""Revisions: branch, tag, commit id or date become one commit, as Git's own words would."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from calibvcs.errors import UnknownRevisionError

if TYPE_CHECKING:
    from calibvcs.store.protocol import ReadableStore

_ANCESTRY = re.compile(r"(.+?)((?:[~^][0-9]{0,9})*)")
_STEP = re.compile(r"([~^])([0-9]*)")
_HEX = re.compile(r"[0-9a-f]{4,40}")
_REF_FOLDERS = ("", "refs/", "refs/tags/", "refs/heads/", "refs/remotes/")


def resolve(store: ReadableStore, revision: str | None) -> str:
    """Return the commit that a revision names.

    Parameters
    ----------
    store : ReadableStore
        Where to look.
    revision : str or None
        ``HEAD`` or None; a branch or tag; a commit id of at least 4 digits; any of these with ``~N`` and ``^N``; an
        ISO 8601 date, without a zone UTC, or ``@SECONDS``: the newest commit of the branch up to then.

    Returns
    -------
    str
        Commit id.

    Raises
    ------
    UnknownRevisionError
        If nothing answers to the name, or a short commit id is ambiguous.
    """
    if revision is None or revision in {"HEAD", "@"}:
        tip = store.tip()
        if tip is None:
            raise UnknownRevisionError("HEAD", reason=f"branch {store.branch!r} has no commit yet")
        return tip
    match = _ANCESTRY.fullmatch(revision)
    base, steps = (match[1], match[2]) if match else (revision, "")
    found = (resolve(store, base) if steps else None) or _named(store, base)
    if found is not None:
        return _ancestor(store, found, steps, revision)
    moment = _moment(revision)
    if moment is None:
        known = tuple(sorted(name.split("/", 2)[2] for name in store.refs() if name.count("/") >= 2))
        raise UnknownRevisionError(revision, known)
    return _at_date(store, moment, revision)


def _named(store: ReadableStore, name: str) -> str | None:
    refs = store.refs()
    for folder in _REF_FOLDERS:
        target = refs.get(folder + name)
        if target is not None:
            return _peel(store, target, name)
    if not _HEX.fullmatch(name):
        return None
    if len(name) == 40:
        candidates = [name] if store.kind(name) else []
    else:
        candidates = [found for found in store.abbreviated(name) if store.kind(found) in {"commit", "tag"}]
    if len(candidates) > 1:
        raise UnknownRevisionError(
            name, reason=f"it is the beginning of {len(candidates)} commit ids; give more digits"
        )
    return _peel(store, candidates[0], name) if candidates else None


def _peel(store: ReadableStore, target: str, name: str) -> str:
    while (kind := store.kind(target)) == "tag":
        tag = store.tag(target)
        if tag is None:
            break
        target = tag.commit
    if kind != "commit":
        raise UnknownRevisionError(name, reason=f"it names a {kind or 'missing object'}, not a commit")
    return target


def _ancestor(store: ReadableStore, commit_id: str, steps: str, revision: str) -> str:
    for sign, digits in _STEP.findall(steps):
        count = int(digits) if digits else 1
        index, times = (count - 1, min(count, 1)) if sign == "^" else (0, count)
        for _ in range(times):
            parents = store.commit(commit_id).parents
            if index >= len(parents):
                raise UnknownRevisionError(revision, reason="history does not reach back so far")
            commit_id = parents[index]
    return commit_id


def _moment(text: str) -> float | None:
    if text.startswith("@") and text[1:].isdigit():
        return float(text[1:])
    if "-" not in text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _at_date(store: ReadableStore, moment: float, revision: str) -> str:
    commit_id = store.tip()
    while commit_id is not None:
        commit = store.commit(commit_id)
        if commit.committer.time <= moment:
            return commit_id
        commit_id = commit.parents[0] if commit.parents else None
    raise UnknownRevisionError(revision, reason="the repository has no commit as old as that")
