"""What a commit says: the comment of the author, and the trailers that machines read."""

import pickle

import pytest

from calibvcs.errors import EmptyCommentError, InvalidOptionError
from calibvcs.model.commits import Action, Commit, Message, Person, Signature, clean_comment
from calibvcs.model.names import ConstantName

PEDESTALS = ConstantName.parse("jungfrau-000003/pedestals/1767225600-end")
RMS = ConstantName.parse("jungfrau-000003/pixel_rms/1767225600-end")


def test_a_message_is_comment_empty_line_and_trailers() -> None:
    message = Message("Dark run 7\n\nPanel 3 was warm.", Action.ADD, (PEDESTALS, RMS), forced="it was warm")
    assert message.encode() == (
        "Dark run 7\n\nPanel 3 was warm.\n\n"
        "Calibvcs-Action: add\n"
        "Calibvcs-Constant: jungfrau-000003/pedestals/1767225600-end\n"
        "Calibvcs-Constant: jungfrau-000003/pixel_rms/1767225600-end\n"
        "Calibvcs-Forced: it was warm\n"
    )


@pytest.mark.parametrize(
    "message",
    [
        Message("Dark run 7", Action.ADD, (PEDESTALS,)),
        Message("Dark run 7\n\nWarm.\n\nSigned-off-by: Grace <grace@example.org>", Action.ADD, (PEDESTALS, RMS)),
        Message("Back to v1", Action.RESTORE, (PEDESTALS,), restored="0123456789abcdef0123456789abcdef01234567"),
        Message("Warm", Action.ADD, (PEDESTALS,), forced="the panel was warm: 30 C"),
        Message("Let front mean epix100-1", Action.ALIAS),
        Message("subject: with a colon", Action.RUN),
        Message("Äpfel \u2028 \u00b5m \U0001f600\ttab", Action.INIT),
        *(Message(f"A {action}", action, (PEDESTALS,)) for action in Action),
        Message("made by hand"),
        Message("made by hand\n\nwith a body\n\nReviewed-by: Ada"),
    ],
    ids=lambda message: message.subject,
)
def test_a_message_comes_back(message: Message) -> None:
    assert Message.parse(message.encode()) == message


def test_subject_and_body_are_those_of_the_comment() -> None:
    message = Message("Dark run 7\n\nPanel 3 was warm.\n\nReally.")
    assert (message.subject, message.body) == ("Dark run 7", "Panel 3 was warm.\n\nReally.")
    assert (Message("Dark").subject, Message("Dark").body) == ("Dark", "")


@pytest.mark.parametrize("comment", ["", " ", "\n\n", "\t \r\n ", "\u2003"])
def test_an_empty_comment_is_refused(comment: str) -> None:
    with pytest.raises(EmptyCommentError):
        Message(comment, Action.ADD).encode()
    with pytest.raises(EmptyCommentError):
        Message("Dark", Action.ADD, forced=comment or " ").encode()


@pytest.mark.parametrize(
    "comment",
    [
        "Dark\n\nCalibvcs-Action: restore",
        "Dark\nCalibvcs-Constant: epix100-1/pedestals/0-end",
        "Calibvcs-Forced: because",
        "Dark\n\ncalibvcs-action: add",  # Git reads trailers in any case
        "Dark\n\nCALIBVCS-RESTORED : 0123",
        "Dark\r\n\r\nCalibvcs-Action: lock",
        "Dark\n\nCalibvcs-Restored:",
        "  \nCalibvcs-Action: add",
    ],
)
def test_a_comment_cannot_speak_for_the_program(comment: str) -> None:
    for message in (Message(comment, Action.ADD), Message("Dark", Action.ADD, forced=comment)):
        with pytest.raises(InvalidOptionError, match="trailer"):
            message.encode()


@pytest.mark.parametrize(
    "comment", ["see Calibvcs-Action: add", "> Calibvcs-Action: add", "Calibvcs is good: yes", "Calibvcs-Action"]
)
def test_a_comment_may_speak_of_trailers(comment: str) -> None:
    message = Message(comment, Action.ADD, (PEDESTALS,))
    assert Message.parse(message.encode()) == message


