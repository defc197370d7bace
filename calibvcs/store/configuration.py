"""Git's configuration files: those in the form in which Git writes them are read here, all others by dulwich."""

from __future__ import annotations

from typing import TYPE_CHECKING

from calibvcs.errors import DamagedRepositoryError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

_TRUE = {"true", "yes", "on", "1"}


def settings(path: Path) -> Mapping[str, str]:
    """Return what one configuration file sets; files that it includes are not looked at.

    Git includes none either where it looks what kind of repository it has.

    Parameters
    ----------
    path : Path
        The file; a missing one sets nothing.

    Returns
    -------
    mapping of str to str
        ``section.name`` or ``section.subsection.name`` and the last value; the section and the name in lower case.

    Raises
    ------
    ValueError, OSError
        If it cannot be read.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return {}
    found = plain_settings(data)
    return _dulwich_settings(path) if found is None else found


def layered(paths: Iterable[Path]) -> Mapping[str, str]:
    """Return what several configuration files set together, with the files that they include.

    Parameters
    ----------
    paths : iterable of Path
        The files, those that count most last; missing ones set nothing.

    Returns
    -------
    mapping of str to str
        As for `settings`.

    Raises
    ------
    DamagedRepositoryError
        If one cannot be read.
    """
    found: dict[str, str] = {}
    for path in paths:
        try:
            one = settings(path)
            if any(name.startswith(("include.", "includeif.")) for name in one):
                one = _dulwich_settings(path, expand_includes=True)
        except (ValueError, OSError) as error:
            raise DamagedRepositoryError(str(path), f"it is no configuration of Git ({error})") from None
        found.update(one)
    return found


def plain_settings(data: bytes) -> Mapping[str, str] | None:
    """Return what a configuration sets; None where it has quotes, continued lines or anything else unusual."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    lines = [line.strip(" \t") for line in text.split("\n")]
    if "\\" in text or not all(line.isprintable() for line in lines):
        return None
    found: dict[str, str] = {}
    section: str | None = None
    for line in lines:
        if not line or line[0] in "#;":
            continue
        if line[0] == "[":
            section = _section(line)
            if section is None:
                return None
            continue
        name, equals, value = line.partition("=")
        name, value = name.rstrip(), value.lstrip()
        if section is None or not name[:1].isalpha() or not _is_word(name) or any(mark in value for mark in '"#;'):
            return None
        found[f"{section}.{name.lower()}"] = value if equals else "true"
    return found


def is_true(value: str) -> bool:
    """Tell whether Git takes a value for true."""
    return value.lower() in _TRUE


def _section(line: str) -> str | None:
    head, quote, subsection = line[1:-1].partition(' "')
    if line[-1] != "]" or not _is_word(head):
        return None
    if not quote:
        return head.lower()
    return f"{head.lower()}.{subsection[:-1]}" if subsection.find('"') == len(subsection) - 1 else None


def _is_word(text: str) -> bool:
    return text.isascii() and text.replace("-", "a").isalnum()


def _dulwich_settings(path: Path, *, expand_includes: bool = False) -> Mapping[str, str]:
    from dulwich.config import ConfigFile  # takes longer to import than most files to be read

    config = ConfigFile.from_path(str(path), expand_includes=expand_includes)
    return {
        b".".join((section[0].lower(), *section[1:], name.lower())).decode(errors="replace"): value.decode(
            errors="surrogateescape"
        )
        for section in config.sections()
        for name, value in config.items(section)
    }
