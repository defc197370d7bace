"""Options that take several words, ``--detectors A B C``, as the programs do that people are used to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

# Verbs without arguments of their own, so that a bare word behind such an option can only belong to it.
_OPTIONS: Final = {
    "prefetch": ("--detectors", "--skip-calib-load"),
    "export": ("--detectors", "--skip-calib-load"),
}


def spread(arguments: list[str]) -> list[str]:
    """Return arguments with each such option repeated for each of its words.

    Parameters
    ----------
    arguments : list of str
        A command line, ``export --shm --detectors a b``.

    Returns
    -------
    list of str
        The same, as the parser knows it: ``export --shm --detectors a --detectors b``.
    """
    options = _OPTIONS.get(arguments[0] if arguments else "", ())
    return list(_spread(arguments, options)) if options else arguments


def _spread(arguments: list[str], options: tuple[str, ...]) -> Iterator[str]:
    option, has_word = "", False
    for word in arguments:
        if word.startswith("-"):
            name, equals, _ = word.partition("=")
            option, has_word = (name if name in options else "", bool(equals))
        elif option and has_word:
            yield option
        else:
            has_word = True
        yield word


def names(given: list[str] | None) -> tuple[str, ...]:
    """Return names that were given one by one, or several joined by commas.

    Parameters
    ----------
    given : list of str or None
        Values of an option.

    Returns
    -------
    tuple of str
        Each name once, in order.
    """
    return tuple(dict.fromkeys(name for text in given or () for name in text.split(",") if name))
