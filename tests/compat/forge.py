"""Git objects made by hand, good and evil ones, and pushes of them by C Git to a repository with the hook."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import subprocess
import sys
import time
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import calibvcs
from calibvcs.formats.toml import meta_toml
from calibvcs.model.metadata import Metadata
from calibvcs.store.hooks import install

ONE, TWO = "opal1000/opal1000-1", "opal1000/opal1000-2"
FIRST = f"{ONE}/pedestals/0-end"
PEOPLE = {
    "grace": ("Grace Hopper", "grace@example.org"), "plain": ("Plain User", "plain@example.org"),
    "lena": ("Lena", "lena@example.org"), "root": ("Root", "root@example.org"), "robot": ("Robot", "robot@example.org"),
}  # fmt: skip
ACCESS = """
may_push_for_others = ["robot"]

[groups]
experts = ["grace", "robot"]
admins = ["root"]

[people]
grace = ["grace@example.org", "Grace Hopper"]

[limits]
file_bytes = 8_000_000
push_bytes = 20_000_000
commits = 40
files = 2_000

[[rules]]
who = ["*"]
may = ["read", "propose"]

[[rules]]
who = ["@experts"]
may = ["write", "tag"]

[[rules]]
who = ["@admins"]
may = ["write", "tag", "admin"]

