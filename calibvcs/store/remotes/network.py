"""A repository behind a server: ssh, http(s), git://, or a Git program on this machine."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Self

from dulwich.errors import SendPackError

from calibvcs.errors import BranchMovedError, NetworkError, PushRefusedError
from calibvcs.store.packs.receiving import PackReceiver
from calibvcs.store.remotes.connecting import HttpClient, WireClient, network_errors
from calibvcs.store.remotes.haves import Haves
from calibvcs.store.remotes.missing import missing_objects
from calibvcs.store.remotes.refs import HEADS, follow, trusted_refs, wanted_refs
from calibvcs.store.remotes.remote import Fetched, Notice, Pushed, RemoteRefs, has_promises
from calibvcs.store.remotes.sending import entries_to_send

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from dulwich.client import FetchPackResult
    from dulwich.objects import ObjectID
    from dulwich.refs import Ref

    from calibvcs.store.git import GitStore
    from calibvcs.store.remotes.connecting import Client
    from calibvcs.store.remotes.remote import Progress, RefUpdate
    from calibvcs.store.remotes.sending import EntryToSend
    from calibvcs.store.remotes.urls import Address

_FILTER = b"blob:none"
_NO_REF = b"0" * 40
_OURS = (b"HEAD", b"refs/heads/", b"refs/tags/")
_MOST_SAID = 1 << 16
# What servers say of a ref that another push has moved between our look at it and our wish to move it.
_MOVED = ("failed to update ref", "cannot lock ref", "reference already exists")
_IGNORED = Notice("filter-ignored", "the server cannot leave payloads out; all of them came")


class NetworkRemote:
    """A repository behind a server.

    Parameters
    ----------
    address : Address
        Where it is.
    timeout : float
        Seconds that the server may be silent.
    ssh_command : str
        The program that leads to another machine, with its options.
    interactive : bool
        Whether ssh may ask for a password or a fingerprint.
    """

    def __init__(self, address: Address, timeout: float, ssh_command: str = "ssh", *, interactive: bool = True) -> None:
        self.address = address
        self._timeout, self._ssh, self._interactive = timeout, ssh_command, interactive

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def refs(self) -> RemoteRefs:
        """Return its refs."""
        with self._connected() as client:
            found = client.get_refs(self._path.encode(), ref_prefix=list(_OURS))
        return _remote_refs(found.refs, found.symrefs)

    def fetch(
        self,
        store: GitStore,
        *,
        name: str = "origin",
        branches: Sequence[str] | None = None,
        tags: bool = True,
        squeezed: bool = False,
        progress: Progress | None = None,
    ) -> Fetched:
        """Bring objects from it, and let ``refs/remotes/NAME/*`` follow."""
        promised = has_promises(store.folder)
        here = store.refs()
        wanted: dict[str, str] = {}

        def wants(remote: RemoteRefs) -> list[str]:
            wanted.update(wanted_refs(remote, branches, tags=tags))
            return sorted(set(wanted.values()) - set(here.values()))

        squeezed = squeezed or promised
        fetched = self._receive(store, wants, squeezed=squeezed, haves=True, progress=progress)
        changed, notices = follow(store, name, wanted)
        return replace(fetched, changed=changed, notices=fetched.notices + notices)

    def fetch_objects(self, store: GitStore, ids: Collection[str], *, progress: Progress | None = None) -> Fetched:
        """Bring single objects by their ids; those that are here already do not come again."""
        lacking = sorted(wanted for wanted in set(ids) if store.kind(wanted) is None)
        if not lacking:
            return Fetched(RemoteRefs({}, None))
        fetched = self._receive(store, lambda _: lacking, squeezed=False, haves=False, progress=progress)
        missed = [wanted for wanted in lacking if store.kind(wanted) is None]
        if missed:
            raise NetworkError(str(self.address), f"it did not send {len(missed)} objects: {', '.join(missed[:3])}")
        return replace(fetched, remote=RemoteRefs({}, None))

    def push(self, store: GitStore, updates: Sequence[RefUpdate], *, progress: Progress | None = None) -> Pushed:
        """Bring objects to it, and move its refs."""
        said = bytearray()
        counted = [0, 0]

        def count(size: int) -> None:
            counted[1] += size
            if progress:
                progress(counted[1])

        def update(there: dict[Ref, ObjectID]) -> dict[bytes, bytes]:
            for ref, old, _ in updates:
                stands = there.get(ref.encode(), _NO_REF)  # type: ignore[call-overload]
                if stands != (old or "").encode() and (old is not None or stands != _NO_REF):
                    raise BranchMovedError(ref.removeprefix(HEADS))
            return {ref.encode(): new.encode() if new else _NO_REF for ref, _, new in updates}

        def entries(have: set[ObjectID], _: set[ObjectID], **__: object) -> tuple[int, Iterator[EntryToSend]]:
            wants = [new for _, _, new in updates if new]
            lacking = missing_objects(store, wants, [one.decode() for one in have])
            if has_promises(store.folder):  # what is not here is there: it was promised
                lacking = [one for one in lacking if one.kind != "blob" or store.kind(one.id)]
            counted[0] = len(lacking)
            return len(lacking), entries_to_send(store, lacking, count)

        def hear(data: bytes) -> None:
            if len(said) < _MOST_SAID:
                said.extend(data)

        with self._connected() as client:
            try:
                done = client.send_pack(
                    self._path.encode(),
                    update,  # type: ignore[arg-type]
                    entries,  # type: ignore[arg-type]
                    progress=hear,
                )
            except SendPackError as error:
                reason = (error.args[0] if error.args else b"").decode(errors="replace")
                raise self._refusal(updates[0].ref, reason, said) from None
        for ref, reason in (done.ref_status or {}).items():
            if reason is not None:
                raise self._refusal(ref.decode(errors="replace"), reason, said)
        return Pushed(tuple(one for one in updates if one.old != one.new), counted[0], counted[1], _words(said))

    def _refusal(self, ref: str, reason: str, said: bytearray) -> BranchMovedError | PushRefusedError:
        if any(words in reason for words in _MOVED):
            return BranchMovedError(ref.removeprefix(HEADS))
        return PushRefusedError(str(self.address), ref, reason, _words(said))

    def _receive(
        self,
        store: GitStore,
        wants: Callable[[RemoteRefs], list[str]],
        *,
        squeezed: bool,
        haves: bool,
        progress: Progress | None,
    ) -> Fetched:
        remote = RemoteRefs({}, None)
        walker = Haves(store)

        def determine(there: Mapping[Ref, ObjectID], *_: object) -> list[bytes]:
            nonlocal remote
            remote = _remote_refs(there, {})
            wanted = wants(remote)
            if haves and wanted:
                walker.begin(remote.refs.values())
            return [one.encode() for one in wanted]

        def read(wanted: str) -> tuple[str, bytes] | None:
            return store.read_object(wanted) if store.kind(wanted) else None

        receiver = PackReceiver(
            store.folder / "objects",
            str(self.address),
            read,
            lambda wanted: store.kind(wanted) is not None,
            promised=squeezed or has_promises(store.folder),
            progress=progress,
        )
        with receiver:
            with self._connected() as client:
                client.filter_spec = _FILTER if squeezed else None
                result: FetchPackResult = client.fetch_pack(
                    self._path.encode(),
                    determine,  # type: ignore[arg-type]
                    walker,
                    receiver.write,
                    ref_prefix=list(_OURS),
                    filter_spec=client.filter_spec,
                )
                filtered = client.knows_filters()
            received = receiver.finish()
        remote = _remote_refs(result.refs, result.symrefs)
        notices = (_IGNORED,) if squeezed and received.objects and not filtered else ()
        return Fetched(remote, (), received.objects, received.size, received.pack, notices)

    @property
    def _path(self) -> str:
        return self.address.path

    @contextmanager
    def _connected(self) -> Iterator[Client]:
        if self.address.transport in {"http", "https"}:
            client: Client = HttpClient(self.address, self._timeout)
        else:
            client = WireClient(self.address, self._timeout, self._ssh, interactive=self._interactive)
        with network_errors(self.address, client):
            yield client


def _remote_refs(refs: Mapping[Ref, ObjectID | None], symrefs: Mapping[Ref, Ref]) -> RemoteRefs:
    found = trusted_refs(refs.items())
    head = symrefs.get(b"HEAD", b"").decode(errors="replace")  # type: ignore[call-overload]
    if not head and b"HEAD" in refs:  # an old server: the branch that stands where HEAD stands
        target = (refs[b"HEAD"] or b"").decode(errors="replace")  # type: ignore[index]
        head = next((ref for ref, stands in found.items() if stands == target and ref.startswith(HEADS)), "")
    return RemoteRefs(found, head.removeprefix(HEADS) or None)


def _words(said: bytearray) -> str:
    lines = (line.strip() for line in said.decode(errors="replace").replace("\r", "\n").splitlines())
    return "\n".join(line for line in lines if line)
