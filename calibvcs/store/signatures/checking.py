"""Checking signatures as Git checks them, with ``ssh-keygen`` or ``gpg``."""

from __future__ import annotations

import re
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from calibvcs.errors import MissingProgramError, SigningFailedError
from calibvcs.model.signatures import MISSING, SignatureCheck, SignatureState
from calibvcs.store.signatures.settings import TRUST
from calibvcs.store.signatures.signed_objects import format_of, split, time_of
from calibvcs.store.signatures.signing import NAMESPACE, run

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from calibvcs.store.signatures.settings import SigningSettings

_PATIENCE = 60.0
_GOOD = re.compile(r'Good "git" signature (?:for (?P<who>.*) )?with \S+ key (?P<key>\S+)')
_BAD = "it was not made over these bytes"
_STATUS = {
    "GOODSIG": SignatureState.GOOD,
    "BADSIG": SignatureState.BAD,
    "ERRSIG": SignatureState.UNKNOWN,
    "EXPSIG": SignatureState.EXPIRED,
    "EXPKEYSIG": SignatureState.EXPIRED,
    "REVKEYSIG": SignatureState.REVOKED,
}
_WHY = {
    SignatureState.BAD: _BAD,
    SignatureState.UNKNOWN: "the key is not in the key ring: gpg --import FILE",
    SignatureState.EXPIRED: "signature or key has expired",
    SignatureState.REVOKED: "the key was revoked",
}


@contextmanager
def signers_file(keys: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Write a list of allowed signers for as long as a ``with`` statement lasts.

    Parameters
    ----------
    keys : mapping of str to sequence of str
        Public keys, ``TYPE KEY``, by name; a name has no letter that such a list takes for a pattern.

    Yields
    ------
    str
        Its path.
    """
    with tempfile.TemporaryDirectory(prefix="calibvcs-signers-") as folder:
        path = Path(folder, "allowed_signers")
        lines = (f'{name} namespaces="{NAMESPACE}" {key}\n' for name, known in keys.items() for key in known)
        path.write_text("".join(lines))
        yield str(path)


def check(kind: str, data: bytes, settings: SigningSettings) -> SignatureCheck:
    """Check the signature of a commit or tag.

    Parameters
    ----------
    kind : {"commit", "tag"}
        What it is.
    data : bytes
        The object as Git stores it.
    settings : SigningSettings
        Whose keys are known.

    Returns
    -------
    SignatureCheck
        Whether it holds, and whose it is; ``unknown`` too where the program is missing that could tell.
    """
    payload, signature = split(kind, data)
    if not signature:
        return MISSING
    form = format_of(signature)
    if form not in {"ssh", "openpgp"}:
        return SignatureCheck(SignatureState.UNKNOWN, detail=f"signatures of this kind ({form or '?'}) are not known")
    with tempfile.TemporaryDirectory(prefix="calibvcs-verify-") as folder:
        file = Path(folder, "signature")
        file.write_bytes(signature)
        try:
            return _ssh(payload, str(file), settings) if form == "ssh" else _gpg(payload, str(file), settings)
        except (MissingProgramError, SigningFailedError) as error:
            return SignatureCheck(SignatureState.UNKNOWN, detail=error.problem)


def _ssh(payload: bytes, file: str, settings: SigningSettings) -> SignatureCheck:
    moment = time_of(payload)
    when = [] if moment is None else [f"-Overify-time={_local(moment)}"]

    def keygen(verb: str, *arguments: str, data: bytes = b"") -> tuple[int, str]:
        command = [settings.ssh_keygen, "-Y", verb, *arguments, "-s", file, *when]
        code, out, said = run(command, data, "install OpenSSH, or set gpg.ssh.program", _PATIENCE)
        return code, f"{out.decode(errors='replace')}\n{said}"

    known = settings.allowed_signers
    names: Sequence[str] = ()
    if known and Path(known).is_file():
        code, out = keygen("find-principals", "-f", known)
        names = [name for name in out.partition("\n\n")[0].split("\n") if name] if not code else ()
        detail = f"the key is not in {known}, or was not valid then"
    else:
        detail = f"{known}: there is no such file" if known else "gpg.ssh.allowedSignersFile is not set"
    revoked = ["-r", settings.revoked] if settings.revoked and Path(settings.revoked).exists() else []
    for name in names:
        arguments = ("-n", NAMESPACE, "-f", known, "-I", name)
        code, out = keygen("verify", *arguments, *revoked, data=payload)
        match = _GOOD.search(out)
        if not code and match:
            return _trusted(SignatureCheck(SignatureState.GOOD, match["who"] or name, match["key"]), "fully", settings)
        if revoked and not keygen("verify", *arguments, data=payload)[0]:
            return SignatureCheck(SignatureState.REVOKED, name, detail=f"the key is in {settings.revoked}")
    if names:
        return SignatureCheck(SignatureState.BAD, names[0], detail=_BAD)
    code, out = keygen("check-novalidate", "-n", NAMESPACE, data=payload)
    match = _GOOD.search(out)
    if code or not match:
        return SignatureCheck(SignatureState.BAD, detail=_BAD)
    return SignatureCheck(SignatureState.UNKNOWN, key=match["key"], detail=detail)


def _local(moment: int) -> str:
    """Return a time as ssh-keygen reads it, by the clock of this machine: older versions know no other."""
    return time.strftime("%Y%m%d%H%M%S", time.localtime(moment))


def _gpg(payload: bytes, file: str, settings: SigningSettings) -> SignatureCheck:
    command = [settings.gpg, "--keyid-format=long", "--status-fd=1", "--verify", file, "-"]
    _, out, said = run(command, payload, "install GnuPG, or set gpg.program", _PATIENCE)
    lines = [line.removeprefix("[GNUPG:] ") for line in out.decode(errors="replace").splitlines()]
    told = [(word, rest) for word, _, rest in (line.partition(" ") for line in lines) if word in _STATUS]
    if len(told) != 1:  # more than one signature: as Git, none of them is believed
        last = said.splitlines()[-1] if said else "gpg does not understand it"
        return SignatureCheck(SignatureState.BAD, detail="it is not one signature" if told else last)
    state, (key, _, who) = _STATUS[told[0][0]], told[0][1].partition(" ")
    found = SignatureCheck(state, "" if state is SignatureState.UNKNOWN else who, key, _WHY.get(state, ""))
    trust = next((line[6:].split()[0].lower() for line in lines if line.startswith("TRUST_")), TRUST[0])
    return _trusted(found, trust, settings) if state is SignatureState.GOOD else found


def _trusted(found: SignatureCheck, trust: str, settings: SigningSettings) -> SignatureCheck:
    if TRUST.index(trust) >= TRUST.index(settings.trust):
        return found
    detail = f"the key is trusted {trust}; gpg.minTrustLevel is {settings.trust}"
    return SignatureCheck(SignatureState.UNKNOWN, found.signer, found.key, detail)
