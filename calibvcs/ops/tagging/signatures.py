"""Whether commits and tags are signed, and by whom."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING

from calibvcs.model.signatures import MISSING
from calibvcs.store.signatures.checking import check
from calibvcs.store.signatures.signed_objects import split

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from calibvcs.model.signatures import SignatureCheck
    from calibvcs.store.signatures.settings import SigningSettings

_AT_ONCE = 256


class Signatures:
    """The signatures of a repository, each checked once.

    Parameters
    ----------
    read : callable
        Returns kind and content of an object, its hash checked.
    settings : SigningSettings
        Whose keys are known.
    """

    def __init__(self, read: Callable[[str], tuple[str, bytes]], settings: SigningSettings) -> None:
        self._read, self._settings = read, settings
        self._known: dict[str, SignatureCheck] = {}

    def of(self, object_id: str) -> SignatureCheck:
        """Return the check of the signature of a commit or tag.

        Raises
        ------
        DamagedObjectError
            If it is missing or damaged.
        """
        return next(self.each([object_id]))[1]

    def each(self, object_ids: Iterable[str]) -> Iterator[tuple[str, SignatureCheck]]:
        """Yield commits and tags with the checks of their signatures, several at a time, in their order.

        Raises
        ------
        DamagedObjectError
            If one is missing or damaged.
        """
        waiting = iter(object_ids)
        with ThreadPoolExecutor(os.cpu_count()) as threads:
            while some := list(islice(waiting, _AT_ONCE)):
                asked = {one: self._signed(one) for one in some if one not in self._known}
                signed = {one: found for one, found in asked.items() if found}
                checks = threads.map(lambda found: check(found[0], found[1], self._settings), signed.values())
                self._known.update(dict.fromkeys(asked, MISSING) | dict(zip(signed, checks, strict=True)))
                yield from ((one, self._known[one]) for one in some)

    def _signed(self, object_id: str) -> tuple[str, bytes] | None:
        kind, data = self._read(object_id)
        return (kind, data) if kind in {"commit", "tag"} and split(kind, data)[1] else None
