"""Git's deltas: an object as copies out of another one and new bytes in between."""

from __future__ import annotations

_COPY = 0x80
_DEFAULT_LENGTH = 0x10000
_LONG = 256
_LONGEST_SIZE = 56


def apply_delta(base: bytes, delta: bytes, limit: int) -> bytes:
    """Return the object that a delta makes of its base.

    Parameters
    ----------
    base : bytes
        The object it refers to.
    delta : bytes
        Sizes of base and result, then the instructions.
    limit : int
        Largest result that is made, in bytes.

    Returns
    -------
    bytes
        The object.

    Raises
    ------
    ValueError
        If the delta is cut short, does not fit its base, or promises another size than it makes.
    """
    try:
        base_size, position = _size(delta, 0)
        size, position = _size(delta, position)
        if base_size != len(base) or size > limit:
            raise ValueError(f"a delta for {base_size} bytes that makes {size} does not fit a base of {len(base)}")
        parts: list[bytes | memoryview] = []
        made = 0
        view = memoryview(base)
        while position < len(delta):
            part, position = _instruction(view, delta, position)
            made += len(part)
            if made > size:
                break
            parts.append(part)
    except IndexError:
        raise ValueError("a delta is cut short") from None
    if made != size:
        raise ValueError(f"a delta promises {size} bytes and makes {made} or more")
    return b"".join(parts)


def result_size(head: bytes) -> int:
    """Return how large the object is that a delta makes, by the first bytes of the delta.

    Raises
    ------
    ValueError
        If they are cut short.
    """
    try:
        return _size(head, _size(head, 0)[1])[0]
    except IndexError:
        raise ValueError("a delta is cut short") from None


def _instruction(base: memoryview, delta: bytes, position: int) -> tuple[bytes | memoryview, int]:
    byte = delta[position]
    position += 1
    if not byte & _COPY:
        if not byte or position + byte > len(delta):
            raise ValueError("a delta has an instruction that does not exist, or is cut short")
        return delta[position : position + byte], position + byte
    offset = length = 0
    for bit in range(4):
        if byte & (1 << bit):
            offset |= delta[position] << (8 * bit)
            position += 1
    for bit in range(3):
        if byte & (0x10 << bit):
            length |= delta[position] << (8 * bit)
            position += 1
    length = length or _DEFAULT_LENGTH
    if offset + length > len(base):
        raise ValueError("a delta copies what lies behind the end of its base")
    piece = base[offset : offset + length]  # a long one is copied only when the sum of all is known to be right
    return piece if length >= _LONG else bytes(piece), position


def _size(delta: bytes, position: int) -> tuple[int, int]:
    size = shift = 0
    while True:
        byte = delta[position]
        size |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if not byte & 0x80:
            return size, position
        if shift > _LONGEST_SIZE:
            raise ValueError("a delta claims a size that nothing has")
