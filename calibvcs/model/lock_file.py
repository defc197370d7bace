"""The exact set of constants that an analysis used: its entries, its digest, and the line that cites it. Pure."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from calibvcs.model.names import ConstantName

DIGEST_KIND = "sha256"
_SHOWN_DIGITS = 12


@dataclass(frozen=True, slots=True)
class LockedConstant:
    """One constant of the set.

    Attributes
    ----------
    constant : ConstantName
        Detector, ctype and range.
    version : str
        Its version then; empty where history knew none.
    commit : str
        A commit whose tree has these data at `path`.
    added : str
        The commit that added the version; empty where history knew none.
    path : str
        Path of the data in the repository; the metadata stand beside them.
    blob, meta : str
        Ids of the data and of the metadata.
    size : int
        Size of the data file in bytes.
    dtype : str
        Dtype; ``text`` for text.
    shape : tuple of int
        Shape; empty for text.
    """

    constant: ConstantName
    version: str
    commit: str
    added: str
    path: str
    blob: str
    meta: str
    size: int
    dtype: str
    shape: tuple[int, ...] = ()

    @property
    def begin(self) -> int:
        """First second of validity, UNIX seconds."""
        return self.constant.validity.begin

    @property
    def end(self) -> int | None:
        """First second behind it; None is open."""
        return self.constant.validity.end

    @property
    def folder(self) -> str:
        """Folder of its files in the repository."""
        return self.path.rpartition("/")[0]


@dataclass(frozen=True, slots=True)
class LockFile:
    """A set of constants that can be told apart from every other one.

    Attributes
    ----------
    repository : str
        Name of the repository.
    url : str
        Where it was; no part of the digest, since clones of one repository have the same sets.
    commit, date : str
        The commit that was looked at, and its date, ISO 8601.
    constants : tuple of LockedConstant
        Sorted by detector, ctype and range.
    digest : str
        ``sha256:`` and 64 hex digits over all of this but `url`.
    """

    repository: str
    url: str
    commit: str
    date: str
    constants: tuple[LockedConstant, ...]
    digest: str

    @property
    def citation(self) -> str:
        """The line that an article or a log book needs."""
        several = f"{len(self.constants)} detector calibration constants"
        count = "1 detector calibration constant" if len(self.constants) == 1 else several
        at = f"commit {self.commit[:_SHOWN_DIGITS]} of {self.date[:10]}"
        return (
            f"{self.repository}, {count}, {at}, set {self.digest[: len(DIGEST_KIND) + 1 + _SHOWN_DIGITS]}, {self.url}"
        )

    @property
    def expected_digest(self) -> str:
        """The digest of what the file says now; another one than `digest` where somebody edited it."""
        return digest_of(self.repository, self.commit, self.date, self.constants)


def lock_file(repository: str, url: str, commit: str, date: str, constants: Iterable[LockedConstant]) -> LockFile:
    """Return a set, sorted, each constant once, with its digest.

    Parameters
    ----------
    repository, url, commit, date
        As `LockFile` has them.
    constants : iterable of LockedConstant
        In any order; the same range may be there twice with different data, as an analysis may have used them. The
        same data count once, as they were named last.

    Returns
    -------
    LockFile
        The set.
    """
    # The same data read twice, at two commits, are used once.
    once = {(one.constant, one.blob): one for one in constants}
    kept = tuple(sorted(once.values(), key=lambda one: (one.constant, len(one.version), one.version, one.blob)))
    return LockFile(repository, url, commit, date, kept, digest_of(repository, commit, date, kept))


def digest_of(repository: str, commit: str, date: str, constants: Iterable[LockedConstant]) -> str:
    """Return the digest of a set: over JSON with sorted keys and no blanks, so that any program can make it again."""
    rows = [{**asdict(one), "constant": str(one.constant), "shape": list(one.shape)} for one in constants]
    content = {"repository": repository, "commit": commit, "date": date, "constants": rows}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return f"{DIGEST_KIND}:{hashlib.sha256(text.encode()).hexdigest()}"
