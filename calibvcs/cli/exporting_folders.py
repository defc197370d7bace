"""``export --calibdir`` and ``export --npy``: folders of files that other programs read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import calibvcs
from calibvcs.cli import output
from calibvcs.errors import InvalidOptionError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from calibvcs.ops.exchange.export_calibdir import CalibdirExported
    from calibvcs.ops.exchange.export_npy import NpyExported


@dataclass(frozen=True, slots=True)
class Given:
    """Where to, of which repository, what and when; as it was given."""

    repo: str | None
    folder: Path
    detector: tuple[str, ...]
    experiment: str
    run: str | None
    time: str | None
    at: str | None


def export_calibdir(
    given: Given, *, mapping: tuple[str, ...], run_table: Path | None, decimals: int | None, as_json_text: bool
) -> None:
    """Write a calib directory."""
    for option, value in (("--run", given.run), ("--time", given.time)):
        if value:
            advice = "all ranges are written, for the runs of --experiment; --at chooses a state of the repository"
            raise InvalidOptionError(option, value, "it does not go with --calibdir", advice)
    with calibvcs.open(given.repo) as repository:
        done = repository.export_calibdir(
            given.folder,
            detectors=given.detector,
            mapping=mapping,
            experiment=given.experiment,
            run_table=run_table,
            decimals=decimals,
            at=given.at,
        )
    output.show(done, _calibdir, as_json_text=as_json_text)
    if not as_json_text:
        _notes(done.left_out, done.notes)


def export_npy(given: Given, *, ctypes: tuple[str, ...], as_json_text: bool) -> None:
    """Write plain files."""
    when = given.time
    if given.experiment or given.run:
        if when or not (given.experiment and given.run):
            allowed = "either --time T, or --experiment E and --run R, or none of them"
            raise InvalidOptionError("--experiment", given.experiment, allowed, "calibvcs export --help")
        when = given.run if ":" in given.run else f"{given.experiment}:{given.run}"
    with calibvcs.open(given.repo) as repository:
        done = repository.export_npy(given.folder, detectors=given.detector, ctypes=ctypes, when=when, at=given.at)
    output.show(done, _npy, as_json_text=as_json_text)
    if not as_json_text:
        _notes(done.left_out)


def _calibdir(result: CalibdirExported) -> Iterator[str]:
    for file in result.files:
        state = "wrote" if file.written else "as it was"
        backup = f", before it {file.backup}" if file.backup else ""
        yield f"{state} {file.path}  {file.constant}@{file.version}{backup}"
    written = sum(file.written for file in result.files)
    yield f"{result.folder}: {written} files written, {len(result.files) - written} as they were"


def _npy(result: NpyExported) -> Iterator[str]:
    yield from (f"wrote {file.path}  {file.constant}@{file.version}" for file in result.files)
    yield f"{result.folder}: {len(result.files)} constants"


def _notes(left_out: tuple[str, ...], notes: tuple[str, ...] = ()) -> None:
    for text in left_out:
        output.note(f"left out {text}")
    for text in notes:
        output.note(f"note: {text}")
