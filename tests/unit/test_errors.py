"""The tree of errors: what each class keeps, says, advises and exits with."""

import copy
import dataclasses
import pickle
import re

import pytest

from calibvcs import errors
from calibvcs.errors import CalibvcsError, Refusal

EXIT_CODES = {
    errors.UsageError: 2, errors.NotFoundError: 3, errors.RefusedError: 4, errors.ConflictError: 5,
    errors.AccessError: 6, errors.BrokenRepositoryError: 7, errors.NetworkError: 8,
    errors.StorageError: 9,
}  # fmt: skip
FIELDS = {
    "given": "jungfrua-000003", "what": "detector name", "allowed": "a-z", "suggestion": "jungfrau-000003",
    "reason": "it is so", "option": "--begin", "advice": "do this", "path": "a/b.toml", "nearest": ("x", "y"),
    "known": ("v1", "v2"), "detector": "epix100-1", "ctype": "pedestals", "time": 1767225600.5, "withdrawn": ("0-end",),
    "constant": "epix100-1/pedestals/0-end", "experiment": "mfx101332224", "run": 7, "source": "a.npy",
    "refusals": (Refusal("drift", "+2000 ADU", "1000 ADU"), Refusal("finite", "3", "0")), "alias": "front",
    "existing": "front -> epix100-1 (0-end)", "name": "epix100-1", "branch": "main", "attempts": 9, "age": 12.5,
    "paths": ("a", "b"), "commit": "0123456789abcdef0123456789abcdef01234567", "supported": 1, "object_id": "0123abcd",
    "needed": 100, "begin": 10, "end": 5, "state": "is locked already", "target": "epix100-1/pedestals",
    "program": "ssh-keygen", "tag": "golden", "before": "published", "after": "testing",
    "address": "ssh://host/repository", "said": "rule 3\nsays no",
    "conflicts": ("constant epix100-1/pedestals/0-end", "alias alias:front"), "blob": "0123abcd",
    "left": ("notes.txt: no such file",), "removed": ("epix100-1/pedestals/0-end",), "renamed": "epix100-1/pedestals/5-end",
}  # fmt: skip
# What these advise depends on the case; a caller who has nothing to say leaves it out.
HINT_IS_OPTIONAL = {
    errors.InvalidOptionError, errors.InvalidDataError, errors.AlreadyExistsError, errors.NothingToCommitError,
}  # fmt: skip


def subclasses(cls: type[CalibvcsError]) -> list[type[CalibvcsError]]:
    return [cls, *(deeper for child in cls.__subclasses__() for deeper in subclasses(child))]


ALL = sorted(
    {cls for cls in subclasses(CalibvcsError) if cls.__module__.startswith(errors.__name__)}, key=lambda c: c.__name__
)
BRANCHES = {CalibvcsError, *EXIT_CODES} - {errors.StorageError, errors.NetworkError}
LEAVES = [cls for cls in ALL if cls not in BRANCHES]


def example(cls: type[CalibvcsError]) -> CalibvcsError:
    cls.__new__(cls)
    fields = {field.name: FIELDS[field.name] for field in dataclasses.fields(cls)}
    if cls is errors.UnknownDetectorError:
        fields["known"] = 12
    return cls(**fields)


@pytest.mark.parametrize("cls", ALL, ids=lambda cls: cls.__name__)
def test_an_error_survives_pickling_and_copying(cls: type[CalibvcsError]) -> None:
    error = example(cls)
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):  # noqa: S301 - our own
        assert type(again) is cls
        assert all(getattr(again, field.name) == getattr(error, field.name) for field in dataclasses.fields(cls))
        assert (again.problem, again.hint, str(again)) == (error.problem, error.hint, str(error))


@pytest.mark.parametrize("cls", LEAVES, ids=lambda cls: cls.__name__)
def test_an_error_says_what_is_wrong_and_what_to_do(cls: type[CalibvcsError]) -> None:
    error = example(cls)
    assert error.problem
    assert error.hint
    assert str(error) == f"{error.problem}\n{error.hint}"
    assert not re.search(r"[{}]", str(error)), "a template is left"


@pytest.mark.parametrize("cls", LEAVES, ids=lambda cls: cls.__name__)
def test_an_error_needs_no_more_than_its_fields_without_a_default(cls: type[CalibvcsError]) -> None:
    cls.__new__(cls)  # makes it a dataclass
    needed = {
        field.name: FIELDS[field.name] for field in dataclasses.fields(cls) if field.default is dataclasses.MISSING
    }
    error = cls(**needed)
    assert error.problem
    assert bool(error.hint) or cls in HINT_IS_OPTIONAL


