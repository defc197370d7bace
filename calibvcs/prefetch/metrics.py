"""What the prefetcher did, as a file for the textfile collector of Prometheus' node exporter."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from calibvcs.store.durable import disk_errors
from calibvcs.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

_PREFIX: Final = "calibvcs_prefetch_"


@dataclass(slots=True)
class Metrics:
    """Counters since the start of the program, and how things stand.

    Attributes
    ----------
    rounds, updates, errors : int
        Rounds that were made, those that wrote files, those that failed.
    last_round, last_success, last_update : float
        When a round ended, when files were known to be current, when files were written, UNIX seconds; 0 is never.
    duration : float
        How long the last round took, seconds.
    stale : bool
        Whether the files are older than what the repository says, or nobody knows.
    experiment, commit, repository : str
        What the files were made for and of; empty where none were seen.
    run : int or None
        The run they were made for.
    begin : float or None
        Its begin, UNIX seconds.
    detectors : mapping of str to str
        Detectors of that run and their unique ids.
    passed_over : mapping of str to int
        How many files of the folder cannot be used, by their state.
    """

    rounds: int = 0
    updates: int = 0
    errors: int = 0
    last_round: float = 0
    last_success: float = 0
    last_update: float = 0
    duration: float = 0
    stale: bool = True
    experiment: str = ""
    commit: str = ""
    repository: str = ""
    run: int | None = None
    begin: float | None = None
    detectors: Mapping[str, str] = field(default_factory=dict)
    passed_over: Mapping[str, int] = field(default_factory=dict)


def as_text(metrics: Metrics) -> str:
    """Return metrics in the text format of Prometheus.

    Parameters
    ----------
    metrics : Metrics
        What is told.

    Returns
    -------
    str
        Lines, with help and type before each name.
    """
    return "".join(_lines(metrics))


def write_metrics(path: Path, metrics: Metrics) -> None:
    """Write metrics to a file, so that its reader finds all of them, the old or the new.

    Parameters
    ----------
    path : Path
        The file; the collector looks at names that end in ``.prom``.
    metrics : Metrics
        What is told.

    Raises
    ------
    StorageError, NotWritableError
        If the disk refuses.
    """
    beside = path.with_name(f".{path.name}.inprogress")  # always the same name: whoever is killed leaves one at most
    text = as_text(metrics)
    with disk_errors(path, len(text)):
        beside.write_text(text, encoding="utf-8")
        beside.replace(path)


def _lines(now: Metrics) -> Iterator[str]:
    yield from _one("rounds_total", "counter", "Rounds that were made.", now.rounds)
    yield from _one("updates_total", "counter", "Rounds that wrote files.", now.updates)
    yield from _one("errors_total", "counter", "Rounds that failed.", now.errors)
    yield from _one("last_round_timestamp_seconds", "gauge", "When the last round ended.", now.last_round)
    known = "When the files were last known to be what the repository says."
    yield from _one("last_success_timestamp_seconds", "gauge", known, now.last_success)
    yield from _one("last_update_timestamp_seconds", "gauge", "When files were last written.", now.last_update)
    yield from _one("round_duration_seconds", "gauge", "How long the last round took.", now.duration)
    stale = "1 if the files are not what the repository says, or nobody knows."
    yield from _one("stale", "gauge", stale, int(now.stale))
    if now.run is not None:
        yield from _one("run", "gauge", "Run whose detectors the files are for.", now.run)
    if now.begin is not None:
        yield from _one("run_begin_timestamp_seconds", "gauge", "Begin of that run.", now.begin)
    labels = {"experiment": now.experiment, "commit": now.commit, "repository": now.repository, "version": __version__}
    yield from _many("info", "gauge", "What the files were made of.", [(labels, 1)])
    detectors = [({"detector": name, "longname": longname}, 1) for name, longname in sorted(now.detectors.items())]
    yield from _many("detector_info", "gauge", "Detectors of the run and their unique ids.", detectors)
    states = [({"state": state}, count) for state, count in sorted(now.passed_over.items())]
    yield from _many("passed_over_files", "gauge", "Files of the XTC directory that cannot be used.", states)


def _one(name: str, kind: str, told: str, value: float) -> Iterator[str]:
    yield from _many(name, kind, told, [({}, value)])


def _many(name: str, kind: str, told: str, samples: Sequence[tuple[Mapping[str, str], float]]) -> Iterator[str]:
    if not samples:
        return
    yield f"# HELP {_PREFIX}{name} {told}\n# TYPE {_PREFIX}{name} {kind}\n"
    for labels, value in samples:
        inside = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
        yield f"{_PREFIX}{name}{f'{{{inside}}}' if inside else ''} {value:.16g}\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
