"""What one Configure of XTC2 says: detectors, the fields of their data, labels, and how they were configured."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from calibvcs.sources.xtc2_datagrams import CORRUPTED, NAMES, SHAPES_DATA, Service, walk
from calibvcs.sources.xtc2_names import ENUMDICT, ENUMVAL, Names, parse_names
from calibvcs.sources.xtc2_values import places, value_at

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from calibvcs.sources.mapping import Bytes
    from calibvcs.sources.xtc2_datagrams import Datagram, Xtc
    from calibvcs.sources.xtc2_values import Value

LARGEST_CONFIGURE: Final = 64 << 20
"""Bytes of a Configure; those of the largest detectors have less than a million."""

_MOST_BLOCKS: Final = 4096

Values = dict[str, dict[int, dict[str, "Value"]]]
"""Value by field (``algorithm.field``), by segment, by detector."""


@dataclass(frozen=True)
class Configuration:
    """One Configure; what it says of the values of fields is read when it is needed.

    Attributes
    ----------
    names : dict
        Names blocks by key.
    data : Bytes
        What it stands in.
    filled : dict
        The data that it holds itself, by key.
    """

    names: dict[int, Names]
    data: Bytes
    filled: dict[int, Xtc]

    @cached_property
    def labels(self) -> dict[str, dict[str, dict[int, str]]]:
        """Labels by value, by enumeration, by detector.

        Raises
        ------
        InvalidDataError
            If the Configure contradicts itself.
        """
        found: dict[str, dict[str, dict[int, str]]] = {}
        for key, xtc in self.filled.items():
            block = self.names[key]
            if not any(entry.kind == ENUMDICT for entry in block.fields):
                continue
            values = value_by_field(self.data, xtc, block)
            for entry in block.fields:
                if entry.kind == ENUMDICT and isinstance(value := values.get(entry.name), int):
                    labels = found.setdefault(block.detector, {}).setdefault(entry.enum, {})
                    labels.setdefault(value, entry.name)
        return found

    @cached_property
    def values(self) -> Values:
        """What the Configure itself holds: value by field, by segment, by detector.

        Raises
        ------
        InvalidDataError
            If the Configure contradicts itself.
        """
        found: Values = {}
        for key, xtc in self.filled.items():
            block = self.names[key]
            store(found, block, value_by_field(self.data, xtc, block, self))
        return found


def read_configuration(data: Bytes, datagram: Datagram) -> Configuration:
    """Read a Configure.

    Parameters
    ----------
    data : Bytes
        Holds the whole datagram.
    datagram : Datagram
        Its header.

    Returns
    -------
    Configuration
        It refers to `data`.

    Raises
    ------
    InvalidDataError
        If it is larger than `LARGEST_CONFIGURE`, or its tree is broken.
    """
    if datagram.size > LARGEST_CONFIGURE:
        reason = f"a Configure of {datagram.size} bytes; allowed are {LARGEST_CONFIGURE}"
        raise data.broken(datagram.offset, reason)
    names: dict[int, Names] = {}
    filled: dict[int, Xtc] = {}
    for xtc in walk(data, datagram):
        if xtc.kind == NAMES and xtc.begin != xtc.end:
            names.setdefault(xtc.key, parse_names(data, xtc))
        elif xtc.kind == SHAPES_DATA:
            filled.setdefault(xtc.key, xtc)
            if len(filled) > _MOST_BLOCKS:
                raise data.broken(xtc.begin, f"a Configure with data of more than {_MOST_BLOCKS} Names blocks")
    return Configuration(names, data, {key: xtc for key, xtc in filled.items() if key in names})


def value_by_field(data: Bytes, xtc: Xtc, block: Names, configuration: Configuration | None = None) -> dict[str, Value]:
    """Return the values of one ShapesData by the names of its fields; of two of the same name the first counts.

    Parameters
    ----------
    data : Bytes
        Holds it.
    xtc : Xtc
        The ShapesData.
    block : Names
        What fields it has.
    configuration : Configuration or None
        Has the labels of enumerations.

    Raises
    ------
    InvalidDataError
        As `places`.
    """
    labels: Mapping[str, Mapping[int, str]] = {}
    if configuration is not None and any(entry.kind == ENUMVAL for entry in block.fields):
        labels = configuration.labels.get(block.detector, {})
    found: dict[str, Value] = {}
    for place in places(data, xtc, block):
        if place.field.name not in found:
            found[place.field.name] = value_at(data, place, labels)
    return found


def store(into: Values, block: Names, values: Mapping[str, Value]) -> None:
    """Put the values of one Names block where they belong; labels of enumerations are left out."""
    segment = into.setdefault(block.detector, {}).setdefault(block.segment, {})
    hidden = {entry.name for entry in block.fields if entry.kind == ENUMDICT}
    for name, value in values.items():
        if name not in hidden:
            segment.setdefault(f"{block.algorithm}.{name}", value)


def values_of(
    data: Bytes, datagram: Datagram, configuration: Configuration, only: Collection[str] | None = None
) -> Values:
    """Return everything that a datagram holds.

    Parameters
    ----------
    data : Bytes
        Holds the whole datagram.
    datagram : Datagram
        Its header.
    configuration : Configuration
        The one in force.
    only : collection of str, optional
        The detectors that are asked for.

    Returns
    -------
    dict
        Value by field (``algorithm.field``), by segment, by detector.

    Raises
    ------
    InvalidDataError
        If it contradicts itself, or has data that the Configure does not name.
    """
    if datagram.service is Service.Configure:
        return configuration.values
    found: Values = {}
    for key, xtc in contents(data, datagram, configuration).items():
        block = configuration.names[key]
        if only is None or block.detector in only:
            store(found, block, value_by_field(data, xtc, block, configuration))
    return found


def contents(data: Bytes, datagram: Datagram, configuration: Configuration) -> dict[int, Xtc]:
    """Return the ShapesData of a datagram by key; of two with one key the first counts.

    Raises
    ------
    InvalidDataError
        If it contradicts itself, or has data that the Configure does not name.
    """
    found: dict[int, Xtc] = {}
    for xtc in walk(data, datagram):
        if xtc.kind != SHAPES_DATA or xtc.key in found:
            continue
        if xtc.key not in configuration.names:
            if xtc.damage & CORRUPTED:
                continue
            raise data.broken(xtc.begin, f"data of names id {xtc.key:#x}, which no Configure names")
        found[xtc.key] = xtc
    return found
