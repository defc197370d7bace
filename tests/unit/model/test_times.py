"""Times: whatever a user has in hand becomes UNIX seconds."""

import math
from datetime import UTC, date, datetime, timedelta, timezone
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest

from calibvcs.errors import InvalidNameError, InvalidTimeError
from calibvcs.model.times import FIRST_STAMP, PSANA_EPOCH, RunName, as_text, parse_end, parse_time
from calibvcs.model.validity import TIME_LIMIT

T = 1_767_225_600  # 2026-01-01T00:00:00Z
STAMP = (T - PSANA_EPOCH) << 32
PST = timezone(timedelta(hours=-8))


@pytest.mark.parametrize(
    "given",
    [
        T,
        float(T),
        np.int64(T),
        np.uint32(T),
        np.float64(T),
        "1767225600",
        " 1767225600 ",
        "1767225600.0",
        "1767225600.",
        "+1767225600",
        "2026-01-01",
        "2026-01-01T00:00",
        "2026-01-01T00:00:00",
        "2026-01-01 00:00:00",
        "2026-01-01T00:00:00Z",
        "2026-01-01T00:00:00+00:00",
        "2025-12-31T16:00:00-08:00",
        "2026-01-01T05:30:00+05:30",
        "20260101T000000",
        datetime(2026, 1, 1),  # noqa: DTZ001 - naive on purpose
        datetime(2026, 1, 1, tzinfo=UTC),
        datetime(2025, 12, 31, 16, tzinfo=PST),
        np.datetime64("2026-01-01"),
        np.datetime64("2026-01"),
        np.datetime64("2026"),
        np.datetime64("2026-01-01T00:00:00"),
        np.datetime64("2026-01-01T00:00:00.000000000"),
        STAMP,
        str(STAMP),
        np.uint64(STAMP),
        SimpleNamespace(timestamp=STAMP),
        SimpleNamespace(timestamp=np.uint64(STAMP)),
        Fraction(T),
    ],
    ids=repr,
)
def test_every_kind_of_time_is_the_same_second(given: object) -> None:
    assert parse_time(given) == T  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "given",
    [
        T + 0.25,
        "1767225600.25",
        "2026-01-01T00:00:00.25",
        "2026-01-01T00:00:00.250Z",
        datetime(2026, 1, 1, microsecond=250_000, tzinfo=UTC),
        np.datetime64("2026-01-01T00:00:00.25"),
        STAMP | 250_000_000,
        SimpleNamespace(timestamp=STAMP | 250_000_000),
    ],
    ids=repr,
)
def test_a_fraction_of_a_second_is_kept(given: object) -> None:
    assert parse_time(given) == T + 0.25  # type: ignore[arg-type]


@pytest.mark.parametrize("given", [T, str(T), "2026-01-01", STAMP, np.int64(T), np.datetime64("2026-01-01")], ids=repr)
def test_whole_seconds_stay_whole_numbers(given: object) -> None:
    assert isinstance(parse_time(given), int)  # type: ignore[arg-type]


def test_psana_counts_from_1990() -> None:
    assert datetime(1990, 1, 1, tzinfo=UTC).timestamp() == PSANA_EPOCH
    assert parse_time(4776162078881255856) == pytest.approx(1_743_188_891.881_255_856)  # an event of 2025-03-28
    assert as_text(parse_time(4776162078881255856)) == "2025-03-28T19:08:11Z"  # type: ignore[arg-type]


def test_the_stamp_of_an_event_may_be_as_old_as_simulated_data() -> None:
    assert parse_time(SimpleNamespace(timestamp=(1 << 32) | 500_000_000)) == PSANA_EPOCH + 1.5
    assert parse_time(SimpleNamespace(timestamp=0)) == PSANA_EPOCH


@pytest.mark.parametrize(
    "given",
    [
        T * 1000,  # milliseconds
        T * 1_000_000,
        T * 1_000_000_000,
        20260101120000,  # a time of psana's text kind
        TIME_LIMIT,
        (FIRST_STAMP - PSANA_EPOCH - 1) << 32,
        STAMP | 1_000_000_000,  # no billion of nanoseconds
        STAMP | 0xFFFFFFFF,
        (TIME_LIMIT - PSANA_EPOCH) << 32,
        2**64,
        10**30,
    ],
)
def test_a_large_number_that_is_no_stamp_is_no_time(given: int) -> None:
    for form in (given, str(given)):
        with pytest.raises(InvalidTimeError) as caught:
            parse_time(form)
        assert str(given) in caught.value.problem


def test_the_first_stamp_that_is_taken_is_of_2009() -> None:
    assert parse_time((FIRST_STAMP - PSANA_EPOCH) << 32) == FIRST_STAMP
    assert as_text(FIRST_STAMP) == "2009-01-01T00:00:00Z"


@pytest.mark.parametrize("given", ["20260101", "19991231", "20240229"])
def test_a_date_without_dashes_is_not_taken_for_seconds(given: str) -> None:
    with pytest.raises(InvalidTimeError, match=f"{given[:4]}-{given[4:6]}-{given[6:]}"):
        parse_time(given)
    assert parse_time(int(given)) == int(given), "a number in a program is what it says"


