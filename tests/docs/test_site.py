"""The site is built by one command, without a warning and without the network, and its reference is complete."""

from __future__ import annotations

import importlib
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.docs import pages

for _library in ("sphinx", "myst_parser", "furo", "numpydoc"):
    pytest.importorskip(_library, reason="the site needs the extra 'docs'", exc_type=ImportError)


class _Page(HTMLParser):
    """What a page loads, and which anchors it has."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.ids: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        self.ids.add(given.get("id", ""))
        if tag in {"script", "img", "iframe", "source"}:
            self.loads.append(given.get("src", ""))
        if tag == "link" and given.get("rel") != "canonical":
            self.loads.append(given.get("href", ""))


@pytest.fixture(scope="module")
def command_line() -> ModuleType:
    sys.path.insert(0, str(pages.DOCS / "site"))
    try:
        return importlib.import_module("command_line")
    finally:
        del sys.path[0]


def test_site(tmp_path: Path, command_line: ModuleType) -> None:
    """One test, since to build the site takes long."""
    done = subprocess.run(
        [sys.executable, "-m", "docs.build", tmp_path], cwd=pages.ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr, "a warning"

    lost = [page for page in pages.DOCS.rglob("*.md") if not _html(tmp_path, page).is_file()]
    assert not lost
    for page in tmp_path.rglob("*.html"):
        assert not [address for address in _Page(page.read_text()).loads if "//" in address], (
            f"{page} needs the network"
        )

    ids = _Page((tmp_path / "reference" / "command-line.html").read_text()).ids
    assert not {verb for verb, _ in command_line.verbs() if verb.replace(" ", "-") not in ids}
    ids = _Page((tmp_path / "reference" / "python.html").read_text()).ids
    assert not sorted(_public_names() - ids)


def _html(site: Path, page: Path) -> Path:
    return site / page.relative_to(pages.DOCS).with_suffix(".html")


def _public_names() -> set[str]:
    import calibvcs
    from calibvcs import dcs, geometry, prefetch, shm, sources

    names = {f"calibvcs.{name}" for name in calibvcs.__all__ if not name.startswith("_")}
    for module in (dcs, geometry, prefetch, sources):
        names |= {f"{module.__name__}.{name}" for name in module.__all__}
    names |= {f"calibvcs.Repository.{name}" for name in dir(calibvcs.Repository) if not name.startswith("_")}
    names |= {f"{shm.__name__}.{name}" for name in ("attach", "Attached")}
    return names | {"calibvcs.api.detectors.DetectorVerbs.add", "calibvcs.api.tags.TagVerbs.create"}  # behind nouns


def test_the_reference_has_verbs_of_both_kinds(command_line: ModuleType) -> None:
    assert {"add", "get", "tag create", "import hdf5"} <= {verb for verb, _ in command_line.verbs()}


def test_every_verb_and_option_says_what_it_does(command_line: ModuleType) -> None:
    def silent(command: Any) -> list[str]:
        return [one.name for one in command.params if not one.help]

    assert not {verb: silent(command) for verb, command in command_line.verbs() if not command.help or silent(command)}


def test_links_to_source_code_become_text() -> None:
    sys.path.insert(0, str(pages.DOCS / "site"))
    try:
        plain_pages = importlib.import_module("plain_pages")
    finally:
        del sys.path[0]
    text = "[a](gate.md#b) [`c`](../calibvcs/cli) [d](https://e) ![f](images/benchmarks.png)"
    expected = "[a](gate.md#b) `c` [d](https://e) ![f](images/benchmarks.png)"
    assert plain_pages.without_outer_links(text, pages.DOCS / "index.md", pages.DOCS) == expected
