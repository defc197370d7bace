"""Who may change what: groups, rules, and the decision with the rule that made it.

Rules only allow; what no rule allows is denied, and their order does not matter. A rule allows some verbs to some
people for the paths and the branches that match its patterns. In a pattern ``*`` stands for any letters of one name and
``**`` for any number of names; a pattern that matches a folder matches all that is in it. No verb contains another one.
Whatever begins with a dot at the top of the tree (``.calibvcs/`` above all) is changed with the verb ``admin`` alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING

from calibvcs.errors import InvalidNameError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

EVERYBODY = "*"
GROUP = "@"
EXPERTS, ADMINS = "experts", "admins"
ANY = "**"

_PATTERN = re.compile(r"[A-Za-z0-9_.*-]+(?:/[A-Za-z0-9_.*-]+)*")
_LONGEST = 200
_MOST_STARS, _MOST_DOUBLE_STARS = 3, 2


class Verb(StrEnum):
    """What somebody may do."""

    READ = "read"
    PROPOSE = "propose"
    WRITE = "write"
    TAG = "tag"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: who may do what, where.

    Attributes
    ----------
    who : tuple of str
        Names of users, ``@GROUP``, or ``*`` for everybody.
    may : tuple of Verb
        What they may do.
    path, branch : str
        Patterns of the paths and the branches that it is for.
    """

    who: tuple[str, ...]
    may: tuple[Verb, ...]
    path: str = ANY
    branch: str = ANY

    def __str__(self) -> str:
        place = "" if self.path == ANY else f" in {self.path}"
        branch = "" if self.branch == ANY else f" on branch {self.branch}"
        who = ", ".join("everybody" if name == EVERYBODY else name for name in self.who)
        return f"{who} may {', '.join(self.may)}{place}{branch}"


DEFAULT_RULES = (
    Rule((EVERYBODY,), (Verb.READ, Verb.PROPOSE)),
    Rule((f"{GROUP}{EXPERTS}",), (Verb.WRITE, Verb.TAG)),
    Rule((f"{GROUP}{ADMINS}",), (Verb.WRITE, Verb.TAG, Verb.ADMIN)),
)
"""The rules of a repository that states none of its own."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a push may be.

    Attributes
    ----------
    file_bytes, push_bytes : int
        Largest file, and all new files of a push together, in bytes, not compressed.
    commits, files : int
        New commits in a push, and files that they change, counted in each of them.
    """

    file_bytes: int = 2 << 30
    push_bytes: int = 32 << 30
    commits: int = 20_000
    files: int = 200_000


@dataclass(frozen=True, slots=True)
class Signing:
    """What has to be signed, and by which keys.

    Attributes
    ----------
    demanded : tuple of str
        ``commits``, ``tags``, both or none: what comes in must carry a signature of who pushes.
    keys : mapping of str to tuple of str
        Public ssh keys of each user, ``TYPE KEY``.
    """

    demanded: tuple[str, ...] = ()
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


SIGNED_COMMITS, SIGNED_TAGS = "commits", "tags"

