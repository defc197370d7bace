"""The unmodified psana, given nothing but our files, calibrates as plain numpy does; where a psana is named."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.e2e.psana.judge import judge
from tests.e2e.psana.repository import CASES, Case

PYTHON = os.environ.get("CALIBVCS_PSANA_PYTHON", "")


@pytest.mark.slow
@pytest.mark.skipif(
    not PYTHON, reason="CALIBVCS_PSANA_PYTHON names no Python that has psana; see README.md beside this file"
)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_psana_sees_the_right_constants(case: Case, shared_data: Path, tmp_path: Path) -> None:
    findings = judge(PYTHON, shared_data, case, tmp_path)
    events = 2
    assert len(findings) >= 2 + 6 + 9 + 3 * events
    assert [found for found in findings if found.difference] == []
