"""Commit messages: they come back, and no comment can speak for the program."""

from hypothesis import given
from hypothesis import strategies as st

from calibvcs.errors import CalibvcsError, EmptyCommentError, InvalidOptionError
from calibvcs.model.commits import Action, Message, clean_comment
from calibvcs.model.names import ConstantName, DetectorName
from calibvcs.model.validity import Validity

LINES = st.sampled_from(
    ["Dark run 7", "", "  ", "Signed-off-by: Grace <grace@example.org>", "Calibvcs-Action: restore", "calibvcs-constant: a-1/b/0-end",
     "Calibvcs-Constant : a-1/b/0-end", " Calibvcs-Action: add", "x: y", ":", "a\tb", "\u2028Calibvcs-Action: add", "Calibvcs-Forced:", "\x85x"]
) | st.text(max_size=12)  # fmt: skip
COMMENTS = st.lists(LINES, max_size=6).flatmap(
    lambda lines: st.sampled_from(["\n", "\r\n", "\n\n"]).map(lambda end: end.join(lines))
)
CONSTANTS = st.builds(
    ConstantName,
    st.builds(DetectorName, st.sampled_from(["jungfrau", "epix_hr"]), st.sampled_from(["000003", "a.b-c", "1"])),
    st.sampled_from(["pedestals", "x1"]),
    st.builds(
        lambda begin, length: Validity(begin, begin + length if length else None),
        st.integers(0, 2**31),
        st.integers(0, 9),
    ),
)
IDS = st.text("0123456789abcdef", min_size=40, max_size=40)
MESSAGES = st.builds(
    Message,
    COMMENTS,
    st.sampled_from(Action),
    st.lists(CONSTANTS, max_size=4).map(tuple),
    st.just("") | IDS,
    st.just("") | COMMENTS,
)


@given(MESSAGES)
def test_a_message_comes_back_or_is_refused(message: Message) -> None:
    try:
        text = message.encode()
    except (EmptyCommentError, InvalidOptionError):
        return
    again = Message.parse(text)
    assert (again.action, again.constants, again.restored) == (message.action, message.constants, message.restored)
    assert again.comment == clean_comment(message.comment)
    assert again.forced == " ".join(message.forced.split())
    assert again.encode() == text
    assert Message.parse(text.replace("\n", "\r\n")) == again


@given(COMMENTS)
def test_a_message_without_an_action_is_all_comment(comment: str) -> None:
    try:
        text = Message(comment).encode()
    except CalibvcsError:
        return
    assert Message.parse(text) == Message(clean_comment(comment))


@given(COMMENTS)
def test_a_comment_is_clean_or_refused(comment: str) -> None:
    try:
        cleaned = clean_comment(comment)
    except EmptyCommentError:
        assert not comment.strip()
        return
    except InvalidOptionError:
        return
    assert clean_comment(cleaned) == cleaned
    assert cleaned.encode().decode() == cleaned
    assert "\r" not in cleaned
    assert cleaned == cleaned.strip()
    assert not any(line.lower().startswith(("calibvcs-action:", "calibvcs-constant:")) for line in cleaned.split("\n"))


@given(COMMENTS | st.text(max_size=200) | st.lists(LINES, max_size=8).map("\n".join))
def test_any_text_of_a_commit_is_read(text: str) -> None:
    message = Message.parse(text)
    assert message.action is None or message.action in Action
    assert message.subject == message.comment.split("\n")[0]
    assert isinstance(message.body, str)
