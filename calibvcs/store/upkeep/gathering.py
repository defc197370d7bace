"""Many objects brought into one pack: small ones as deltas of their neighbours in history, large ones as they stand.

Of a large one there is only a window in memory, and its stream is copied; it is never compared with others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeVar

from calibvcs.errors import DamagedObjectError
from calibvcs.store.objects.making_deltas import make_delta
from calibvcs.store.objects.streams import entry_stream
from calibvcs.store.recent import Recent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from calibvcs.store.objects.reading import Copy
    from calibvcs.store.packs.stream import PackStream

    _Key = tuple[str, str]

T = TypeVar("T")

LARGE = 1 << 20
"""From this size on, in bytes, an object goes through a window and is no delta."""

_MOST_KEPT = 32 << 20
_LEVELS = 7
_DEEPEST = 50
_SMALLEST = 64
_ARRAY = ".npy"
_ORDER = {"commit": 0, "tag": 1, "tree": 2, "blob": 3}


class _Base(NamedTuple):
    id: str
    content: bytes
    depth: int


class Gatherer:
    """Brings objects into a pack.

    Parameters
    ----------
    stream : PackStream
        The pack.
    copies : callable
        Yields the copies of an object, whether or not they are sound.
    deflates : callable
        Tells whether an object is deflated that is so in its loose file.
    """

    def __init__(
        self,
        stream: PackStream,
        copies: Callable[[str], Iterator[Copy]],
        deflates: Callable[[Sequence[memoryview]], bool],
    ) -> None:
        self._stream, self._copies, self._deflates = stream, copies, deflates
        self._bases = _Bases()
        self.damaged: dict[str, str] = {}

    def take(self, wanted: Mapping[str, str], kinds: Mapping[str, str]) -> None:
        """Bring objects in; what is damaged in all its copies is noted in `damaged`, and what is gone is passed over.

        Parameters
        ----------
        wanted : mapping of str to str
            Ids and paths, the newest first, which becomes the base of what was before it.
        kinds : mapping of str to str
            Kind of every object that is no blob.

        Raises
        ------
        OSError
            If the disk refuses.
        """
        ordered = sorted(wanted.items(), key=lambda item: _ORDER[kinds.get(item[0], "blob")])
        large = [one for one, path in ordered if one not in self._stream.places and self._is_left(one, path)]
        for one in large:
            self._first_sound(one, lambda copy, one=one: self._copy(one, copy))  # type: ignore[misc]

    def _is_left(self, wanted: str, path: str) -> bool:
        """Bring an object in if it is small; tell whether it is not."""

        def look(copy: Copy) -> bool:
            kind, _, size = copy.read_head(0)
            if size >= LARGE and kind == "blob":
                return True
            self._add(wanted, path, *copy.read())
            return False

        return bool(self._first_sound(wanted, look))

    def _copy(self, wanted: str, copy: Copy) -> None:
        with entry_stream(copy, self._deflates) as stream:
            self._stream.copy(wanted, stream)

    def _first_sound(self, wanted: str, look: Callable[[Copy], T]) -> T | None:
        damage = ""
        for copy in self._copies(wanted):
            try:
                return look(copy)
            except FileNotFoundError:  # it went away, with a clean-up of somebody else
                continue
            except DamagedObjectError as error:
                damage = damage or error.reason
        if damage:
            self.damaged[wanted] = damage
        return None

    def _add(self, wanted: str, path: str, kind: str, content: bytes) -> None:
        if kind not in {"tree", "blob"} or path.endswith(_ARRAY) or len(content) < _SMALLEST:
            self._stream.add(wanted, kind, content)
            return
        keys = (kind, path), (kind, path.rpartition("/")[2])
        depth = 0
        for base in filter(None, map(self._bases.before, keys)):
            if base.depth < _DEEPEST:
                delta = make_delta(kind, base.content, content)
                if 2 * len(delta) < len(content):
                    self._stream.add_delta(wanted, base.id, delta)
                    depth = base.depth + 1
                    break
        if not depth:
            self._stream.add(wanted, kind, content)
        for key in dict.fromkeys(keys):
            self._bases.put(key, _Base(wanted, content, depth))


class _Bases:
    """What may become the base of a delta, by kind and path.

    Were each object the base of the next one, the way to an old one would be long. So every eighth is a delta of the
    eighth before it, every 64th of the 64th before it, and so on: the way is short, and most deltas are small.
    """

    def __init__(self) -> None:
        self._recent: Recent[_Base] = Recent(_MOST_KEPT)
        self._counts: dict[_Key, int] = {}

    def before(self, key: _Key) -> _Base | None:
        """Return the base for the next object of a path; None where there is none."""
        count = self._counts.get(key, 0)
        return self._recent.get((key, _level(count))) if count else None

    def put(self, key: _Key, base: _Base) -> None:
        """Take note of an object; the next one may be a delta of it."""
        count = self._counts.get(key, 0)
        self._counts[key] = count + 1
        for level in range(_level(count) + 1 if count else _LEVELS):
            self._recent.put((key, level), base, len(base.content))


def _level(count: int) -> int:
    """Return how often a number can be divided by eight."""
    level = 0
    while level < _LEVELS - 1 and not count % 8 ** (level + 1):
        level += 1
    return level
