"""The glossary has the words that the program knows."""

from __future__ import annotations

from calibvcs.model.constant_types import KNOWN
from calibvcs.model.detector import DETECTOR_TYPES
from calibvcs.model.runs import RunKind, RunReason
from calibvcs.model.tag_states import TagState
from tests.docs import pages


def test_glossary() -> None:
    text = (pages.DOCS / "glossary.md").read_text()
    words = {*KNOWN, *DETECTOR_TYPES, *map(str, RunKind), *map(str, RunReason), *map(str, TagState)}
    missing = sorted(word for word in words if f"`{word}`" not in text)
    assert not missing
