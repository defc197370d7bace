"""Where the rules demand signatures, real pushes of C Git with ssh keys: who signs comes in, who does not is told why."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

import calibvcs
from calibvcs.store.hooks import install
from tests.compat.forge import HOOK

DEMANDED = "signatures are demanded by .calibvcs/access.toml"


@dataclass(frozen=True)
class Server:
    """A hosted repository that demands signatures, and people with keys."""

    folder: Path

    def git(self, place: str, *words: str, user: str = "", fails: bool = False) -> str:
        name = ("-c", f"user.name={user}", "-c", f"user.email={user}@example.org") if user else ()
        done = subprocess.run(
            ["git", *name, "-C", self.folder / place, *words], capture_output=True, text=True,
            env={"PATH": "/usr/bin:/bin", "HOME": str(self.folder), "CALIBVCS_USER": user},
        )  # fmt: skip
        assert (done.returncode != 0) == fails, done.stdout + done.stderr
        return done.stdout + done.stderr

    def key(self, user: str) -> Path:
        path = self.folder / f"key-{user}"
        if not path.exists():
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", user, "-f", path], check=True)
        return path

    def commit(self, user: str, key: str = "") -> str:
        """Let somebody make a change of a constant, signed with a key or not."""
        with pytest.MonkeyPatch.context() as patch:
            for role in ("AUTHOR", "COMMITTER"):
                patch.setenv(f"GIT_{role}_NAME", user)
                patch.setenv(f"GIT_{role}_EMAIL", f"{user}@example.org")
            work = self.folder / "work"
            self.git("work", "config", "gpg.format", "ssh")
            self.git("work", "config", "user.signingkey", str(self.key(key)) if key else "none")
            with calibvcs.open(work, sign=bool(key)) as repository:
                data = np.random.default_rng().normal(1000, 5, (4, 5)).astype(np.float32)
                made = repository.add("opal1000-1", "pedestals", data, begin=1000, message="Dark", force_reason="test")
                return made.commit

    def push(self, user: str, ref: str, *, fails: bool = False) -> str:
        return self.git("work", "push", "-q", "origin", ref, user=user, fails=fails)


@pytest.fixture
def server(tmp_path: Path) -> Server:
    server = Server(tmp_path)
    calibvcs.init(tmp_path / "central", bare=True)
    calibvcs.clone(str(tmp_path / "central"), tmp_path / "work")
    with calibvcs.open(tmp_path / "work") as repository:
        repository.detector.add("opal1000-1")
    keys = "".join(
        f'{user} = ["{server.key(user).with_suffix(".pub").read_text().strip()}"]\n' for user in ("ada", "bob")
    )
    access = tmp_path / "work" / ".calibvcs" / "access.toml"
    access.write_text(
        "[groups]\nexperts = ['ada', 'bob', 'eve']\nadmins = ['root']\n"
        f"[signatures]\ndemanded = ['commits', 'tags']\n[signatures.keys]\n{keys}"
    )
    server.git("work", "add", ".calibvcs")
    server.git("work", "commit", "-qm", "Demand signatures", user="root")
    server.git("work", "push", "-q", "origin", "main")
    install(tmp_path / "central", HOOK, ())
    return server


def test_who_signs_comes_in(server: Server) -> None:
    for user in ("ada", "bob"):
        server.commit(user, key=user)
        server.push(user, "main")
    server.git("work", "config", "user.signingkey", str(server.key("bob")))
    server.git("work", "tag", "-s", "-m", "Good", "v1", user="bob")
    server.push("bob", "v1")
    proposed = server.commit("ada", key="ada")
    server.push("ada", f"{proposed}:refs/heads/proposals/ada/idea")
    server.push("root", "main")  # an admin may bring what ada signed
    assert server.git("central", "rev-parse", "main").strip() == proposed


@pytest.mark.parametrize(
    ("pusher", "key", "reason"),
    [
        ("ada", "", "this one is missing"),
        ("ada", "stranger", "this one is unknown (its key is listed for nobody)"),
        ("ada", "bob", "ada pushes, and it is signed by bob"),
        ("eve", "", "this one is missing"),
        ("root", "", "this one is missing"),
    ],
)
def test_who_does_not_is_told_why(server: Server, pusher: str, key: str, reason: str) -> None:
    before = server.git("central", "rev-parse", "main")
    server.commit(pusher, key=key)
    said = server.push(pusher, "main", fails=True)
    assert f"{DEMANDED}: {reason}" in said
    assert "user.signingkey" in said
    assert server.git("central", "rev-parse", "main") == before
    if pusher != "root":
        assert DEMANDED in server.push(pusher, f"HEAD:refs/heads/proposals/{pusher}/idea", fails=True)


def test_a_signature_of_something_else_does_not_count(server: Server) -> None:
    signed = server.commit("ada", key="ada")
    raw = subprocess.run(
        ["git", "-C", server.folder / "work", "cat-file", "commit", signed], capture_output=True, check=True
    ).stdout
    forged = subprocess.run(
        ["git", "-C", server.folder / "work", "hash-object", "-t", "commit", "-w", "--stdin"],
        input=raw.replace(b"Dark", b"Dark run 12"), capture_output=True, check=True,
    ).stdout.decode().strip()  # fmt: skip
    assert f"{DEMANDED}: this one is bad" in server.push("ada", f"{forged}:refs/heads/main", fails=True)


def test_an_unsigned_commit_below_a_signed_one_is_found(server: Server) -> None:
    below = server.commit("ada")
    server.commit("ada", key="ada")
    said = server.push("ada", "main", fails=True)
    assert f"commit {below[:12]}" in said
    assert said.count(DEMANDED) == 1


def test_tags_are_held_to_it_too(server: Server) -> None:
    server.commit("ada", key="ada")
    server.push("ada", "main")
    server.git("work", "tag", "-a", "-m", "Good", "v1", user="ada")
    assert f"refs/tags/v1: {DEMANDED}: this one is missing" in server.push("ada", "v1", fails=True)
    server.git("work", "config", "user.signingkey", str(server.key("stranger")))
    server.git("work", "tag", "-s", "-m", "Good", "v2", user="ada")
    assert "listed for nobody" in server.push("ada", "v2", fails=True)
