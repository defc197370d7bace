"""Any script by the DCS interface says the same over a repository as over a file of the original schema."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import calibvcs
from calibvcs.dcs import DCRange, DCStore
from calibvcs.errors import NotFoundError

DETECTOR = "opal1000-1"
CTYPES = ["pedestals", "pixel_rms"]
SPANS = [(0, None), (0, 200), (100, 200), (150, None)]
TIMES = [1, 99, 101, 151, 199, 201, 10**9]

places = st.tuples(st.sampled_from(CTYPES), st.sampled_from(SPANS))
steps = st.lists(
    st.one_of(
        st.tuples(st.just("add"), places, st.integers(1, 3)),
        st.tuples(st.just("add"), places, st.integers(1, 3)),
        st.tuples(st.just("default"), places, st.integers(0, 3)),
        st.tuples(st.just("delete version"), places, st.integers(0, 3)),
        st.tuples(st.just("delete range"), places, st.just(0)),
        st.tuples(st.just("delete ctype"), places, st.just(0)),
        st.tuples(st.just("note range"), places, st.integers(0, 9)),
        st.tuples(st.just("note ctype"), places, st.integers(0, 9)),
        st.tuples(st.just("note version"), places, st.integers(0, 9)),
        st.tuples(st.just("note store"), places, st.integers(0, 9)),
        st.tuples(st.just("empty range"), places, st.just(0)),
        st.tuples(st.just("save"), places, st.just(0)),
        st.tuples(st.just("again"), places, st.just(0)),
    ),
    max_size=14,
)


class Script:
    """One store, and what a script does with it; versions are told by their data, which no two share."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._made = 0
        self.store = self._opened()

    def _opened(self) -> DCStore:
        return DCStore(self._path) if self._path.suffix else DCStore(self._path, DETECTOR)

    def do(self, what: str, place: tuple[str, tuple[int, int | None]], value: int) -> None:
        ctype, span = place
        if what == "save":
            self.store.save("Saved")
        elif what == "again":
            self.store.save("Saved")
            self.store.close()
            self.store = self._opened()
        elif what in {"add", "empty range"}:
            of_range = self.store.add_ctype(ctype).add_range(*span)
            for _ in range(value):
                self._made += 1
                of_range.add_version(tsprod=1000 + self._made, nda=np.full((2, 2), self._made, np.float32))
        elif what == "note store":
            self.store.add_par("value", value)
            self.store.add_history(f"value {value}", 5)
        elif what == "delete ctype":
            self.store.del_ctype(ctype)
        elif (known := self.store.ctypeobj(ctype)) is not None:
            if what == "note ctype":
                known.add_par("value", value)
            elif what == "delete range":
                known.del_range(*span)
            elif (of_range := known.rangeobj(*span)) is not None:
                self._in_range(of_range, what, value)

    def _in_range(self, of_range: DCRange, what: str, value: int) -> None:
        versions = of_range.versions()
        if what == "note range":
            of_range.add_par("value", value)
            of_range.add_history(f"value {value}", 5)
        elif what == "note version" and versions:
            self.store.save("What is noted of a version needs it to be the default")
            of_range.versobj().add_par("value", value)
            self.store.save("Noted")
        elif what == "default":
            of_range.set_versdef(versions[value] if value < len(versions) else None)
        elif what == "delete version" and value < len(versions):
            of_range.del_version(versions[value])

    def says(self) -> dict[str, Any]:
        said: dict[str, Any] = {"store": self.store.par("value")}
        for ctype in self.store.ctypes():
            known = self.store.ctypeobj(ctype)
            said[ctype] = (known.ranges(), known.par("value"))
            for key in known.ranges():
                of_range = known.rangeobj(key)
                versions = [of_range.versobj(number) for number in of_range.versions()]
                said[f"{ctype}/{key}"] = (
                    [(one.calib()[0, 0], one.tsprod(), one.par("value")) for one in versions],
                    of_range.versobj().calib()[0, 0] if versions else None,
                    of_range.par("value"), of_range.history(),
                )  # fmt: skip
            for time in TIMES:
                said[f"{ctype} at {time}"] = self._read(ctype, time)
        return said

    def _read(self, ctype: str, time: int) -> float | None:
        try:
            return float(self.store.get(ctype, time)[0, 0])
        except NotFoundError:
            return None


@settings(max_examples=40)
@given(steps)
def test_both_say_the_same(done: list[tuple[str, Any, int]]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        calibvcs.init(folder / "constants", bare=True)
        scripts = [Script(folder / "constants"), Script(folder / f"{DETECTOR}.h5")]
        for step in [*done, ("again", (CTYPES[0], SPANS[0]), 0)]:
            for script in scripts:
                script.do(*step)
            in_repository, in_file = (script.says() for script in scripts)
            assert in_repository == in_file
        for script in scripts:
            script.store.close()
        with calibvcs.open(folder / "constants") as repository:
            assert repository.verify(deep=True).sound
        fsck = ["git", "-C", folder / "constants", "fsck", "--strict"]
        assert subprocess.run(fsck, capture_output=True, check=True).stdout == b""
