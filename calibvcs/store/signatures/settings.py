"""What Git's configuration says of signatures: with which key and program, and whose keys are known."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from calibvcs.errors import InvalidOptionError
from calibvcs.store.configuration import is_true

if TYPE_CHECKING:
    from collections.abc import Mapping

FORMATS = ("openpgp", "ssh")
TRUST = ("undefined", "never", "marginal", "fully", "ultimate")


class SigningSettings(NamedTuple):
    """The settings of signatures, paths written out.

    Attributes
    ----------
    form : str
        ``gpg.format``: ``openpgp`` or ``ssh``.
    key, key_command : str
        ``user.signingkey``, and ``gpg.ssh.defaultKeyCommand``, which tells it where it is empty.
    gpg, ssh_keygen : str
        The programs: ``gpg.program`` and ``gpg.ssh.program``.
    allowed_signers, revoked : str
        ``gpg.ssh.allowedSignersFile`` and ``gpg.ssh.revocationFile``; empty where there is none.
    trust : str
        ``gpg.minTrustLevel``: how far a key has to be trusted.
    commits, tags : bool
        ``commit.gpgsign`` and ``tag.gpgsign``: whether they are signed if nobody says anything else.
    """

    form: str = "openpgp"
    key: str = ""
    key_command: str = ""
    gpg: str = "gpg"
    ssh_keygen: str = "ssh-keygen"
    allowed_signers: str = ""
    revoked: str = ""
    trust: str = "undefined"
    commits: bool = False
    tags: bool = False


def signing_settings(config: Mapping[str, str]) -> SigningSettings:
    """Return what a configuration says of signatures.

    Parameters
    ----------
    config : mapping of str to str
        Names and values, as `calibvcs.store.configuration.layered` gives them.

    Returns
    -------
    SigningSettings
        The settings; what is not said is as in Git.

    Raises
    ------
    InvalidOptionError
        If ``gpg.format`` or ``gpg.minTrustLevel`` has a value that is not known.
    """
    form = _known("gpg.format", config.get("gpg.format", "openpgp"), FORMATS)
    return SigningSettings(
        form,
        config.get("user.signingkey", ""),
        config.get("gpg.ssh.defaultkeycommand", ""),
        _path(config.get("gpg.openpgp.program") or config.get("gpg.program") or "gpg"),
        _path(config.get("gpg.ssh.program") or "ssh-keygen"),
        _path(config.get("gpg.ssh.allowedsignersfile", "")),
        _path(config.get("gpg.ssh.revocationfile", "")),
        _known("gpg.minTrustLevel", config.get("gpg.mintrustlevel", TRUST[0]).lower(), TRUST),
        is_true(config.get("commit.gpgsign", "")),
        is_true(config.get("tag.gpgsign", "")) or is_true(config.get("tag.forcesignannotated", "")),
    )


def _known(name: str, given: str, allowed: tuple[str, ...]) -> str:
    if given not in allowed:
        raise InvalidOptionError(name, given, f"allowed are {', '.join(allowed)}", f"git config {name} {allowed[-1]}")
    return given


def _path(text: str) -> str:
    return str(Path(text).expanduser()) if text.startswith("~") else text
