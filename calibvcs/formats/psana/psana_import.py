"""The documents that a psana calibration database keeps, read strictly. Pure: nothing is fetched, nothing evaluated.

A document comes from a server or a file that may be anybody's. Every field is looked at before it is used: names by our
grammar, a shape as digits, commas and parentheses, a dtype from a list. Data that are a pickle are never looked at.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from calibvcs.errors import InvalidDataError
from calibvcs.formats.psana.psana_documents import LAST_RUN, detector_of
from calibvcs.formats.psana.psana_fields import ID, LONGEST_FIELD, ArrayForm, Fields
from calibvcs.model.names import parse_ctype, parse_experiment
from calibvcs.model.validity import TIME_LIMIT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from calibvcs.model.detector import ParameterValue
    from calibvcs.model.names import DetectorName

LARGEST_TEXT: Final = 64 << 20
_UNKNOWN_TIME: Final = 1_000_000_000  # psana writes this second where nobody gave one
_LONGEST_COMMENT: Final = 64 * 1024
_NO_COMMENT: Final = frozenset({"", "no comment", "undefined"})

_PERSON: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}")
_HOST: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,252}")
_ORIGINS: Final = ("id_doc_exp", "id_exp", "id_data_exp")  # the second one in documents of older tools


@dataclass(frozen=True, slots=True)
class PsanaDocument:
    """One document, checked.

    Attributes
    ----------
    database : str
        Where it stands, for example ``cdb_mfx101332224``.
    id : str
        Its id, 24 hex digits.
    made : int
        When it was made, UNIX seconds: the first four bytes of the id.
    detector : DetectorName
        Detector.
    ctype : str
        Calibration type.
    experiment : str
        Experiment; empty where nobody told.
    run, run_end : int and int or None
        First and last run that it is meant for, both included; None is open.
    time : int or None
        When the data were taken, UNIX seconds, where it tells.
    form : ArrayForm or None
        The array; None for text.
    data : str
        Id of its data, 24 hex digits.
    copy_of : tuple of str
        Ids of the document, or of its data, that it is a copy of; empty where it is none.
    comment : str
        Why it was made; may be empty.
    author : tuple of str or None
        Login and e-mail address of who made it, as far as that is known.
    user, host, command : str
        Who made it, where, and by which command.
    details : mapping
        Its other fields.
    """

    database: str
    id: str
    made: int
    detector: DetectorName
    ctype: str
    experiment: str
    run: int
    run_end: int | None
    time: int | None
    form: ArrayForm | None
    data: str
    copy_of: tuple[str, ...] = ()
    comment: str = ""
    author: tuple[str, str] | None = None
    user: str = ""
    host: str = ""
    command: str = ""
    details: Mapping[str, ParameterValue] | None = None

    @property
    def name(self) -> str:
        """What it is called in messages."""
        return f"{self.database}/{self.id}"

    @property
    def precedence(self) -> tuple[int, int, int]:
        """Sort key of psana's choice for a run: the last one of those that hold for it wins."""
        return self.run, -(LAST_RUN if self.run_end is None else self.run_end), self.made

    def holds_for(self, run: int) -> bool:
        """Tell whether it is meant for a run."""
        return self.run <= run and (self.run_end is None or run <= self.run_end)

    @property
    def largest(self) -> int:
        """Number of bytes that its data may have."""
        return LARGEST_TEXT if self.form is None else self.form.size


