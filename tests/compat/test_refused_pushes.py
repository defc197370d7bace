"""Attacks on a hosted repository by real pushes: each is refused, with its reason, and nothing is changed."""

from __future__ import annotations

import io
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.compat.forge import ACCESS, FIRST, ONE, TWO, Forge, build_server, constant, forge_of, meta, npy

Attack = Callable[[Forge], list[str]]
ATTACKS: dict[str, tuple[str, Attack, str]] = {}
MAIN = "refs/heads/main"
LOCKED, WITHDRAWN = f"{ONE}/pedestals/1000-end", f"{ONE}/pedestals/2000-end"


def attack(user: str, reason: str) -> Callable[[Attack], Attack]:
    """Take a function that returns refspecs into the table."""

    def taken(function: Attack) -> Attack:
        ATTACKS[function.__name__] = user, function, reason
        return function

    return taken


def to_main(commit: str) -> list[str]:
    return [f"{commit}:{MAIN}"]


# --- who and where --------------------------------------------------------------------------------------------------


@attack(
    "plain",
    "no rule lets plain write anything on branch main (rule 2: @experts may write, tag; rule 3: @admins may write, tag, admin; rule 4: lena may write in opal1000/opal1000-2 on branch main)",
)
def write_without_a_rule(forge: Forge) -> list[str]:
    return to_main(forge.change(constant(), by="plain"))


@attack("lena", f"no rule lets lena write {ONE}/pedestals/5000-end/data.npy on branch main (rule 2: @experts")
def write_elsewhere_than_allowed(forge: Forge) -> list[str]:
    return to_main(forge.change(constant(), by="lena"))


@attack("lena", "no rule lets lena write anything on branch cxi")
def write_on_another_branch(forge: Forge) -> list[str]:
    return [f"{forge.change(constant(1, f'{TWO}/pedestals/0-end'), by='lena')}:refs/heads/cxi"]


@attack("plain", "no rule lets plain write anything on branch main")
def move_the_branch_to_a_proposal_that_is_there_already(forge: Forge) -> list[str]:
    return [f"+{forge.refs['refs/heads/proposals/plain/idea']}:{MAIN}"]


@attack("lena", f"no rule lets lena write {ONE}/gain/0-end")
def merge_what_stands_on_another_branch(forge: Forge) -> list[str]:
    foreign = forge.change(constant(1, f"{ONE}/gain/0-end"), by="lena")
    proposed = forge.push("lena", f"{foreign}:refs/heads/proposals/lena/trojan")
    assert proposed[0] == 0, proposed
    return to_main(foreign)


@attack("plain", "its author is Grace Hopper: the address <grace@example.org> is not one of plain@...")
def forged_author(forge: Forge) -> list[str]:
    commit = forge.change(constant(), by="grace", committer="Plain User <plain@example.org>")
    return [f"{commit}:refs/heads/proposals/plain/forged"]


@attack("grace", "its committer is Root: the address <root@example.org> is not one of grace@example.org")
def forged_committer(forge: Forge) -> list[str]:
    return to_main(forge.change(constant(), committer="Root <root@example.org>"))


@attack("grace", "its author is Ada Lovelace: the name 'Ada Lovelace' is not 'Grace Hopper'")
def forged_name_with_the_right_address(forge: Forge) -> list[str]:
    return to_main(forge.change(constant(), author="Ada Lovelace <grace@example.org>"))


@attack("grace", "its author is Root")
def forged_author_below_an_honest_commit(forge: Forge) -> list[str]:
    return to_main(forge.change({}, forge.change(constant(), by="root")))


# --- the rules themselves -------------------------------------------------------------------------------------------

MINE = ACCESS.replace('admins = ["root"]', 'admins = ["root", "grace"]').encode()
ADMIN = "no rule lets grace admin .calibvcs/access.toml on branch main (rule 3: @admins may write, tag, admin)"


@attack("grace", ADMIN)
def change_of_the_rules(forge: Forge) -> list[str]:
    return to_main(forge.change({".calibvcs/access.toml": MINE}))


