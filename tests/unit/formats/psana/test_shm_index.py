"""The index of shared memory: comes back as it was; names of files in it reach nowhere else."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import Any

import pytest

from calibvcs.errors import InvalidDataError
from calibvcs.formats.psana.shm_index import SharedConstant, SharedDetector, SharedFile, ShmIndex, decode, encode

ARRAY = SharedConstant(
    "pedestals", "jungfrau-1/pedestals/0-end", "v2", "c" * 40, "b" * 40, 4224, "float32", (3, 2, 4, 8), "ADU", 0, None, {"run": 7}
)  # fmt: skip
TEXT = replace(ARRAY, ctype="geometry", blob="d" * 40, dtype="text", shape=(), text="Größe\n", end=100)
INDEX = ShmIndex(
    "a" * 40, "/data/constants", "mfx1", 7, 100.5, 1e9, {"detectors": ["jungfrau"]},
    (SharedDetector("jungfrau", "jungfrau-1", "jungfrau_1", (ARRAY, TEXT)), SharedDetector("hsd", "", "hsd_1")),
    (SharedFile("calibconst.pkl", 100, 5), SharedFile("jungfrau_calibc_cache.pkl", 1, 2, "made of")),
)  # fmt: skip


def changed(**fields: Any) -> bytes:
    return json.dumps({**json.loads(encode(INDEX)), **fields}).encode()


def changed_constant(**fields: Any) -> bytes:
    constant = {**asdict(ARRAY), **fields}
    return changed(detectors=[{"name": "j", "detector": "", "longname": "", "constants": [constant]}])


def test_it_comes_back_as_it_was() -> None:
    assert decode(encode(INDEX), "x") == INDEX
    assert decode(encode(replace(INDEX, run=None, detectors=(), files=())), "x").run is None


def test_payloads_are_the_files_of_arrays() -> None:
    assert INDEX.payloads == {"b" * 40 + ".npy"}
    assert (ARRAY.validity, TEXT.validity) == ("0-end", "0-100")


@pytest.mark.parametrize(
    "data",
    [
        b"", b"{", b"[]", b"null", b"\xff", b"[" * 100_000, b"{}", changed(schema="calibvcs.shm-index/2"), changed(commit=3),
        changed(run="7"), changed(run=True), changed(detectors={}), changed(detectors=[3]), changed(files=[{}]),
        changed(files=[{"name": "../calibconst.pkl", "size": 1, "modified": 1}]),
        changed(files=[{"name": ".hidden", "size": 1, "modified": 1}]),
        changed(files=[{"name": "x", "size": -1, "modified": 1}]), changed(time=None), changed(request=[]),
        changed_constant(blob="../../etc/passwd"), changed_constant(blob="B" * 40), changed_constant(blob="b" * 41),
        changed_constant(shape=[0]), changed_constant(shape=[-1]), changed_constant(shape=[2**60]),
        changed_constant(shape=[1] * 33), changed_constant(shape=["1"]), changed_constant(text=3), changed_constant(size=2**70),
    ],
    ids=range(29),
)  # fmt: skip
def test_everything_else_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidDataError, match=r"index\.json"):
        decode(data, "index.json")