_SIGNER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@+-]*")
_KEY = re.compile(r"(?:ssh|ecdsa|sk)-[a-z0-9@.-]+ [A-Za-z0-9+/]+={0,3}")


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether somebody may do something, and which rule says so.

    Attributes
    ----------
    allowed : bool
        Whether it is allowed.
    user, verb, path, branch : str
        What was asked for; an empty path is the whole repository.
    rule : str
        The rule that allows it, with its number; empty where none does.
    others : tuple of str
        Where it is denied: the rules that allow it to others.
    """

    allowed: bool
    user: str
    verb: str
    path: str
    branch: str
    rule: str = ""
    others: tuple[str, ...] = ()

    def __str__(self) -> str:
        what = f"{self.verb} {self.path or 'the whole repository'} on branch {self.branch}"
        if self.allowed:
            return f"{self.user} may {what}, by {self.rule}"
        others = "; ".join(self.others) or "nobody may"
        return f"no rule lets {self.user or 'a nameless user'} {what} ({others})"


@dataclass(frozen=True)
class Access:
    """The content of ``.calibvcs/access.toml``.

    Attributes
    ----------
    groups : mapping of str to tuple of str
        Users by group.
    people : mapping of str to tuple of str
        What a user signs commits with: e-mail addresses, and names (all that has no ``@``).
    rules : tuple of Rule
        What is allowed.
    for_others : tuple of str
        Who may push commits of other people: users, ``@GROUP`` or ``*``.
    limits : Limits
        How large a push may be.
    signing : Signing
        What has to be signed.
    """

    groups: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: {EXPERTS: (), ADMINS: ()})
    people: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    rules: tuple[Rule, ...] = DEFAULT_RULES
    for_others: tuple[str, ...] = (f"{GROUP}{ADMINS}",)
    limits: Limits = field(default_factory=Limits)
    signing: Signing = field(default_factory=Signing)

    @property
    def names_nobody(self) -> bool:
        """Whether there are neither rules of its own nor anybody in a group, as in a new repository."""
        return self.rules == DEFAULT_RULES and not any(self.groups.values())

    def begun_by(self, makers: tuple[str, ...]) -> Access:
        """Return the same with those in the groups ``admins`` and ``experts`` who made the repository.

        It changes nothing once the file names anybody.
        """
        return replace(self, groups={EXPERTS: makers, ADMINS: makers}) if makers and self.names_nobody else self

    def decide(self, user: str, verb: Verb, path: str | None, branch: str) -> Decision:
        """Tell whether a user may do something.

        Parameters
        ----------
        user : str
            Name of the user; empty for somebody without one.
        verb : Verb
            What they want to do.
        path : str or None
            Where; empty for the whole repository, None for any place at all.
        branch : str
            On which branch, without ``refs/heads/``.

        Returns
        -------
        Decision
            Whether they may, and the rule that says so.
        """
        if verb in {Verb.WRITE, Verb.PROPOSE} and path and path.startswith("."):
            verb = Verb.ADMIN
        shown = "anything" if path is None else path
        others = []
        for number, rule in enumerate(self.rules, 1):
            if verb in rule.may and matches(rule.branch, branch) and (path is None or matches(rule.path, path)):
                text = f"rule {number}: {rule}"
                if self.means(rule.who, user):
                    return Decision(True, user, verb, shown, branch, text)
                others.append(text)
        return Decision(False, user, verb, shown, branch, "", tuple(others))

    def means(self, who: Iterable[str], user: str) -> bool:
        """Tell whether a list of users, ``@GROUP`` and ``*`` means a user."""
        return any(
            name == EVERYBODY
            or (bool(user) and (name == user or (name.startswith(GROUP) and user in self.groups.get(name[1:], ()))))
            for name in who
        )

    def may_push_for_others(self, user: str) -> bool:
        """Tell whether a user may push commits that other people made."""
        return self.means(self.for_others, user)

    def disowned(self, user: str, name: str, email: str) -> str:
        """Tell why a signature is not that of a user; empty where it is.

        The address must be one of those, and the name one of those, that ``people`` lists for the user, as far as it
        lists any. Of whom it lists nothing, the address must be the user's name or begin with it and ``@``.
        """
        known = self.people.get(user, ())
        addresses = [entry for entry in known if "@" in entry]
        names = [entry for entry in known if "@" not in entry]
        if addresses or not names:
            given = email.casefold()
            own = {address.casefold() for address in addresses}
            if given not in own and (own or not user or given.rpartition("@")[0] != user.casefold() != given):
                return f"the address <{email}> is not one of {', '.join(addresses) or f'{user}@...'}"
        if names and name not in names:
            return f"the name {name!r} is not {' or '.join(map(repr, names))}"
        return ""


def matches(pattern: str, path: str) -> bool:
    """Tell whether a path, or a folder that it is in, matches a pattern; the empty path is the whole repository.

    Parameters
    ----------
    pattern : str
        Names joined by ``/``; ``*`` is any part of a name, ``**`` any number of names.
    path : str
        The path, or the name of a branch.

    Returns
    -------
    bool
        Whether it matches; the whole repository matches only what matches everything.
    """
    if not path:
        return set(pattern) <= {"*", "/"} and pattern.replace(ANY, "").strip("/") in {"", "*"}
    return _compiled(pattern).fullmatch(f"{path}/") is not None


def parse_pattern(text: str) -> str:
    """Return a pattern of paths or branches.

    Raises
    ------
    InvalidNameError
        If it has other letters, or more stars than can be matched fast.
    """
    names = text.split("/")
    single = max(name.replace(ANY, "").count("*") for name in names)
    mixed = any(ANY in name and name != ANY for name in names)
    many = single > _MOST_STARS or names.count(ANY) > _MOST_DOUBLE_STARS
    if not _PATTERN.fullmatch(text) or len(text) > _LONGEST or many or mixed or not {".", ".."}.isdisjoint(names):
        allowed = (
            f"names of letters, digits and _.-* joined by '/', at most {_LONGEST} characters; '*' at most "
            f"{_MOST_STARS} times in a name, and '**' as a whole name, at most {_MOST_DOUBLE_STARS} times"
        )
        raise InvalidNameError("pattern", text, allowed)
    return text


def parse_signer(text: str) -> str:
    """Return the name of a user for whom keys are listed: one that no list of keys takes for a pattern.

    Raises
    ------
    InvalidNameError
        If it has other letters.
    """
    if not _SIGNER.fullmatch(text) or len(text) > _LONGEST:
        raise InvalidNameError(
            "name of a user with keys", text, "letters, digits and _.@+-, beginning with none of .@+-"
        )
    return text


def parse_public_key(text: str) -> str:
    """Return a public ssh key as ``TYPE KEY``, without the comment that may follow.

    Raises
    ------
    InvalidNameError
        If it is none.
    """
    key = " ".join(text.split()[:2])
    if not _KEY.fullmatch(key):
        raise InvalidNameError("public key", text[:60], "TYPE KEY, as it stands in ~/.ssh/id_ed25519.pub")
    return key


def parse_user(text: str) -> str:
    """Return the name of a user, as a server tells it.

    Raises
    ------
    InvalidNameError
        If it is empty, too long, has blanks or control characters, or could be taken for a group.
    """
    if not 0 < len(text) <= _LONGEST or not text.isprintable() or " " in text or text[0] in {GROUP, EVERYBODY}:
        allowed = f"1 to {_LONGEST} characters without blanks, not beginning with '@' or '*'"
        raise InvalidNameError("name of a user", text, allowed)
    return text


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    names = (
        r"(?:[^/]+/)*" if name == ANY else re.escape(name).replace(r"\*", "[^/]*") + "/" for name in pattern.split("/")
    )
    return re.compile("".join(names) + r"(?:[^/]+/)*")
