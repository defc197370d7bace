"""Options with several words: each word belongs to the option before it."""

from __future__ import annotations

import pytest

from calibvcs.cli.several_values import names, spread


@pytest.mark.parametrize(
    ("given", "parsed"),
    [
        ("prefetch --detectors a b -e x", "prefetch --detectors a --detectors b -e x"),
        ("prefetch --detectors a", "prefetch --detectors a"),
        ("prefetch --detectors=a b --once", "prefetch --detectors=a --detectors b --once"),
        ("prefetch --skip-calib-load a b --detectors c d", "prefetch --skip-calib-load a --skip-calib-load b --detectors c --detectors d"),
        ("prefetch -e x --once", "prefetch -e x --once"),
        ("prefetch --once stray", "prefetch --once stray"),
        ("prefetch --detectors --once", "prefetch --detectors --once"),
        ("ls --detectors a b", "ls --detectors a b"),
        ("", ""),
    ],
)  # fmt: skip
def test_each_word_gets_its_option(given: str, parsed: str) -> None:
    assert spread(given.split()) == parsed.split()


def test_names_may_be_joined_by_commas_and_count_once() -> None:
    assert names(["a,b", "c", "a", ",,"]) == ("a", "b", "c")
    assert names(None) == ()
