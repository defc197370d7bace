"""The one tree of errors.

Every class names a kind of trouble that a caller can act upon; the exit code of the command line follows from the
branch it stands on (``docs/exit-codes.md``)::

    CalibvcsError
    ├── UsageError             2  InvalidNameError  InvalidTimeError  InvalidRangeError  InvalidOptionError
    │                             NoIdentityError  NoSigningKeyError
    ├── NotFoundError          3  NoRepositoryError  UnknownDetectorError  UnknownConstantError  NoValidConstantError
    │                             UnknownVersionError  UnknownRevisionError  UnknownRunError  UnknownTagError
    │                             UnknownParameterError  MissingFileError  MissingProgramError
    ├── RefusedError           4  EmptyCommentError  InvalidDataError  GateRefusedError  LockedError  OverlapError
    │                             RemovedConstantError  TagStateRefusedError  TagNotAcceptedError
    ├── ConflictError          5  AlreadyExistsError  NothingToChangeError  BranchMovedError  WriterBusyError
    │                             DirtyWorktreeError  NothingToCommitError  MergeConflictError
    ├── AccessError            6  NotWritableError  PushRefusedError  SigningFailedError
    ├── BrokenRepositoryError  7  NotCalibvcsError  UnsupportedFormatError  InvalidDocumentError  DamagedObjectError
    │                             DamagedRepositoryError  DamagedPackError  BrokenTagStateError
    │                             ShallowHistoryError
    ├── NetworkError           8  NotHereError, and another repository that cannot be reached
    └── StorageError           9  the disk is full or fails

A class states its text as two templates over its fields: ``says``, what was given and
what is allowed, and ``advises``, what to do next. Errors keep their fields and survive pickling.
"""

from __future__ import annotations

from calibvcs.errors.network import DamagedPackError, NetworkError, NotHereError, PushRefusedError
from calibvcs.errors.refusals import (
    AlreadyExistsError,
    BranchMovedError,
    ConflictError,
    DirtyWorktreeError,
    EmptyCommentError,
    GateRefusedError,
    InvalidDataError,
    LockedError,
    MergeConflictError,
    NothingToChangeError,
    NothingToCommitError,
    OverlapError,
    Refusal,
    RefusedError,
    RemovedConstantError,
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
    UnknownParameterError,
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
from calibvcs.errors.signing import (
    BrokenTagStateError,
    MissingProgramError,
    NoSigningKeyError,
    SigningFailedError,
    TagNotAcceptedError,
    TagStateRefusedError,
)
from calibvcs.errors.surroundings import (
    AccessError,
    BrokenRepositoryError,
    DamagedObjectError,
    DamagedRepositoryError,
    InvalidDocumentError,
    NotCalibvcsError,
    NotWritableError,
    ShallowHistoryError,
    StorageError,
    UnsupportedFormatError,
)

__all__ = [
    "AccessError",
    "AlreadyExistsError",
    "BranchMovedError",
    "BrokenRepositoryError",
    "BrokenTagStateError",
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
    "MergeConflictError",
    "MissingFileError",
    "MissingProgramError",
    "NetworkError",
    "NoIdentityError",
    "NoRepositoryError",
    "NoSigningKeyError",
    "NoValidConstantError",
    "NotCalibvcsError",
    "NotFoundError",
    "NotHereError",
    "NotWritableError",
    "NothingToChangeError",
    "NothingToCommitError",
    "OverlapError",
    "PushRefusedError",
    "Refusal",
    "RefusedError",
    "RemovedConstantError",
    "ShallowHistoryError",
    "SigningFailedError",
    "StorageError",
    "TagNotAcceptedError",
    "TagStateRefusedError",
    "UnknownConstantError",
    "UnknownDetectorError",
    "UnknownParameterError",
    "UnknownRevisionError",
    "UnknownRunError",
    "UnknownTagError",
    "UnknownVersionError",
    "UnsupportedFormatError",
    "UsageError",
    "WriterBusyError",
    "nearest",
]
