"""Raw data: frames of detectors out of XTC2, HDF5 and npy files, behind one protocol.

>>> import calibvcs.sources
>>> with calibvcs.sources.open("mfx101332224-r0007-s000-c000.xtc2") as source:
...     means = [event.arrays["jungfrau"].mean() for event in source.events()]
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from calibvcs.sources.opening import open_source as open  # noqa: A004

__all__ = ["open"]


def __getattr__(name: str) -> object:
    """Import the door when it is used, so that importing the package costs nothing."""
    if name == "open":
        from calibvcs.sources.opening import open_source

        return open_source
    raise AttributeError(f"module 'calibvcs.sources' has no attribute {name!r}")