@attack("grace", ADMIN)
def change_of_the_rules_and_back(forge: Forge) -> list[str]:
    evil = forge.change({".calibvcs/access.toml": MINE})
    return to_main(forge.change({".calibvcs/access.toml": ACCESS.encode()}, evil))


@attack("grace", ADMIN)
def old_rules_brought_back_by_a_merge(forge: Forge) -> list[str]:
    lax = forge.git("rev-parse", f"{forge.main}~2")
    tree = forge.edited(forge.main, {".calibvcs/access.toml": forge.files(lax)[".calibvcs/access.toml"]})
    return to_main(forge.commit(tree, forge.main, lax))


@attack("grace", ADMIN)
def change_of_the_rules_made_by_a_merge_alone(forge: Forge) -> list[str]:
    side = forge.change(constant())
    return to_main(forge.change({".calibvcs/access.toml": MINE}, forge.main, side, on=side))


@attack("grace", ADMIN)
def change_of_the_rules_hidden_in_an_octopus(forge: Forge) -> list[str]:
    sides = [forge.change(constant(n, f"{ONE}/gain/{n}-end")) for n in (1, 2)]
    files = {path: entry for side in sides for path, entry in forge.files(side).items()}
    tree = forge.edited(forge.main, {**files, ".calibvcs/access.toml": MINE})
    return to_main(forge.commit(tree, forge.main, *sides))


@attack("grace", f"{LOCKED}: it is locked: For the beam time")
def others_work_taken_back_by_a_merge(forge: Forge) -> list[str]:
    side = forge.change({f"{LOCKED}/data.npy": npy(9)}, forge.git("rev-parse", f"{forge.main}~1"))
    return to_main(forge.commit(forge.edited(side, {}), forge.main, side))


@attack("plain", "no rule lets plain admin .calibvcs/access.toml on branch proposals/plain/power")
def rules_in_a_proposal(forge: Forge) -> list[str]:
    return [f"{forge.change({'.calibvcs/access.toml': MINE}, by='plain')}:refs/heads/proposals/plain/power"]


@attack("grace", "no rule lets grace admin .gitattributes on branch main")
def attributes_that_spoil_arrays(forge: Forge) -> list[str]:
    return to_main(forge.change({".gitattributes": b"*.npy text eol=crlf\n"}))


@attack("root", ".calibvcs/access.toml: ruels is no key that is known; known are groups, people, rules")
def rules_that_cannot_be_read(forge: Forge) -> list[str]:
    return to_main(
        forge.change({".calibvcs/access.toml": ACCESS.replace("[[rules]]", "[[ruels]]").encode()}, by="root")
    )


@attack("root", "it leaves nobody who may change the rules")
def rules_that_lock_everybody_out(forge: Forge) -> list[str]:
    rules = ACCESS.replace('admins = ["root"]', "admins = []").encode()
    return to_main(forge.change({".calibvcs/access.toml": rules}, by="root"))


@attack("root", "the repository has format 2; this program reads format 1")
def format_that_nobody_reads(forge: Forge) -> list[str]:
    return to_main(forge.change({".calibvcs/repository.toml": b"format = 2\n"}, by="root"))


# --- refs -----------------------------------------------------------------------------------------------------------


@attack("root", "it does not go on from where the branch stands: history is kept")
def history_rewritten(forge: Forge) -> list[str]:
    return [f"+{forge.change(constant(), forge.git('rev-parse', f'{forge.main}~1'), by='root')}:{MAIN}"]


@attack("root", "it does not go on from where the branch stands")
def branch_set_back(forge: Forge) -> list[str]:
    return [f"+{forge.git('rev-parse', f'{forge.main}~3')}:{MAIN}"]


@attack("root", "it does not go on from where the branch stands")
def foreign_history_in_place_of_ours(forge: Forge) -> list[str]:
    return [f"+{forge.commit(forge.edited(forge.main, {}), by='root')}:{MAIN}"]


@attack("root", "refs/heads/cxi: a branch is never deleted")
def branch_deleted(forge: Forge) -> list[str]:
    return [":refs/heads/cxi"]


@attack("root", "it has no parent: a history that is foreign here")
def foreign_history_as_a_branch(forge: Forge) -> list[str]:
    return [f"{forge.commit(forge.edited(forge.main, {}), by='root')}:refs/heads/second"]


