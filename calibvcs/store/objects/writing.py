"""Writing objects: each durably by itself, those of one change together, or many into one pack."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from calibvcs.store.objects import loose_writing
from calibvcs.store.objects.compression import Chooser

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from calibvcs.store.objects.compression import Compression
    from calibvcs.store.packs.writing import PackWriter
    from calibvcs.store.protocol import Buffers


class ObjectWriter:
    """Writes into the object folder of a repository.

    Parameters
    ----------
    objects : Path
        The ``objects`` folder.
    packed : callable
        Tells whether the repository has an object of an id in another form than a loose file of its own.
    compression : str, optional
        auto, store or deflate; without it, Git's configuration file says it when the first large object is written.
    """

    def __init__(self, objects: Path, packed: Callable[[str], bool], compression: Compression | None = None) -> None:
        self._objects = objects
        self._packed = packed
        self._deflates = Chooser(objects.parent / "config", compression)
        self._batch: PackWriter | None = None

    def put(self, kind: str, buffers: Buffers) -> str:
        """Write an object where it is not there yet, and return its id.

        Then it is on disk, but in a batch: there it is on disk, and can be read, when something is written by `write`
        or the batch ends.
        """
        return self._batch.add(kind, buffers, self._present) if self._batch else self.write([(kind, buffers)])[0]

    def write(self, contents: Iterable[tuple[str, Buffers]]) -> list[str]:
        """Write objects, each by its kind and content, and return their ids.

        Then they are on disk, and so is what was put before; with it, the pack of a batch is finished, and what is
        written later in the batch is written by itself: there is little of it.
        """
        if self._batch is None:
            return loose_writing.write(self._objects, contents, self._packed, self._deflates)
        made = [self._batch.add(kind, buffers, self._present) for kind, buffers in contents]
        self._batch.finish()
        self._batch = None
        return made

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Collect what is put in one pack, until `write` or the end; an exception that leaves it takes it away."""
        from calibvcs.store.packs.writing import PackWriter  # single changes do not need it

        if self._batch is not None:
            yield
            return
        batch = self._batch = PackWriter(self._objects, self._deflates)
        try:
            yield
            if self._batch is batch:
                batch.finish()
        finally:
            if self._batch is batch:
                self._batch = None
                batch.discard()

    def _present(self, wanted: str) -> bool:
        return loose_writing.touched(loose_writing.path_of(self._objects, wanted)) or self._packed(wanted)
