"""Pickles that psana reads: what pickle.load gives, and what hostile files get."""

from __future__ import annotations

import os
import pickle
import random
import struct
from collections import Counter

import numpy as np
import pytest

from calibvcs.errors import InvalidDataError
from calibvcs.formats.psana import psana_pickle
from calibvcs.formats.psana.psana_pickle import AsType
from calibvcs.formats.psana.psana_unpickle import decode, decode_constants

ARRAY = np.arange(24, dtype="f4").reshape(2, 3, 4)
MUTATIONS = int(os.environ.get("CALIBVCS_TEST_MUTATIONS", "400"))


def written(value: object) -> bytes:
    data = b"".join(psana_pickle.encode(value))
    assert len(data) == psana_pickle.size_of(value)
    return data


def loaded(data: bytes) -> object:
    return pickle.loads(data)  # noqa: S301 - as psana does, with what was written here


def constants_pickle(array: np.ndarray = ARRAY) -> bytes:
    constants = {
        "jungfrau": {"pedestals": (array, {"run": 7, "run_end": "end"}), "geometry": ("text", {})},
        "hsd": None,
    }
    return b"".join(psana_pickle.constants_pickle({"jungfrau": "jungfrau_1", "hsd": "hsd_2"}, constants))


@pytest.mark.parametrize(
    "value",
    [
        None, True, False, 0, -1, 2**31 - 1, -(2**31), 2**31, -(2**40), 2**64, 1.5, float("inf"), "", "Größe\n", "x" * 70_000,
        (), (1,), (1, "a", None), [], [1, [2, [3]]], {}, {"a": {"b": (1, 2)}}, {3: 4}, Counter({5: 6}), Counter(),
    ],
    ids=lambda value: repr(value)[:20],
)  # fmt: skip
def test_plain_values_come_back(value: object) -> None:
    data = written(value)
    for back in (loaded(data), decode(data, "x")):
        assert back == value
        assert type(back) is type(value)


