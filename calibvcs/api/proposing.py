"""The verbs of review: proposing changes, looking at what others propose, taking it in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from calibvcs import settings
from calibvcs.api.sharing import settling

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from calibvcs.api.session import Session
    from calibvcs.ops.sharing.pulling import Pulled
    from calibvcs.ops.sharing.pushing import PushedBranch
    from calibvcs.ops.sharing.reviewing import Proposals, Review


class ProposingVerbs:
    """The verbs of a `Repository` for changes by those who may not write where it came from."""

    _session: Session

    def propose(
        self, name: str, *, withdraw: bool = False, progress: Callable[[int], None] | None = None
    ) -> PushedBranch:
        """Bring the commits of this clone to where it came from, for somebody who may write there to look at.

        Parameters
        ----------
        name : str
            What the proposal is called; the same name again replaces it by more commits.
        withdraw : bool, optional
            Whether it is taken away.
        progress : callable, optional
            Is given the number of bytes so far.

        Returns
        -------
        PushedBranch
            ``.branch``, ``proposals/USER/NAME``; ``.preview``, what it would change.

        Raises
        ------
        InvalidNameError
            If it cannot be the name of a branch.
        NothingToChangeError
            If it would bring nothing new.
        PushRefusedError
            If a rule there refuses.
        NetworkError
            If the other repository cannot be reached.
        """
        from calibvcs.ops.sharing.pushing import propose
        from calibvcs.store.remotes.urls import parse_address

        known, remote = self._session.remote()
        user = settings.proposer(parse_address(known.url).user)
        with remote:
            return propose(self._session.store, remote, known, user, name, withdraw=withdraw, progress=progress)

    def proposals(self) -> Proposals:
        """Return what others propose, as far as the last `fetch` brought it.

        Returns
        -------
        Proposals
            ``.proposals``, each with its commits.

        Raises
        ------
        NetworkError
            If this clone came from nowhere.
        """
        from calibvcs.ops.sharing.reviewing import proposals

        return proposals(self._session.store, self._session.remote()[0].name)

    def review(self, name: str) -> Review:
        """Return one proposal, and what it would change.

        Parameters
        ----------
        name : str
            ``USER/NAME``, or NAME where only one user has it.

        Returns
        -------
        Review
            ``.proposal``, who and why; ``.preview``, the defaults that would change, and for which runs;
            ``.differences``, the same in numbers.

        Raises
        ------
        UnknownRevisionError
            If there is no such proposal; `fetch` brings the newest.
        NetworkError
            If this clone came from nowhere.
        """
        from calibvcs.ops.sharing.reviewing import review

        return review(self._session.store, self._session.remote()[0].name, name, self._session.now())

    def merge(self, name: str, *, message: str = "", settle: str = "", take: Iterable[str] = ()) -> Pulled:
        """Take a proposal into the branch of this clone; `push` brings it to everybody.

        Parameters
        ----------
        name : str
            As for `review`.
        message : str, optional
            Why; default tells what was merged.
        settle, take
            As for `pull`.

        Returns
        -------
        Pulled
            What came in.

        Raises
        ------
        UnknownRevisionError
            If there is no such proposal.
        MergeConflictError, DirtyWorktreeError, InvalidOptionError
            As for `pull`.
        NetworkError
            If this clone came from nowhere.
        """
        from calibvcs.ops.sharing.pulling import take_in
        from calibvcs.ops.sharing.reviewing import find

        store, author = self._session.store, self._session.author()
        known, remote = self._session.remote()
        proposal, rules = find(store, known.name, name), settling(settle, take)
        title = f"proposals/{proposal.name}"
        with remote:
            return take_in(store, remote, known, author, proposal.commit, title, rules, comment=message, recorded=True)
