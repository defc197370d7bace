"""What holds the house together: layers, lazy imports, file sizes, one owner for each outside library."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from importlinter.cli import lint_imports

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "calibvcs"
MODULES = sorted(PACKAGE.rglob("*.py"))
HEAVY = ("numpy", "h5py", "matplotlib", "fastapi", "uvicorn", "rich", "tomlkit", "dask")


def modules_after(words: list[str], folder: Path, code: int = 0) -> set[str]:
    """Return the names of the modules that are imported when a command line was run."""
    program = f"import sys; from calibvcs.cli.app import call; code = call({words!r}); print(code, *sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=True)
    last, *modules = done.stderr.splitlines()[-1].split()
    assert int(last) == code
    return set(modules)


def test_imports_go_down_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert lint_imports(no_cache=True) == 0


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_module_is_about_one_thing(module: Path) -> None:
    text = module.read_text()
    assert len(text.splitlines()) <= 400, "past 500 lines a module is to be split"
    assert text.startswith('"""'), "a module says in its first line what it is about"
    assert module.stem not in {"utils", "util", "common", "base", "manager", "misc", "helpers"}


@pytest.fixture(scope="module", params=["loose", "packed"])
def constants(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a small repository, as calibvcs writes it or as C Git packs it."""
    import numpy as np

    import calibvcs

    folder = tmp_path_factory.mktemp("architecture") / "constants"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GIT_AUTHOR_NAME", "Grace Hopper")
        patch.setenv("GIT_AUTHOR_EMAIL", "grace@example.org")
        calibvcs.init(folder)
        with calibvcs.open(folder) as repository:
            repository.detector.add("opal1000-1")
            for value in (1, 2):
                data = np.full((2, 2), value, np.float32)
                repository.add("opal1000-1", "pedestals", data, begin=1000, message="Dark")
            repository.tag.create("v1", message="Good")
    if request.param == "packed":
        subprocess.run(["git", "-C", folder, "gc", "-q"], check=True)
    return folder


@pytest.mark.parametrize(
    "words",
    [
        ["--help"], ["ls"], ["ls", "opal1000-1", "-l", "--json"], ["log"], ["log", "-n", "3", "opal1000-1"],
        ["why", "opal1000-1", "pedestals", "-t", "now"], ["get", "opal1000-1", "pedestals", "-t", "now", "--at", "v1"],
        ["get", "opal1000-1", "pedestals", "-t", "now", "-o", "x.npy"], ["detector", "ls"], ["alias", "ls"], ["run", "ls"],
        ["tag", "list"], ["default", "show", "opal1000-1/pedestals/1000-end"], ["show", "opal1000-1/pedestals/1000-end"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_verbs_that_read_import_nothing_heavy(words: list[str], constants: Path) -> None:
    modules = {module.partition(".")[0] for module in modules_after(words, constants)}
    if words[0] == "show":  # it shows statistics of the array
        modules.discard("numpy")
    assert not modules & {*HEAVY, "dulwich", "secrets"}


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["lss"], ["ls", "--help"]], ids=" ".join)
def test_help_does_not_open_anything(words: list[str], tmp_path: Path) -> None:
    modules = modules_after(words, tmp_path, code=2 if words == ["lss"] else 0)
    assert not {module for module in modules if module.startswith(("calibvcs.api", "calibvcs.store", "calibvcs.ops"))}
    assert not {"tomllib", "hashlib", "decimal"} & modules


def test_import_of_the_package_costs_nothing() -> None:
    program = "import sys; before = set(sys.modules); import calibvcs; print(*(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) <= {"calibvcs", "calibvcs.version", "__future__"}


def test_nothing_reads_the_environment_but_settings() -> None:
    allowed = {PACKAGE / "settings.py", PACKAGE / "cli" / "output.py", PACKAGE / "cli" / "app.py"}  # the terminal
    allowed |= {  # handed on to a program
        PACKAGE / "store" / "remotes" / name for name in ("channels.py", "credentials.py")
    }
    readers = {module for module in MODULES if "os.environ" in module.read_text() or "getenv" in module.read_text()}
    assert readers <= allowed


def test_nothing_prints_but_the_command_line() -> None:
    printers = {module for module in MODULES if " print(" in module.read_text()}
    assert {module.parent.name for module in printers} <= {"cli"}


def test_the_project_speaks_of_itself_alone() -> None:
    words = ("/work/", "/tmp/venv", "pypi.org", "TODO", "FIXME", "NotImplementedError")
    found = [(module.name, word) for module in MODULES for word in words if word in module.read_text()]
    assert not found
