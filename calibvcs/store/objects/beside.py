"""A function on a second thread, for work outside the interpreter's lock: writing while something is hashed."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

T = TypeVar("T")


class Beside(Generic[T]):
    """Run a function beside the body of a ``with`` statement, which is left only when the function has ended.

    Parameters
    ----------
    run : callable
        The function.
    """

    def __init__(self, run: Callable[[], T]) -> None:
        self._run = run
        self._returned: list[T] = []
        self._raised: BaseException | None = None
        self._thread = threading.Thread(target=self._call)

    def _call(self) -> None:
        try:
            self._returned.append(self._run())
        except BaseException as error:  # noqa: BLE001 - `result` raises it again
            self._raised = error

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._thread.join()
        except BaseException:  # Ctrl-C: what the function works on must not be closed under it
            self._thread.join()
            raise

    def result(self) -> T:
        """Wait for the function, and return what it returned or raise what it raised."""
        self._thread.join()
        if self._raised is not None:
            raise self._raised
        return self._returned[0]
