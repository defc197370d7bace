"""``ctype.toml``: parameters of a calibration type; a file that cannot be read is an error of the format."""

from __future__ import annotations

import pytest

from calibvcs.errors import InvalidDocumentError
from calibvcs.formats.toml import ctype_toml, detector_toml, repository_toml
from calibvcs.model.commits import Person
from calibvcs.model.detector import Detector, ParameterValue
from calibvcs.model.names import DetectorName
from calibvcs.model.repository import RepositorySettings
from calibvcs.ops.catalogue import Catalogue
from calibvcs.ops.verify import verify
from calibvcs.store.memory import MemoryStore
from calibvcs.store.snapshot import Snapshot

PATH = "opal1000/opal1000-1/pedestals/ctype.toml"


def test_what_is_written_is_read() -> None:
    parameters: dict[str, ParameterValue] = {
        "unit": "ADU",
        "dcs": {"history": {"1.000000": "made"}, "parameters": {}},
        "empty": "",
    }
    assert ctype_toml.decode(ctype_toml.encode(parameters), PATH) == parameters
    assert ctype_toml.decode(ctype_toml.encode({"dcs": {}}), PATH) == {"dcs": {}}
    before = b"# by hand\n[parameters]\nunit = 'ADU' # as ever\n"
    assert ctype_toml.encode({"unit": "ADU", "bias": 3}, before).startswith(
        b"# by hand\n[parameters]\nunit = 'ADU' # as"
    )


@pytest.mark.parametrize("data", [b"x", b"\xff", b"parameters = 3", b"[parameters]\na = 1\na = 2"])
def test_what_cannot_be_read(data: bytes, author: Person) -> None:
    with pytest.raises(InvalidDocumentError, match=r"ctype\.toml"):
        ctype_toml.decode(data, PATH)
    name = DetectorName.parse("opal1000-1")
    store = MemoryStore()
    edits = {
        ".calibvcs/repository.toml": repository_toml.encode(RepositorySettings("Constants")),
        "opal1000/opal1000-1/detector.toml": detector_toml.encode(Detector(name)),
        PATH: data,
    }
    blobs = {path: store.put_blob([content]) for path, content in edits.items()}
    tip = store.commit_edits(None, blobs, "By hand\n", *author.sign())
    found = verify(Catalogue(Snapshot(store, tip)))
    assert [finding.path for finding in found.findings if finding.level == "error"] == [PATH]