@pytest.mark.parametrize("dtype", ["?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "c8", "c16"])
def test_arrays_come_back(dtype: str) -> None:
    array = np.arange(6).reshape(2, 3).astype(dtype)
    data = written([array, array.T, np.empty((0, 3), dtype), array.astype(array.dtype.newbyteorder(">"))])
    for back in (loaded(data), decode(data, "x")):
        assert [one.shape for one in back] == [(2, 3), (3, 2), (0, 3), (2, 3)]
        assert all(one.dtype == np.dtype(dtype) for one in back)
        assert np.array_equal(back[0], array)
        assert np.array_equal(back[1], array.T)
        assert np.array_equal(back[3], array)


def test_what_psana_gets_can_be_written_and_lies_as_c_code_expects_it() -> None:
    array = loaded(constants_pickle())["calib_const"]["jungfrau"]["pedestals"][0]
    assert type(array) is np.ndarray
    assert array.flags.writeable
    assert array.flags.c_contiguous
    assert array.flags.aligned
    assert array.dtype.isnative


def test_arrays_are_not_copied() -> None:
    pieces = [piece for piece in psana_pickle.encode([ARRAY]) if isinstance(piece, memoryview)]
    assert np.shares_memory(np.frombuffer(pieces[0], np.uint8), ARRAY)


def test_another_dtype_is_made_in_blocks() -> None:
    array = np.arange(3 * 2**20, dtype="u2").reshape(3, -1)
    pieces = list(psana_pickle.encode(AsType(array, "uint64")))
    assert max(map(len, pieces)) <= 8 << 20
    back = loaded(b"".join(pieces))
    assert back.dtype == np.uint64
    assert np.array_equal(back, array)


def test_values_too_large_for_float32_become_infinite_without_a_word(recwarn: pytest.WarningsRecorder) -> None:
    assert np.isinf(loaded(written(AsType(np.array([1e300]), "float32")))[0])
    assert not recwarn.list


@pytest.mark.parametrize("value", [object(), b"bytes", {1, 2}, np.array(["a"]), np.array([None]), 1j, 10**700])
def test_other_things_are_refused(value: object) -> None:
    with pytest.raises(InvalidDataError):
        list(psana_pickle.encode([value]))


@pytest.mark.parametrize("protocol", [3, 4, 5])
def test_files_that_python_wrote_are_read(protocol: int) -> None:
    cache = {"raw": {"_pix_rc": [ARRAY, np.asfortranarray(ARRAY)], "_rc_tot_max": [np.uint64(3), 5], "n": None}}
    cache["raw"]["dmulti_imgidx_numentries"] = Counter({3: 4})
    back = decode(pickle.dumps(cache, protocol=protocol), "x")["raw"]
    assert np.array_equal(back["_pix_rc"][0], ARRAY)
    assert np.array_equal(back["_pix_rc"][1], ARRAY)
    assert back["_rc_tot_max"] == [3, 5]
    assert back["dmulti_imgidx_numentries"] == Counter({3: 4})
    big = np.array([1, 2], ">u4")
    assert np.array_equal(decode(pickle.dumps(big, protocol=protocol), "x"), big)


def test_both_parts_are_read() -> None:
    det_info, constants = decode_constants(constants_pickle(), "x")
    assert det_info == {"jungfrau": "jungfrau_1", "hsd": "hsd_2"}
    assert constants["hsd"] is None
    value, document = constants["jungfrau"]["pedestals"]
    assert np.array_equal(value, ARRAY)
    assert not value.flags.writeable
    assert document == {"run": 7, "run_end": "end"}


@pytest.mark.parametrize(
    "value",
    [[], {"det_info": {}}, {"det_info": {"a": 1}, "calib_const": {}}, {"det_info": {}, "calib_const": {"a": {"b": 1}}}],
    ids=repr,
)
def test_other_content_is_refused(value: object) -> None:
    with pytest.raises(InvalidDataError, match="as psana writes them"):
        decode_constants(written(value), "x")


class Evil:
    """What a pickle can do to those who load it."""

    def __reduce__(self) -> tuple[object, ...]:
        return os.system, ("touch /tmp/calibvcs-was-here",)


@pytest.mark.parametrize("protocol", range(6))
def test_nothing_is_ever_called(protocol: int) -> None:
    with pytest.raises(InvalidDataError):
        decode(pickle.dumps({"det_info": Evil()}, protocol=protocol), "x")


WORD = b"\x8c\x05numpy\x8c\x07ndarray\x93"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "0 are left"),
        (b"\x80\x05", "1 bytes are announced"),
        (b"\x80\x05.", "more than one value"),
        (b"\x80\x09N.", "a protocol after 5"),
        (b"\x80\x05\x96" + struct.pack("<Q", 2**62) + b".", "are left"),
        (b"\x80\x05\x8d" + struct.pack("<Q", 2**62) + b".", "allowed are"),
        (b"\x80\x05X\xff\xff\xff\xff.", "allowed are"),
        (b"\x80\x05\x96" + struct.pack("<Q", 1) + b"a.", "bytes or a name"),
        (b"\x80\x05" + WORD + b".", "bytes or a name"),
        (b"\x80\x05" + WORD + b"(M\xff\xffX\x03\x00\x00\x00<f4\x96" + bytes(8) + b"tR.", "on 0 bytes"),
        (b"\x80\x05" + WORD + b"(K\x00X\x03\x00\x00\x00|O8\x96" + bytes(8) + b"tR.", "dtype"),
        (b"\x80\x05}(]N\x75.", "a key of type list"),
        (b"\x80\x05N}\x62.", "a state is given"),
        (b"\x80\x05KKR.", "more than one|something is called|contradicts"),
        (b"cos\nsystem\n(S'x'\ntR.", "os.system is named"),
        (b"\x80\x05]\x94h\x00a.", "more than 50 deep"),
        (b"\x80\x05h\x07.", "contradicts itself"),
        (b"\x80\x05}e.", "a mark is missing"),
        (b"(" * 200_000, "wait to be joined"),
        (b"c" + b"a" * 1000, "a name of more than"),
    ],
)
def test_hostile_files_get_a_clear_error(data: bytes, reason: str) -> None:
    with pytest.raises(InvalidDataError, match=reason):
        decode(data, "hostile.pkl")


def test_what_is_named_again_and_again_is_not_copied_again_and_again() -> None:
    large = dict.fromkeys(range(2000))
    body = b"\x8c\x0bcollections\x8c\x07Counter\x93\x94" + written(large)[2:-1]
    again = body + b"\x85\x94R" + b"h\x00h\x01R" * 2000
    with pytest.raises(InvalidDataError, match="more is copied than the file holds"):
        decode(b"\x80\x05" + again + b".", "bomb.pkl")


def test_values_within_values_do_not_grow() -> None:
    nested = b"\x80\x05)\x94" + b"".join(b"h" + bytes([n]) + b"h" + bytes([n]) + b"\x86\x94" for n in range(40)) + b"."
    with pytest.raises(InvalidDataError, match="more than one value"):
        decode(nested, "bomb.pkl")
    tower: object = ()
    for _ in range(45):
        tower = (tower, tower)
    assert len(decode(pickle.dumps(tower, protocol=5), "tower.pkl")) == 2


def test_mutated_files_give_a_value_or_our_error() -> None:
    """``CALIBVCS_TEST_MUTATIONS=100000`` is the full measure."""
    chance = random.Random(5)
    originals = [constants_pickle(), pickle.dumps({"raw": {"a": ARRAY, "c": Counter({1: 2})}}, protocol=4)]
    for _ in range(MUTATIONS):
        data = bytearray(chance.choice(originals))
        for _ in range(chance.randint(1, 4)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        if chance.random() < 0.2:
            del data[chance.randrange(len(data)) :]
        try:
            decode(bytes(data), "mutated.pkl")
        except InvalidDataError:
            continue
