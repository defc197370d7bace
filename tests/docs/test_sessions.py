"""The sessions in tutorials, how-tos and the README print what they show; ids, sizes and what is cut may differ.

So do those of any other page that has a comment ``<!-- prepare``, with the commands that its first session needs.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.docs import pages, session

PLAYED = [
    page.relative_to(pages.ROOT)
    for page in sorted(pages.DOCS.rglob("*.md"))
    if page.parent.name in {"tutorials", "howto"} or pages.PREPARE in page.read_text()
]
_README = ["calibvcs quickstart constants > /dev/null", "cd constants", "git reset -q --hard HEAD~1"]


def _wrong(text: str, folder: Path) -> list[str]:
    return [
        f"$ {step.command}\n" + "\n".join(f"  shown   {line}" for line in step.shown) + "\n"
        + "\n".join(f"  printed {line}" for line in printed.splitlines())
        for step, printed in session.play(text, folder)
        if not step.matches(printed)
    ]  # fmt: skip


@pytest.mark.skipif(not shutil.which("git"), reason="the pages use git")
@pytest.mark.parametrize("page", PLAYED, ids=str)
def test_page(page: Path, tmp_path: Path) -> None:
    wrong = _wrong((pages.ROOT / page).read_text(), tmp_path)
    assert not wrong, "\n".join([*wrong, f"python -m tests.docs.renew {page} puts in what is printed"])


def test_readme(tmp_path: Path) -> None:
    text = (pages.ROOT / "README.md").read_text()
    before = "```console\n" + "\n".join(f"$ {line}\n..." for line in _README) + "\n```\n"
    main_job, from_python = text.split("## The main job")[1].split("## From Python")
    into_it = "```console\n$ cd ..\n$ mv constants calibvcs-quickstart\n```\n"
    wrong = _wrong(before + main_job + into_it + from_python, tmp_path)
    assert not wrong, "\n".join(wrong)


def test_what_differs_is_seen() -> None:
    block = pages.Block("console", ("$ a \\", "  b", "commit 1234567 x", "...", "last  1.5 kB"), 10)
    (step,) = pages.steps(block)
    assert (step.command, step.first, step.last) == ("a \\\n  b", 12, 15)
    assert step.matches("commit abcdef1 x\nmore\n\nand more\nlast  17 MB")
    assert step.matches("commit abcdef1 x\nlast  17 MB")
    for printed in (
        "commit abcdef1 y\nlast  1 kB",
        "commit abcdef x\nlast  1 kB",
        "commit abcdef1 x\nfirst\nlast  1",
        "",
    ):
        assert not step.matches(printed)


def test_nothing_shown_is_nothing_printed() -> None:
    (step,) = pages.steps(pages.Block("console", ("$ true",), 1))
    assert step.matches("")
    assert not step.matches("error: no")
