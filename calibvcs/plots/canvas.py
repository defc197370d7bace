"""Figures without a window and without state: made, drawn on, returned as bytes. The one place to load matplotlib."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from calibvcs.errors import InvalidOptionError, MissingProgramError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS: Final = ("png", "svg")
DOTS: Final = 100
"""Dots an inch of a PNG."""

_MOST_INCHES: Final = 120


@dataclass(frozen=True, slots=True)
class Plotted:
    """A picture that was made.

    Attributes
    ----------
    kind : {"constant", "difference", "trend", "page"}
        What it shows.
    of : tuple of str
        The constants, or the pattern.
    output : str
        The file.
    format : {"png", "svg", "html"}
        What is in it.
    bytes : int
        Its size.
    notes : tuple of str
        What is marked in it, and what is not shown and why.
    """

    schema: ClassVar[str] = "calibvcs.plot/1"

    kind: str
    of: tuple[str, ...]
    output: str
    format: str
    bytes: int
    notes: tuple[str, ...] = ()


def format_of(output: str) -> str:
    """Return the format that a file name asks for.

    Raises
    ------
    InvalidOptionError
        If it ends neither in ``.png`` nor in ``.svg``.
    """
    ending = output.rpartition(".")[2].lower()
    if ending not in FORMATS:
        raise InvalidOptionError("--output", output, "the name has to end in .png or .svg", "for example -o dark.png")
    return ending


def require_matplotlib() -> None:
    """Load matplotlib, before anything is read that would be read in vain.

    Raises
    ------
    MissingProgramError
        If it is not installed.
    """
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError as error:
        advice = "pip install 'calibvcs[plot]'; numbers go without it: calibvcs stats, trend and diff"
        raise MissingProgramError("matplotlib", f"it is not installed ({error})", advice) from None


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure, sizes in inches.

    Raises
    ------
    MissingProgramError
        If matplotlib is not installed.
    """
    require_matplotlib()
    from matplotlib.figure import Figure

    return Figure(figsize=(width, min(height, _MOST_INCHES)), dpi=DOTS, layout="constrained", facecolor="white")


def encoded(figure: Figure, form: str, title: str) -> bytes:
    """Return a figure as a file.

    Parameters
    ----------
    figure : Figure
        The drawing.
    form : {"png", "svg"}
        Format.
    title : str
        What it shows, which is written into the metadata of the file.

    Returns
    -------
    bytes
        The same bytes for the same drawing and version of matplotlib: no date is in them.
    """
    import matplotlib as mpl

    file = io.BytesIO()
    metadata = {"Title": title, **({"Date": None} if form == "svg" else {})}
    with warnings.catch_warnings(), mpl.rc_context({"svg.hashsalt": "calibvcs", "svg.fonttype": "path"}):
        warnings.simplefilter("ignore")  # letters that the font lacks are drawn as boxes
        figure.savefig(file, format=form, metadata=metadata)
    return file.getvalue()
