"""zlib streams in files, read in order, straight to where their bytes are wanted.

Measured values are kept in *stored* blocks (RFC 1951, 3.2.4) of at most 65535 bytes, with a head of five bytes each.
They are read at the speed of the file, many blocks in one call; whatever else zlib writes goes through zlib.
"""

from __future__ import annotations

import os
import struct

from zlib_ng import zlib_ng as zlib

InflateError: type[Exception] = zlib.error  # type: ignore[assignment]  # its stub has an instance

LARGEST_RATIO = 1040
"""Deflate shrinks 1032 times at most: what claims more than this times its length is a lie."""

_BLOCK = 65535
_HEAD = struct.Struct("<BHH")
_BLOCKS_AT_ONCE = 16
_CHUNK, _PIECE = 1 << 16, 1 << 18  # into zlib and out of it at a time
_TRAILER = 4
_SMALL_BLOCK, _MOST_SMALL_BLOCKS = 1024, 64


class Deflated:
    """The content of a zlib stream in pieces; its check sum is checked where it ends.

    Parameters
    ----------
    descriptor : int
        Open file.
    position : int
        Where those bytes stand in it that are still to be read.
    ahead : bytes
        The bytes before them, read already: the stream begins with these.
    """

    def __init__(self, descriptor: int, position: int, ahead: bytes = b"") -> None:
        self._descriptor, self._position, self._waiting = descriptor, position, ahead
        self._inflater = zlib.decompressobj()

    def take(self, most: int) -> bytes:
        """Return the next bytes, at least one and at most so many; none where the stream ends.

        Raises
        ------
        ValueError
            If the stream is damaged or cut short.
        OSError
            If the file cannot be read.
        """
        while not self._inflater.eof:
            chunk = self._waiting or os.pread(self._descriptor, _CHUNK, self._position)
            self._position += 0 if self._waiting else len(chunk)
            try:
                data: bytes = self._inflater.decompress(chunk, most)
            except InflateError as error:
                raise ValueError(f"it cannot be inflated: {error}") from None
            self._waiting = self._inflater.unconsumed_tail
            if data:
                return data
            if not chunk:
                raise ValueError("it is cut short")
        return b""

    def take_all(self, size: int) -> bytes:
        """Return what is left, which is so many bytes; no more memory is taken than there are bytes.

        Raises
        ------
        ValueError
            If there are fewer or more, or the stream is damaged.
        OSError
            If the file cannot be read.
        """
        parts, made = [], 0
        while data := self.take(max(1, min(size + 1 - made, _PIECE))):
            parts.append(data)
            made += len(data)
            if made > size:
                break
        if made != size:
            raise ValueError(f"it claims {size} bytes and holds {made}{' or more' if made > size else ''}")
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def take_head(self, length: int) -> bytes:
        """Return the next bytes, fewer than wanted only where the stream ends.

        Raises
        ------
        ValueError
            If the stream is damaged or cut short.
        OSError
            If the file cannot be read.
        """
        parts = []
        while length and (data := self.take(min(length, _PIECE))):
            parts.append(data)
            length -= len(data)
        return b"".join(parts)


