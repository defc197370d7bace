"""Git for detector calibration constants.

>>> import calibvcs
>>> repository = calibvcs.open("constants")
>>> repository.get("jungfrau-000003", "pedestals", "2026-11-02T10:00:00Z").data
"""

from __future__ import annotations

from calibvcs.version import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from calibvcs.api import Repository, clone, doctor, init, open  # noqa: A004
    from calibvcs.errors import CalibvcsError

_PACKAGES = ("geometry", "shm", "sources")

__all__ = ["CalibvcsError", "Repository", "__version__", "clone", "doctor", "init", "open"]


def __getattr__(name: str) -> object:
    """Import the public names and packages when they are used, so that ``import calibvcs`` costs nothing."""
    if name == "CalibvcsError":
        from calibvcs.errors import CalibvcsError

        return CalibvcsError
    if name in _PACKAGES:
        from importlib import import_module

        return import_module(f"calibvcs.{name}")
    if name in __all__:
        from calibvcs import api

        return getattr(api, name)
    raise AttributeError(f"module 'calibvcs' has no attribute {name!r}")
