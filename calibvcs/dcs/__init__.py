"""The published interface of the Detector Calibration Store, over a repository or over one file in HDF5.

Scripts that were written for the original change one line::

    from calibvcs.dcs import DCStore

    store = DCStore("/path/to/constants", "cspad-654321")  # or DCStore("/path/to/cspad-654321.h5")
    pedestals = store.pedestals(1471000100)

``docs/dcs.md`` lists every method, and where the two differ.
"""

from calibvcs.dcs.calibration_type import DCType
from calibvcs.dcs.store import DCStore
from calibvcs.dcs.validity_range import DCRange
from calibvcs.dcs.version import DCVersion

__all__ = ["DCRange", "DCStore", "DCType", "DCVersion"]
