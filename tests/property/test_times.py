"""Times: the same second in every notation, and any text is a time in bounds or refused."""

import math
from datetime import UTC, datetime, timedelta, timezone
from types import SimpleNamespace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from calibvcs.errors import InvalidNameError, InvalidTimeError
from calibvcs.model.times import FIRST_STAMP, PSANA_EPOCH, RunName, as_text, parse_end, parse_time
from calibvcs.model.validity import TIME_LIMIT

SECONDS = st.integers(0, TIME_LIMIT - 1)
STAMPED = st.integers(FIRST_STAMP, TIME_LIMIT - 1)
UNITS = ["Y", "M", "W", "D", "h", "m", "s", "ms", "us", "ns", "ps", "fs", "as"]
ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


def seconds(given: object) -> float:
    parsed = parse_time(given)  # type: ignore[arg-type]
    assert not isinstance(parsed, RunName)
    return parsed


@given(SECONDS, ZONES)
def test_all_notations_of_a_second_agree(second: int, zone: timezone) -> None:
    moment = datetime.fromtimestamp(second, tz=UTC)
    local = moment.astimezone(zone)
    for notation in (
        second, float(second), np.int64(second), f"{second}.0", as_text(second), moment, moment.replace(tzinfo=None), local,
        moment.isoformat(), moment.replace(tzinfo=None).isoformat(), local.isoformat(), local.isoformat(" "),
        np.datetime64(second, "s"), np.datetime64(second * 1000, "ms"), np.datetime64(second * 10**9, "ns"),
    ):  # fmt: skip
        assert seconds(notation) == second
        assert parse_end(notation) == second  # type: ignore[arg-type]


@given(STAMPED, st.integers(0, 999_999_999))
def test_a_stamp_is_the_same_time(second: int, nanoseconds: int) -> None:
    stamp = (second - PSANA_EPOCH) << 32 | nanoseconds
    found = seconds(stamp)
    assert seconds(str(stamp)) == seconds(np.uint64(stamp)) == seconds(SimpleNamespace(timestamp=stamp)) == found
    assert math.isclose(found, second + nanoseconds / 1e9, rel_tol=0, abs_tol=1e-6)
    assert math.floor(found) == second or nanoseconds > 999_999_000, "double precision holds a tenth of a microsecond"


@given(SECONDS, st.integers(0, 999_999))
def test_microseconds_are_kept(second: int, microseconds: int) -> None:
    moment = datetime.fromtimestamp(second, tz=UTC).replace(microsecond=microseconds)
    for notation in (
        moment,
        moment.isoformat(),
        np.datetime64(moment.replace(tzinfo=None), "us"),
        f"{second}.{microseconds:06d}",
    ):
        assert math.isclose(seconds(notation), second + microseconds / 1e6, rel_tol=0, abs_tol=1e-6)


@given(SECONDS)
def test_a_time_is_shown_as_it_is_parsed(second: int) -> None:
    assert seconds(as_text(second)) == second
    assert seconds(as_text(second + 0.5)) == second


def reads_or_refuses(given: object) -> None:
    try:
        time = parse_time(given)  # type: ignore[arg-type]
    except (InvalidTimeError, InvalidNameError) as error:
        told = error.problem
    else:
        assert isinstance(time, RunName) or 0 <= time < TIME_LIMIT
        told = "a time"
    assert 0 < len(told) < 1000


@given(
    st.text(max_size=40)
    | st.text("0123456789-:.TZ+ WeExrun", max_size=30)
    | st.from_regex(r"[0-9]{4}-?[0-9]{2}-?[0-9]{2}[T ][0-9]{2}:?[0-9]{2}(:?[0-9]{2}(\.[0-9]+)?)?(Z|[+-][0-9]{2}:?[0-9]{2})?", fullmatch=True)
    | st.text(st.characters(categories=["Cs", "Nd"]), max_size=12)
)  # fmt: skip
def test_any_text_is_a_time_in_bounds_or_refused(text: str) -> None:
    reads_or_refuses(text)


@given(
    st.integers()
    | st.integers(0, 2**70)
    | st.floats()
    | st.fractions()
    | st.decimals()
    | st.complex_numbers()
    | st.booleans()
    | st.binary(max_size=8)
    | st.datetimes()
    | st.datetimes(timezones=ZONES)
    | st.integers().map(lambda stamp: SimpleNamespace(timestamp=stamp))
    | st.integers(0, 308).map(lambda power: 10.0**power)
    | st.integers(0, 5000).map(lambda power: 10**power)
)
def test_any_value_is_a_time_in_bounds_or_refused(given: object) -> None:
    reads_or_refuses(given)


@given(st.integers(-(2**63) + 1, 2**63 - 1), st.sampled_from(UNITS))
def test_any_datetime64_is_its_own_time_or_refused(count: int, unit: str) -> None:
    reads_or_refuses(np.datetime64(count, unit))


@given(st.integers(0, TIME_LIMIT * 2), st.sampled_from([("h", 3600), ("m", 60), ("s", 1)]))
def test_a_datetime64_past_the_years_of_numpys_nanoseconds_does_not_wrap_around(
    second: int, unit: tuple[str, int]
) -> None:
    count = second * 4 // unit[1]
    try:
        assert seconds(np.datetime64(count, unit[0])) == count * unit[1] < TIME_LIMIT
    except InvalidTimeError:
        assert count * unit[1] >= TIME_LIMIT


@given(st.from_regex(r"[a-z0-9][a-z0-9_]{0,20}", fullmatch=True), st.integers(0, 999_999_999))
def test_a_run_comes_back(experiment: str, run: int) -> None:
    name = RunName(experiment, run)
    try:
        assert RunName.parse(str(name)) == parse_time(str(name)) == name
        assert RunName.parse(f"{experiment}:r{run:04d}") == name
    except InvalidNameError:
        assert experiment in {"experiments", "con", "prn", "aux", "nul"} or experiment[:3] in {"com", "lpt"}
