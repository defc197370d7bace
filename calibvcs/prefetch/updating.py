"""Writing the files for one run, where they are not what the repository says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from calibvcs.api.repository import Repository
    from calibvcs.prefetch.latest import LatestRun
    from calibvcs.prefetch.recipe import Recipe

EVERYTHING = "all"
"""In the place of names of detectors whose constants are not wanted, as psana has it."""


@dataclass(frozen=True, slots=True)
class Update:
    """What was done for a run.

    Attributes
    ----------
    written : bool
        Whether files were written; if not, they are what the repository says.
    commit : str
        The commit that the files were made of.
    differences : tuple of str
        Why they were written, as far as that was looked at.
    notes : tuple of str
        What was left out, and why.
    """

    schema: ClassVar[str] = "calibvcs.prefetch-update/1"

    written: bool
    commit: str
    differences: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def bring_up_to_date(repository: Repository, recipe: Recipe, run: LatestRun, *, check: bool) -> Update:
    """Write the files for a run, unless they are there and right.

    They are right if detectors, unique ids and chosen constants are the same; a new run or commit alone changes
    nothing that psana reads.

    Parameters
    ----------
    repository : Repository
        Where constants come from.
    recipe : Recipe
        Where the files are, and what is left out.
    run : LatestRun
        Whose detectors at which time.
    check : bool
        Whether to look first; otherwise everything is written.

    Returns
    -------
    Update
        Whether they were written, and why.

    Raises
    ------
    UnknownRunError
        If the begin of the run is not known.
    StorageError, NotWritableError, WriterBusyError
        If the files cannot be written; those that were there stay.
    BrokenRepositoryError, TagNotAcceptedError
        If the repository cannot be read, or is not what was demanded.
    """
    sources = tuple(one for one in run.detectors if one.normal)
    known = {one.name for one in sources}
    skip = (EVERYTHING,) if EVERYTHING in recipe.skip else tuple(sorted(known.intersection(recipe.skip)))
    caches = tuple(name for name in recipe.caches if name in known)
    missing = tuple(
        f"no cache for {name}: run {run} has no such detector" for name in recipe.caches if name not in known
    )
    begin = _begin(repository, recipe, run)
    differences: tuple[str, ...] = ()
    if check:
        checked = repository.check_shm(
            recipe.output_dir, experiment=run.experiment, run=run.run, when=begin, sources=sources, skip=skip,
            caches=caches, at=recipe.at, accept=recipe.accept,
        )  # fmt: skip
        if checked.fresh or checked.same_constants:
            return Update(False, checked.commit, checked.differences, missing)
        differences = checked.differences
    done = repository.export_shm(
        recipe.output_dir, experiment=run.experiment, run=run.run, when=begin, sources=sources, skip=skip,
        caches=caches, at=recipe.at, accept=recipe.accept, mode=recipe.mode, allow_missing=True,
    )  # fmt: skip
    return Update(True, done.commit, differences, (*missing, *done.notes))


def _begin(repository: Repository, recipe: Recipe, run: LatestRun) -> float | None:
    """Return when a run began: what its run table says counts, as for every reader, and then what the data say."""
    rows = repository.run.ls(run.experiment, at=recipe.at).runs
    return next((row.begin for row in rows if row.run == run.run and row.begin is not None), run.begin)
