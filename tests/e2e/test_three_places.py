"""Repository, experiment and sandbox: the story of a change from a user's sandbox to everybody, through real servers."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tests.e2e.conftest import SCRIPT, Finished, git
from tests.servers.http_backend import HttpServer, http_server
from tests.servers.ssh import SshServer, ssh_server

SHAPE = (256, 512)
DAY = 86_400
START = 1_767_225_600
MONTHS = (START, START + 31 * DAY, START + 59 * DAY)
GEOMETRY = """# HDR PARENT IND OBJECT IND X0[um] Y0[um] Z0[um] ROT-Z ROT-Y ROT-X TILT-Z TILT-Y TILT-X
IP 0 SENS2X1:V1 0 0 0 0 0 0 0 0 0 0
"""


@dataclass(frozen=True)
class World:
    """The servers, and people with programs of their own."""

    folder: Path
    ssh: SshServer
    http: HttpServer

    @property
    def central(self) -> Path:
        return self.folder / "served" / "central"

    def over_http(self, user: str) -> str:
        return f"{self.http.url.replace('http://', f'http://{user}:secret-{user}@')}/central"

    def over_ssh(self) -> str:
        return f"{self.ssh.url}{self.central}"

    def run(self, user: str, place: str, *words: str | Path, expect: int = 0) -> Finished:
        email = f"{user}@example.org"
        environment = {
            **os.environ,
            "GIT_AUTHOR_NAME": user, "GIT_AUTHOR_EMAIL": email, "GIT_COMMITTER_NAME": user, "GIT_COMMITTER_EMAIL": email,
            "GIT_SSH_COMMAND": self.ssh.command, "GIT_TERMINAL_PROMPT": "0", "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": str(self.folder / "no-configuration"), "CALIBVCS_USER": user,
        }  # fmt: skip
        cwd = self.folder / place
        done = subprocess.run([SCRIPT, *map(str, words)], cwd=cwd, env=environment, capture_output=True, text=True)
        assert "Traceback" not in done.stderr, done.stderr
        assert done.returncode == expect, f"{words}\n{done.stdout}\n{done.stderr}"
        return Finished(done.returncode, done.stdout, done.stderr)


def dark(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(1000, 5, SHAPE).astype(np.float32)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Return a central repository of five cameras and three months, with rules, behind ssh and http."""
    (tmp_path / "served").mkdir()
    with ExitStack() as stack:
        http = stack.enter_context(http_server(tmp_path / "served"))
        ssh = stack.enter_context(ssh_server(tmp_path / "ssh"))
        world = World(tmp_path, ssh, http)
        world.run("root", "", "init", "--bare", world.central)
        world.run("root", "", "clone", world.central, "made")
        for camera in range(1, 6):
            world.run("root", "made", "detector", "add", f"opal1000-{camera}")
        rows = ["message = 'Take over'"]
        for camera in range(1, 6):
            for month, begin in enumerate(MONTHS):
                np.save(tmp_path / f"{camera}-{month}.npy", dark(10 * camera + month))
                rows.append(
                    f"[[constants]]\ndetector = 'opal1000-{camera}'\nctype = 'pedestals'\n"
                    f"file = '{tmp_path}/{camera}-{month}.npy'\nbegin = {begin}"
                )
            (tmp_path / "geometry.txt").write_text(GEOMETRY)
        (tmp_path / "all.toml").write_text("\n".join(rows) + "\n")
        world.run("root", "made", "add", "--manifest", tmp_path / "all.toml")
        world.run(
            "root", "made", "add", "opal1000-3", "geometry", tmp_path / "geometry.txt", "--begin", "0", "-m", "Survey"
        )
        access = tmp_path / "made" / ".calibvcs" / "access.toml"
        access.write_text(
            "[groups]\nexperts = ['ada']\nadmins = ['root']\n\n[people]\nada = ['ada@example.org']\nbob = ['bob@example.org']\n"
        )
        git(tmp_path / "made", "add", ".calibvcs/access.toml")
        git(
            tmp_path / "made",
            "-c",
            "user.name=root",
            "-c",
            "user.email=root@example.org",
            "commit",
            "-qm",
            "Say who may",
        )
        world.run("root", "made", "push")
        world.run("root", "", "hook", "install", world.central)
        git(world.central, "config", "http.receivepack", "true")
        http.users.update({user: f"secret-{user}" for user in ("ada", "bob")})
        yield world


