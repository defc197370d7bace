"""Lock files as text: TOML, or JSON with the same keys; equal sets give equal bytes."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from calibvcs.errors import CalibvcsError, InvalidDataError
from calibvcs.formats.toml import toml_document
from calibvcs.formats.toml.toml_document import Table
from calibvcs.model import layout
from calibvcs.model.lock_file import LockedConstant, LockFile
from calibvcs.model.names import ConstantName

if TYPE_CHECKING:
    from collections.abc import Mapping

FORMAT = 1
SIZE_LIMIT = toml_document.SIZE_LIMIT
_ID = re.compile(r"[0-9a-f]{40}")
_LARGEST = 1 << 40
_ADVICE = "write it anew with calibvcs lock-file write, or take the copy that was cited"


def is_json(path: str) -> bool:
    """Tell whether a file of this name is written as JSON."""
    return path.lower().endswith(".json")


def encode(locked: LockFile, *, as_json: bool = False) -> bytes:
    """Return the file.

    Parameters
    ----------
    locked : LockFile
        The set.
    as_json : bool, optional
        Whether as JSON; default is TOML.

    Returns
    -------
    bytes
        UTF-8, the same for the same set.

    Raises
    ------
    InvalidOptionError
        If it cannot be stored so that it is read again.
    """
    values: dict[str, Any] = {
        "format": FORMAT,
        "repository": locked.repository,
        "url": locked.url,
        "commit": locked.commit,
        "date": locked.date,
        "digest": locked.digest,
        "citation": locked.citation,
        "constants": [_row(one) for one in locked.constants],
    }
    if as_json:
        return (json.dumps(values, indent=2, ensure_ascii=False) + "\n").encode()
    return toml_document.write(values)


def decode(data: bytes, path: str) -> LockFile:
    """Read a file of either form. What its digest says is not checked here.

    Parameters
    ----------
    data : bytes
        Its content.
    path : str
        Its path, for messages.

    Returns
    -------
    LockFile
        The set; every path in it lies in the folder of its constant.

    Raises
    ------
    InvalidDataError
        If it is no lock file, or of a later format.
    """
    if len(data) > SIZE_LIMIT:
        raise InvalidDataError(path, f"it has {len(data)} bytes; at most {SIZE_LIMIT} are read", _ADVICE)
    try:
        table = _json(data, path) if data.lstrip()[:1] == b"{" else toml_document.read(data, path)
        return _lock_file(table)
    except CalibvcsError as error:
        raise InvalidDataError(path, error.problem.removeprefix(f"{path}: "), _ADVICE) from None


def _lock_file(table: Table) -> LockFile:
    if table.integer("format") != FORMAT:
        raise table.wrong("format", f"{FORMAT}, which this program reads", table.raw("format"))
    return LockFile(
        repository=table.text("repository"),
        url=table.text("url", ""),
        commit=_id(table, "commit"),
        date=table.text("date"),
        constants=tuple(map(_constant, table.tables("constants"))),
        digest=table.text("digest"),
    )


def _json(data: bytes, path: str) -> Table:
    try:
        values: Any = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise InvalidDataError(path, f"it is no JSON ({error})", _ADVICE) from None
    return Table(values, path)


def _row(one: LockedConstant) -> Mapping[str, Any]:
    values = {
        "constant": str(one.constant),
        "version": one.version,
        "commit": one.commit,
        "added": one.added,
        "path": one.path,
        "blob": one.blob,
        "meta": one.meta,
        "size": one.size,
        "dtype": one.dtype,
        "shape": list(one.shape),
        "begin": one.begin,
        "end": one.end,
    }
    return {key: value for key, value in values.items() if value not in (None, "", [])}


def _constant(table: Table) -> LockedConstant:
    name = table.parsed("constant", ConstantName.parse)
    path = table.text("path")
    folder = layout.constant_folder(name)
    # A path is never taken as it stands: what it names is written to disk when the set is restored.
    if path not in {f"{folder}/{file}" for file in layout.PAYLOAD_FILES}:
        raise table.wrong("path", f"a file of data in {folder}", path)
    size, begin, end = table.integer("size"), table.integer("begin"), table.integer("end")
    if size is None or not 0 <= size <= _LARGEST:
        raise table.wrong("size", "a number of bytes", size)
    if (begin, end) != (name.validity.begin, name.validity.end):
        raise table.wrong("begin", f"the range of {name}", begin)
    return LockedConstant(
        constant=name,
        version=table.text("version", ""),
        commit=_id(table, "commit"),
        added=_id(table, "added") if "added" in table else "",
        path=path,
        blob=_id(table, "blob"),
        meta=_id(table, "meta"),
        size=size,
        dtype=table.text("dtype"),
        shape=table.integers("shape"),
    )


def _id(table: Table, key: str) -> str:
    found = table.text(key)
    if not _ID.fullmatch(found):
        raise table.wrong(key, "an id of 40 hex digits", found)
    return found
