"""Reading psana's pickles without running anything: opcodes that plain data need are carried out, all others refused.

Python's own `pickle` calls whatever a file names. Here nothing is looked up by name: a few names are known (an array,
its dtype, a Counter, a scalar), and each stands for a function of ours that checks what it gets. Every length is held
against the file before it is used; arrays are views of it.
"""

from __future__ import annotations

import struct
from pickle import decode_long
from typing import TYPE_CHECKING, Any, Final

from calibvcs.errors import InvalidDataError
from calibvcs.formats.psana import pickled_arrays
from calibvcs.formats.psana.pickled_arrays import NAMES, Array, Dtype, RefusedPickleError, filled, set_order

if TYPE_CHECKING:
    from collections.abc import Callable

_MOST_STEPS: Final = 5_000_000
_DEEPEST: Final = 100_000
_LONGEST_TEXT: Final = 64 * 1024 * 1024
_ADVICE: Final = "read only files that psana or calibvcs wrote"


class _Mark:
    """Where a group of values on the stack begins."""


def decode(data: bytes | memoryview, source: str) -> Any:
    """Return what a pickle of psana holds.

    Parameters
    ----------
    data : bytes or memoryview
        The whole file, protocol 2 to 5.
    source : str
        What it is called in errors, usually the path.

    Returns
    -------
    dict
        Plain values; arrays are read-only views of `data`.

    Raises
    ------
    InvalidDataError
        If it is no pickle, is cut off, or names anything that plain data do not need.
    """
    reader = _Reader(memoryview(data).cast("B").toreadonly())
    try:
        return _finished(reader.run())
    except (RefusedPickleError, IndexError, KeyError, TypeError, ValueError, OverflowError, struct.error) as error:
        what = (
            str(error) if isinstance(error, RefusedPickleError) else f"it contradicts itself ({type(error).__name__})"
        )
        raise InvalidDataError(source, f"no pickle of plain data: at byte {reader.position}, {what}", _ADVICE) from None


def decode_constants(data: bytes | memoryview, source: str) -> tuple[dict[str, str], dict[str, Any]]:
    """Return the two parts of ``calibconst.pkl``.

    Parameters
    ----------
    data, source
        As for `decode`.

    Returns
    -------
    det_info : dict of str to str
        Unique id of each detector.
    calib_const : dict
        For each detector ctype -> (value, document), or None.

    Raises
    ------
    InvalidDataError
        As for `decode`, and if it holds something else.
    """
    held = decode(data, source)
    match held:
        case {"det_info": dict() as det_info, "calib_const": dict() as constants}:
            named = all(isinstance(word, str) for pair in det_info.items() for word in pair)
            if named and all(isinstance(name, str) and _is_set(one) for name, one in constants.items()):
                return det_info, constants
    raise InvalidDataError(source, "it does not hold det_info and calib_const as psana writes them", _ADVICE)


def _is_set(constants: object) -> bool:
    if constants is None:
        return True
    return isinstance(constants, dict) and all(
        isinstance(ctype, str) and isinstance(pair, tuple) and len(pair) == 2 for ctype, pair in constants.items()
    )


class _Reader:
    """The stack machine of the pickle format, for plain data."""

    def __init__(self, data: memoryview) -> None:
        self._data = data
        self.position = 0
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}
        self._copied = 0

    def run(self) -> Any:
        """Carry out opcode by opcode until the end is told."""
        for _ in range(_MOST_STEPS):
            code = self._take(1)[0]
            if code == ord("."):
                if len(self._stack) != 1:
                    raise RefusedPickleError("it ends with more than one value")
                return self._stack[0]
            step = _STEPS.get(code)
            if step is None:
                raise RefusedPickleError(f"the opcode {code:#04x} is not allowed")
            step(self)
            if len(self._stack) > _DEEPEST:
                raise RefusedPickleError(f"more than {_DEEPEST} values wait to be joined")
        raise RefusedPickleError(f"more than {_MOST_STEPS} steps")

    def _take(self, size: int) -> memoryview:
        if not 0 <= size <= len(self._data) - self.position:
            raise RefusedPickleError(f"{size} bytes are announced, {len(self._data) - self.position} are left")
        self.position += size
        return self._data[self.position - size : self.position]

    def number(self, size: int, *, signed: bool = False) -> int:
        return int.from_bytes(self._take(size), "little", signed=signed)

    def skip(self, size: int) -> None:
        self._take(size)

    def push(self, value: Any) -> None:
        self._stack.append(value)

    def pop(self) -> Any:
        value = self._stack.pop()
        if isinstance(value, _Mark):
            raise RefusedPickleError("a value is missing")
        return value

    def group(self) -> list[Any]:
        """Take the values behind the last mark."""
        for place in range(len(self._stack) - 1, -1, -1):
            if isinstance(self._stack[place], _Mark):
                values = self._stack[place + 1 :]
                del self._stack[place:]
                return values
        raise RefusedPickleError("a mark is missing")

    def text(self, size: int) -> None:
        length = self.number(size)
        if length > _LONGEST_TEXT:
            raise RefusedPickleError(f"a text of {length} bytes; allowed are {_LONGEST_TEXT}")
        self.push(str(self._take(length), "utf-8", "surrogatepass"))

    def raw(self, size: int) -> None:
        self.push(self._take(self.number(size)))

    def remember(self, place: int) -> None:
        self._memo[place] = self._stack[-1]

    def memoize(self) -> None:
        self.remember(len(self._memo))

    def recall(self, place: int) -> None:
        self.push(self._memo[place])

    def long(self) -> None:
        self.push(decode_long(bytes(self._take(self.number(1)))))

    def real(self) -> None:
        self.push(struct.unpack(">d", self._take(8))[0])

    def join(self, count: int) -> None:
        values = [self.pop() for _ in range(count)]
        self.push(tuple(reversed(values)))

    def extend(self, values: list[Any]) -> None:
        target = self._stack[-1]
        if type(target) is not list:
            raise RefusedPickleError("something is appended to what is no list")
        target.extend(values)

    def set_items(self, values: list[Any]) -> None:
        target = self._stack[-1]
        if type(target) is not dict or len(values) % 2:
            raise RefusedPickleError("something is set in what is no dictionary")
        for key, value in zip(values[::2], values[1::2], strict=True):
            if type(key) not in {str, int}:
                raise RefusedPickleError(f"a key of type {type(key).__name__}; allowed are text and whole numbers")
            target[key] = value

    def line(self) -> str:
        begin = self.position
        while self._take(1)[0] != ord("\n"):
            if self.position - begin > 100:
                raise RefusedPickleError("a name of more than 100 characters")
        return str(self._data[begin : self.position - 1], "ascii")

    def name(self, module: object, name: object) -> None:
        known = NAMES.get((module, name)) if isinstance(module, str) and isinstance(name, str) else None
        if known is None:
            raise RefusedPickleError(
                f"{str(module)[:60]}.{str(name)[:60]} is named; only arrays and plain values are allowed"
            )
        self.push(known)

    def stack_name(self) -> None:
        name, module = self.pop(), self.pop()
        self.name(module, name)

    def call(self) -> None:
        arguments, function = self.pop(), self.pop()
        if function not in _CALLED or type(arguments) is not tuple:
            raise RefusedPickleError("something is called that is no function")
        # What is copied here may be named again and again: all copies together are no longer than the file.
        self._copied += sum(len(one) for one in arguments if isinstance(one, str | dict))
        if self._copied > len(self._data):
            raise RefusedPickleError("more is copied than the file holds")
        self.push(function(*map(pickled_arrays.finished, arguments)))

    def build(self) -> None:
        state, target = self.pop(), self._stack[-1]
        if isinstance(target, Dtype):
            set_order(target, state)
        elif isinstance(target, Array):
            target.filled = filled(state)
        else:
            raise RefusedPickleError("a state is given to what has none")


