"""Who Git thinks the user is."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from dulwich.config import StackedConfig


def configured_identity(git_folder: Path | None) -> tuple[str, str]:
    """Return user.name and user.email of Git's configuration, empty where they are not set.

    Parameters
    ----------
    git_folder : Path or None
        Git folder of the repository, whose configuration comes before the user's and the system's.

    Returns
    -------
    tuple of str
        Name and e-mail address.
    """
    from dulwich.config import ConfigFile, StackedConfig  # only writers need to know who they are

    backends = StackedConfig.default_backends()
    if git_folder and (git_folder / "config").is_file():
        backends.insert(0, ConfigFile.from_path(str(git_folder / "config")))
    stack = StackedConfig(backends)
    return _value(stack, b"name"), _value(stack, b"email")


def _value(stack: StackedConfig, name: bytes) -> str:
    try:
        return stack.get((b"user",), name).decode(errors="replace").strip()
    except KeyError:
        return ""


def configure_identity(git_folder: Path, name: str, email: str) -> None:
    """Write user.name and user.email into the configuration of one repository."""
    from dulwich.config import ConfigFile

    config = ConfigFile.from_path(str(git_folder / "config"))
    config.set((b"user",), b"name", name.encode())
    config.set((b"user",), b"email", email.encode())
    config.write_to_path()