@attack("root", "it has no parent: a history that is foreign here")
def foreign_history_merged(forge: Forge) -> list[str]:
    foreign = forge.commit(forge.edited(forge.main, {}), by="root")
    return to_main(forge.commit(forge.edited(forge.main, {}), forge.main, foreign, by="root"))


@attack("root", "it would stand on a blob, not on a commit")
def branch_on_a_file(forge: Forge) -> list[str]:
    return [f"{forge.write('blob', b'x')}:refs/heads/file"]


@attack("root", "it would stand on a tag, not on a commit")
def branch_on_a_tag(forge: Forge) -> list[str]:
    return [f"{forge.tag(forge.main, 'x', by='root')}:refs/heads/tagged"]


@attack("root", "its name is kept for the folder of the proposals")
def branch_in_the_way_of_proposals(forge: Forge) -> list[str]:
    return [f"{forge.main}:refs/heads/proposals"]


@attack("root", "its name is not allowed: 'Main' is not a tag")
def branch_that_differs_in_case(forge: Forge) -> list[str]:
    return [f"{forge.main}:refs/heads/Main"]


@attack("grace", "refs/replace/0000: only branches and tags may be pushed")
def replacement_of_an_object(forge: Forge) -> list[str]:
    return [f"{forge.main}:refs/replace/0000"]


@attack("grace", "refs/notes/commits: only branches and tags may be pushed")
def notes(forge: Forge) -> list[str]:
    return [f"{forge.change({})}:refs/notes/commits"]


@attack("lena", "the proposal belongs to plain, and lena pushes")
def change_of_anothers_proposal(forge: Forge) -> list[str]:
    idea = forge.refs["refs/heads/proposals/plain/idea"]
    return [f"{forge.change(constant(), idea, by='lena')}:refs/heads/proposals/plain/idea"]


@attack("grace", "the proposal belongs to plain, and is not merged")
def deletion_of_anothers_proposal(forge: Forge) -> list[str]:
    return [":refs/heads/proposals/plain/idea"]


@attack("plain", "its name is not allowed")
def proposal_with_a_path_for_a_name(forge: Forge) -> list[str]:
    return [f"{forge.change(constant(), by='plain')}:refs/heads/proposals/plain/a/b"]


@attack("root", "refs/tags/golden: a tag is never moved or deleted")
def tag_moved(forge: Forge) -> list[str]:
    return [f"+{forge.tag(forge.main, 'golden', by='root')}:refs/tags/golden"]


@attack("root", "refs/tags/golden: a tag is never moved or deleted")
def tag_deleted(forge: Forge) -> list[str]:
    return [":refs/tags/golden"]


@attack("plain", "no rule lets plain tag the whole repository on branch main")
def tag_without_a_rule(forge: Forge) -> list[str]:
    return [f"{forge.tag(forge.main, 'mine', by='plain')}:refs/tags/mine"]


@attack("grace", "it stands on a commit itself: a tag says who set it, and why")
def tag_without_a_reason(forge: Forge) -> list[str]:
    return [f"{forge.main}:refs/tags/light"]


@attack("grace", "it stands on a tree, not on a commit")
def tag_on_a_tree(forge: Forge) -> list[str]:
    return [f"{forge.tag(forge.edited(forge.main, {}), 'tree', kind='tree')}:refs/tags/tree"]


@attack("grace", "stands on no branch of this repository")
def tag_on_a_foreign_commit(forge: Forge) -> list[str]:
    return [f"{forge.tag(forge.change(constant()), 'foreign')}:refs/tags/foreign"]


@attack("grace", "stands on no branch of this repository")
def tag_on_a_proposal(forge: Forge) -> list[str]:
    return [f"{forge.tag(forge.refs['refs/heads/proposals/plain/idea'], 'early')}:refs/tags/early"]


@attack("grace", "its object says that its name is 'golden'")
def tag_under_another_name(forge: Forge) -> list[str]:
    return [f"{forge.tag(forge.main, 'golden')}:refs/tags/other"]


