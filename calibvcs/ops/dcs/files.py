"""A file of the Detector Calibration Store that was changed by the DCS interface, without a repository."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from calibvcs.formats.dcs.dcs_hdf5 import DcsFile, Notes
from calibvcs.model.commits import clean_comment
from calibvcs.ops.dcs.content import FORMAT
from calibvcs.ops.dcs.export_hdf5 import write_whole

if TYPE_CHECKING:
    from pathlib import Path

    from calibvcs.formats.dcs.dcs_writing import Load


def replace_file(path: Path, file: DcsFile, load: Load, message: str, now: float) -> None:
    """Write a file anew; it appears whole or not at all.

    Parameters
    ----------
    path : Path
        The file.
    file : DcsFile
        What it is to say.
    load : callable
        Returns the data of a version, by ctype, range and number.
    message : str
        Why; it becomes a record in the history of the file.
    now : float
        Its time, UNIX seconds.

    Raises
    ------
    EmptyCommentError
        If the message is empty.
    NotWritableError, StorageError
        If the disk is full, fails or is read-only.
    """
    comment = clean_comment(message)
    while f"{now:.6f}" in file.notes.history:
        now += 1e-6
    # What an export wrote may be replaced by the next one; what somebody changed since may not.
    parameters = {key: value for key, value in file.notes.parameters.items() if key != FORMAT}
    notes = Notes(parameters, {**file.notes.history, f"{now:.6f}": comment})
    write_whole(path, file.detname, replace(file, notes=notes), load, "none")
