"""Into arrays of the caller, and several constants at once."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import calibvcs
from calibvcs import Repository
from calibvcs.errors import (
    DamagedObjectError,
    InvalidNameError,
    InvalidOptionError,
    NoValidConstantError,
    UnknownConstantError,
    UnknownDetectorError,
)

CAMERA = "opal1000-1"
BEGIN = 1_767_225_600
PIXELS = (4, 5)


def level(value: float) -> np.ndarray:
    return np.full(PIXELS, value, np.float32)


def object_file(folder: Path, blob: str) -> Path:
    return folder / ".git" / "objects" / blob[:2] / blob[2:]


def damage(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[-10] ^= 1
    file.chmod(0o644)
    file.write_bytes(content)


# --- into an array of the caller ------------------------------------------------------------------------------------


def test_out_is_filled_and_returned(repository: Repository) -> None:
    out = np.full(PIXELS, -1, np.float32)
    constant = repository.get(CAMERA, "pedestals", BEGIN, out=out)
    assert constant.data is out
    assert np.array_equal(out, level(20))
    assert repository.get(CAMERA, "pedestals", 5, out=out).data is out
    assert np.array_equal(out, level(10))
    assert np.array_equal(constant.data, level(10))  # the array belongs to the caller


def test_out_may_be_part_of_something_larger(repository: Repository, tmp_path: Path) -> None:
    stack = np.zeros((3, *PIXELS), np.float32)
    repository.get(CAMERA, "pedestals", BEGIN, out=stack[1])
    assert [plane.max() for plane in stack] == [0, 20, 0]
    shared = np.memmap(tmp_path / "shared", np.float32, "w+", shape=PIXELS)
    assert repository.get(CAMERA, "pedestals", BEGIN, out=shared).data is shared
    shared.flush()
    assert np.array_equal(np.fromfile(tmp_path / "shared", np.float32).reshape(PIXELS), level(20))


def read_only() -> np.ndarray:
    out = level(-1)
    out.flags.writeable = False
    return out


UNFIT: dict[str, tuple[Callable[[], Any], str]] = {
    "dtype": (lambda: np.full(PIXELS, -1, np.float64), "float64 (4, 5)"),
    "size alike": (lambda: np.full(PIXELS, -1, np.int32), "int32 (4, 5)"),
    "byte order": (lambda: np.full(PIXELS, -1, ">f4"), "float32 (4, 5), foreign byte order"),
    "shape": (lambda: np.full((5, 4), -1, np.float32), "float32 (5, 4)"),
    "flat": (lambda: np.full(20, -1, np.float32), "float32 (20,)"),
    "Fortran": (lambda: np.full(PIXELS, -1, np.float32, order="F"), "float32 (4, 5), not in C order"),
    "strided": (lambda: np.full((4, 10), -1, np.float32)[:, ::2], "float32 (4, 5), not in C order"),
    "read-only": (read_only, "float32 (4, 5), read-only"),
    "masked": (lambda: np.ma.masked_array(level(-1)), "MaskedArray"),
    "list": (lambda: [[-1.0] * 5] * 4, "list"),
    "bytes": (lambda: bytearray(80), "bytearray"),
}


@pytest.mark.parametrize("name", UNFIT)
def test_out_that_does_not_fit_is_left_alone(repository: Repository, name: str) -> None:
    make, form = UNFIT[name]
    out = make()
    with pytest.raises(InvalidOptionError) as caught:
        repository.get(CAMERA, "pedestals", BEGIN, out=out)
    assert caught.value.given == form
    assert f"{CAMERA}/pedestals/{BEGIN}-end" in str(caught.value)
    assert "needed" in caught.value.allowed
    assert "float32 (4, 5), in C order and writable" in caught.value.allowed
    assert np.all(np.asarray(out) == -1) or isinstance(out, bytearray)


def test_a_text_goes_into_no_array(repository: Repository) -> None:
    with pytest.raises(InvalidOptionError, match="is text"):
        repository.get(CAMERA, "geometry", 5, out=level(0))
    assert isinstance(repository.get(CAMERA, "geometry", 5).data, str)


@pytest.mark.parametrize("dtype", [np.bool_, np.int8, np.uint64, np.float16, np.complex128])
def test_out_of_every_kind(repository: Repository, dtype: type[np.generic]) -> None:
    data = np.arange(20).reshape(PIXELS).astype(dtype)
    repository.add(CAMERA, "something", data, begin=0, message="Why", force_reason="as it is")
    assert np.array_equal(repository.get(CAMERA, "something", 5, out=np.zeros(PIXELS, dtype)).data, data)


@pytest.mark.parametrize("into", [False, True], ids=["new", "out"])
def test_damage_is_told_with_the_constant(folder: Path, into: bool) -> None:
    noise = np.random.default_rng(5).normal(100, 5, (100, 100)).astype(np.float32)
    with calibvcs.open(folder) as repository:
        repository.detector.add("opal1000-2")
        blob = repository.add("opal1000-2", "pedestals", noise, begin=0, message="Noise").constants[0].blob
    damage(object_file(folder, blob))
    with calibvcs.open(folder) as repository, pytest.raises(DamagedObjectError) as caught:
        repository.get("opal1000-2", "pedestals", BEGIN, out=np.zeros_like(noise) if into else None)
    assert caught.value.object_id == blob
    assert "it holds opal1000-2/pedestals/0-end/data.npy" in caught.value.reason
    assert ("what out holds now is undefined" in caught.value.reason) == into


@pytest.mark.parametrize("ctype", ["pedestals", "geometry"])
def test_what_is_missing_is_told_with_the_constant(folder: Path, ctype: str) -> None:
    with calibvcs.open(folder) as repository:
        object_file(folder, repository.get(CAMERA, ctype, BEGIN).blob).unlink()
        out = None if ctype == "geometry" else level(-1)
        with pytest.raises(DamagedObjectError, match=f"it holds {CAMERA}/{ctype}/"):
            repository.get(CAMERA, ctype, BEGIN, out=out)
    assert out is None or np.array_equal(out, level(-1))  # the head of the data is looked at first


# --- several at once ------------------------------------------------------------------------------------------------

CTYPES = ("pedestals", "pixel_gain", "pixel_rms", "geometry", "pixel_status")


@pytest.fixture
def full(repository: Repository) -> Repository:
    """Return the repository with more ctypes."""
    repository.add(CAMERA, "pixel_gain", level(1.5), begin=0, message="Gain")
    repository.add(CAMERA, "pixel_rms", level(3), begin=0, end=100, message="RMS, once")
    repository.add(CAMERA, "pixel_rms", level(2), begin=100, message="RMS")
    repository.add(CAMERA, "pixel_status", np.ones(PIXELS, np.uint64), begin=0, message="Status", force_reason="all")
    return repository


@pytest.mark.parametrize("threads", [None, 1, 2, 3, 16])
def test_get_many_is_many_times_get(full: Repository, threads: int | None) -> None:
    requests = [(name, ctype) for ctype in CTYPES for name in ("front", CAMERA)]
    many = full.get_many(requests, "mfx1:7", threads=threads)
    for (detector, ctype), constant in zip(requests, many, strict=True):
        one = full.get(detector, ctype, "mfx1:7")
        assert (constant.name, constant.blob, constant.meta, constant.at) == (one.name, one.blob, one.meta, one.at)
        assert np.array_equal(constant.data, one.data)
    assert full.get_many([], BEGIN, threads=threads) == ()


def test_get_many_takes_any_iterable_and_state(full: Repository) -> None:
    before = full.commit
    full.add(CAMERA, "pixel_gain", level(1.25), begin=0, message="Better")
    (gain,) = full.get_many(((CAMERA, ctype) for ctype in ["pixel_gain"]), 5, at=before)
    assert (gain.version, gain.at, gain.data[0, 0]) == ("v1", before, 1.5)
    (gain,) = full.get_many([[CAMERA, "pixel_gain"]], 5)  # type: ignore[list-item]
    assert (gain.version, gain.data[0, 0]) == ("v2", 1.25)


def test_get_many_into_arrays(full: Repository) -> None:
    out = [level(0), None, np.zeros(PIXELS, np.uint64)]
    requests = [(CAMERA, "pedestals"), (CAMERA, "geometry"), (CAMERA, "pixel_status")]
    constants = full.get_many(requests, BEGIN, out=out)
    assert constants[0].data is out[0]
    assert isinstance(constants[1].data, str)
    assert constants[2].data is out[2]
    assert np.array_equal(out[0], level(20))
    assert np.all(out[2] == 1)


def test_get_many_looks_at_all_before_it_writes(full: Repository) -> None:
    first = level(-1)
    requests = [(CAMERA, "pedestals"), (CAMERA, "pixel_rms")]
    with pytest.raises(InvalidOptionError, match="pixel_rms/100-end"):
        full.get_many(requests, BEGIN, out=[first, np.zeros(3)])
    with pytest.raises(UnknownConstantError, match="pixel_max"):
        full.get_many([requests[0], (CAMERA, "pixel_max")], BEGIN, out=[first, None])
    assert np.array_equal(first, level(-1))


@pytest.mark.parametrize("requests", [CAMERA, (CAMERA, "pedestals"), [CAMERA], [(CAMERA,)], [(CAMERA, 5)], ["ab"], 5])
def test_get_many_needs_pairs(full: Repository, requests: Any) -> None:
    with pytest.raises(InvalidOptionError, match="pairs of detector and ctype"):
        full.get_many(requests, BEGIN)


def test_get_many_with_arguments_that_make_no_sense(full: Repository) -> None:
    requests = [(CAMERA, "pedestals"), (CAMERA, "pedestals")]
    buffer, stack = level(-1), np.full((7, 5), -1, np.float32)
    with pytest.raises(InvalidOptionError, match="arrays 0 and 1 share memory"):
        full.get_many(requests, BEGIN, out=[buffer, buffer])
    with pytest.raises(InvalidOptionError, match="share memory"):
        full.get_many(requests, BEGIN, out=[stack[:4], stack[3:]])
    with pytest.raises(InvalidOptionError, match="one entry for each of 2"):
        full.get_many(requests, BEGIN, out=[buffer])
    for threads in (0, -1):
        with pytest.raises(InvalidOptionError, match="1 or more"):
            full.get_many(requests, BEGIN, threads=threads)
    assert np.all(buffer == -1)
    assert np.all(stack == -1)
    full.get_many(requests, BEGIN, out=[stack[:4], level(0)])
    assert np.all(stack[4:] == -1)


@pytest.mark.parametrize(
    ("error", "request_", "named"),
    [
        (UnknownDetectorError, ("opal1000-9", "pedestals"), "opal1000-9"),
        (UnknownConstantError, (CAMERA, "pixel_max"), f"{CAMERA}/pixel_max"),
        (NoValidConstantError, ("jungfrau-3", "pedestals"), "jungfrau-3"),
        (InvalidNameError, ("OPAL-1", "pedestals"), "OPAL-1"),
    ],
)
def test_get_many_names_what_is_not_there(
    full: Repository, error: type[Exception], request_: tuple[str, str], named: str
) -> None:
    full.add("jungfrau-3", "pedestals", np.ones((3, 2, 2, 3), np.float32), begin=0, end=9, message="Old")
    with pytest.raises(error, match=named):
        full.get_many([(CAMERA, "pedestals"), request_, (CAMERA, "nothing")], BEGIN)


def test_get_many_raises_the_first_damage_in_the_order_asked_for(full: Repository, folder: Path) -> None:
    for ctype in ("pixel_rms", "pixel_gain"):
        object_file(folder, full.get(CAMERA, ctype, BEGIN).blob).unlink()
    for order in (CTYPES, CTYPES[::-1]):
        damaged = next(ctype for ctype in order if ctype in {"pixel_rms", "pixel_gain"})
        with pytest.raises(DamagedObjectError, match=f"it holds {CAMERA}/{damaged}/"):
            full.get_many([(CAMERA, ctype) for ctype in order], BEGIN, threads=4)


def test_get_many_reads_one_commit(full: Repository, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from calibvcs.ops.catalogue import Catalogue

    choose, levels = Catalogue.choose, iter(range(100, 200))

    def choose_while_others_commit(catalogue: Catalogue, *arguments: Any) -> Any:
        with calibvcs.open(folder) as other:
            value = next(levels)
            other.add(CAMERA, "pixel_gain", level(value), begin=0, message="Meanwhile", force_reason="as it is")
        return choose(catalogue, *arguments)

    before = full.commit
    monkeypatch.setattr(Catalogue, "choose", choose_while_others_commit)
    constants = full.get_many([(CAMERA, "pixel_gain")] * 3, BEGIN)
    assert {constant.at for constant in constants} == {before}
    assert {float(constant.data[0, 0]) for constant in constants} == {1.5}
    assert next(levels) == 103


@given(
    numbers=st.lists(st.integers(0, len(CTYPES) - 1), max_size=12),
    threads=st.integers(1, 5),
    into=st.integers(0, 2**12 - 1),
)
def test_get_many_for_any_requests(once: Repository, numbers: list[int], threads: int, into: int) -> None:
    requests = [(CAMERA, CTYPES[number]) for number in numbers]
    expected = [once.get(*request, BEGIN).data for request in requests]
    out = [
        np.zeros_like(data) if isinstance(data, np.ndarray) and into >> number & 1 else None
        for number, data in enumerate(expected)
    ]
    found = once.get_many(requests, BEGIN, out=out, threads=threads)
    for array, constant, data in zip(out, found, expected, strict=True):
        assert array is None or constant.data is array
        assert np.array_equal(constant.data, data)


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return a repository that many examples share."""
    with pytest.MonkeyPatch.context() as patch:
        for role in ("AUTHOR", "COMMITTER"):
            patch.setenv(f"GIT_{role}_NAME", "Grace Hopper")
            patch.setenv(f"GIT_{role}_EMAIL", "grace@example.org")
        folder = tmp_path_factory.mktemp("once") / "constants"
        calibvcs.init(folder)
        with calibvcs.open(folder) as repository:
            repository.detector.add(CAMERA)
            for number, ctype in enumerate(CTYPES):
                data: Any = "IP:V1 0 CAMERA:V1 0 1.5 -2 100000 90 0 0 0.125 0 0\n"
                if ctype != "geometry":
                    data = np.full((64, 8 << number), number + 1, np.uint64 if "status" in ctype else np.float32)
                repository.add(CAMERA, ctype, data, begin=0, message="Why", force_reason="as it is")
            yield repository


