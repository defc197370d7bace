"""The journal of a repository: what every commit did to which constant, so that nobody has to walk its history.

Commits stand in it oldest first, each behind those it was made on. A commit is *closed* where exactly those before it
led to it; from a closed one on, a history can be continued without a look at what lies before. Numbers are only ever
added behind the last one, but where a merge brings older commits in: then those since the last closed commit are
written anew, and a generation begins, in which the numbers of the one before mean nothing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from calibvcs.model.commits import Commit, Signature

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from calibvcs.store.derived import DerivedData

_COMMIT = (
    "c.id, c.tree, c.parents, c.author, c.author_email, c.author_time, c.author_offset,"
    " c.committer, c.committer_email, c.committer_time, c.committer_offset, c.text"
)
_COLUMNS = _COMMIT.replace("c.", "")
_MARKS = ",".join("?" * (4 + _COLUMNS.count(",") + 1))
_AT_ONCE = 500


class JournalGoneError(Exception):
    """The journal was taken away, or written anew, while it was read."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a closed commit stands in the journal: its number, counted from 1, and the generation that this is of."""

    number: int
    generation: int


@dataclass(frozen=True, slots=True)
class Touch:
    """What became of one constant in one commit.

    Attributes
    ----------
    constant : str
        Its name.
    version : int
        Number of the version that was the default afterwards; 0 for none.
    commit : str
        Id of the commit that added that version; empty for none.
    added : bool
        Whether this commit added it.
    """

    constant: str
    version: int
    commit: str
    added: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One commit in the journal.

    Attributes
    ----------
    commit : Commit
        The commit.
    closed : bool
        Whether all commits before it in the journal led to it.
    action : str or None
        What it did.
    versions : tuple of tuple
        The constants it names, each with its default version afterwards (``v2``; empty for none).
    touches : tuple of Touch
        What became of constants, named or not.
    records : tuple of str
        Other files that it changed, where it changed no constant.
    """

    commit: Commit
    closed: bool
    action: str | None
    versions: tuple[tuple[str, str], ...]
    touches: tuple[Touch, ...] = ()
    records: tuple[str, ...] = ()


class Journal:
    """The journal up to one place.

    Parameters
    ----------
    derived : DerivedData
        Where it is kept.
    place : Place
        The last commit to be looked at.

    Raises
    ------
    JournalGoneError
        By each method, if the journal is not what it was when the place was found.
    """

    def __init__(self, derived: DerivedData, place: Place) -> None:
        self._derived = derived
        self.place = place

    def versions(self, constant: str) -> list[tuple[int, Commit]]:
        """Return number and commit of every version of a constant, v1 first."""
        rows = self._query(
            f"SELECT t.number, {_COMMIT} FROM touches t JOIN commits c ON c.n = t.n"
            " WHERE t.constant = ? AND t.n <= ? AND t.added ORDER BY t.n",
            (constant, self.place.number),
        )
        return [(row[0], _commit(row[1:])) for row in rows]

    def standing(self, constant: str) -> tuple[int, tuple[int, Commit] | None]:
        """Return how many versions a constant has, and number and commit of its default; None where it has none."""
        rows = self._query(
            "SELECT (SELECT count(*) FROM touches WHERE constant = t.constant AND n <= t.n AND added),"
            f" t.number, {_COMMIT} FROM touches t LEFT JOIN commits c ON c.n = t.origin"
            " WHERE t.constant = ? AND t.n <= ? ORDER BY t.n DESC LIMIT 1",
            (constant, self.place.number),
        )
        if not rows:
            return 0, None
        count, number, *commit = rows[0]
        return count, (number, _commit(commit)) if number else None

    def defaults(self, constants: Sequence[str]) -> dict[str, tuple[int, str, str, int, str]]:
        """Return the default versions of many constants, as far as a list shows them.

        Returns
        -------
        dict of str to tuple
            By the name of the constant: number, commit id, author's name and time, and subject.
        """
        rows = self._query(
            "SELECT j.value, t.number, c.id, c.author, c.author_time, c.text FROM json_each(?) j"
            " JOIN touches t ON t.constant = j.value AND t.n ="
            " (SELECT max(n) FROM touches WHERE constant = j.value AND n <= ?)"
            " JOIN commits c ON c.n = t.origin",
            (json.dumps(constants), self.place.number),
        )
        return {row[0]: (*row[1:5], row[5].partition("\n")[0]) for row in rows}

    def lines(self, prefix: str | None, records: Sequence[str] = ()) -> Iterator[Line]:
        """Yield commits, newest first.

        Parameters
        ----------
        prefix : str or None
            Only those that name a constant whose name begins like this; None is all.
        records : sequence of str
            ... or that changed one of these other files.

        Yields
        ------
        Line
            Without touches and records.
        """
        select = f"SELECT c.n, c.closed, c.action, c.versions, {_COMMIT} FROM commits c"
        last = self.place.number + 1
        if prefix is None:
            where, arguments = "c.n < ?", tuple[str, ...]()
        else:
            marks = ",".join("?" * len(records))
            where = (
                "(c.n IN (SELECT n FROM touches WHERE constant >= ? AND constant < ? AND listed)"
                f" OR c.n IN (SELECT n FROM records WHERE path IN ({marks}))) AND c.n < ?"
            )
            arguments = (prefix, _behind(prefix), *records)
        while True:
            order = f" WHERE {where} ORDER BY c.n DESC LIMIT {_AT_ONCE}"
            rows = self._query(select + order, (*arguments, last))
            for _, closed, action, versions, *commit in rows:
                yield Line(_commit(commit), bool(closed), action, _read_versions(versions))
            if len(rows) < _AT_ONCE:
                return
            last = rows[-1][0]

    def _query(self, sql: str, arguments: Sequence[object]) -> list[Any]:
        rows = self._derived.query(sql, arguments, self.place.generation)
        if rows is None:
            raise JournalGoneError
        return rows


def find(derived: DerivedData, commit_id: str) -> Place | None:
    """Return where a commit stands; None where it is not in the journal, or not closed."""
    rows = derived.query("SELECT c.n, s.generation FROM commits c, state s WHERE c.id = ? AND c.closed", (commit_id,))
    return Place(*rows[0]) if rows else None


def extend(derived: DerivedData, base: Place | None, lines: Sequence[Line]) -> bool:
    """Write what follows on a place; what stood behind it is forgotten.

    Parameters
    ----------
    derived : DerivedData
        Where the journal is kept.
    base : Place or None
        The last commit before these; None for the begin.
    lines : sequence of Line
        Commits, oldest first.

    Returns
    -------
    bool
        False where it could not be written, or somebody else was faster.
    """
    written = False
    with derived.writing() as connection:
        if connection is None:
            return False
        number = base.number if base else 0
        generation, top = connection.execute("SELECT generation, (SELECT max(n) FROM commits) FROM state").fetchone()
        if base and base.generation != generation:
            return False
        if top and top > number:
            if top >= number + len(lines):
                return False
            for table in ("commits", "touches", "records"):
                connection.execute(f"DELETE FROM {table} WHERE n > ?", (number,))
            connection.execute("UPDATE state SET generation = generation + 1")
        known: dict[str, int] = {}
        for n, line in enumerate(lines, number + 1):
            known[line.commit.id] = n
            connection.execute(
                f"INSERT INTO commits (n, closed, action, versions, {_COLUMNS}) VALUES ({_MARKS})",
                (n, line.closed, line.action, _write_versions(line.versions), *_values(line.commit)),
            )
            named = {constant for constant, _ in line.versions}
            for touch in line.touches:
                origin = known.get(touch.commit) or _number(connection, touch.commit)
                values = (touch.constant, n, touch.version, origin, touch.added, touch.constant in named)
                connection.execute("INSERT OR REPLACE INTO touches VALUES (?,?,?,?,?,?)", values)
            connection.executemany("INSERT INTO records VALUES (?,?)", [(path, n) for path in line.records])
        written = True
    return written  # noqa: RET504 - what fails in the block above is swallowed


def _number(connection: Any, commit_id: str) -> int:
    found = connection.execute("SELECT n FROM commits WHERE id = ?", (commit_id,)).fetchone() if commit_id else None
    return found[0] if found else 0


def _behind(prefix: str) -> str:
    """Return a text behind all those that begin with a prefix; names are ASCII."""
    return prefix + "\x7f"


def _write_versions(versions: Sequence[tuple[str, str]]) -> str:
    return "\n".join(f"{constant}@{version}" for constant, version in versions)


def _read_versions(text: str) -> tuple[tuple[str, str], ...]:
    return tuple((constant, version) for constant, _, version in (line.rpartition("@") for line in text.splitlines()))


def _values(commit: Commit) -> tuple[object, ...]:
    people = [(who.name, who.email, who.time, who.offset) for who in (commit.author, commit.committer)]
    return (commit.id, commit.tree, " ".join(commit.parents), *people[0], *people[1], commit.text)


def _commit(row: Sequence[Any]) -> Commit:
    identity, tree, parents, *people, text = row
    return Commit(identity, tree, tuple(parents.split()), Signature(*people[:4]), Signature(*people[4:]), text)
