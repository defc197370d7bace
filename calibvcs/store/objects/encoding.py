"""Git's objects as bytes: ids, trees, commits and tags, encoded and read. Pure."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from calibvcs.errors import DamagedObjectError
from calibvcs.model.commits import Commit, Signature, Tag
from calibvcs.store.protocol import TreeEntry
from calibvcs.store.signatures.signed_objects import split

if TYPE_CHECKING:
    from collections.abc import Mapping

    from calibvcs.store.protocol import Buffers

_SIGNATURE = re.compile(r"(.*?) ?<(.*)> (-?[0-9]+)(?: ([+-])([0-9]{2,})([0-9]{2}))?")
_CRUD = "".join(map(chr, range(33))) + ".,:;<>\"\\'"
_HEX_ID = re.compile(r"[0-9a-f]{40}")


def object_id(kind: str, buffers: Buffers) -> str:
    """Return the id that Git gives to an object."""
    size = sum(len(buffer) for buffer in buffers)
    digest = hashlib.sha1(f"{kind} {size}\0".encode(), usedforsecurity=False)
    for buffer in buffers:
        digest.update(buffer)
    return digest.hexdigest()


def encode_tree(entries: Mapping[str, TreeEntry]) -> bytes:
    """Return the bytes of a tree, in Git's order of names (folders sort as if they ended in ``/``)."""
    ordered = sorted(entries.items(), key=lambda item: item[0].encode() + (b"/" if item[1].is_tree else b""))
    return b"".join(f"{entry.mode:o} {name}".encode() + b"\0" + bytes.fromhex(entry.id) for name, entry in ordered)


def decode_tree(data: bytes, tree_id: str) -> dict[str, TreeEntry]:
    """Read a tree.

    Raises
    ------
    DamagedObjectError
        If the bytes are no tree.
    """
    entries: dict[str, TreeEntry] = {}
    position = 0
    try:
        while position < len(data):
            space = data.index(b" ", position, position + 8)
            zero = data.index(b"\0", space)
            name = data[space + 1 : zero].decode(errors="surrogateescape")
            if zero + 21 > len(data) or not name:
                raise ValueError  # noqa: TRY301 - one exit for every form of damage
            entries[name] = TreeEntry(int(data[position:space], 8), data[zero + 1 : zero + 21].hex())
            position = zero + 21
    except ValueError:
        raise DamagedObjectError(tree_id, "it is no readable tree") from None
    return entries


def clean_person(text: str) -> str:
    """Return a name or e-mail address without what Git does not allow in one."""
    return text.strip(_CRUD).replace("<", "").replace(">", "").replace("\n", "")


def encode_signature(signature: Signature) -> str:
    """Return ``Name <e-mail> seconds +hhmm``."""
    sign, minutes = ("-", -signature.offset) if signature.offset < 0 else ("+", signature.offset)
    zone = f"{sign}{minutes // 60:02d}{minutes % 60:02d}"
    return f"{clean_person(signature.name)} <{clean_person(signature.email)}> {signature.time} {zone}"


def decode_signature(text: str) -> Signature:
    """Read a signature; what cannot be read of one made elsewhere is left empty, as Git does."""
    match = _SIGNATURE.fullmatch(text)
    if not match:
        return Signature(text, "", 0)
    name, email, time, sign, hours, minutes = match.groups()
    offset = (int(hours) * 60 + int(minutes)) * (-1 if sign == "-" else 1) if hours else 0
    return Signature(name, email, int(time), offset)


def encode_commit(tree: str, parents: tuple[str, ...], author: Signature, committer: Signature, text: str) -> bytes:
    """Return the bytes of a commit."""
    lines = [f"tree {tree}", *(f"parent {parent}" for parent in parents)]
    lines += [f"author {encode_signature(author)}", f"committer {encode_signature(committer)}", "", text]
    return "\n".join(lines).encode()


def decode_commit(data: bytes, commit_id: str) -> Commit:
    """Read a commit.

    Raises
    ------
    DamagedObjectError
        If the bytes are no commit.
    """
    payload, signature = split("commit", data)
    headers, text = _split(payload)
    trees, authors, committers = headers.get("tree", []), headers.get("author", []), headers.get("committer", [])
    if not (trees and authors and committers and _HEX_ID.fullmatch(trees[0])):
        raise DamagedObjectError(commit_id, "it is no readable commit")
    parents = tuple(headers.get("parent", []))
    people = decode_signature(authors[0]), decode_signature(committers[0])
    return Commit(commit_id, trees[0], parents, *people, text, signature.decode(errors="replace"))


def encode_tag(name: str, target: str, tagger: Signature, text: str, kind: str = "commit") -> bytes:
    """Return the bytes of an annotated tag on a commit, or on another tag."""
    lines = [f"object {target}", f"type {kind}", f"tag {name}", f"tagger {encode_signature(tagger)}", "", text]
    return "\n".join(lines).encode()


def decode_tag(data: bytes, tag_id: str, name: str) -> Tag:
    """Read an annotated tag; its target may be a commit or another tag.

    Raises
    ------
    DamagedObjectError
        If the bytes are no tag.
    """
    payload, signature = split("tag", data)
    headers, text = _split(payload)
    target = headers.get("object", [""])[0]
    if not _HEX_ID.fullmatch(target):
        raise DamagedObjectError(tag_id, "it is no readable tag")
    taggers = headers.get("tagger", [])
    tagger = decode_signature(taggers[0]) if taggers else None
    return Tag(name, target, tag_id, tagger, text, signature.decode(errors="replace"))


def _split(data: bytes) -> tuple[dict[str, list[str]], str]:
    head, _, text = data.decode(errors="replace").partition("\n\n")
    headers: dict[str, list[str]] = {}
    for line in head.split("\n"):
        if not line.startswith(" "):  # continuation lines belong to merged tags, which are not read here
            key, _, value = line.partition(" ")
            headers.setdefault(key, []).append(value)
    return headers, text
