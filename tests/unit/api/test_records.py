"""The verbs that begin with a noun, on a real repository."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from calibvcs import Repository
from calibvcs.errors import (
    AlreadyExistsError,
    InvalidOptionError,
    NothingToChangeError,
    OverlapError,
    UnknownDetectorError,
    UnknownRunError,
)
from calibvcs.model.times import RunName

CAMERA, JUNGFRAU = "opal1000-1", "jungfrau-3"
BEGIN = 1_767_225_600  # 2026-01-01T00:00:00Z, begin of run mfx1:7


def test_detectors(repository: Repository) -> None:
    record = repository.detector.set(JUNGFRAU, predecessor=CAMERA, parameters={"bias": np.float64(1)}).detector
    assert (record.segments, record.predecessor) == (("a", "b"), CAMERA)
    assert record.parameters == {"panel_shape": [2, 3], "bias": 1.0}
    shown = repository.detector.show("front")
    assert (str(shown.detector.name), shown.detector.longname) == (CAMERA, "opal1000_0001")
    assert shown.ctypes == ("geometry", "pedestals")
    assert [str(one.name) for one in repository.detector.ls().detectors] == [JUNGFRAU, CAMERA]
    with pytest.raises(AlreadyExistsError):
        repository.detector.add(CAMERA)
    with pytest.raises(InvalidOptionError):
        repository.detector.add("jungfrau-4", segments="abc")
    with pytest.raises(NothingToChangeError):
        repository.detector.set(JUNGFRAU)


def test_aliases(repository: Repository) -> None:
    with pytest.raises(OverlapError):
        repository.alias.add("front", JUNGFRAU)
    with pytest.raises(UnknownDetectorError):
        repository.alias.resolve("front", 5)
    repository.alias.add("front", JUNGFRAU, end=BEGIN)
    assert [str(row.detector) for row in repository.alias.ls().aliases] == [JUNGFRAU, CAMERA]
    meant = [repository.alias.resolve("front", when).aliases[0].detector for when in (5, "mfx1:7", None)]
    assert list(map(str, meant)) == [JUNGFRAU, CAMERA, CAMERA]


def test_runs(repository: Repository) -> None:
    with pytest.raises(InvalidOptionError):
        repository.run.mark("mfx1:8", kind="dark", message="A dark run needs a reason")
    repository.run.mark(RunName("mfx1", 8), kind="data", begin="mfx1:7", message="Data")
    rows = [(row.run, row.kind, row.reason, row.begin, row.end) for row in repository.run.ls("mfx1").runs]
    assert rows == [(7, "dark", "other", BEGIN, BEGIN + 300), (8, "data", "", BEGIN, None)]
    assert [row.run for row in repository.run.ls(kind="dark").runs] == [7]
    assert [row.run for row in repository.run.unmark("mfx1:8").runs] == [8]
    with pytest.raises(UnknownRunError):
        repository.run.unmark("mfx1:8")


def test_tags(repository: Repository) -> None:
    repository.tag.create("golden", message="What the paper used", at="HEAD~1")
    (tag,) = repository.tag.list().tags
    assert (tag.name, tag.tagger, tag.message, tag.constants) == ("golden", "Grace Hopper", "What the paper used", 2)
    (shown,) = repository.tag.show("golden").tags
    assert shown.signature is not None
    assert (replace(shown, signature=None), shown.signature.state) == (tag, "missing")
    with pytest.raises(AlreadyExistsError):
        repository.tag.create("golden", message="Again")
