"""Commits, tags and trees as bytes, held against the one form in which Git writes them.

Git itself is tolerant when it reads. Here it is told what two readers could understand in two ways.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from calibvcs.model import tree_names
from calibvcs.store.objects.encoding import decode_signature

if TYPE_CHECKING:
    from calibvcs.model.commits import Signature

_HEX = rb"[0-9a-f]{40}"
_PERSON = rb"[^<>\n\0]+ <[^<>\n\0]+> [0-9]{1,10} [+-][0-9]{4}"
_MORE = rb"(?:(?:gpgsig|gpgsig-sha256|mergetag|encoding) [^\n\0]*\n(?: [^\n\0]*\n)*)*"
_COMMIT = re.compile(
    rb"tree (%s)\n((?:parent %s\n)*)author (%s)\ncommitter (%s)\n(%s)\n" % (_HEX, _HEX, _PERSON, _PERSON, _MORE)
)
_TAG = re.compile(rb"object (%s)\ntype ([a-z]+)\ntag ([^\n\0]+)\ntagger (%s)\n\n" % (_HEX, _PERSON))
_ENCODING = re.compile(rb"(?:^|\n)encoding (?!utf-?8\n)", re.IGNORECASE)
_ENTRY = re.compile(rb"(?s)([0-9]{1,9}) ([^\0]*)\0(.{20})")
_PLAIN_TREE = re.compile(rb"(?s)(?:(?:100644|40000) [a-z0-9_][a-z0-9_.-]*\0.{20})*")
_FILE, _FOLDER = b"100644", b"40000"
_MODES = {
    b"120000": "it is a symbolic link",
    b"160000": "it is a submodule",
    b"100755": "it is executable",
}


class RawCommit(NamedTuple):
    """A commit in Git's own form."""

    tree: str
    parents: tuple[str, ...]
    author: Signature
    committer: Signature
    text: str


class RawTag(NamedTuple):
    """An annotated tag in Git's own form; `kind` is that of the object it stands on."""

    target: str
    kind: str
    name: str
    tagger: Signature
    text: str


class Entry(NamedTuple):
    """What a name in a tree stands for: mode, and id in 20 bytes."""

    mode: bytes
    raw_id: bytes

    @property
    def id(self) -> str:
        """Its id in hex digits."""
        return self.raw_id.hex()

    @property
    def is_tree(self) -> bool:
        """Whether it names a folder."""
        return self.mode == _FOLDER

    @property
    def trouble(self) -> str:
        """Tell what is wrong with its mode; empty where it is a plain file or a folder."""
        if self.mode in {_FILE, _FOLDER}:
            return ""
        return _MODES.get(self.mode, f"its mode is {self.mode.decode(errors='replace')}")


def commit_of(data: bytes) -> RawCommit | str:
    """Read a commit; where it is not in Git's own form, return what is wrong with it."""
    match = _COMMIT.match(data)
    if not match:
        return "its header is not in Git's form: tree, parents, author, committer, each with name, address and date"
    tree, parents, author, committer, more = match.groups()
    if _ENCODING.search(more):
        return "its text is not UTF-8"
    text = _text(data[match.end() :])
    if text is None:
        return "its text is not UTF-8, or has zero bytes"
    ids = tuple(line[7:].decode() for line in parents.splitlines())
    if len(set(ids)) < len(ids):
        return "it names a parent twice"
    try:
        people = [decode_signature(person.decode()) for person in (author, committer)]
    except UnicodeDecodeError:
        return "author or committer are not UTF-8"
    return RawCommit(tree.decode(), ids, people[0], people[1], text)


def tag_of(data: bytes) -> RawTag | str:
    """Read a tag; where it is not in Git's own form, return what is wrong with it."""
    match = _TAG.match(data)
    if not match:
        return "it is not in Git's form: object, type, tag, tagger with name, address and date"
    target, kind, name, tagger = match.groups()
    text = _text(data[match.end() :])
    try:
        if text is None or not text.strip():
            return "its text is empty, not UTF-8, or has zero bytes"
        return RawTag(target.decode(), kind.decode(), name.decode(), decode_signature(tagger.decode()), text)
    except UnicodeDecodeError:
        return "its name or tagger are not UTF-8"


def _text(data: bytes) -> str | None:
    try:
        return None if b"\0" in data else data.decode()
    except UnicodeDecodeError:
        return None


class RawTree:
    """A tree, its entries by name; of a name that stands there twice the last one is kept.

    Parameters
    ----------
    data : bytes
        The tree as Git stores it.
    """

    def __init__(self, data: bytes) -> None:
        records = _ENTRY.findall(data)
        self.size = len(data)
        # As plain tuples: most of the thousands of entries of a tree are looked at by nobody.
        self.entries: dict[bytes, tuple[bytes, bytes]] = {name: (mode, found) for mode, name, found in records}
        self._plain = _PLAIN_TREE.fullmatch(data) is not None

    def get(self, name: bytes) -> Entry | None:
        """Return what a name stands for, or None."""
        found = self.entries.get(name)
        return Entry(*found) if found else None

    def trouble(self) -> dict[bytes, str]:
        """Tell what is wrong with the tree, by the name that it is wrong with (empty for the tree itself).

        Returns
        -------
        dict of bytes to str
            Symbolic links, submodules and the like; names that are none, that some file system takes for others, or
            that stand there twice; an order that is not Git's.
        """
        found = {} if self._plain else self._odd_names()
        keys = [name + b"/" if entry[0] == _FOLDER else name for name, entry in self.entries.items()]
        whole = sum(map(len, self.entries)) + sum(len(mode) + 22 for mode, _ in self.entries.values())
        if whole != self.size or keys != sorted(keys):
            found[b""] = "its tree is not in Git's form: a name stands there twice, or the order is wrong"
        return found

    def _odd_names(self) -> dict[bytes, str]:
        found: dict[bytes, str] = {}
        names = {name: name.decode(errors="surrogateescape") for name in self.entries}
        for name, text in names.items():
            reason, entry = tree_names.trouble(text), Entry(*self.entries[name])
            if reason or entry.trouble:
                found[name] = f"its name {reason}" if reason else entry.trouble
        for one, other in tree_names.clashing(list(names.values())):
            found[other.encode(errors="surrogateescape")] = (
                f"its name differs from {one!r} in upper and lower case only"
            )
        return found


NO_TREE = RawTree(b"")