@attack("grace", "grace pushes a tag of Root")
def tag_of_somebody_else(forge: Forge) -> list[str]:
    return [f"{forge.tag(forge.main, 'forged', by='root')}:refs/tags/forged"]


@attack("grace", "refs/tags/cxi: a branch has this name")
def tag_named_like_a_branch(forge: Forge) -> list[str]:
    return [f"{forge.tag(forge.main, 'cxi')}:refs/tags/cxi"]


# --- trees ----------------------------------------------------------------------------------------------------------


def odd(path: str, mode: str = "100644", content: bytes = b"x") -> Attack:
    return lambda forge: to_main(forge.change({path: (mode, forge.write("blob", content))}))


for name, (path, mode, reason) in {
    "deep_symlink": (f"{ONE}/gain/0-end/data.npy", "120000", f"{ONE}/gain/0-end/data.npy: it is a symbolic link"),
    "symlink_at_the_top": ("README.md", "120000", "README.md: it is a symbolic link"),
    "executable": ("README.md", "100755", "README.md: it is executable"),
    "mode_of_another_time": ("README.md", "100664", "README.md: its mode is 100664"),
    "folder_of_git": (".git/hooks/post-checkout", "100644", "means .git on some file systems"),
    "folder_of_git_in_capitals": (f"{ONE}/.GIT/config", "100644", f"{ONE}/.GIT: its name means .git on some file systems"),
    "folder_of_git_for_macs": (f"{ONE}/.g\u200cit/config", "100644", "means .git on some file systems"),
    "folder_of_git_for_windows": (f"{ONE}/git~1/config", "100644", "git~1: its name means .git on some file systems"),
    "folder_of_git_with_a_stream": (".git::$INDEX_ALLOCATION/config", "100644", "means .git on some file systems"),
    "folder_of_git_with_a_dot": (f"{ONE}/.git./config", "100644", "means .git on some file systems"),
    "path_with_backslashes": (f"{ONE}/..\\..\\evil", "100644", "is a path in the place of a name"),
    "newline_in_a_name": (f"{ONE}/a\nb", "100644", "a\\nb: its name has control characters"),
    "escape_in_a_name": ("\x1b[2J", "100644", "\\x1b[2J: its name has control characters"),
    "name_that_is_not_utf8": (f"{ONE}/\udcff", "100644", "its name is not UTF-8"),
    "letters_that_look_alike": (f"{ONE}/pedest\u0430ls/0-end/data.npy", "100644", "its name has other letters than ASCII"),
    "detector_in_capitals": ("Opal1000/Opal1000-1/detector.toml", "100644", "'Opal1000-1' is not a detector name"),
    "program_at_the_top": ("install.sh", "100644", "install.sh: format 1 has no such file"),
    "file_too_deep": (f"{FIRST}/more/data.npy", "100644", "format 1 has no such file"),
    "another_file_beside_the_data": (f"{FIRST}/data.pkl", "100644", "format 1 has no such file"),
    "range_that_runs_backwards": (f"{ONE}/gain/9-5/data.npy", "100644", "the range 9-5 is empty"),
    "detector_in_another_folder": ("opal1000/epix100-1/detector.toml", "100644", "is not a folder of a detector"),
}.items():  # fmt: skip
    ATTACKS[name] = "grace", odd(path, mode), reason


@attack("grace", "its name differs from 'README.md' in upper and lower case only")
def names_that_differ_in_case(forge: Forge) -> list[str]:
    return to_main(forge.change({"README.md": b"a", "readme.md": b"b"}))


@attack("grace", "sub: it is a submodule")
def submodule(forge: Forge) -> list[str]:
    return to_main(forge.change({"sub": ("160000", forge.main)}))


@attack("grace", "its name is no name of a file")
def folder_above(forge: Forge) -> list[str]:
    inner = forge.tree([("40000", b"..", forge.tree([("100644", b"evil", forge.write("blob", b"x"))]))])
    tops = [line.split() for line in forge.git("ls-tree", forge.main).splitlines()]
    rows = [(mode.lstrip("0"), name.encode(), found) for mode, _, found, name in tops]
    return to_main(forge.commit(forge.tree([*rows, ("40000", b"zz", inner)]), forge.main))


