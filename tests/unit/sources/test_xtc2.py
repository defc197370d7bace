"""The XTC2 reader, on files that the tests write themselves."""

from __future__ import annotations

import mmap
import struct
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from calibvcs.errors import (
    InvalidDataError,
    InvalidOptionError,
    MissingFileError,
    UnknownDetectorError,
    UnknownRunError,
)
from calibvcs.sources.xtc2 import Xtc2Source
from calibvcs.sources.xtc2_datagrams import Service
from calibvcs.sources.xtc2_values import EnumValue
from tests import xtc2_writer as w

BEGIN = 1_767_225_600
WHEN = w.stamp(BEGIN)
FRAME = np.arange(24, dtype=np.uint16).reshape(4, 6)


def blocks(*serials: str, detector: str = "jungfrau", first_key: int = 0x100) -> list[w.Block]:
    return w.raw_blocks(detector, "jungfrau", serials, first_key=first_key)


def write(path: Path, *parts: bytes) -> Path:
    path.write_bytes(b"".join(parts))
    return path


def test_a_whole_run(tmp_path: Path) -> None:
    detectors = {"jf": ("jungfrau", ["a", "b", "c"]), "quad": ("epix10ka", {5: "z", 2: "y"})}
    path = w.write_run(tmp_path / "any name", detectors=detectors, begin=BEGIN, frames=4)
    with Xtc2Source([path]) as source:
        (run,) = source.runs
        assert (run.experiment, run.run, run.begin, run.end) == ("mfx101332224", 7, BEGIN, BEGIN + 6)
        assert (source.experiment, source.run, source.notes, source.ended) == ("mfx101332224", 7, (), True)
        found = {
            one.name: (one.dettype, one.longname, one.segments, one.serials) for one in run.detectors if one.normal
        }
        assert found == {
            "jf": ("jungfrau", "jungfrau_a_b_c", (0, 1, 2), ("a", "b", "c")),
            "quad": ("epix10ka", "epix10ka_y_z", (2, 5), ("y", "z")),
        }
        assert {one.name for one in run.detectors if not one.normal} == {"runinfo", "chunkinfo"}
        for number, event in enumerate(source.events()):
            assert event.stamp == w.stamp(BEGIN + 1 + number, 250)
            assert event.time == pytest.approx(BEGIN + 1 + number + 250e-9)
            assert event.run is run
            assert dict(event.segments) == {"jf": (0, 1, 2), "quad": (2, 5)}
            assert event.damage == {}
            for position, (name, segments) in enumerate(event.segments.items()):
                wanted = np.stack([w.frame(number, position, segment, (4, 6)) for segment in segments])
                assert np.array_equal(event.arrays[name], wanted)
                assert isinstance(event.arrays[name].base, mmap.mmap)
                with pytest.raises(ValueError, match="read-only"):
                    event.arrays[name][0, 0, 0] = 1
            assert event.values("quad")[5]["raw.frame_cnt"] == number
            assert event.values("nobody") == {}
        assert number == 3


def test_arrays_outlive_the_source(tmp_path: Path) -> None:
    with Xtc2Source([w.write_run(tmp_path / "x.xtc2")]) as source:
        array = next(source.events()).arrays["jungfrau"]
    (tmp_path / "x.xtc2").unlink()
    assert np.array_equal(array[0], w.frame(0, 0, 0, (4, 6)))


