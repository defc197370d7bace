"""``verify --signatures``: whether a history and its tags are signed, and whether the states of tags are sound."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from calibvcs.errors import BrokenRepositoryError
from calibvcs.model.signatures import SignatureState
from calibvcs.ops.tagging.tag_states import TAGS, all_states, peeled
from calibvcs.ops.verify import Finding, verify

if TYPE_CHECKING:
    from collections.abc import Iterator

    from calibvcs.ops.catalogue import Catalogue
    from calibvcs.ops.tagging.signatures import Signatures
    from calibvcs.ops.verify import Verification
    from calibvcs.store.protocol import ReadableStore


@dataclass(frozen=True, slots=True)
class SignatureCounts:
    """How many commits and annotated tags were looked at, and what came out.

    Attributes
    ----------
    good, bad, unknown, missing : int
        Their signatures; what is ``revoked`` counts as bad, what is ``expired`` as unknown.
    """

    good: int
    bad: int
    unknown: int
    missing: int


def examine(
    store: ReadableStore, tip: str, signatures: Signatures, *, require: bool, since: str | None
) -> tuple[tuple[Finding, ...], SignatureCounts]:
    """Check the signatures of a history and of all annotated tags.

    Parameters
    ----------
    store : ReadableStore
        Where they are.
    tip : str
        The commit whose history is looked at.
    signatures : Signatures
        Checks one.
    require : bool
        Whether everything has to be signed by a known key.
    since : str or None
        A commit before which nothing is looked at: it and its history, and the tags that stand there.

    Returns
    -------
    findings : tuple of Finding
        Bad and revoked signatures are errors, expired and unknown ones warnings. If signatures are required, all but
        good ones are errors.
    counts : SignatureCounts
        How many there are.
    """
    old = set(_history(store, since, set())) if since else set()
    commits = list(_history(store, tip, old))
    tags = {target: name for name, target in store.refs().items() if name.startswith(TAGS)}
    wanted = {one: name for one, name in tags.items() if store.kind(one) == "tag" and peeled(store, one) not in old}
    counts = dict.fromkeys(SignatureState, 0)
    findings = []
    for one, found in signatures.each([*commits, *wanted]):
        counts[found.state] += 1
        level = _level(found.state, require=require)
        if level:
            named = f"tag {wanted[one].removeprefix(TAGS)}" if one in wanted else f"commit {one[:12]}"
            findings.append(Finding(level, named, f"signature {found}"))
    return tuple(findings), SignatureCounts(
        counts[SignatureState.GOOD],
        counts[SignatureState.BAD] + counts[SignatureState.REVOKED],
        counts[SignatureState.UNKNOWN] + counts[SignatureState.EXPIRED],
        counts[SignatureState.MISSING],
    )


def _level(state: SignatureState, *, require: bool) -> Literal["", "error", "warning"]:
    if state is SignatureState.GOOD:
        return ""
    if require or state in {SignatureState.BAD, SignatureState.REVOKED}:
        return "error"
    return "" if state is SignatureState.MISSING else "warning"


def _history(store: ReadableStore, tip: str, without: set[str]) -> Iterator[str]:
    waiting, seen = [tip], set(without)
    while waiting:
        commit_id = waiting.pop()
        if commit_id not in seen:
            seen.add(commit_id)
            yield commit_id
            waiting.extend(store.commit(commit_id).parents)


def verify_signed(
    catalogue: Catalogue, signatures: Signatures | None, *, deep: bool, require: bool, since: str | None
) -> Verification:
    """Do what `verify` does, and look at the states of tags and at signatures too.

    Parameters
    ----------
    catalogue : Catalogue
        The commit to look at.
    signatures : Signatures or None
        Checks one signature; None looks at none.
    deep : bool
        As for `verify`.
    require, since : bool, str or None
        As for `examine`.

    Returns
    -------
    Verification
        What is wrong or strange.
    """
    store, found = catalogue.snapshot.store, verify(catalogue, deep=deep)
    more = [
        Finding("error", f"tag {one.tag}", f"its states cannot be trusted: {one.trouble}")
        for one in all_states(store).values()
        if one.trouble
    ]
    counts = None
    if signatures is not None:
        try:
            told, counts = examine(store, found.at, signatures, require=require, since=since)
            more += told
        except BrokenRepositoryError as error:  # history ends in something that is damaged or missing
            more.append(Finding("error", found.at, f"signatures cannot be checked: {error.problem}"))
    findings = tuple(sorted((*found.findings, *more), key=lambda finding: (finding.level, finding.path)))
    return replace(found, findings=findings, signatures=counts)
