"""Results as JSON: the schema first, and nothing that JSON cannot hold."""

from __future__ import annotations

import importlib
import json
import math
import pkgutil
import sys
from dataclasses import dataclass, field, is_dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

import calibvcs
import calibvcs.ops
from calibvcs import Repository
from calibvcs.api.hosting import check_push
from calibvcs.api.wire import as_json
from calibvcs.model.names import ConstantName, DetectorName
from calibvcs.model.runs import RunKind
from calibvcs.model.times import RunName
from calibvcs.model.validity import Validity
from tests.servers.psana_dumps import write_archive
from tests.servers.psana_web import PsanaDatabase

CAMERA = "opal1000-1"


@dataclass(frozen=True, slots=True)
class Inner:
    """A part of a result."""

    number: Decimal
    validity: Validity


@dataclass(frozen=True)
class Result:
    """A result with everything that results have."""

    schema: ClassVar[str] = "calibvcs.test/1"

    name: object = ConstantName.parse("jungfrau-3/pedestals/0-end")
    floats: tuple[float, ...] = (1.5, math.nan, math.inf, -math.inf)
    inner: Inner = Inner(Decimal("-0.125"), Validity(1))
    decimals: tuple[Decimal, ...] = (Decimal(2), Decimal("NaN"), Decimal("1e999"))
    mixed: dict[Any, Any] = field(
        default_factory=lambda: {
            4: (DetectorName("jungfrau", "3"), RunName("mfx1", 7)),
            "kind": RunKind.DARK,
            "deep": {"a": [(1, None), True]},
        }
    )


def text_of(result: Any) -> str:
    return json.dumps(as_json(result), allow_nan=False)


def test_values() -> None:
    assert list(as_json(Result())) == ["schema", "name", "floats", "inner", "decimals", "mixed"]
    assert json.loads(text_of(Result())) == {
        "schema": "calibvcs.test/1",
        "name": "jungfrau-3/pedestals/0-end",
        "floats": [1.5, None, None, None],
        "inner": {"number": -0.125, "validity": {"begin": 1, "end": None}},
        "decimals": [2.0, None, None],
        "mixed": {"4": ["jungfrau-3", "mfx1:7"], "kind": "dark", "deep": {"a": [[1, None], True]}},
    }


def test_what_is_no_result_is_told(repository: Repository) -> None:
    with pytest.raises(AttributeError):
        as_json(repository.get(CAMERA, "pedestals", 5))


def result_types() -> set[type]:
    """Return every class of the operations that has a schema."""
    modules = [
        importlib.import_module(module.name) for module in pkgutil.walk_packages(calibvcs.ops.__path__, "calibvcs.ops.")
    ]
    found = (value for module in modules for value in vars(module).values())
    types = {value for value in found if isinstance(value, type) and is_dataclass(value) and hasattr(value, "schema")}
    return {value for value in types if value.__module__.startswith("calibvcs.ops.")}


def results(repository: Repository, folder: Path) -> list[Any]:
    """Return results of every verb, on data with every trouble that JSON knows."""
    wild = np.full((4, 5), np.nan, np.float32)
    parameters = {"bias": math.nan, "roi": np.arange(2), "deep": {"a": [1, [2.5]]}}
    status = np.eye(4, 5, dtype=np.uint16)
    geometry = repository.get(CAMERA, "geometry", 5).data
    r = repository
    return [
        *exchanged(folder.parent, folder),
        calibvcs.init(folder.parent / "other"),
        calibvcs.doctor(folder),
        calibvcs.doctor(folder.parent),
        r.add(CAMERA, "pedestals", wild, begin=5, message="x", parameters=parameters, force_reason="The sensor is gone"),
        r.add(CAMERA, "pixel_status", status, begin=5, message="x"),
        r.add(CAMERA, "pixel_status", status * 6, begin=6, message="x"),
        r.add(CAMERA, "geometry", geometry.replace("1.5", "2.25"), begin=6, message="x"),
        r.add(CAMERA, "settings", "gain = 3\n", begin=6, message="x", force_reason="New here"),
        r.choose(CAMERA, "pedestals", 6.5, output=folder.parent / "out.npy"),
        r.why(CAMERA, "pedestals", 6),
        r.why(CAMERA, "pixel_status", 1),
        r.ls(),
        r.log(),
        *(r.show(row.constant) for row in r.ls().constants),
        *(r.diff(f"{CAMERA}/{c}/{a}-end", f"{CAMERA}/{c}/{b}-end") for c, a, b in (
            ("pedestals", 0, 5), ("pixel_status", 5, 6), ("geometry", 0, 6),
        )),
        r.diff("HEAD~5", "HEAD"),
        r.verify(deep=True),
        r.detector.set(CAMERA, parameters=parameters),
        r.detector.show(CAMERA),
        r.param.set(CAMERA, parameters),
        r.alias.import_als(alias_table(folder.parent)),
        r.alias.export_als("opal1000"),
        r.detector.ls(),
        r.alias.ls(),
        r.run.ls(),
        r.tag.create("golden", message="x"),
        r.tag.set_state("golden", "testing"),
        r.tag.accept("golden"),
        r.access.check("ada", "write"),
        r.access.test(b"ada write - main allow\n", "table"),
        r.gc(dry_run=True),
        r.repair(dry_run=True),
        *by_hand(r, folder),
        *bundled(r, folder),
        *shared(folder),
        *computed(r),
        *traced(r, folder.parent),
        r.lock(f"{CAMERA}/pedestals/0-end", message="x"),
    ]  # fmt: skip


