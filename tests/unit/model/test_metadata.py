"""What stands beside the data of a constant."""

import dataclasses
import pickle

import pytest

from calibvcs.model.metadata import InputFile, Metadata, Origin, Provenance

METADATA = Metadata(
    "float32", (3, 8, 512, 1024), ("gain", "segment", "row", "column"), "ADU", "subtract", Origin("mfx1", 7, None, "jf"),
    Provenance(("calibvcs", "add"), "calibvcs 1", "grace", "psana1", (InputFile("a.xtc2", 5, "00"),)), {"bias": 300},
)  # fmt: skip


def test_text_has_no_shape() -> None:
    assert Metadata("text").is_text
    assert Metadata("text").shape == ()
    assert not METADATA.is_text


def test_locking_and_unlocking_change_nothing_else() -> None:
    locked = METADATA.lock("validated with run 24")
    assert (locked.locked, locked.lock_reason) == (True, "validated with run 24")
    assert locked != METADATA
    assert locked.unlock() == METADATA


def test_withdrawing_keeps_a_lock() -> None:
    withdrawn = METADATA.lock("validated").withdraw("the shutter was open")
    assert (withdrawn.withdrawn, withdrawn.withdrawn_reason) == (True, "the shutter was open")
    assert (withdrawn.locked, withdrawn.lock_reason) == (True, "validated")
    assert dataclasses.replace(withdrawn, withdrawn=False, withdrawn_reason="").unlock() == METADATA


def test_metadata_do_not_change() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        METADATA.unit = "keV"  # type: ignore[misc]


def test_metadata_survive_pickling() -> None:
    assert pickle.loads(pickle.dumps(METADATA)) == METADATA  # noqa: S301 - our own


def test_nothing_is_said_unless_it_is_given() -> None:
    bare = Metadata("float32", (2, 2))
    assert (bare.unit, bare.convention, bare.origin, bare.provenance) == ("", "", Origin(), Provenance())
    assert not bare.locked
    assert not bare.withdrawn
    assert bare.parameters == {}
