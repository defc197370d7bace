"""Whether what a push brings is signed by who pushes, where the rules demand that."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Self

from calibvcs.model.access import SIGNED_COMMITS, SIGNED_TAGS
from calibvcs.model.signatures import SignatureState
from calibvcs.ops.tagging.signatures import Signatures
from calibvcs.store.signatures.checking import signers_file
from calibvcs.store.signatures.settings import SigningSettings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from calibvcs.model.access import Access
    from calibvcs.model.signatures import SignatureCheck
    from calibvcs.store.quarantine import IncomingStore

_ADVICE = "git config gpg.format ssh; git config user.signingkey ~/.ssh/id_ed25519.pub; then make it again with -S"


class ReceivedSignatures:
    """The signatures of a push. It is a context manager: the keys stand in a file while it is open.

    Parameters
    ----------
    store : IncomingStore
        Where commits and tags are.
    access : Access
        What is demanded, and whose keys are known.
    user : str
        Who pushes.
    largest : int
        Bytes that a commit or tag may have.
    """

    def __init__(self, store: IncomingStore, access: Access, user: str, largest: int) -> None:
        self._store, self._access, self._user, self._largest = store, access, user, largest
        self._open = ExitStack()
        self._signatures: Signatures | None = None

    def __enter__(self) -> Self:
        known = self._access.signing
        if known.demanded:
            path = self._open.enter_context(signers_file(known.keys))
            settings = SigningSettings(allowed_signers=path, gpg="")
            self._signatures = Signatures(lambda one: self._store.content(one, self._largest), settings)
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def commits(self, commits: Iterable[str]) -> Iterator[tuple[str, str, str]]:
        """Yield the commits that are not signed as they must be, with the reason and what to do.

        Raises
        ------
        DamagedObjectError
            If one is missing, damaged or too large.
        """
        if self._signatures and SIGNED_COMMITS in self._access.signing.demanded:
            for commit, found in self._signatures.each(commits):
                reason = self._trouble(found)
                if reason:
                    yield commit, reason, _ADVICE

    def tag(self, tag: str) -> str:
        """Tell why a tag is not signed as it must be; empty where it is. Raises as `commits`."""
        if self._signatures and SIGNED_TAGS in self._access.signing.demanded:
            return self._trouble(self._signatures.of(tag))
        return ""

    def _trouble(self, found: SignatureCheck) -> str:
        demanded = "signatures are demanded by .calibvcs/access.toml"
        if found.state is not SignatureState.GOOD:
            detail = "its key is listed for nobody" if found.state is SignatureState.UNKNOWN else found.detail
            return f"{demanded}: this one is {found.state}{f' ({detail})' if detail else ''}"
        if found.signer != self._user and not self._access.may_push_for_others(self._user):
            return f"{demanded}: {self._user} pushes, and it is signed by {found.signer}"
        return ""