# --- into a file ----------------------------------------------------------------------------------------------------


def test_a_file_appears_whole_or_not_at_all(folder: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    large = rng.normal(100, 5, (800, 1024)).astype(np.float32)  # more than one block
    with calibvcs.open(folder) as repository:
        repository.detector.add("epix100-1")
        blob = repository.add("epix100-1", "pedestals", large, begin=0, message="Large").constants[0].blob
        chosen = repository.choose("epix100-1", "pedestals", 5, output=tmp_path / "large.npy")
    assert np.array_equal(np.load(chosen.output), large)
    damage(object_file(folder, blob))
    before = sorted(tmp_path.iterdir())
    with calibvcs.open(folder) as repository:
        for output in ("other.npy", "large.npy"):
            with pytest.raises(DamagedObjectError):
                repository.choose("epix100-1", "pedestals", 5, output=tmp_path / output)
    assert sorted(tmp_path.iterdir()) == before
    assert np.array_equal(np.load(tmp_path / "large.npy"), large)


# --- how much is checked --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("into", [False, True], ids=["new", "out"])
@pytest.mark.parametrize("verify", ["first", "always", "never"])
def test_verify(folder: Path, verify: Any, into: bool) -> None:
    noise = np.random.default_rng(5).normal(100, 5, (100, 100)).astype(np.float32)
    with calibvcs.open(folder) as repository:
        repository.detector.add("opal1000-2")
        blob = repository.add("opal1000-2", "pedestals", noise, begin=0, message="Noise").constants[0].blob
    file = object_file(folder, blob)
    content = bytearray(zlib.decompress(file.read_bytes()))
    content[-1] ^= 1
    file.chmod(0o644)
    file.write_bytes(zlib.compress(content, 0))  # a sound stream of something else
    with calibvcs.open(folder, verify=verify) as repository:
        for _ in range(2):
            out = np.zeros_like(noise) if into else None
            if verify == "never":
                data = repository.get("opal1000-2", "pedestals", 5, out=out).data
                assert isinstance(data, np.ndarray)
                assert np.count_nonzero(data != noise) == 1
            else:
                with pytest.raises(DamagedObjectError, match="opal1000-2/pedestals/0-end"):
                    repository.get("opal1000-2", "pedestals", 5, out=out)


@pytest.mark.parametrize("verify", ["", "sometimes", None, True])
def test_verify_is_one_of_three(folder: Path, verify: Any) -> None:
    with pytest.raises(InvalidOptionError, match="allowed are first, always, never"):
        calibvcs.open(folder, verify=verify)
