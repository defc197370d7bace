"""The id that Git would give to what a file holds, read block by block."""

from __future__ import annotations

import hashlib
import os
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

SOMETHING_ELSE = "something else"
"""In place of an id: there is no plain file, or it changed while it was read."""

_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # a pipe must not keep anybody waiting
_BLOCK = 1 << 20


def content_id(file: Path) -> str:
    """Return the id of a blob with the content of a file.

    Parameters
    ----------
    file : Path
        The file; a symbolic link is not followed.

    Returns
    -------
    str
        40 hex digits, or `SOMETHING_ELSE`.
    """
    try:
        descriptor = os.open(file, _OPEN)
    except OSError:
        return SOMETHING_ELSE
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            return SOMETHING_ELSE
        digest = hashlib.sha1(f"blob {found.st_size}\0".encode(), usedforsecurity=False)
        block, left = memoryview(bytearray(min(_BLOCK, found.st_size + 1))), found.st_size
        while (count := os.readv(descriptor, [block])) > 0:
            digest.update(block[:count])
            left -= count
        return SOMETHING_ELSE if left else digest.hexdigest()
    except OSError:
        return SOMETHING_ELSE
    finally:
        os.close(descriptor)
