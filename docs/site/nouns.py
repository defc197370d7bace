"""The directive ``calibvcs-nouns``: what stands behind ``repository.tag``, ``repository.run`` and the like."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cached_property
from typing import TYPE_CHECKING

from sphinx.util.docutils import SphinxDirective

import calibvcs.api

if TYPE_CHECKING:
    from docutils import nodes
    from sphinx.application import Sphinx


def nouns() -> dict[str, str]:
    """Return the full name of the class behind each noun."""
    modules = [
        importlib.import_module(f"calibvcs.api.{one.name}") for one in pkgutil.iter_modules(calibvcs.api.__path__)
    ]
    homes = {name: one.__name__ for one in modules for name, made in vars(one).items() if _at_home(made, one.__name__)}
    found = {
        noun: made.func.__annotations__["return"]
        for parent in reversed(calibvcs.Repository.__mro__)
        for noun, made in vars(parent).items()
        if isinstance(made, cached_property) and not noun.startswith("_")
    }
    return {noun: f"{homes[name]}.{name}" for noun, name in found.items()}


def _at_home(made: object, module: str) -> bool:
    return isinstance(made, type) and made.__module__ == module


class NounsDirective(SphinxDirective):
    """Puts a section for each noun in its place."""

    def run(self) -> list[nodes.Node]:
        """Return the sections."""
        section = "### repository.{}\n\n```{{eval-rst}}\n.. autoclass:: {}\n   :members:\n   :inherited-members:\n```\n"
        text = "\n".join(section.format(noun, name) for noun, name in nouns().items())
        return self.parse_text_to_nodes(text, allow_section_headings=True)


def setup(app: Sphinx) -> dict[str, bool]:
    """Tell Sphinx of it."""
    app.add_directive("calibvcs-nouns", NounsDirective)
    return {"parallel_read_safe": True}
