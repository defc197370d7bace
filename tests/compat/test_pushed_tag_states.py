"""States of tags through a hosted repository: they come in one after the other, and every clone gets them."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

import calibvcs
from calibvcs.errors import BrokenTagStateError
from tests.compat.forge import Forge, build_server, copy_of, forge_of

TESTING, PUBLISHED, INVALID = (f"Because\n\nCalibvcs-State: {state}\n" for state in ("testing", "published", "invalid"))


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Forge:
    folder = tmp_path_factory.mktemp("states")
    with pytest.MonkeyPatch.context() as patch:
        for role in ("AUTHOR", "COMMITTER"):
            patch.setenv(f"GIT_{role}_NAME", "Grace Hopper")
            patch.setenv(f"GIT_{role}_EMAIL", "grace@example.org")
        return forge_of(folder, build_server(folder))


@pytest.fixture
def server(template: Forge, tmp_path: Path) -> Path:
    return copy_of(template.server, tmp_path)


def state(forge: Forge, number: int, on: str, text: str = TESTING, name: str = "golden", by: str = "grace") -> str:
    return forge.tag(on, f"{name}@state/{number}", kind="tag", text=text, by=by)


def ref(made: str, number: int, name: str = "golden") -> str:
    return f"{made}:refs/tags/{name}@state/{number}"


def golden(forge: Forge) -> str:
    return forge.refs["refs/tags/golden"]


Refspecs = Callable[[Forge], list[str]]


def in_order(forge: Forge) -> list[str]:
    first = state(forge, 1, golden(forge))
    second = state(forge, 2, first, PUBLISHED)
    return [ref(second, 2), ref(first, 1), ref(state(forge, 3, second, INVALID), 3)]


def with_its_tag(forge: Forge) -> list[str]:
    made = forge.tag(forge.main, "run24/new")
    return [ref(state(forge, 1, made, name="run24/new"), 1, "run24/new"), f"{made}:refs/tags/run24/new"]


ATTACKS: dict[str, tuple[str, Refspecs, str]] = {
    "plain user": ("plain", lambda f: [ref(state(f, 1, golden(f), by="plain"), 1)], "no rule lets plain tag"),
    "somebody else's": ("grace", lambda f: [ref(state(f, 1, golden(f), by="root"), 1)], "grace pushes a tag of Root"),
    "without its tag": ("grace", lambda f: [ref(state(f, 1, golden(f), name="no"), 1, "no")], "no, which is not there"),
    "second first": ("grace", lambda f: [ref(state(f, 2, golden(f)), 2)], "it follows on golden@state/1, which is not"),
    "on a commit": (
        "grace",
        lambda f: [ref(f.tag(f.main, "golden@state/1", text=TESTING), 1)],
        "it belongs to",
    ),
    "of another tag": (
        "grace",
        lambda f: [ref(state(f, 1, f.tag(f.main, "other")), 1)],
        "it belongs to",
    ),
    "fork of the chain": (
        "grace",
        lambda f: [ref(state(f, 1, golden(f)), 1), ref(state(f, 2, state(f, 1, golden(f), PUBLISHED)), 2)],
        "it belongs to",
    ),
    "back from published": (
        "grace",
        lambda f: [ref(one := state(f, 1, golden(f), PUBLISHED), 1), ref(state(f, 2, one, TESTING), 2)],
        "testing cannot follow published",
    ),
    "out of invalid": (
        "grace",
        lambda f: [ref(one := state(f, 1, golden(f), INVALID), 1), ref(state(f, 2, one, PUBLISHED), 2)],
        "published cannot follow invalid",
    ),
    "no state": ("grace", lambda f: [ref(state(f, 1, golden(f), "published\n"), 1)], "its text names no state"),
    "another name": (
        "grace",
        lambda f: [ref(state(f, 1, golden(f), name="other"), 1)],
        "its object says that its name is 'other@state/1'",
    ),
    "lightweight": ("grace", lambda f: [ref(f.main, 1)], "it stands on a commit itself"),
    "a name like a state": ("grace", lambda f: [f"{state(f, 1, golden(f))}:refs/tags/golden@state/01"], "not allowed"),
    "a branch like a state": ("root", lambda f: [f"{f.main}:refs/heads/golden@state/1"], "its name is not allowed"),
}


def states_of(server: Path) -> list[str]:
    lines = subprocess.run(["git", "-C", server, "tag", "-l", "*@state/*"], capture_output=True, text=True)
    return lines.stdout.split()


@pytest.mark.parametrize("name", ATTACKS)
def test_what_is_refused(name: str, template: Forge, server: Path) -> None:
    user, refspecs, reason = ATTACKS[name]
    code, said = template.push(user, *refspecs(template), server=server)
    assert code != 0
    assert reason in said
    assert states_of(server) == []


@pytest.mark.parametrize("refspecs", [in_order, with_its_tag], ids=lambda f: f.__name__)
def test_what_comes_in(refspecs: Refspecs, template: Forge, server: Path) -> None:
    code, said = template.push("grace", *refspecs(template), server=server)
    assert code == 0, said
    with calibvcs.open(server) as repository:
        known = {one.name: (one.state, one.trouble) for one in repository.tag.list().tags}
    assert known["golden"] == ("invalid" if refspecs is in_order else "open", "")
    assert known.get("run24/new", ("testing", "")) == ("testing", "")


def test_states_never_move_and_every_clone_gets_them(template: Forge, server: Path, tmp_path: Path) -> None:
    with calibvcs.open(server) as repository:
        repository.tag.set_state("golden", "validated", comment="Two people looked")
        repository.tag.set_state("golden", "published")
    first = state(template, 1, golden(template))
    for refspec in (f"+{ref(first, 1)}", ":refs/tags/golden@state/2"):
        code, said = template.push("root", refspec, server=server)
        assert (code != 0, "a tag is never moved or deleted" in said) == (True, True)
    for number, options in enumerate([[], ["--filter=blob:none", "--bare"]]):
        clone = tmp_path / f"clone{number}"
        subprocess.run(["git", "clone", "-q", *options, f"file://{server}", clone], check=True, capture_output=True)
        with calibvcs.open(clone) as repository:
            known = repository.tag.state("golden")
        assert [(one.state, one.by, one.comment) for one in known.history] == [
            ("validated", "Grace Hopper", "Two people looked"),
            ("published", "Grace Hopper", "golden is published"),
        ]
    subprocess.run(["git", "-C", clone, "tag", "-d", "golden@state/1"], check=True, capture_output=True)
    with calibvcs.open(clone) as repository, pytest.raises(BrokenTagStateError) as caught:
        repository.tag.state("golden")
    assert "state 1: it is missing" in caught.value.problem
    with calibvcs.open(clone) as repository:
        assert repository.tag.list().tags[0].state == "broken"
        assert any("tag golden" in one.path for one in repository.verify().findings)
    subprocess.run(["git", "-C", clone, "fetch", "-q", f"file://{server}", "refs/tags/*:refs/tags/*"], check=True)
    with calibvcs.open(clone) as repository:
        assert repository.tag.state("golden").state == "published"


def test_two_validators_at_once_are_asked_to_look_again(template: Forge, server: Path, tmp_path: Path) -> None:
    clones = [tmp_path / name for name in ("one", "two")]
    for clone in clones:
        subprocess.run(["git", "clone", "-q", server, clone], check=True, capture_output=True)
    for clone, judged in zip(clones, ("published", "invalid"), strict=True):
        with calibvcs.open(clone) as repository:
            repository.tag.set_state("golden", judged, comment="Looked at")
    codes = [Forge(clone, server, {}).push("grace", "refs/tags/golden@state/1", server=server)[0] for clone in clones]
    assert (codes[0], codes[1] != 0) == (0, True)
    git = ["git", "-C", str(clones[1])]
    subprocess.run([*git, "tag", "-d", "golden@state/1"], check=True, capture_output=True)
    subprocess.run([*git, "fetch", "-q", "--tags"], check=True, capture_output=True)
    with calibvcs.open(clones[1]) as repository:
        assert repository.tag.set_state("golden", "invalid", comment="Looked at").state == "invalid"
    assert Forge(clones[1], server, {}).push("grace", "refs/tags/golden@state/2", server=server)[0] == 0
    with calibvcs.open(server) as repository:
        assert repository.tag.state("golden").state == "invalid"