def read_document(fields: Mapping[str, object], database: str, collection: str, experiment: str = "") -> PsanaDocument:
    """Read a document.

    Parameters
    ----------
    fields : mapping
        The document as it came.
    database, collection : str
        Where it stands; the collection is psana's short name of the detector.
    experiment : str, optional
        Experiment of the database; default is what the document says.

    Returns
    -------
    PsanaDocument
        The document.

    Raises
    ------
    InvalidDataError
        If psana itself would never choose it, its data are a pickle, or a field that is needed is missing, of another
        type or out of bounds. The reason names the field and its value.
    InvalidNameError
        If detector, ctype or experiment break the grammar of names.
    """
    fetch = Fields(fields, database)
    identity = fetch.hex("_id")
    if fetch.text("detector") != collection:
        raise fetch.wrong("detector", f"{collection!r}, as the collection is called")
    run, run_end = fetch.run(), fetch.run_end()
    if run_end is not None and run_end < run:
        raise fetch.wrong("run_end", f"the first run, {run}, or a later one")
    user, host = fetch.optional_text("uid"), fetch.optional_text("host")
    named = experiment or fetch.optional_text("experiment")
    origins = (fields.get(key) for key in _ORIGINS)
    comment = fetch.optional_text("comment", _LONGEST_COMMENT).strip()
    return PsanaDocument(
        database=database,
        id=identity,
        made=int(identity[:8], 16),
        detector=detector_of(collection),
        ctype=parse_ctype(fetch.text("ctype")),
        experiment="" if named in {"", "undefined"} else parse_experiment(named),
        run=run,
        run_end=run_end,
        time=_time(fields.get("time_sec")),
        form=fetch.form(),
        data=fetch.hex("id_data"),
        copy_of=tuple(origin for origin in origins if isinstance(origin, str) and ID.fullmatch(origin)),
        comment="" if comment.lower() in _NO_COMMENT else comment,
        author=_author(user, host),
        user=user,
        host=host,
        command=_command(fetch.optional_text("extpars", 1 << 20)),
        details={"id": identity, "database": database, **fetch.details()},
    )


def decode_array(data: bytes | memoryview, document: PsanaDocument) -> NDArray[Any]:
    """Return the array in the data of a document: C order, no header.

    Parameters
    ----------
    data : bytes or memoryview
        All of the data.
    document : PsanaDocument
        Whose data they are; it declares an array.

    Returns
    -------
    ndarray
        View of the data, in the dtype and shape that the document declares.

    Raises
    ------
    InvalidDataError
        If the data have another size than is declared.
    """
    form = document.form or ArrayForm("|u1", (len(data),))
    if len(data) != form.size:
        reason = f"{form.dtype} {form.shape} takes {form.size} bytes, the data have {len(data)}"
        raise InvalidDataError(document.name, reason, "the document or its data were changed afterwards")
    return np.frombuffer(data, dtype=np.dtype(form.dtype)).reshape(form.shape)


def read_longnames(documents: object, database: str) -> dict[str, tuple[str, float]]:
    """Return the long name of each short name, and when it was given, from documents of ``cdb_detnames``.

    Parameters
    ----------
    documents : object
        What came as documents; what is none is passed over.
    database : str
        What the source is called.

    Returns
    -------
    dict
        Short name to long name and UNIX seconds; of several, the first one that was given: psana gives it once.
    """
    found: dict[str, tuple[str, float]] = {}
    for document in documents if isinstance(documents, list) else ():
        if not isinstance(document, dict):
            continue
        fetch = Fields(document, database)
        short, long = fetch.optional_text("short"), fetch.optional_text("long", 1 << 16)
        if short and long and len(long) <= LONGEST_FIELD:
            given = document.get("time_sec")
            time = float(given) if isinstance(given, int | float) and abs(given) < 1 << 63 else math.inf
            if short not in found or time < found[short][1]:
                found[short] = long, time
    return found


def _time(given: object) -> int | None:
    if isinstance(given, bool) or not isinstance(given, int | float) or not 0 < given < TIME_LIMIT:
        return None
    return None if int(given) == _UNKNOWN_TIME else int(given)


def _author(user: str, host: str) -> tuple[str, str] | None:
    if not _PERSON.fullmatch(user):
        return None
    return user, f"{user}@{host if _HOST.fullmatch(host) else 'localhost'}"


def _command(extended: str) -> str:
    try:
        parsed = json.loads(extended) if len(extended) <= _LONGEST_COMMENT else None
    except (ValueError, RecursionError):
        return ""
    command = parsed.get("command") if isinstance(parsed, dict) else None
    return command[:LONGEST_FIELD].encode(errors="replace").decode() if isinstance(command, str) else ""
