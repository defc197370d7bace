"""The directive ``calibvcs-verbs``: every verb with its arguments and options, as the program itself tells them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import typer
from sphinx.util.docutils import SphinxDirective

from calibvcs.cli.app import build

if TYPE_CHECKING:
    from collections.abc import Iterator

    from docutils import nodes
    from sphinx.application import Sphinx

_EVERYWHERE: Final = {"help"}


def verbs() -> Iterator[tuple[str, Any]]:
    """Yield each verb as it is typed, ``add`` or ``tag create``, with its command."""
    for word in typer.main.get_command(build([])).commands:
        command = typer.main.get_command(build([word])).commands[word]
        inner = getattr(command, "commands", None)
        if inner is None:
            yield word, command
        else:
            yield from ((f"{word} {name}", one) for name, one in inner.items())


def markdown() -> str:
    """Return the reference of all verbs."""
    return "\n".join(line for verb, command in verbs() for line in _verb(verb, command))


def _verb(verb: str, command: Any) -> Iterator[str]:
    arguments = [one for one in command.params if one.param_type_name == "argument"]
    options = [one for one in command.params if one.param_type_name == "option" and one.name not in _EVERYWHERE]
    words = [_word(one) for one in arguments]
    yield f"## {verb}\n"
    yield f"```sh\n{' '.join(['calibvcs', verb, *words, *(['[OPTIONS]'] if options else [])])}\n```\n"
    yield f"{_text(command.help)}\n"
    if arguments or options:
        yield "| | |\n|---|---|"
        for one in arguments:
            yield f"| `{_cell(_word(one))}` | {_cell(_text(one.help))} |"
        for one in options:
            yield f"| {_names(one)} | {_cell(_text(one.help))} |"
        yield ""


def _word(argument: Any) -> str:
    name = (argument.metavar or argument.name.upper()) + ("..." if argument.nargs == -1 else "")
    return name if argument.required or name.startswith("[") else f"[{name}]"


def _names(option: Any) -> str:
    names = [*option.opts, *option.secondary_opts]
    value = "" if option.is_flag else f" {option.metavar or option.type.name.upper()}"
    return ", ".join(f"`{_cell(name + value)}`" for name in names)


def _text(given: str | None) -> str:
    return re.sub(r"([*_<\[])", r"\\\1", " ".join((given or "").split()))


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


class VerbsDirective(SphinxDirective):
    """Puts the reference in its place."""

    def run(self) -> list[nodes.Node]:
        """Return the sections."""
        return self.parse_text_to_nodes(markdown(), allow_section_headings=True)


def setup(app: Sphinx) -> dict[str, bool]:
    """Tell Sphinx of it."""
    app.add_directive("calibvcs-verbs", VerbsDirective)
    return {"parallel_read_safe": True}
