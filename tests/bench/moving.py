"""``moving``: cloning 2 GB that calibvcs wrote, by path, ssh and http served by C Git; pushing; fetching nothing new."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from calibvcs.model.commits import Signature
from calibvcs.store.git import GitStore
from calibvcs.store.initialise import initialise
from calibvcs.store.remotes.remote import open_remote
from tests.bench.harness import Way, difference, measure
from tests.bench.results import Row, Table, Target
from tests.bench.surroundings import folder
from tests.servers.http_backend import http_server
from tests.servers.ssh import ssh_server

WHO = Signature("Ada Lovelace", "ada@example.org", 1_780_000_000)
SPARE = 300e6
_PEAK = "print(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')))"
_BEGIN = "import sys, pathlib; from calibvcs.store.git import GitStore; from calibvcs.store.remotes.remote import RefUpdate, open_remote"
_OPEN = "store = GitStore(pathlib.Path(sys.argv[1])); remote = open_remote(sys.argv[2], ssh_command=sys.argv[3], interactive=False)"
_FETCH = "remote.fetch(store)"
_PUSH = "remote.push(store, [RefUpdate('refs/heads/pushed', None, store.tip())])"


def run(*, quick: bool) -> list[Table]:
    """Measure."""
    count, size, commits, rounds = (3, 1 << 20, 50, 1) if quick else (40, 50_000_000, 10_000, 3)
    with ExitStack() as stack:
        work = stack.enter_context(folder())
        (work / "served").mkdir()
        hub, one, long = (work / "served" / name for name in ("hub", "one", "long"))
        _fill(hub, count, size)
        _fill(one, 1, 4 * size)
        _long(long, commits)
        http = stack.enter_context(http_server(work / "served"))
        ssh = stack.enter_context(ssh_server(work / "ssh"))
        urls = {"path": f"{work}/served", "ssh": f"{ssh.url}{work}/served", "http": http.url}
        cloning = _cloning(work, urls, ssh.command, rounds)
        nothing = _nothing_new(work, urls, ssh.command, rounds)
        memory = _memory(work, urls, ssh.command, 4 * size)
    return [cloning, nothing, memory]


def _fill(path: Path, count: int, size: int) -> None:
    with initialise(path, bare=True) as store:
        for number in range(count):
            noise = np.random.default_rng(number).integers(0, 65_535_000, size // 4).astype(np.float32) / 1000
            edits = {f"d/p/{number}-end/data.npy": store.put_blob([memoryview(noise).cast("B")])}
            store.commit_edits(store.tip(), edits, "Dark run", WHO, WHO)
    subprocess.run(["git", "-C", path, "config", "http.receivepack", "true"], check=True)


def _long(path: Path, commits: int) -> None:
    initialise(path, bare=True).close()
    lines = []
    for number in range(commits):
        lines.append(f"commit refs/heads/main\ncommitter A <a@b> {1_700_000_000 + number} +0000\ndata 4\nDark\n")
        lines.append(f"M 100644 inline det{number % 20}/{number // 20}-end/data\ndata {len(str(number))}\n{number}\n")
    subprocess.run(["git", "-C", path, "fast-import", "--quiet"], input="".join(lines), text=True, check=True)


def _cloning(work: Path, urls: dict[str, str], ssh: str, rounds: int) -> Table:
    target, tip = work / "clone", _tip(work / "served" / "hub")

    def ours(url: str) -> Callable[[], str]:
        def clone() -> str:
            with initialise(target, bare=True) as store:
                fetched = open_remote(f"{url}/hub", ssh_command=ssh, interactive=False).fetch(store)
                return fetched.remote.refs["refs/heads/main"]

        return clone

    def theirs(url: str) -> Callable[[], str]:
        def clone() -> str:
            words = ["git", "-c", f"core.sshCommand={ssh}", "clone", "-q", "--bare", f"{url}/hub", str(target)]
            subprocess.run(words, check=True)
            return _tip(target)

        return clone

    ways = {}
    for name, url in urls.items():
        for program, way in (("calibvcs", ours(url)), ("git", theirs(url))):
            ways[f"{program}: clone by {name}"] = Way(
                way, lambda got: got == tip, lambda: shutil.rmtree(target, ignore_errors=True)
            )
    rows = measure(ways, rounds, warm_up=False)
    targets = [
        Target(f"calibvcs: clone by {name}", 2, f"git: clone by {name}", label="C Git") for name in ("ssh", "http")
    ]
    about = (
        "40 arrays of 50 MB as calibvcs wrote them, never packed, with the settings that `init` writes; served by C Git"
    )
    return Table("moving", about, tuple(rows), "", (*targets, Target("calibvcs: clone by path", 1.0)))


def _nothing_new(work: Path, urls: dict[str, str], ssh: str, rounds: int) -> Table:
    ways, targets = {}, []
    for name, url in urls.items():
        remote = open_remote(f"{url}/long", ssh_command=ssh, interactive=False)
        path = work / f"long-{name}"
        with initialise(path, bare=True) as store:
            remote.fetch(store)

        def fetch(remote=remote, path=path) -> bool:  # type: ignore[no-untyped-def]
            with GitStore(path) as store:
                return remote.fetch(store).changed == ()

        ways[f"calibvcs: fetch nothing new by {name}"] = Way(fetch, bool)
        ways[f"calibvcs: ask {name} for the refs alone"] = Way(remote.refs, bool)
    rows = measure(ways, rounds)
    for name in urls:
        more = f"calibvcs: fetch nothing new by {name}"
        beyond = difference(f"{more}, more than the round trip", rows, more, f"calibvcs: ask {name} for the refs alone")
        rows.append(beyond)
        targets.append(Target(beyond.name, 0.3))
    return Table("moving-nothing", "a repository with 10,000 commits", tuple(rows), "", tuple(targets))


def _memory(work: Path, urls: dict[str, str], ssh: str, size: int) -> Table:
    rows = []
    for name, url in urls.items():
        with initialise(work / f"one-{name}", bare=True):
            pass
        initialise(work / "served" / f"to-{name}", bare=True).close()
        subprocess.run(["git", "-C", work / "served" / f"to-{name}", "config", "http.receivepack", "true"], check=True)
        nothing = _peak(work / f"one-{name}", f"{url}/one", ssh, "remote.refs()")
        fetched = _peak(work / f"one-{name}", f"{url}/one", ssh, _FETCH)
        pushed = _peak(work / "served" / "one", f"{url}/to-{name}", ssh, _PUSH)
        rows += [Row(f"fetch of {size / 1e6:.0f} MB by {name}", (fetched,), "B")]
        rows += [Row(f"push of {size / 1e6:.0f} MB by {name}", (pushed,), "B"), Row(f"refs by {name}", (nothing,), "B")]
    targets = tuple(Target(row.name, SPARE) for row in rows)
    return Table("moving-memory", "peak resident memory (VmHWM) of the whole process", tuple(rows), "", targets)


def _peak(path: Path, url: str, ssh: str, verb: str) -> float:
    words = [sys.executable, "-c", f"{_BEGIN}\n{_OPEN}\n{verb}\n{_PEAK}", str(path), url, ssh]
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    return float(done.stdout.split()[-1]) * 1024


def _tip(path: Path) -> str:
    return subprocess.run(
        ["git", "-C", path, "rev-parse", "main"], check=True, capture_output=True, text=True
    ).stdout.strip()
