"""Every copy of every object in a repository, read to its end and held against its hash; and every file about packs."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from calibvcs.errors import DamagedObjectError
from calibvcs.store.objects.loose_reading import LooseObject
from calibvcs.store.objects.streams import is_sound
from calibvcs.store.packs.indexes import FileBytes

if TYPE_CHECKING:
    from pathlib import Path

    from calibvcs.store.objects.local_objects import LocalObjects, LooseFile, PackFile
    from calibvcs.store.objects.reading import Copy

_SUM = 20
_PIECE = 1 << 20


@dataclass(slots=True)
class Examination:
    """What was found.

    Attributes
    ----------
    sound : set of str
        Objects of which there is a sound copy.
    loose : dict of str to LooseFile
        Loose files that are damaged.
    packs : dict of PackFile to set of str
        Packs in which something is wrong, and the objects that cannot be read there; none where it is only the pack
        itself that has a wrong check sum.
    unreadable : list of PackFile
        Packs whose index is damaged.
    reasons : dict of str to str
        What is wrong with a damaged copy of an object.
    """

    sound: set[str] = field(default_factory=set)
    loose: dict[str, LooseFile] = field(default_factory=dict)
    packs: dict[PackFile, set[str]] = field(default_factory=dict)
    unreadable: list[PackFile] = field(default_factory=list)
    reasons: dict[str, str] = field(default_factory=dict)

    def damaged(self) -> set[str]:
        """Return the objects that have a damaged copy and no sound one."""
        return {*self.loose, *(one for ids in self.packs.values() for one in ids)} - self.sound


def examine(local: LocalObjects, *, indexes_only: bool = False) -> Examination:
    """Read all that stands in an object folder, in a window.

    Parameters
    ----------
    local : LocalObjects
        The folder.
    indexes_only : bool, optional
        Look at nothing but the indexes of packs.

    Returns
    -------
    Examination
        What is sound and what is damaged.
    """
    found = Examination()
    for file in () if indexes_only else local.loose():
        if not _is_sound(LooseObject(file.id, str(file.path)), found):
            found.loose[file.id] = file
    for pack in local.packs():
        try:
            if not _has_its_sum(pack.path.with_suffix(".idx")):
                raise ValueError  # noqa: TRY301 - an index that cannot be read is the same
            ids = pack.ids()
        except (OSError, ValueError):
            found.unreadable.append(pack)
            continue
        if indexes_only:
            continue
        bad = {one for one in ids if not _is_sound(pack.copy(one), found)}
        if bad or not _has_its_sum(pack.path):
            found.packs[pack] = bad
    return found


def _is_sound(copy: Copy, found: Examination) -> bool:
    try:
        is_sound(copy)
    except DamagedObjectError as error:
        found.reasons.setdefault(copy.id, error.reason)
        return False
    except FileNotFoundError:  # somebody else took it away
        return True
    found.sound.add(copy.id)
    return True


def _has_its_sum(path: Path) -> bool:
    """Tell whether a file about packs has the SHA-1 that stands at its end."""
    if path.suffix == ".idx":
        file = FileBytes(path)
        try:
            return file.is_sound()
        finally:
            file.close()
    digest, left = hashlib.sha1(usedforsecurity=False), path.stat().st_size - _SUM
    with path.open("rb") as opened:
        while left > 0 and (data := opened.read(min(_PIECE, left))):
            digest.update(data)
            left -= len(data)
        return opened.read(_SUM) == digest.digest()
