"""Calib directories: every name is read or refused, and runs choose in seconds what LCLS' rule chooses in runs."""

from datetime import UTC

from hypothesis import given
from hypothesis import strategies as st

from calibvcs.errors import InvalidNameError
from calibvcs.formats.calib import calib_history
from calibvcs.formats.calib.calib_directory import RunSpan, Source, choose
from calibvcs.formats.calib.calib_history import Deployment
from calibvcs.model import choose as by_time
from calibvcs.model.runs import Run, RunKind, RunTable
from calibvcs.model.validity import Validity
from calibvcs.ops.exchange.run_ranges import RunTimes

RUNS = st.integers(0, 40)
SPANS = st.builds(
    lambda first, length: RunSpan(first, None if length is None else first + length),
    RUNS,
    st.none() | st.integers(0, 20),
)
WORDS = st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,39}", fullmatch=True)
NUMBERS = st.integers(0, 9999)


def lcls_choice(names: list[str], run: int) -> str | None:
    """Return the file that LCLS' readers take, written down from their description and nothing else."""
    files = []
    for name in names:
        begin, end = name.removesuffix(".data").split("-")
        files.append((int(begin), 9999 if end == "end" else int(end), name))
    files.sort(key=lambda file: (file[0], -file[1]))
    for begin, end, name in reversed(files):
        if begin <= min(run, 9999) <= end:
            return name
    return None


@given(st.builds(Source, WORDS, NUMBERS, WORDS, NUMBERS))
def test_a_source_comes_back(source: Source) -> None:
    assert Source.parse(str(source)) == source
    assert Source.parse(f"DetInfo({source})") == source


@given(st.text(max_size=20) | st.text("0123456789-end", max_size=12))
def test_any_range_is_read_or_refused(text: str) -> None:
    try:
        span = RunSpan.parse(text)
    except InvalidNameError:
        return
    assert RunSpan.parse(str(span)) == span
    assert 0 <= span.first <= 9999


@given(st.lists(SPANS, max_size=8, unique=True), st.integers(0, 70) | st.integers(9990, 20000))
def test_the_rule_is_that_of_lcls(spans: list[RunSpan], run: int) -> None:
    found = choose(spans, run)
    assert (found.file_name if found else None) == lcls_choice([span.file_name for span in spans], run)


def table(gaps: list[int]) -> RunTimes:
    begins = [1000 + sum(gaps[: number + 1]) for number in range(len(gaps))]
    return RunTimes(RunTable("x", runs=tuple(Run(number, RunKind.DATA, at) for number, at in enumerate(begins))))


@given(st.lists(SPANS, max_size=8, unique=True), st.lists(st.integers(1, 9), min_size=62, max_size=62))
def test_runs_choose_in_seconds_what_they_choose_as_numbers(spans: list[RunSpan], gaps: list[int]) -> None:
    times = table(gaps)
    ranges = {times.validity(span): span for span in spans}
    times.check()
    assert len(ranges) == len(spans)
    for run in times.runs:
        began = times.validity(RunSpan(run)) if run else Validity(1000 + gaps[0])
        found = by_time.choose(ranges, began.begin)
        assert (ranges[found].file_name if found else None) == lcls_choice([s.file_name for s in spans], run)
    for validity, span in ranges.items():
        assert times.span(validity) == (span, "")


RANGES = st.builds(
    lambda begin, length: Validity(begin, None if length is None else begin + length),
    st.integers(0, 1300),
    st.none() | st.integers(1, 300),
)


@given(st.lists(RANGES, max_size=8, unique=True), st.lists(st.integers(1, 9), min_size=1, max_size=40))
def test_any_ranges_are_written_so_that_readers_choose_alike(ranges: list[Validity], gaps: list[int]) -> None:
    times = table(gaps)
    written, left_out = times.spans(ranges)
    assert written.keys() | left_out.keys() == set(ranges)
    names = {one.span.file_name: validity for validity, one in written.items()}
    assert len(names) == len(written)
    begin = 1000
    for run, gap in enumerate(gaps):
        begin += gap
        chosen = lcls_choice(list(names), run)
        assert (names[chosen] if chosen else None) == by_time.choose(ranges, begin)


FIELDS = st.text(st.characters(exclude_categories=["Z", "C"]), min_size=1, max_size=10).filter(lambda t: t not in "N/A")


@given(
    st.fixed_dictionaries({"file": FIELDS.map("x".__add__)}, optional={"user": FIELDS.map("u".__add__)}),
    st.text(max_size=30),
)
def test_history_comes_back(fields: dict[str, str], comment: str) -> None:
    (again,) = calib_history.decode(calib_history.encode(Deployment(fields, comment)).encode(errors="replace"))
    assert again.file == fields["file"]
    assert again.fields.get("user") == fields.get("user")
    assert again.time(UTC) is None


@given(st.binary(max_size=200) | st.text("file:user comment cptime-T0123456789\n", max_size=200).map(str.encode))
def test_any_history_is_read(data: bytes) -> None:
    for line in calib_history.decode(data):
        assert line.file
        line.time(UTC)
