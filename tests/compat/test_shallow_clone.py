"""A clone that Git made shallow: what can be read is read, the rest is told, and nothing is cloned from it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

import calibvcs
from calibvcs.errors import NetworkError, ShallowHistoryError


def test_what_is_cut_off_is_told(tmp_path: Path) -> None:
    whole, shallow = tmp_path / "whole", tmp_path / "shallow"
    calibvcs.init(whole)
    with calibvcs.open(whole) as repository:
        repository.detector.add("opal1000-1")
        repository.add("opal1000-1", "pedestals", np.ones((4, 5), np.float32), begin=1000, message="Dark")
    subprocess.run(["git", "clone", "-q", "--depth", "1", f"file://{whole}", shallow], check=True)
    with calibvcs.open(shallow) as repository:
        assert repository.get("opal1000-1", "pedestals", 2000).data.sum() == 20
        for ask in (repository.ls, repository.log):
            with pytest.raises(ShallowHistoryError, match="unshallow"):
                list(ask())  # type: ignore[call-overload]
    assert any(check.name == "history" and check.level == "warning" for check in calibvcs.doctor(shallow).checks)
    with pytest.raises(NetworkError, match="cut off"):
        calibvcs.clone(shallow, tmp_path / "third")
    subprocess.run(["git", "-C", shallow, "fetch", "-q", "--unshallow"], check=True)
    with calibvcs.open(shallow) as repository:
        assert repository.ls().constants[0].version == "v1"
