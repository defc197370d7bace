"""``add-small``: a small constant beside few and beside many others, and many constants in one commit."""

from __future__ import annotations

import itertools

import numpy as np

import calibvcs
from tests.bench import fast_import
from tests.bench.harness import Way, difference, measure
from tests.bench.results import Row, Table, Target
from tests.bench.surroundings import folder, git

CAMERA = fast_import.camera(1)
FIRST, STEP = 1_500_000_000, 600


def run(*, quick: bool) -> list[Table]:
    """Measure."""
    return [
        _beside(10, 200 if quick else 10_000, 2 if quick else 15),
        _manifest(50 if quick else 1_000, 1 if quick else 5),
    ]


def _beside(few: int, many: int, rounds: int) -> Table:
    counter = itertools.count(1_000_000)
    few_name, many_name = (f"calibvcs: add, ctype of {n:,} ranges" for n in (few, many))
    alone, rest = (
        f"calibvcs: the tree of {many:,} ranges alone",
        f"calibvcs: add, ctype of {many:,} ranges, without the tree",
    )
    with folder() as work:
        for ranges in (few, many):
            fast_import.build(
                work / str(ranges), [[f"{CAMERA}/pedestals/{FIRST + STEP * n}-end" for n in range(ranges)]]
            )
        tree_id = git(work / str(many), "rev-parse", f"HEAD:opal1000/{CAMERA}/pedestals").decode().strip()
        tree = git(work / str(many), "cat-file", "tree", tree_id)
        with calibvcs.open(work / str(few)) as one, calibvcs.open(work / str(many)) as other:
            repositories = {few: one, many: other}
            stored = other._session.store  # the same writer that writes the trees

            def add(ranges: int) -> Way:
                def run() -> str:
                    number = next(counter)
                    data = fast_import.tiny(number)
                    added = repositories[ranges].add(
                        CAMERA, "pedestals", data, begin=FIRST + STEP * number, message="Dark"
                    )
                    return str(added.constants[0].constant)

                def kept(constant: object) -> bool:
                    found = git(work / str(ranges), "show", f"HEAD:opal1000/{constant}/data.npy")
                    number = (int(str(constant).split("/")[-1].partition("-")[0]) - FIRST) // STEP
                    return found == fast_import.npy(number)

                return Way(run, kept)

            def put() -> str:
                return stored.put_blob([next(counter).to_bytes(4, "little"), tree])

            def there(blob: object) -> bool:
                return git(work / str(many), "cat-file", "blob", blob)[4:] == tree

            rows = measure({few_name: add(few), many_name: add(many), alone: Way(put, there)}, rounds)
        rows.append(difference(rest, rows, many_name, alone))
        for ranges in (few, many):
            git(work / str(ranges), "fsck", "--strict")
    about = f"pedestals of 4 x 4 pixels, durably; the tree of {many:,} ranges has {len(tree) / 1e3:.0f} kB"
    return Table("add small", about, tuple(rows), few_name, (Target(rest, 2, few_name, label=f"beside {few}"),))


def _manifest(constants: int, rounds: int) -> Table:
    counter = itertools.count()
    manifest, one_by_one = f"calibvcs: add_manifest of {constants:,}", "calibvcs: add, one constant"
    with folder() as work:
        calibvcs.init(work / "ours", bare=True)
        for number in range(constants):
            np.save(work / f"{number}.npy", fast_import.tiny(number))
        with calibvcs.open(work / "ours") as repository:
            repository.detector.add(CAMERA)

            def write() -> None:
                begin = FIRST + constants * STEP * next(counter)
                rows = [
                    f'[[constants]]\ndetector = "{CAMERA}"\nctype = "pedestals"\nfile = "{number}.npy"\n'
                    f"begin = {begin + STEP * number}\n"
                    for number in range(constants)
                ]
                (work / "manifest.toml").write_text('message = "Many"\n\n' + "\n".join(rows))

            def kept(added: object) -> bool:
                names = [str(row.constant) for row in added.constants]  # type: ignore[attr-defined]
                lines = "".join(f"HEAD:opal1000/{name}/data.npy\n" for name in names)
                found = _batch(work / "ours", lines)
                return len(names) == constants and found == b"".join(map(fast_import.npy, range(constants)))

            def one() -> object:
                number = next(counter)
                return repository.add(
                    CAMERA, "pixel_rms", fast_import.tiny(number), begin=FIRST + number, message="Dark"
                ).constants[0]

            ways = {
                manifest: Way(lambda: repository.add_manifest(work / "manifest.toml"), kept, write),
                one_by_one: Way(one, lambda added: str(added.constant).startswith(CAMERA)),  # type: ignore[attr-defined]
            }
            rows: list[Row] = measure(ways, rounds)
    wanted = Target(manifest, constants / 1_000)
    return Table(
        "add many", f"{constants:,} pedestals of 4 x 4 pixels in one commit, durably", tuple(rows), "", (wanted,)
    )


def _batch(where: object, lines: str) -> bytes:
    """Return the contents of many blobs, one after the other, as C Git reads them."""
    import subprocess

    words = ["git", "--git-dir", str(where), "cat-file", "--batch=%(objectsize)"]
    left = subprocess.run(words, input=lines.encode(), check=True, capture_output=True).stdout
    found = []
    while left:
        size, _, left = left.partition(b"\n")
        found.append(left[: int(size)])
        left = left[int(size) + 1 :]
    return b"".join(found)
