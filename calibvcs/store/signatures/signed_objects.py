"""Where the signature of a commit or tag stands, and which bytes it is made over. Pure.

In a commit it is the header ``gpgsig``, each further line begun by a blank; the signed bytes are the commit without it.
In a tag it follows the text; the signed bytes are all that stands before it.
"""

from __future__ import annotations

import re

_BEGIN = re.compile(rb"^-----BEGIN (PGP SIGNATURE|PGP MESSAGE|SSH SIGNATURE|SIGNED MESSAGE)-----", re.MULTILINE)
_FORMATS = {b"SSH SIGNATURE": "ssh", b"SIGNED MESSAGE": "x509"}
_HEADER = b"gpgsig"
_DATE = re.compile(rb"^(?:committer|tagger) [^\n]*> (-?[0-9]{1,12})(?: [^\n]*)?$", re.MULTILINE)


def split(kind: str, data: bytes) -> tuple[bytes, bytes]:
    """Cut the signature out of a commit or tag, as C Git does.

    Parameters
    ----------
    kind : {"commit", "tag"}
        What it is.
    data : bytes
        The object as Git stores it.

    Returns
    -------
    tuple of bytes
        What is signed, and the signature; an empty one where there is none.
    """
    if kind == "tag":
        begins = [match.start() for match in _BEGIN.finditer(data)]
        if not begins:
            return data, b""
        return _without_header(data[: begins[-1]])[0], data[begins[-1] :]
    if b"\n" + _HEADER not in data:
        return data, b""
    return _without_header(data)


def _without_header(data: bytes) -> tuple[bytes, bytes]:
    """Take every header that begins with ``gpgsig`` out; the one of SHA-1 objects, ``gpgsig``, is the signature."""
    end = data.find(b"\n\n") + 1 or len(data)
    kept: list[bytes] = []
    signature: list[bytes] = []
    into = kept
    for line in re.findall(rb"[^\n]*\n|[^\n]+", data[:end]):
        if line.startswith(b" "):
            into.append(line if into is kept else line[1:])
        elif line.startswith(_HEADER + b" "):
            into = signature
            signature.append(line[len(_HEADER) + 1 :])
        else:
            into = [] if line.startswith(_HEADER) else kept
            into.append(line)
    return b"".join(kept) + data[end:], b"".join(signature)


def signed(kind: str, data: bytes, signature: str) -> bytes:
    """Return a commit or tag with its signature.

    Parameters
    ----------
    kind : {"commit", "tag"}
        What it is.
    data : bytes
        The object, which has no signature yet.
    signature : str
        The signature in armour; it ends with a line feed.

    Returns
    -------
    bytes
        What Git stores.
    """
    if kind == "tag":
        return data + signature.encode()
    head, gap, text = data.partition(b"\n\n")
    lines = "\n ".join(signature.rstrip("\n").split("\n")).encode()
    return head + b"\n" + _HEADER + b" " + lines + gap + text


def format_of(signature: bytes) -> str:
    """Return ``ssh``, ``openpgp`` or ``x509``; empty for what is none of them."""
    match = _BEGIN.match(signature)
    return _FORMATS.get(match[1], "openpgp") if match else ""


def time_of(payload: bytes) -> int | None:
    """Return when a commit was committed or a tag was set, UNIX seconds; None where that cannot be read."""
    match = _DATE.search(payload, 0, payload.find(b"\n\n") + 1 or len(payload))
    return int(match[1]) if match else None