@attack("grace", "its tree is not in Git's form: a name stands there twice")
def name_that_stands_there_twice(forge: Forge) -> list[str]:
    tops = [line.split() for line in forge.git("ls-tree", forge.main).splitlines()]
    rows = [(mode.lstrip("0"), name.encode(), found) for mode, _, found, name in tops]
    twice = [("100644", b"README.md", forge.write("blob", text)) for text in (b"seen", b"unseen")]
    return to_main(forge.commit(forge.tree([*rows[:2], *twice, *rows[2:]]), forge.main))


@attack("grace", "there is more to be checked than 2000 changed files")
def huge_tree(forge: Forge) -> list[str]:
    blob = ("100644", forge.write("blob", b"x"))
    return to_main(forge.change({f"experiments/e{n}.toml": blob for n in range(3000)}))


@attack("grace", "there is more to be checked than 40 new commits")
def history_without_end(forge: Forge) -> list[str]:
    tip, tree = forge.main, forge.edited(forge.main, {})
    for _ in range(60):
        tip = forge.commit(tree, tip)
    return to_main(tip)


@attack("grace", "opal1000: it is taken away")
def empty_tree(forge: Forge) -> list[str]:
    return to_main(forge.commit(forge.tree([]), forge.main))


@attack("grace", f"{WITHDRAWN}: it is taken away")
def constant_deleted(forge: Forge) -> list[str]:
    return to_main(forge.change({WITHDRAWN: None}))


@attack("grace", "it has 17 parents; at most 16 are allowed")
def octopus_with_too_many_arms(forge: Forge) -> list[str]:
    tree = forge.edited(forge.main, {})
    sides = [forge.commit(tree, forge.main, text=f"{n}\n") for n in range(16)]
    return to_main(forge.commit(tree, forge.main, *sides))


# --- files ----------------------------------------------------------------------------------------------------------


@attack("grace", "it has 64000000 bytes; at most 8000000 may be pushed")
def array_that_inflates_beyond_measure(forge: Forge) -> list[str]:
    return to_main(
        forge.change({f"{ONE}/gain/0-end/data.npy": bytes(64_000_000), f"{ONE}/gain/0-end/meta.toml": meta()})
    )


@attack("grace", "the files of the push have")
def many_large_files(forge: Forge) -> list[str]:
    shape = (1000, 1000)
    edits = {f"{ONE}/gain/{n}-end/{f}": d for n in range(6) for f, d in {"data.npy": npy(n, shape), "meta.toml": meta(shape)}.items()}  # fmt: skip
    return to_main(forge.change(edits))


@attack("grace", "it is a blob of 5000020 bytes; at most 4194304 are read")
def document_that_is_too_large(forge: Forge) -> list[str]:
    return to_main(forge.change({f"{FIRST}/meta.toml": b'dtype = "float32"\n# ' + b"x" * 5_000_000}))


@attack("grace", "meta.toml says float32 (5, 4), the array is float32 (4, 5)")
def metadata_that_lie_of_the_shape(forge: Forge) -> list[str]:
    return to_main(forge.change(constant(shape=(5, 4))))


@attack("grace", "dtype '|O' holds objects; allowed are")
def array_of_pickled_objects(forge: Forge) -> list[str]:
    file = io.BytesIO()
    np.save(file, np.array([{}], dtype=object), allow_pickle=True)
    edits = {f"{ONE}/gain/0-end/data.npy": file.getvalue(), f"{ONE}/gain/0-end/meta.toml": meta((1,))}
    return to_main(forge.change(edits))


@attack("grace", "takes 80 bytes, the file holds 84: 4 bytes too many")
def array_with_something_behind_it(forge: Forge) -> list[str]:
    folder = f"{ONE}/gain/0-end"
    return to_main(forge.change({f"{folder}/data.npy": npy() + b"evil", f"{folder}/meta.toml": meta()}))


@attack("grace", "expected is meta.toml and one of data.npy, geometry.txt, data.txt")
def data_without_metadata(forge: Forge) -> list[str]:
    return to_main(forge.change({f"{ONE}/gain/0-end/data.npy": npy()}))


