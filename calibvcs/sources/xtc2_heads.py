"""The head of an XTC2 file: its Configure and its BeginRun.

It is read by ordinary reads and not by a map: whoever looks while the DAQ writes, moves and truncates files must
survive all of it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from calibvcs.errors import InvalidDataError, MissingFileError
from calibvcs.sources.mapping import Bytes, open_regular
from calibvcs.sources.psana_time import unix_seconds
from calibvcs.sources.runs import RunLook
from calibvcs.sources.xtc2_configuration import LARGEST_CONFIGURE, Configuration, read_configuration, values_of
from calibvcs.sources.xtc2_datagrams import HEADER_SIZE, Datagram, Service, datagram_at
from calibvcs.sources.xtc2_names import detectors_of
from calibvcs.sources.xtc2_stream import run_info

if TYPE_CHECKING:
    from pathlib import Path

# Between Configure and BeginRun there are a few slow updates at most.
_MOST_BEFORE_RUN: Final = 1000
_LARGEST_TRANSITION: Final = 8 << 20


@dataclass(frozen=True, slots=True)
class Head:
    """A look, and the Names blocks behind it, from which the detectors of several streams are made."""

    look: RunLook
    configuration: Configuration | None = None


def read_head(path: Path) -> Head:
    """Read what stands before the events of a file; never raises for a bad file."""
    try:
        descriptor = open_regular(path)
    except MissingFileError as error:
        return Head(RunLook(path, "foreign", error.reason))
    try:
        return _read_head(path, descriptor)
    except InvalidDataError as error:
        return Head(RunLook(path, "broken", error.reason))
    except OSError as error:
        return Head(RunLook(path, "foreign", (error.strerror or str(error)).lower()))
    finally:
        os.close(descriptor)


def _read_head(path: Path, descriptor: int) -> Head:
    size = os.fstat(descriptor).st_size
    if not size:
        return Head(RunLook(path, "empty", "the file is empty"))
    try:
        first = _header(path, descriptor, 0)
    except InvalidDataError:
        return Head(RunLook(path, "foreign", "it does not begin with a datagram of XTC2"))
    if first is None:
        reason = f"it has {size} bytes; the header of a datagram takes {HEADER_SIZE}"
        return Head(RunLook(path, "being written", reason))
    if first.service is not Service.Configure:
        reason = f"it begins with {first.service.name}, not with Configure; a later chunk, or not XTC2"
        return Head(RunLook(path, "foreign", reason))
    if first.size > LARGEST_CONFIGURE:
        reason = f"a Configure of {first.size} bytes; allowed are {LARGEST_CONFIGURE}"
        return Head(RunLook(path, "broken", reason))
    data = _payload(path, descriptor, first)
    if data is None:
        return Head(RunLook(path, "being written", f"it ends inside its Configure of {first.size} bytes, at {size}"))
    configuration = read_configuration(data, first._replace(offset=0))
    seen = RunLook(path, "being written", detectors=detectors_of([configuration.names.values()]))
    offset = first.end
    for _ in range(_MOST_BEFORE_RUN):
        datagram = _header(path, descriptor, offset)
        if datagram is None:
            return Head(replace(seen, reason=f"no BeginRun yet, it ends at byte {size}"))
        if datagram.service is Service.BeginRun:
            if datagram.size > _LARGEST_TRANSITION:
                reason = f"byte {offset}: a BeginRun of {datagram.size} bytes; allowed are {_LARGEST_TRANSITION}"
                return Head(replace(seen, state="broken", reason=reason))
            data = _payload(path, descriptor, datagram)
            if data is None:
                return Head(replace(seen, reason=f"it ends inside its BeginRun, at byte {size}"))
            experiment, run = run_info(values_of(data, datagram._replace(offset=0), configuration, ("runinfo",)))
            begin = unix_seconds(datagram.stamp)
            usable = replace(seen, state="usable", experiment=experiment, run=run, begin=begin, stamp=datagram.stamp)
            return Head(usable, configuration)
        offset = datagram.end
    return Head(replace(seen, state="broken", reason=f"no BeginRun among the first {_MOST_BEFORE_RUN} datagrams"))


def _header(path: Path, descriptor: int, offset: int) -> Datagram | None:
    """Return the header of a datagram, with its offset in the file; None if the file ends before."""
    if offset >= 1 << 62:
        return None
    found = datagram_at(Bytes(memoryview(os.pread(descriptor, HEADER_SIZE, offset)), str(path), offset), 0)
    return found and found._replace(offset=offset)


def _payload(path: Path, descriptor: int, datagram: Datagram) -> Bytes | None:
    """Return the bytes of a datagram, whose size was checked; None if the file ends before."""
    if os.fstat(descriptor).st_size < datagram.end:
        return None
    data = os.pread(descriptor, datagram.size, datagram.offset)
    return Bytes(memoryview(data), str(path), datagram.offset) if len(data) == datagram.size else None
