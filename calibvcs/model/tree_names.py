"""Names in a tree that no file system may be given: tricks with ``.git``, paths in names, control characters."""

from __future__ import annotations

import re
import unicodedata

_LONGEST = 255
# Characters that HFS+ leaves out when it compares names.
_IGNORED = re.compile("[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]")
# What NTFS takes for .git: short names, blanks and dots at the end, streams behind a colon.
_MEANS_GIT = re.compile(r"(?:\.git|git~[0-9]+)[ .]*(?::.*)?", re.DOTALL)


def trouble(name: str) -> str:
    """Tell what is wrong with one name in a tree; empty where nothing is, as far as any file system goes.

    Parameters
    ----------
    name : str
        The name; bytes that are not UTF-8 as surrogates.

    Returns
    -------
    str
        What is wrong with it.
    """
    if name in {"", ".", ".."}:
        return "is no name of a file"
    if any("\ud800" <= letter <= "\udfff" for letter in name):
        return "is not UTF-8"
    folded = _IGNORED.sub("", unicodedata.normalize("NFKC", _IGNORED.sub("", name))).casefold()
    if any(_MEANS_GIT.fullmatch(part) for part in re.split(r"[/\\]", folded)):
        return "means .git on some file systems"
    if "/" in name or "\\" in name:
        return "is a path in the place of a name"
    if any(unicodedata.category(letter) in {"Cc", "Cf", "Zl", "Zp"} for letter in name):
        return "has control characters"
    if not name.isascii():
        return "has other letters than ASCII"
    return f"is longer than {_LONGEST} characters" if len(name) > _LONGEST else ""


def clashing(names: list[str]) -> list[tuple[str, str]]:
    """Return the pairs of names that differ in upper and lower case only."""
    first: dict[str, str] = {}
    return [(other, name) for name in names if (other := first.setdefault(name.casefold(), name)) != name]
