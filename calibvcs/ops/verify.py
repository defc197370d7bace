"""``verify``: whether the repository keeps the promises of its format."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from calibvcs.errors import BrokenRepositoryError, CalibvcsError
from calibvcs.formats import npy
from calibvcs.formats.toml import aliases_toml, ctype_toml, detector_toml, runs_toml
from calibvcs.model import gate, layout
from calibvcs.model.constant_types import constant_type
from calibvcs.model.names import ConstantName, DetectorName, parse_ctype, parse_dettype, parse_experiment
from calibvcs.model.validity import Validity
from calibvcs.ops import payload as payloads
from calibvcs.store.protocol import FILE_MODE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from calibvcs.model.aliases import Alias
    from calibvcs.model.metadata import Metadata
    from calibvcs.ops.catalogue import Catalogue
    from calibvcs.ops.tagging.signed_history import SignatureCounts
    from calibvcs.store.protocol import TreeEntry

_TOP_FILES = {layout.ATTRIBUTES_FILE, ".gitignore", ".mailmap", "README.md", "LICENSE"}


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong (error), or that an expert should look at (warning)."""

    level: Literal["error", "warning"]
    path: str
    text: str


@dataclass(frozen=True, slots=True)
class Verification:
    """What `verify` found.

    Attributes
    ----------
    at : str
        The commit that was looked at.
    constants : int
        Number of constants looked at.
    objects : int
        Number of payloads whose hash and values were checked; 0 unless deep.
    findings : tuple of Finding
        Errors first.
    signatures : SignatureCounts or None
        How many signatures are good, bad, unknown and missing; None where nobody asked.
    """

    schema: ClassVar[str] = "calibvcs.verify/1"

    at: str
    constants: int
    objects: int
    findings: tuple[Finding, ...]
    signatures: SignatureCounts | None = None

    @property
    def sound(self) -> bool:
        """Whether there is no error."""
        return all(finding.level != "error" for finding in self.findings)


def verify(catalogue: Catalogue, *, deep: bool = False) -> Verification:
    """Check format, names, metadata against data, required ctypes, gaps and hidden ranges.

    Parameters
    ----------
    catalogue : Catalogue
        The commit to look at.
    deep : bool, optional
        Also read every payload that history ever had: hash, form, finite values.

    Returns
    -------
    Verification
        What is wrong or strange.
    """
    return _Verifier(catalogue).run(deep=deep)


