"""Moving objects through real servers: git daemon, http-backend, OpenSSH, and folders; C Git agrees everywhere."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from calibvcs.errors import BranchMovedError, NetworkError, NoRepositoryError, PushRefusedError, UnknownRevisionError
from calibvcs.model.commits import Signature
from calibvcs.store.git import GitStore
from calibvcs.store.initialise import initialise
from calibvcs.store.remotes.remote import RefUpdate, Remote, open_remote
from tests.servers.daemon import git_daemon
from tests.servers.http_backend import HttpServer, http_server
from tests.servers.ssh import SshServer, ssh_server

WHO = Signature("Grace Hopper", "grace@example.org", 1_780_000_000, 60)
NOISE = random.Random(5).randbytes(3 << 20)
MAIN = "refs/heads/main"
TRACKED = "refs/remotes/origin/main"
TRANSPORTS = ["path", "file", "git", "http", "ssh", "old-ssh"]


@dataclass(frozen=True)
class Place:
    """A folder of repositories, and how to reach them."""

    folder: Path
    urls: dict[str, str]
    ssh: SshServer
    http: HttpServer

    def remote(self, transport: str, name: str, **options: object) -> Remote:
        if transport.endswith("ssh"):
            options = {"ssh_command": self.ssh.command, "interactive": False, **options}
        return open_remote(f"{self.urls[transport]}/{name}", **options)  # type: ignore[arg-type]


def git(*words: str | Path, check: bool = True) -> str:
    done = subprocess.run(["git", *map(str, words)], capture_output=True, text=True)
    assert not check or done.returncode == 0, done.stderr
    return done.stdout


def commit(store: GitStore, files: dict[str, bytes], text: str = "Change") -> str:
    edits = {path: store.put_blob([content]) for path, content in files.items()}
    return store.commit_edits(store.tip(), edits, text, WHO, WHO)


def sound(folder: Path) -> None:
    assert "error" not in git("-C", folder, "fsck", "--strict", "--no-dangling", "--connectivity-only")
    git("-C", folder, "fsck", "--strict", "--no-dangling")
    assert not [path for path in (folder / "objects").rglob("*") if path.name.startswith(("tmp_", ".calibvcs"))]


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("served")
    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        patch.setenv("GIT_CONFIG_NOSYSTEM", "1")
        patch.setenv("GIT_CONFIG_GLOBAL", str(folder / "no-configuration"))
        daemon = stack.enter_context(git_daemon(folder))
        http = stack.enter_context(http_server(folder))
        ssh = stack.enter_context(ssh_server(tmp_path_factory.mktemp("ssh")))
        old = stack.enter_context(ssh_server(tmp_path_factory.mktemp("old-ssh"), protocol=False))
        ssh_urls = {"ssh": f"{ssh.url}{folder}"}
        known = Path(old.command.split("UserKnownHostsFile=")[1].split()[0])
        known.write_text(known.read_text())
        urls = {"path": str(folder), "file": f"file://{folder}", "git": daemon, "http": http.url, **ssh_urls}
        urls["old-ssh"] = f"{old.url}{folder}"
        yield Place(folder, urls, _both(ssh, old), http)


def _both(ssh: SshServer, old: SshServer) -> SshServer:
    """Let one command log in at both servers."""
    for mine, other in (("known", "known"), ("authorized", "authorized")):
        first, second = (_folder(one) / name for one, name in ((ssh, mine), (old, other)))
        text = first.read_text() + second.read_text()
        first.write_text(text)
        second.write_text(text)
    return ssh


def _folder(server: SshServer) -> Path:
    return Path(server.command.split("-i ")[1].split("/user")[0])


@pytest.fixture
def place(servers: Place) -> Iterator[Place]:
    """Give every test its own repository ``hub`` there, with three commits, a tag and a second branch."""
    with initialise(servers.folder / "hub", bare=True) as hub:
        commit(hub, {"d/0-end/data.npy": NOISE, "d/0-end/meta.toml": b"one", "status": bytes(2 << 20)})
        hub.create_tag("v1", hub.tip() or "", "First", WHO)
        commit(hub, {f"d/{n}-end/data.npy": b"%d" % n for n in range(1, 40)})
        git("-C", hub.folder, "branch", "proposals/grace/x")
        commit(hub, {"d/0-end/data.npy": NOISE[1000:], "d/0-end/meta.toml": b"two"})
    git("-C", servers.folder / "hub", "config", "http.receivepack", "true")
    servers.http.requests.clear()
    yield servers
    for path in servers.folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
    servers.http.users.clear()
    servers.http.forbidden.clear()
    servers.http.hang_up_after = None


def all_ids(folder: Path) -> set[str]:
    lines = git("-C", folder, "rev-list", "--objects", "--all", "--no-object-names").split()
    return {*lines, *git("-C", folder, "for-each-ref", "--format=%(objectname)").split()}


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_fetch_brings_everything_once(place: Place, tmp_path: Path, transport: str) -> None:
    seen: list[int] = []
    with initialise(tmp_path / "clone", bare=True) as clone, place.remote(transport, "hub") as remote:
        hub = GitStore(place.folder / "hub")
        assert remote.refs().refs == hub.refs()
        assert remote.refs().head == "main"
        fetched = remote.fetch(clone, progress=seen.append)
        assert [update.ref for update in fetched.changed] == [
            TRACKED,
            "refs/remotes/origin/proposals/grace/x",
            "refs/tags/v1",
        ]
        assert fetched.remote.refs == hub.refs()
        assert seen == sorted(seen)
        assert seen[-1] == fetched.size
        assert not fetched.notices
        assert clone.refs()[TRACKED] == hub.tip()
        assert all_ids(clone.folder) == all_ids(hub.folder)
        again = remote.fetch(clone)
        assert (again.objects, again.changed, again.pack) == (0, (), None)
        new = commit(hub, {"d/0-end/meta.toml": b"three"})
        more = remote.fetch(clone)
        assert more.changed == (RefUpdate(TRACKED, fetched.remote.refs[MAIN], new),)
        assert more.objects <= 8
        assert more.size < 10_000
        hub.close()
    sound(tmp_path / "clone")


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_squeezed_fetch_leaves_the_payloads_and_fetches_single_ones_later(
    place: Place, tmp_path: Path, transport: str
) -> None:
    with initialise(tmp_path / "clone", bare=True) as clone, place.remote(transport, "hub") as remote:
        git("-C", place.folder / "hub", "config", "uploadpack.allowAnySHA1InWant", "true")
        fetched = remote.fetch(clone, squeezed=True)
        assert not fetched.notices
        assert fetched.size < 20_000
        assert fetched.pack
        assert fetched.pack.with_suffix(".promisor").exists()
        git("-C", clone.folder, "config", "remote.origin.promisor", "true")
        git("-C", clone.folder, "config", "remote.origin.partialclonefilter", "blob:none")
        git("-C", clone.folder, "config", "remote.origin.url", place.folder / "hub")
        lines = git("-C", place.folder / "hub", "ls-tree", "-r", "main").splitlines()
        blobs = {line.split("\t")[1]: line.split()[2] for line in lines}
        assert all(clone.kind(one) is None for one in blobs.values())
        wanted = [blobs["d/0-end/data.npy"], blobs["d/7-end/data.npy"], blobs["status"]]
        brought = remote.fetch_objects(clone, wanted)
        assert brought.objects == 3
        assert clone.blob(wanted[0]) == NOISE[1000:]
        assert clone.blob(wanted[1]) == b"7"
        assert [name for name, one in blobs.items() if clone.kind(one)] == [
            "d/0-end/data.npy",
            "d/7-end/data.npy",
            "status",
        ]
        assert remote.fetch_objects(clone, wanted).objects == 0
        with GitStore(place.folder / "hub") as hub:
            commit(hub, {"new": NOISE[5:], "d/1-end/meta.toml": b"x"})
        assert remote.fetch(clone).size < 5_000, "a squeezed clone stays squeezed"
        assert git("-C", clone.folder, "cat-file", "-p", f"{TRACKED}:d/8-end/data.npy") == "8", "C Git goes on with it"
        git("-C", clone.folder, "fsck", "--strict")


def test_only_the_wanted_branches_come_and_an_unknown_one_is_named(place: Place, tmp_path: Path) -> None:
    for transport in ("path", "http"):
        with initialise(tmp_path / transport, bare=True) as clone, place.remote(transport, "hub") as remote:
            fetched = remote.fetch(clone, name="upstream", branches=["proposals/grace/x"], tags=False)
            assert [update.ref for update in fetched.changed] == ["refs/remotes/upstream/proposals/grace/x"]
            assert len(all_ids(tmp_path / transport)) < len(all_ids(place.folder / "hub"))
            with pytest.raises(UnknownRevisionError, match="mian"):
                remote.fetch(clone, branches=["mian"])
        sound(tmp_path / transport)


def test_a_tag_that_differs_stays_and_is_told(place: Place, tmp_path: Path) -> None:
    for transport in ("path", "git"):
        with initialise(tmp_path / transport, bare=True) as clone, place.remote(transport, "hub") as remote:
            own = commit(clone, {"a": b"b"})
            tag = clone.create_tag("v1", own, "Mine", WHO)
            fetched = remote.fetch(clone)
            assert [notice.kind for notice in fetched.notices] == ["tag-differs"]
            assert clone.refs()["refs/tags/v1"] == tag.id


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_push_brings_what_is_lacking_and_moves_the_ref_if_it_stands_where_it_stood(
    place: Place, tmp_path: Path, transport: str
) -> None:
    with initialise(tmp_path / "mine", bare=True) as mine, place.remote(transport, "hub") as remote:
        fetched = remote.fetch(mine)
        old = fetched.remote.refs[MAIN]
        assert mine.set_ref(MAIN, None, old)
        new = commit(mine, {"d/50-end/data.npy": NOISE[77:], "zeros": bytes(3 << 20)}, "Mine")
        seen: list[int] = []
        pushed = remote.push(
            mine, [RefUpdate(MAIN, old, new), RefUpdate("refs/heads/proposals/me", None, new)], progress=seen.append
        )
        assert [update.ref for update in pushed.changed] == [MAIN, "refs/heads/proposals/me"]
        assert pushed.objects == 6, "one commit, three trees, two blobs"
        assert len(NOISE) - 77 < pushed.size < len(NOISE) + 20_000
        assert seen[-1] == pushed.size
        with GitStore(place.folder / "hub") as hub:
            assert hub.refs()[MAIN] == hub.refs()["refs/heads/proposals/me"] == new
            assert hub.blob(hub.tree(hub.commit(new).tree)["zeros"].id) == bytes(3 << 20)
        assert remote.push(mine, [RefUpdate(MAIN, new, new)]).changed == ()
        with pytest.raises(BranchMovedError):
            remote.push(mine, [RefUpdate(MAIN, old, commit(mine, {"x": b"y"}))])
        with pytest.raises(BranchMovedError):
            remote.push(mine, [RefUpdate("refs/heads/proposals/me", None, old)])
        gone = remote.push(mine, [RefUpdate("refs/heads/main2", None, new)])
        assert gone.objects == 0
    sound(place.folder / "hub")
    assert git("-C", place.folder / "hub", "rev-parse", "main").strip() == new


@pytest.mark.parametrize("transport", ["path", "git", "http", "ssh"])
def test_what_a_hook_says_comes_with_the_refusal(place: Place, tmp_path: Path, transport: str) -> None:
    hook = place.folder / "hub" / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho 'rule 7: only experts write jungfrau' >&2\nexit 1\n")
    hook.chmod(0o755)
    with initialise(tmp_path / "mine", bare=True) as mine, place.remote(transport, "hub") as remote:
        old = remote.fetch(mine).remote.refs[MAIN]
        mine.set_ref(MAIN, None, old)
        new = commit(mine, {"d/50-end/data.npy": NOISE[99:]})
        with pytest.raises(PushRefusedError) as caught:
            remote.push(mine, [RefUpdate(MAIN, old, new)])
        assert "rule 7: only experts write jungfrau" in caught.value.said
        assert caught.value.path == MAIN
        assert "hook declined" in caught.value.reason
        with GitStore(place.folder / "hub") as hub:
            assert hub.refs()[MAIN] == old
            assert hub.kind(new) is None
        hook.unlink()
        assert remote.push(mine, [RefUpdate(MAIN, old, new)]).changed
    sound(place.folder / "hub")


@pytest.mark.parametrize("transport", ["path", "http"])
def test_settings_of_the_server_refuse_too(place: Place, tmp_path: Path, transport: str) -> None:
    with initialise(tmp_path / "mine", bare=True) as mine, place.remote(transport, "hub") as remote:
        refs = remote.fetch(mine).remote.refs
        first = mine.commit(mine.commit(refs[MAIN]).parents[0]).id
        with pytest.raises(PushRefusedError, match="non-fast-forward"):
            remote.push(mine, [RefUpdate(MAIN, refs[MAIN], first)])
        with pytest.raises(PushRefusedError, match="delet"):
            remote.push(mine, [RefUpdate("refs/heads/proposals/grace/x", refs["refs/heads/proposals/grace/x"], None)])
        assert remote.refs().refs == refs


@pytest.mark.parametrize("transport", ["path", "http"])
def test_a_branch_that_moves_during_a_push_is_told_as_such(place: Place, tmp_path: Path, transport: str) -> None:
    with initialise(tmp_path / "mine", bare=True) as mine, place.remote(transport, "hub") as remote:
        old = remote.fetch(mine).remote.refs[MAIN]
        mine.set_ref(MAIN, None, old)
        new = commit(mine, {"d/mine": NOISE[99:]})
        theirs: list[str] = []

        def overtake(size: int) -> None:
            if not theirs:
                with GitStore(place.folder / "hub") as hub:
                    theirs.append(commit(hub, {"d/theirs": b"first"}))

        with pytest.raises(BranchMovedError):
            remote.push(mine, [RefUpdate(MAIN, old, new)], progress=overtake)
        assert remote.refs().refs[MAIN] == theirs[0]
    sound(place.folder / "hub")


def test_a_squeezed_clone_pushes_what_it_made_without_the_payloads_it_lacks(place: Place, tmp_path: Path) -> None:
    for transport in ("http", "path"):
        with initialise(tmp_path / transport, bare=True) as mine, place.remote(transport, "hub") as remote:
            old = remote.fetch(mine, squeezed=True).remote.refs[MAIN]
            git("-C", mine.folder, "config", "remote.origin.promisor", "true")
            mine.set_ref(MAIN, None, old)
            with GitStore(place.folder / "hub") as hub:
                first = hub.tree(hub.commit(hub.commit(hub.commit(old).parents[0]).parents[0]).tree)["d"].id
                restored = hub.tree(hub.tree(first)["0-end"].id)["data.npy"].id
            assert mine.kind(restored) is None
            edits = {"d/0-end/data.npy": restored, f"d/{transport}": mine.put_blob([b"mine"])}
            new = mine.commit_edits(old, edits, "Restore what is not here", WHO, WHO)
            pushed = remote.push(mine, [RefUpdate(MAIN, old, new)])
            assert pushed.size < 5_000
        sound(place.folder / "hub")


def test_a_link_is_no_copy_and_c_git_reads_the_clone(place: Place, tmp_path: Path) -> None:
    with initialise(tmp_path / "clone", bare=True) as clone, place.remote("path", "hub") as remote:
        remote.fetch(clone)
        large = [
            path for path in (clone.folder / "objects").rglob("*") if path.is_file() and path.stat().st_size > 1 << 20
        ]
        assert large
        assert all(path.stat().st_nlink == 2 for path in large)
        with GitStore(place.folder / "hub") as hub:
            commit(hub, {"d/new": NOISE[333:]})
        more = remote.fetch(clone)
        linked = clone.tree(clone.tree(clone.commit(more.remote.refs[MAIN]).tree)["d"].id)["new"].id
        assert (clone.folder / "objects" / linked[:2] / linked[2:]).stat().st_nlink == 2
    sound(tmp_path / "clone")


def test_a_clone_by_path_of_a_packed_and_a_borrowing_repository_is_whole(place: Place, tmp_path: Path) -> None:
    git("-C", place.folder / "hub", "gc", "-q")
    git("clone", "-q", "--shared", "--bare", place.folder / "hub", place.folder / "borrower")
    for name in ("hub", "borrower"):
        with initialise(tmp_path / name, bare=True) as clone, place.remote("path", name) as remote:
            remote.fetch(clone)
        shutil.rmtree(tmp_path / name / "info", ignore_errors=True)
        sound(tmp_path / name)
        assert all_ids(tmp_path / name) == all_ids(place.folder / "hub")


def test_a_squeezed_clone_gives_what_it_has(place: Place, tmp_path: Path) -> None:
    with initialise(tmp_path / "squeezed", bare=True) as squeezed, place.remote("git", "hub") as hub:
        tip = hub.fetch(squeezed, squeezed=True).remote.refs[MAIN]
        git("-C", squeezed.folder, "config", "remote.origin.promisor", "true")
        wanted = squeezed.tree(squeezed.commit(tip).tree)["status"].id
        hub.fetch_objects(squeezed, [wanted])
        squeezed.set_ref(MAIN, None, tip)
    for name, branches in (("all", None), ("some", ["main"])):
        with initialise(tmp_path / name, bare=True) as sandbox, open_remote(str(tmp_path / "squeezed")) as remote:
            fetched = remote.fetch(sandbox, branches=branches)
            assert fetched.remote.refs[MAIN] == tip
            assert sandbox.blob(wanted) == bytes(2 << 20)
            assert all(path.with_suffix(".promisor").exists() for path in (sandbox.folder / "objects").rglob("*.pack"))
            with pytest.raises(NetworkError, match="lacks 1 of the objects"):
                remote.fetch_objects(sandbox, [wanted, "a" * 40])


def test_without_c_git_a_push_by_path_never_goes_round_a_hook(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with initialise(tmp_path / "mine", bare=True) as mine, place.remote("path", "hub") as remote:
        refs = remote.fetch(mine).remote.refs
        mine.set_ref(MAIN, None, refs[MAIN])
        new = commit(mine, {"d/0-end/data.npy": NOISE[5:]})
        monkeypatch.setattr("calibvcs.store.remotes.path.shutil.which", lambda _: None)
        hook = place.folder / "hub" / "hooks" / "update"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text("#!/bin/sh\nexit 1\n")
        hook.chmod(0o755)
        with pytest.raises(PushRefusedError, match="hooks"):
            remote.push(mine, [RefUpdate(MAIN, refs[MAIN], new)])
        hook.unlink()
        git("-C", place.folder / "hub", "config", "core.hooksPath", tmp_path)
        with pytest.raises(PushRefusedError, match="hooks"):
            remote.push(mine, [RefUpdate(MAIN, refs[MAIN], new)])
        git("-C", place.folder / "hub", "config", "--unset", "core.hooksPath")
        with pytest.raises(PushRefusedError, match="on top"):
            remote.push(mine, [RefUpdate(MAIN, refs[MAIN], mine.commit(refs[MAIN]).parents[0])])
        with pytest.raises(BranchMovedError):
            remote.push(mine, [RefUpdate("refs/heads/other", refs[MAIN], new)])
        assert remote.push(mine, [RefUpdate(MAIN, refs[MAIN], new)]).changed
        assert remote.refs().refs[MAIN] == new
    sound(place.folder / "hub")


@pytest.mark.parametrize("transport", ["git", "http", "ssh"])
def test_a_server_without_filters_sends_everything_and_it_is_told(place: Place, tmp_path: Path, transport: str) -> None:
    git("-C", place.folder / "hub", "config", "uploadpack.allowFilter", "false")
    with initialise(tmp_path / "clone", bare=True) as clone, place.remote(transport, "hub") as remote:
        fetched = remote.fetch(clone, squeezed=True)
        assert [notice.kind for notice in fetched.notices] == ["filter-ignored"]
        assert all_ids(clone.folder) == all_ids(place.folder / "hub")


@pytest.mark.parametrize("transport", ["git", "http", "ssh"])
def test_what_is_no_repository_is_told(place: Place, tmp_path: Path, transport: str) -> None:
    with place.remote(transport, "missing") as remote, pytest.raises(NetworkError) as caught:
        remote.refs()
    assert caught.value.exit_code == 8
    assert "missing" in str(caught.value)
    assert caught.value.hint
    with open_remote(str(tmp_path / "nothing")) as remote, pytest.raises(NoRepositoryError):
        remote.refs()


def test_strangers_and_unknown_hosts_are_told_what_to_do(place: Place) -> None:
    with place.remote("ssh", "hub", ssh_command=place.ssh.command_of_a_stranger) as remote:
        with pytest.raises(NetworkError, match=r"(?i)permission denied") as caught:
            remote.refs()
        assert "ssh-add" in caught.value.hint
    with place.remote("ssh", "hub", ssh_command=place.ssh.command_that_knows_no_host) as remote:
        with pytest.raises(NetworkError, match=r"(?i)host key verification failed") as caught:
            remote.refs()
        assert "fingerprint" in caught.value.hint


def test_users_and_passwords_over_http(
    place: Place, tmp_path: Path, private_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GIT_CONFIG_GLOBAL")
    place.http.users.update({"grace": "p@ss:word", "eve": "eve"})
    place.http.forbidden.add("eve")
    url = place.urls["http"]
    with open_remote(f"{url}/hub") as remote, pytest.raises(NetworkError, match="401") as caught:
        remote.refs()
    assert "git credential" in caught.value.hint
    given = url.replace("//", "//grace:p%40ss%3Aword@")
    with open_remote(f"{given}/hub") as remote:
        assert MAIN in remote.refs().refs
    with (
        open_remote(f"{url.replace('//', '//eve:eve@')}/hub") as remote,
        pytest.raises(NetworkError, match="403") as caught,
    ):
        remote.refs()
    assert ":eve@" not in str(caught.value)
    (private_home / ".gitconfig").write_text("[credential]\n\thelper = store\n")
    (private_home / ".git-credentials").write_text(f"{given}\n")
    with initialise(tmp_path / "mine", bare=True) as mine, open_remote(f"{url}/hub") as remote:
        old = remote.fetch(mine).remote.refs[MAIN]
        mine.set_ref(MAIN, None, old)
        new = commit(mine, {"d/x": NOISE[9:]})
        assert remote.push(mine, [RefUpdate(MAIN, old, new)]).changed
        assert place.http.requests[-1] == "POST /hub/git-receive-pack chunked"


def test_nobody_listens(place: Place) -> None:
    for given in ("git://127.0.0.1:1/hub", "http://127.0.0.1:1/hub", "ssh://127.0.0.1:1/hub"):
        remote = open_remote(given, ssh_command="ssh -F none", interactive=False, timeout=5)
        with pytest.raises(NetworkError, match=r"(?i)refused"):
            remote.refs()


def test_a_silent_server_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent, initialise(tmp_path / "x", bare=True) as store:
        port = silent.getsockname()[1]
        for given in (f"git://127.0.0.1:{port}/hub", f"http://127.0.0.1:{port}/hub"):
            with open_remote(given, timeout=0.3) as remote, pytest.raises(NetworkError) as caught:
                remote.fetch(store)
            assert "no answer" in str(caught.value) or "timed out" in str(caught.value)
        with (
            open_remote(
                f"ssh://127.0.0.1:{port}/hub", timeout=1, ssh_command="ssh -F none", interactive=False
            ) as remote,
            pytest.raises(NetworkError),
        ):
            remote.fetch(store)


def test_a_server_that_hangs_up_in_the_middle_leaves_nothing_and_the_next_try_works(
    place: Place, tmp_path: Path
) -> None:
    with initialise(tmp_path / "clone", bare=True) as clone, place.remote("http", "hub") as remote:
        for cut in (100, 5_000, 100_000, 1_000_000):
            place.http.hang_up_after = cut
            with pytest.raises(NetworkError):
                remote.fetch(clone)
            assert list((clone.folder / "objects" / "pack").iterdir()) == []
            assert clone.refs() == {}
        place.http.hang_up_after = None
        assert remote.fetch(clone).changed
    sound(tmp_path / "clone")


@pytest.mark.parametrize("transport", ["path", "git", "http", "ssh"])
def test_ctrl_c_in_a_transfer_leaves_nothing(place: Place, tmp_path: Path, transport: str) -> None:
    def interrupt(size: int) -> None:
        if size > 100_000:
            raise KeyboardInterrupt

    git("-C", place.folder / "hub", "gc", "-q")
    with initialise(tmp_path / "clone", bare=True) as clone, place.remote(transport, "hub") as remote:
        commit(clone, {"own": b"one"})
        before = clone.refs()
        with pytest.raises(KeyboardInterrupt):
            remote.fetch(clone, progress=interrupt)
        assert clone.refs() == before
        assert list((clone.folder / "objects" / "pack").iterdir()) == []
        old = remote.fetch(clone).remote.refs[MAIN]
        new = clone.commit_edits(clone.tip(), {"more": clone.put_blob([NOISE[1:]])}, "More", WHO, WHO)
        with pytest.raises(KeyboardInterrupt):
            remote.push(clone, [RefUpdate("refs/heads/mine", None, new)], progress=interrupt)
        assert remote.refs().refs[MAIN] == old
        assert "refs/heads/mine" not in remote.refs().refs
        assert remote.push(clone, [RefUpdate("refs/heads/mine", None, new)]).changed
    assert "error" not in git("-C", place.folder / "hub", "fsck", "--strict")


def test_c_git_clones_fetches_and_pushes_what_we_pushed(place: Place, tmp_path: Path) -> None:
    with initialise(tmp_path / "mine", bare=True) as mine, place.remote("http", "hub") as remote:
        old = remote.fetch(mine).remote.refs[MAIN]
        mine.set_ref(MAIN, None, old)
        new = commit(mine, {"d/0-end/data.npy": NOISE[123:], "zeros": bytes(1 << 20) + NOISE[: 1 << 20]})
        remote.push(mine, [RefUpdate(MAIN, old, new)])
        url = f"{place.urls['http']}/hub"
        git("-c", "http.postBuffer=100000", "clone", "-q", url, tmp_path / "theirs")
        theirs = tmp_path / "theirs"
        assert (theirs / "d/0-end/data.npy").read_bytes() == NOISE[123:]
        assert (theirs / "zeros").read_bytes() == bytes(1 << 20) + NOISE[: 1 << 20]
        (theirs / "theirs.npy").write_bytes(NOISE[7:])
        git("-C", theirs, "add", "-A")
        git("-C", theirs, "-c", "user.name=x", "-c", "user.email=y", "commit", "-qm", "Theirs")
        git("-C", theirs, "-c", "http.postBuffer=100000", "push", "-q")
        assert any(request.endswith("git-receive-pack chunked") for request in place.http.requests)
        fetched = remote.fetch(mine)
        tip = fetched.remote.refs[MAIN]
        assert mine.blob(mine.tree(mine.commit(tip).tree)["theirs.npy"].id) == NOISE[7:]
    sound(tmp_path / "mine")


# Every child fetches once, and is killed when it opens, makes, links, renames or removes a file for the Nth time.
STEPPER = """
import os, pathlib, signal, sys
from calibvcs.store.git import GitStore
from calibvcs.store.remotes.remote import RefUpdate, open_remote
folder, url = sys.argv[1:]
changes = {"os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.link", "os.truncate"}
for step in range(1, 1000):
    child = os.fork()
    if child == 0:
        seen = 0
        def hook(event, arguments):
            global seen
            writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
            if (writes or event in changes) and folder in str(arguments[0]) + str(arguments[1:2]):
                seen += 1
                if seen == step:
                    os.kill(os.getpid(), signal.SIGKILL)
        store = GitStore(pathlib.Path(folder))
        sys.addaudithook(hook)
        open_remote(url).fetch(store)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    print("killed" if os.WIFSIGNALED(status) else "finished" if status == 0 else "failed", flush=True)
    if not os.WIFSIGNALED(status) or sys.stdin.readline() != "next\\n":
        break
"""


@pytest.mark.parametrize("transport", ["path", "git", "http"])
def test_whoever_is_killed_in_a_fetch_leaves_a_sound_repository(place: Place, tmp_path: Path, transport: str) -> None:
    clone = tmp_path / "clone"
    with initialise(clone, bare=True) as store, place.remote(transport, "hub") as remote:
        if transport == "path":
            commit(store, {"own": b"one"})  # else everything is linked
        words = [sys.executable, "-c", STEPPER, str(clone), f"{place.urls[transport]}/hub"]
        with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as stepper:
            assert stepper.stdin
            assert stepper.stdout
            steps = 0
            while stepper.stdout.readline() == "killed\n":
                steps += 1
                refs = store.refs()
                assert "error" not in git("-C", clone, "fsck", "--strict", "--no-dangling")
                assert "refs/tags/v1" not in refs or TRACKED in refs
                stepper.stdin.write("next\n")
                stepper.stdin.flush()
            assert stepper.wait() == 0
        assert steps > 5
        assert remote.fetch(store).changed == ()
        assert store.refs()[TRACKED] == remote.refs().refs[MAIN]
