"""The grammar of names: detectors, ctypes, ranges, versions; parsed once, where text enters.

A constant is written ``DETECTOR/CTYPE/RANGE@VERSION``, for example
``jungfrau-000003/pedestals/1767225600-end@v2``; from the right, parts may be left out where a verb allows it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from calibvcs.errors import InvalidNameError
from calibvcs.model.validity import Validity

if TYPE_CHECKING:
    from collections.abc import Callable

DETECTOR_LIMIT = 200
NAME_LIMIT = 64

_WORD = re.compile(r"[a-z0-9][a-z0-9_]*")
_DETAIL = re.compile(r"[a-z0-9][a-z0-9_.-]*")
_VERSION = re.compile(r"v[1-9][0-9]{0,8}")
# Top-level folders of the format, and names that some file systems keep for devices.
_RESERVED = frozenset(
    {"experiments", "con", "prn", "aux", "nul", *(f"{p}{n}" for p in ("com", "lpt") for n in range(1, 10))}
)

_WORD_RULE = f"a-z, 0-9 and _, not beginning with _, at most {NAME_LIMIT} characters, no reserved name"
_DETAIL_RULE = "a-z, 0-9, _ . and -, beginning with a letter or digit, without '..', not ending in '.' or '.lock'"


def _sound_word(text: str) -> bool:
    return len(text) <= NAME_LIMIT and bool(_WORD.fullmatch(text)) and text not in _RESERVED


def _word(text: str, what: str) -> str:
    if not _sound_word(text):
        raise InvalidNameError(what, text, _WORD_RULE, _lower(text, _sound_word))
    return text


def _lower(text: str, sound: Callable[[str], bool]) -> str:
    """Return the text in lower case, where only that keeps it from being a name."""
    return lowered if (lowered := text.lower()) != text and sound(lowered) else ""


def _sound_detail(text: str) -> bool:
    return bool(_DETAIL.fullmatch(text)) and ".." not in text and not text.endswith((".", ".lock"))


def _sound_alias(text: str) -> bool:
    return len(text) <= NAME_LIMIT and _sound_detail(text)


def _sound_tag(text: str) -> bool:
    return len(text) <= DETECTOR_LIMIT and all(map(_sound_detail, text.split("/")))


def _sound_detector(text: str) -> bool:
    dettype, _, detid = text.partition("-")
    return len(text) <= DETECTOR_LIMIT and _sound_word(dettype) and _sound_detail(detid)


def parse_dettype(text: str) -> str:
    """Return a detector type such as ``jungfrau``.

    Raises
    ------
    InvalidNameError
        If the text breaks the grammar.
    """
    return _word(text, "detector type")


def parse_ctype(text: str) -> str:
    """Return a calibration type such as ``pedestals``.

    Raises
    ------
    InvalidNameError
        If the text breaks the grammar.
    """
    return _word(text, "ctype")


def parse_experiment(text: str) -> str:
    """Return an experiment name such as ``mfx101332224``.

    Raises
    ------
    InvalidNameError
        If the text breaks the grammar.
    """
    return _word(text, "experiment")


def parse_alias(text: str) -> str:
    """Return an alias such as ``front`` or ``epix_1``.

    Raises
    ------
    InvalidNameError
        If the text breaks the grammar.
    """
    if not _sound_alias(text):
        allowed = f"{_DETAIL_RULE}, at most {NAME_LIMIT} characters"
        raise InvalidNameError("alias", text, allowed, _lower(text, _sound_alias))
    return text


def parse_tag(text: str) -> str:
    """Return a tag name such as ``run24-golden`` or ``cxi/2026.1``.

    Raises
    ------
    InvalidNameError
        If the text breaks the grammar.
    """
    if not _sound_tag(text):
        raise InvalidNameError("tag", text, f"{_DETAIL_RULE}; parts may be joined by '/'", _lower(text, _sound_tag))
    return text


def parse_proposal(user: str, name: str) -> str:
    """Return the branch of a proposal, ``proposals/<user>/<name>``.

    Raises
    ------
    InvalidNameError
        If it cannot be the name of a branch.
    """
    for what, text in (("user", user), ("proposal", name)):
        if not (re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.@+-]*", text) and ".." not in text and "@{" not in text) or (
            text.endswith((".", ".lock"))
        ):
            raise InvalidNameError(what, text, "letters, digits and _ . @ + - after a letter or digit, without '..'")
    return f"proposals/{user}/{name}"


@dataclass(frozen=True, slots=True, order=True)
class DetectorName:
    """A detector: ``<dettype>-<detid>``.

    Attributes
    ----------
    dettype : str
        What stands before the first ``-``, for example ``jungfrau``.
    detid : str
        What stands behind it, for example ``000003``.
    """

    dettype: str
    detid: str

    @classmethod
    def parse(cls, text: str) -> DetectorName:
        """Parse ``jungfrau-000003``; psana's short form ``jungfrau_000003`` means the same.

        Raises
        ------
        InvalidNameError
            If the text breaks the grammar.
        """
        name = text if "-" in text else text.replace("_", "-", 1)
        if not _sound_detector(name):
            allowed = (
                f"<dettype>-<detid>, at most {DETECTOR_LIMIT} characters; dettype: {_WORD_RULE}; detid: {_DETAIL_RULE}"
            )
            raise InvalidNameError("detector name", text, allowed, _lower(name, _sound_detector))
        dettype, _, detid = name.partition("-")
        return cls(dettype, detid)

    def __str__(self) -> str:
        return f"{self.dettype}-{self.detid}"


@dataclass(frozen=True, slots=True, order=True)
class ConstantName:
    """One constant: a detector, a ctype and a validity range."""

    detector: DetectorName
    ctype: str
    validity: Validity

    @classmethod
    def parse(cls, text: str) -> ConstantName:
        """Parse ``DETECTOR/CTYPE/RANGE``.

        Raises
        ------
        InvalidNameError
            If a part is missing or breaks the grammar.
        """
        reference = ConstantReference.parse(text)
        if reference.constant is None or reference.version is not None:
            raise InvalidNameError("constant", text, "DETECTOR/CTYPE/RANGE, for example epix100-1/pedestals/0-end")
        return reference.constant

    def __str__(self) -> str:
        return f"{self.detector}/{self.ctype}/{self.validity}"


@dataclass(frozen=True, slots=True)
class ConstantReference:
    """What a user writes for constants: ``DET[/CTYPE[/RANGE]][@VERSION]``, DET may be an alias.

    Attributes
    ----------
    detector : str
        Detector name or alias, checked against the grammar, not yet looked up.
    ctype : str or None
        Calibration type, if given.
    validity : Validity or None
        Validity range, if given.
    version : str or None
        ``v1``, ``v2``, ... or any revision of the repository, if given.
    """

    detector: str
    ctype: str | None = None
    validity: Validity | None = None
    version: str | None = None

    @classmethod
    def parse(cls, text: str) -> ConstantReference:
        """Parse a reference.

        Raises
        ------
        InvalidNameError
            If a part breaks the grammar.
        """
        path, at, version = text.partition("@")
        parts = path.split("/")
        if len(parts) > 3 or not all(parts) or (at and not version):
            raise InvalidNameError("constant", text, "DETECTOR[/CTYPE[/RANGE]][@VERSION], detector first")
        if _sound_alias(parts[0]):  # an alias may look like a detector, and nearly like one
            detector = parts[0]
        else:
            detector = str(DetectorName.parse(parts[0])) if "-" in parts[0] else parse_alias(parts[0])
        ctype = parse_ctype(parts[1]) if len(parts) > 1 else None
        validity = Validity.parse(parts[2]) if len(parts) > 2 else None
        return cls(detector, ctype, validity, version or None)

    @property
    def constant(self) -> ConstantName | None:
        """The constant, where all three parts are given and the first can be the name of a detector."""
        if self.ctype is None or self.validity is None:
            return None
        try:
            return ConstantName(DetectorName.parse(self.detector), self.ctype, self.validity)
        except InvalidNameError:
            return None


def parse_version(text: str) -> int | None:
    """Return N of ``vN``, or None where the text is another kind of revision."""
    return int(text[1:]) if _VERSION.fullmatch(text) else None
