"""Packs made while they are sent: every object comes out as it went in, in little memory."""

from __future__ import annotations

import hashlib
import random
import tracemalloc
import zlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from calibvcs.errors import DamagedObjectError
from calibvcs.store.git import GitStore
from calibvcs.store.initialise import initialise
from calibvcs.store.objects.encoding import object_id
from calibvcs.store.packs.receiving import PackReceiver
from calibvcs.store.remotes.missing import Lacking
from calibvcs.store.remotes.sending import entries_to_send, pack_chunks

NOISE = random.Random(7).randbytes(3 << 20)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> GitStore:
    return initialise(tmp_path_factory.mktemp("sending") / "store", bare=True)


def sent(store: GitStore, ids: list[str], objects: Path) -> GitStore:
    target = initialise(objects, bare=True)
    with PackReceiver(target.folder / "objects", "test", lambda _: None, lambda _: False) as receiver:
        for chunk in pack_chunks(store, [Lacking("blob", one) for one in ids]):
            receiver.write(chunk)
        assert receiver.finish().objects == len(ids)
    return target


parts = st.lists(
    st.one_of(
        st.tuples(st.just("noise"), st.sampled_from([1, 65_534, 65_535, 65_536, 1_048_560, 1_048_561, 2_000_000])),
        st.tuples(st.just("zeros"), st.sampled_from([1, 65_535, 1_048_560, 1_500_000])),
    ),
    max_size=3,
)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parts)
def test_every_mixture_of_noise_and_zeros_comes_out_as_it_went_in(
    store: GitStore, tmp_path_factory: pytest.TempPathFactory, pieces: list[tuple[str, int]]
) -> None:
    content = b"".join(NOISE[:size] if what == "noise" else bytes(size) for what, size in pieces)
    wanted = store.put_blob([content])
    with sent(store, [wanted], tmp_path_factory.mktemp("sent")) as target:
        assert target.blob(wanted) == content
        out = bytearray(len(content))
        target.blob_into(wanted, 0, memoryview(out))
        assert out == content


def test_noise_is_stored_zeros_are_deflated_and_a_mixture_is_both(store: GitStore) -> None:
    for content, longest in (
        (NOISE, len(NOISE) + 400),
        (bytes(8 << 20), 50_000),
        (bytes(4 << 20) + NOISE, len(NOISE) + 30_000),
    ):
        wanted = store.put_blob([content])
        chunks = list(pack_chunks(store, [Lacking("blob", wanted)]))
        assert sum(map(len, chunks)) < longest
        assert max(map(len, chunks)) < 1_100_000
        data = b"".join(chunks)
        assert data[-20:] == hashlib.sha1(data[:-20], usedforsecurity=False).digest()
        stream = zlib.decompressobj()
        assert stream.decompress(data[data.index(b"\x78\x01") :]) == content
        assert len(stream.unused_data) == 20


def test_a_large_object_is_never_in_memory_as_a_whole(tmp_path: Path) -> None:
    with initialise(tmp_path, bare=True) as store:
        wanted = store.put_blob([NOISE * 16])
        tracemalloc.start()
        try:
            for _ in pack_chunks(store, [Lacking("blob", wanted)]):
                pass
            most = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert most < 8 << 20


def test_entries_for_dulwich_have_what_it_asks_for_and_their_bytes_are_counted(store: GitStore) -> None:
    wanted = store.put_blob([NOISE])
    counted: list[int] = []
    (entry,) = entries_to_send(store, [Lacking("blob", wanted)], counted.append)
    assert (entry.pack_type_num, entry.delta_base, entry.sha().hex()) == (3, None, wanted)
    assert sum(len(chunk) for chunk in entry.comp_chunks) == sum(counted)
    (plain,) = entries_to_send(store, [Lacking("blob", wanted)], None)
    assert b"".join(plain.comp_chunks) == b"".join(entry.comp_chunks)


def test_a_damaged_object_is_not_sent_to_its_end(tmp_path: Path) -> None:
    with initialise(tmp_path, bare=True) as store:
        wanted = store.put_blob([NOISE])
        path = store.folder / "objects" / wanted[:2] / wanted[2:]
        data = bytearray(path.read_bytes())
        data[2_000_000] ^= 1
        path.chmod(0o644)
        path.write_bytes(data)
        with pytest.raises(DamagedObjectError, match=wanted):
            list(pack_chunks(store, [Lacking("blob", wanted)]))
        with pytest.raises(DamagedObjectError):
            list(pack_chunks(store, [Lacking("blob", object_id("blob", [b"not here"]))]))
