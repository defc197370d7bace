"""Metrics: the text that Prometheus reads, whole at every moment."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from calibvcs.errors import StorageError
from calibvcs.prefetch.metrics import Metrics, as_text, write_metrics

SAMPLE = re.compile(r'[a-z_]+(\{([a-z]+="([^"\\\n]|\\[\\n"])*",?)+\})? -?[0-9.e+-]+')


def samples(text: str) -> dict[str, float]:
    """Return the samples of a text, by name and labels, as a reader of the format finds them."""
    found, announced = {}, set()
    for line in text.splitlines():
        if line.startswith("# "):
            announced.add(line.split()[2])
            continue
        assert SAMPLE.fullmatch(line), line
        name, _, value = line.rpartition(" ")
        assert name.partition("{")[0] in announced
        found[name] = float(value)
    assert text.endswith("\n")
    return found


def test_all_that_is_known_is_told() -> None:
    told = samples(
        as_text(
            Metrics(
                rounds=7, updates=2, errors=1, last_round=1_800_000_000.25, last_success=1_800_000_000.25, duration=0.5,
                stale=False, experiment="mfx101332224", commit="0123abcd", repository="/data/constants.git", run=7,
                begin=1_799_999_000.5, detectors={"jungfrau": "jungfrau_0001-0002"}, passed_over={"broken": 3},
            )
        )
    )  # fmt: skip
    assert told["calibvcs_prefetch_rounds_total"] == 7
    assert told["calibvcs_prefetch_errors_total"] == 1
    assert told["calibvcs_prefetch_last_success_timestamp_seconds"] == 1_800_000_000.25
    assert told["calibvcs_prefetch_stale"] == 0
    assert told["calibvcs_prefetch_run"] == 7
    assert told["calibvcs_prefetch_run_begin_timestamp_seconds"] == 1_799_999_000.5
    assert told['calibvcs_prefetch_detector_info{detector="jungfrau",longname="jungfrau_0001-0002"}'] == 1
    assert told['calibvcs_prefetch_passed_over_files{state="broken"}'] == 3
    info = next(name for name in told if name.startswith("calibvcs_prefetch_info{"))
    assert 'commit="0123abcd"' in info
    assert 'repository="/data/constants.git"' in info


def test_before_the_first_success_there_is_no_run_and_the_files_are_stale() -> None:
    told = samples(as_text(Metrics()))
    assert told["calibvcs_prefetch_stale"] == 1
    assert told["calibvcs_prefetch_last_success_timestamp_seconds"] == 0
    assert "calibvcs_prefetch_run" not in told


def test_names_from_outside_cannot_break_the_format() -> None:
    evil = 'a"} 1\ncalibvcs_prefetch_stale 0 \\'
    told = samples(as_text(Metrics(repository=evil, detectors={evil: evil})))
    assert told["calibvcs_prefetch_stale"] == 1
    assert any('a\\"} 1\\ncalibvcs' in name for name in told)


def test_a_file_is_replaced_as_a_whole_and_a_leftover_does_not_hinder(tmp_path: Path) -> None:
    path = tmp_path / "prefetch.prom"
    (tmp_path / ".prefetch.prom.inprogress").write_text("of one that was killed")
    write_metrics(path, Metrics(rounds=1))
    with path.open() as opened:
        write_metrics(path, Metrics(rounds=2))
        assert samples(opened.read())["calibvcs_prefetch_rounds_total"] == 1
    assert samples(path.read_text())["calibvcs_prefetch_rounds_total"] == 2
    assert [one.name for one in tmp_path.iterdir()] == ["prefetch.prom"]


def test_a_folder_that_is_not_there_is_our_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"prefetch\.prom"):
        write_metrics(tmp_path / "nowhere" / "prefetch.prom", Metrics())
