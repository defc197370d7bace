"""Stored arrays are read once, block by block, and known afterwards."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import calibvcs
from calibvcs.errors import DamagedObjectError, InvalidOptionError
from calibvcs.model.array_summary import ArraySummary, summarise
from calibvcs.model.names import ConstantName
from calibvcs.ops.catalogue import Catalogue
from calibvcs.ops.statistics import array_summaries
from calibvcs.ops.statistics.array_summaries import summary_of
from calibvcs.store.git import GitStore
from calibvcs.store.snapshot import Snapshot

DIMS = ("gain", "segment", "row", "column")
NAME = ConstantName.parse("jungfrau-3/pedestals/0-end")
CACHE = "calibvcs/derived-1.sqlite3"


@pytest.fixture
def array() -> np.ndarray:
    data = np.random.default_rng(0).normal(2800, 40, (3, 2, 64, 128)).astype("f4")
    data[0, 1, 0, :3] = np.nan
    return data


@pytest.fixture
def folder(tmp_path: Path, array: np.ndarray) -> Path:
    folder = tmp_path / "constants"
    calibvcs.init(folder, bare=True)
    with calibvcs.open(folder) as repository:
        repository.detector.add("jungfrau-3", segments=["a", "b"], parameters={"panel_shape": [64, 128]})
        repository.add("jungfrau-3", "pedestals", array, begin=0, message="x", force_reason="Dead pixels")
        repository.add("jungfrau-3", "settings", "gain = 3\n", begin=0, message="x", force_reason="New")
    return folder


@pytest.fixture
def store(folder: Path) -> Iterator[GitStore]:
    with GitStore(folder) as store:
        yield store


def summary(store: GitStore, name: ConstantName = NAME) -> ArraySummary:
    return summary_of(Catalogue(Snapshot(store, store.tip())), name).summary


def payload(folder: Path) -> Path:
    with GitStore(folder) as store:
        blob = Catalogue(Snapshot(store, store.tip())).payload(NAME)[1].id
    return folder / "objects" / blob[:2] / blob[2:]


@pytest.mark.parametrize("threads", [False, True])
def test_the_same_as_in_memory(
    store: GitStore, array: np.ndarray, threads: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(array_summaries, "_LARGE", 1 if threads else 1 << 40)
    expected = summarise(array, dims=DIMS, kind="values")
    assert repr(summary(store)) == repr(expected)  # NaN
    assert repr(summary(store)) == repr(expected)


def test_it_is_known_to_later_processes(folder: Path) -> None:
    with GitStore(folder) as store:
        first = summary(store)
    payload(folder).unlink()
    with GitStore(folder) as store:
        assert summary(store) == first
    (folder / CACHE).unlink()
    with GitStore(folder) as store, pytest.raises(DamagedObjectError, match="jungfrau-3/pedestals/0-end"):
        summary(store)


@pytest.mark.parametrize("text", ["", "{", "[1, 2]", "[[], [], 3]", "[[[1]], [[1]], []]", "[[[[1]]], [], []]", "null"])
def test_what_cannot_be_understood_is_read_anew(folder: Path, text: str) -> None:
    with GitStore(folder) as store:
        first = summary(store)
    with sqlite3.connect(folder / CACHE) as connection:
        changed = connection.execute("UPDATE facts SET text = ? WHERE id LIKE 'array-summary%'", [text]).rowcount
    connection.close()
    assert changed == 1
    with GitStore(folder) as store:
        assert summary(store) == first


def test_what_is_remembered_is_plain_json(folder: Path, store: GitStore) -> None:
    summary(store)
    with sqlite3.connect(folder / CACHE) as connection:
        rows: list[Any] = connection.execute("SELECT id, text FROM facts WHERE id LIKE 'array-summary%'").fetchall()
    connection.close()
    assert [key.split()[2:] for key, _ in rows] == [["values", "gain,segment,row,column"]]
    assert [len(part) for part in json.loads(rows[0][1])] == [3, 6, 6]


def test_damage_is_told_and_not_remembered(folder: Path) -> None:
    file = payload(folder)
    file.chmod(0o644)
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    for _ in range(2):
        with GitStore(folder) as store, pytest.raises(DamagedObjectError):
            summary(store)


def test_text_has_none(store: GitStore) -> None:
    with pytest.raises(InvalidOptionError, match=r"git blame .*settings/0-end/data.txt"):
        summary(store, ConstantName.parse("jungfrau-3/settings/0-end"))


def test_blocks_may_be_spread_over_the_file(
    store: GitStore, array: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    dims = ("row", "gain", "column", "segment")
    monkeypatch.setattr("calibvcs.model.detector.Detector.dims", lambda *_: dims)
    assert repr(summary(store)) == repr(summarise(array, dims=dims, kind="values"))