@attack("grace", "it holds data.npy, data.txt, meta.toml; expected is")
def two_data_files(forge: Forge) -> list[str]:
    return to_main(forge.change({f"{FIRST}/data.txt": b"other data\n"}))


@attack("grace", "detector opal1000-7 has no detector.toml")
def constant_of_an_unknown_detector(forge: Forge) -> list[str]:
    return to_main(forge.change(constant(1, "opal1000/opal1000-7/gain/0-end")))


ALIASES = '[[aliases]]\nalias = "front"\ndetector = "opal1000-1"\nbegin = 500\n'


def table(rows: str) -> dict[str, bytes | tuple[str, str] | None]:
    return {"opal1000/aliases.toml": (ALIASES + rows).encode()}


@attack("lena", "no rule lets lena write opal1000/aliases.toml")
def alias_in_a_table_of_others(forge: Forge) -> list[str]:
    return to_main(forge.change(table('[[aliases]]\nalias = "rear"\ndetector = "opal1000-2"\n'), by="lena"))


@attack("grace", "overlaps front -> opal1000-1 (500-end)")
def alias_that_is_hijacked(forge: Forge) -> list[str]:
    return to_main(forge.change(table('[[aliases]]\nalias = "front"\ndetector = "opal1000-2"\nbegin = 900\n')))


@attack("grace", "hides the detector of this name")
def alias_that_hides_a_detector(forge: Forge) -> list[str]:
    return to_main(forge.change(table('[[aliases]]\nalias = "opal1000-1"\ndetector = "opal1000-2"\n')))


@attack("grace", "overlaps rear -> ")
def aliases_that_clash_only_in_a_merge(forge: Forge) -> list[str]:
    row = '[[aliases]]\nalias = "rear"\ndetector = "{}-1"\n'
    sides = [
        forge.change({f"{t}/{t}-1/detector.toml": b"", f"{t}/aliases.toml": row.format(t).encode()})
        for t in ("epix", "rayonix")
    ]
    files = {path: entry for side in sides for path, entry in forge.files(side).items()}
    return to_main(forge.commit(forge.edited(forge.main, files), *sides))


@attack("grace", "hides the detector of this name")
def detector_that_an_alias_hides(forge: Forge) -> list[str]:
    hidden = forge.change(table('[[aliases]]\nalias = "opal1000-8"\ndetector = "opal1000-2"\n'))
    return to_main(forge.change({"opal1000/opal1000-8/detector.toml": b""}, hidden))


@attack("grace", "means a detector that is not registered")
def alias_of_nothing(forge: Forge) -> list[str]:
    return to_main(forge.change(table('[[aliases]]\nalias = "rear"\ndetector = "opal1000-9"\n')))


@attack("grace", "runs[0].run is -1; expected is a run number")
def run_table_that_breaks_its_rules(forge: Forge) -> list[str]:
    return to_main(forge.change({"experiments/mfx2.toml": b"[[runs]]\nrun = -1\n"}))


# --- states and messages --------------------------------------------------------------------------------------------


@attack("plain", "no rule lets plain write anything on branch main")
def withdrawal_taken_back_by_nobody(forge: Forge) -> list[str]:
    return to_main(forge.change({f"{WITHDRAWN}/meta.toml": meta()}, by="plain"))


@attack("lena", f"no rule lets lena write {WITHDRAWN}/meta.toml")
def withdrawal_taken_back_by_no_expert(forge: Forge) -> list[str]:
    return to_main(forge.change({f"{WITHDRAWN}/meta.toml": meta()}, by="lena"))


@attack("grace", "it is locked: For the beam time")
def locked_constant_replaced(forge: Forge) -> list[str]:
    return to_main(forge.change({f"{LOCKED}/data.npy": npy(9)}))


@attack("grace", "it is locked: For the beam time")
def lock_taken_away_with_the_data(forge: Forge) -> list[str]:
    return to_main(forge.change({f"{LOCKED}/data.npy": npy(9), f"{LOCKED}/meta.toml": meta()}))