def sound(folder: Path) -> None:
    subprocess.run(["git", "-C", folder, "fsck", "--strict", "--no-dangling"], check=True, capture_output=True)
    assert git(folder, "status", "--porcelain") == ""


def on_disk(folder: Path) -> int:
    return sum(path.stat().st_size for path in (folder / ".git" / "objects").rglob("*") if path.is_file())


def test_from_a_sandbox_to_everybody(world: World) -> None:
    # An experiment takes its camera and its month.
    month = ("--since", str(MONTHS[1]), "--until", str(MONTHS[2]))
    made = world.run(
        "ada", "", "clone", world.over_ssh(), "experiment", "--detector", "opal1000-3", *month, "--json"
    ).json
    assert (made["constants"], made["squeezed"]) == (2, True)  # pedestals of that month, and the geometry
    experiment = world.folder / "experiment"
    payload = (experiment / "opal1000/opal1000-3/pedestals" / f"{MONTHS[1]}-end" / "data.npy").stat().st_size
    small = int(git(world.central, "rev-list", "--objects", "--all", "--filter=blob:none", "--disk-usage"))
    assert payload < on_disk(experiment) < 1.05 * payload + 2 * small + 20_000
    sound(experiment)

    # A user's own sandbox: a geometry moved in an editor, new pedestals.
    world.run("bob", "", "clone", world.over_http("bob"), "sandbox", "--detector", "opal1000-3")
    sandbox = world.folder / "sandbox"
    geometry = sandbox / "opal1000/opal1000-3/geometry/0-end/geometry.txt"
    geometry.write_text(GEOMETRY.replace(" 0 0 0 0 0 0 0 0 0\n", " 12 0 0 0 0 0 0 0 0\n"))
    assert "geometry" in world.run("bob", "sandbox", "status").out
    world.run("bob", "sandbox", "commit", "-m", "The camera was moved by 12 um")
    np.save(world.folder / "new.npy", dark(77))
    begin = str(MONTHS[1] + DAY)
    world.run(
        "bob",
        "sandbox",
        "add",
        "opal1000-3",
        "pedestals",
        world.folder / "new.npy",
        "--begin",
        begin,
        "-m",
        "Dark run 9",
    )

    # He may not write there, is told by which rule, and proposes.
    refused = world.run("bob", "sandbox", "push", expect=6)
    assert "bob" in refused.err
    assert "write" in refused.err
    assert "propose" in refused.err
    before = git(world.central, "rev-parse", "main")
    world.run("bob", "sandbox", "propose", "--as", "moved")
    assert git(world.central, "rev-parse", "main") == before

    # An expert looks at the numbers, and takes it in.
    world.run("ada", "", "clone", world.over_http("ada"), "desk")
    assert "bob/moved" in world.run("ada", "desk", "review").out
    review = world.run("ada", "desk", "review", "bob/moved").out
    assert "Dark run 9" in review
    assert f"opal1000-3/pedestals/{begin}-end" in review
    world.run("ada", "desk", "merge", "bob/moved", "-m", "Checked against the ruler")
    world.run("ada", "desk", "push")
    assert git(world.central, "log", "-1", "--format=%an %s", "main").strip() == "ada Checked against the ruler"

    # The experiment pulls: the default has changed there, and in what it does not use nothing came.
    pulled = world.run("ada", "experiment", "pull", "--json").json
    assert pulled["kind"] == "fast-forward"
    time = str(int(begin) + 1)
    out = world.folder / "got.npy"
    world.run("ada", "experiment", "get", "opal1000-3", "pedestals", "-t", time, "-o", out)
    assert np.array_equal(np.load(out), dark(77))
    assert not (experiment / "opal1000/opal1000-4/pedestals" / f"{MONTHS[0]}-end" / "data.npy").exists()
    for folder in (experiment, sandbox, world.folder / "desk"):
        sound(folder)
        assert "0 errors" in world.run("ada", folder.name, "verify").out
    subprocess.run(["git", "-C", world.central, "fsck", "--strict"], check=True, capture_output=True)

    # The owner takes his proposal away; it is part of the history now.
    world.run("bob", "sandbox", "pull")
    world.run("bob", "sandbox", "propose", "--as", "moved", "--withdraw")
    assert "proposals" not in git(world.central, "for-each-ref", "refs/heads")