def _finished(value: Any) -> Any:
    """Put the arrays in the place of what stood for them while they were made."""
    done: dict[int, Any] = {}

    def walk(one: Any, depth: int) -> Any:
        if isinstance(one, Array):
            if one.filled is None:
                raise RefusedPickleError("an array without values")
            return one.filled
        if isinstance(one, memoryview | Dtype | _Mark) or callable(one):
            raise RefusedPickleError("bytes or a name in the place of a value")
        if type(one) not in {dict, list, tuple}:
            return one
        if depth > 50:
            raise RefusedPickleError("values within values, more than 50 deep")
        if id(one) not in done:
            if type(one) is dict:
                made: Any = {key: walk(inner, depth + 1) for key, inner in one.items()}
            else:
                made = type(one)(walk(inner, depth + 1) for inner in one)
            done[id(one)] = made
        return done[id(one)]

    return walk(value, 0)


_CALLED: Final = frozenset(NAMES.values())
_STEPS: Final[dict[int, Callable[[_Reader], None]]] = {
    ord(code): step
    for code, step in {
        "\x80": lambda r: None if r.number(1) <= 5 else _refuse("a protocol after 5"),
        "\x95": lambda r: r.skip(8),  # a frame only tells how much to read at once
        "(": lambda r: r.push(_Mark()),
        "}": lambda r: r.push({}),
        "]": lambda r: r.push([]),
        ")": lambda r: r.push(()),
        "t": lambda r: r.push(tuple(r.group())),
        "\x85": lambda r: r.join(1),
        "\x86": lambda r: r.join(2),
        "\x87": lambda r: r.join(3),
        "N": lambda r: r.push(None),
        "\x88": lambda r: r.push(True),
        "\x89": lambda r: r.push(False),
        "J": lambda r: r.push(r.number(4, signed=True)),
        "K": lambda r: r.push(r.number(1)),
        "M": lambda r: r.push(r.number(2)),
        "\x8a": lambda r: r.long(),
        "G": lambda r: r.real(),
        "\x8c": lambda r: r.text(1),
        "X": lambda r: r.text(4),
        "\x8d": lambda r: r.text(8),
        "C": lambda r: r.raw(1),
        "B": lambda r: r.raw(4),
        "\x8e": lambda r: r.raw(8),
        "\x96": lambda r: r.raw(8),
        "\x94": lambda r: r.memoize(),
        "q": lambda r: r.remember(r.number(1)),
        "r": lambda r: r.remember(r.number(4)),
        "h": lambda r: r.recall(r.number(1)),
        "j": lambda r: r.recall(r.number(4)),
        "a": lambda r: r.extend([r.pop()]),
        "e": lambda r: r.extend(r.group()),
        "s": lambda r: r.set_items(list(reversed([r.pop(), r.pop()]))),
        "u": lambda r: r.set_items(r.group()),
        "c": lambda r: r.name(r.line(), r.line()),
        "\x93": lambda r: r.stack_name(),
        "R": lambda r: r.call(),
        "b": lambda r: r.build(),
    }.items()
}


def _refuse(what: str) -> None:
    raise RefusedPickleError(what)