[[rules]]
who = ["lena"]
may = ["write"]
path = "opal1000/opal1000-2"
branch = "main"
"""
HOOK = (
    sys.executable,
    "-c",
    "import os, sys; from calibvcs.cli.hosting import pre_receive; sys.exit(pre_receive(os.environ))",
)

Entry = tuple[str, str]
Edit = bytes | Entry | None


def npy(value: float = 1, shape: tuple[int, ...] = (4, 5)) -> bytes:
    """Return the file of an array."""
    file = io.BytesIO()
    np.save(file, np.full(shape, value, np.float32))
    return file.getvalue()


def meta(shape: tuple[int, ...] = (4, 5), dtype: str = "float32", **more: Any) -> bytes:
    """Return metadata."""
    return meta_toml.encode(Metadata(dtype, shape, **more))


def constant(value: float = 1, folder: str = f"{ONE}/pedestals/5000-end", **more: Any) -> dict[str, Edit]:
    """Return the files of a constant."""
    return {f"{folder}/data.npy": npy(value), f"{folder}/meta.toml": meta(**more)}


@dataclass
class Forge:
    """A clone in which objects are made by hand."""

    folder: Path
    server: Path
    refs: dict[str, str]

    @property
    def main(self) -> str:
        return self.refs["refs/heads/main"]

    def git(self, *arguments: str) -> str:
        command = ["git", "-C", str(self.folder), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def write(self, kind: str, content: bytes) -> str:
        """Write any bytes as an object."""
        data = f"{kind} {len(content)}\0".encode() + content
        name = hashlib.sha1(data, usedforsecurity=False).hexdigest()
        path = self.folder / "objects" / name[:2] / name[2:]
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(zlib.compress(data, 1))
        return name

    def tree(self, entries: Iterable[tuple[str, bytes, str]]) -> str:
        """Write a tree with its entries (mode, name, id) as they are given."""
        return self.write(
            "tree", b"".join(f"{mode} ".encode() + n + b"\0" + bytes.fromhex(i) for mode, n, i in entries)
        )

    def files(self, commit: str) -> dict[str, Entry]:
        """Return mode and id of every file of a commit."""
        lines = self.git("ls-tree", "-r", "-z", commit).split("\0")
        rows = (line.partition("\t") for line in lines if line)
        return {path: (head.split()[0], head.split()[2]) for head, _, path in rows}

    def nested(self, files: Mapping[str, Entry]) -> str:
        """Write the trees of a set of files, and return the outermost."""
        folders: dict[str, dict[str, Entry]] = {}
        entries: list[tuple[str, bytes, str]] = []
        for path, entry in files.items():
            name, slash, rest = path.partition("/")
            if slash:
                folders.setdefault(name, {})[rest] = entry
            else:
                entries.append((entry[0].lstrip("0"), os.fsencode(name), entry[1]))
        entries += [("40000", os.fsencode(name), self.nested(inner)) for name, inner in folders.items()]
        return self.tree(sorted(entries, key=lambda e: e[1] + (b"/" if e[0] == "40000" else b"")))

    def edited(self, commit: str, edits: Mapping[str, Edit]) -> str:
        """Return the tree that follows from edits of a commit; None takes a file, or all of a folder, away."""
        files = self.files(commit)
        for path, edit in edits.items():
            for known in [known for known in files if known == path or known.startswith(f"{path}/")]:
                del files[known]
            if isinstance(edit, bytes):
                files[path] = ("100644", self.write("blob", edit))
            elif edit is not None:
                files[path] = edit
        return self.nested(files)

    def commit(
        self, tree: str, *parents: str, by: str = "grace", committer: str = "", text: str = "By hand\n", at: int = 0,
        author: str = "", more: str = "",
    ) -> str:  # fmt: skip
        """Write a commit."""
        at = at or int(time.time())
        author = author or "{} <{}>".format(*PEOPLE[by])
        committer = committer or author
        head = [f"tree {tree}", *(f"parent {parent}" for parent in parents)]
        head += [f"author {author} {at} +0000", f"committer {committer} {at} +0000"]
        return self.write("commit", ("\n".join(head) + f"\n{more}\n{text}").encode())

    def change(self, edits: Mapping[str, Edit], *parents: str, by: str = "grace", on: str = "", **more: Any) -> str:
        """Write a commit that edits one: the first parent, or another one."""
        parents = parents or (self.main,)
        return self.commit(self.edited(on or parents[0], edits), *parents, by=by, **more)

    def tag(self, target: str, name: str, *, by: str = "grace", kind: str = "commit", text: str = "Good\n") -> str:
        """Write a tag object."""
        person = "{} <{}>".format(*PEOPLE[by])
        head = f"object {target}\ntype {kind}\ntag {name}\ntagger {person} {int(time.time())} +0000\n\n"
        return self.write("tag", (head + text).encode())

    def push(self, user: str | None, *refspecs: str, server: Path | None = None, **variables: str) -> tuple[int, str]:
        """Push by C Git as a user of the server; return the exit status and what is shown."""
        environment = {**os.environ, **variables} | ({"CALIBVCS_USER": user} if user else {})
        command = ["git", "-C", str(self.folder), "push", str(server or self.server), *refspecs]
        done = subprocess.run(command, capture_output=True, env=environment)
        text = done.stderr.decode(errors="replace")
        return done.returncode, "\n".join(line.removeprefix("remote: ").rstrip() for line in text.splitlines())


def build_server(folder: Path) -> Path:
    """Make the repository that is pushed to, with a history in which everything occurs that can be attacked."""
    server = folder / "server.git"
    calibvcs.init(server, bare=True)
    level = np.full((4, 5), 10, np.float32)
    with calibvcs.open(server) as repository:
        for name in ("opal1000-1", "opal1000-2"):
            repository.detector.add(name, parameters={"panel_shape": [4, 5]})
        repository.add("opal1000-1", "pedestals", level, begin=0, message="First")
        repository.add("opal1000-1", "pedestals", level + 1, begin=0, message="Second")
        repository.add("opal1000-1", "pedestals", level + 2, begin=1000, message="To be locked")
        repository.add("opal1000-1", "pedestals", level + 3, begin=2000, message="To be withdrawn")
        repository.withdraw("opal1000-1/pedestals/2000-end", message="The shutter was open")
        repository.alias.add("front", "opal1000-1", begin=500)
        repository.run.mark("mfx1:7", kind="dark", reason="other", begin=1000, end=1300, message="A dark run")
    forge = Forge(server, server, {})
    forge.refs = {"refs/heads/main": forge.git("rev-parse", "main")}
    forge.git("branch", "cxi")
    forge.git("update-ref", "refs/heads/before-rules", forge.main)
    lax = ACCESS.replace('who = ["lena"]\nmay = ["write"]', 'who = ["lena"]\nmay = ["write", "admin"]')
    for rules in (lax, ACCESS):
        commit = forge.change({".calibvcs/access.toml": rules.encode()}, by="root", text="Rules\n")
        forge.git("update-ref", "refs/heads/main", commit)
        forge.refs["refs/heads/main"] = commit
    with calibvcs.open(server) as repository:
        repository.tag.create("golden", message="All good")
        repository.lock("opal1000-1/pedestals/1000-end", message="For the beam time")
    idea = forge.change(constant(3, f"{TWO}/pedestals/0-end"), by="plain", text="An idea\n")
    forge.git("update-ref", "refs/heads/proposals/plain/idea", idea)
    install(server, HOOK, ["root"])
    forge.git("config", "transfer.fsckObjects", "false")  # so that the hook is seen to stand alone
    return server


def forge_of(folder: Path, server: Path) -> Forge:
    """Make a clone of a server in which objects are made."""
    clone = folder / "forge.git"
    subprocess.run(["git", "init", "-q", "--bare", clone], check=True)
    (clone / "objects" / "info" / "alternates").write_text(f"{server / 'objects'}\n")
    lines = subprocess.run(["git", "-C", server, "show-ref"], check=True, capture_output=True, text=True).stdout
    refs = {ref: name for name, ref in (line.split() for line in lines.splitlines())}
    return Forge(clone, server, refs)


def copy_of(server: Path, folder: Path) -> Path:
    """Return a copy of a server, which a push may change."""
    return shutil.copytree(server, folder / "copy.git", symlinks=True)
