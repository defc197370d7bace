"""Versions of a DCS file and versions of ours: who made them, when, why and how."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from calibvcs.errors import CalibvcsError
from calibvcs.formats.dcs.dcs_hdf5 import Notes
from calibvcs.model.metadata import InputFile, Origin, Provenance
from calibvcs.model.names import parse_experiment
from calibvcs.model.validity import TIME_LIMIT
from calibvcs.ops.dcs.ranges import range_table
from calibvcs.ops.dcs.records import MARK, STRUCTURED, as_json, from_json, notes_of, own_text, parameters_of, table_of

if TYPE_CHECKING:
    from calibvcs.formats.dcs.dcs_hdf5 import DcsRange, DcsVersion
    from calibvcs.model.commits import Commit
    from calibvcs.model.metadata import Metadata


_RUNS = ("run", "run_end")


def version_notes(metadata: Metadata, commit: Commit, version: str, usual: tuple[str, str]) -> Notes:
    """Return the notes of a version of ours; one that came from a file keeps those it had.

    Parameters
    ----------
    metadata : Metadata
        As it stood at the commit that added it.
    commit : Commit
        That commit.
    version : str
        ``vN``.
    usual : tuple of str
        Unit and convention that go without saying.

    Returns
    -------
    notes : Notes
        With the id of the commit, unless the file it came from had one already.
    """
    notes = notes_of(metadata.parameters)
    parameters = dict(notes.parameters)
    if "version" in table_of(metadata.parameters):
        parameters.setdefault(f"{MARK}commit", commit.id)
        return Notes(parameters, notes.history)
    origin, provenance = metadata.origin, metadata.provenance
    for key, value in (
        ("experiment", origin.experiment), ("run", origin.run), ("run_end", origin.run_end), ("source", origin.source),
    ):  # fmt: skip
        if value not in {"", None}:
            parameters.setdefault(key, value or 0)
    inputs = [{"path": file.path, "size": file.size, "sha256": file.sha256} for file in provenance.inputs]
    own = {
        "commit": commit.id,
        "version": version,
        "author": f"{commit.author.name} <{commit.author.email}>",
        "unit": metadata.unit if metadata.unit != usual[0] else "",
        "convention": metadata.convention if metadata.convention != usual[1] else "",
        "software": provenance.software,
        "user": provenance.user,
        "host": provenance.host,
        f"command{STRUCTURED}": as_json(list(provenance.command)) if provenance.command else "",
        f"inputs{STRUCTURED}": as_json(inputs) if inputs else "",
    }
    parameters |= {f"{MARK}{key}": value for key, value in own.items() if value}
    return Notes(parameters, {f"{commit.author.time:.6f}": commit.message.comment, **notes.history})


def version_parameters(of_range: DcsRange, version: DcsVersion) -> dict[str, Any]:
    """Return the parameters of a version that comes in; those of its range stand in the table too."""
    more: dict[str, Any] = {"version": version.number}
    if version.tsprod is not None:
        more["tsprod"] = version.tsprod
    if kept := range_table(of_range):
        more["range"] = kept
    return parameters_of(version.notes, more)


def seconds(time: float | None) -> int | None:
    """Return the second of a time that a commit can have, None for any other one."""
    return math.floor(time) if time is not None and 0 <= time < TIME_LIMIT else None


def stamp(name: str) -> int:
    """Return the second of a record of a history, by its name; 0 where it tells none."""
    try:
        return seconds(float(name)) or 0
    except ValueError:
        return 0


def time_of(version: DcsVersion) -> int | None:
    """Return when a version was made, else when its history begins; None where the file does not say."""
    known = seconds(version.tsprod)
    return known if known is not None else min(filter(None, map(stamp, version.notes.history)), default=None)


def author_of(notes: Notes) -> tuple[str, str] | None:
    """Return name and e-mail address of who made a version; None where the file does not say."""
    written = notes.parameters.get(f"{MARK}author")
    if isinstance(written, str) and written:
        name, _, email = written.partition(" <")
        return name, email.removesuffix(">")
    for key in ("author", "user", "login"):
        person = notes.parameters.get(key)
        if isinstance(person, str) and person.strip():
            return person.strip(), ""
    return None


def comment_of(notes: Notes, otherwise: str) -> str:
    """Return what the history of a version says as a comment: the first entry, then the others."""
    texts = [text for _, text in sorted(notes.history.items()) if text.strip()]
    if len(texts) < 2:
        return texts[0] if texts else otherwise
    return f"{texts[0]}\n\n" + "\n".join(texts[1:])


def origin_of(notes: Notes, source: str) -> Origin:
    """Return where the data of a version were taken, as far as the file says so in a form that is known."""
    given = notes.parameters
    try:
        experiment = parse_experiment(str(given.get("experiment", "")))
    except CalibvcsError:
        experiment = ""
    run, run_end = (value if isinstance(value := given.get(key), int) and value >= 0 else None for key in _RUNS)
    named = given.get("source")
    if not isinstance(named, str):  # a file of ours says where the data come from, or that nobody knows
        named = "" if f"{MARK}commit" in given else source
    return Origin(experiment, run, run_end, named)


def provenance_of(notes: Notes) -> Provenance:
    """Return how a version came about, where calibvcs had written that into the file."""
    texts = {key: own_text(notes, key) for key in ("software", "user", "host")}
    command, inputs = (from_json(own_text(notes, f"{key}{STRUCTURED}")) for key in ("command", "inputs"))
    rows = [row for row in inputs if isinstance(row, dict)] if isinstance(inputs, list) else []
    files = tuple(
        InputFile(str(row.get("path", "")), size if isinstance(size := row.get("size"), int) else 0, str(row["sha256"]))
        for row in rows
        if "sha256" in row
    )
    words = tuple(map(str, command)) if isinstance(command, list) else ()
    return Provenance(words, texts["software"], texts["user"], texts["host"], files)


def unit_of(notes: Notes) -> tuple[str, str]:
    """Return unit and convention, "" where the file does not say."""
    return own_text(notes, "unit"), own_text(notes, "convention")
