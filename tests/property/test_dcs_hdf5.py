"""Files of the Detector Calibration Store: what is written is read; what comes in goes out again, as often as one likes."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from calibvcs.formats.dcs.dcs_hdf5 import DcsCtype, DcsFile, DcsRange, DcsVersion, Notes, range_key
from calibvcs.formats.dcs.dcs_reading import DcsReader
from calibvcs.formats.dcs.dcs_writing import write
from calibvcs.model.commits import Person
from calibvcs.model.names import DetectorName
from calibvcs.ops.catalogue import Catalogue
from calibvcs.ops.dcs.content import Stored, content
from calibvcs.ops.dcs.export_hdf5 import Wanted, constants
from calibvcs.ops.dcs.import_hdf5 import Part, import_hdf5
from calibvcs.ops.dcs.ranges import validity_of
from calibvcs.ops.dcs.records import MARK
from calibvcs.ops.init import init
from calibvcs.ops.verify import verify
from calibvcs.store.memory import MemoryStore
from calibvcs.store.snapshot import Snapshot

Data = Mapping[tuple[str, str, int], np.ndarray[Any, Any] | bytes]

NAME = DetectorName.parse("opal1000-7")
_DTYPES = ("b1", "i1", "u2", "i4", "u8", "f2", "f4", "f8", "c8")
_texts = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=20)
_printable = st.characters(exclude_categories=["C", "Z"], exclude_characters="/", include_characters=" ")
_keys = st.one_of(
    st.sampled_from(["author", "run", "experiment", "dcs", "a.json", "calibvcs_x", "unit", "x" * 300]),
    st.text(_printable, min_size=1, max_size=9).filter(lambda key: key != "."),
)
_floats = st.floats(allow_nan=False)
_scalars = st.one_of(
    st.integers(-(2**63), 2**63 - 1), _floats, _texts, st.sampled_from(["[1, 2.5]", '{"a": [true]}', "[1,2]", "nan"])
)
_times = st.one_of(st.floats(0, 4e9).map(lambda time: f"{time:.6f}"), _keys)
_notes = st.builds(Notes, st.dictionaries(_keys, _scalars, max_size=4), st.dictionaries(_times, _texts, max_size=3))
_names = st.sampled_from(["pedestals", "geometry_old", "hits", "pixel_mask", "x1"])


@st.composite
def _ranges(draw: st.DrawFn, name: str) -> tuple[list[DcsRange], Data]:
    found: dict[object, DcsRange] = {}
    data: dict[tuple[str, str, int], np.ndarray[Any, Any] | bytes] = {}
    for _ in range(draw(st.integers(0, 3))):
        begin = draw(st.one_of(st.floats(0, 4e9), st.integers(0, 9).map(float)))
        end = draw(st.one_of(st.none(), st.floats(begin, 4.2e9), st.just(1e12)))
        key = range_key(begin, end)
        numbers = sorted(draw(st.sets(st.integers(1, 9), max_size=3)))
        one = DcsRange(key, begin, end, draw(st.integers(0, 9)), notes=draw(_notes))
        if validity_of(one) in found or key in {other.key for other in found.values()}:
            continue
        versions = []
        for number in numbers:
            dtype = np.dtype(draw(st.sampled_from(_DTYPES)))
            text = draw(_texts) + "x"
            array = np.full(draw(st.sampled_from([(1,), (2, 3), (2, 1, 2)])), draw(st.integers(0, 99))).astype(dtype)
            as_text = draw(st.booleans()) and draw(st.booleans())
            form = ("text", ()) if as_text else (dtype.name, array.shape)
            tsprod = draw(st.one_of(st.none(), st.floats(0, 4e9), _floats))
            versions.append(DcsVersion(number, tsprod, draw(_notes), *form))
            data[name, key, number] = text.encode() if as_text else array
        found[validity_of(one)] = replace(one, versions=tuple(versions))
    return sorted(found.values(), key=lambda one: one.key), data


@st.composite
def files(draw: st.DrawFn) -> tuple[DcsFile, Data]:
    """Return a file of everything that the schema allows, and its data."""
    ctypes, data = [], dict[tuple[str, str, int], np.ndarray[Any, Any] | bytes]()
    for name in sorted(draw(st.sets(_names, max_size=3))):
        ranges, more = draw(_ranges(name))
        ctypes.append(DcsCtype(name, tuple(ranges), draw(_notes)))
        data.update(more)
    others = st.sampled_from(["", "opal1000-6", "Opal-X:1", "no name"])
    made = DcsFile(
        "opal1000", "7", "opal1000-7", draw(st.one_of(st.none(), _floats)), draw(others), draw(others), tuple(ctypes),
        draw(_notes),
    )  # fmt: skip
    return made, data


def same_data(a: np.ndarray[Any, Any] | bytes, b: np.ndarray[Any, Any] | bytes) -> bool:
    if isinstance(a, bytes) or isinstance(b, bytes):
        return a == b
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def written(path: str, file: DcsFile, data: Data) -> str:
    write(path, file, lambda *key: data[key])
    return path


@given(files())
def test_what_is_written_is_read(made: tuple[DcsFile, Data]) -> None:
    file, data = made
    with tempfile.TemporaryDirectory() as folder, DcsReader(written(f"{folder}/a.h5", file, data)) as reader:
        assert reader.file == file
        assert reader.problems == ()
        assert all(same_data(reader.data(*key), value) for key, value in data.items())


@given(files())
@settings(max_examples=25)
def test_what_comes_in_goes_out_again(made: tuple[DcsFile, Data]) -> None:
    file, data = made
    with tempfile.TemporaryDirectory() as folder:
        first = taken(written(f"{folder}/a.h5", file, data))
        assert unmarked(first.file) == unmarked(file)
        assert all(same_data(first.data(*key), value) for key, value in data.items())
        write(f"{folder}/b.h5", first.file, first.data)
        second = taken(f"{folder}/b.h5")
        write(f"{folder}/c.h5", second.file, second.data)
        assert second.file == first.file
        assert Path(f"{folder}/c.h5").read_bytes() == Path(f"{folder}/b.h5").read_bytes()


def taken(path: str) -> Stored:
    """Import a file, twice, and return what an export would write."""
    store = MemoryStore()
    author = Person("Grace", "grace@example.org", "Grace", "grace@example.org", lambda: (1_767_225_600, 0))
    init(store, author, "Constants")
    result = import_hdf5(store, author, path, Part())
    assert result.passed_over == ()
    assert import_hdf5(store, author, path, Part()).commit == result.commit
    catalogue = Catalogue(Snapshot(store, store.tip()))
    assert verify(catalogue).sound
    wanted = Wanted(versions="all")
    return content(catalogue, NAME, constants(catalogue, NAME, wanted, []), every_version=True, whole=True)


def unmarked(file: DcsFile) -> DcsFile:
    """Return a file without the parameters of calibvcs itself."""

    def plain(notes: Notes) -> Notes:
        return Notes({key: value for key, value in notes.parameters.items() if not key.startswith(MARK)}, notes.history)

    ctypes = []
    for ctype in file.ctypes:
        ranges = []
        for one in ctype.ranges:
            versions = tuple(replace(version, notes=plain(version.notes)) for version in one.versions)
            ranges.append(replace(one, versions=versions, notes=plain(one.notes)))
        ctypes.append(replace(ctype, ranges=tuple(ranges), notes=plain(ctype.notes)))
    return replace(file, ctypes=tuple(ctypes), notes=plain(file.notes))
