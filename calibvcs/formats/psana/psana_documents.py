"""The documents that psana keeps beside constants, and the form that it wants values in. Pure: nothing is read here.

Field types follow what psana 4 does with them: `run` is an int, `run_end` a number or ``end``, a shape is text.
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, TypeAlias

from calibvcs.errors import InvalidDataError
from calibvcs.model.names import DetectorName

if TYPE_CHECKING:
    from collections.abc import Iterable

    from calibvcs.model.commits import Commit
    from calibvcs.model.metadata import Metadata
    from calibvcs.model.names import ConstantName

Document: TypeAlias = "dict[str, str | int]"

LAST_RUN: Final = 9999
"""psana knows no larger run number."""

_FLOAT, _WORDS, _BYTES = "float32", "uint64", "uint8"
PSANA_DTYPES: Final = {
    **dict.fromkeys(("pedestals", "pixel_rms", "pixel_gain", "pixel_offset", "pixel_bkgd"), _FLOAT),
    **dict.fromkeys(("pixel_status", "status_extra", "pixel_max", "pixel_min"), _WORDS),
    **dict.fromkeys(("pixel_mask", "users_mask"), _BYTES),
    "pixel_datast": "uint16",
    "status_data": "uint16",
    "common_mode": "float64",
}
"""The dtype that psana wants for a ctype; others stay as they are stored."""

AS_DICTIONARIES: Final = frozenset({"xtcav_lasingoff", "xtcav_pedestals", "lasingoffreference"})
"""ctypes whose text psana turns into a Python dictionary when it reads them from the web service."""

_GEOMETRY_FIELDS: Final = 13
_MOST_EXTRA: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Described:
    """What a document tells of a constant.

    Attributes
    ----------
    name : ConstantName
        Detector, ctype and range.
    metadata : Metadata
        What stands beside the data.
    version : str
        Its version among those of its range, for example ``v2``.
    commit : Commit
        The commit that added the data.
    at : str
        Id of the commit that was read.
    blob : str
        Id of the data.
    repository : str
        Where it is kept.
    longname : str
        Unique id of the detector in the DAQ.
    detname : str
        Name of the detector in the experiment.
    """

    name: ConstantName
    metadata: Metadata
    version: str
    commit: Commit
    at: str
    blob: str
    repository: str
    longname: str = ""
    detname: str = ""


def short_name(detector: DetectorName) -> str:
    """Return psana's short name of a detector, ``jungfrau_000003``."""
    return f"{detector.dettype}_{detector.detid}"


def detector_of(short: str) -> DetectorName:
    """Return the detector of a short name of psana: the first ``_`` stands for the ``-``.

    Raises
    ------
    InvalidNameError
        If it cannot be the name of a detector.
    """
    dettype, _, detid = short.partition("_")
    return DetectorName.parse(f"{dettype}-{detid}")


def object_id(second: int, seed: str) -> str:
    """Return an id as psana reads it: 8 hex digits of UNIX seconds, then 16 that follow from `seed` alone."""
    rest = hashlib.sha1(seed.encode(), usedforsecurity=False).hexdigest()[:16]
    return f"{second & 0xFFFFFFFF:08x}{rest}"


def distinct_seconds(seconds: Iterable[int]) -> list[int]:
    """Return ascending seconds of which no two are the same, each as near as can be to the one that was given.

    psana sees only the seconds of an id: where two documents of a detector and ctype share one, the server's order
    would decide.
    """
    found: list[int] = []
    for second in seconds:
        found.append(max(second, found[-1] + 1) if found else second)
    return found


def document(described: Described, *, second: int | None = None) -> Document:
    """Return psana's document of a constant.

    Parameters
    ----------
    described : Described
        The constant.
    second : int, optional
        UNIX second of its id; default is that of the commit that added the data.

    Returns
    -------
    dict
        Text and whole numbers, as psana writes them, and our own fields, which begin with ``calibvcs_``.
    """
    name, metadata, commit = described.name, described.metadata, described.commit
    origin, made = metadata.origin, metadata.provenance
    short, time = short_name(name.detector), commit.committer.time
    run = _run(origin.run, 0)
    return {
        "_id": object_id(time if second is None else second, f"{name}\n{commit.id}"),
        "calibvcs_at": described.at,
        "calibvcs_commit": commit.id,
        "calibvcs_constant": str(name),
        "calibvcs_repository": described.repository,
        "calibvcs_validity": str(name.validity),
        "calibvcs_version": described.version,
        "comment": commit.message.comment,
        "ctype": name.ctype,
        "cwd": "",
        **_data(metadata, name.ctype),
        "detector": short,
        "detname": described.detname or short,
        "dettype": name.detector.dettype,
        "dtype": "str" if metadata.is_text else "ndarray",
        "experiment": origin.experiment,
        "extpars": _extra(metadata),
        "host": made.host,
        "id_data": described.blob[:24],
        "id_data_exp": 0,
        "id_doc_exp": 0,
        "iofname": made.inputs[0].path if made.inputs else "",
        "longname": described.longname or short,
        "run": run,
        "run_end": _run_end(origin.run_end, run),
        "run_orig": run if origin.run is None else origin.run,
        "shortname": short,
        "time_sec": time,
        "time_stamp": _stamp(time),
        "tstamp_orig": _stamp(commit.author.time),
        "uid": made.user or commit.author.name,
        "version": described.version,
    }


def _data(metadata: Metadata, ctype: str) -> Document:
    if metadata.is_text:
        return {"data_type": "str"}
    return {
        "data_type": "ndarray",
        "data_dtype": PSANA_DTYPES.get(ctype, metadata.dtype),
        "data_shape": str(tuple(metadata.shape)),  # psana evaluates it: digits, commas and parentheses
        "data_size": str(math.prod(metadata.shape)),
        "data_ndim": str(len(metadata.shape)),
    }


def _run(given: int | None, default: int) -> int:
    return given if given is not None and 0 <= given <= LAST_RUN else default


def _run_end(given: int | None, run: int) -> str | int:
    return given if given is not None and run <= given <= LAST_RUN else "end"


def _extra(metadata: Metadata) -> str:
    text = json.dumps(dict(metadata.parameters), sort_keys=True, default=str)
    return text if len(text) <= _MOST_EXTRA else "{}"


def _stamp(time: int) -> str:
    return datetime.fromtimestamp(time, tz=UTC).strftime("%Y-%m-%dT%H:%M:%S%z")


def geometry_text(text: str, source: str) -> str:
    """Return geometry text as psana can read it, panels and their order unchanged.

    psana takes ``#`` for a comment in the first column alone, and fails on lines of blanks. Such lines are dropped,
    comments are moved to the first column, lines end with a line feed.

    Parameters
    ----------
    text : str
        Geometry as it is stored.
    source : str
        What it is called in errors.

    Returns
    -------
    str
        The same text where nothing was to be done.

    Raises
    ------
    InvalidDataError
        If a line that is no comment has not 13 fields.
    """
    lines = []
    for number, line in enumerate(text.split("\n"), 1):
        stripped = line.strip()
        if stripped and not stripped.startswith("#") and len(stripped.split()) != _GEOMETRY_FIELDS:
            reason = f"line {number} has {len(stripped.split())} fields; psana reads lines of {_GEOMETRY_FIELDS} alone"
            raise InvalidDataError(source, reason, "add a geometry with 13 fields a line")
        if stripped:
            lines.append(stripped if stripped.startswith("#") else line.rstrip())
    return "".join(f"{line}\n" for line in lines)