@attack("grace", "it is locked: For the beam time")
def locked_constant_withdrawn(forge: Forge) -> list[str]:
    return to_main(forge.change({f"{LOCKED}/meta.toml": meta(withdrawn=True, withdrawn_reason="x")}))


def trailers(action: str, constant: str, more: str = "") -> str:
    return f"Because\n\nCalibvcs-Action: {action}\nCalibvcs-Constant: {constant}\n{more}"


@attack("lena", f"no rule lets lena write {FIRST} on branch main")
def message_that_makes_a_version_elsewhere(forge: Forge) -> list[str]:
    edits = constant(1, f"{TWO}/pedestals/0-end")
    return to_main(forge.change(edits, by="lena", text=trailers("add", "opal1000-1/pedestals/0-end")))


@attack("grace", "its data change, and the message (Calibvcs-Action: lock) does not say so")
def change_of_data_told_as_a_lock(forge: Forge) -> list[str]:
    return to_main(forge.change({f"{FIRST}/data.npy": npy(9)}, text=trailers("lock", "opal1000-1/pedestals/0-end")))


@attack("grace", "its data are not those of commit")
def restored_data_that_never_were(forge: Forge) -> list[str]:
    first = forge.git("log", "--format=%H", "--grep=^First$", forge.main)
    text = trailers("restore", "opal1000-1/pedestals/0-end", f"Calibvcs-Restored: {first}\n")
    return to_main(forge.change({f"{FIRST}/data.npy": npy(9)}, text=text))


@attack("grace", "the message names it, and it is not there")
def message_that_names_what_is_not_there(forge: Forge) -> list[str]:
    return to_main(forge.change(constant(), text=trailers("add", "opal1000-1/gain/0-end")))


@attack("grace", "the comment is empty: every change says why it was made")
def empty_message(forge: Forge) -> list[str]:
    return to_main(forge.change(constant(), text="\n"))


@attack("grace", "control characters")
def message_that_paints_the_terminal(forge: Forge) -> list[str]:
    return to_main(forge.change(constant(), text="Nice\x1b[2J\n"))


@attack("grace", "lies in the future")
def date_in_the_future(forge: Forge) -> list[str]:
    return to_main(forge.change(constant(), at=int(time.time()) + 10**6))


@attack("grace", "lies before that of the commit it was made on")
def date_that_changes_the_past(forge: Forge) -> list[str]:
    return to_main(forge.change(constant(), at=1_000_000_000))


@attack("grace", "its header is not in Git's form")
def author_without_an_address(forge: Forge) -> list[str]:
    return to_main(forge.change(constant(), author="Grace Hopper"))


@attack("grace", "its text is not UTF-8")
def text_of_another_encoding(forge: Forge) -> list[str]:
    return to_main(forge.change(constant(), more="encoding utf-7\n"))


@attack("grace", "it names a parent twice")
def parent_named_twice(forge: Forge) -> list[str]:
    return to_main(forge.commit(forge.edited(forge.main, constant()), forge.main, forge.main))


# --- the table ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def forge(tmp_path_factory: pytest.TempPathFactory) -> Forge:
    folder = tmp_path_factory.mktemp("attacked")
    with pytest.MonkeyPatch.context() as patch:
        for role in ("AUTHOR", "COMMITTER"):
            patch.setenv(f"GIT_{role}_NAME", "Grace Hopper")
            patch.setenv(f"GIT_{role}_EMAIL", "grace@example.org")
        return forge_of(folder, build_server(folder))


def standing(server: Path) -> dict[str, str]:
    lines = subprocess.run(["git", "-C", server, "show-ref"], check=True, capture_output=True, text=True).stdout
    return {ref: found for found, ref in (line.split() for line in lines.splitlines()) if "/lena/" not in ref}


@pytest.mark.parametrize("name", ATTACKS)
def test_attack_is_refused_with_its_reason(name: str, forge: Forge) -> None:
    user, function, reason = ATTACKS[name]
    before = standing(forge.server)
    code, shown = forge.push(user, *function(forge))
    assert code != 0, shown
    assert "pre-receive hook declined" in shown
    assert "calibvcs refuses" in shown
    assert reason in shown
    assert "Traceback" not in shown
    assert standing(forge.server) == before
