"""``.calibvcs/access.toml``: groups, people, rules and limits. It is read strictly: what is not known is an error."""

from __future__ import annotations

import re
from dataclasses import fields
from typing import TYPE_CHECKING

from calibvcs.errors import CalibvcsError, InvalidDocumentError
from calibvcs.formats.toml import toml_document
from calibvcs.model.access import (
    ADMINS,
    ANY,
    DEFAULT_RULES,
    EVERYBODY,
    EXPERTS,
    GROUP,
    SIGNED_COMMITS,
    SIGNED_TAGS,
    Access,
    Limits,
    Rule,
    Signing,
    Verb,
    parse_pattern,
    parse_public_key,
    parse_signer,
    parse_user,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from calibvcs.formats.toml.toml_document import Table

ACCESS_FILE = ".calibvcs/access.toml"

_GROUP_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")
_GROUP_RULE = "a-z, 0-9, _ . and -, beginning with a letter or digit, at most 64 characters"
_KEYS = ("groups", "people", "rules", "may_push_for_others", "limits", "signatures")
_RULE_KEYS = ("who", "may", "path", "branch")
_MOST_RULES = 1000


def decode(data: bytes, path: str = ACCESS_FILE) -> Access:
    """Read who may change what.

    Where there is no ``rules``, the rules by default hold; where there is no ``may_push_for_others``, the group
    ``admins`` may.

    Parameters
    ----------
    data : bytes
        Content of the file.
    path : str, optional
        Its path, for messages.

    Returns
    -------
    Access
        What it says.

    Raises
    ------
    InvalidDocumentError
        If the file is no valid TOML, has a key that is not known, names a group that it does not have, or a rule breaks
        the grammar; the key is named.
    """
    table = toml_document.read(data, path)
    _only(table, "", _KEYS)
    groups = {EXPERTS: (), ADMINS: (), **_groups(table.table("groups"))}
    people = table.table("people")
    rows = table.tables("rules")
    if len(rows) > _MOST_RULES:
        raise InvalidDocumentError(path, f"there are {len(rows)} rules; at most {_MOST_RULES} are read")
    rules = tuple(_rule(row, f"rules[{number}]", groups) for number, row in enumerate(rows))
    if "rules" in table and not rules:
        raise InvalidDocumentError(path, "rules is empty; leave it out for the rules by default")
    given = "may_push_for_others"
    others = _who(table, given, given, groups) if given in table else (f"{GROUP}{ADMINS}",)
    return Access(
        groups,
        {_user(people, name, f"people.{name}"): _people(people, name) for name in people},
        rules or DEFAULT_RULES,
        others,
        _limits(table.table("limits")),
        _signing(table.table("signatures")),
    )


def encode(access: Access, previous: bytes | None = None) -> bytes:
    """Return the file; comments of the previous one are kept, and what is as by default is left out."""
    plain = Access()
    values: dict[str, object] = {
        "groups": {name: list(users) for name, users in access.groups.items()},
        "people": {name: list(entries) for name, entries in access.people.items()},
        "may_push_for_others": list(access.for_others) if access.for_others != plain.for_others else [],
        "limits": {
            each.name: getattr(access.limits, each.name)
            for each in fields(Limits)
            if getattr(access.limits, each.name) != getattr(plain.limits, each.name)
        },
    }
    if access.signing != plain.signing:
        keys = {user: list(known) for user, known in access.signing.keys.items()}
        values["signatures"] = {"demanded": list(access.signing.demanded), "keys": keys}
    if access.rules != DEFAULT_RULES:
        values["rules"] = [
            {
                "who": list(rule.who),
                "may": [verb.value for verb in rule.may],
                "path": rule.path if rule.path != ANY else None,
                "branch": rule.branch if rule.branch != ANY else None,
            }
            for rule in access.rules
        ]
    return toml_document.write(values, previous)


def _only(table: Table, where: str, known: Iterable[str]) -> None:
    for key in table:
        if key not in known:
            name = f"{where}.{key}" if where else key
            raise InvalidDocumentError(table.path, f"{name} is no key that is known; known are {', '.join(known)}")


def _groups(table: Table) -> dict[str, tuple[str, ...]]:
    found = {}
    for name in table:
        if not _GROUP_NAME.fullmatch(name):
            raise InvalidDocumentError(table.path, f"groups.{name}: a group is named with {_GROUP_RULE}")
        found[name] = tuple(_user(table, user, f"groups.{name}") for user in table.texts(name))
    return found


def _user(table: Table, user: str, where: str) -> str:
    try:
        return parse_user(user)
    except CalibvcsError as error:
        raise InvalidDocumentError(table.path, f"{where}: {error.problem}") from None


def _people(table: Table, name: str) -> tuple[str, ...]:
    entries = table.texts(name)
    if not entries or not all(entry.strip() == entry != "" and entry.isprintable() for entry in entries):
        raise table.wrong(name, "e-mail addresses and names, one at least", list(entries))
    return entries


def _rule(table: Table, where: str, groups: dict[str, tuple[str, ...]]) -> Rule:
    _only(table, where, _RULE_KEYS)
    verbs = table.texts("may")
    known = [verb.value for verb in Verb]
    if not verbs or any(verb not in known for verb in verbs):
        raise table.wrong("may", f"a list of {', '.join(known)}, one at least", list(verbs))
    return Rule(
        _who(table, "who", f"{where}.who", groups),
        tuple(map(Verb, verbs)),
        table.parsed("path", parse_pattern, ANY),
        table.parsed("branch", parse_pattern, ANY),
    )


def _who(table: Table, key: str, where: str, groups: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    names = table.texts(key)
    if not names and where != key:
        raise table.wrong(key, f"a list of users, {GROUP}GROUP and '{EVERYBODY}', one at least", list(names))
    for name in names:
        if name.startswith(GROUP) and name[1:] not in groups:
            known = ", ".join(f"{GROUP}{group}" for group in sorted(groups))
            raise InvalidDocumentError(table.path, f"{where}: there is no group {name}; groups: {known}")
        if not name.startswith(GROUP) and name != EVERYBODY:
            _user(table, name, where)
    return names


def _signing(table: Table) -> Signing:
    _only(table, "signatures", ("demanded", "keys"))
    demanded, known = table.texts("demanded"), (SIGNED_COMMITS, SIGNED_TAGS)
    if not set(demanded) <= set(known):
        raise table.wrong("demanded", f"a list of {' and '.join(known)}", list(demanded))
    keys = table.table("keys")
    found = {_parsed(keys, parse_signer, name): _keys(keys, name) for name in keys}
    if demanded and not found:
        raise InvalidDocumentError(table.path, "signatures.keys is empty: with no key known, nothing could be signed")
    return Signing(demanded, found)


def _keys(table: Table, name: str) -> tuple[str, ...]:
    keys = table.texts(name)
    if not keys:
        raise table.wrong(name, "a list of public keys, one at least", list(keys))
    return tuple(_parsed(table, parse_public_key, key) for key in keys)


def _parsed(table: Table, parse: Callable[[str], str], text: str) -> str:
    try:
        return parse(text)
    except CalibvcsError as error:
        raise InvalidDocumentError(table.path, f"signatures.keys: {error.problem}") from None


def _limits(table: Table) -> Limits:
    plain = Limits()
    _only(table, "limits", [each.name for each in fields(Limits)])
    values = {}
    for each in fields(Limits):
        value = table.integer(each.name, getattr(plain, each.name))
        if value is None or value < 1:
            raise table.wrong(each.name, "a whole number of 1 or more", value)
        values[each.name] = value
    return Limits(values["file_bytes"], values["push_bytes"], values["commits"], values["files"])
