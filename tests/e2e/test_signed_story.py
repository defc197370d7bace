"""Signatures and the states of tags through the installed program, with Git's own configuration and real keys."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from tests.e2e.conftest import Program, dark, git


@pytest.fixture
def signer(private_home: Path) -> Path:
    """Return the folder of a key that Git is told of, with the list of those who may sign."""
    if not shutil.which("ssh-keygen"):
        pytest.skip("ssh-keygen (Debian: openssh-client) is not installed")
    key = private_home / "id"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    (private_home / "signers").write_text(f"grace@example.org {key.with_suffix('.pub').read_text()}")
    for name, value in (
        ("gpg.format", "ssh"),
        ("user.signingkey", "~/id.pub"),
        ("gpg.ssh.allowedSignersFile", "~/signers"),
    ):
        git(private_home, "config", "--global", name, value)
    return private_home


def test_story_of_a_set_that_is_published(calibvcs: Program, repository: Path, signer: Path) -> None:
    begin = git(repository, "rev-parse", "HEAD").strip()
    np.save(calibvcs.folder / "second.npy", dark((4, 5), 1002, seed=1))
    words = ("add", "opal1000-1", "pedestals", "second.npy", "--begin", "1000", "-m", "Signed", "--repo", repository)
    calibvcs(*words, "-S")
    git(repository, "verify-commit", "HEAD")
    logged = calibvcs("log", "--show-signature", "--repo", repository).out
    assert "Signed: good by grace@example.org with key SHA256:" in logged
    assert logged.count("Signed: missing") == 3

    calibvcs("tag", "create", "golden", "-m", "What the paper used", "--sign", "--repo", repository)
    git(repository, "verify-tag", "golden")
    refused = calibvcs("tag", "check", "golden", "--published", "--repo", repository, expect=4)
    assert "it is open; demanded is published" in refused.err
    calibvcs("tag", "state", "golden", "testing", "--repo", repository)
    calibvcs("tag", "state", "golden", "validated", "--comment", "Two people looked", "--repo", repository)
    dry = calibvcs("tag", "state", "golden", "published", "-S", "--dry-run", "--repo", repository)
    assert "dry run" in dry.out
    calibvcs("tag", "state", "golden", "published", "-S", "--repo", repository)
    git(repository, "verify-tag", "golden@state/3")
    for again, words in (("testing", "can only become invalid"), ("published", "is published already")):
        assert (
            words
            in calibvcs(
                "tag", "state", "golden", again, "--repo", repository, expect=4 if again == "testing" else 5
            ).err
        )
    assert "the comment is empty" in calibvcs("tag", "state", "golden", "invalid", "--repo", repository, expect=4).err

    commit = git(repository, "rev-parse", "HEAD").strip()
    checked = calibvcs("tag", "check", "golden", "--published", "--signed", "--repo", repository)
    assert checked.out == f"{commit}\n"
    told = "validated since .* by Grace Hopper: Two people looked"
    for verb in (("tag", "show", "golden"), ("ls",), ("show", "opal1000-1/pedestals"), ("log",)):
        out = calibvcs(*verb, "--repo", repository).out
        assert "published since" in out, verb
        assert ", signed: golden is published" in out, verb
        assert re.search(told, out), verb
    (row,) = calibvcs("tag", "list", "--repo", repository, "--json").json["tags"]
    assert (row["name"], row["state"], row["signed"], row["message"]) == (
        "golden",
        "published",
        True,
        "What the paper used",
    )
    assert [one["state"] for one in row["history"]] == ["testing", "validated", "published"]
    shown = calibvcs("show", "opal1000-1/pedestals@v1", "--repo", repository, "--json").json
    assert shown["tags"] == []
    state = calibvcs("tag", "state", "golden", "--repo", repository, "--json").json
    assert (state["schema"], state["state"]) == ("calibvcs.tag-state/1", "published")

    found = calibvcs("verify", "--signatures", "--repo", repository)
    assert "signatures: 3 good, 0 bad, 0 not known, 5 missing" in found.out
    found = calibvcs("verify", "--signatures", "--require", "--since", begin, "--repo", repository, expect=1)
    assert found.out.count("error: tag golden@state/") == 2
    calibvcs("verify", "--require", "--repo", repository, expect=2)
    assert git(repository, "fsck", "--strict") == ""
    assert git(repository, "status", "--porcelain") == ""

    calibvcs("tag", "state", "golden", "invalid", "-m", "Light leak", "--repo", repository)
    refused = calibvcs("tag", "check", "golden", "--repo", repository, expect=4)
    assert "Light leak" in refused.err
    assert "invalid is for good" in calibvcs("tag", "state", "golden", "testing", "--repo", repository, expect=4).err


def test_a_key_that_does_not_sign_changes_nothing(calibvcs: Program, repository: Path, signer: Path) -> None:
    before = git(repository, "for-each-ref"), git(repository, "status", "--porcelain")
    git(repository, "config", "commit.gpgsign", "true")
    git(repository, "config", "user.signingkey", "~/lost.pub")
    np.save(calibvcs.folder / "second.npy", dark((4, 5), 1002, seed=1))
    words = ("add", "opal1000-1", "pedestals", "second.npy", "--begin", "1000", "-m", "Signed", "--repo", repository)
    failed = calibvcs(*words, expect=2)
    assert "~/lost.pub" in failed.err
    assert "nothing was changed" in failed.err
    assert (git(repository, "for-each-ref"), git(repository, "status", "--porcelain")) == before
    git(repository, "config", "gpg.ssh.program", "/nowhere/ssh-keygen")
    git(repository, "config", "user.signingkey", "~/id.pub")
    assert "install OpenSSH" in calibvcs(*words, expect=3).err
    calibvcs(*words, "--no-sign")
    assert git(repository, "log", "--format=%G?", "-1") == "N\n"


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("state", "golden", "done"), 2, "allowed are testing, validated, published, invalid"),
        (("state", "gold", "testing"), 3, "tags: golden"),
        (("state", "golden@state/1", "testing"), 3, "tags: golden"),
        (("show", "golden@state/1"), 3, "tags: golden"),
        (("create", "golden@state/9", "-m", "x"), 2, "is not a tag"),
        (("state", "light", "testing"), 2, "a lightweight tag has no state"),
        (("check", "golden", "--signed"), 4, "its signature is missing"),
        (("state", "golden", "published", "-m", "Calibvcs-State: published"), 2, "trailer"),
    ],
    ids=lambda given: " ".join(given) if isinstance(given, tuple) else None,
)
def test_mistakes(calibvcs: Program, repository: Path, words: tuple[str, ...], code: int, told: str) -> None:
    calibvcs("tag", "create", "golden", "-m", "Good", "--repo", repository)
    calibvcs("tag", "state", "golden", "testing", "--repo", repository)
    if "light" in words:
        git(repository, "tag", "light")
    before = git(repository, "for-each-ref")
    assert told in calibvcs("tag", *words, "--repo", repository, expect=code).err
    assert git(repository, "for-each-ref") == before


def test_a_forged_state_is_told(calibvcs: Program, repository: Path) -> None:
    calibvcs("tag", "create", "golden", "-m", "Good", "--repo", repository)
    calibvcs("tag", "state", "golden", "testing", "--repo", repository)
    git(repository, "tag", "-a", "golden@state/2", "-m", "Fine\n\nCalibvcs-State: published", "HEAD")
    listed = calibvcs("tag", "list", "--repo", repository, "--json").json["tags"]
    assert [(one["name"], one["state"]) for one in listed] == [("golden", "broken")]
    for words in (("state", "golden"), ("check", "golden", "--published"), ("state", "golden", "published")):
        assert (
            "cannot be trusted: state 2: it belongs to" in calibvcs("tag", *words, "--repo", repository, expect=7).err
        )
    assert "tag golden: its states cannot be trusted" in calibvcs("verify", "--repo", repository, expect=1).out


def test_merges_are_signed_too(calibvcs: Program, repository: Path, signer: Path) -> None:
    calibvcs("clone", repository, "mine")
    for number, place in enumerate((repository, calibvcs.folder / "mine")):
        np.save(calibvcs.folder / "new.npy", dark((4, 5), 1002, seed=number))
        begin = str(5000 + number)
        calibvcs("add", "opal1000-1", "pedestals", "new.npy", "--begin", begin, "-m", "Dark", "--repo", place)
    calibvcs("pull", "-S", "--repo", "mine")
    mine = calibvcs.folder / "mine"
    assert len(git(mine, "rev-parse", "HEAD^@").split()) == 2
    git(mine, "verify-commit", "HEAD")
