"""What was used of late, within a limit: for what is derived from objects, which never change."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

T = TypeVar("T")


class Recent(Generic[T]):
    """Values by a key, of which those that were not used for longest go first.

    Parameters
    ----------
    limit : int
        Largest sum of weights that is kept.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held = 0
        self._values: dict[Hashable, tuple[T, int]] = {}
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> T | None:
        """Return a value; None where it is not there."""
        with self._lock:
            found = self._values.pop(key, None)
            if found is None:
                return None
            self._values[key] = found  # the newest stand last
            return found[0]

    def put(self, key: Hashable, value: T, weight: int = 1) -> T:
        """Keep a value, and return it."""
        with self._lock:
            before = self._values.pop(key, None)
            self._held += weight - (before[1] if before else 0)
            self._values[key] = (value, weight)
            while self._held > self._limit and len(self._values) > 1:
                oldest = next(iter(self._values))
                self._held -= self._values.pop(oldest)[1]
        return value

    def made(self, key: Hashable, make: Callable[[], T], weight: Callable[[T], int] = lambda _: 1) -> T:
        """Return a value, made where it is not there."""
        found = self.get(key)
        if found is not None:
            return found
        value = make()
        return self.put(key, value, weight(value))