def test_every_type_of_value(tmp_path: Path) -> None:
    fields = [(f"number{kind}", kind, 0) for kind in range(10)]
    fields += [(f"array{kind}", kind, kind % 5 + 1) for kind in range(10)]
    fields += [("text", 10, 1), ("user.mode:modeEnum", 11, 0), ("low:modeEnum", 12, 0), ("high:modeEnum", 12, 0)]
    block = w.Block(0x123, "jungfrau", "jungfrau", "a", fields, "config")
    numbers = [kind * 25 % 256 if kind < 4 else -kind for kind in range(10)]
    arrays = [np.arange(2 ** (kind % 5 + 1)).reshape((2,) * (kind % 5 + 1)) for kind in range(10)]
    values = w.data(block, [*numbers, *arrays, "Größe 5\ntwo", 1, 0, 1])
    configure = w.datagram(w.CONFIGURE, WHEN, w.names(block) + values)
    with Xtc2Source([write(tmp_path / "x", configure)]) as source:
        found = dict(source.settings("jungfrau")[0])
    for kind in range(10):
        assert found[f"config.number{kind}"] == numbers[kind]
        array = found[f"config.array{kind}"]
        assert array.dtype == np.dtype("<" + w.LETTERS[kind])
        assert np.array_equal(array, arrays[kind])
    assert found["config.text"] == "Größe 5\ntwo"
    assert found["config.user.mode"] == EnumValue(1, "high")
    assert not any("low" in name for name in found), "labels are no values"


def test_the_first_names_block_of_a_segment_tells_serial_and_type(tmp_path: Path) -> None:
    first = w.Block(1, "jf", "jungfrau", "serial", [("a", 1, 0)], "config")
    second = w.Block(2, "jf", "other", "", [("raw", 1, 2)])
    only_config = w.Block(3, "hw", "epixquad", "s", [("a", 1, 0)], "config")
    path = write(tmp_path / "x", w.head([first, second, only_config], "xpptut15", 3, WHEN))
    detector, hardware, *_ = Xtc2Source([path]).detectors
    assert (detector.longname, detector.dettype, detector.normal) == ("jungfrau_serial", "jungfrau", True)
    assert (hardware.longname, hardware.normal) == ("epixquad_s", False), "what only has settings measures nothing"


def test_data_before_shapes(tmp_path: Path) -> None:
    (block,) = blocks("a")
    event = w.datagram(w.L1_ACCEPT, WHEN + 1, w.data(block, [FRAME, 5], shapes_first=False))
    (found,) = Xtc2Source([write(tmp_path / "x", w.head([block], "x", 1, WHEN), event)]).events()
    assert np.array_equal(found.arrays["jungfrau"][0], FRAME)


def test_frames_at_odd_addresses_and_of_one_axis_more(tmp_path: Path) -> None:
    odd = w.Block(1, "odd", "t", "s", [("count", 0, 0), ("raw", 1, 3)])
    event = w.datagram(w.L1_ACCEPT, WHEN + 1, w.data(odd, [1, FRAME.reshape(2, 2, 6)]))
    (found,) = Xtc2Source([write(tmp_path / "x", w.head([odd], "x", 1, WHEN), event)]).events()
    assert np.array_equal(found.arrays["odd"], FRAME.reshape(2, 2, 6))


def test_segments_that_do_not_lie_at_equal_distances_are_copied(tmp_path: Path) -> None:
    three = blocks("a", "b", "c")
    other = w.Block(0x150, "other", "t", "s", [("n", 0, 0)])
    parts = [w.data(three[0], [FRAME, 0]), w.data(other, [1]), w.data(three[1], [FRAME + 1, 0])]
    event = w.datagram(w.L1_ACCEPT, WHEN + 1, b"".join([*parts, w.data(three[2], [FRAME + 2, 0])]))
    (found,) = Xtc2Source([write(tmp_path / "x", w.head([*three, other], "x", 1, WHEN), event)]).events()
    assert np.array_equal(found.arrays["jungfrau"], [FRAME, FRAME + 1, FRAME + 2])
    assert not found.arrays["jungfrau"].flags.writeable


def test_segments_of_different_shapes_are_an_error(tmp_path: Path) -> None:
    two = blocks("a", "b")
    event = w.event(WHEN + 1, two, [FRAME, FRAME[:2]])
    (found,) = Xtc2Source([write(tmp_path / "x", w.head(two, "x", 1, WHEN), event)]).events()
    with pytest.raises(InvalidDataError, match=r"jungfrau: frames of segments of shapes \(4, 6\) and \(2, 6\)"):
        found.arrays["jungfrau"]


