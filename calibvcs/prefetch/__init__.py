"""The companion of the DAQ: it keeps the files for psana what the repository says, for the latest run."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from calibvcs.prefetch.loop import prefetch
    from calibvcs.prefetch.psana_calls import (
        ensure_valid_calibconst,
        get_latest_run,
        load_existing_run,
        needs_update,
        update_calib,
    )
    from calibvcs.prefetch.recipe import Recipe

__all__ = [
    "Recipe",
    "ensure_valid_calibconst",
    "get_latest_run",
    "load_existing_run",
    "needs_update",
    "prefetch",
    "update_calib",
]

_MODULES = {"Recipe": "recipe", "prefetch": "loop"}


def __getattr__(name: str) -> object:
    """Import the public names when they are used."""
    if name not in __all__:
        raise AttributeError(f"module 'calibvcs.prefetch' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"calibvcs.prefetch.{_MODULES.get(name, 'psana_calls')}"), name)