def alias_table(place: Path) -> Path:
    """Return a table of aliases, one of which cannot be taken."""
    path = place / "opal1000.als"
    path.write_text(f"rear {CAMERA} 0 end\nother opal1000-77 0 end\n")
    return path


def exchanged(place: Path, folder: Path) -> list[Any]:
    """Return results of the verbs between the repository and other forms, there and back."""
    database, shm = PsanaDatabase(), place / "shm"
    database.name("opal1000_000009", "opal1000_9")
    database.deploy("mfx2", "opal1000_000009", 1_743_000_000, np.ones((4, 5), np.float32), run=3)
    calibvcs.init(place / "taken")
    shm.mkdir()
    with calibvcs.open(folder) as repository, calibvcs.open(place / "taken") as taken:
        repository.alias.add("side", CAMERA, begin=0, source="Lab.0:Opal1000.0")
        found = [
            repository.export_hdf5(place / "hdf5"), taken.import_hdf5(place / "hdf5" / f"{CAMERA}.h5"),
            repository.export_calibdir(place / "calib", experiment="mfx1"),
            repository.in_overlay(place / "calib", CAMERA, "pedestals", "mfx1:7"),
            repository.export_npy(place / "npy"),
            taken.import_psana(write_archive(database, place / "psana.archive")),
            repository.export_shm(shm, detectors=[CAMERA], when=5), repository.check_shm(shm),
        ]  # fmt: skip
    calibvcs.init(place / "grown")
    with calibvcs.open(place / "grown") as grown:
        return [*found, grown.import_tree(folder)]


def traced(repository: Repository, place: Path) -> list[Any]:
    """Return results of the verbs that tell where constants come from."""
    r, constant, file = repository, f"{CAMERA}/pixel_status/6-end", place / "used.toml"
    found = [
        r.lock_file.write(file, [constant]),
        r.lock_file.check(file),
        r.lock_file.restore(file, place / "restored"),
    ]
    command = [sys.executable, "-c", "pass"]
    r.add(CAMERA, "pixel_status", np.eye(4, 5, dtype=np.uint16), begin=6, message="x", inputs=[file], command=command)
    found += [r.lock_file.restore_defaults(file), r.provenance(f"{constant}@v3"), r.recorded("HEAD~1")]
    again = r.rerun("HEAD~1", confirm=lambda _: True, folder=place)
    return [*found, again, r.install_git_drivers()]


def computed(repository: Repository) -> list[Any]:
    """Return results of the verbs that compute."""
    constant = f"{CAMERA}/pixel_status/6-end"
    repository.add(CAMERA, "pixel_status", np.zeros((4, 5), np.uint16), begin=6, message="x")
    r = repository
    found = [r.stats(constant), r.trend("*", segments=True), r.blame(constant), r.pixel_history(constant, 0, 0)]
    # Of the path, the end: a folder of a random name may well have a v2 in it.
    turns = "import sys; sys.exit(sys.argv[1].endswith('v2.npy'))"
    return [*found, r.bisect(constant, [sys.executable, "-c", turns])]


def bundled(repository: Repository, folder: Path) -> list[Any]:
    """Return results of the verbs of a bundle."""
    file = folder.parent / "camera.bundle"
    return [repository.bundle.create(file), repository.bundle.verify(file), repository.bundle.unbundle(file)]


def shared(folder: Path) -> list[Any]:
    """Return results of the verbs between clones, with a conflict and a proposal."""
    hub, one, two = (folder.parent / name for name in ("hub", "one", "two"))
    found = [calibvcs.clone(folder, hub, bare=True), calibvcs.clone(hub, one, detectors=[CAMERA])]
    calibvcs.clone(hub, two)
    with calibvcs.open(one) as first, calibvcs.open(two) as second:
        for number, each in enumerate((first, second)):
            data = np.full((4, 5), 1000 + number, np.float32)
            each.add(CAMERA, "pedestals", data, begin=2_000_000_000, message="x", force_reason="x")
        found += [first.squeeze(ctypes=["*"]), first.push(), second.fetch(), *second.conflicts()]
        found += [second.pull(settle="ours"), second.propose("mine"), first.fetch(), first.proposals()]
        review = first.review("mine")
        found += [review, review.preview, first.merge("mine")]
    return [*found, check_push(hub, [], {"CALIBVCS_USER": "ada"}, "root", 2e9)]


def by_hand(repository: Repository, folder: Path) -> list[Any]:
    """Return results of the verbs of a worktree."""
    file = folder / "opal1000" / CAMERA / "pedestals" / "0-end" / "data.npy"
    np.save(file, np.full((4, 5), 12, np.float32))
    (folder / "notes.txt").write_text("mine")
    found = [repository.status(), repository.commit_edits(message="x")]
    file.unlink()
    return [*found, repository.restore(everything=True)]


def test_every_result_is_json(repository: Repository, folder: Path) -> None:
    got = results(repository, folder)
    assert {type(result) for result in got} == result_types()
    for result in got:
        loaded = json.loads(text_of(result))
        assert next(iter(loaded)) == "schema"
        assert loaded["schema"] == type(result).schema
        assert loaded == as_json(result)  # keys are text, tuples are lists already


def test_sums_stand_beside_what_they_sum_up(repository: Repository, folder: Path) -> None:
    pedestals = as_json(repository.diff(f"{CAMERA}/pedestals/0-end", f"{CAMERA}/pedestals/1767225600-end"))
    array = pedestals["constants"][0]["array"]
    assert (array["changed"], array["pixels"], array["largest_median"], array["same"]) == (20, 20, 10.0, False)
    assert as_json(repository.verify())["sound"] is True
    assert as_json(calibvcs.doctor(folder.parent))["sound"] is False