def test_streams_are_merged_by_time(tmp_path: Path) -> None:
    left, right = blocks("a", "b"), w.raw_blocks("jungfrau", "jungfrau", {2: "c"})
    events = [w.event(WHEN + 10 * n, left, [FRAME + n, FRAME + n]) for n in (1, 2, 3)]
    one = write(tmp_path / "one", w.head(left, "x", 1, WHEN), *events)
    others = [w.event(WHEN + 10 * n, right, [FRAME + 100 + n]) for n in (1, 3)]
    two = write(tmp_path / "two", w.head(right, None, 0, WHEN), *others, w.event(WHEN + 99, right, [FRAME]))
    for order in ([one, two], [two, one]):
        with Xtc2Source(order) as source:
            (run,) = source.runs
            assert (run.experiment, run.run) == ("x", 1)
            assert run.detectors[0].longname == "jungfrau_a_b_c"
            events = list(source.events())
            assert [event.stamp - WHEN for event in events] == [10, 20, 30, 99]
            assert [event.segments["jungfrau"] for event in events] == [(0, 1, 2), (0, 1), (0, 1, 2), (2,)]
            assert np.array_equal(events[2].arrays["jungfrau"], [FRAME + 3, FRAME + 3, FRAME + 103])
            assert next(source.transitions()).service is Service.Configure


def test_several_configures_and_runs(tmp_path: Path) -> None:
    first, second = blocks("a"), blocks("b", detector="epix")
    path = write(
        tmp_path / "x",
        w.head(first, "x", 1, WHEN), w.event(WHEN + 1, first, [FRAME]), w.datagram(w.END_RUN, WHEN + 2),
        w.begin_run(WHEN + 3, "x", 2), w.event(WHEN + 4, first, [FRAME]), w.datagram(w.END_RUN, WHEN + 5),
        w.head(second, "x", 3, WHEN + (2 << 32)), w.event(WHEN + (3 << 32), second, [FRAME]),
    )  # fmt: skip
    with Xtc2Source([path]) as source:
        assert [(run.run, run.detectors[0].longname) for run in source.runs] == [
            (1, "jungfrau_a"), (2, "jungfrau_a"), (3, "jungfrau_b"),
        ]  # fmt: skip
        assert [list(event.arrays) for event in source.events()] == [["jungfrau"], ["jungfrau"], ["epix"]]
        assert [event.stamp for event in source.events(2)] == [WHEN + 4]
        assert not source.ended
        with pytest.raises(UnknownRunError, match="known: 1, 2, 3"):
            next(source.events(4))
        with pytest.raises(UnknownDetectorError):
            source.settings("epix", 1)
        assert source.settings("epix", 3) == {}


def test_chunks_go_on_in_each_other(tmp_path: Path) -> None:
    (block,) = blocks("a")
    path = tmp_path / "x-r0001-s000-c000.xtc2"
    write(path, w.head([block], "x", 1, WHEN), w.event(WHEN + 1, [block], [FRAME]))
    write(tmp_path / "x-r0001-s000-c001.xtc2", w.event(WHEN + 2, [block], [FRAME]))
    named = w.datagram(w.ENABLE, WHEN + 3, w.data(w.CHUNK_INFO, ["elsewhere.xtc2", 2]))
    with (tmp_path / "x-r0001-s000-c001.xtc2").open("ab") as file:
        file.write(named)
    write(tmp_path / "elsewhere.xtc2", w.event(WHEN + 4, [block], [FRAME]))
    with Xtc2Source([path]) as source:
        assert [event.stamp - WHEN for event in source.events()] == [1, 2, 4]
        assert [one.name for one in source.paths][-1] == "elsewhere.xtc2"
    assert [event.stamp - WHEN for event in Xtc2Source([path], chunks=False).events()] == [1]
    later = Xtc2Source([tmp_path / "x-r0001-s000-c001.xtc2"])
    assert [event.stamp - WHEN for event in later.events()] == [2, 4], "chunk 0 beside it has the Configure"
    (tmp_path / "elsewhere.xtc2").unlink()
    with Xtc2Source([path]) as source:
        assert [event.stamp - WHEN for event in source.events()] == [1, 2]
        assert "chunk 2 is not here" in source.notes[0]


