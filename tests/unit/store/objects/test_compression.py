"""The choice between stored and deflated: measured, unless the configuration decides."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from calibvcs.errors import DamagedRepositoryError, InvalidOptionError
from calibvcs.store.objects.compression import SMALL, Chooser, configured

NOISE = [memoryview(os.urandom(SMALL))]
ZEROS = [memoryview(bytes(SMALL))]


def config(folder: Path, text: str) -> Path:
    path = folder / "config"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "auto"),
        ("[core]\n\tbare = true\n", "auto"),
        ("[calibvcs]\n\tcompression = auto\n", "auto"),
        ("[calibvcs]\n\tcompression = store\n", "store"),
        ("[calibvcs]\n\tcompression = Deflate\n", "deflate"),
        ("[Calibvcs]\n\tCompression = deflate\n", "deflate"),
        ("[calibvcs]\n\tcompression = deflate\n[core]\n[calibvcs]\n\tcompression = store\n", "store"),
    ],
)
def test_the_configuration_says_it(tmp_path: Path, text: str, expected: str) -> None:
    assert configured(config(tmp_path, text)) == expected


def test_without_a_configuration_it_is_measured(tmp_path: Path) -> None:
    assert configured(tmp_path / "config") == "auto"


@pytest.mark.parametrize("wrong", ["zip", "9", "stored", "auto store"])
def test_another_value_is_told_with_those_that_are_allowed(tmp_path: Path, wrong: str) -> None:
    path = config(tmp_path, f"[calibvcs]\n\tcompression = {wrong}\n")
    with pytest.raises(InvalidOptionError, match=f"calibvcs.compression '{wrong}': auto, store or deflate") as caught:
        configured(path)
    assert "git config calibvcs.compression auto" in caught.value.hint


def test_a_configuration_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    with pytest.raises(DamagedRepositoryError, match="the configuration cannot be read"):
        configured(tmp_path / "config")


@pytest.mark.parametrize(
    ("compression", "noise", "zeros"), [("auto", False, True), ("store", False, False), ("deflate", True, True)]
)
def test_the_choice(tmp_path: Path, compression: str, noise: bool, zeros: bool) -> None:
    given_ = Chooser(tmp_path / "config", compression)  # type: ignore[arg-type]
    read = Chooser(config(tmp_path, f"[calibvcs]\n\tcompression = {compression}\n"))
    for chooser in (given_, read):
        assert (chooser(NOISE), chooser(ZEROS)) == (noise, zeros)


@pytest.mark.parametrize("compression", ["auto", "store", "deflate"])
def test_small_objects_are_always_deflated(tmp_path: Path, compression: str) -> None:
    chooser = Chooser(tmp_path / "config", compression)  # type: ignore[arg-type]
    assert chooser([memoryview(os.urandom(SMALL - 1))])
    assert chooser([])


def test_the_configuration_is_read_at_the_first_large_object_and_once(tmp_path: Path) -> None:
    path = config(tmp_path, "[calibvcs]\n\tcompression = nonsense\n")
    chooser = Chooser(path)
    assert chooser([memoryview(b"small")])
    with pytest.raises(InvalidOptionError):
        chooser(ZEROS)
    config(tmp_path, "[calibvcs]\n\tcompression = store\n")
    assert not chooser(ZEROS)
    path.unlink()
    assert not chooser(ZEROS)
