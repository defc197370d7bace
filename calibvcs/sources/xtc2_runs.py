"""The runs in several streams of XTC2, joined: the DAQ gives a transition one stamp in every stream."""

from __future__ import annotations

from typing import TYPE_CHECKING

from calibvcs.sources.protocol import SourceRun
from calibvcs.sources.psana_time import unix_seconds
from calibvcs.sources.xtc2_names import detectors_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from calibvcs.sources.protocol import SourceDetector
    from calibvcs.sources.xtc2_configuration import Configuration
    from calibvcs.sources.xtc2_stream import Stream, StreamRun


def joined_runs(streams: Sequence[Stream], known: tuple[SourceRun, ...] = ()) -> tuple[SourceRun, ...]:
    """Return the runs of all streams, by their begin.

    Parameters
    ----------
    streams : sequence of Stream
        As far as they were read.
    known : tuple of SourceRun
        What was returned before; it is returned again if nothing has come since.

    Returns
    -------
    tuple of SourceRun
        Experiment and number are those of the first stream that tells them.
    """
    found: dict[int, list[StreamRun]] = {}
    for stream in streams:
        for run in stream.runs:
            found.setdefault(run.stamp, []).append(run)
    if len(found) == len(known) and all(run.end is not None for run in known):
        return known
    runs = []
    for stamp, same in sorted(found.items()):
        told = next((run for run in same if run.experiment is not None), same[0])
        ends = [run.end_stamp for run in same if run.end_stamp is not None]
        end = unix_seconds(max(ends)) if ends else None
        runs.append(SourceRun(told.experiment, told.run, unix_seconds(stamp), end, stamp, detectors_at(streams, stamp)))
    return tuple(runs)


def detectors_at(streams: Sequence[Stream], stamp: int) -> tuple[SourceDetector, ...]:
    """Return the detectors that the streams have together when a run begins."""
    return detectors_of(configuration.names.values() for configuration in configurations_at(streams, stamp))


def configurations_at(streams: Sequence[Stream], stamp: int) -> list[Configuration]:
    """Return what each stream is configured to when a run begins; the first Configure, if it has no such run."""
    return [stream.configuration_at(stream.begins.get(stamp, 0)) for stream in streams]
