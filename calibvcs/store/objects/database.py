"""The objects of a repository, read and written as Git does."""

from __future__ import annotations

import os
from functools import cached_property
from typing import TYPE_CHECKING

from calibvcs.store.objects.reading import ObjectReader

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dulwich.object_store import DiskObjectStore

    from calibvcs.store.objects.compression import Compression
    from calibvcs.store.objects.protocol import Verify
    from calibvcs.store.objects.writing import ObjectWriter
    from calibvcs.store.protocol import Buffers


class ObjectDatabase(ObjectReader):
    """Objects by their id, with readers and writers of our own.

    Parameters
    ----------
    objects : Path
        The ``objects`` folder of a repository.
    fallback : callable
        Returns dulwich's view of the same objects, which reads what is unusual: old index versions. It is called only
        when that happens.
    compression : str, optional
        auto, store or deflate; without it, Git's configuration file says it when the first large object is written.
    verify : {"first", "always", "never"}
        When the hash of what goes straight into memory or comes in blocks is checked.
    """

    def __init__(
        self,
        objects: Path,
        fallback: Callable[[], DiskObjectStore],
        compression: Compression | None = None,
        verify: Verify = "first",
    ) -> None:
        super().__init__(objects, fallback, verify)
        self._compression = compression

    @cached_property
    def writer(self) -> ObjectWriter:
        """What writes objects here."""
        from calibvcs.store.objects.writing import ObjectWriter  # readers do not need it

        return ObjectWriter(self._objects, self._packed, self._compression)

    def write(self, kind: str, buffers: Buffers) -> str:
        """Write an object where it is not there yet, and return its id; then it is on disk."""
        return self.writer.write([(kind, buffers)])[0]

    def _packed(self, wanted: str) -> bool:
        while (held := self.elsewhere(wanted)) is not None:
            try:
                os.utime(held)  # a clean-up spares what is young
            except FileNotFoundError:  # it was quicker
                continue
            except OSError:  # the file is somebody else's
                return True
            return True
        return False