def test_a_push_that_has_to_merge_leaves_out_what_was_not_chosen(world: World) -> None:
    world.run("ada", "", "clone", world.over_ssh(), "experiment", "--detector", "opal1000-3")
    world.run("ada", "", "clone", world.over_http("ada"), "desk")
    later = ("--begin", str(MONTHS[2] + DAY))
    np.save(world.folder / "theirs.npy", dark(91))
    np.save(world.folder / "ours.npy", dark(92))
    theirs, ours = world.folder / "theirs.npy", world.folder / "ours.npy"
    world.run("ada", "desk", "add", "opal1000-4", "pedestals", theirs, *later, "-m", "Dark run 10")
    world.run("ada", "desk", "push")
    world.run("ada", "experiment", "add", "opal1000-3", "pedestals", ours, *later, "-m", "Dark run 11")
    assert world.run("ada", "experiment", "push", "--json").json["merged"]
    foreign = world.folder / "experiment/opal1000/opal1000-4"
    assert list(foreign.rglob("data.npy")) == []
    sound(world.folder / "experiment")
    assert "opal1000-4" in world.run("ada", "experiment", "ls").out


def test_what_is_not_here_is_brought_or_named(world: World) -> None:
    world.run("ada", "", "clone", world.over_ssh(), "experiment", "--detector", "opal1000-3")
    folder, out = world.folder / "experiment", world.folder / "got.npy"
    other = ("get", "opal1000-4", "pedestals", "-t", str(MONTHS[0]), "-o", str(out))
    os.environ["CALIBVCS_OFFLINE"] = "1"
    try:
        missing = world.run("ada", "experiment", *other, expect=8)
    finally:
        del os.environ["CALIBVCS_OFFLINE"]
    assert "not in this clone" in missing.err
    assert not out.exists()
    assert "opal1000-4/pedestals" in world.run("ada", "experiment", "ls", "opal1000-4").out
    assert "opal1000-4/pedestals" in world.run("ada", "experiment", "why", "opal1000-4", "pedestals", "-t", "now").out
    before = on_disk(folder)
    world.run("ada", "experiment", *other)
    assert np.array_equal(np.load(out), dark(40))
    assert on_disk(folder) < before + 1.05 * out.stat().st_size + 10_000
    sound(folder)
    four = folder / "opal1000/opal1000-4/pedestals"
    widened = world.run("ada", "experiment", "squeeze", "--add-detector", "opal1000-4", "--json").json
    assert (widened["constants"], widened["objects"]) == (7, 2)  # one of the three had come already
    assert len(list(four.rglob("data.npy"))) == 3
    sound(folder)
    narrowed = world.run("ada", "experiment", "squeeze", "--drop", "opal1000-3", "--json").json
    assert (narrowed["constants"], narrowed["files_removed"]) == (3, 4)
    assert not list((folder / "opal1000/opal1000-3").rglob("data.npy"))
    sound(folder)
    wrong = world.run("ada", "experiment", "squeeze", "--drop", "opal1000-9", expect=2)
    assert "opal1000-4" in wrong.err


def test_the_same_range_on_both_sides_is_a_conflict_with_numbers(world: World) -> None:
    world.http.users["root"] = "secret-root"
    for name in ("one", "two"):
        world.run("ada", "", "clone", world.over_http("ada"), name)
    for seed, name in ((1, "one"), (2, "two")):
        np.save(world.folder / f"{name}.npy", dark(seed))
        words = ("add", "opal1000-1", "pedestals", world.folder / f"{name}.npy", "--begin", "1800000000", "-m", name)
        world.run("ada", name, *words)
    world.run("ada", "one", "push")
    refused = world.run("ada", "two", "push", expect=5)
    assert "opal1000-1/pedestals/1800000000-end" in refused.err
    shown = world.run("ada", "two", "pull", "--show").out
    assert f"of {SHAPE[0] * SHAPE[1]} pixels differ" in shown
    assert "one" in shown
    assert "two" in shown
    tip = git(world.folder / "two", "rev-parse", "HEAD")
    world.run("ada", "two", "pull", expect=5)
    assert git(world.folder / "two", "rev-parse", "HEAD") == tip
    world.run("ada", "two", "pull", "--take", "theirs:opal1000-1/pedestals/1800000000-end")
    world.run("ada", "two", "push")
    world.run("ada", "one", "pull")
    out = world.folder / "got.npy"
    world.run("ada", "one", "get", "opal1000-1", "pedestals", "-t", "1800000001", "-o", out)
    assert np.array_equal(np.load(out), dark(1))
    log = world.run("ada", "one", "log", "opal1000-1/pedestals/1800000000-end").out
    assert "one" in log
    assert "two" in log
    for name in ("one", "two"):
        sound(world.folder / name)
