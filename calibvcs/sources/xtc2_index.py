"""Where the datagrams of a stream stand: one row a datagram, a few bytes each, in the order of the stream."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from typing import TYPE_CHECKING

from calibvcs.sources.xtc2_datagrams import (
    HEADER,
    HEADER_SIZE,
    PARENT,
    TYPE,
    XTC_SIZE,
    Datagram,
    Service,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from calibvcs.sources.mapping import Bytes


class Index:
    """Rows of file, offset, size, stamp, service and damage."""

    def __init__(self) -> None:
        self._files, self._services, self._damages = array("H"), array("B"), array("H")
        self._offsets, self._sizes, self.stamps = array("Q"), array("Q"), array("Q")
        self._events: array[int] = array("Q")
        self._others: array[int] = array("Q")

    def __len__(self) -> int:
        return len(self.stamps)

    def append(self, file: int, datagram: Datagram) -> None:
        """Add a datagram of a file."""
        (self._events if datagram.service is Service.L1Accept else self._others).append(len(self))
        self._files.append(file)
        self._offsets.append(datagram.offset)
        self._sizes.append(datagram.size)
        self.stamps.append(datagram.stamp)
        self._services.append(datagram.service)
        self._damages.append(datagram.damage)

    def append_events(self, file: int, data: Bytes, begin: int) -> int:
        """Add the events that stand one after the other from an offset on; return the offset behind the last one.

        It is the same as `datagram_at` and `append` as long as whole events follow, in a quarter of the time: files
        hold millions of events. Where it stops, `datagram_at` tells why.
        """
        view, size = data.view, len(data.view)
        while size - begin >= HEADER_SIZE:
            nanoseconds, seconds, env, _, damage, kind, extent = HEADER.unpack_from(view, begin)
            end = begin + HEADER_SIZE - XTC_SIZE + extent
            if env >> 24 & 15 != Service.L1Accept or kind & TYPE != PARENT or extent < XTC_SIZE or end > size:
                break
            self._events.append(len(self.stamps))
            self._files.append(file)
            self._offsets.append(begin)
            self._sizes.append(end - begin)
            self.stamps.append(seconds << 32 | nanoseconds)
            self._services.append(Service.L1Accept)
            self._damages.append(damage)
            begin = end
        return begin

    def row(self, number: int) -> tuple[int, Datagram]:
        """Return the file and the header of a datagram."""
        service = Service(self._services[number])
        header = Datagram(
            self._offsets[number], self._sizes[number], self.stamps[number], service, self._damages[number]
        )
        return self._files[number], header

    def service(self, number: int) -> int:
        """Return what a datagram is."""
        return self._services[number]

    def events(self, begin: int = 0) -> Iterator[int]:
        """Yield the rows of events, from row `begin` on; what is added meanwhile comes too."""
        return self._from(self._events, begin)

    def transitions(self, begin: int = 0) -> Iterator[int]:
        """Yield the rows of what is no event, from row `begin` on."""
        return self._from(self._others, begin)

    @property
    def event_count(self) -> int:
        """How many events there are."""
        return len(self._events)

    @staticmethod
    def _from(rows: array[int], begin: int) -> Iterator[int]:
        position = bisect_right(rows, begin - 1) if begin else 0
        while position < len(rows):
            yield rows[position]
            position += 1
