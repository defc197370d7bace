"""A disk that fails."""

from __future__ import annotations

import errno
import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from calibvcs.store.objects import new_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    FailingDisk = Callable[[int, int], object]

_CALLS = ((os, "open"), (os, "writev"), (os, "pwrite"), (os, "pread"), (os, "ftruncate"), (os, "fsync"),
          (Path, "mkdir"), (Path, "replace"))  # fmt: skip


@pytest.fixture
def failing_disk() -> FailingDisk:
    """Return a context in which the Nth call that changes the disk fails with an error code, and all later ones work."""

    @contextmanager
    def failing(number: int, code: int) -> Iterator[list[str]]:
        seen: list[str] = []

        def counted(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
            def instead(*arguments: Any, **options: Any) -> Any:
                seen.append(name)
                if len(seen) == number:
                    raise OSError(code, os.strerror(code))
                return call(*arguments, **options)

            return instead

        def kernel(name: str, *arguments: int) -> int:
            full = name == "fallocate" and code != errno.EIO  # to reserve room is refused for lack of room only
            if full:
                seen.append(name)
            return code if full and len(seen) == number else plain(name, *arguments)

        plain = new_file._kernel
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(new_file, "_kernel", kernel)
            for place, name in _CALLS:
                patch.setattr(place, name, counted(name, getattr(place, name)))
            yield seen

    return failing
