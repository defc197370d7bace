"""The examples in the docstrings do what they show, on the repository that ``calibvcs quickstart`` makes."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
from pathlib import Path

import pytest

import calibvcs
import calibvcs.api

MODULES = [
    calibvcs.api,
    *(importlib.import_module(f"calibvcs.api.{m.name}") for m in pkgutil.iter_modules(calibvcs.api.__path__)),
]
EXAMPLES = [
    example
    for module in MODULES
    for example in doctest.DocTestFinder().find(module, module.__name__)
    if example.examples
]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_example(example: doctest.DocTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from calibvcs.api.example import DETECTOR, make_example

    monkeypatch.chdir(tmp_path)
    folder = Path("calibvcs-quickstart")
    make_example(folder, folder / "second-dark.npy")
    with calibvcs.open(folder) as repository:
        repository.add(
            DETECTOR,
            "pedestals",
            folder / "second-dark.npy",
            begin="2026-02-01T00:00:00Z",
            message="Dark run 12 after a power cycle",
        )
        example.globs = {"calibvcs": calibvcs, "repository": repository}
        report: list[str] = []
        doctest.DocTestRunner().run(example, out=report.append)
    assert not report, "".join(report)


def test_the_important_verbs_have_one() -> None:
    verbs = {example.name.rpartition(".")[2] for example in EXAMPLES}
    assert {"get", "add", "why", "diff", "log", "Repository", "open", "init"} <= verbs
