"""``access.toml`` is read strictly: every mistake is an error that names the key."""

import re

import pytest

from calibvcs.errors import InvalidDocumentError
from calibvcs.formats.toml import access_toml
from calibvcs.model.access import DEFAULT_RULES, Access, Limits, Rule, Signing, Verb

WHOLE = b"""
may_push_for_others = ["@robots", "root"]
[groups]
robots = ["ci"]
admins = ["root"]
[people]
ada = ["ada@lab.org", "Ada Lovelace"]
[limits]
file_bytes = 1000
commits = 5
[[rules]]
who = ["*"]
may = ["read"]
[[rules]]
who = ["@robots", "ada"]
may = ["write", "tag"]
path = "opal1000/*"
branch = "main"
[[rules]]
who = ["@admins"]
may = ["admin"]
"""


def test_a_whole_file_is_read() -> None:
    access = access_toml.decode(WHOLE)
    assert access.groups == {"experts": (), "admins": ("root",), "robots": ("ci",)}
    assert access.people == {"ada": ("ada@lab.org", "Ada Lovelace")}
    assert access.rules[1] == Rule(("@robots", "ada"), (Verb.WRITE, Verb.TAG), "opal1000/*", "main")
    assert access.for_others == ("@robots", "root")
    assert access.limits == Limits(file_bytes=1000, commits=5)


def test_what_is_not_said_is_as_by_default() -> None:
    assert access_toml.decode(b"") == Access()
    filled = access_toml.decode(b'[groups]\nexperts = ["ada"]\n')
    assert filled.rules == DEFAULT_RULES
    assert filled.decide("ada", Verb.WRITE, "x", "main").allowed
    assert access_toml.decode(b"may_push_for_others = []\n").for_others == ()


@pytest.mark.parametrize("access", [access_toml.decode(WHOLE), Access({"experts": ("ada",), "admins": ("root",)})])
def test_what_is_written_is_read_again(access: Access) -> None:
    assert access_toml.decode(access_toml.encode(access)) == access


def test_comments_survive_a_change() -> None:
    before = b'# who is who\n[groups]\nexperts = ["ada"] # knows all\n'
    after = access_toml.encode(Access({"experts": ("ada",), "admins": ("root",)}), before)
    assert b"# who is who" in after
    assert access_toml.decode(after).groups["admins"] == ("root",)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[group]\nx = []", "group is no key that is known; known are groups, people"),
        ("rules = 3", "rules is 3; expected is an array of tables"),
        ("rules = []", "rules is empty"),
        ("[[rules]]\nwho = ['*']", r"rules\[0\].may is \[\]; expected is a list of read, propose, write, tag, admin"),
        ("[[rules]]\nmay = ['read']", r"rules\[0\].who is \[\]; expected is a list of users"),
        ("[[rules]]\nwho = ['*']\nmay = ['read']\n[[rules]]\nwho = 'ada'\nmay = ['read']", r"rules\[1\].who is 'ada'"),
        ("[[rules]]\nwho = ['*']\nmay = ['rite']", r"rules\[0\].may is \['rite'\]"),
        ("[[rules]]\nwho = ['*']\nmay = ['read']\npaths = 'x'", r"rules\[0\].paths is no key that is known"),
        ("[[rules]]\nwho = ['*']\nmay = ['read']\npath = 'a/../b'", r"rules\[0\].path: 'a/../b' is not a pattern"),
        ("[[rules]]\nwho = ['*']\nmay = ['read']\nbranch = 'a b'", r"rules\[0\].branch: 'a b' is not a pattern"),
        (
            "[[rules]]\nwho = ['@exports']\nmay = ['read']",
            r"rules\[0\].who: there is no group @exports; groups: @admins",
        ),
        ("[[rules]]\nwho = ['a b']\nmay = ['read']", r"rules\[0\].who: 'a b' is not a name of a user"),
        ("may_push_for_others = ['@x']", "may_push_for_others: there is no group @x"),
        ("[groups]\nExperts = []", "groups.Experts: a group is named with"),
        ("[groups]\nexperts = ['@admins']", "groups.experts: '@admins' is not a name of a user"),
        ("[groups]\nexperts = 'ada'", "groups.experts is 'ada'; expected is a list of text"),
        ("[people]\nada = []", r"people.ada is \[\]; expected is e-mail addresses and names"),
        ("[people]\n'@x' = ['a']", "people.@x: '@x' is not a name of a user"),
        ("[people]\nada = [' ']", "people.ada is"),
        ("[limits]\nfile_bytes = 0", "limits.file_bytes is 0; expected is a whole number of 1 or more"),
        ("[limits]\nfile_bytes = true", "limits.file_bytes is True"),
        ("[limits]\nbytes = 1", "limits.bytes is no key that is known"),
        ("[groups]\na = [\nb = 1\n", r"no valid TOML: .*\(at line 3"),
        ("[[rules]]\n" * 1001, "there are 1001 rules; at most 1000 are read"),
    ],
)
def test_a_mistake_is_told_by_its_name(text: str, reason: str) -> None:
    with pytest.raises(InvalidDocumentError, match=reason) as raised:
        access_toml.decode(text.encode())
    assert raised.value.path == ".calibvcs/access.toml"


KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIN6q0m0"
SIGNED = f"""
[signatures]
demanded = ["commits", "tags"]
[signatures.keys]
ada = ["{KEY} ada@laptop"]
"""


def test_what_has_to_be_signed_and_by_which_keys() -> None:
    access = access_toml.decode(SIGNED.encode())
    assert access.signing == Signing(("commits", "tags"), {"ada": (KEY,)})
    assert access_toml.decode(access_toml.encode(access)) == access
    assert b"signatures" not in access_toml.encode(Access())


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('[signatures]\ndemanded = ["pushes"]', "commits and tags"),
        ('[signatures]\ndemanded = ["tags"]', "keys is empty"),
        ('[signatures]\nwanted = ["tags"]', "signatures.wanted is no key that is known"),
        ("[signatures.keys]\nada = []", "one at least"),
        ('[signatures.keys]\nada = ["secret"]', "signatures.keys: "),
        (f'[signatures.keys]\n"*" = ["{KEY}"]', "signatures.keys: "),
        (f'[signatures.keys]\n"ada,bob" = ["{KEY}"]', "signatures.keys: "),
        (f'[signatures.keys]\nada = ["{KEY}\\nroot {KEY}"]', None),
    ],
)
def test_keys_are_read_strictly(text: str, reason: str | None) -> None:
    if reason is None:  # what follows the key is a comment: it never becomes a line of its own
        assert access_toml.decode(text.encode()).signing.keys == {"ada": (KEY,)}
        return
    with pytest.raises(InvalidDocumentError, match=re.escape(reason)):
        access_toml.decode(text.encode())
