"""The root of the tree: errors keep their fields, and build their text from templates over them."""

from __future__ import annotations

import difflib
from dataclasses import Field, dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar, Self, dataclass_transform

if TYPE_CHECKING:
    from collections.abc import Iterable

_SHOWN_NAMES = 5
_SHOWN_TEXT = 200


def nearest(given: str, known: Iterable[str]) -> tuple[str, ...]:
    """Return the known names that look most like the given one, best first."""
    return tuple(difflib.get_close_matches(given, sorted(set(known)), n=_SHOWN_NAMES, cutoff=0.5))


def listed(names: tuple[Any, ...]) -> str:
    """Return the first names of a list, and how many more there are."""
    more = f" and {len(names) - _SHOWN_NAMES} more" if len(names) > _SHOWN_NAMES else ""
    return ", ".join(map(str, names[:_SHOWN_NAMES])) + more if names else "none"


def _rebuild(cls: type[CalibvcsError], state: dict[str, Any]) -> CalibvcsError:
    error = cls.__new__(cls)
    error.__dict__.update(state)
    return error


@dataclass_transform(eq_default=False)
class CalibvcsError(Exception):
    """Trouble that has a name: what was given, what is allowed, what to do next.

    Every class is a dataclass; it is made one when its first error is. Most programs meet no error, and none meets
    all thirty.
    """

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]
    exit_code: ClassVar[int] = 70
    says: ClassVar[str] = "calibvcs cannot do this"
    advises: ClassVar[str] = ""

    def __new__(cls, *_: object, **__: object) -> Self:
        """Make the class a dataclass, where it is none yet, before it is called."""
        for one in reversed(cls.mro()):
            if issubclass(one, CalibvcsError) and "__dataclass_fields__" not in vars(one):
                dataclass(eq=False)(one)
        return super().__new__(cls)

    @property
    def problem(self) -> str:
        """What was given and what is allowed."""
        return self.says.format(**self._shown())

    @property
    def hint(self) -> str:
        """What to do next; may be empty."""
        return self.advises.format(**self._shown())

    def _shown(self) -> dict[str, Any]:
        """Return the fields as they are shown: lists and long text in short."""
        shown = {field.name: getattr(self, field.name) for field in fields(self)}
        for name, value in shown.items():
            if isinstance(value, tuple):
                shown[name] = listed(value)
            elif isinstance(value, str) and name == "given" and len(value) > _SHOWN_TEXT:
                shown[name] = value[:_SHOWN_TEXT] + "..."
        return shown

    def __str__(self) -> str:
        return f"{self.problem}\n{self.hint}" if self.hint else self.problem

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), {field.name: getattr(self, field.name) for field in fields(self)})
