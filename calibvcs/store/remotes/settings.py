"""What a clone remembers of where it came from, in Git's own configuration: C Git goes on with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from calibvcs.store.configuration import is_true, settings
from calibvcs.store.durable import disk_errors

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

ORIGIN = "origin"


@dataclass(frozen=True, slots=True)
class RemoteSettings:
    """Another repository that this one knows.

    Attributes
    ----------
    name, url : str
        Its name here, and where it is.
    squeezed : bool
        Whether payloads were left there, to be brought when they are asked for.
    """

    name: str
    url: str
    squeezed: bool = False


def configured_remote(folder: Path, name: str = ORIGIN) -> RemoteSettings | None:
    """Return what is known of a remote; None where there is none of this name.

    Parameters
    ----------
    folder : Path
        The common Git folder.
    name : str
        Name of the remote.

    Returns
    -------
    RemoteSettings or None
        Address and kind.
    """
    found = settings(folder / "config")
    url = found.get(f"remote.{name}.url")
    return RemoteSettings(name, url, is_true(found.get(f"remote.{name}.promisor", ""))) if url else None


def configure_remote(folder: Path, remote: RemoteSettings, branch: str) -> None:
    """Write down where a clone came from, and which branch its own one follows.

    Parameters
    ----------
    folder : Path
        The common Git folder.
    remote : RemoteSettings
        The remote.
    branch : str
        Name of the branch, there and here.

    Raises
    ------
    NotWritableError, StorageError
        If the disk refuses.
    """
    section = ("remote", remote.name)
    values: list[tuple[tuple[str, ...], str, str]] = [
        (section, "url", remote.url),
        (section, "fetch", f"+refs/heads/*:refs/remotes/{remote.name}/*"),
        (("branch", branch), "remote", remote.name),
        (("branch", branch), "merge", f"refs/heads/{branch}"),
    ]
    if remote.squeezed:
        values += [
            (("core",), "repositoryformatversion", "1"),
            (("extensions",), "partialClone", remote.name),
            (section, "promisor", "true"),
            (section, "partialclonefilter", "blob:none"),
        ]
    _write(folder, values)


def configure_selection(folder: Path, values: dict[str, str], *, sparse: bool) -> None:
    """Write down what a squeezed clone holds.

    Parameters
    ----------
    folder : Path
        The common Git folder.
    values : dict of str to str
        Entries of the section ``calibvcs``; an empty text takes one away.
    sparse : bool
        Whether only some files are checked out.

    Raises
    ------
    NotWritableError, StorageError
        If the disk refuses.
    """
    sparse_entries: list[tuple[tuple[str, ...], str, str]] = [
        (("core",), "sparseCheckout", "true"),
        (("core",), "sparseCheckoutCone", "false"),
    ]
    _write(
        folder, [*((("calibvcs",), name, value) for name, value in values.items()), *(sparse_entries if sparse else ())]
    )


def _write(folder: Path, values: Sequence[tuple[tuple[str, ...], str, str]]) -> None:
    from dulwich.config import ConfigFile  # readers do not need it

    with disk_errors(folder / "config"):
        config = ConfigFile.from_path(str(folder / "config"))
        for section, name, value in values:
            config.set(tuple(part.encode() for part in section), name.encode(), value.encode())
        config.write_to_path()
