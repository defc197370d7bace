"""Addresses: all forms that Git knows, hostile ones refused, passwords never shown."""

from __future__ import annotations

import pytest

from calibvcs.errors import InvalidOptionError
from calibvcs.store.remotes.urls import Address, parse_address, without_password


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("/data/hub.git", Address("path", "/data/hub.git")),
        ("../hub", Address("path", "../hub")),
        ("./a:b", Address("path", "./a:b")),
        ("folder with spaces", Address("path", "folder with spaces")),
        ("file:///data/hub%20one", Address("path", "/data/hub one")),
        ("file://localhost/data/hub", Address("path", "/data/hub")),
        ("ssh://host/data/hub", Address("ssh", "/data/hub", "host")),
        ("ssh://grace@host:2222/~/hub", Address("ssh", "/~/hub", "host", 2222, "grace")),
        ("git+ssh://[::1]:22/hub", Address("ssh", "/hub", "::1", 22)),
        ("grace@host:hub.git", Address("ssh", "hub.git", "host", user="grace")),
        ("host:/data/hub", Address("ssh", "/data/hub", "host")),
        ("[::1]:hub", Address("ssh", "hub", "::1")),
        ("git://host:9999/hub", Address("git", "/hub", "host", 9999)),
        ("HTTP://Host/hub.git/", Address("http", "/hub.git/", "host")),
        ("https://me:p%40ss@host/hub", Address("https", "/hub", "host", None, "me", "p@ss")),
    ],
)
def test_every_form_is_taken_apart(given: str, expected: Address) -> None:
    assert parse_address(given) == expected


@pytest.mark.parametrize(
    "given",
    [
        "", "  ", "ext::sh -c touch% /tmp/x", "fd::3", "persistent-https::host", "ftp://host/x", "rsync://host/x",
        "-oProxyCommand=x", "ssh://-oProxyCommand=touch/x", "-host:path", "host:-path", "ssh://-user@host/x",
        "ssh://us er@host/x", "ssh://host\n/x", "host:a\x00b", "ssh://host/a%0ab", "http://host/x\r\ny", "http://host/x?y=1",
        "http://host/x#y", "http:///x", "ssh://host:99999/x", "ssh://host:port/x", "ssh://me:secret@host/x",
        "git://me:secret@host/x", "file://otherhost/x", "file://", "ssh://ho$st/x", "ssh://`x`/y", "http://ho st/x",
        "host:", "\x1b[31mx", "ssh://%2doption/x", "a@b@c:d", "https://-x/y",
    ],
)  # fmt: skip
def test_what_is_hostile_or_unknown_is_refused(given: str) -> None:
    with pytest.raises(InvalidOptionError) as caught:
        parse_address(given)
    assert "is allowed" in str(caught.value)
    assert "secret" not in str(caught.value)
    assert "\x1b" not in str(caught.value)


def test_a_password_is_never_shown() -> None:
    address = parse_address("https://me:hunter2@host:8443/hub.git")
    assert address.password == "hunter2"  # noqa: S105 - of nobody
    for shown in (str(address), repr(address), address.place):
        assert "hunter2" not in shown
    assert str(address) == "https://me@host:8443/hub.git"
    assert without_password("failed: https://me:hunter2@host/x and http://tok@host") == (
        "failed: https://host/x and http://host"
    )


@pytest.mark.parametrize(
    "given",
    [
        "ssh://host/data/hub",
        "ssh://grace@host:2222/~/hub",
        "git://[::1]/x",
        "https://host/x",
        "/a/b",
        "ssh://g@h/~other/x",
    ],
)
def test_what_is_shown_can_be_read_again(given: str) -> None:
    assert str(parse_address(given)) == given
    assert parse_address(str(parse_address(given))) == parse_address(given)


def test_a_path_relative_to_the_home_is_shown_as_such() -> None:
    assert str(parse_address("grace@host:hub.git")) == "ssh://grace@host/~/hub.git"
