from __future__ import annotations

import pytest

from calibvcs.store.objects.encoding import decode_commit, decode_tag
from calibvcs.store.signatures.signed_objects import format_of, signed, split, time_of

TREE = b"tree " + b"1" * 40 + b"\n"
PEOPLE = b"author A <a@x> 1000 +0100\ncommitter C <c@x> 2000 -0130\n"
COMMIT = TREE + PEOPLE + b"\nWhy\n\ngpgsig is a word\n"
TAG = b"object " + b"2" * 40 + b"\ntype commit\ntag golden\ntagger T <t@x> 3000 +0000\n\nGood\n"
SSH = "-----BEGIN SSH SIGNATURE-----\nAAAA\nBBBB=\n-----END SSH SIGNATURE-----\n"
PGP = "-----BEGIN PGP SIGNATURE-----\n\nAAAA\n=BBBB\n-----END PGP SIGNATURE-----\n"


@pytest.mark.parametrize("armour", [SSH, PGP], ids=["ssh", "pgp"])
@pytest.mark.parametrize(("kind", "data"), [("commit", COMMIT), ("tag", TAG)])
def test_there_and_back(kind: str, data: bytes, armour: str) -> None:
    assert split(kind, data) == (data, b"")
    assert split(kind, signed(kind, data, armour)) == (data, armour.encode())


def test_a_commit_is_written_as_git_does() -> None:
    lines = signed("commit", COMMIT, PGP).decode().split("\n")
    assert lines[3:8] == [
        "gpgsig -----BEGIN PGP SIGNATURE-----",
        " ",
        " AAAA",
        " =BBBB",
        " -----END PGP SIGNATURE-----",
    ]
    assert signed("tag", TAG, SSH) == TAG + SSH.encode()


def test_other_headers_stay_in_what_is_signed() -> None:
    merged = b"mergetag object 3\n type commit\n \n gpgsig no header\n"
    foreign = b"gpgsig-sha256 -----BEGIN\n not ours\n"
    data = TREE + PEOPLE + merged + b"gpgsig one\n two\n" + foreign + b"encoding utf-8\n\nWhy\n"
    assert split("commit", data) == (TREE + PEOPLE + merged + b"encoding utf-8\n\nWhy\n", b"one\ntwo\n")


def test_only_the_last_signature_of_a_tag_counts() -> None:
    data = TAG + SSH.encode() + b"more\n" + PGP.encode()
    assert split("tag", data) == (TAG + SSH.encode() + b"more\n", PGP.encode())
    assert split("tag", TAG + b"x" + SSH.encode()) == (TAG + b"x" + SSH.encode(), b"")


def test_carriage_returns_begin_no_header() -> None:
    data = TREE + PEOPLE + b"x a\rgpgsig evil\n\ny\n"
    assert split("commit", data) == (data, b"")


@pytest.mark.parametrize(
    ("text", "form"),
    [(SSH, "ssh"), (PGP, "openpgp"), ("-----BEGIN SIGNED MESSAGE-----\n", "x509"), ("", ""), ("hello", "")],
)
def test_formats(text: str, form: str) -> None:
    assert format_of(text.encode()) == form


def test_the_time_is_that_of_who_committed_or_tagged() -> None:
    assert (time_of(COMMIT), time_of(TAG)) == (2000, 3000)
    assert time_of(TREE + b"\ncommitter X <x> 5 +0000\n") is None


def test_signatures_are_no_part_of_the_text() -> None:
    tag = decode_tag(signed("tag", TAG, SSH), "4" * 40, "golden")
    assert (tag.text, tag.signature) == ("Good\n", SSH)
    commit = decode_commit(signed("commit", COMMIT, PGP), "4" * 40)
    assert (commit.text, commit.signature) == ("Why\n\ngpgsig is a word\n", PGP)
    assert decode_commit(COMMIT, "4" * 40).signature == ""
