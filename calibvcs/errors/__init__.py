"""The one tree of errors.

Every class names a kind of trouble that a caller can act upon; the exit code of the command line follows from the
branch it stands on (``docs/exit-codes.md``)::

    CalibvcsError
    ├── UsageError             2  InvalidNameError  InvalidTimeError  InvalidRangeError  InvalidOptionError
    │                             NoIdentityError
    ├── NotFoundError          3  NoRepositoryError  UnknownDetectorError  UnknownConstantError  NoValidConstantError
    │                             UnknownVersionError  UnknownRevisionError  UnknownRunError  UnknownTagError
    │                             MissingFileError
    ├── RefusedError           4  EmptyCommentError  InvalidDataError  GateRefusedError  LockedError  OverlapError
    ├── ConflictError          5  AlreadyExistsError  NothingToChangeError  BranchMovedError  WriterBusyError
    │                             DirtyWorktreeError
    ├── AccessError            6  NotWritableError  PushRefusedError
    ├── BrokenRepositoryError  7  NotCalibvcsError  UnsupportedFormatError  InvalidDocumentError  DamagedObjectError
    │                             DamagedRepositoryError  DamagedPackError
    ├── NetworkError           8  another repository cannot be reached
    └── StorageError           9  the disk is full or fails

A class states its text as two templates over its fields: ``says``, what was given and
what is allowed, and ``advises``, what to do next. Errors keep their fields and survive pickling.
"""

from __future__ import annotations

from calibvcs.errors.network import DamagedPackError, NetworkError, PushRefusedError
from calibvcs.errors.refusals import (
    AlreadyExistsError,
    BranchMovedError,
    ConflictError,
    DirtyWorktreeError,
    EmptyCommentError,
    GateRefusedError,
    InvalidDataError,
    LockedError,
    NothingToChangeError,
    OverlapError,
    Refusal,
    RefusedError,
    WriterBusyError,
)
from calibvcs.errors.requests import (
    InvalidNameError,
    InvalidOptionError,
    InvalidRangeError,
    InvalidTimeError,
    MissingFileError,
    NoIdentityError,
    NoRepositoryError,
    NotFoundError,
    NoValidConstantError,
    UnknownConstantError,
    UnknownDetectorError,
    UnknownRevisionError,
    UnknownRunError,
    UnknownTagError,
    UnknownVersionError,
    UsageError,
)
from calibvcs.errors.root import (
    CalibvcsError,
    nearest,
)
from calibvcs.errors.surroundings import (
    AccessError,
    BrokenRepositoryError,
    DamagedObjectError,
    DamagedRepositoryError,
    InvalidDocumentError,
    NotCalibvcsError,
    NotWritableError,
    StorageError,
    UnsupportedFormatError,
)

__all__ = [
    "AccessError",
    "AlreadyExistsError",
    "BranchMovedError",
    "BrokenRepositoryError",
    "CalibvcsError",
    "ConflictError",
    "DamagedObjectError",
    "DamagedPackError",
    "DamagedRepositoryError",
    "DirtyWorktreeError",
    "EmptyCommentError",
    "GateRefusedError",
    "InvalidDataError",
    "InvalidDocumentError",
    "InvalidNameError",
    "InvalidOptionError",
    "InvalidRangeError",
    "InvalidTimeError",
    "LockedError",
    "MissingFileError",
    "NetworkError",
    "NoIdentityError",
    "NoRepositoryError",
    "NoValidConstantError",
    "NotCalibvcsError",
    "NotFoundError",
    "NotWritableError",
    "NothingToChangeError",
    "OverlapError",
    "PushRefusedError",
    "Refusal",
    "RefusedError",
    "StorageError",
    "UnknownConstantError",
    "UnknownDetectorError",
    "UnknownRevisionError",
    "UnknownRunError",
    "UnknownTagError",
    "UnknownVersionError",
    "UnsupportedFormatError",
    "UsageError",
    "WriterBusyError",
    "nearest",
]
