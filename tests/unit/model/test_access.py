"""Rules of access: what a pattern matches, who is meant, which rule decides, and whose signature it is."""

import pytest

from calibvcs.errors import InvalidNameError
from calibvcs.model.access import DEFAULT_RULES, Access, Rule, Verb, matches, parse_pattern, parse_user

RULES = Access(
    {"experts": ("ada",), "admins": ("root",), "opal": ("lena", "ada")},
    {"ada": ("ada@lab.org", "Ada Lovelace"), "lena": ("Lena",), "root": ("root@lab.org", "ops@lab.org")},
    (
        Rule(("*",), (Verb.READ, Verb.PROPOSE)),
        Rule(("@experts",), (Verb.WRITE,), branch="main"),
        Rule(("@opal", "max"), (Verb.WRITE, Verb.TAG), "opal1000/*/pedestals", "cxi/*"),
        Rule(("@admins",), (Verb.ADMIN,)),
    ),
)


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("**", "", True), ("*", "", True), ("**/*", "", True), ("a", "", False), ("a*", "", False), ("a/**", "", False),
        ("**", "a/b/c", True), ("*", "a/b/c", True), ("a", "a", True), ("a", "a/b/c", True), ("a", "ab", False),
        ("a/b", "a", False), ("a/*/c", "a/b/c", True), ("a/*/c", "a/b/c/d", True), ("a/*/c", "a/b/d/c", False),
        ("a/**/c", "a/c", True), ("a/**/c", "a/b/d/c", True), ("a/**/c", "a/b/d", False), ("a-*", "a-1/x", True),
        ("a-*", "a/1", False), ("a.b", "axb", False), ("*.toml", "x.toml", True), ("a*b*c", "a-b-c", True),
        ("cxi/*", "cxi", False), ("cxi/*", "cxi/2026", True), ("a", "b/a", False), ("a", "A", False), ("a", "a\nb", False),
    ],
)  # fmt: skip
def test_a_pattern_matches_names_and_all_that_is_in_a_folder(pattern: str, path: str, expected: bool) -> None:
    assert matches(parse_pattern(pattern), path) is expected


@pytest.mark.parametrize(
    "pattern", ["", "/a", "a/", "a//b", "a/../b", ".", "a**", "**/**/**", "a*b*c*d*e", "a b", "a?", "x" * 201, "[a]"]
)
def test_a_pattern_that_is_none_is_refused(pattern: str) -> None:
    with pytest.raises(InvalidNameError, match="pattern"):
        parse_pattern(pattern)


@pytest.mark.parametrize("user", ["", "@experts", "*", "a b", "a\n", "a\0b", "x" * 201, "\x1b[2J"])
def test_a_user_that_could_be_taken_for_something_else_is_refused(user: str) -> None:
    with pytest.raises(InvalidNameError):
        parse_user(user)


@pytest.mark.parametrize("user", ["ada", "ada@lab.org", "CN=Ada,O=Lab", "Åda", "a.b-c_d"])
def test_names_as_servers_give_them_are_taken(user: str) -> None:
    assert parse_user(user) == user


@pytest.mark.parametrize(
    ("user", "verb", "path", "branch", "rule"),
    [
        ("ada", "write", "opal1000/opal1000-1/gain", "main", 2), ("ada", "write", "x", "cxi/1", 0),
        ("ada", "write", "opal1000/opal1000-1/pedestals/0-end/data.npy", "cxi/1", 3), ("max", "write", "x", "cxi/1", 0),
        ("max", "write", "opal1000/opal1000-1/pedestals", "main", 0), ("max", "tag", "opal1000/a/pedestals", "cxi/1", 3),
        ("max", "tag", "", "cxi/1", 0), ("nobody", "read", "", "main", 1), ("", "propose", "x", "main", 1),
        ("nobody", "write", "x", "main", 0), ("", "write", "x", "main", 0), ("experts", "write", "x", "main", 0),
        ("root", "write", "x", "main", 0), ("root", "write", ".calibvcs/access.toml", "main", 4),
        ("ada", "write", ".calibvcs/access.toml", "main", 0), ("ada", "propose", ".gitattributes", "main", 0),
        ("root", "propose", ".gitattributes", "main", 4), ("lena", "write", None, "cxi/1", 3), ("lena", "write", None, "main", 0),
    ],
)  # fmt: skip
def test_a_decision_names_the_rule(user: str, verb: str, path: str | None, branch: str, rule: int) -> None:
    decision = RULES.decide(user, Verb(verb), path, branch)
    assert decision.allowed is (rule > 0)
    assert decision.rule.startswith(f"rule {rule}: ") if rule else not decision.rule
    assert (f"by rule {rule}: " in str(decision)) is (rule > 0)


