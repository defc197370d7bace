"""``cold``: one constant into memory by a new process each time, the start of Python and of its libraries included."""

from __future__ import annotations

import subprocess
import sys

import numpy as np

import calibvcs
from tests.bench import arrays
from tests.bench.harness import Way, measure
from tests.bench.results import Table
from tests.bench.surroundings import folder, has_module, missing

DETECTOR = "jungfrau-000016"
LOAD = "python -c: np.load"
SCRIPTS = {
    LOAD: "import numpy; array = numpy.load('plain.npy')",
    "calibvcs: python -c: open, get": (
        f"import calibvcs; array = calibvcs.open('ours').get('{DETECTOR}', 'pedestals', 5).data"
    ),
    "calibvcs: python -c: open(verify=never), get": (
        f"import calibvcs; array = calibvcs.open('ours', verify='never').get('{DETECTOR}', 'pedestals', 5).data"
    ),
    "python -c: git cat-file": (
        "import io, numpy, subprocess; array = numpy.load(io.BytesIO(subprocess.run("
        "['git', '-C', 'ours', 'cat-file', 'blob', '{blob}'], check=True, stdout=subprocess.PIPE).stdout))"
    ),
    "python -c: dulwich": (
        "import io, numpy, dulwich.repo; array = numpy.load(io.BytesIO(dulwich.repo.Repo('ours')[b'{blob}'].data))"
    ),
    "python -c: pygit2": (
        "import io, numpy, pygit2; array = numpy.load(io.BytesIO(pygit2.Repository('ours')['{blob}'].data))"
    ),
    "python -c: h5py": "import h5py; array = h5py.File('plain.h5')['data'][:]",
}


def run(*, quick: bool) -> list[Table]:
    """Measure."""
    array = arrays.pedestals(arrays.QUICK if quick else arrays.jungfrau(8), 7)
    with folder() as work:
        np.save(work / "plain.npy", array)
        calibvcs.init(work / "ours", bare=True)
        with calibvcs.open(work / "ours") as repository:
            repository.detector.add(DETECTOR)
            blob = repository.add(DETECTOR, "pedestals", array, begin=0, message="Dark run").constants[0].blob
        if has_module("h5py"):
            import h5py

            with h5py.File(work / "plain.h5", "w") as file:
                file.create_dataset("data", data=array)

        def way(script: str) -> Way:
            code = script.replace("{blob}", blob)

            def start(*more: str) -> object:
                return subprocess.run([sys.executable, "-c", "\n".join([code, *more])], cwd=work, check=True)

            def right(_: object) -> bool:
                start("numpy = __import__('numpy')", "numpy.save('read.npy', array)")
                return arrays.same(np.load(work / "read.npy"), array)

            return Way(start, right)

        known = {
            name: script
            for name, script in SCRIPTS.items()
            if all(has_module(library) for library in ("pygit2", "h5py") if library in name)
        }
        rows = measure({name: way(script) for name, script in known.items()}, 1 if quick else 7)
    about = f"float32 pedestals {'x'.join(map(str, array.shape))}, {array.nbytes / 1e6:.0f} MB, loose object; whole processes"
    return [Table("cold", about, tuple(rows), LOAD, (), missing("pygit2", "h5py"))]
