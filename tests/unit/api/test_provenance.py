"""Where constants come from: the chain of inputs, and the recorded command run again."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

import calibvcs
from calibvcs import Repository
from calibvcs.errors import InvalidOptionError, MissingProgramError, UnknownConstantError, UnknownRevisionError
from calibvcs.ops.provenance.recorded import Recording

CAMERA = "opal1000-1"
FIRST = f"{CAMERA}/pedestals/0-end"
SCRIPT = """
import os, sys
import numpy as np
import calibvcs
with calibvcs.open() as repository:
    data = np.full((4, 5), {level}, np.float32)
    repository.add("opal1000-1", "pedestals", data, begin=77, message="Made by a script")
"""


def save(path: Path, level: float) -> Path:
    np.save(path, np.full((4, 5), level, np.float32))
    return path


def yes(_: Recording) -> bool:
    return True


# --- the chain ------------------------------------------------------------------------------------------------


def test_an_input_that_the_repository_had_is_followed(repository: Repository, tmp_path: Path) -> None:
    repository.choose(CAMERA, "pedestals", 5, output=tmp_path / "used.npy")
    raw = tmp_path / "raw.bin"
    raw.write_bytes(b"frames")
    inputs = [tmp_path / "used.npy", raw]
    data = np.full((4, 5), 30, np.float32)
    repository.add(
        CAMERA, "pedestals", data, begin=90, message="Mean\n\nof both", inputs=inputs, command=["mean", "x y"]
    )
    repository.choose(CAMERA, "pedestals", 95, output=tmp_path / "mean.npy")
    repository.add(CAMERA, "pedestals", data + 5, begin=99, message="Top", inputs=[tmp_path / "mean.npy"])
    found = repository.provenance(f"{CAMERA}/pedestals/99-end")
    assert (found.version, found.unread, found.at) == ("v1", 0, repository.commit)
    (mean,) = found.chain.inputs
    assert (mean.kind, mean.name, mean.comment) == ("constant", f"{CAMERA}/pedestals/90-end@v1", "Mean")
    assert mean.path == str(tmp_path / "mean.npy")
    assert mean.command == ("mean", "x y")
    used, file = mean.inputs
    assert (used.kind, used.name, used.inputs) == ("constant", f"{FIRST}@v1", ())
    assert (file.kind, file.name, file.size) == ("file", str(raw), 6)
    assert mean.software.startswith("calibvcs ")


def test_data_that_came_later_are_no_input(repository: Repository, tmp_path: Path) -> None:
    file = save(tmp_path / "self.npy", 30)
    for begin in (90, 91):  # the data of the first are its own input file
        repository.add(CAMERA, "pedestals", file, begin=begin, message="x", inputs=[file], force_reason="Same data")
    first, second = (repository.provenance(f"{CAMERA}/pedestals/{begin}-end").chain.inputs[0] for begin in (90, 91))
    assert first.kind == "file"
    assert (second.kind, second.name) == ("constant", f"{CAMERA}/pedestals/90-end@v1")
    assert second.inputs[0].kind == "file"


def test_an_old_version_has_its_own_chain(repository: Repository, tmp_path: Path) -> None:
    file = save(tmp_path / "x.npy", 41)
    repository.add(CAMERA, "pedestals", np.full((4, 5), 40, np.float32), begin=0, message="x", inputs=[file])
    assert [one.path for one in repository.provenance(FIRST).chain.inputs] == [str(file)]
    assert repository.provenance(f"{FIRST}@v1").chain.inputs == ()
    repository.lock(FIRST, message="x")
    assert repository.provenance(FIRST).chain.comment == "x"
    with pytest.raises(UnknownConstantError):
        repository.provenance(f"{CAMERA}/pixel_gain/0-end")


def test_many_paths_to_one_constant_are_shown_once(repository: Repository, tmp_path: Path) -> None:
    files = [save(tmp_path / "0.npy", 50)]
    for number in range(1, 12):  # each is made from the two before: a tree of all paths would have 200 leaves
        data = np.full((4, 5), 50 + number, np.float32)
        repository.add(CAMERA, "pedestals", data, begin=100 + number, message="x", inputs=files[-2:])
        files.append(save(tmp_path / f"{number}.npy", 50 + number))

    def count(source: object) -> int:
        return 1 + sum(map(count, source.inputs))  # type: ignore[attr-defined]

    assert count(repository.provenance(f"{CAMERA}/pedestals/111-end").chain) < 40


def test_a_squeezed_clone_tells_what_it_could_not_compare(
    repository: Repository, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = tmp_path / "raw.bin"
    raw.write_bytes(b"frames")
    repository.add(CAMERA, "pedestals", np.full((4, 5), 30, np.float32), begin=0, message="x", inputs=[raw])
    calibvcs.clone(folder, tmp_path / "clone", detectors=[CAMERA])
    monkeypatch.setenv("CALIBVCS_OFFLINE", "1")
    with calibvcs.open(tmp_path / "clone") as clone:
        found = clone.provenance(FIRST)
    assert [one.kind for one in found.chain.inputs] == ["file"]
    assert found.unread == 1  # v1


# --- once more ------------------------------------------------------------------------------------------------


def test_the_same_data_come_out(repository: Repository, folder: Path, tmp_path: Path) -> None:
    file = save(tmp_path / "dark.npy", 30)
    words = ["calibvcs", "add", CAMERA, "pedestals", "dark.npy", "--begin", "77", "-m", "Dark", "--repo", str(folder)]
    repository.add(CAMERA, "pedestals", file, begin=77, message="Dark", command=words, inputs=[file])
    refs, told = repository.commit, []
    found = repository.rerun("HEAD", confirm=lambda recording: told.append(recording) or True, folder=tmp_path)
    assert found is not None
    assert (found.verdict, [one.status for one in found.constants], found.moved) == ("same", ["same"], ())
    assert told[0].commands[0].command == tuple(words)
    assert [one.state for one in told[0].commands[0].inputs] == ["same"]
    assert str(folder) not in found.ran[0].command
    assert repository.commit == refs
    assert repository.status().clean


def test_other_data_are_shown_in_numbers(repository: Repository, tmp_path: Path) -> None:
    file = save(tmp_path / "dark.npy", 30)
    words = [
        "calibvcs",
        "add",
        "front",
        "pedestals",
        "dark.npy",
        "--begin=1767225601",
        "-m",
        "Dark",
        "--input",
        "dark.npy",
    ]
    repository.add(CAMERA, "pedestals", file, begin=1767225601, message="Dark", command=words, inputs=[file])
    save(file, 33)
    found = repository.rerun("HEAD", confirm=yes, folder=tmp_path)
    assert found is not None
    assert found.verdict == "different"
    assert found.constants[0].array is not None
    assert found.constants[0].array.largest_median == 3
    assert repository.recorded("HEAD", folder=tmp_path).commands[0].inputs[0].state == "changed"
    file.unlink()
    assert repository.recorded("HEAD", folder=tmp_path).commands[0].inputs[0].state == "missing"
    failed = repository.rerun("HEAD", confirm=yes, folder=tmp_path)
    assert failed is not None
    assert (failed.verdict, failed.ran[0].status, failed.constants[0].status) == ("failed", 3, "removed")


def by_script(repository: Repository, text: str, folder: Path, level: float = 30) -> str:
    """Add a constant as if a script had, and return its commit."""
    (folder / "make.py").write_text(text)
    command = [f"{sys.executable} make.py"]
    data = np.full((4, 5), level, np.float32)
    repository.add(CAMERA, "pedestals", data, begin=77, message="Made by a script", command=command)
    return repository.commit


def test_a_script_writes_into_the_scratch_repository(repository: Repository, tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    commit = by_script(repository, SCRIPT.format(level=30), work)
    repository.add(CAMERA, "pedestals", np.full((4, 5), 60, np.float32), begin=77, message="Later")
    found = repository.rerun(commit, confirm=yes, folder=work)
    assert found is not None
    assert found.verdict == "same"
    assert found.ran[0].command == (sys.executable, "make.py")
    assert repository.default.show(f"{CAMERA}/pedestals/77-end").version == "v2"


@pytest.mark.parametrize(
    ("text", "verdict", "statuses"),
    [
        ("pass", "different", ["removed"]),
        ("import sys; sys.exit(7)", "failed", ["removed"]),
        ("import time; time.sleep(60)", "timed out", ["removed"]),
        (SCRIPT.format(level=30) + SCRIPT.format(level=40).replace("77", "78"), "different", ["same", "added"]),
    ],
    ids=["nothing", "fails", "too long", "more"],
)
def test_what_else_may_come_of_it(
    text: str, verdict: str, statuses: list[str], repository: Repository, tmp_path: Path
) -> None:
    work = tmp_path / "work"
    work.mkdir()
    commit = by_script(repository, text, work)
    found = repository.rerun(commit, confirm=yes, folder=work, time_limit=1.5 if verdict == "timed out" else 60)
    assert found is not None
    assert (found.verdict, [one.status for one in found.constants]) == (verdict, statuses)
    assert repository.commit == commit


def test_nothing_is_run_without_consent(repository: Repository, tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    commit = by_script(repository, "open('ran', 'w')", work)
    assert repository.rerun(commit, confirm=lambda _: False, folder=work) is None
    assert not (work / "ran").exists()
    repository.rerun(commit, confirm=yes, folder=work)
    assert (work / "ran").exists()


def test_no_shell_takes_the_command_apart(repository: Repository, tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    data = np.full((4, 5), 30, np.float32)
    command = [sys.executable, "-c", "import sys; open('words', 'w').write(repr(sys.argv[1:]))", "$(touch x)", "; y"]
    repository.add(CAMERA, "pedestals", data, begin=77, message="x", command=command)
    repository.rerun("HEAD", confirm=yes, folder=work)
    assert [path.name for path in work.iterdir()] == ["words"]
    assert (work / "words").read_text() == "['$(touch x)', '; y']"


def test_what_cannot_be_repeated_is_told(repository: Repository, folder: Path, tmp_path: Path) -> None:
    data = np.full((4, 5), 30, np.float32)
    with pytest.raises(InvalidOptionError, match="no command"):
        repository.rerun("HEAD", confirm=yes)
    for number, words in enumerate((["calibvcs", "add", CAMERA, "pedestals", "-"], ["calibvcs", "commit", "-m", "x"])):
        repository.add(CAMERA, "pedestals", data + number, begin=77, message="x", command=words)
        with pytest.raises(InvalidOptionError, match=r"standard input|by hand"):
            repository.rerun("HEAD", confirm=yes, folder=tmp_path)
    repository.add(CAMERA, "pedestals", data + 7, begin=77, message="x", command=["no-such-program"])
    with pytest.raises(InvalidOptionError, match="inside the repository"):
        repository.rerun("HEAD", confirm=yes, folder=folder)
    work = tmp_path / "work"
    work.mkdir()
    with pytest.raises(MissingProgramError):
        repository.rerun("HEAD", confirm=yes, folder=work)
    with pytest.raises(InvalidOptionError):
        repository.rerun("HEAD", confirm=yes, time_limit=float("nan"))
    with pytest.raises(InvalidOptionError):
        repository.rerun("HEAD", confirm=yes, folder=tmp_path / "nowhere")
    with pytest.raises(UnknownRevisionError):
        repository.rerun("nothing", confirm=yes)


def test_a_clone_that_lacks_data_brings_them(repository: Repository, folder: Path, tmp_path: Path) -> None:
    file = save(tmp_path / "dark.npy", 30)
    words = ["calibvcs", "add", CAMERA, "pedestals", "dark.npy", "--begin", "0", "-m", "Dark"]
    repository.add(CAMERA, "pedestals", file, begin=0, message="Dark", command=words)
    commit = repository.commit
    repository.add(CAMERA, "pedestals", np.full((4, 5), 60, np.float32), begin=0, message="Later")
    calibvcs.clone(folder, tmp_path / "clone", detectors=[CAMERA])
    with calibvcs.open(tmp_path / "clone") as clone:
        found = clone.rerun(commit, confirm=yes, folder=tmp_path)
    assert found is not None
    assert found.verdict == "same"