@pytest.mark.parametrize(
    "character",
    ["\0", "\a", "\b", "\x0b", "\x0c", "\x1b", "\x7f", "\r", "\x80", "\x9b", "\ud800"],
)
def test_control_characters_are_refused(character: str) -> None:
    with pytest.raises(InvalidOptionError, match="control characters"):
        clean_comment(f"Dark{character}run")


@pytest.mark.parametrize(
    ("given", "cleaned"),
    [
        ("Dark\r\nrun", "Dark\nrun"),
        ("Dark  \nrun \t\n\n", "Dark\nrun"),
        ("\n\nDark", "Dark"),
        ("Dark\n\n\n\nrun", "Dark\n\n\n\nrun"),
        ("a\tb", "a\tb"),
        ("Dark\r", "Dark"),
    ],
)
def test_a_comment_loses_white_space_at_its_ends_only(given: str, cleaned: str) -> None:
    assert clean_comment(given) == cleaned
    assert clean_comment(cleaned) == cleaned


def test_a_reason_for_force_becomes_one_line() -> None:
    text = Message("Dark", Action.ADD, (PEDESTALS,), forced=" it was\n\n  warm ").encode()
    assert "Calibvcs-Forced: it was warm\n" in text
    assert Message.parse(text).forced == "it was warm"


@pytest.mark.parametrize(
    "text",
    [
        "", "\n", "made by hand", "made by hand\n", "subject\n\nbody\n", "a\n\nReviewed-by: Ada\n", "a\n\nCalibvcs-Action: fly\n",
        "a\n\nCalibvcs-Constant: epix100-1/pedestals/0-end\n", "Calibvcs-Action: add\n", "a\nCalibvcs-Action: add\n",
        "a\n\nCalibvcs-Action: add\n\nthe last word\n", "a\n\ncalibvcs-action: add\n", "a\n\nCalibvcs-Action:add\n",
    ],
)  # fmt: skip
def test_a_message_made_by_hand_is_all_comment(text: str) -> None:
    assert Message.parse(text) == Message(text.rstrip("\n"))


def test_trailers_of_others_may_stand_beside_ours() -> None:
    text = (
        "Dark\n\nCalibvcs-Action: add\nCalibvcs-Constant: jungfrau-000003/pedestals/1767225600-end\n"
        "Change-Id: I0123\nSigned-off-by: Grace <grace@example.org>\n"
    )
    assert Message.parse(text) == Message("Dark", Action.ADD, (PEDESTALS,))


def test_a_message_with_the_line_ends_of_windows_is_read() -> None:
    message = Message("Dark\n\nWarm.", Action.ADD, (PEDESTALS,))
    assert Message.parse(message.encode().replace("\n", "\r\n")) == message


def test_a_constant_that_was_spoilt_by_hand_is_passed_over() -> None:
    text = (
        "Dark\n\nCalibvcs-Action: add\nCalibvcs-Constant: ../etc/passwd\n"
        f"Calibvcs-Constant: jungfrau-000003/pedestals\nCalibvcs-Constant: {PEDESTALS}\n"
    )
    assert Message.parse(text).constants == (PEDESTALS,)


def test_a_commit_reads_its_message() -> None:
    signature = Signature("Grace Hopper", "grace@example.org", 5)
    text = Message("Dark", Action.ADD, (PEDESTALS,)).encode()
    commit = Commit("0" * 40, "1" * 40, (), signature, signature, text)
    assert commit.message.action is Action.ADD
    assert pickle.loads(pickle.dumps(commit)) == commit  # noqa: S301 - our own


def test_author_and_committer_sign_by_the_clock(author: Person) -> None:
    first, second = author.sign()
    assert (first.name, first.email, first.offset) == ("Grace Hopper", "grace@example.org", 60)
    assert second.time >= first.time
    assert author.sign()[0].time > second.time


def test_a_given_date_replaces_the_clock() -> None:
    person = Person("Ada", "ada@example.org", "robot", "robot@example.org", lambda: (1000, 120), (0, 0), (5, -480))
    assert person.sign() == (
        Signature("Ada", "ada@example.org", 0, 0),
        Signature("robot", "robot@example.org", 5, -480),
    )
    person = Person("Ada", "ada@example.org", "robot", "robot@example.org", lambda: (1000, 120), committer_date=(5, 0))
    assert [signature.time for signature in person.sign()] == [1000, 5]
