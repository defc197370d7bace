"""The pages are plain Markdown that reads well on any Git host; what the site needs beside that is put in here.

The order of the pages in the side bar is that of the links in ``index.md``. Links to source code, which is no part of
the site, become text.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx

_LINK = re.compile(r"(?<!!)\[([^]]*)\]\(([^)#\s]+)(#[^)\s]*)?\)")


def side_bar(index: str) -> str:
    """Return the tables of contents for the page ``index.md``, one for each of its headings."""
    tables = []
    for section in re.split(r"^## ", index, flags=re.MULTILINE)[1:]:
        heading, _, rest = section.partition("\n")
        pages = [target for _, target, _ in _LINK.findall(rest)]
        listed = [page if page.endswith(".md") else f"{page}/*" for page in dict.fromkeys(pages)]
        tables.append("\n".join(["```{toctree}", f":caption: {heading}", ":hidden:", ":glob:", "", *listed, "```"]))
    return "\n\n".join(tables)


def without_outer_links(text: str, page: Path, docs: Path) -> str:
    """Return a page whose links lead to other pages only."""

    def kept(found: re.Match[str]) -> str:
        label, target, _ = found.groups()
        place = (page.parent / target).resolve()
        stays = "://" in target or (place.is_file() and place.is_relative_to(docs))
        return found[0] if stays else label

    return _LINK.sub(kept, text)


def _prepare(app: Sphinx, page: str, content: list[str]) -> None:
    docs = Path(app.srcdir).resolve()
    text = content[0]
    more = f"\n\n{side_bar(text)}\n" if page == "index" else ""
    content[0] = without_outer_links(text, docs / f"{page}.md", docs) + more


def setup(app: Sphinx) -> dict[str, bool]:
    """Tell Sphinx of it."""
    app.connect("source-read", _prepare)
    return {"parallel_read_safe": True}
