"""The picture of the main results: calibvcs and its peers on logarithmic scales, with what was wanted."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.bench import adding, choosing, history, reading, version_peers, writing
from tests.bench.document import DOCS
from tests.bench.results import Measured, Row, Table, shown
from tests.bench.surroundings import has_module

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PICTURE = DOCS / "images" / "benchmarks.png"
OURS, PEER, WANTED = "#0072B2", "#767676", "#D55E00"  # told apart by the colour-blind, and by their marks


@dataclass(frozen=True)
class Panel:
    """One thing to do: the table it is in, the row that is 1, and the rows to show with their short names."""

    table: str
    title: str
    base: str
    rows: dict[str, str]


PANELS = (
    Panel(
        "write 50 MB", "Write 50 MB as a Git object, on disk", writing.FLOOR,
        {
            writing.FLOOR: "np.save + fsync", writing.OURS: "calibvcs",
            f"{writing.HASH_OBJECT}, core.compression=0": "git, compression=0", "pygit2 create_blob": "pygit2",
            writing.HASH_OBJECT: "git hash-object", writing.DULWICH: "dulwich",
        },
    ),
    Panel(
        "add 50 MB", "Add a version of 50 MB", writing.FLOOR,
        {
            writing.FLOOR: "np.save + fsync", adding.NEXT: "calibvcs add", version_peers.ANNEX: "git annex",
            version_peers.LFS: "git lfs", version_peers.DVC: "dvc", version_peers.PLAIN_GIT: "git add, commit",
        },
    ),
    Panel(
        "read 50 MB", "Read 50 MB of noisy floats", reading.LOAD,
        {
            reading.LOAD: "np.load", reading.UNVERIFIED: "calibvcs, not verified", "h5py, contiguous": "h5py",
            reading.HASHED: "np.load + SHA-1", reading.CHECKED: "calibvcs, hash checked",
            reading.CAT_FILE: "git cat-file", "dulwich": "dulwich", "pygit2": "pygit2",
        },
    ),
    Panel(
        "deflated", "Read 100 MB of status words, deflated", reading.LOAD,
        {
            reading.LOAD: "np.load", reading.UNVERIFIED: "calibvcs, not verified",
            reading.CHECKED: "calibvcs, hash checked", reading.CAT_FILE: "git cat-file", "dulwich": "dulwich",
            "pygit2": "pygit2",
        },
    ),
    Panel(
        "choose", "Choose among 100,000 ranges", "",
        {
            f"{choosing.WARM}: 100,000 ranges": "calibvcs, warm", f"{choosing.COLD}: 100,000 ranges": "calibvcs, first",
            "git ls-tree: 100,000 ranges": "git ls-tree", "dulwich, opened anew: 100,000 ranges": "dulwich",
            "pygit2, opened anew: 100,000 ranges": "pygit2",
        },
    ),
    Panel(
        "history", "Log of one constant, 100,000 commits", "",
        {
            f"{history.WARM}, {history.RARE} versions": "calibvcs, warm",
            f"{history.WARM}, repository opened anew, {history.RARE} versions": "calibvcs, opened anew",
            f"git log -- path, commit-graph with Bloom filters, {history.RARE} versions": "git log, Bloom filters",
            f"git log -- path, {history.RARE} versions": "git log -- path",
        },
    ),
)  # fmt: skip


def draw(measured: Measured) -> str:
    """Draw the picture, and return what to say about it."""
    panels = [panel for panel in PANELS if panel.table in measured.tables]
    if not has_module("matplotlib"):
        return "matplotlib is not installed: the picture is not drawn"
    if len(panels) < len(PANELS):
        return "the picture is drawn when all sections are measured"
    from matplotlib.figure import Figure
    from PIL import Image  # matplotlib needs it too

    figure = Figure(figsize=(10, 7.6), layout="constrained")
    for axes, panel in zip(figure.subplots(3, 2).flat, panels, strict=True):
        _panel(axes, panel, measured.tables[panel.table])
    figure.suptitle("Time on logarithmic scales, less is better", x=0.01, ha="left", fontsize=12, fontweight="bold")
    figure.text(0.99, 0.985, "● calibvcs", color=OURS, ha="right", va="top", fontsize=10)
    figure.text(0.89, 0.985, "○ others", color=PEER, ha="right", va="top", fontsize=10)
    figure.text(0.80, 0.985, "▏target", color=WANTED, ha="right", va="top", fontsize=10)
    PICTURE.parent.mkdir(exist_ok=True)
    drawn = io.BytesIO()
    figure.savefig(drawn, dpi=120, metadata={"Software": None})
    Image.open(drawn).convert("RGB").quantize(64, dither=Image.Dither.NONE).save(PICTURE, optimize=True)
    return f"{PICTURE.name}: {PICTURE.stat().st_size / 1e3:.0f} kB"


def _panel(axes: Axes, panel: Panel, table: Table) -> None:
    rows = {row.name: row for row in table.rows}
    there = [(rows[name], label) for name, label in panel.rows.items() if name in rows]
    scale = rows[panel.base].median if panel.base else 1e-3
    values = [row.median / scale for row, _ in there]
    low = min(*values, *(limit for row, _ in there for limit in _limits(table, row, scale)))
    left, right = low / 1.6, max(values) * (max(values) / low) ** 0.22
    for height, ((row, label), value) in enumerate(zip(there, values, strict=True)):
        ours = label.startswith("calibvcs")
        colour = OURS if ours else PEER
        axes.plot([left, value], [height, height], color=colour, linewidth=1.2, alpha=0.45)
        axes.plot(value, height, "o", color=colour, markerfacecolor=colour if ours else "white", markersize=7)
        for limit in _limits(table, row, scale):
            axes.plot(limit, height, "|", color=WANTED, markersize=15, markeredgewidth=2.2)
        text = f"{value:.3g} x" if panel.base else shown(row.median, "s")
        near = [limit for limit in _limits(table, row, scale) if 1 < limit / value < (right / left) ** 0.2]
        beyond = max(value, *near, 0)  # the number stands beside the dot, but not on the mark of a target
        axes.annotate(
            text, (beyond, height), (9, 0), textcoords="offset points", va="center", fontsize=9,
            color=colour, fontweight="bold" if ours else "normal",
        )  # fmt: skip
    axes.set_xscale("log")
    axes.set_xlim(left, right)
    axes.set_ylim(len(there) - 0.4, -0.6)
    axes.set_yticks(range(len(there)), [label for _, label in there], fontsize=9)
    axes.set_title(panel.title, loc="left", fontsize=10, fontweight="bold")
    axes.set_xlabel(f"times {panel.rows[panel.base]}" if panel.base else "ms", fontsize=9)
    axes.tick_params(axis="y", length=0)
    axes.tick_params(axis="x", labelsize=8, which="both")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.grid(axis="x", color="#DDDDDD", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)


def _limits(table: Table, row: Row, scale: float) -> list[float]:
    """Return where the limits of a row lie on the axis."""
    medians = {row.name: row.median for row in table.rows}
    found = []
    for target in table.targets:
        if target.row == row.name and (not target.of or target.of in medians):
            other = medians.get(target.of, 1.0)
            found.append((other / target.limit if target.faster else other * target.limit) / scale)
    return [min(found)] if found else []
