"""Making signatures as Git makes them, with ``ssh-keygen`` or ``gpg``."""

from __future__ import annotations

import shlex
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from calibvcs.errors import MissingProgramError, NoSigningKeyError, SigningFailedError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from calibvcs.store.signatures.settings import SigningSettings

NAMESPACE = "git"

_SSH, _GPG = (
    "install OpenSSH, or set gpg.ssh.program",
    "install GnuPG, or set gpg.program, or git config gpg.format ssh",
)


def signer(settings: SigningSettings, identity: str) -> Callable[[bytes], str]:
    """Return a function that signs.

    Parameters
    ----------
    settings : SigningSettings
        With which key and program.
    identity : str
        ``Name <e-mail>``, by which gpg finds a key where none is set.

    Returns
    -------
    callable
        Takes the bytes of a commit or tag and returns the signature in armour, ending with a line feed. It asks for a
        passphrase as the program does, on the terminal or by the user's agent, and raises NoSigningKeyError,
        MissingProgramError or SigningFailedError.
    """
    if settings.form == "ssh":
        return lambda data: _ssh(data, settings)
    return lambda data: _gpg(data, settings, settings.key or identity)


def _ssh(data: bytes, settings: SigningSettings) -> str:
    key = settings.key or _default_key(settings)
    with tempfile.TemporaryDirectory(prefix="calibvcs-sign-") as folder:
        given = literal_key(key)
        if given is None:
            file = Path(key).expanduser()
            if not file.is_file():
                raise NoSigningKeyError(key, "there is no such file")
        else:
            file = Path(folder, "key.pub")
            file.write_text(f"{given}\n", encoding="utf-8")
        content = Path(folder, "content")
        content.write_bytes(data)
        agent = ["-U"] if given is not None else []
        command = [settings.ssh_keygen, "-Y", "sign", "-n", NAMESPACE, "-f", str(file), *agent, str(content)]
        code, _, said = run(command, None, _SSH)  # it may ask for the passphrase: its input stays the terminal
        made = content.with_name("content.sig")
        if code or not made.is_file():
            raise SigningFailedError(settings.ssh_keygen, said)
        return made.read_text(encoding="ascii").replace("\r\n", "\n")


def _default_key(settings: SigningSettings) -> str:
    if not settings.key_command:
        raise NoSigningKeyError("", "neither user.signingkey nor gpg.ssh.defaultKeyCommand is set")
    code, out, said = run(shlex.split(settings.key_command), None, "see gpg.ssh.defaultKeyCommand")
    first = out.decode(errors="replace").partition("\n")[0].strip()
    if code or literal_key(first) is None:
        raise NoSigningKeyError(first, f"gpg.ssh.defaultKeyCommand gave no key {said}".rstrip())
    return first


def literal_key(text: str) -> str | None:
    """Return the public key that stands in ``user.signingkey`` itself; None where it names a file."""
    if text.startswith("key::"):
        return text.removeprefix("key::")
    return text if text.startswith("ssh-") else None


def _gpg(data: bytes, settings: SigningSettings, key: str) -> str:
    code, out, said = run([settings.gpg, "--status-fd=2", "-bsau", key], data, _GPG)
    if code or "[GNUPG:] SIG_CREATED " not in said:
        told = "\n".join(line for line in said.splitlines() if not line.startswith("[GNUPG:]"))
        if "[GNUPG:] INV_SGNR " in said or "No secret key" in said:
            raise NoSigningKeyError(key, told)
        raise SigningFailedError(settings.gpg, told)
    return out.decode("ascii").replace("\r\n", "\n")


def run(
    command: Sequence[str], data: bytes | None, advice: str, timeout: float | None = None
) -> tuple[int, bytes, str]:
    """Run a program to its end.

    Parameters
    ----------
    command : sequence of str
        The program and its arguments.
    data : bytes or None
        Its standard input; None leaves it that of this process.
    advice : str
        What to do where the program is not there.
    timeout : float, optional
        Seconds that it may take.

    Returns
    -------
    code : int
        Its exit code.
    out : bytes
        Its standard output.
    said : str
        What it said on standard error.

    Raises
    ------
    MissingProgramError
        If it cannot be started.
    SigningFailedError
        If it takes too long.
    """
    try:
        done = subprocess.run(command, input=data, capture_output=True, timeout=timeout, check=False)
    except OSError as error:
        raise MissingProgramError(command[0], error.strerror or str(error), advice) from None
    except subprocess.TimeoutExpired:
        raise SigningFailedError(command[0], f"it did not answer within {timeout:.0f} s") from None
    return done.returncode, done.stdout, done.stderr.decode(errors="replace").strip()
