"""What people do every day on a hosted repository: each push is accepted, and the next reader sees it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import calibvcs
from calibvcs.api.hosting import os_user
from calibvcs.store.hooks import install
from tests.compat.forge import (
    ACCESS,
    FIRST,
    HOOK,
    ONE,
    TWO,
    Forge,
    build_server,
    constant,
    copy_of,
    forge_of,
    meta,
    npy,
)

Push = Callable[[Forge], list[str]]
PUSHES: dict[str, tuple[str, Push]] = {}
MAIN, IDEA = "refs/heads/main", "refs/heads/proposals/plain/idea"
LOCKED, WITHDRAWN = f"{ONE}/pedestals/1000-end", f"{ONE}/pedestals/2000-end"


def pushes(user: str) -> Callable[[Push], Push]:
    """Take a function that returns refspecs into the table."""

    def taken(function: Push) -> Push:
        PUSHES[function.__name__] = user, function
        return function

    return taken


@pushes("grace")
def new_constant_by_hand(forge: Forge) -> list[str]:
    return [f"{forge.change(constant())}:{MAIN}"]


@pushes("grace")
def new_version(forge: Forge) -> list[str]:
    text = "Better\n\nCalibvcs-Action: add\nCalibvcs-Constant: opal1000-1/pedestals/0-end\n"
    return [f"{forge.change({f'{FIRST}/data.npy': npy(8)}, text=text)}:{MAIN}"]


@pushes("grace")
def array_that_becomes_text(forge: Forge) -> list[str]:
    edits = {f"{FIRST}/data.npy": None, f"{FIRST}/data.txt": b"1 2 3\n", f"{FIRST}/meta.toml": meta((), "text")}
    return [f"{forge.change(edits)}:{MAIN}"]


@pushes("grace")
def geometry(forge: Forge) -> list[str]:
    text = b"# a camera of one panel\nIP:V1 0 CAMERA:V1 0 1.5 -2 100000 90 0 0 0.125 0 0\n"
    folder = f"{ONE}/geometry/0-end"
    return [f"{forge.change({f'{folder}/geometry.txt': text, f'{folder}/meta.toml': meta((), 'text')})}:{MAIN}"]


@pushes("grace")
def records(forge: Forge) -> list[str]:
    edits = {
        "opal1000/opal1000-3/detector.toml": b'longname = "opal1000_0003"\n',
        "opal1000/aliases.toml": b'[[aliases]]\nalias = "front"\ndetector = "opal1000-3"\nbegin = 900\n'
        b'[[aliases]]\nalias = "front"\ndetector = "opal1000-1"\nbegin = 500\nend = 900\n',
        "experiments/mfx2.toml": b'[[runs]]\nrun = 1\nkind = "data"\n',
        "README.md": b"Constants\n",
    }
    return [f"{forge.change(edits)}:{MAIN}"]


@pushes("lena")
def own_detector(forge: Forge) -> list[str]:
    return [f"{forge.change(constant(1, f'{TWO}/pedestals/0-end'), by='lena')}:{MAIN}"]


@pushes("plain")
def proposal(forge: Forge) -> list[str]:
    return [f"{forge.change(constant(), by='plain')}:refs/heads/proposals/plain/better"]


@pushes("plain")
def proposal_made_anew(forge: Forge) -> list[str]:
    return [f"+{forge.change(constant(4, f'{TWO}/pedestals/0-end'), by='plain')}:{IDEA}"]


@pushes("plain")
def proposal_withdrawn(forge: Forge) -> list[str]:
    return [f":{IDEA}"]


@pushes("grace")
def proposal_merged(forge: Forge) -> list[str]:
    merged = forge.edited(forge.main, constant(3, f"{TWO}/pedestals/0-end"))
    return [f"{forge.commit(merged, forge.main, forge.refs[IDEA], text='Merge the idea')}:{MAIN}"]


@pushes("grace")
def merge_of_both_sides(forge: Forge) -> list[str]:
    """Take in what others did meanwhile, as a pull does: their paths are not this user's changes."""
    before = forge.git("rev-parse", f"{forge.main}~3")
    mine = forge.change(constant(), before)
    both = forge.edited(forge.main, constant())
    return [f"{forge.commit(both, mine, forge.main, text='Merge main')}:{MAIN}"]


