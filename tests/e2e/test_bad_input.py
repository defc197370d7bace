"""Whatever a user gets wrong: one message with value, limit and next step, its exit code, and nothing changed."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.e2e.conftest import Program, dark, git

Maker = Callable[[Path], object]


def save(array: np.ndarray, **options: bool) -> Maker:
    return lambda path: np.save(path, array, **options)


def raw(content: bytes) -> Maker:
    return lambda path: path.write_bytes(content)


def npy(header: str, payload: bytes = b"\0" * 80) -> bytes:
    text = header.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + payload


def poisoned(value: float) -> np.ndarray:
    array = dark((4, 5))
    array[1, 2] = value
    return array


LINE = "IP 0 EPIX100:V1 0 0 0 1000000 90 180 0 0 0 0\n"

# what is wrong: (file, ctype, exit code, fragments of the message)
FILES: dict[str, tuple[Maker, str, int, tuple[str, ...]]] = {
    "object array": (save(np.array([{}, None]), allow_pickle=True), "pedestals", 4, ("objects", "float")),
    "structured array": (save(np.zeros(3, dtype=[("a", "f4")])), "pedestals", 4, ("structured",)),
    "text strings": (save(np.array(["a"])), "pedestals", 4, ("string",)),
    "big endian": (save(dark((4, 5)).astype(">f4")), "pedestals", 4, ("big", "<f4")),
    "Fortran order": (save(np.asfortranarray(dark((4, 5)))), "pedestals", 4, ("Fortran", "ascontiguousarray")),
    "truncated": (lambda path: (np.save(path, dark((4, 5))), path.write_bytes(path.read_bytes()[:-7])), "pedestals", 4, ("bytes",)),
    "empty file": (raw(b""), "pedestals", 4, ("empty",)),
    "only the magic": (raw(b"\x93NUMPY"), "pedestals", 4, ("version",)),
    "shape beyond the file": (
        raw(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (40, 50), }")), "pedestals", 4, ("8000", "80"),
    ),
    "10**12 elements": (
        raw(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1000000, 1000000), }")), "pedestals", 4, ("1000000",),
    ),
    "negative shape": (
        raw(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (-4, 5), }")), "pedestals", 4, ("-4",),
    ),
    "code in the header": (
        raw(npy("{'descr': __import__('os').abort(), 'fortran_order': False, 'shape': (4, 5), }")), "pedestals", 4, ("header",),
    ),
    "NaN": (save(poisoned(float("nan"))), "pedestals", 4, ("finite", "1 of 20", "--force")),
    "infinite": (save(poisoned(float("inf"))), "pedestals", 4, ("finite", "1 of 20")),
    "all zero": (save(np.zeros((4, 5), np.float32)), "pedestals", 4, ("all 20 values are zero", "--force")),
    "float64": (save(dark((4, 5)).astype(float)), "pedestals", 4, ("float64", "astype('float32')")),
    "wrong rank": (save(dark((20,))), "pedestals", 4, ("shape", "(20,)")),
    "another shape than before": (save(dark((5, 4))), "pedestals", 4, ("(5, 4)", "(4, 5)")),
    "implausible drift": (save(dark((4, 5), 9000)), "pedestals", 4, ("drift", "1000 ADU")),
    "the same again": (save(dark((4, 5))), "pedestals", 4, ("new data", "@v1")),
    "mask with a 2": (save(np.full((4, 5), 2, np.uint8)), "pixel_mask", 4, ("mask", "2")),
    "unknown ctype": (save(dark((4, 5))), "pedestal", 4, ("'pedestal'", "pedestals")),
    "array as geometry": (save(dark((4, 5))), "geometry", 4, ("text",)),
    "geometry as array": (raw(LINE.encode()), "pedestals", 4, ("array",)),
    "12 fields": (raw(b"IP 0 EPIX100:V1 0 0 0 1000000 90 180 0 0 0\n"), "geometry", 4, ("line 1", "12", "13")),
    "a word for a number": (raw(LINE.replace("90", "ninety").encode()), "geometry", 4, ("line 1", "ninety")),
    "cyclic geometry": (
        raw(b"A 0 B 0 0 0 0 0 0 0 0 0 0\nB 0 A 0 0 0 0 0 0 0 0 0 0\n"), "geometry", 4, ("A", "B"),
    ),
    "orphan in a geometry": (
        raw((LINE + "ELSEWHERE 0 EPIX100:V1 1 0 0 0 0 0 0 0 0 0\n").encode()), "geometry", 4, ("ELSEWHERE",),
    ),
    "geometry without panels": (raw(b"# nothing\n"), "geometry", 4, ("panel",)),
    "no UTF-8": (raw(b"\xff\xfe\x00\x01"), "pedestals", 4, ("UTF-8",)),
    "text that is no array": (raw(b"hello world\n"), "pedestals", 4, ("hello",)),
}  # fmt: skip


@pytest.mark.parametrize("case", FILES)
def test_bad_file_is_refused_and_nothing_changes(case: str, calibvcs: Program, repository: Path) -> None:
    make, ctype, code, fragments = FILES[case]
    make(calibvcs.folder / "bad.npy")
    before = git(repository, "rev-parse", "HEAD"), git(repository, "count-objects")
    refused = calibvcs(
        "add", "opal1000-1", ctype, "bad.npy", "--begin", "1000", "-m", "why", "--repo", repository, expect=code
    )
    assert refused.err.startswith("error: ")
    assert "hint: " in refused.err
    for fragment in fragments:
        assert fragment in refused.err
    assert (git(repository, "rev-parse", "HEAD"), git(repository, "count-objects")) == before
    assert git(repository, "status", "--porcelain") == ""


# what is wrong: (words of the command, exit code, fragments of the message); {repo} is the repository
WORDS: dict[str, tuple[str, int, tuple[str, ...]]] = {
    "begin after end": ("add opal1000-1 pedestals first.npy --begin 200 --end 100 -m x", 2, ("200-100", "--begin")),
    "begin is end": ("add opal1000-1 pedestals first.npy --begin 200 --end 200 -m x", 2, ("200-200",)),
    "negative time": ("add opal1000-1 pedestals first.npy --begin=-5 -m x", 2, ("-5", "1970")),
    "unreadable time": ("add opal1000-1 pedestals first.npy --begin yesterday -m x", 2, ("yesterday", "ISO 8601")),
    "behind 2106": ("get opal1000-1 pedestals --time 9999-01-01", 2, ("2106",)),
    "no begin": ("add opal1000-1 pedestals first.npy -m x", 2, ("--begin",)),
    "no comment": ("add opal1000-1 pedestals first.npy --begin 5", 4, ("comment", "-m")),
    "blank comment": ("add opal1000-1 pedestals first.npy --begin 5 -m '  '", 4, ("comment",)),
    "no such file": ("add opal1000-1 pedestals missing.npy --begin 5 -m x", 3, ("missing.npy",)),
    "a folder": ("add opal1000-1 pedestals . --begin 5 -m x", 3, ("directory",)),
    "no file named": ("add opal1000-1 pedestals --begin 5 -m x", 2, ("FILE",)),
    "force without reason": ("add opal1000-1 pedestals first.npy --begin 5 -m x --force", 2, ("--reason",)),
    "unknown detector": ("add opal1000-2 pedestals first.npy --begin 5 -m x", 3, ("opal1000-2", "opal1000-1")),
    "unknown detector, get": ("get opl1000-1 pedestals --time 5000", 3, ("nearest: opal1000-1",)),
    "unknown ctype, get": ("get opal1000-1 pixel_gain --time 5000", 3, ("pixel_gain", "pedestals")),
    "nothing valid": ("get opal1000-1 pedestals --time 500", 3, ("1000-end", "500")),
    "no time": ("get opal1000-1 pedestals", 2, ("--time",)),
    "time and run": ("get opal1000-1 pedestals --time 5 --run e:1", 2, ("--time",)),
    "unknown run": ("get opal1000-1 pedestals --run mfx1:7", 3, ("mfx1:7", "run mark")),
    "no run": ("get opal1000-1 pedestals --run seven", 2, ("seven",)),
    "dots": ("detector add opal-a..b", 2, ("opal-a..b",)),
    "slash": ("detector add opal/../x-1", 2, ("opal/../x-1",)),
    "upper case": ("detector add Opal-1", 2, ("'opal-1'",)),
    "control character": ("detector add 'opal-\x07'", 2, ("\\x07",)),
    "300 characters": (f"detector add opal-{'x' * 300}", 2, ("200",)),
    "reserved": ("detector add experiments-1", 2, ("experiments",)),
    "detector twice": ("detector add opal1000-1", 5, ("exists already", "detector set")),
    "nothing to set": ("detector set opal1000-1", 5, ("recorded so already",)),
    "unknown revision": ("ls --at nowhere", 3, ("nowhere", "main")),
    "date before the first commit": ("ls --at 1999-01-01", 3, ("1999-01-01",)),
    "unknown version": ("default set opal1000-1/pedestals/1000-end@v9 -m x", 3, ("v9", "v1")),
    "unknown range": ("show opal1000-1/pedestals/7-end", 3, ("1000-end",)),
    "bad range": ("show opal1000-1/pedestals/end-7", 2, ("end-7",)),
    "padded range": ("show opal1000-1/pedestals/0001000-end", 2, ("0001000-end",)),
    "default is default": ("default set opal1000-1/pedestals/1000-end@v1 -m x", 5, ("is the default already",)),
    "not locked": ("unlock opal1000-1/pedestals/1000-end -m x", 5, ("not locked",)),
    "lock without comment": ("lock opal1000-1/pedestals/1000-end", 4, ("comment",)),
    "unknown tag": ("tag show golden", 3, ("golden",)),
    "bad tag": ("tag create ../x -m y", 2, ("../x",)),
    "unknown alias": ("alias resolve front", 3, ("front",)),
    "dark without reason": ("run mark mfx1:7 --kind dark -m x --begin 5", 2, ("power-cycled", "--reason")),
    "unknown kind": ("run mark mfx1:7 --kind dusk -m x", 2, ("dusk", "charge-injection")),
    "unmark what is not": ("run unmark mfx1:7", 3, ("mfx1:7",)),
    "diff of two kinds": ("diff opal1000-1/pedestals/1000-end main", 2, ("constant", "revision")),
    "no assignment": ("detector set opal1000-1 --param bias", 2, ("KEY=VALUE",)),
    "no regular expression": ("log --grep '('", 2, ("--grep",)),
    "unknown verb": ("frobnicate", 2, ("frobnicate", "--help")),
    "unknown option": ("ls --frobnicate", 2, ("--frobnicate", "--help")),
    "trailer in the comment": ("lock opal1000-1/pedestals/1000-end -m 'Calibvcs-Action: add'", 2, ("trailer",)),
}  # fmt: skip


@pytest.mark.parametrize("case", WORDS)
def test_bad_words_are_refused_and_nothing_changes(case: str, calibvcs: Program, repository: Path) -> None:
    import shlex

    words, code, fragments = WORDS[case]
    before = git(repository, "rev-parse", "HEAD")
    words_in = [*shlex.split(words), *([] if case == "unknown verb" else ["--repo", str(repository)])]
    refused = calibvcs(*words_in, expect=code)
    assert refused.err.startswith("error: "), refused
    for fragment in fragments:
        assert fragment in refused.err
    assert git(repository, "rev-parse", "HEAD") == before


def test_no_identity(calibvcs: Program, repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.delenv(f"GIT_{role}_NAME")
        monkeypatch.delenv(f"GIT_{role}_EMAIL")
    refused = calibvcs("lock", "opal1000-1/pedestals/1000-end", "-m", "x", "--repo", repository, expect=2)
    assert "git config --global user.name" in refused.err
    calibvcs("ls", "--repo", repository)


def test_no_repository_and_not_ours(calibvcs: Program) -> None:
    assert "calibvcs init" in calibvcs("ls", expect=3).err
    assert "calibvcs init" in calibvcs("ls", "--repo", "/nowhere", expect=3).err
    git(calibvcs.folder, "init", "-q", "other")
    assert "no commit yet" in calibvcs("ls", "--repo", "other", expect=3).err
    git(calibvcs.folder / "other", "commit", "-q", "--allow-empty", "-m", "x")
    for words in (["ls"], ["detector", "add", "opal-1"]):
        assert ".calibvcs/repository.toml" in calibvcs(*words, "--repo", "other", expect=7).err


@pytest.mark.parametrize(
    ("old", "new", "fragment"), [("format = 1", "format = 2", "format 2"), ("format = 1", "", "missing")]
)
def test_newer_or_missing_format(calibvcs: Program, repository: Path, old: str, new: str, fragment: str) -> None:
    file = repository / ".calibvcs/repository.toml"
    file.write_text(file.read_text().replace(old, new))
    git(repository, "commit", "-qam", "x")
    for words in (["ls"], ["add", "opal1000-1", "pedestals", "first.npy", "--begin", "5", "-m", "x"]):
        assert fragment in calibvcs(*words, "--repo", repository, expect=7).err
    assert fragment in calibvcs("verify", "--repo", repository, expect=1).out


def test_broken_toml_in_the_tree(calibvcs: Program, repository: Path) -> None:
    file = repository / "opal1000/opal1000-1/pedestals/1000-end/meta.toml"
    file.write_text("dtype = = 3\n")
    git(repository, "commit", "-qam", "x")
    refused = calibvcs("get", "opal1000-1", "pedestals", "-t", "5000", "--repo", repository, expect=7)
    assert "meta.toml" in refused.err
    assert "git log -p" in refused.err
    assert "meta.toml" in calibvcs("verify", "--repo", repository, expect=1).out


def test_half_written_object(calibvcs: Program, repository: Path) -> None:
    blob = git(repository, "rev-parse", "HEAD:opal1000/opal1000-1/pedestals/1000-end/data.npy").strip()
    file = repository / ".git/objects" / blob[:2] / blob[2:]
    file.chmod(0o644)
    file.write_bytes(file.read_bytes()[:30])
    refused = calibvcs("get", "opal1000-1", "pedestals", "-t", "5000", "-o", "x.npy", "--repo", repository, expect=7)
    assert blob in refused.err
    assert "calibvcs repair --from" in refused.err
    assert not (calibvcs.folder / "x.npy").exists()
    assert blob in calibvcs("verify", "--deep", "--repo", repository, expect=1).out


def test_edited_worktree_is_not_overwritten(calibvcs: Program, repository: Path) -> None:
    file = repository / "opal1000/opal1000-1/pedestals/1000-end/data.npy"
    file.write_bytes(b"mine")
    np.save(calibvcs.folder / "second.npy", dark((4, 5), 1001))
    words = ("add", "opal1000-1", "pedestals", "second.npy", "--begin", "1000", "-m", "x", "--repo", repository)
    assert "data.npy" in calibvcs(*words, expect=5).err
    assert file.read_bytes() == b"mine"


def test_read_only_disk_and_full_disk(calibvcs: Program, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], capture_output=True).returncode:
        pytest.skip("only root may mount a small disk here")
    try:
        calibvcs("init", disk / "constants")
        calibvcs("detector", "add", "opal1000-1", "--repo", disk / "constants")
        before = git(disk / "constants", "rev-parse", "HEAD")
        np.save(tmp_path / "large.npy", dark((1024, 1024)))
        words = ("add", "opal1000-1", "pedestals", "large.npy", "--begin", "5", "-m", "x", "--repo", disk / "constants")
        full = calibvcs(*words, expect=9)
        assert "No space left" in full.err
        assert git(disk / "constants", "rev-parse", "HEAD") == before
        git(disk / "constants", "fsck", "--strict")
        assert not list((disk / "constants/.git").rglob("tmp_obj_*"))
        np.save(tmp_path / "small.npy", dark((10, 10)))
        words = ("add", "opal1000-1", "pedestals", "small.npy", "--begin", "5", "-m", "x", "--repo", disk / "constants")
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        assert "Read-only" in calibvcs(*words, expect=6).err
        assert calibvcs("get", "opal1000-1", "pedestals", "-t", "9", "--repo", disk / "constants", expect=3)
        subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
        calibvcs(*words)
    finally:
        subprocess.run(["umount", disk], check=True)


def test_with_json_a_refusal_is_a_document_with_what_it_knows(calibvcs: Program, repository: Path) -> None:
    np.save(calibvcs.folder / "zeros.npy", np.zeros((4, 5), np.float32))
    words = ("add", "opal1000-1", "pedestals", "zeros.npy", "--begin", "9", "-m", "x", "--repo", repository)
    plain, refused = calibvcs(*words, expect=4), calibvcs(*words, "--json", expect=4)
    told = refused.json
    assert (told["schema"], told["error"], told["exit_code"]) == ("calibvcs.error/1", "GateRefusedError", 4)
    assert told["fields"]["constant"] == "opal1000-1/pedestals/9-end"
    assert "not all zero" in {refusal["rule"] for refusal in told["fields"]["refusals"]}
    assert plain.out == ""
    assert plain.err == refused.err == f"error: {told['problem']}\nhint: {told['hint']}\n"
    missing = calibvcs("get", "opal1000-1", "pedestal", "-t", "5000", "--repo", repository, "--json", expect=3).json
    assert missing["fields"]["nearest"] == ["opal1000-1/pedestals"]
