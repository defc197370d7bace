"""Bundles: history in one file, as ``git bundle`` makes and takes it (gitformat-bundle, versions 2 and 3).

A bundle that leaves payloads out says so by the capability ``filter`` of version 3, as Git's own do.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from calibvcs.errors import DamagedPackError, MissingFileError
from calibvcs.store.remotes.refs import trusted_refs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

FILTER = "blob:none"
"""What Git calls a history without its blobs; some may be there all the same."""

_FIRST = {b"# v2 git bundle\n": 2, b"# v3 git bundle\n": 3}
_NEEDED = re.compile(rb"-([0-9a-f]{40})(?: [^\n]*)?\n")
_REF = re.compile(rb"([0-9a-f]{40}) ([^\n]+)\n")
_CAPABILITY = re.compile(rb"@([a-z-]+)(?:=([^\n]*))?\n")
_LONGEST_LINE, _MOST_LINES = 1 << 16, 1 << 20


@dataclass(frozen=True, slots=True)
class BundleHead:
    """What stands at the begin of a bundle.

    Attributes
    ----------
    refs : dict of str to str
        Branches and tags by their full names, each with the id it stands on.
    head : str or None
        Branch that HEAD stands on; None where that is not told.
    needed : tuple of str
        Commits that whoever takes it in has to have.
    partial : bool
        Whether payloads may be missing in it.
    length : int
        Bytes before the pack.
    """

    refs: Mapping[str, str]
    head: str | None
    needed: tuple[str, ...]
    partial: bool
    length: int


def encode_head(refs: Mapping[str, str], branch: str | None, needed: tuple[str, ...], *, partial: bool) -> bytes:
    """Return the begin of a bundle."""
    lines = ["# v3 git bundle", "@object-format=sha1", f"@filter={FILTER}"] if partial else ["# v2 git bundle"]
    lines += [f"-{commit} " for commit in needed]
    lines += [f"{target} {ref}" for ref, target in refs.items()]
    head = f"refs/heads/{branch}"
    if head in refs:
        lines.append(f"{refs[head]} HEAD")
    return "".join(f"{line}\n" for line in [*lines, ""]).encode(errors="surrogateescape")


def read_head(file: IO[bytes], path: Path) -> BundleHead:
    """Read the begin of a bundle; the file stands at its pack then.

    Raises
    ------
    DamagedPackError
        If it is no bundle, damaged, or of a kind that is not known here.
    """
    version = _FIRST.get(file.readline(_LONGEST_LINE))
    if version is None:
        raise DamagedPackError(str(path), "it is no Git bundle of version 2 or 3")
    named: list[tuple[bytes, bytes | None]] = []
    needed: list[str] = []
    partial, top = False, ""
    for line in _lines(file, path):
        capability, ref, lacking = _CAPABILITY.fullmatch(line), _REF.fullmatch(line), _NEEDED.fullmatch(line)
        if capability and version > 2:
            if capability[1] == b"filter":
                partial = True
            elif capability.groups() != (b"object-format", b"sha1"):
                raise DamagedPackError(str(path), f"it demands {line.decode(errors='replace').strip()}")
        elif lacking:
            needed.append(lacking[1].decode())
        elif ref:
            named.append((ref[2], ref[1]))
            top = ref[1].decode() if ref[2] == b"HEAD" else top
        else:
            raise DamagedPackError(str(path), f"its head has a line {line[:60]!r}")
    refs = trusted_refs(named)
    heads = [
        ref.removeprefix("refs/heads/") for ref, target in refs.items() if ref[:11] == "refs/heads/" and target == top
    ]
    head = "main" if "main" in heads else next(iter(heads), None)
    return BundleHead(refs, head, tuple(needed), partial, file.tell())


def open_bundle(path: Path) -> IO[bytes]:
    """Open a bundle.

    Raises
    ------
    MissingFileError
        If it cannot be read.
    """
    try:
        return path.open("rb")
    except OSError as error:
        raise MissingFileError(str(path), error.strerror or str(error)) from None


def _lines(file: IO[bytes], path: Path) -> Iterator[bytes]:
    for _ in range(_MOST_LINES):
        line = file.readline(_LONGEST_LINE)
        if line == b"\n":
            return
        yield line
    raise DamagedPackError(str(path), "its head has no end")