@pushes("lena")
def merge_of_paths_that_the_user_may_not_write(forge: Forge) -> list[str]:
    before = forge.git("rev-parse", f"{forge.main}~3")
    then = forge.git("rev-parse", f"{forge.main}~1")
    edits = constant(7, f"{TWO}/pedestals/0-end")
    mine = forge.change(edits, before, by="lena")
    once = forge.commit(forge.edited(then, edits), mine, then, by="lena")
    return [f"{forge.commit(forge.edited(forge.main, edits), once, forge.main, by='lena', text='Merge again')}:{MAIN}"]


@pushes("grace")
def octopus(forge: Forge) -> list[str]:
    sides = [forge.change(constant(n, f"{ONE}/gain/{n}-end")) for n in (1, 2, 3)]
    files = {path: entry for side in sides for path, entry in forge.files(side).items()}
    return [f"{forge.commit(forge.edited(forge.main, files), forge.main, *sides)}:{MAIN}"]


@pushes("grace")
def unlocked_first_then_replaced(forge: Forge) -> list[str]:
    unlocked = forge.change({f"{LOCKED}/meta.toml": meta()}, text="Unlock\n")
    return [f"{forge.change({f'{LOCKED}/data.npy': npy(9)}, unlocked)}:{MAIN}"]


@pushes("grace")
def restored(forge: Forge) -> list[str]:
    first = forge.git("log", "--format=%H", "--grep=^First$", forge.main)
    edits = {path: entry for path, entry in forge.files(first).items() if path.startswith(FIRST)}
    text = (
        f"Back\n\nCalibvcs-Action: restore\nCalibvcs-Constant: opal1000-1/pedestals/0-end\nCalibvcs-Restored: {first}\n"
    )
    return [f"{forge.change(edits, text=text)}:{MAIN}"]


@pushes("grace")
def withdrawal_ended(forge: Forge) -> list[str]:
    return [f"{forge.change({f'{WITHDRAWN}/meta.toml': meta(), f'{WITHDRAWN}/data.npy': npy(3)})}:{MAIN}"]


@pushes("grace")
def tag(forge: Forge) -> list[str]:
    return [f"{forge.tag(forge.main, 'run24/best')}:refs/tags/run24/best"]


@pushes("grace")
def new_branch_and_others_at_once(forge: Forge) -> list[str]:
    change = forge.change(constant())
    return [f"{change}:refs/heads/mfx/2026", f"{change}:{MAIN}", f"{change}:refs/heads/proposals/grace/same"]


@pushes("robot")
def commits_of_other_people(forge: Forge) -> list[str]:
    return [f"{forge.change(constant(), by='lena', committer='Root <root@example.org>')}:{MAIN}"]


@pushes("root")
def other_rules(forge: Forge) -> list[str]:
    return [f"{forge.change({'.calibvcs/access.toml': ACCESS.replace('lena', 'ada').encode()}, by='root')}:{MAIN}"]


@pushes("root")
def anothers_proposal_tidied_away(forge: Forge) -> list[str]:
    return [f":{IDEA}"]


@pushes("grace")
def commit_with_a_signature(forge: Forge) -> list[str]:
    signature = "gpgsig -----BEGIN SSH SIGNATURE-----\n U1NIU0lH\n -----END SSH SIGNATURE-----\n"
    return [f"{forge.change(constant(), more=signature)}:{MAIN}"]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Forge:
    folder = tmp_path_factory.mktemp("hosted")
    with pytest.MonkeyPatch.context() as patch:
        for role in ("AUTHOR", "COMMITTER"):
            patch.setenv(f"GIT_{role}_NAME", "Grace Hopper")
            patch.setenv(f"GIT_{role}_EMAIL", "grace@example.org")
        return forge_of(folder, build_server(folder))


@pytest.fixture
def server(template: Forge, tmp_path: Path) -> Path:
    return copy_of(template.server, tmp_path)


def standing(server: Path) -> dict[str, str]:
    lines = subprocess.run(["git", "-C", server, "show-ref"], check=True, capture_output=True, text=True).stdout
    return {ref: found for found, ref in (line.split() for line in lines.splitlines())}


def verified(server: Path) -> bool:
    subprocess.run(["git", "-C", server, "fsck", "--strict", "--no-dangling"], check=True, capture_output=True)
    with calibvcs.open(server) as repository:
        return repository.verify(deep=True).sound