class _Verifier:
    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._store = catalogue.snapshot.store
        self._findings: list[Finding] = []
        self._sound_blobs: set[str] = set()

    def run(self, *, deep: bool) -> Verification:
        constants: dict[ConstantName, dict[str, TreeEntry]] = {}
        try:
            self._attempt(layout.REPOSITORY_FILE, lambda: self._catalogue.settings)
            for path, entry in self._catalogue.snapshot.files():
                self._attempt(path, lambda path=path, entry=entry: self._file(path, entry, constants))  # type: ignore[misc]
            for constant, files in constants.items():
                path = layout.constant_folder(constant)
                self._attempt(path, lambda c=constant, f=files: self._constant(c, f))  # type: ignore[misc]
            self._attempt(layout.REPOSITORY_FILE, lambda: self._required(constants))
            self._ranges(constants)
            if deep:
                self._history()
        except BrokenRepositoryError as error:  # a tree or commit is missing: nothing below it can be looked at
            self._error(self._catalogue.snapshot.commit_id or "", error.problem)
        findings = tuple(sorted(self._findings, key=lambda finding: (finding.level, finding.path)))
        at = self._catalogue.snapshot.commit_id or ""
        return Verification(at, len(constants), len(self._sound_blobs), findings)

    def _error(self, path: str, text: str) -> None:
        self._findings.append(Finding("error", path, text))

    def _attempt(self, path: str, check: Callable[[], object]) -> None:
        try:
            check()
        except CalibvcsError as error:
            self._error(path, error.problem)

    # --- files ------------------------------------------------------------------------------------------------

    def _file(self, path: str, entry: TreeEntry, constants: dict[ConstantName, dict[str, TreeEntry]]) -> None:
        parts = path.split("/")
        if entry.mode != FILE_MODE:
            self._error(path, f"mode {entry.mode:o}; only plain files (100644) are allowed")
        if path in _TOP_FILES or parts[0] == ".calibvcs":
            return
        if parts[0] == layout.EXPERIMENTS and len(parts) == 2:
            experiment = parse_experiment(parts[1].removesuffix(".toml"))
            runs_toml.decode(self._read(path), experiment)
        elif len(parts) == 2 and parts[1] == layout.ALIASES_FILE:
            rows = aliases_toml.decode(self._read(path), parse_dettype(parts[0]))
            self._aliases(path, rows)
        elif len(parts) == 3 and parts[2] == layout.DETECTOR_FILE:
            detector_toml.decode(self._read(path), self._detector_of(parts))
        elif len(parts) == 4 and parts[3] == layout.CTYPE_FILE:
            self._detector_of(parts)
            parse_ctype(parts[2])
            ctype_toml.decode(self._read(path), path)
        elif len(parts) == 5 and parts[4] in {*layout.PAYLOAD_FILES, layout.META_FILE}:
            constant = ConstantName(self._detector_of(parts), parse_ctype(parts[2]), Validity.parse(parts[3]))
            constants.setdefault(constant, {})[parts[4]] = entry
        else:
            self._error(path, "format 1 has no such file; see docs/formats/repository-v1.md")

    def _detector_of(self, parts: list[str]) -> DetectorName:
        detector = DetectorName.parse(parts[1])
        if str(detector) != parts[1] or detector.dettype != parts[0]:
            self._error(
                "/".join(parts), f"detector {parts[1]} does not stand in the folder of its type, {detector.dettype}"
            )
        return detector

    def _read(self, path: str) -> bytes:
        return self._catalogue.snapshot.read(path) or b""

    def _aliases(self, path: str, rows: tuple[Alias, ...]) -> None:
        for number, row in enumerate(rows):
            clash = [
                other for other in rows[:number] if other.alias == row.alias and other.validity.overlaps(row.validity)
            ]
            if clash:
                self._error(path, f"alias {row} overlaps {clash[0]}")
            if row.detector not in self._catalogue.detectors:
                self._error(path, f"alias {row} means a detector that is not registered")

    # --- constants --------------------------------------------------------------------------------------------

    def _constant(self, constant: ConstantName, files: dict[str, TreeEntry]) -> None:
        folder = layout.constant_folder(constant)
        if constant.detector not in self._catalogue.detectors:
            self._error(folder, f"detector {constant.detector} has no {layout.DETECTOR_FILE}")
        payload = [file for file in layout.PAYLOAD_FILES if file in files]
        if len(payload) != 1 or layout.META_FILE not in files:
            expected = f"{layout.META_FILE} and one of {', '.join(layout.PAYLOAD_FILES)}"
            self._error(folder, f"it holds {', '.join(sorted(files))}; expected is {expected}")
            return
        (file,) = payload
        metadata = self._catalogue.metadata(constant)
        expected_file = layout.payload_file(constant.ctype, text=metadata.is_text)
        if file != expected_file:
            self._error(f"{folder}/{file}", f"by its metadata the file has to be {expected_file}")
        elif metadata.is_text:
            data = self._store.blob(files[file].id)
            payloads.from_text(data, constant.ctype, f"{folder}/{file}")
        else:
            self._array(constant, metadata, files[file].id, f"{folder}/{file}")

    def _array(self, constant: ConstantName, metadata: Metadata, blob: str, path: str) -> None:
        head, size = self._store.blob_head(blob, npy.HEAD_SIZE)
        header = npy.read_header(head, size, path)
        if (header.dtype, header.shape) != (metadata.dtype, metadata.shape):
            told = f"{metadata.dtype} {metadata.shape}"
            self._error(path, f"{layout.META_FILE} says {told}, the array is {header.dtype} {header.shape}")
        if metadata.dims and len(metadata.dims) != len(header.shape):
            self._error(path, f"{layout.META_FILE} names {len(metadata.dims)} axes, the array has {len(header.shape)}")
        spec = constant_type(constant.ctype)
        if constant.detector in self._catalogue.detectors:
            verdict = gate.check_form(header.shape, header.dtype, spec, self._catalogue.detector(constant.detector))
            for refusal in verdict.refusals:
                self._findings.append(Finding("warning", path, f"the gate would refuse it: {refusal}"))

    def _required(self, constants: dict[ConstantName, dict[str, TreeEntry]]) -> None:
        present = {(constant.detector, constant.ctype) for constant in constants}
        for dettype, ctypes in self._catalogue.settings.required.items():
            for detector in self._catalogue.detectors:
                missing = [ctype for ctype in ctypes if (detector, ctype) not in present]
                if detector.dettype == dettype and missing:
                    self._error(layout.detector_folder(detector), f"required ctypes are missing: {', '.join(missing)}")

    def _ranges(self, constants: dict[ConstantName, dict[str, TreeEntry]]) -> None:
        groups: dict[tuple[DetectorName, str], list[Validity]] = {}
        for constant in constants:
            groups.setdefault((constant.detector, constant.ctype), []).append(constant.validity)
        for (detector, ctype), ranges in groups.items():
            for text in strange_ranges(ranges):
                self._findings.append(Finding("warning", layout.ctype_folder(detector, ctype), text))

    # --- history ----------------------------------------------------------------------------------------------

    def _history(self) -> None:
        waiting, seen = [self._catalogue.snapshot.commit_id or ""], set[str]()
        while waiting:
            commit_id = waiting.pop()
            if commit_id in seen:
                continue
            seen.add(commit_id)
            commit = self._store.commit(commit_id)
            waiting.extend(commit.parents)
            self._tree(commit.tree, "", seen, commit_id)

    def _tree(self, tree_id: str, prefix: str, seen: set[str], commit_id: str) -> None:
        if tree_id in seen:
            return
        seen.add(tree_id)
        for name, entry in self._store.tree(tree_id).items():
            path = f"{prefix}{name}"
            if entry.is_tree:
                self._tree(entry.id, f"{path}/", seen, commit_id)
            elif entry.id not in seen:
                seen.add(entry.id)
                self._attempt(path, lambda p=path, e=entry: self._payload(p, e, commit_id))  # type: ignore[misc]

    def _payload(self, path: str, entry: TreeEntry, commit_id: str) -> None:
        data = self._store.blob(entry.id)  # the store holds the content against its hash
        constant = layout.constant_of(path)
        if constant is None or path.rpartition("/")[2] not in layout.PAYLOAD_FILES:
            return
        self._sound_blobs.add(entry.id)
        if not path.endswith(layout.ARRAY_FILE):
            return
        array = npy.decode(data, path)
        for refusal in gate.check_values(array, constant_type(constant.ctype)).refusals:
            self._findings.append(Finding("warning", path, f"in commit {commit_id[:12]}: {refusal}"))


def strange_ranges(ranges: list[Validity]) -> Iterator[str]:
    """Tell gaps between the ranges of a ctype, and ranges that no time ever chooses.

    Parameters
    ----------
    ranges : list of Validity
        All ranges of one ctype.

    Yields
    ------
    str
        One sentence each.
    """
    covered: int | None = None
    for validity in sorted(ranges, key=lambda v: v.begin):
        if covered is not None and validity.begin > covered:
            yield f"nothing is valid from {covered} to {validity.begin}"
        ends = [end for end in (covered, validity.end) if end is not None]
        if validity.end is None:
            break
        covered = max(ends)
    for validity in ranges:
        stronger = sorted((v for v in ranges if v.precedence > validity.precedence), key=lambda v: v.begin)
        reached = float(validity.begin)
        for other in stronger:
            if other.begin <= reached:
                reached = max(reached, math.inf if other.end is None else other.end)
        if reached >= (math.inf if validity.end is None else validity.end):
            yield f"{validity} is never chosen: others lie over all of it"