def test_a_denial_tells_whom_the_rules_allow_it() -> None:
    text = str(RULES.decide("max", Verb.WRITE, "a/b", "main"))
    assert text == "no rule lets max write a/b on branch main (rule 2: @experts may write on branch main)"
    alone = Access(rules=(Rule(("*",), (Verb.READ,)),)).decide("ada", Verb.TAG, "", "main")
    assert str(alone) == "no rule lets ada tag the whole repository on branch main (nobody may)"


def test_a_rule_is_read_aloud() -> None:
    assert str(RULES.rules[2]) == "@opal, max may write, tag in opal1000/*/pedestals on branch cxi/*"
    assert str(DEFAULT_RULES[0]) == "everybody may read, propose"


@pytest.mark.parametrize(
    ("user", "name", "email", "own"),
    [
        ("ada", "Ada Lovelace", "ada@lab.org", True), ("ada", "Ada Lovelace", "ADA@Lab.org", True),
        ("ada", "Ada", "ada@lab.org", False), ("ada", "Ada Lovelace", "ada@home.org", False),
        ("lena", "Lena", "anything@x.org", True), ("lena", "lena", "lena@x.org", False),
        ("root", "Whoever", "ops@lab.org", True), ("root", "Root", "root@other.org", False),
        ("max", "Max", "max@any.org", True), ("max", "Max", "MAX@any.org", True), ("max", "Max", "maxim@any.org", False),
        ("max", "Max", "max", True), ("max@lab.org", "Max", "max@lab.org", True), ("max@lab.org", "Max", "max@x.org", False),
        ("max", "max", "", False), ("", "", "", False), ("", "x", "@", False), ("", "x", "@lab.org", False),
    ],
)  # fmt: skip
def test_a_signature_is_held_against_who_pushes(user: str, name: str, email: str, own: bool) -> None:
    assert (RULES.disowned(user, name, email) == "") is own


def test_the_rules_by_default_let_everybody_propose_and_experts_write() -> None:
    access = Access({"experts": ("ada",), "admins": ("root",)})
    assert access.decide("guest", Verb.PROPOSE, "a", "main").allowed
    assert not access.decide("guest", Verb.WRITE, "a", "main").allowed
    assert access.decide("ada", Verb.WRITE, "a", "main").allowed
    assert not access.decide("ada", Verb.WRITE, ".calibvcs/access.toml", "main").allowed
    assert access.decide("root", Verb.WRITE, ".calibvcs/access.toml", "main").allowed
    assert (access.may_push_for_others("root"), access.may_push_for_others("ada")) == (True, False)


def test_who_made_a_repository_may_all_until_the_file_names_anybody() -> None:
    begun = Access().begun_by(("grace",))
    assert all(begun.decide("grace", verb, "a", "main").allowed for verb in Verb)
    assert begun.may_push_for_others("grace")
    assert not begun.decide("ada", Verb.WRITE, "a", "main").allowed
    assert Access().begun_by(()) == Access()
    for named in (Access({"experts": ("ada",), "admins": ()}), Access(rules=RULES.rules)):
        assert named.begun_by(("grace",)) == named
