"""``export --shm``: constants for psana and the DAQ, in shared memory."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import calibvcs
from calibvcs.cli import options, output
from calibvcs.errors import InvalidOptionError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from calibvcs.ops.daq.check_shm import ShmCheck
    from calibvcs.ops.daq.export_shm import ShmExport

_ID = 10


@dataclass(frozen=True, slots=True)
class Given:
    """Where to, of which repository, and for which detectors and time; as it was given."""

    repo: str | None
    output_dir: Path
    experiment: str
    run: str | None
    time: str | None
    at: str | None
    xtc_dir: Path | None
    detector: tuple[str, ...]
    caches: tuple[str, ...]
    skip: tuple[str, ...]
    accept: tuple[str, ...]


def export(given: Given, *, mode: str, allow_missing: bool, check: bool, as_json_text: bool) -> bool:
    """Write the files, or check them; tell whether what is there is what the repository says."""
    experiment, run = _run(given.experiment, given.run)
    permissions = options.file_mode(mode)
    with calibvcs.open(given.repo) as repository:
        if check:
            checked = repository.check_shm(
                given.output_dir,
                experiment=experiment,
                run=run,
                when=given.time,
                xtc_dir=given.xtc_dir,
                detectors=given.detector,
                skip=given.skip,
                caches=given.caches,
                at=given.at,
                accept=given.accept,
            )
            output.show(checked, _checked, as_json_text=as_json_text)
            return checked.fresh
        done = repository.export_shm(
            given.output_dir,
            experiment=experiment,
            run=run,
            when=given.time,
            xtc_dir=given.xtc_dir,
            detectors=given.detector,
            skip=given.skip,
            caches=given.caches,
            at=given.at,
            accept=given.accept,
            mode=permissions,
            allow_missing=allow_missing,
        )
    output.show(done, _exported, as_json_text=as_json_text)
    for notice in done.notes:
        output.note(f"note: {notice}")
    return True


def _run(experiment: str, run: str | None) -> tuple[str, int | None]:
    """Return experiment and run; a run may bring its experiment along, as ``E:R``."""
    if run is None:
        return experiment, None
    named, _, number = run.rpartition(":")
    if not re.fullmatch(r"[0-9]{1,9}", number) or (named and experiment and named != experiment):
        allowed = "a run number of the experiment, or EXPERIMENT:RUN"
        raise InvalidOptionError("--run", run, allowed, "calibvcs export --shm --experiment mfx101332224 --run 7")
    return named or experiment, int(number)


def _exported(done: ShmExport) -> Iterator[str]:
    """Show what was written."""
    for one in done.detectors:
        yield f"{one.name} is {one.detector}" if one.detector else f"{one.name} has no constants"
        for chosen in one.constants:
            yield f"  {chosen.ctype} {chosen.validity} {chosen.version} (blob {chosen.blob[:_ID]})"
    for file in done.files:
        yield f"wrote {file.path} ({file.size} bytes)"
    written = "1 array" if done.written == 1 else f"{done.written} arrays"
    yield f"{written} written, {done.kept} kept, in {done.folder} (commit {done.commit[:_ID]})"


def _checked(checked: ShmCheck) -> Iterator[str]:
    """Show whether what is there is stale, and why."""
    yield from checked.differences
    state = "fresh" if checked.fresh else "stale"
    of = f" (commit {checked.commit[:_ID]})" if checked.commit else ""
    yield f"{checked.folder} is {state}{of}"
