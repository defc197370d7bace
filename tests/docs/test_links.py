"""Links in the pages lead to files, and to headings in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs import pages

README = pages.ROOT / "README.md"
PAGES = [README, *sorted(pages.DOCS.rglob("*.md"))]
BY_NAME = {str(page.relative_to(pages.ROOT)): page for page in PAGES}


def _targets(page: Path) -> list[tuple[str, Path, str]]:
    return [
        (link, (page.parent / path).resolve() if path else page, anchor)
        for link in pages.links(page.read_text())
        if "://" not in link and not link.startswith("mailto:")
        for path, _, anchor in [link.partition("#")]
    ]


@pytest.mark.parametrize("name", BY_NAME)
def test_links_resolve(name: str) -> None:
    page = BY_NAME[name]
    wrong = [link for link, target, _ in _targets(page) if not target.exists()]
    assert not wrong, f"{name} links to what is not there: {wrong}"
    lost = [
        link
        for link, target, anchor in _targets(page)
        if anchor and target.suffix == ".md" and anchor not in pages.anchors(target.read_text())
    ]
    assert not lost, f"{name} links to headings that are not there: {lost}"


def test_the_index_names_every_page() -> None:
    index = pages.DOCS / "index.md"
    named = {target for _, target, _ in _targets(index)}
    named |= {page for folder in named if folder.is_dir() for page in folder.glob("*.md")}
    missing = [str(page.relative_to(pages.DOCS)) for page in PAGES if page not in {*named, index, README}]
    assert not missing, f"docs/index.md has no line for {missing}"


def test_every_page_has_one_title() -> None:
    for page in PAGES:
        lines = pages.prose(page.read_text()).splitlines()
        assert sum(line.startswith("# ") for line in lines) == 1, page


def test_links_are_found_where_they_are() -> None:
    text = "[a](b.md#c) `[no](x)`\n```\n[no](y)\n```\n![p](p.png) [d](http://e)\n"
    assert pages.links(text) == ["b.md#c", "p.png", "http://e"]


def test_anchors_are_made_as_git_hosts_make_them() -> None:
    text = "# `stats`, and *more*: 1.5\n## A\n```\n## no\n```\n## A\n### See [b](c.md)!\n"
    assert pages.anchors(text) == {"stats-and-more-15", "a", "a-1", "see-b"}
