"""The functions of psana's prefetcher, under the names and with the arguments that programs call them by.

They read from and write to a repository in place of a web service. The repository is that of ``$CALIBVCS_REPO``, or of
the current folder, unless `repo` names another one.
"""

from __future__ import annotations

import mmap
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import calibvcs
from calibvcs.errors import CalibvcsError, InvalidDataError, MissingFileError
from calibvcs.prefetch.latest import LatestRun, look_for_latest
from calibvcs.prefetch.log_lines import log as own_log
from calibvcs.prefetch.recipe import SHARED_MEMORY, Recipe
from calibvcs.prefetch.updating import bring_up_to_date
from calibvcs.sources.protocol import SourceDetector
from calibvcs.sources.runs import RunFolder

if TYPE_CHECKING:
    import logging
    import os
    from collections.abc import Mapping, Sequence

Constants: TypeAlias = "dict[str, Any]"
"""For each detector ctype -> (value, document), or None where it was skipped."""

NONE = -1
"""What stands for no run, as in psana."""


def get_latest_run(
    output_dir: str | os.PathLike[str] = SHARED_MEMORY,  # noqa: ARG001 - psana's place for it
    expcode: str = "",
    log: logging.Logger | None = None,
    xtc_dir: str | Path | None = None,
) -> int | None:
    """Return the number of the latest usable run: the one that began last.

    Parameters
    ----------
    output_dir : str or path, optional
        Not looked at: a run whose files are there already is the latest one all the same.
    expcode : str, optional
        Only runs of this experiment; default is any.
    log : logging.Logger, optional
        Is told of files that are passed over; default is ``calibvcs.prefetch``.
    xtc_dir : str or path, optional
        Folder of XTC2 files.

    Returns
    -------
    int or None
        The run; None if none is usable.

    Raises
    ------
    MissingFileError
        If the folder is not there.
    """
    if xtc_dir is None:
        raise MissingFileError("", "no XTC directory is given")
    found = look_for_latest(RunFolder(xtc_dir, expcode or None))
    for one in found.passed_over:
        (log or own_log).info("passed over %s: %s: %s", one.path, one.state, one.reason)
    return None if found.run is None else found.run.run


def load_existing_run(output_dir: str | os.PathLike[str], expcode: str) -> int:
    """Return the highest run for which there is a file ``calibconst_{expcode}_r{run:04d}.pkl``.

    Parameters
    ----------
    output_dir : str or path
        Where the files are.
    expcode : str
        Experiment.

    Returns
    -------
    int
        The run; -1 if there is none.
    """
    name = re.compile(rf"calibconst_{re.escape(expcode)}_r([0-9]{{1,9}})\.pkl")
    try:
        files = [path.name for path in Path(output_dir).iterdir()]
    except OSError:
        return NONE
    return max((int(match[1]) for file in files if (match := name.fullmatch(file))), default=NONE)


def needs_update(latest_info: Mapping[str, str], existing_info: Mapping[str, str] | None) -> bool:
    """Tell whether files lack a detector of a run, or have it with another unique id.

    Parameters
    ----------
    latest_info, existing_info : mapping of str to str
        Unique ids of the detectors of the run, and of the files; None is nothing.

    Returns
    -------
    bool
        False where the files serve the run; detectors that it does not have do no harm.
    """
    existing = existing_info or {}
    return any(existing.get(name) != unique_id for name, unique_id in latest_info.items())


