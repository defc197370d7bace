"""Random histories with merges: blame, pixels and trends, against what plain numpy says of every commit."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibvcs.formats.toml import meta_toml
from calibvcs.model.commits import Action, Message
from calibvcs.model.layout import constant_folder
from calibvcs.model.names import ConstantName
from calibvcs.ops.statistics.blame import blame
from calibvcs.ops.statistics.pixel_history import pixel_history
from calibvcs.ops.statistics.trend import trend
from calibvcs.store.snapshot import Snapshot
from tests.unit.ops.branches import PEDESTALS, Branches, metadata

SHAPES = ((3, 2, 2), (2, 2, 2))
PIXEL = (1, 0)

values = st.sampled_from([0.0, -0.0, 1.0, 2.0, float("nan")])
arrays = st.sampled_from([SHAPES[0], SHAPES[0], SHAPES[0], SHAPES[1]]).flatmap(
    lambda shape: st.lists(st.tuples(*[values] * 2), min_size=shape[0], max_size=shape[0])
)
# What each commit holds (None: what its first parent has), and how far back its parents are.
commits = st.lists(
    st.tuples(st.none() | arrays, st.integers(1, 3), st.none() | st.integers(1, 4)), min_size=1, max_size=12
)


def array_of(rows: list[tuple[float, float]]) -> np.ndarray:
    """Return segments of 2 x 2 pixels: one value in the first column, another one in the second."""
    return np.array([[row, row] for row in rows], np.float32)


def grown(history: list[tuple[list[tuple[float, float]] | None, int, int | None]]) -> tuple[Branches, list[str]]:
    store = Branches()
    made = [store.first]
    for rows, back, other in history:
        parents = tuple(dict.fromkeys(made[-n] for n in (back, other) if n is not None and n <= len(made))) or (
            made[-1],
        )
        files: dict[str, bytes | str | None] = {}
        text = "By hand\n"
        if rows is not None:
            file = io.BytesIO()
            np.save(file, array_of(rows))
            meta = replace(metadata(), shape=array_of(rows).shape, dims=("segment", "row", "column"))
            folder = constant_folder(PEDESTALS)
            files = {f"{folder}/data.npy": file.getvalue(), f"{folder}/meta.toml": meta_toml.encode(meta)}
            text = Message("Dark", Action.ADD, (PEDESTALS,)).encode()
        made.append(store.commit_of(parents, files, text))
    return store, made


def held(store: Branches, commit: str, name: ConstantName = PEDESTALS) -> np.ndarray | None:
    data = Snapshot(store, commit).read(f"{constant_folder(name)}/data.npy")
    return None if data is None else np.load(io.BytesIO(data))


def same(a: np.ndarray | None, b: np.ndarray | None) -> bool:
    return a is not None and b is not None and np.array_equal(a, b, equal_nan=True)


def blamed(store: Branches, commit: str, segment: int) -> str:
    """Return who changed a segment last, by going back one commit at a time."""
    now = held(store, commit)
    assert now is not None
    parents = [(parent, array) for parent in store.commit(commit).parents if (array := held(store, parent)) is not None]
    for parent, array in parents:
        if array.tobytes() == now.tobytes() and array.shape == now.shape:
            return blamed(store, parent, segment)
    for parent, array in parents:
        if segment < len(array) and same(array[segment], now[segment]):
            return blamed(store, parent, segment)
    return commit


def pixel_values(store: Branches, commit: str) -> list[tuple[str, float]]:
    """Return every value that a pixel of segment 0 had, by going back one commit at a time."""
    now = held(store, commit)
    assert now is not None
    parents = [(parent, array) for parent in store.commit(commit).parents if (array := held(store, parent)) is not None]
    here = now[0][PIXEL]
    for parent, array in parents:
        if array.tobytes() == now.tobytes() and array.shape == now.shape:
            return pixel_values(store, parent)
    for parent, array in parents:
        if same(array[0][PIXEL], here):
            return pixel_values(store, parent)
    return [(commit, float(here)), *(pixel_values(store, parents[0][0]) if parents else [])]


@given(commits)
def test_blame_is_what_going_back_one_by_one_says(
    history: list[tuple[list[tuple[float, float]] | None, int, int | None]],
) -> None:
    store, made = grown(history)
    tip = made[-1]
    now = held(store, tip)
    if now is None:
        return
    found = blame(store.at(tip), str(PEDESTALS), 0)
    told = {block.segment: block.commit for block in found.blocks}
    assert told == {segment: blamed(store, tip, segment) for segment in range(len(now))}
    assert {commit.commit for commit in found.commits} == set(told.values())

    pixel = pixel_history(store.at(tip), str(PEDESTALS), 0, *PIXEL, segment=0)
    changes = [(change.by.commit, change.values[0]) for change in pixel.changes]
    assert repr(changes).replace("-0.0", "0.0") == repr(pixel_values(store, tip)).replace("-0.0", "0.0")


@given(commits)
def test_trend_is_what_numpy_says(history: list[tuple[list[tuple[float, float]] | None, int, int | None]]) -> None:
    store, made = grown(history)
    catalogue = store.at(made[-1])
    if held(store, made[-1]) is None:
        return
    lines = trend(catalogue, "*", 0, segments=True).lines
    versions = catalogue.history.versions(PEDESTALS)
    assert sorted(line.commit for line in lines) == sorted(version.commit.id for version in versions)
    for line in lines:
        array = held(store, line.commit)
        assert array is not None
        for one in (*line.gains, *line.segments):
            block = array if one.segment is None else array[one.segment]
            finite = block[np.isfinite(block)].astype(np.float64)
            counts = (one.pixels, one.nonfinite, one.zeros)
            assert counts == (block.size, block.size - finite.size, np.count_nonzero(block == 0))
            if finite.size:
                expected = (finite.min(), np.median(finite), finite.max(), finite.mean(), finite.std())
                assert (one.min, one.median, one.max, one.mean, one.rms) == pytest.approx(expected)
            else:
                assert np.isnan([one.min, one.median, one.max, one.mean, one.rms]).all()
