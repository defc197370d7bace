"""Small pictures in a terminal."""

from __future__ import annotations

import re

import numpy as np
import pytest

from calibvcs.cli import preview_view
from calibvcs.images.reduction import Reduced, grid_for
from calibvcs.ops.pictures.pictures import Layer, Picture


def picture(values: list[list[float]], bad: list[list[float]], kind: str = "values") -> Picture:
    tile = Reduced(np.array(values, np.float32), np.array(bad, np.float32))
    layer = Layer(0, (0,), (tile,), (0.0, 10.0), np.zeros(0), 0, tile.values.size, 1, 0, {})
    shape = tile.values.shape
    return Picture("x", "", "", "ADU", kind, (layer,), grid_for(shape, 1), 1, 1, shape, None, ("a [note]",))  # type: ignore[arg-type]


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FORCE_COLOR", "COLORTERM"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("plain")
def test_letters_stand_for_brightness_where_there_are_no_colours(capsys: pytest.CaptureFixture[str]) -> None:
    nan = float("nan")
    preview_view.show(picture([[0, 5, 10, nan, nan]] * 2, [[0, 0, 0, 1, nan]] * 2))
    heading, line, note = capsys.readouterr().out.splitlines()
    assert heading == "gain 0: dark 0 to bright 10 ADU, 1 of 10 bad"
    assert line == " =@X"
    assert note == "a [note]"
    preview_view.show(picture([[0, 1]], [[0, 0]], "mask"))
    assert capsys.readouterr().out.splitlines()[1] == " X"


def test_half_blocks_hold_two_rows(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    preview_view.show(picture([[0], [10], [0]], [[0], [0], [1]]))
    lines = capsys.readouterr().out.splitlines()[1:3]
    assert [re.findall(r"38;2;([\d;]+);48;2;([\d;]+)m\u2580", line) for line in lines] == [
        [("68;1;84", "253;231;37")],
        [("255;0;191", "0;0;0")],
    ]


def test_width_is_that_of_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    assert preview_view.width() == 39
    monkeypatch.setenv("COLUMNS", "400")
    assert preview_view.width() == preview_view.WIDEST
