"""One constant as a file of a legacy calib directory, and its line of HISTORY."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from calibvcs.errors import CalibvcsError
from calibvcs.formats import text_array
from calibvcs.formats.calib import calib_history
from calibvcs.formats.calib.calib_directory import HISTORY_FILE, SUFFIX, RunSpan
from calibvcs.formats.calib.calib_history import Deployment
from calibvcs.ops.exchange import calib_values
from calibvcs.ops.exchange.import_calibdir import PARAMETER
from calibvcs.ops.get import read
from calibvcs.store.durable import disk_errors, make_folders, write_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    import numpy as np

    from calibvcs.formats.calib.calib_directory import Source
    from calibvcs.model.names import ConstantName
    from calibvcs.ops.catalogue import Catalogue
    from calibvcs.ops.get import Constant
    from calibvcs.ops.threads import Version

_BLOCK: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class CalibdirFile:
    """One file of the directory.

    Attributes
    ----------
    path : str
        Its path in the directory.
    constant, version : str
        What stands in it.
    written : bool
        Whether it was written; a file that had the same values already stays as it is.
    backup : str
        Name under which the file that stood there before is kept; empty where there was none.
    """

    path: str
    constant: str
    version: str
    written: bool
    backup: str = ""


@dataclass(frozen=True, slots=True)
class CalibdirTarget:
    """The folder of one ctype of one source.

    Attributes
    ----------
    calib : Path
        The calib directory.
    group : str
        Group of the source, for example ``Jungfrau::CalibV1``.
    source : Source
        The detector, as the DAQ names it.
    ctype : str
        Calibration type.
    now : str
        Time in the names of backups.
    """

    calib: Path
    group: str
    source: Source
    ctype: str
    now: str

    @property
    def folder(self) -> Path:
        """Where the files are."""
        return self.calib / self.group / str(self.source) / self.ctype

    def relative(self, name: str) -> str:
        """Return the path of a file in the calib directory."""
        return f"{self.group}/{self.source}/{self.ctype}/{name}"

    def strangers(self, spans: Iterable[RunSpan]) -> list[str]:
        """Name the files there that readers may choose and that are none of ours."""
        ours = {span.file_name for span in spans}
        names = sorted(path.name for path in self.folder.iterdir()) if self.folder.is_dir() else []
        return [
            f"{self.relative(name)} was there and is not in the repository; readers may choose it"
            for name in names
            if name not in ours and name.endswith(SUFFIX) and _is_span(name.removesuffix(SUFFIX))
        ]


def _is_span(stem: str) -> bool:
    try:
        RunSpan.parse(stem)
    except CalibvcsError:
        return False
    return True


def write_constant(
    catalogue: Catalogue, target: CalibdirTarget, name: ConstantName, span: RunSpan, decimals: int | None
) -> CalibdirFile:
    """Write the default of a constant, unless a file has the same values already.

    Parameters
    ----------
    catalogue : Catalogue
        The commit to read.
    target : CalibdirTarget
        Where to.
    name : ConstantName
        The constant.
    span : RunSpan
        The runs that it is for.
    decimals : int or None
        Decimals of real numbers; None writes them exactly.

    Returns
    -------
    CalibdirFile
        The file.

    Raises
    ------
    InvalidDataError
        If text cannot hold the data; nothing was written.
    DamagedObjectError
        If they are missing or damaged.
    NotWritableError, StorageError
        If the disk refuses; what stood there before stays.
    """
    constant, version = read(catalogue, name), catalogue.history.default(name)
    path, relative = target.folder / span.file_name, target.relative(span.file_name)
    number = version.name if version else ""
    chunks = _chunks(constant, version, target, span, decimals)
    if path.exists() and _same(path, target.ctype, constant, decimals):
        return CalibdirFile(relative, str(name), number, written=False)
    backup = ""
    with disk_errors(path, len(constant.data) if isinstance(constant.data, str) else constant.data.nbytes):
        make_folders(target.folder)
        if path.exists():
            backup = f"{span.file_name}-{target.now}"
            with path.open("rb") as old:
                write_file(path.with_name(backup), iter(lambda: old.read(_BLOCK), b""))
        write_file(path, chunks)
        _add_to_history(target.folder, _deployment(constant, version, span))
    return CalibdirFile(relative, str(name), number, written=True, backup=backup)


def _chunks(
    constant: Constant, version: Version | None, target: CalibdirTarget, span: RunSpan, decimals: int | None
) -> Iterator[bytes]:
    """Return the content of a file; what cannot be written as text is told before anything is written."""
    if isinstance(constant.data, str):
        return iter([constant.data.encode()])
    meta = constant.meta
    records = {
        "TITLE": "calibration constants",
        "EXPERIMENT": meta.origin.experiment,
        "DETECTOR": str(target.source),
        "CALIB_TYPE": target.ctype,
        "CALIBVCS": f"{constant.name}@{version.name} {version.commit.id}" if version else str(constant.name),
    }
    writing = {
        "HOST": meta.provenance.host,
        "FILE_NAME": span.file_name,
        "DATE_TIME": calib_history.stamp(version.commit.author.time) if version else "",
        "UID": meta.provenance.user,
    }
    lines = text_array.encode_lines(constant.data, _said(records), writing=_said(writing), decimals=decimals)
    return (line.encode() for line in lines)


def _said(records: Mapping[str, str]) -> dict[str, str]:
    """Return the records that say something, each in one line."""
    lines = {key: "".join(c if c.isprintable() else " " for c in value).strip() for key, value in records.items()}
    return {key: value for key, value in lines.items() if value}


def _same(path: Path, ctype: str, constant: Constant, decimals: int | None) -> bool:
    """Tell whether a file has the values already: its text may be another one, and its header is."""
    try:
        there = calib_values.read(path, ctype)
    except CalibvcsError:
        return False
    if isinstance(constant.data, str) or there.array is None:
        return there.array is None and there.text == constant.data
    wanted = constant.data if decimals is None else _rounded(constant.data, decimals)
    return (
        there.array.dtype == wanted.dtype
        and there.array.shape == wanted.shape
        and there.array.tobytes() == wanted.tobytes()
    )


def _rounded(array: np.ndarray, decimals: int) -> np.ndarray:
    """Return the values that text with so many decimals reads back as."""
    return text_array.decode(text_array.encode(array, decimals=decimals), "rounded")


def _deployment(constant: Constant, version: Version | None, span: RunSpan) -> Deployment:
    """Return the line of HISTORY: the one that the constant came with, else one about its version."""
    kept, meta = constant.meta.parameters.get(PARAMETER), constant.meta
    author = version.commit.author if version else None
    time = calib_history.stamp(author.time) if author else ""
    if isinstance(kept, dict) and all(isinstance(value, str) for value in kept.values()):
        pairs = {key: str(value) for key, value in kept.items()}
        comment = pairs.pop("comment", "")
        # The offset goes with the time: nobody has to know any more where the clock was that wrote it first.
        return Deployment({**pairs, "file": span.file_name, "cptime": time if "cptime" in pairs else ""}, comment)
    fields = {
        "file": span.file_name,
        "copy_of": f"{constant.name}@{version.name}" if version else str(constant.name),
        "exp": meta.origin.experiment,
        "run": "" if meta.origin.run is None else str(meta.origin.run),
        "app": "calibvcs",
        "user": author.email.partition("@")[0] if author else "",
        "host": meta.provenance.host,
        "cptime": time,
    }
    return Deployment(fields, version.commit.message.subject if version else "")


def _add_to_history(folder: Path, deployment: Deployment) -> None:
    path = folder / HISTORY_FILE
    line = calib_history.encode(deployment).encode()
    old = path.read_bytes() if path.exists() else b""
    if line.strip() in (known.strip() for known in old.split(b"\n")):
        return
    write_file(path, [old, b"" if not old or old.endswith(b"\n") else b"\n", line])
