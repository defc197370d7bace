"""Histories of any form, made commit by commit in memory; what merges are tested on."""

from __future__ import annotations

import io
from collections.abc import Mapping

import numpy as np

from calibvcs.formats.toml import meta_toml
from calibvcs.model.commits import Action, Message, Signature
from calibvcs.model.layout import constant_folder
from calibvcs.model.metadata import Metadata, Provenance
from calibvcs.model.names import ConstantName
from calibvcs.model.three_way import Rules
from calibvcs.ops.catalogue import Catalogue
from calibvcs.ops.merges.merging import Merged, merge
from calibvcs.ops.merges.message import merge_message
from calibvcs.store.memory import MemoryStore
from calibvcs.store.objects.encoding import encode_commit
from calibvcs.store.objects.trees import edited
from calibvcs.store.snapshot import Snapshot

PEDESTALS, LATER, GAIN = (
    ConstantName.parse(name)
    for name in ("opal-1/pedestals/0-end", "opal-1/pedestals/100-200", "opal-1/pixel_gain/0-end")
)
FOLDER = "opal/opal-1"

Files = Mapping[str, bytes | str | None]


def array_bytes(value: float) -> bytes:
    file = io.BytesIO()
    np.save(file, np.full((2, 3), value, np.float32))
    return file.getvalue()


def metadata(user: str = "ada", **more: object) -> Metadata:
    return Metadata("float32", (2, 3), ("row", "column"), "ADU", "subtract", provenance=Provenance(user=user), **more)  # type: ignore[arg-type]


def files_of(constant: ConstantName, value: float | None, meta: Metadata | None = None) -> dict[str, bytes | None]:
    """Return the files of a constant whose pixels have one value; None takes it away."""
    folder = constant_folder(constant)
    if value is None:
        return {f"{folder}/data.npy": None, f"{folder}/meta.toml": None}
    return {f"{folder}/data.npy": array_bytes(value), f"{folder}/meta.toml": meta_toml.encode(meta or metadata())}


class Branches(MemoryStore):
    """A store in memory in which a commit may have any parents and any date."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = 1000
        self.first = self.commit_of((), {
            ".calibvcs/repository.toml": b"format = 1\n",
            f"{FOLDER}/detector.toml": b'longname = "opal_1"\ncreated = "2026-01-01T00:00:00Z"\n',
        })  # fmt: skip

    def commit_of(
        self,
        parents: tuple[str, ...],
        files: Files,
        text: str = "Change\n",
        *,
        who: str = "Ada",
        time: int | None = None,
    ) -> str:
        """Write a commit: edits of the first parent, text is the id of a blob."""
        self.clock += 60
        edits = {path: self.put_blob([new]) if isinstance(new, bytes) else new for path, new in files.items()}
        tree, made = edited(self.tree_data, self.commit(parents[0]).tree if parents else None, edits)
        for content in made.values():
            self._put("tree", content)
        person = Signature(who, "a@b.c", self.clock if time is None else time)
        return self._put("commit", encode_commit(tree, parents, person, person, text))

    def on(
        self, parent: str, files: Files, text: str = "Change\n", *, who: str = "Ada", time: int | None = None
    ) -> str:
        """Write a commit on another one."""
        return self.commit_of((parent,), files, text, who=who, time=time)

    def add(
        self,
        parent: str,
        constant: ConstantName,
        value: float,
        *,
        user: str = "ada",
        who: str = "Ada",
        time: int | None = None,
    ) -> str:
        """Add a version, as calibvcs does."""
        text = Message(f"Set {value}", Action.ADD, (constant,)).encode()
        return self.on(parent, files_of(constant, value, metadata(user)), text, who=who, time=time)

    def mark(self, parent: str, action: Action, constant: ConstantName, value: float) -> str:
        """Lock or withdraw the version with a value."""
        meta = metadata().lock("Good") if action is Action.LOCK else metadata().withdraw("Bad")
        return self.on(parent, files_of(constant, value, meta), Message("Mark", action, (constant,)).encode())

    def restore(self, parent: str, constant: ConstantName, version: str) -> str:
        """Make the version that a commit added the default again."""
        names = Snapshot(self, version).names(constant_folder(constant))
        files = {f"{constant_folder(constant)}/{name}": entry.id for name, entry in names.items()}
        return self.on(parent, files, Message("Go back", Action.RESTORE, (constant,), restored=version).encode())

    def merge(self, ours: str, theirs: str, rules: Rules | None = None, *, time: int | None = None) -> str:
        """Merge two commits and write the outcome; of a fast-forward that is theirs."""
        merged = merge(self, ours, theirs, rules)
        assert not merged.conflicts
        return self.write(merged, time=time)

    def write(self, merged: Merged, *, time: int | None = None) -> str:
        if merged.kind != "merge":
            return merged.theirs if merged.kind == "fast-forward" else merged.ours
        return self.commit_of((merged.ours, merged.theirs), merged.edits, merge_message(merged, "main"), time=time)

    def tree_of(self, commit: str) -> str:
        return self.commit(commit).tree

    def at(self, commit: str) -> Catalogue:
        return Catalogue(Snapshot(self, commit))

    def value(self, commit: str, constant: ConstantName) -> float | None:
        """Return the value of the pixels of a constant."""
        data = Snapshot(self, commit).read(f"{constant_folder(constant)}/data.npy")
        return None if data is None else float(np.load(io.BytesIO(data))[0, 0])

    def read(self, commit: str, path: str) -> str | None:
        data = Snapshot(self, commit).read(path)
        return None if data is None else data.decode()