@pytest.mark.parametrize("cls", LEAVES, ids=lambda cls: cls.__name__)
def test_the_exit_code_follows_from_the_branch(cls: type[CalibvcsError]) -> None:
    (branch,) = [branch for branch in EXIT_CODES if issubclass(cls, branch)]
    assert cls.exit_code == EXIT_CODES[branch]
    assert cls.exit_code in {2, 3, 4, 5, 6, 7, 8, 9}


def test_the_root_has_an_exit_code_that_no_trouble_has() -> None:
    assert CalibvcsError.exit_code not in {0, 1, *EXIT_CODES.values()}


def test_the_drawn_tree_names_every_class_once() -> None:
    drawn = (errors.__doc__ or "").partition("::")[2].partition("A class states")[0]
    assert sorted(re.findall(r"\w+Error", drawn)) == [cls.__name__ for cls in ALL]


def test_the_drawn_tree_puts_every_class_on_its_branch() -> None:
    branch = ""
    for line in (errors.__doc__ or "").partition("::")[2].partition("A class states")[0].splitlines():
        names = re.findall(r"\w+Error", line)
        if "──" in line:
            branch, code = names[0], re.search(r"Error\s+(\d)", line)
            assert code
            assert getattr(errors, branch).exit_code == int(code[1])
        for name in names:
            assert issubclass(getattr(errors, name), getattr(errors, branch or name))


def test_what_was_given_is_shown_in_short_and_without_control_characters() -> None:
    error = errors.InvalidNameError("ctype", "\x1b[31m" + "x" * 10_000, "a-z")
    assert len(error.problem) < 400
    assert "\x1b" not in str(error)
    assert error.given.endswith("x" * 1000), "the field itself is whole"


def test_braces_in_what_was_given_are_no_template() -> None:
    assert "'{what}'" in errors.InvalidNameError("ctype", "{what}", "a-z").problem
    assert "'{}{0}'" in errors.UnknownRevisionError("{}{0}").problem


def test_a_long_list_is_shown_in_short() -> None:
    error = errors.UnknownVersionError("epix100-1/pedestals/0-end", "v99", tuple(f"v{n}" for n in range(1, 30)))
    assert "v1, v2, v3, v4, v5 and 24 more" in error.problem
    assert "none" in errors.UnknownTagError("x").problem


def test_the_gate_lists_every_refusal_on_a_line_of_its_own() -> None:
    lines = example(errors.GateRefusedError).problem.splitlines()
    assert lines[1:] == [
        "  - drift: +2000 ADU; allowed is 1000 ADU",
        "  - finite: 3; allowed is 0",
    ]


def test_no_valid_constant_advises_by_what_is_withdrawn() -> None:
    error = errors.NoValidConstantError("epix100-1", "pedestals", 5, ("10-20",), ("0-end",))
    assert "withdrawn and therefore skipped: 0-end" in error.problem
    assert "default set epix100-1/pedestals/0-end@vN" in error.hint
    error = errors.NoValidConstantError("epix100-1", "pedestals", 5, ("10-20",))
    assert "withdrawn" not in str(error)
    assert "why epix100-1 pedestals --time 5" in error.hint


def test_nearest_names_come_best_first_and_at_most_five() -> None:
    assert errors.nearest("pedestal", ["pixel_rms", "pedestals", "geometry"]) == ("pedestals",)
    assert len(errors.nearest("aaaa", [f"aaa{letter}" for letter in "bcdefghij"])) == 5
    assert errors.nearest("zzz", ["pedestals"]) == ()
    assert errors.nearest("", ["pedestals"]) == ()


def test_a_class_becomes_a_dataclass_when_its_first_error_is_made() -> None:
    class TooLowError(errors.ConflictError):
        given: int
        limit: int = 3

        says = "{given} is below {limit}"
        advises = "give more"

    assert "__match_args__" not in vars(TooLowError)
    assert str(TooLowError(2)) == "2 is below 3\ngive more"
    assert TooLowError(given=2, limit=4).limit == 4
    assert TooLowError.__match_args__ == ("given", "limit")
    for wrong in ((), (1, 2, 3)):
        with pytest.raises(TypeError):
            TooLowError(*wrong)
    with pytest.raises(errors.EmptyCommentError):
        raise errors.EmptyCommentError
