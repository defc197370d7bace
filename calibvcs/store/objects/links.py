"""What commits, trees and tags refer to. Pure."""

from __future__ import annotations

import re

_ENTRY = re.compile(rb"([0-7]{5,6}) [^\0/]+\0(.{20})", re.DOTALL)
_IDS = re.compile(rb"[0-7]{5,6} [^\0/]+\0(.{20})", re.DOTALL)
_WHOLE_TREE = re.compile(rb"(?:[0-7]{5,6} [^\0/]++\0.{20})*+", re.DOTALL)
_COMMIT = re.compile(rb"tree ([0-9a-f]{40})\n((?:parent [0-9a-f]{40}\n)*)author ")
_TAG = re.compile(rb"object ([0-9a-f]{40})\ntype (?:commit|tree|blob|tag)\ntag ")
_TREE, _OTHER_REPOSITORY = {b"40000", b"040000"}, b"160000"


def links(kind: str, content: bytes, *, blobs: bool) -> set[bytes]:
    """Return the ids of the objects that one refers to.

    Parameters
    ----------
    kind : str
        commit, tree, blob or tag.
    content : bytes
        The object.
    blobs : bool
        Whether the blobs of a tree count, or only its folders.

    Returns
    -------
    set of bytes
        Ids of 20 bytes. Commits of other repositories (submodules) do not belong to them.

    Raises
    ------
    ValueError
        If the object is malformed.
    """
    if kind == "tree":
        return _of_tree(content, blobs=blobs)
    if kind == "commit":
        commit = _COMMIT.match(content)
        if not commit:
            raise ValueError("a commit is malformed")
        return {bytes.fromhex(text.decode()) for text in (commit[1], *commit[2].split()[1::2])}
    if kind == "tag":
        tag = _TAG.match(content)
        if not tag:
            raise ValueError("a tag is malformed")
        return {bytes.fromhex(tag[1].decode())}
    return set()


def _of_tree(content: bytes, *, blobs: bool) -> set[bytes]:
    if not _WHOLE_TREE.fullmatch(content):
        raise ValueError("a tree is malformed")
    if blobs and _OTHER_REPOSITORY not in content:
        return set(_IDS.findall(content))
    modes = _ENTRY.findall(content)
    return {wanted for mode, wanted in modes if mode in _TREE or (blobs and mode != _OTHER_REPOSITORY)}