@pytest.mark.parametrize("name", ["../x-r0001-s000-c000.xtc2", "/etc/passwd", "x\x00.xtc2", "..", "", "no-such-suffix"])
def test_names_of_chunks_do_not_lead_elsewhere(name: str, tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (block,) = blocks("a")
    chunk = w.datagram(w.ENABLE, WHEN + 3, w.data(w.CHUNK_INFO, [name, 1]))
    event = w.event(WHEN + 4, [block], [FRAME])
    write(tmp_path / "x-r0001-s000-c000.xtc2", event)
    path = write(tmp_path / "inner" / "y.xtc2", w.head([block], "x", 1, WHEN), chunk)
    with Xtc2Source([path]) as source:
        assert list(source.events()) == []
        assert source.paths == (path,)


def test_small_data_say_where_events_stand(tmp_path: Path) -> None:
    path = w.write_run(tmp_path / "x-r0007-s000-c000.xtc2", frames=5)
    small = tmp_path / "smalldata" / "x-r0007-s000-c000.smd.xtc2"
    small.parent.mkdir()
    small.write_bytes(w.small_data(path.read_bytes()))
    with Xtc2Source([small]) as source, Xtc2Source([path]) as plain:
        assert source.paths == (small, path)
        for event, other in zip(source.events(), plain.events(), strict=True):
            assert event.stamp == other.stamp
            assert np.array_equal(event.arrays["jungfrau"], other.arrays["jungfrau"])
        names = {one.name for one in source.detectors if one.normal}
        assert names == {"jungfrau"}
    content = path.read_bytes()
    path.write_bytes(content[:-200])
    events = Xtc2Source([small]).events()
    with pytest.raises(InvalidDataError, match="does not stand here"):
        list(events)
    path.unlink()
    with Xtc2Source([small]) as source:
        assert [len(event.arrays) for event in source.events()] == [0] * 5
        assert source.notes == (f"cannot read '{path}': no such file or directory",)


def test_damage_is_reported_and_what_is_corrupted_is_not_walked(tmp_path: Path) -> None:
    one, two = blocks("a", "b")
    nonsense = w.xtc(w.SHAPES_DATA, b"nonsense that is no Xtc", source=two.key, damage=w.CORRUPTED | 1)
    stranger = w.xtc(w.SHAPES_DATA, b"?", source=0x7F, damage=w.CORRUPTED)
    parts = [
        w.datagram(w.L1_ACCEPT, WHEN + 1, w.data(one, [FRAME, 0], damage=2) + w.data(two, [FRAME, 0]), damage=4),
        w.datagram(w.L1_ACCEPT, WHEN + 2, w.data(one, [FRAME, 0]) + nonsense + stranger),
        w.datagram(w.L1_ACCEPT, WHEN + 3, b"nothing that can be walked", damage=w.CORRUPTED),
    ]
    first, second, third = Xtc2Source([write(tmp_path / "x", w.head([one, two], "x", 1, WHEN), *parts)]).events()
    assert (first.damage, first.segments) == ({"": 4, "jungfrau": 2}, {"jungfrau": (0, 1)})
    assert (second.damage, second.segments) == ({"jungfrau": 9}, {"jungfrau": (0,)})
    assert (third.damage, dict(third.arrays)) == ({"": 8}, {})


@pytest.mark.parametrize("cut", [1, 30, 60, 117])
def test_a_partial_last_datagram_is_ignored_and_told(cut: int, tmp_path: Path) -> None:
    path = w.write_run(tmp_path / "x.xtc2", end=False)
    content = path.read_bytes()
    path.write_bytes(content[:-cut])
    with Xtc2Source([path]) as source:
        assert len(list(source.events())) == 2
        assert "are a part of a datagram, and are ignored" in source.notes[0]
        assert str(path) in source.notes[0]


def test_what_is_broken_in_the_middle_stops_there_and_says_so(tmp_path: Path) -> None:
    (block,) = blocks("a")
    good = [w.head([block], "x", 1, WHEN), w.event(WHEN + 1, [block], [FRAME])]
    bad = w.datagram(15, WHEN + 2)
    path = write(tmp_path / "x", *good, bad, w.event(WHEN + 3, [block], [FRAME]))
    with Xtc2Source([path]) as source:
        events = source.events()
        assert next(events).stamp == WHEN + 1
        where = sum(map(len, good))
        for _ in range(2):
            with pytest.raises(InvalidDataError, match=f"byte {where}: no datagram: service 15"):
                list(source.events())
        assert f"byte {where}" in source.notes[0]


def test_an_event_that_is_broken_does_not_hide_the_others(tmp_path: Path) -> None:
    (block,) = blocks("a")
    lying = bytearray(w.event(WHEN + 1, [block], [FRAME]))
    lying[24 + 8 : 24 + 12] = struct.pack("<I", 5000)
    stranger = w.datagram(w.L1_ACCEPT, WHEN + 2, w.xtc(w.SHAPES_DATA, source=0x99))
    path = write(tmp_path / "x", w.head([block], "x", 1, WHEN), lying, stranger, w.event(WHEN + 3, [block], [FRAME]))
    first, second, third = Xtc2Source([path]).events()
    with pytest.raises(InvalidDataError, match="an Xtc of 5000 bytes where 12 to"):
        len(first.arrays)
    with pytest.raises(InvalidDataError, match="names id 0x99, which no Configure names"):
        second.values("jungfrau")
    assert np.array_equal(third.arrays["jungfrau"][0], FRAME)


def test_fields_can_be_chosen(tmp_path: Path) -> None:
    raw = w.Block(1, "hsd", "hsd", "s", [("waveform", 1, 1), ("square", 1, 2)])
    fex = w.Block(2, "hsd", "hsd", "s", [("peaks", 8, 2)], "fex")
    event = w.datagram(w.L1_ACCEPT, WHEN + 1, w.data(raw, [[1, 2, 3], FRAME]) + w.data(fex, [[[0.5]]]))
    path = write(tmp_path / "x", w.head([raw, fex], "x", 1, WHEN), event)

    def shape(fields: dict[str, str]) -> tuple[int, ...]:
        (found,) = Xtc2Source([path], fields=fields).events()
        return found.arrays["hsd"].shape

    assert shape({}) == (1, 4, 6)
    assert shape({"hsd": "fex.peaks"}) == (1, 1, 1)
    assert shape({"hsd": "raw.waveform"}) == (1, 3)
    with pytest.raises(InvalidOptionError, match=r"hsd has the arrays \['fex.peaks', 'raw.square', 'raw.waveform'\]"):
        shape({"hsd": "raw.nothing"})
    with pytest.raises(InvalidOptionError, match="there is no 'cspad'"):
        shape({"cspad": "raw.raw"})


def test_a_growing_file_is_followed(tmp_path: Path) -> None:
    content = w.write_run(tmp_path / "whole", frames=6).read_bytes()
    path = write(tmp_path / "x-r0007-s000-c000.xtc2", content[:6700])
    with Xtc2Source([path]) as source:
        before = len(list(source.events()))
        assert source.refresh() == 0
        with path.open("ab") as file:
            file.write(content[6700:-30])
        assert source.refresh() == 6 - before > 0
        assert len(list(source.events())) == 6
        assert source.runs[0].end is None
        with path.open("ab") as file:
            file.write(content[-30:])
        assert (source.refresh(), source.runs[0].end is not None, source.notes) == (0, True, ())
        path.write_bytes(content[:100])
        with pytest.raises(InvalidDataError, match=r"it had \d+ bytes and has 100 now"):
            source.refresh()


def test_follow_waits_for_all_streams(tmp_path: Path) -> None:
    contents = [
        w.write_run(tmp_path / "whole", frames=20, detectors={"jf": ("jungfrau", {n: f"s{n}"})}).read_bytes()
        for n in range(2)
    ]
    paths = [write(tmp_path / f"x{n}", content[:6400]) for n, content in enumerate(contents)]

    def grow() -> None:
        for position in range(6400, len(contents[0]) + 700, 700):
            for path, content in zip(paths, contents, strict=True):
                with path.open("ab") as file:
                    file.write(content[position : position + 700])
                time.sleep(0.002)

    writer = threading.Thread(target=grow)
    with Xtc2Source(paths) as source:
        writer.start()
        events = list(source.follow(interval=0.001))
        writer.join()
        assert [event.segments["jf"] for event in events] == [(0, 1)] * 20
        assert [event.stamp for event in events] == sorted(event.stamp for event in events)


def test_follow_ends_when_nothing_comes(tmp_path: Path) -> None:
    path = w.write_run(tmp_path / "x", end=False)
    with Xtc2Source([path]) as source:
        assert len(list(source.follow(patience=0.01, interval=0.001))) == 3


def test_what_is_no_xtc2_is_refused(tmp_path: Path) -> None:
    (block,) = blocks("a")
    with pytest.raises(MissingFileError):
        Xtc2Source([tmp_path / "nowhere"])
    with pytest.raises(MissingFileError, match="not a regular file"):
        Xtc2Source([tmp_path])
    with pytest.raises(InvalidOptionError):
        Xtc2Source([])
    with pytest.raises(InvalidOptionError, match="does not begin with a Configure"):
        Xtc2Source([tmp_path / "x"], configure=write(tmp_path / "x", w.event(WHEN, [block], [FRAME])))
    for content, reason in (
        (b"", "the file is empty"),
        (b"short", "shorter than the header"),
        (b"\xff" * 100, "no datagram"),
        (w.event(WHEN, [block], [FRAME]), "begins with L1Accept and holds no Configure"),
        (w.head([block], "x", 1, WHEN)[:2000], "ends inside its first datagram, Configure"),
        (w.datagram(w.CONFIGURE, WHEN, extent=3), "extent of 3 bytes"),
        (w.datagram(w.CONFIGURE, WHEN, w.xtc(w.NAMES, b"x" * 100)), "a Names block of 100 bytes"),
        (w.datagram(w.CONFIGURE, WHEN, w.names(w.Block(1, "d", "t", "s", [("a", 13, 0)]))), "type 13 with 0 axes"),
        (w.datagram(w.CONFIGURE, WHEN, w.names(w.Block(1, "d", "t", "s", [("a", 1, 6)]))), "with 6 axes"),
        (w.datagram(w.CONFIGURE, WHEN, w.names(w.Block(1, "d", "t", "s", [("a", 10, 0)]))), "text 'a' with 0 axes"),
    ):
        with pytest.raises(InvalidDataError, match=reason):
            Xtc2Source([write(tmp_path / "bad", content)])


def test_names_cannot_carry_control_characters(tmp_path: Path) -> None:
    block = w.Block(1, "jf\x1b[31m", "t", "s\n", [("raw", 1, 2)])
    (detector, *_) = Xtc2Source([write(tmp_path / "x", w.head([block], "x", 1, WHEN))]).detectors
    assert (detector.name, detector.serials) == ("jf\ufffd[31m", ("s\ufffd",))


def test_a_segment_of_two_streams_is_named_twice_as_psana_does(tmp_path: Path) -> None:
    paths = [
        w.write_run(tmp_path / f"x{n}", detectors={"jf": ("jungfrau", serials)})
        for n, serials in enumerate(({3: "d", 1: "b"}, {0: "a"}, {0: "A"}))
    ]
    with Xtc2Source(paths) as source:
        (jf, *_) = source.detectors
        assert (jf.longname, jf.segments, jf.serials) == ("jungfrau_A_A_b_d", (0, 1, 3), ("A", "b", "d"))
        assert [event.segments["jf"] for event in source.events()] == [(0, 1, 3)] * 3
