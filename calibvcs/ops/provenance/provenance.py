"""``provenance``: what a constant was made from, and what that was made from, as far as the repository knows."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Literal, NamedTuple

from calibvcs.model import layout
from calibvcs.model.names import ConstantName
from calibvcs.model.times import as_text
from calibvcs.ops.catalogue import Catalogue
from calibvcs.ops.reference import locate, version_of
from calibvcs.store.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from calibvcs.model.metadata import InputFile
    from calibvcs.ops.history import History
    from calibvcs.store.protocol import ReadableStore

_DEEPEST = 32
_BLOCK = 1 << 20
_FACT = "sha256"
_NOT_HERE = -1


@dataclass(frozen=True, slots=True)
class Source:
    """A constant or a file in the chain.

    Attributes
    ----------
    kind : {"constant", "file"}
        A file is one whose content the repository has never had.
    name : str
        ``DET/CTYPE/RANGE@vN``, or the path of the file.
    path, size, sha256 : str and int
        The file as it was recorded by what was made from it; empty at the head of the chain.
    commit, author, date, comment : str
        Of a constant: the commit that added it, who, when, and the first line of why.
    origin : str
        Of a constant: experiment, run and source of the data.
    software, user, host : str
        Of a constant: what added it, who ran that, and where.
    command : tuple of str
        Of a constant: the command line.
    shown_above : bool
        Whether what it was made from stands further up in the chain already.
    inputs : tuple of Source
        What it was made from.
    """

    kind: Literal["constant", "file"]
    name: str
    path: str = ""
    size: int = 0
    sha256: str = ""
    commit: str = ""
    author: str = ""
    date: str = ""
    comment: str = ""
    origin: str = ""
    software: str = ""
    user: str = ""
    host: str = ""
    command: tuple[str, ...] = ()
    shown_above: bool = False
    inputs: tuple[Source, ...] = ()


@dataclass(frozen=True, slots=True)
class ProvenanceChain:
    """How a constant came about.

    Attributes
    ----------
    constant, version, at : str
        Its name and version, and the commit that was looked at.
    chain : Source
        The constant; below it what it was made from.
    unread : int
        How many data of the same size as an input could not be compared with it, because this clone has not got them.
    """

    schema: ClassVar[str] = "calibvcs.provenance/1"

    constant: str
    version: str
    at: str
    chain: Source
    unread: int = 0


def provenance(catalogue: Catalogue, given: str, now: float) -> ProvenanceChain:
    """Return what a constant was made from, back to files that the repository does not have.

    An input is one of the repository's own constants where its size and SHA-256 are those of data that the history
    had before; then the chain goes on with what these were made from.

    Parameters
    ----------
    catalogue : Catalogue
        The commit to look at.
    given : str
        ``DET/CTYPE/RANGE[@VERSION]``; the range may be left out where there is only one.
    now : float
        When an alias is to be resolved, UNIX seconds.

    Returns
    -------
    ProvenanceChain
        The chain.

    Raises
    ------
    UnknownConstantError, UnknownVersionError
        If it is not there.
    DamagedObjectError
        If data that have to be compared are damaged.
    """
    store = catalogue.snapshot.store
    located = locate(store, catalogue, given, now)
    known = _Known(store, catalogue.history)
    version = version_of(catalogue, located)
    commit_id = version.commit.id if version else located.commit_id
    place = known.place(commit_id)
    chain = _constant(known, _Made(place, located.constant, located.version, commit_id), None, set())
    known.remember()
    return ProvenanceChain(str(located.constant), located.version, located.commit_id, chain, known.unread)


class _Made(NamedTuple):
    """A version of a constant, and how many commits of the history are newer than the one that brought it."""

    place: int
    constant: ConstantName
    version: str
    commit: str


class _Known:
    """All data that a history had, with the commits that brought them, newest first."""

    def __init__(self, store: ReadableStore, history: History) -> None:
        self.store = store
        self.unread = 0
        self._history = history
        self._hashes: dict[str, str] = {}
        self._new: dict[str, str] = {}

    @cached_property
    def _places(self) -> dict[str, int]:
        return {event.commit.id: place for place, event in enumerate(self._history.events())}

    @cached_property
    def _by_size(self) -> dict[int, list[tuple[str, _Made]]]:
        found: dict[int, list[tuple[str, _Made]]] = {}
        for blob, made in self._data():
            # What a squeezed clone left elsewhere is not brought only to be compared.
            size = _NOT_HERE if self.store.kind(blob) is None else self.store.blob_head(blob, 0)[1]
            found.setdefault(size, []).append((blob, made))
        return found

    def place(self, commit_id: str) -> int:
        return self._places.get(commit_id, -1)

    def find(self, file: InputFile, before: int) -> _Made | None:
        """Return the newest version, older than some commit, whose data are a file."""
        if not file.sha256:
            return None
        for blob, made in self._by_size.get(file.size, ()):
            if made.place > before and self._sha256(blob) == file.sha256:
                return made
        self.unread += sum(made.place > before for _, made in self._by_size.get(_NOT_HERE, ()))
        return None

    def _data(self) -> Iterator[tuple[str, _Made]]:
        for place, event in enumerate(self._history.events()):
            if event.action != "add":
                continue
            snapshot = Snapshot(self.store, event.commit.id)
            for constant, version in event.versions:
                name = ConstantName.parse(constant)
                names = snapshot.names(layout.constant_folder(name))
                blob = next((names[file].id for file in layout.PAYLOAD_FILES if file in names), None)
                if blob is not None:
                    yield blob, _Made(place, name, version, event.commit.id)

    def remember(self) -> None:
        """Keep what was computed beside the repository, so that nobody has to read these data again."""
        if self._new:
            self.store.derived.remember({f"{_FACT} {blob}": digest for blob, digest in self._new.items()})

    def _sha256(self, blob: str) -> str:
        if blob not in self._hashes:
            key = f"{_FACT} {blob}"
            known = self.store.derived.recall([key]).get(key, "")
            if not known:
                digest = hashlib.sha256()
                for block in self.store.blob_blocks(blob, 0, _BLOCK):
                    digest.update(block)
                known = self._new[blob] = digest.hexdigest()
            self._hashes[blob] = known
        return self._hashes[blob]


def _constant(
    known: _Known, made: _Made, file: InputFile | None, above: set[tuple[str, str]], depth: int = 0
) -> Source:
    commit = known.store.commit(made.commit)
    meta = Catalogue(Snapshot(known.store, made.commit)).metadata(made.constant)
    how, origin = meta.provenance, meta.origin
    key = str(made.constant), made.commit
    repeated = key in above or depth >= _DEEPEST
    above.add(key)
    inputs = () if repeated else tuple(_input(known, one, made.place, above, depth + 1) for one in how.inputs)
    run = "" if origin.run is None else f":{origin.run}"
    return Source(
        kind="constant",
        name=f"{made.constant}@{made.version}" if made.version else str(made.constant),
        path=file.path if file else "",
        size=file.size if file else 0,
        sha256=file.sha256 if file else "",
        commit=commit.id,
        author=commit.author.name,
        date=as_text(commit.author.time),
        comment=commit.message.subject,
        origin=" ".join(filter(None, (f"{origin.experiment}{run}", origin.source))),
        software=how.software,
        user=how.user,
        host=how.host,
        command=how.command,
        shown_above=repeated and bool(how.inputs),
        inputs=inputs,
    )


def _input(known: _Known, file: InputFile, before: int, above: set[tuple[str, str]], depth: int) -> Source:
    made = known.find(file, before)
    if made is None:
        return Source("file", file.path, file.path, file.size, file.sha256)
    return _constant(known, made, file, above, depth)