def update_calib(
    expcode: str,
    latest_run: int | None = None,
    latest_info: Mapping[str, str] | None = None,
    output_dir: str | os.PathLike[str] = SHARED_MEMORY,
    log: logging.Logger | None = None,
    xtc_dir: str | Path | None = None,
    skip_calib_load: Sequence[str] = (),
    *,
    repo: str | os.PathLike[str] | None = None,
) -> None:
    """Write the files for a run, where detectors or constants are not those of the repository.

    Parameters
    ----------
    expcode : str
        Experiment.
    latest_run : int, optional
        The run; default is the latest one in `xtc_dir`.
    latest_info : mapping of str to str, optional
        Unique ids of its detectors; default is what `xtc_dir` says.
    output_dir : str or path, optional
        Where the files are written.
    log : logging.Logger, optional
        Is told what was done; default is ``calibvcs.prefetch``.
    xtc_dir : str or path, optional
        Folder of XTC2 files. If the run is not there, its begin is taken from the run table.
    skip_calib_load : sequence of str, optional
        Detectors without constants; ``"all"`` is all of them.
    repo : str or path, optional
        The repository.

    Raises
    ------
    MissingFileError
        If a run or its detectors are to be found, and no folder or no usable run is there.
    UnknownRunError
        If nothing tells when the run began.
    StorageError, NotWritableError, WriterBusyError
        If the files cannot be written; those that were there stay.
    NotFoundError, BrokenRepositoryError
        If the repository is not there, or cannot be read.
    """
    run = _run(expcode, latest_run, latest_info, xtc_dir)
    skip = (skip_calib_load,) if isinstance(skip_calib_load, str) else tuple(skip_calib_load or ())
    folder = Path(output_dir)
    recipe = Recipe(
        experiment=expcode, xtc_dir=folder if xtc_dir is None else Path(xtc_dir), output_dir=folder, skip=skip
    )
    with calibvcs.open(repo) as repository:
        done = bring_up_to_date(repository, recipe, run, check=load_existing_run(output_dir, expcode) != NONE)
    for note in done.notes:
        (log or own_log).warning("%s", note)
    what = "wrote files for" if done.written else "the files are right for"
    (log or own_log).info("%s run %s, commit %s", what, run, done.commit[:12])


def ensure_valid_calibconst(
    expcode: str,
    latest_run: int,
    latest_info: Mapping[str, str],
    xtc_dir: str | Path | None,
    skip_calib_load: Sequence[str] = (),
    output_dir: str | os.PathLike[str] = SHARED_MEMORY,
    log: logging.Logger | None = None,
    *,
    repo: str | os.PathLike[str] | None = None,
) -> tuple[Constants, int]:
    """Bring the files up to date for a run, and return what is in them.

    Parameters
    ----------
    expcode, latest_run, latest_info, xtc_dir, skip_calib_load, output_dir, log, repo
        As for `update_calib`.

    Returns
    -------
    calib_const : dict
        For each detector ctype -> (value, document), None for one that was skipped. Arrays are read-only views of the
        file, which is mapped, not copied.
    runnum : int
        The run for which the files were written: an earlier one, where nothing has changed since.

    Raises
    ------
    CalibvcsError
        As for `update_calib`, if the files that are there do not serve these detectors. If they do, the error is
        logged, and they are returned.
    """
    try:
        update_calib(expcode, latest_run, latest_info, output_dir, log, xtc_dir, skip_calib_load, repo=repo)
    except CalibvcsError as error:
        info, constants, run = _what_is_there(output_dir, expcode)
        if needs_update(latest_info, info):
            raise
        (log or own_log).error("%s; the files for run %d go on being used", error.problem, run)
        return constants, run
    _, constants, run = _what_is_there(output_dir, expcode)
    return constants, run


def _run(experiment: str, number: int | None, info: Mapping[str, str] | None, xtc_dir: str | Path | None) -> LatestRun:
    """Return the run that is asked for; what is not given is read from the files."""
    found = None if xtc_dir is None else look_for_latest(RunFolder(xtc_dir, experiment or None), number).run
    if number is None or info is None:
        if found is None:
            which = f"{experiment}:{number}" if number is not None else experiment
            raise MissingFileError(str(xtc_dir or ""), f"no usable run {which} is there")
        return found
    detectors = tuple(SourceDetector(name, one.partition("_")[0], one, ()) for name, one in info.items())
    return LatestRun(experiment, number, None if found is None else found.begin, detectors)


def _what_is_there(output_dir: str | os.PathLike[str], experiment: str) -> tuple[dict[str, str], Constants, int]:
    """Return unique ids, constants and run of the newest file of an experiment; nothing and -1 where there is none."""
    from calibvcs.formats.psana.psana_pickle import run_file
    from calibvcs.formats.psana.psana_unpickle import decode_constants

    run = load_existing_run(output_dir, experiment)
    path = Path(output_dir) / run_file(experiment, run)
    try:
        with path.open("rb") as file:
            data = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        return *decode_constants(data, str(path)), run
    except (OSError, ValueError, InvalidDataError) as error:
        own_log.debug("nothing is read from %s: %s", path, error)
        return {}, {}, NONE
