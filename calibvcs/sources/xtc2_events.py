"""One event of XTC2: the datagrams of all streams with the same time, decoded when they are looked at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from calibvcs.sources.psana_time import unix_seconds
from calibvcs.sources.xtc2_configuration import contents, store, value_by_field, values_of
from calibvcs.sources.xtc2_names import CHARSTR, CONFIG
from calibvcs.sources.xtc2_values import TYPES_OF_ARRAYS, Place, places

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from calibvcs.sources.mapping import Bytes
    from calibvcs.sources.protocol import SourceRun
    from calibvcs.sources.xtc2_configuration import Configuration, Values
    from calibvcs.sources.xtc2_datagrams import Datagram, Service, Xtc
    from calibvcs.sources.xtc2_names import Names

# What the frames of area detectors are called, most likely first.
_FRAMES: Final = ("raw", "image", "array", "arrayRaw")


class FrameField(NamedTuple):
    """Which field of a Names block is the frame of a segment."""

    detector: str
    segment: int
    field: str


class Part(NamedTuple):
    """One datagram of an event, and what is needed to decode it."""

    data: Bytes
    datagram: Datagram
    configuration: Configuration
    frames: Mapping[int, FrameField]


def frame_fields(configuration: Configuration, chosen: Mapping[str, str]) -> dict[int, FrameField]:
    """Tell which field of which Names block is the raw frame of its detector.

    Parameters
    ----------
    configuration : Configuration
        What detectors and fields there are.
    chosen : mapping of str to str
        Field (``algorithm.field``) by detector, where the rule is not to be followed: of the algorithm ``raw``, or of
        another one but ``config``, the field ``raw``, ``image``, ``array`` or ``arrayRaw``, or else the first one with
        two or three axes.

    Returns
    -------
    dict of int to FrameField
        By key of the Names block; one algorithm for each detector.
    """
    best: dict[str, tuple[int, str, str]] = {}
    for block in configuration.names.values():
        for rank, name in _candidates(block, chosen.get(block.detector)):
            best[block.detector] = min((rank, block.algorithm, name), best.get(block.detector, (rank + 1, "", "")))
    return {
        key: FrameField(block.detector, block.segment, best[block.detector][2])
        for key, block in configuration.names.items()
        if block.detector in best and best[block.detector][1] == block.algorithm
    }


def _candidates(block: Names, chosen: str | None) -> Iterator[tuple[int, str]]:
    """Yield the fields of a block that may be frames, with a number that is the smaller the likelier it is."""
    for position, field in enumerate(block.fields):
        if chosen is not None:
            if f"{block.algorithm}.{field.name}" == chosen and field.rank and field.kind != CHARSTR:
                yield 0, field.name
        elif field.rank in {2, 3} and field.kind < CHARSTR and block.algorithm != CONFIG:
            likely = _FRAMES.index(field.name) if field.name in _FRAMES else len(_FRAMES) + position
            yield likely + (0 if block.algorithm == "raw" else 1 << 32), field.name


class Xtc2Event:
    """An event (or a transition) of one or several streams.

    Parameters
    ----------
    parts : tuple of Part
        One for each stream that took part; all have the same stamp.
    run : SourceRun or None
        The run that it belongs to.
    """

    def __init__(self, parts: tuple[Part, ...], run: SourceRun | None) -> None:
        self._parts = parts
        self.run = run
        self.stamp = parts[0].datagram.stamp

    @property
    def time(self) -> float:
        """Time in UNIX seconds."""
        return unix_seconds(self.stamp)

    @property
    def service(self) -> Service:
        """What it is: L1Accept for events, or the transition."""
        return self._parts[0].datagram.service

    @property
    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """Raw frame by detector, shape (segments, rows, columns), read-only: views of the file wherever possible."""
        return _Arrays(self._frames)

    @cached_property
    def segments(self) -> Mapping[str, tuple[int, ...]]:
        """Numbers of the segments in each array, by detector."""
        return {name: tuple(sorted(found)) for name, found in self._frames.items()}

    @cached_property
    def damage(self) -> Mapping[str, int]:
        """Damage words by detector, only where there is damage; of whole datagrams by an empty name."""
        found: dict[str, int] = {}
        for part, filled in zip(self._parts, self._contents, strict=True):
            words = [("", part.datagram.damage)]
            words += [(part.configuration.names[key].detector, xtc.damage) for key, xtc in filled.items()]
            for name, damage in words:
                if damage:
                    found[name] = found.get(name, 0) | damage
        return found

    def values(self, detector: str) -> Mapping[int, Mapping[str, Any]]:
        """Return everything that a detector wrote: value by field (``raw.frame_cnt``) by segment.

        Parameters
        ----------
        detector : str
            Its name in the experiment.

        Returns
        -------
        mapping
            Empty if it did not take part.

        Raises
        ------
        InvalidDataError
            If the file is damaged here.
        """
        found: Values = {}
        for part, filled in zip(self._parts, self._contents, strict=True):
            for key, xtc in filled.items():
                block = part.configuration.names[key]
                if block.detector == detector:
                    store(found, block, value_by_field(part.data, xtc, block, part.configuration))
        return found.get(detector, {})

    def all_values(self) -> Values:
        """Return everything that was written: value by field, by segment, by detector.

        Raises
        ------
        InvalidDataError
            If the file is damaged here.
        """
        found: Values = {}
        for part in self._parts:
            for name, segments in values_of(part.data, part.datagram, part.configuration).items():
                for segment, fields in segments.items():
                    found.setdefault(name, {}).setdefault(segment, {}).update(fields)
        return found

    @cached_property
    def _contents(self) -> list[dict[int, Xtc]]:
        return [contents(part.data, part.datagram, part.configuration) for part in self._parts]

    @cached_property
    def _frames(self) -> dict[str, dict[int, tuple[Bytes, Place]]]:
        """Return where the frames of segments stand, by segment, by detector."""
        found: dict[str, dict[int, tuple[Bytes, Place]]] = {}
        for part, filled in zip(self._parts, self._contents, strict=True):
            for key, xtc in filled.items():
                if (frame := part.frames.get(key)) is None:
                    continue
                for place in places(part.data, xtc, part.configuration.names[key]):
                    if place.field.name == frame.field:
                        found.setdefault(frame.detector, {}).setdefault(frame.segment, (part.data, place))
                        break
        return found


class _Arrays(Mapping[str, "NDArray[Any]"]):
    """Arrays by detector, made when they are looked up."""

    def __init__(self, frames: Mapping[str, Mapping[int, tuple[Bytes, Place]]]) -> None:
        self._frames = frames

    def __getitem__(self, name: str) -> NDArray[Any]:
        return _joined([place for _, place in sorted(self._frames[name].items())], name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._frames)

    def __len__(self) -> int:
        return len(self._frames)


def _joined(found: list[tuple[Bytes, Place]], name: str) -> NDArray[Any]:
    """Return the frames of segments as one array; a view of the file where they stand in it at equal distances."""
    data, first = found[0]
    dtype = TYPES_OF_ARRAYS[first.field.kind]
    for _, place in found[1:]:
        if place.shape != first.shape or TYPES_OF_ARRAYS[place.field.kind] != dtype:
            raise data.broken(place.offset, f"{name}: frames of segments of shapes {first.shape} and {place.shape}")
    # Some detectors write the frame of a segment as (1, rows, columns).
    inner = first.shape[1:] if len(first.shape) == 3 and first.shape[0] == 1 else first.shape
    alone = len(inner) < 3
    frame: NDArray[Any] = np.ndarray((1, *inner) if alone else inner, dtype, data.view, first.offset)
    if len(found) == 1:
        return frame
    step = found[1][1].offset - first.offset
    even = all(other is data and place.offset == first.offset + i * step for i, (other, place) in enumerate(found))
    if alone and even:  # the first segment may stand behind the others
        shape, strides = (len(found), *inner), (step, *frame.strides[1:])
        return np.ndarray(shape, dtype, data.view, first.offset, strides)
    array = np.concatenate([np.ndarray(frame.shape, dtype, part.view, place.offset) for part, place in found])
    array.flags.writeable = False
    return array
