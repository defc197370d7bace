"""A set of constants: its order, its digest, its citation."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import pytest

from calibvcs.model.lock_file import LockedConstant, LockFile, lock_file
from calibvcs.model.names import ConstantName

A, B = "a" * 40, "b" * 40


def locked(name: str = "opal1000-1/pedestals/5-end", **other: object) -> LockedConstant:
    constant = ConstantName.parse(name)
    path = f"opal1000/opal1000-1/{constant.ctype}/{constant.validity}/data.npy"
    one = LockedConstant(constant, "v1", A, B, path, A, B, 128, "float32", (4, 5))
    return replace(one, **other)  # type: ignore[arg-type]


def made(*constants: LockedConstant, url: str = "/data/constants") -> LockFile:
    return lock_file("mfx", url, A, "2026-02-03T10:00:00Z", constants)


def test_the_same_set_is_the_same_in_any_order_and_from_any_clone() -> None:
    one, two = locked(), locked("opal1000-1/pixel_mask/0-end")
    assert made(two, one, two).constants == (one, two)
    assert made(two, one).digest == made(one, two, url="ssh://elsewhere/constants").digest


@pytest.mark.parametrize(
    "other",
    [{"blob": B}, {"meta": A}, {"commit": B}, {"added": A}, {"version": "v2"}, {"size": 1}, {"shape": (5, 4)}, {"dtype": "int8"}],
    ids=str,
)  # fmt: skip
def test_any_change_shows_in_the_digest(other: dict[str, object]) -> None:
    before = made(locked())
    after = replace(before, constants=(locked(**other),))
    assert before.expected_digest == before.digest == after.digest != after.expected_digest


def test_citation_names_repository_commit_and_set() -> None:
    found = made(locked())
    assert found.citation == (
        f"mfx, 1 detector calibration constant, commit {A[:12]} of 2026-02-03, set {found.digest[:19]}, /data/constants"
    )


def test_validity_is_that_of_the_name() -> None:
    assert (locked().begin, locked().end) == (5, None)
    assert (locked("opal1000-1/pedestals/5-9").begin, locked("opal1000-1/pedestals/5-9").end) == (5, 9)


def test_the_digest_is_the_one_of_its_page() -> None:
    """Any program can make it again from docs/provenance.md; it is written in papers, and never changes."""
    row = {
        "added": "b" * 40, "blob": "a" * 40, "commit": "a" * 40, "constant": "opal1000-1/pedestals/5-end",
        "dtype": "float32", "meta": "b" * 40, "path": "opal1000/opal1000-1/pedestals/5-end/data.npy",
        "shape": [4, 5], "size": 128, "version": "v1",
    }  # fmt: skip
    content = {"commit": "a" * 40, "constants": [row], "date": "2026-02-03T10:00:00Z", "repository": "mfx"}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    assert made(locked()).digest == f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
    assert made(locked()).digest == "sha256:818740291aa0e008e24c882a230cdc6f60a84d212e4cff6974f69b5d23e9cb39"