@pytest.mark.parametrize("name", PUSHES)
def test_push_is_accepted(name: str, template: Forge, server: Path) -> None:
    user, function = PUSHES[name]
    refspecs = function(template)
    code, shown = template.push(user, *refspecs, server=server)
    assert (code, "refuses" in shown) == (0, False), shown
    after = standing(server)
    for refspec in refspecs:
        commit, _, ref = refspec.lstrip("+").partition(":")
        assert after.get(ref, "") == commit
    assert verified(server)


def test_a_merged_proposal_can_be_tidied_away_by_an_expert(template: Forge, server: Path) -> None:
    code, shown = template.push("grace", *proposal_merged(template), server=server)
    assert code == 0, shown
    assert template.push("grace", f":{IDEA}", server=server)[0] == 0
    assert IDEA not in standing(server)


def test_whoever_made_a_repository_fills_it_and_names_the_others(template: Forge, tmp_path: Path) -> None:
    server = tmp_path / "new.git"
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", server], check=True)
    install(server, HOOK, ["ada"])
    alone = template.git("rev-parse", f"{template.main}~3")
    assert ".calibvcs/access.toml" not in template.files(alone)
    refused = template.push("plain", f"{alone}:{MAIN}", server=server)
    assert refused[0] != 0
    assert "no rule lets plain write anything on branch main (rule 2: @experts may write, tag" in refused[1]
    code, shown = template.push("ada", f"{alone}:{MAIN}", server=server)
    assert code == 0, shown
    named = template.change({".calibvcs/access.toml": ACCESS.encode()}, alone, by="root")
    assert template.push("ada", f"{named}:{MAIN}", server=server)[0] == 0
    more = template.change(constant(), named, author="ada <ada@example.org>")
    assert "no rule lets ada write" in template.push("ada", f"{more}:{MAIN}", server=server)[1]


def test_nobody_pushes_without_a_name(template: Forge, server: Path) -> None:
    subprocess.run(["git", "-C", server, "config", "calibvcs.pusher", "REMOTE_USER, GL_USERNAME"], check=True)
    refspec = f"{template.change(constant())}:{MAIN}"
    code, shown = template.push("grace", refspec, server=server)
    assert code != 0
    assert "nobody said who pushes" in shown
    assert "nobody said who pushes" in template.push(None, refspec, server=server, REMOTE_USER="@experts")[1]
    assert template.push(None, refspec, server=server, GL_USERNAME="grace")[0] == 0


def test_the_user_of_the_system_counts_and_not_what_the_environment_says(template: Forge, server: Path) -> None:
    refspec = f"{template.change(constant())}:{MAIN}"
    subprocess.run(["git", "-C", server, "config", "calibvcs.pusher", "os"], check=True)
    shown = template.push("grace", refspec, server=server, USER="grace", LOGNAME="grace")[1]
    assert f"{os_user()} pushes, its author is Grace Hopper" in shown or f"no rule lets {os_user()} write" in shown


def test_what_calibvcs_writes_in_a_clone_is_taken_in(server: Path, tmp_path: Path) -> None:
    """Every verb leaves commits that the check takes for what they say."""
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", server, clone], check=True)
    name = "opal1000-1/pedestals/0-end"
    with calibvcs.open(clone) as repository:
        repository.detector.add("opal1000-4", parameters={"panel_shape": [4, 5]})
        repository.add("opal1000-4", "pedestals", np.full((4, 5), 7, np.float32), begin=0, message="New")
        repository.default.set(f"{name}@v1", message="v2 was wrong")
        repository.withdraw(name, message="Also wrong")
        repository.default.set(f"{name}@v2", message="It was right")
        repository.unlock("opal1000-1/pedestals/1000-end", message="The beam time is over")
        repository.alias.add("rear", "opal1000-4", begin=0)
        repository.run.mark("mfx1:8", kind="data", begin=2000, end=2100, message="Data")
        repository.run.unmark("mfx1:8", message="A mistake")
        repository.tag.create("run25", message="Ready")
    environment = {**os.environ, "CALIBVCS_USER": "grace"}
    command = ["git", "-C", clone, "push", "-q", "origin", "main", "run25"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    assert verified(server)
