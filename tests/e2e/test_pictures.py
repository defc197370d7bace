"""``plot``, ``diff --html`` and ``show --preview`` as a user calls them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.e2e.conftest import Program, dark

pytest.importorskip("matplotlib")

CONSTANT = "opal1000-1/pedestals/1000-end"


def test_a_look_at_two_darks(calibvcs: Program, repository: Path) -> None:
    data = dark((4, 5))
    data[0] += 9
    np.save(calibvcs.folder / "second.npy", data)
    words = ["add", "opal1000-1", "pedestals", "second.npy", "--begin", "1000", "-m", "Row 0 moved <b>", "--repo"]
    calibvcs(*words, repository)

    def run(*words: str, expect: int = 0) -> tuple[str, str]:
        done = calibvcs(*words, expect=expect, cwd=repository)
        return done.out, done.err

    assert run("plot", CONSTANT, "-o", "../one.png")[0].startswith("wrote ../one.png  ")
    assert (repository.parent / "one.png").read_bytes().startswith(b"\x89PNG")
    run("plot", "--diff", f"{CONSTANT}@v1", f"{CONSTANT}@v2", "-o", "../two.svg")
    assert (repository.parent / "two.svg").read_text().startswith("<?xml")
    run("plot", "--diff", CONSTANT, "../second.npy", "-o", "../same.png", "--no-marks")
    told = calibvcs("plot", "--trend", "*", "-o", "../three.png", "--json", cwd=repository).json
    assert (told["schema"], told["kind"], told["format"]) == ("calibvcs.plot/1", "trend", "png")

    out, err = run("diff", f"{CONSTANT}@v1", f"{CONSTANT}@v2", "--html", "../page.html", expect=1)
    assert "5 of 20 values differ" in out
    assert "wrote ../page.html" in err
    page = (repository.parent / "page.html").read_text()
    assert "Row 0 moved &lt;b&gt;" in page
    assert page.count("data:image/png;base64,") == 1
    assert run("status")[0].count("page.html") == 0

    shown = run("show", CONSTANT, "--preview")[0].splitlines()
    place = next(number for number, line in enumerate(shown) if " to bright 10" in line)
    assert shown[place].startswith("dark 9")
    assert shown[place + 1].strip()


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["plot", CONSTANT, "-o", "x.pdf"], 2, ".png or .svg"),
        (["plot", CONSTANT], 2, "output"),
        (["plot", CONSTANT, CONSTANT, "-o", "x.png"], 2, "--diff"),
        (["plot", "--diff", CONSTANT, "-o", "x.png"], 2, "two"),
        (["plot", "--diff", "--trend", "x", "-o", "x.png"], 2, "one of"),
        (["plot", CONSTANT, "--what", "rms", "-o", "x.png"], 2, "--trend"),
        (["plot", f"{CONSTANT}@v9", "-o", "x.png"], 3, "v9"),
        (["plot", CONSTANT, "-o", "no/where/x.png"], 9, "no/where"),
        (["show", CONSTANT, "--preview", "--json"], 2, "--json"),
        (["diff", CONSTANT, CONSTANT, "--html", "no/where/x.html"], 9, "no/where"),
    ],
    ids=lambda value: " ".join(value[:3]) if isinstance(value, list) else "",
)
def test_mistakes(calibvcs: Program, repository: Path, words: list[str], code: int, told: str) -> None:
    done = calibvcs(*words, expect=code, cwd=repository)
    assert told in done.err
    assert not list(repository.glob("x.*"))
