"""``export --hdf5`` and ``import hdf5``: files of the Detector Calibration Store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

import calibvcs
from calibvcs.cli import output
from calibvcs.errors import InvalidOptionError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from calibvcs.ops.dcs.export_hdf5 import Hdf5Export

_ID = 10


@dataclass(frozen=True, slots=True)
class Given:
    """Where to, of which repository, and what; as it was given."""

    repo: str | None
    target: Path
    detector: tuple[str, ...]
    ctype: tuple[str, ...]
    since: str | None
    until: str | None
    versions: str | None
    compress: str | None
    at: str | None


def export(given: Given, *, as_json_text: bool) -> None:
    """Write the files."""
    with calibvcs.open(given.repo) as repository:
        done = repository.export_hdf5(
            given.target,
            detectors=given.detector,
            ctypes=given.ctype,
            since=given.since,
            until=given.until,
            # what is not allowed is refused there
            versions=cast("Literal['default', 'all']", given.versions or "default"),
            compression=cast("Literal['none', 'gzip', 'lzf']", given.compress or "none"),
            at=given.at,
        )
    output.show(done, _exported, as_json_text=as_json_text)
    if not as_json_text:
        for what in done.left_out:
            output.note(f"left out {what}")


def refuse(option: str, value: object) -> None:
    """Refuse an option of other targets that says nothing here."""
    if value:
        advice = "--since and --until choose ranges, --at a state of the repository"
        raise InvalidOptionError(option, str(value), "it does not go with --hdf5", advice)


def _exported(done: Hdf5Export) -> Iterator[str]:
    """Show what was written."""
    for file in done.files:
        versions = "1 version" if file.versions == 1 else f"{file.versions} versions"
        yield f"wrote {file.path}: {file.ctypes} ctypes, {file.ranges} ranges, {versions} ({file.bytes} bytes)"
    files = "1 file" if len(done.files) == 1 else f"{len(done.files)} files"
    yield f"{files} (commit {done.commit[:_ID]})"
