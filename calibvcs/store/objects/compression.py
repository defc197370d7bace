"""Which objects are deflated: by what they hold, or as the configuration of the repository says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

from calibvcs.errors import DamagedRepositoryError, InvalidOptionError
from calibvcs.store.configuration import settings
from calibvcs.store.objects.deflating import shrinks

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

Compression: TypeAlias = Literal["auto", "store", "deflate"]
"""auto measures every object, store and deflate do always the same."""

SETTING = "calibvcs.compression"
"""Name of the setting in Git's configuration."""

SMALL = 1 << 16
"""Objects of fewer bytes are always deflated, as Git does it."""


def configured(config: Path) -> Compression:
    """Return what the configuration file of a repository says; ``auto`` where it says nothing.

    Parameters
    ----------
    config : Path
        The file ``config`` in the Git folder.

    Returns
    -------
    str
        auto, store or deflate.

    Raises
    ------
    InvalidOptionError
        If it says something else.
    DamagedRepositoryError
        If the file cannot be read.
    """
    try:
        given = settings(config).get(SETTING, "auto").strip()
    except (OSError, ValueError) as error:
        raise DamagedRepositoryError(str(config), f"the configuration cannot be read: {error}") from None
    for allowed in get_args(Compression):
        if given.lower() == allowed:
            return allowed  # type: ignore[no-any-return]  # one of the three
    advice = f"git config {SETTING} auto (measures every array; store is fastest, deflate smallest)"
    raise InvalidOptionError(SETTING, given, "auto, store or deflate is allowed", advice)


class Chooser:
    """Tells of every object whether it is to be deflated.

    Parameters
    ----------
    config : Path
        Configuration file of the repository; it is read when the first large object is written.
    compression : str, optional
        auto, store or deflate; then the configuration is not asked.
    """

    def __init__(self, config: Path, compression: Compression | None = None) -> None:
        self._config = config
        self._compression = compression

    def __call__(self, parts: Sequence[memoryview]) -> bool:
        """Tell whether an object is to be deflated, by its bytes (item size 1) in pieces."""
        if sum(map(len, parts)) < SMALL:
            return True
        if self._compression is None:
            self._compression = configured(self._config)
        return shrinks(parts) if self._compression == "auto" else self._compression == "deflate"
