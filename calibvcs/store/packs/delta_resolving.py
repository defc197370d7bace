"""The deltas of a pack that came in, made into the objects that they stand for, in bounded memory."""

from __future__ import annotations

import os
from collections import defaultdict
from typing import TYPE_CHECKING

from calibvcs.store.objects.deltas import apply_delta
from calibvcs.store.objects.encoding import object_id
from calibvcs.store.objects.inflating import Deflated
from calibvcs.store.packs.scanning import KINDS, LARGEST_DELTA, LARGEST_LINKING, read_head
from calibvcs.store.packs.writing import Place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from calibvcs.store.packs.scanning import Delta

_LONGEST_CHAIN = 4096
_HELD = 1 << 26
_HEAD = 40


class _Made:
    """An object that others are deltas of: its content is dropped when too much is held, and made again."""

    def __init__(self, above: _Made | None, delta: Delta | None, content: bytes, waiting: Iterator[Delta]) -> None:
        self.above, self.delta, self.content, self.waiting = above, delta, content, waiting
        self.size = len(content)
        self.dropped = False


class DeltaResolver:
    """Makes the objects of which a pack holds only deltas.

    Parameters
    ----------
    descriptor : int
        The pack, open for reading; a cut one behind which more is written is fine.
    places : dict of id to Place
        Where the objects stand that are no deltas. Those that are made come to it.
    deltas : list of Delta
        The deltas.
    linking : callable
        Is given kind and content of every commit, tree and tag that is made.
    """

    def __init__(
        self,
        descriptor: int,
        places: dict[str, Place],
        deltas: list[Delta],
        linking: Callable[[str, bytes], None],
    ) -> None:
        self._descriptor, self._places, self._linking = descriptor, places, linking
        self._at: dict[int, list[Delta]] = defaultdict(list)
        self._named: dict[str, list[Delta]] = defaultdict(list)
        for delta in deltas:
            if isinstance(delta.base, int):
                self._at[delta.base].append(delta)
            else:
                self._named[delta.base.hex()].append(delta)
        self._held = 0
        self.made = 0

    def resolve(self) -> None:
        """Make all objects whose bases are in the pack.

        Raises
        ------
        ValueError
            If one cannot be made.
        OSError
            If the pack cannot be read.
        """
        whole = {place.offset for place in self._places.values()}
        named = {self._places[wanted].offset: wanted for wanted in self._named if wanted in self._places}
        for offset in sorted((self._at.keys() & whole) | named.keys()):
            head = read_head(os.pread(self._descriptor, _HEAD, offset), 0)
            content = Deflated(self._descriptor, offset + head.length).take_all(head.size)
            self.resolve_from(KINDS[head.kind], content, offset, named.get(offset, ""))

    def missing(self) -> set[str]:
        """Return the ids of the bases that were not found in the pack."""
        return set(self._named)

    def resolve_from(self, kind: str, content: bytes, offset: int, wanted: str) -> None:
        """Make all objects that follow from one.

        Parameters
        ----------
        kind : str
            commit, tree, blob or tag.
        content : bytes
            The object.
        offset : int
            Where it stands in the pack.
        wanted : str
            Its id.

        Raises
        ------
        ValueError
            If one cannot be made.
        OSError
            If the pack cannot be read.
        """
        chain = [_Made(None, None, content, self._waiting_for(offset, wanted))]
        self._held = len(content)
        while chain:
            delta = next(chain[-1].waiting, None)
            if delta is None:
                self._held -= 0 if chain[-1].dropped else chain[-1].size
                chain.pop()
                continue
            if len(chain) > _LONGEST_CHAIN:
                raise ValueError("a chain of deltas is too long")
            made = self._make(chain[-1], delta)
            new_id = object_id(kind, [made])
            self._places.setdefault(new_id, Place(delta.offset, delta.crc))
            self.made += 1
            if kind != "blob":
                if len(made) > LARGEST_LINKING:
                    raise ValueError(f"a {kind} has {len(made)} bytes")
                self._linking(kind, made)
            if delta.offset in self._at or new_id in self._named:
                chain.append(_Made(chain[-1], delta, made, self._waiting_for(delta.offset, new_id)))
                self._held += len(made)
                self._drop(chain)

    def _waiting_for(self, offset: int, wanted: str) -> Iterator[Delta]:
        return iter([*self._at.pop(offset, ()), *self._named.pop(wanted, ())])

    def _make(self, base: _Made, delta: Delta) -> bytes:
        content = base.content
        if base.dropped:
            chain = [base]
            while chain[-1].dropped and chain[-1].above is not None:
                chain.append(chain[-1].above)
            content = chain.pop().content
            for made in reversed(chain):
                content = apply_delta(content, self._instructions(made.delta), LARGEST_DELTA)
        return apply_delta(content, self._instructions(delta), LARGEST_DELTA)

    def _instructions(self, delta: Delta | None) -> bytes:
        assert delta is not None  # noqa: S101 - only the first of a chain has none, and it is never dropped
        return Deflated(self._descriptor, delta.begin).take_all(delta.size)

    def _drop(self, chain: list[_Made]) -> None:
        """Let go of what is held beyond a limit, but the begin of the chain and the last one."""
        for made in chain[1:-1]:
            if self._held <= _HELD:
                break
            if not made.dropped:
                made.content, made.dropped = b"", True
                self._held -= made.size