@pytest.mark.parametrize("given", ["0", "2026", "20261301", "20250229", "10000000", "99999999"])
def test_other_short_numbers_are_seconds(given: str) -> None:
    assert parse_time(given) == int(given)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("mfx101332224:7", RunName("mfx101332224", 7)),
        ("mfx101332224:r0007", RunName("mfx101332224", 7)),
        ("mfx101332224:run7", RunName("mfx101332224", 7)),
        (" cxi_1:0 ", RunName("cxi_1", 0)),
        (RunName("cxi1", 3), RunName("cxi1", 3)),
    ],
)
def test_a_run_is_left_for_the_run_table(given: str | RunName, expected: RunName) -> None:
    assert parse_time(given) == expected
    assert parse_end(given) == expected
    assert parse_time(str(expected)) == expected


def test_the_experiment_of_a_run_is_a_name() -> None:
    with pytest.raises(InvalidNameError, match="did you mean 'mfx1'"):
        parse_time("MFX1:7")
    with pytest.raises(InvalidNameError):
        parse_time("experiments:7")


@pytest.mark.parametrize(
    "given", ["mfx1:", "mfx1:x", ":7", "mfx1:-1", "mfx1:1:2", "mfx-1:7", "mfx1: 7", "mfx1:1234567890"]
)
def test_what_is_no_run_is_no_time(given: str) -> None:
    with pytest.raises(InvalidTimeError):
        RunName.parse(given)
    with pytest.raises(InvalidTimeError):
        parse_time(given)


def test_now_is_now() -> None:
    before = datetime.now(tz=UTC).timestamp()
    assert before <= float(parse_time("now")) <= before + 60  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "given",
    [
        "", " ", "end", "yesterday", "NOW", "1e9", "0x10", "1_000", "--5", "1.5.2", "2026-13-01", "2026-02-30", "2026-01-01T25:00",
        "2026-01-01T00:00:00X", "2026-01-01T00:00:00 PST", "nan", "inf", "-inf", "1767225600s", "\u0661\u0662", "\0", "\ud800", "ü",
        True, False, np.True_, None, [], {}, (T,), b"1767225600", 1j, date(2026, 1, 1), timedelta(1), np.timedelta64(5, "s"),
        np.timedelta64(5, "D"), np.datetime64("NaT", "s"), np.array([T]), SimpleNamespace(timestamp=None), SimpleNamespace(timestamp=1.5),
        SimpleNamespace(timestamp=lambda: 5), object(),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused(given: object) -> None:
    with pytest.raises(InvalidTimeError) as caught:
        parse_time(given)  # type: ignore[arg-type]
    assert "ISO 8601" in caught.value.hint


@pytest.mark.parametrize(
    "given",
    [
        -1, -0.5, "-1", "-0.001", "1969-12-31", "1970-01-01T00:00:00+01:00", "0001-01-01", math.nan, math.inf, -math.inf,
        np.float64("nan"), np.float32("inf"), np.int64(-1), datetime(1969, 12, 31, tzinfo=UTC), np.datetime64("1969-12-31"),
        np.datetime64("1500-01-01"), np.datetime64(-1, "ns"), -(10**5000), -(1 << 32),
    ],
    ids=lambda given: repr(given)[:30] if not isinstance(given, int) else f"int{given.bit_length()}",
)  # fmt: skip
def test_a_time_before_1970_or_not_finite_is_refused(given: object) -> None:
    with pytest.raises(InvalidTimeError, match="not before 1970"):
        parse_time(given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "given",
    [
        float(TIME_LIMIT), 1e300, "4294967296.0", "2106-02-07T06:28:16Z", "9999-12-31T23:59:59", datetime(2200, 1, 1, tzinfo=UTC),
        np.datetime64("2200-01-01"), np.datetime64("2600-01-01"), np.datetime64("2600-01-01T00:00:00"), np.datetime64(10**12, "Y"),
        np.datetime64(2**62, "s"),
    ],
    ids=repr,
)  # fmt: skip
def test_a_time_behind_2106_is_refused(given: object) -> None:
    with pytest.raises(InvalidTimeError, match="2106"):
        parse_time(given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "given", [TIME_LIMIT - 1, "2106-02-07T06:28:15Z", np.datetime64("2106-02-07T06:28:15")], ids=repr
)
def test_the_last_second_is_in_2106(given: object) -> None:
    assert parse_time(given) == TIME_LIMIT - 1  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "given", ["9" * 5000, "9" * 40 + ".5", "1" * 309, "0" * 100_000, 10**5000], ids=lambda g: f"{type(g)}"
)
def test_a_number_of_any_length_is_refused_as_a_time(given: str | int) -> None:
    with pytest.raises(InvalidTimeError) as caught:
        parse_time(given)
    assert len(caught.value.problem) < 500


def test_a_negative_stamp_of_an_event_is_refused() -> None:
    for stamp in (-1, -(1 << 32), -(1 << 63)):
        with pytest.raises(InvalidTimeError):
            parse_time(SimpleNamespace(timestamp=stamp))


@pytest.mark.parametrize("given", [None, "end", " end "])
def test_no_end_is_an_open_end(given: str | None) -> None:
    assert parse_end(given) is None


def test_an_end_is_a_time_otherwise() -> None:
    assert parse_end("2026-01-01") == T
    assert parse_end(0) == 0
    for wrong in ("", "END", "never", -1):
        with pytest.raises(InvalidTimeError):
            parse_end(wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "1970-01-01T00:00:00Z"), (T, "2026-01-01T00:00:00Z"), (T + 0.999999, "2026-01-01T00:00:00Z"), (2**32 - 1, "2106-02-07T06:28:15Z")],
)  # fmt: skip
def test_a_time_is_written_in_utc_to_the_second(seconds: float, text: str) -> None:
    assert as_text(seconds) == text
    assert parse_time(text) == math.floor(seconds)
