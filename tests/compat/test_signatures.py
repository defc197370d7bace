"""Signatures of commits and tags: C Git believes ours, we believe its, and neither believes what was touched."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

import calibvcs
from calibvcs import Repository, settings
from calibvcs.errors import (
    CalibvcsError,
    InvalidOptionError,
    MissingProgramError,
    NoSigningKeyError,
    SigningFailedError,
)
from calibvcs.model.signatures import SignatureCheck
from calibvcs.ops.tagging.signatures import Signatures
from calibvcs.store.git import GitStore

WHO = "grace@example.org"
FORMS = ["ssh", "openpgp"]


def run(*command: str | Path, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(list(map(str, command)), input=stdin, capture_output=True)


def must(*command: str | Path, stdin: bytes = b"") -> str:
    done = run(*command, stdin=stdin)
    assert done.returncode == 0, (command, done)
    return done.stdout.decode().strip()


@dataclass(frozen=True)
class Keys:
    """Keys of one kind: of Grace, of a stranger, and how Git is told of them."""

    form: str
    folder: Path
    grace: str
    stranger: str

    def use(self, whose: str = "grace") -> None:
        must("git", "config", "--global", "gpg.format", self.form)
        must("git", "config", "--global", "user.signingkey", getattr(self, whose))
        if self.form == "ssh":
            must("git", "config", "--global", "gpg.ssh.allowedSignersFile", self.folder / "allowed")


def ssh_keys(folder: Path) -> Keys:
    if not shutil.which("ssh-keygen"):
        pytest.skip("ssh-keygen (Debian: openssh-client) is not installed")
    for name, phrase in (("grace", ""), ("stranger", ""), ("guarded", "secret")):
        must("ssh-keygen", "-q", "-t", "ed25519", "-N", phrase, "-C", name, "-f", folder / name)
    (folder / "allowed").write_text(f'{WHO} namespaces="git" {(folder / "grace.pub").read_text()}')
    return Keys("ssh", folder, str(folder / "grace.pub"), str(folder / "stranger.pub"))


def pgp_keys(folder: Path, home: str, patch: pytest.MonkeyPatch) -> Keys:
    if not shutil.which("gpg"):
        pytest.skip("gpg (Debian: gnupg) is not installed")
    make = ["gpg", "--batch", "--passphrase", "", "--quick-generate-key"]
    with tempfile.TemporaryDirectory(prefix="gs") as strangers:
        patch.setenv("GNUPGHOME", strangers)
        must(*make, "Stranger <stranger@example.org>", "ed25519", "sign")
        secret = run("gpg", "--batch", "--export-secret-keys", "stranger@example.org").stdout
        must("gpgconf", "--kill", "all")
    patch.setenv("GNUPGHOME", home)
    must(*make, f"Grace Hopper <{WHO}>", "ed25519", "sign", "never")
    (folder / "stranger.gpg").write_bytes(secret)
    return Keys("openpgp", folder, WHO, "stranger@example.org")


@pytest.fixture(scope="module", params=FORMS)
def all_keys(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Keys, str]]:
    folder = tmp_path_factory.mktemp("keys")
    if request.param == "ssh":
        yield ssh_keys(folder), ""
        return
    with pytest.MonkeyPatch.context() as patch:
        home = tempfile.mkdtemp(prefix="gh")  # gpg's sockets need a short path
        try:
            yield pgp_keys(folder, home, patch), home
        finally:
            run("gpgconf", "--kill", "all")
            shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def keys(all_keys: tuple[Keys, str], private_home: Path, monkeypatch: pytest.MonkeyPatch) -> Keys:
    found, home = all_keys
    if home:
        monkeypatch.setenv("GNUPGHOME", home)
    found.use()
    return found


@pytest.fixture
def ssh(private_home: Path, tmp_path: Path) -> Keys:
    folder = tmp_path / "keys"
    folder.mkdir()
    found = ssh_keys(folder)
    found.use()
    return found


@pytest.fixture
def folder(private_home: Path, tmp_path: Path) -> Path:
    calibvcs.init(tmp_path / "constants")
    return tmp_path / "constants"


@pytest.fixture
def repository(folder: Path) -> Iterator[Repository]:
    with calibvcs.open(folder, sign=True) as repository:
        yield repository


def add(repository: Repository, value: float = 1) -> str:
    if all(str(one.name) != "opal1000-1" for one in repository.detector.ls().detectors):
        repository.detector.add("opal1000-1")
    data = np.full((4, 5), value, np.float32)
    return repository.add("opal1000-1", "pedestals", data, begin=0, message="Dark", force_reason="test").commit


def ours(folder: Path, revision: str) -> SignatureCheck:
    with GitStore(folder) as store:
        checker = Signatures(store.read_object, settings.signing(store.folder))
        return checker.of(must("git", "-C", folder, "rev-parse", revision))


def theirs(folder: Path, revision: str) -> bool:
    kind = must("git", "-C", folder, "cat-file", "-t", revision)
    done = run("git", "-C", folder, f"verify-{kind}", revision)
    assert b"BUG" not in done.stderr
    return done.returncode == 0


def forged(folder: Path, revision: str, change: Callable[[bytes], bytes]) -> str:
    """Write an object again, changed, under the signature that it has."""
    kind = must("git", "-C", folder, "cat-file", "-t", revision)
    data = run("git", "-C", folder, "cat-file", kind, revision).stdout
    assert change(data) != data
    return must("git", "-C", folder, "hash-object", "-t", kind, "-w", "--stdin", stdin=change(data))


def test_git_believes_our_commits_and_tags(keys: Keys, folder: Path, repository: Repository) -> None:
    commit = add(repository)
    repository.tag.create("golden", message="All good\n\nwith a body")
    repository.tag.set_state("golden", "published", comment="Seen")
    for revision in (commit, "golden", "golden@state/1"):
        assert theirs(folder, revision)
        found = ours(folder, revision)
        assert (found.state, found.detail) == ("good", "")
        assert WHO in found.signer
    assert must("git", "-C", folder, "log", "-1", "--format=%G?%s", commit) in {"GDark", "UDark"}
    complaints = run("git", "-C", folder, "fsck", "--strict")
    assert (complaints.returncode, complaints.stderr) == (0, b"")
    assert repository.tag.show("golden").tags[0].message == "All good\n\nwith a body"
    entry = repository.log(signatures=True, limit=1).commits[0]
    assert (entry.subject, entry.signature.state) == ("Dark", "good")
    assert must("git", "-C", folder, "status", "--porcelain") == ""


def test_we_believe_commits_and_tags_of_git(keys: Keys, folder: Path) -> None:
    must("git", "-C", folder, "commit", "-q", "-S", "--allow-empty", "-m", "By hand\n\nwith a body")
    must("git", "-C", folder, "tag", "-s", "-m", "A set\n\nof Git", "theirs")
    for revision in ("HEAD", "theirs"):
        assert theirs(folder, revision)
        found = ours(folder, revision)
        assert found.state == "good"
        assert WHO in found.signer
    with calibvcs.open(folder) as repository:
        (tag,) = repository.tag.show("theirs").tags
        assert (tag.message, tag.signed, tag.signature.state) == ("A set\n\nof Git", True, "good")
        repository.tag.set_state("theirs", "validated")
        assert repository.tag.accept("theirs", signed=True).signer == found.signer


CHANGES = {
    "text": lambda data: data.replace(b"Dark", b"Bright").replace(b"All good", b"All bad"),
    "time": lambda data: data.replace(b"> 1", b"> 2", 1),
    "person": lambda data: data.replace(b"Grace", b"Ada", 1),
    "header": lambda data: data.replace(b"\ncommitter", b"\nx y\ncommitter").replace(b"\ntagger", b"\nx y\ntagger"),
    "signature": lambda data: re.sub(rb"(BEGIN [A-Z ]+-----\s+)(\S{40})", lambda m: m[1] + m[2][::-1], data),
}


@pytest.mark.parametrize("what", CHANGES)
def test_neither_believes_what_was_touched(keys: Keys, folder: Path, repository: Repository, what: str) -> None:
    commit = add(repository)
    repository.tag.create("golden", message="All good")
    for revision in (commit, "golden"):
        evil = forged(folder, revision, CHANGES[what])
        assert not theirs(folder, evil)
        assert ours(folder, evil).state == "bad"


def test_neither_believes_a_stranger(
    keys: Keys, folder: Path, monkeypatch: pytest.MonkeyPatch, private_home: Path
) -> None:
    known = settings.signing(None)
    with tempfile.TemporaryDirectory(prefix="gt") as home, monkeypatch.context() as patch:
        if keys.form == "openpgp":
            patch.setenv("GNUPGHOME", home)
            must("gpg", "--batch", "--import", keys.folder / "stranger.gpg")
        keys.use("stranger")
        with calibvcs.open(folder, sign=True) as repository:
            commit = add(repository)
            repository.tag.create("golden", message="All good")
        run("gpgconf", "--kill", "all")
    assert known.form == keys.form
    for revision in (commit, "golden"):
        assert not theirs(folder, revision)
        found = ours(folder, revision)
        assert found.state == "unknown"
        assert found.signer == ""
        assert found.key
        assert found.detail


def test_what_is_not_signed_is_missing(keys: Keys, folder: Path) -> None:
    assert ours(folder, "HEAD").state == "missing"
    assert not theirs(folder, "HEAD")


def test_gits_configuration_is_respected(keys: Keys, folder: Path) -> None:
    def signed(revision: str) -> bool:
        return ours(folder, revision).state == "good"

    must("git", "-C", folder, "config", "commit.gpgsign", "true")
    with calibvcs.open(folder) as repository:
        assert signed(add(repository))
        repository.tag.create("plain", message="No signature")
        assert not signed("plain")
    must("git", "-C", folder, "config", "commit.gpgSign", "false")
    must("git", "-C", folder, "config", "tag.gpgSign", "true")
    with calibvcs.open(folder) as repository:
        assert not signed(add(repository, 2))
        repository.tag.create("signed", message="Signature")
        assert signed("signed")
    must("git", "-C", folder, "config", "commit.gpgsign", "true")
    with calibvcs.open(folder, sign=False) as repository:
        assert not signed(add(repository, 3))
        repository.tag.create("neither", message="No signature")
        assert not signed("neither")


def test_verify_counts_and_demands(keys: Keys, folder: Path) -> None:
    first = must("git", "-C", folder, "rev-parse", "HEAD")
    with calibvcs.open(folder, sign=True) as repository:
        commit = add(repository)
        assert repository.verify().signatures is None
        found = repository.verify(signatures=True)
        counts = found.signatures
        assert (counts.good, counts.bad, counts.unknown, counts.missing, found.sound) == (2, 0, 0, 1, True)
        found = repository.verify(signatures=True, require=True)
        assert [(one.level, one.path, one.text) for one in found.findings] == [
            ("error", f"commit {first[:12]}", "signature missing")
        ]
        assert repository.verify(signatures=True, require=True, since=first).sound
        evil = forged(folder, commit, CHANGES["text"])
        must("git", "-C", folder, "update-ref", "refs/heads/main", evil)
        found = repository.verify(signatures=True)
        assert not found.sound
        assert found.findings[0].path == f"commit {evil[:12]}"
        assert found.findings[0].text.startswith("signature bad")


# --- signing that fails ---------------------------------------------------------------------------------------------


def fails(folder: Path, error: type[CalibvcsError]) -> CalibvcsError:
    """Try to add and to tag; return the error, after a look that nothing has changed."""

    def state() -> list[str]:
        looks = (["for-each-ref"], ["status", "--porcelain"], ["reflog", "--all"], ["stash", "list"])
        return [must("git", "-C", folder, *look) for look in looks]

    before = state()
    with calibvcs.open(folder, sign=True) as repository:
        with pytest.raises(error):
            repository.tag.create("golden", message="All good")
        with pytest.raises(error) as caught:
            repository.detector.add("opal1000-2")
    assert state() == before
    kinds = must("git", "-C", folder, "cat-file", "--batch-all-objects", "--batch-check=%(objecttype)").split()
    commits = int(must("git", "-C", folder, "rev-list", "--all", "--count"))
    assert (kinds.count("commit"), kinds.count("tag")) == (commits, 0)
    assert caught.value.problem
    assert caught.value.hint
    with calibvcs.open(folder, sign=False) as repository:
        repository.detector.add("opal1000-3")
    return caught.value


def test_a_missing_program_loses_nothing(keys: Keys, folder: Path) -> None:
    variable = "gpg.ssh.program" if keys.form == "ssh" else "gpg.program"
    must("git", "config", "--global", variable, "/nowhere/sign")
    error = fails(folder, MissingProgramError)
    assert "/nowhere/sign" in error.problem
    assert variable in error.hint
    must("git", "config", "--global", "--unset", variable)
    with calibvcs.open(folder, sign=True) as repository:
        commit = add(repository)
    must("git", "config", "--global", variable, "/nowhere/sign")
    found = ours(folder, commit)
    assert (found.state, "/nowhere/sign" in found.detail) == ("unknown", True)


def test_a_program_that_fails_loses_nothing(keys: Keys, folder: Path) -> None:
    variable = "gpg.ssh.program" if keys.form == "ssh" else "gpg.program"
    must("git", "config", "--global", variable, shutil.which("false") or "false")
    assert fails(folder, SigningFailedError).exit_code == 6


def test_a_key_that_is_not_there_loses_nothing(keys: Keys, folder: Path, tmp_path: Path) -> None:
    must("git", "config", "--global", "user.signingkey", "nobody@nowhere" if keys.form != "ssh" else tmp_path / "no")
    error = fails(folder, NoSigningKeyError)
    assert error.exit_code == 2
    assert "user.signingkey" in error.hint


def test_no_key_at_all_loses_nothing(ssh: Keys, folder: Path) -> None:
    must("git", "config", "--global", "--unset", "user.signingkey")
    assert "neither user.signingkey nor" in fails(folder, NoSigningKeyError).problem


def test_a_wrong_passphrase_loses_nothing(
    ssh: Keys, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = tmp_path / "answer"
    monkeypatch.setenv("SSH_ASKPASS", str(answer))
    monkeypatch.setenv("SSH_ASKPASS_REQUIRE", "force")
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    must("git", "config", "--global", "user.signingkey", ssh.folder / "guarded")
    answer.write_text("#!/bin/sh\necho wrong\n")
    answer.chmod(0o755)
    assert "incorrect passphrase" in fails(folder, SigningFailedError).problem
    answer.write_text("#!/bin/sh\necho secret\n")
    with calibvcs.open(folder, sign=True) as repository:
        add(repository)
    assert ours(folder, "HEAD").state == "unknown"  # it is signed, by a key that nobody listed


def test_an_init_that_cannot_sign_makes_nothing(ssh: Keys, tmp_path: Path) -> None:
    must("git", "config", "--global", "commit.gpgsign", "true")
    must("git", "config", "--global", "gpg.ssh.program", "/nowhere/sign")
    with pytest.raises(MissingProgramError):
        calibvcs.init(tmp_path / "new")
    assert not (tmp_path / "new").exists()
    must("git", "config", "--global", "--unset", "gpg.ssh.program")
    calibvcs.init(tmp_path / "new")
    assert theirs(tmp_path / "new", "HEAD")


# --- ssh ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["key::", ""])
def test_a_key_in_the_configuration_itself_is_that_of_the_agent(
    ssh: Keys, folder: Path, prefix: str, monkeypatch: pytest.MonkeyPatch, private_home: Path
) -> None:
    with tempfile.TemporaryDirectory(prefix="sa") as short:
        socket = f"{short}/agent"
        agent = subprocess.Popen(["ssh-agent", "-D", "-a", socket], stdout=subprocess.DEVNULL)
        try:
            monkeypatch.setenv("SSH_AUTH_SOCK", socket)
            for _ in range(200):
                if run("ssh-add", ssh.folder / "grace").returncode == 0:
                    break
            public = (ssh.folder / "grace.pub").read_text().strip()
            must("git", "config", "--global", "user.signingkey", f"{prefix}{public}")
            with calibvcs.open(folder, sign=True) as repository:
                add(repository)
            assert theirs(folder, "HEAD")
            must("git", "config", "--global", "--unset", "user.signingkey")
            must("git", "config", "--global", "gpg.ssh.defaultKeyCommand", "ssh-add -L")
            with calibvcs.open(folder, sign=True) as repository:
                add(repository, 2)
            assert theirs(folder, "HEAD")
        finally:
            agent.terminate()
            agent.wait()


def test_keys_that_were_revoked_or_are_not_valid_yet_do_not_count(ssh: Keys, folder: Path) -> None:
    with calibvcs.open(folder, sign=True) as repository:
        add(repository)
    public = (ssh.folder / "grace.pub").read_text()
    (ssh.folder / "revoked").write_text(public)
    must("git", "config", "--global", "gpg.ssh.revocationFile", ssh.folder / "revoked")
    assert (theirs(folder, "HEAD"), ours(folder, "HEAD").state) == (False, "revoked")
    must("git", "config", "--global", "--unset", "gpg.ssh.revocationFile")
    allowed = ssh.folder / "allowed"
    for validity, good in (('valid-after="20990101"', False), ('valid-before="20010101"', False), ("", True)):
        allowed.write_text(f"{WHO} {validity} {public}")
        assert (theirs(folder, "HEAD"), ours(folder, "HEAD").state == "good") == (good, good)
    allowed.write_text(f'{WHO} namespaces="mail" {public}')
    assert (theirs(folder, "HEAD"), ours(folder, "HEAD").state == "good") == (False, False)


def test_without_a_list_of_signers_nobody_is_known(ssh: Keys, folder: Path) -> None:
    with calibvcs.open(folder, sign=True) as repository:
        commit = add(repository)
    must("git", "config", "--global", "--unset", "gpg.ssh.allowedSignersFile")
    found = ours(folder, commit)
    assert (found.state, found.detail) == ("unknown", "gpg.ssh.allowedSignersFile is not set")
    assert ours(folder, forged(folder, commit, CHANGES["text"])).state == "bad"


@pytest.mark.parametrize(("level", "good"), [("fully", True), ("ultimate", False), ("undefined", True)])
def test_the_level_of_trust_counts(ssh: Keys, folder: Path, level: str, good: bool) -> None:
    with calibvcs.open(folder, sign=True) as repository:
        add(repository)
    must("git", "config", "--global", "gpg.minTrustLevel", level)
    assert (theirs(folder, "HEAD"), ours(folder, "HEAD").state == "good") == (good, good)


# --- gpg ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("lifetime", "state", "mark"), [("1y", "expired", "Y"), ("0", "revoked", "R")])
def test_a_key_that_has_expired_or_was_revoked_does_not_count(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lifetime: str, state: str, mark: str
) -> None:
    if not shutil.which("gpg"):
        pytest.skip("gpg (Debian: gnupg) is not installed")
    home = tempfile.mkdtemp(prefix="ge")
    monkeypatch.setenv("GNUPGHOME", home)
    past = tmp_path / "past"
    past.write_text('#!/bin/sh\nexec gpg --faked-system-time 20200101T120000 "$@"\n')
    past.chmod(0o755)
    try:
        user = f"Grace Hopper <{WHO}>"
        must(past, "--batch", "--passphrase", "", "--quick-generate-key", user, "ed25519", "sign", lifetime)
        must("git", "config", "--global", "gpg.program", past)
        with calibvcs.open(folder, sign=True) as repository:
            commit = add(repository)
        assert (ours(folder, commit).state, theirs(folder, commit)) == ("good", True)
        must("git", "config", "--global", "gpg.program", "gpg")
        if state == "revoked":
            (certificate,) = Path(home, "openpgp-revocs.d").glob("*.rev")
            text = certificate.read_text().replace(":-----BEGIN", "-----BEGIN")
            must("gpg", "--batch", "--import", stdin=text.encode())
        assert must("git", "-C", folder, "log", "-1", "--format=%G?", commit) == mark
        assert ours(folder, commit).state == state
        with calibvcs.open(folder) as repository:
            assert repository.verify(signatures=True).sound == (state == "expired")
            assert not repository.verify(signatures=True, require=True).sound
    finally:
        run("gpgconf", "--kill", "all")
        shutil.rmtree(home, ignore_errors=True)


# --- configuration --------------------------------------------------------------------------------------------------


def test_the_files_of_the_configuration_and_what_they_include(
    private_home: Path, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (private_home / ".gitconfig").write_text('[include]\n\tpath = more\n[gpg "ssh"]\n\tprogram = ~/bin/keys\n')
    (private_home / "more").write_text('[user]\n\tsigningKey = "~/a b.pub"\n[gpg]\n\tformat = ssh\n')
    (private_home / ".config" / "git").mkdir(parents=True)
    (private_home / ".config" / "git" / "config").write_text("[user]\n\tsigningkey = x\n[tag]\n\tgpgsign\n")
    found = settings.signing(folder / ".git")
    assert (found.form, found.key, found.ssh_keygen) == ("ssh", "~/a b.pub", f"{private_home}/bin/keys")
    assert (found.tags, found.commits) == (True, False)
    for number, (key, value) in enumerate([("commit.gpgSign", "yes"), ("gpg.ssh.allowedSignersFile", "~/signers")]):
        monkeypatch.setenv(f"GIT_CONFIG_KEY_{number}", key)
        monkeypatch.setenv(f"GIT_CONFIG_VALUE_{number}", value)
    monkeypatch.setenv("GIT_CONFIG_COUNT", "2")
    found = settings.signing(folder / ".git")
    assert (found.commits, found.allowed_signers) == (True, f"{private_home}/signers")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "none"))
    assert settings.signing(folder / ".git").key == ""


def test_a_repository_of_somebody_else_starts_no_programs(
    ssh: Keys, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    must("git", "-C", folder, "config", "gpg.ssh.program", "/nowhere/evil")
    must("git", "-C", folder, "config", "gpg.ssh.revocationFile", "/nowhere/list")
    assert settings.signing(folder / ".git").ssh_keygen == "/nowhere/evil"
    monkeypatch.setattr("os.geteuid", lambda: 12345)
    (folder / ".git" / "config").chmod(0o644)
    owner = (folder / ".git" / "config").stat().st_uid
    found = settings.signing(folder / ".git")
    assert found.ssh_keygen == ("/nowhere/evil" if owner == 0 else "ssh-keygen")
    assert found.revoked == "/nowhere/list"


@pytest.mark.parametrize(("name", "value"), [("gpg.format", "x509"), ("gpg.minTrustLevel", "high")])
def test_values_that_are_not_known(folder: Path, name: str, value: str) -> None:
    must("git", "-C", folder, "config", name, value)
    with pytest.raises(InvalidOptionError) as caught:
        settings.signing(folder / ".git")
    assert name in caught.value.problem
    assert value in caught.value.problem


def test_no_configuration_of_git_is_told(folder: Path, private_home: Path) -> None:
    (private_home / ".gitconfig").write_text("[user\nname\n")
    with calibvcs.open(folder) as repository, pytest.raises(CalibvcsError) as caught:
        repository.detector.add("opal1000-1")
    assert ".gitconfig" in caught.value.problem
