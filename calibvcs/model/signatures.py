"""What is known of a signature: whether it holds, and whose it is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class SignatureState(StrEnum):
    """What came out when a signature was checked."""

    GOOD = "good"
    BAD = "bad"
    UNKNOWN = "unknown"
    EXPIRED = "expired"
    REVOKED = "revoked"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class SignatureCheck:
    """A signature that was checked.

    Attributes
    ----------
    state : SignatureState
        ``good``: made by a known key over just these bytes. ``bad``: made over other bytes, or damaged. ``unknown``:
        nobody said whose key that is, or it cannot be checked here. ``expired``, ``revoked``: of a known key that does
        not count any more. ``missing``: there is none.
    signer : str
        Whose key it is, as the list of allowed signers or the key ring says; empty where it is not known.
    key : str
        Fingerprint or id of the key; empty where it is not known.
    detail : str
        Why it is not good; empty for a good one.
    """

    state: SignatureState
    signer: str = ""
    key: str = ""
    detail: str = ""

    def __str__(self) -> str:
        who = f" by {self.signer}" if self.signer else ""
        key = f" with key {self.key}" if self.key else ""
        return f"{self.state}{who}{key}{f' ({self.detail})' if self.detail else ''}"


MISSING = SignatureCheck(SignatureState.MISSING)