class Inflating:
    """The content of a zlib stream, put into memory in order.

    Parameters
    ----------
    descriptor : int
        Open file.
    position : int
        Where the stream begins in it.

    Raises
    ------
    ValueError
        If there is no zlib stream.
    OSError
        If the file cannot be read.
    """

    def __init__(self, descriptor: int, position: int) -> None:
        head = os.pread(descriptor, 2, position)
        if len(head) < 2 or head[0] & 15 != zlib.DEFLATED or (head[0] << 8 | head[1]) % 31 or head[1] & 32:
            raise ValueError("it does not begin like a zlib stream")
        self._descriptor, self._begin, self._position = descriptor, position, position + 2
        self._given, self._adler = 0, 1
        self._left, self._last, self._usual, self._small = 0, False, _BLOCK, 0
        self._heads = memoryview(bytearray(_HEAD.size * _BLOCKS_AT_ONCE))
        self._deflated: Deflated | None = None

    def fill(self, out: memoryview) -> None:
        """Fill memory with the next bytes of the content.

        Parameters
        ----------
        out : memoryview
            Where they go, item size 1; writable.

        Raises
        ------
        ValueError
            If the stream is damaged, or there are not so many.
        OSError
            If the file cannot be read.
        """
        done = 0
        while done < len(out):
            done += self._more(out[done:])

    def finish(self) -> None:
        """Hold that the stream ends here, and its check sum.

        Raises
        ------
        ValueError
            If there is more, or what was read has another check sum.
        OSError
            If the file cannot be read.
        """
        if self._deflated is None and (self._left or self._next_block()):
            raise ValueError(f"it holds more than {self._given} bytes")
        if self._deflated is not None:
            if self._deflated.take(1):
                raise ValueError(f"it holds more than {self._given} bytes")
        elif os.pread(self._descriptor, _TRAILER, self._position) != struct.pack(">I", self._adler):
            raise ValueError("its check sum is wrong")

    def _more(self, out: memoryview) -> int:
        if self._deflated is None and (self._left or self._next_block()):
            size = self._copy(out)
            self._adler = zlib.adler32(out[:size], self._adler)
        else:
            data = self._deflated.take(min(len(out), _PIECE)) if self._deflated is not None else b""
            size = len(data)
            out[:size] = data
        if not size:
            raise ValueError(f"it ends after {self._given} bytes")
        self._given += size
        return size

    def _copy(self, out: memoryview) -> int:
        """Copy bytes of stored blocks, and return how many.

        The blocks behind this one most likely are as long as the last one, so that many are read in one call, each head
        to a place of its own; where that was wrong, reading goes on from there.
        """
        done = planned = min(self._left, len(out))
        buffers = [out[:done]]
        sizes: list[int] = []
        while not self._last and planned < len(out) and len(sizes) < _BLOCKS_AT_ONCE:
            head = _HEAD.size * len(sizes)
            sizes.append(min(self._usual, len(out) - planned))
            buffers += [self._heads[head : head + _HEAD.size], out[planned : planned + sizes[-1]]]
            planned += sizes[-1]
        ready = os.preadv(self._descriptor, buffers, self._position) - done
        if ready < 0:
            raise ValueError("it is cut short")
        self._position, self._left = self._position + done, self._left - done
        for number, expected in enumerate(sizes):
            ready -= _HEAD.size
            if ready < 0 or not self._enter(self._heads, _HEAD.size * number, self._given + done):
                break
            taken = min(expected, self._left, ready)
            done, ready = done + taken, ready - taken
            self._position, self._left = self._position + taken, self._left - taken
            if taken < expected or self._left or self._last:
                break
        return done

    def _next_block(self) -> bool:
        """Go to the next block that holds something; tell whether there is one, and it is stored."""
        while not (self._left or self._last or self._deflated):
            self._enter(os.pread(self._descriptor, _HEAD.size, self._position), 0, self._given)
        return self._left > 0

    def _enter(self, heads: bytes | memoryview, place: int, given: int) -> bool:
        """Enter a block by its head; tell whether it is stored. All blocks but those are left to zlib."""
        try:
            kind, size, complement = _HEAD.unpack_from(heads, place)
        except struct.error:
            raise ValueError("it is cut short") from None
        self._small += size < _SMALL_BLOCK
        if kind & 6 or self._small > _MOST_SMALL_BLOCKS:
            self._deflated = Deflated(self._descriptor, self._begin)
            while given:
                data = self._deflated.take(min(given, _PIECE))
                if not data:
                    raise ValueError("it changed while it was read")
                given -= len(data)
            return False
        if kind & ~1 or size ^ complement != 0xFFFF:
            raise ValueError("the head of a block is damaged")
        self._position += _HEAD.size
        self._left, self._last = size, bool(kind)
        self._usual = size if size >= _SMALL_BLOCK else _BLOCK
        return True
