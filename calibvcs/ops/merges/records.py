"""Merging what stands beside the constants: aliases name by name, runs row by row, records entry by entry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from calibvcs.errors import InvalidDocumentError
from calibvcs.formats.toml import aliases_toml, ctype_toml, detector_toml, runs_toml, toml_entries, toml_rows
from calibvcs.formats.toml.toml_entries import Leaf
from calibvcs.model.layout import ALIASES_FILE
from calibvcs.model.three_way import Conflict, Judge, Side, merge_keyed, pick
from calibvcs.model.times import RunName
from calibvcs.model.validity import Validity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from calibvcs.formats.toml.toml_rows import Row
    from calibvcs.model.names import DetectorName

AliasKey: TypeAlias = tuple[str, str, str, int]
"""The row of an alias: path of its table, alias, detector, begin."""

_ALIASES, _RUNS = "aliases", "runs"


class Contents(NamedTuple):
    """A file where the histories parted, and on each side; None where it is not there."""

    base: bytes | None
    ours: bytes | None
    theirs: bytes | None


def merge_detector(path: str, name: DetectorName, given: Contents, judge: Judge) -> bytes:
    """Merge the record of a detector entry by entry.

    Parameters
    ----------
    path : str
        Its path.
    name : DetectorName
        The detector.
    given : Contents
        The three files; ours and theirs are there.
    judge : Judge
        Settles conflicts.

    Returns
    -------
    bytes
        The new file.

    Raises
    ------
    InvalidDocumentError
        If it has to be merged as a whole: one of the files is broken, or a comment would be lost.
    """
    return _merge_entries(path, str(name), given, judge, "detector", lambda data: detector_toml.decode(data, name))


def merge_ctype(path: str, owner: str, given: Contents, judge: Judge) -> bytes:
    """Merge the parameters of a ctype, ``DET/CTYPE``, entry by entry. The rest is as for `merge_detector`."""
    return _merge_entries(path, owner, given, judge, "detector", lambda data: ctype_toml.decode(data, path))


def merge_runs(path: str, experiment: str, given: Contents, judge: Judge) -> bytes:
    """Merge the run table of an experiment run by run. Parameters and errors are those of `merge_detector`."""
    heads, rows = zip(*(toml_rows.read(data or b"", path, _RUNS) for data in given), strict=True)
    for data in filter(None, given):
        runs_toml.decode(data, experiment)
    tables = [{row.values["run"]: row for row in side} for side in rows]
    head = _merge_entries(path, experiment, Contents(*heads), judge, "experiment", None)

    def settle(run: int) -> Side:
        said = (str(table[run]) if run in table else "" for table in tables)
        return judge.side(Conflict("run", str(RunName(experiment, run)), (path,), *said))

    base, ours, theirs = tables
    merged = _with_comments(base, ours, theirs, merge_keyed(base, ours, theirs, settle))
    data = toml_rows.write(head, [merged[run] for run in sorted(merged)])
    _keep_comments(path, given, data, judge)
    runs_toml.decode(data, experiment)
    return data


def merge_aliases(tables: Mapping[str, Contents], judge: Judge) -> dict[str, bytes]:
    """Merge alias tables. All rows of an alias belong together, in whatever table: at one time it means one detector.

    Parameters
    ----------
    tables : mapping of path to Contents
        The three files of every alias table that differs.
    judge : Judge
        Settles conflicts: one for each alias, where both sides changed the same row, or where rows of both overlap.

    Returns
    -------
    dict of path to bytes
        The new files.

    Raises
    ------
    InvalidDocumentError
        If they have to be merged as a whole: one of the files is broken, or a comment would be lost.
    """
    heads: dict[str, bytes] = {}
    sides: list[dict[AliasKey, Row]] = [{}, {}, {}]
    for path, given in tables.items():
        cut = [toml_rows.read(data or b"", path, _ALIASES) for data in given]
        for data, rows, side in zip(given, (rows for _, rows in cut), sides, strict=True):
            aliases_toml.decode(data or b"", path.removesuffix(f"/{ALIASES_FILE}"))
            found = {_key(path, row): row for row in rows}
            if len(found) < len(rows):
                raise InvalidDocumentError(path, "two rows have the same alias, detector and begin")
            side.update(found)
        heads[path] = _merge_entries(path, path, Contents(*(head for head, _ in cut)), judge, "file", None)
    merged: dict[AliasKey, Row] = {}
    for alias in sorted({key[1] for side in sides for key in side}):
        base, ours, theirs = ({key: side[key] for key in side if key[1] == alias} for side in sides)
        merged |= _merge_alias(alias, base, ours, theirs, judge)
    outcome = {
        path: toml_rows.write(heads[path], [merged[key] for key in sorted(merged, key=_order) if key[0] == path])
        for path in tables
    }
    for path, data in outcome.items():
        _keep_comments(path, tables[path], data, judge)
    return outcome


def alias_rows(tables: Mapping[str, bytes], alias: str) -> str:
    """Return all rows of an alias as text; `tables` are the alias tables by their path."""
    found = {_key(path, row): row for path, data in tables.items() for row in toml_rows.read(data, path, _ALIASES)[1]}
    return _said(row for key, row in sorted(found.items()) if key[1] == alias)


def run_row(data: bytes, path: str, run: int) -> str:
    """Return a row of a run table as text; empty where it is not there."""
    return _said(row for row in toml_rows.read(data, path, _RUNS)[1] if row.values.get("run") == run)


def entry(data: bytes, path: str, name: str) -> str:
    """Return an entry of a record as text; empty where it is not there."""
    return next((str(leaf) for keys, leaf in toml_entries.read(data, path).items() if ".".join(keys) == name), "")


def _merge_alias(
    alias: str,
    base: Mapping[AliasKey, Row],
    ours: Mapping[AliasKey, Row],
    theirs: Mapping[AliasKey, Row],
    judge: Judge,
) -> dict[AliasKey, Row]:
    """Merge the rows of one alias; in a conflict, all of them come from one side."""
    unsettled: list[AliasKey] = []

    def settle(key: AliasKey) -> Side:
        unsettled.append(key)
        return Side.OURS

    merged = _with_comments(base, ours, theirs, merge_keyed(base, ours, theirs, settle))
    clashes = _overlaps(merged) - _overlaps(ours) - _overlaps(theirs)
    if not unsettled and not clashes:
        return merged
    paths = tuple(sorted({key[0] for side in (base, ours, theirs) for key in side}))
    said = (_said(row for _, row in sorted(side.items())) for side in (base, ours, theirs))
    chosen = judge.side(Conflict("alias", f"alias:{alias}", paths, *said))
    return dict(ours if chosen is Side.OURS else theirs)


def _overlaps(rows: Mapping[AliasKey, Row]) -> set[tuple[AliasKey, AliasKey]]:
    spans = sorted(((Validity(key[3], row.values.get("end")), key) for key, row in rows.items()), key=_by_begin)
    found = set()
    for place, (first, a) in enumerate(spans):
        for second, b in spans[place + 1 :]:
            if not first.overlaps(second):
                break
            found.add((min(a, b), max(a, b)))
    return found


def _by_begin(span: tuple[Validity, AliasKey]) -> tuple[int, AliasKey]:
    return span[0].begin, span[1]


def _merge_entries(
    path: str, owner: str, given: Contents, judge: Judge, kind: Any, check: Callable[[bytes], object] | None
) -> bytes:
    """Merge a document entry by entry; `owner` stands before the names of its entries."""
    for data in given:
        if check and data is not None:
            check(data)
    if given.theirs in (given.ours, given.base) or given.ours == given.base:
        return (given.theirs if given.ours == given.base else given.ours) or b""
    base, ours, theirs = (toml_entries.read(data or b"", path) for data in given)
    toml_entries.check_together(path, ours, theirs)
    if given.base is None and kind == "detector":
        _agree_on_creation(ours, theirs)

    def settle(keys: tuple[str, ...]) -> Side:
        said = (str(side[keys]) if keys in side else "" for side in (base, ours, theirs))
        return judge.side(Conflict(kind, f"{owner}:{'.'.join(keys)}", (path,), *said))

    merged = merge_keyed(base, ours, theirs, settle)
    written = [_written(path, merged, previous, given, judge) for previous in (given.ours, given.theirs)]
    sound = [data for data in written if data is not None]
    if not sound:
        raise InvalidDocumentError(path, "a comment would be lost")
    return min(sound)  # the same, whoever merges


def _written(
    path: str, entries: Mapping[tuple[str, ...], Leaf], previous: bytes | None, given: Contents, judge: Judge
) -> bytes | None:
    """Return a document in the form of one of the sides; None where that loses comments, or cannot be done."""
    try:
        data = toml_entries.write(entries, previous or b"", path)
        _keep_comments(path, given, data, judge)
    except InvalidDocumentError:
        return None
    return data


def _agree_on_creation(ours: dict[tuple[str, ...], Leaf], theirs: dict[tuple[str, ...], Leaf]) -> None:
    """Where both sides registered a detector, it was the earlier one that created it."""
    key = ("created",)
    times = [side[key].value for side in (ours, theirs) if key in side]
    if len(times) == 2 and all(isinstance(time, str) and time.endswith("Z") for time in times):
        ours[key] = theirs[key] = Leaf(min(times))


def _with_comments(
    base: Mapping[Any, Row], ours: Mapping[Any, Row], theirs: Mapping[Any, Row], merged: Mapping[Any, Row]
) -> dict[Any, Row]:
    """Where all sides say the same, take the one that wrote it anew, with another comment."""
    rows = dict(merged)
    for key, row in rows.items():
        texts = [side[key].text if key in side and side[key] == row else None for side in (base, ours, theirs)]
        if None not in texts[1:] and pick(*texts) is Side.THEIRS:
            rows[key] = theirs[key]
    return rows


def _keep_comments(path: str, given: Contents, outcome: bytes, judge: Judge) -> None:
    """Refuse to merge part by part where that would lose what people wrote beside the values."""
    for side in () if judge.disputed(path) else (given.ours, given.theirs):
        if _comments(side) - _comments(given.base) - _comments(outcome):
            raise InvalidDocumentError(path, "a comment would be lost")


def _comments(data: bytes | None) -> set[str]:
    return {line.strip() for line in (data or b"").decode().splitlines() if "#" in line}


def _key(path: str, row: Row) -> AliasKey:
    return path, row.values["alias"], row.values["detector"], row.values.get("begin", 0)


def _order(key: AliasKey) -> tuple[str, int, str]:
    return key[1], key[3], key[2]


def _said(rows: Iterable[Row]) -> str:
    return "; ".join(map(str, rows))
