"""Where things stand in the tree, and back."""

import pytest

from calibvcs.errors import CalibvcsError
from calibvcs.model import layout
from calibvcs.model.names import ConstantName, DetectorName

JUNGFRAU = DetectorName("jungfrau", "000003")
CONSTANT = ConstantName.parse("jungfrau-000003/pedestals/1767225600-end")
FOLDER = "jungfrau/jungfrau-000003/pedestals/1767225600-end"


def test_the_layout_is_that_of_format_1() -> None:
    assert layout.FORMAT == 1
    assert layout.REPOSITORY_FILE == ".calibvcs/repository.toml"
    assert layout.detector_folder(JUNGFRAU) == "jungfrau/jungfrau-000003"
    assert layout.detector_file(JUNGFRAU) == "jungfrau/jungfrau-000003/detector.toml"
    assert layout.ctype_folder(JUNGFRAU, "pedestals") == "jungfrau/jungfrau-000003/pedestals"
    assert layout.constant_folder(CONSTANT) == FOLDER
    assert layout.aliases_file("jungfrau") == "jungfrau/aliases.toml"
    assert layout.experiment_file("mfx101332224") == "experiments/mfx101332224.toml"
    assert layout.ATTRIBUTES == b"*.npy binary -delta diff=calibvcs\n"


@pytest.mark.parametrize(
    ("ctype", "text", "file"),
    [
        ("pedestals", False, "data.npy"),
        ("geometry", True, "geometry.txt"),
        ("code_geometry", True, "geometry.txt"),
        ("notes", True, "data.txt"),
        ("geometry", False, "data.npy"),
    ],
)
def test_data_have_one_file_name(ctype: str, text: bool, file: str) -> None:
    assert layout.payload_file(ctype, text=text) == file
    assert file in layout.PAYLOAD_FILES


@pytest.mark.parametrize("file", [*layout.PAYLOAD_FILES, layout.META_FILE, "anything"])
def test_the_constant_of_a_file_is_that_of_its_folder(file: str) -> None:
    assert layout.constant_of(f"{FOLDER}/{file}") == CONSTANT


@pytest.mark.parametrize(
    "path",
    ["", "README.md", ".gitattributes", ".calibvcs/repository.toml", ".calibvcs/a/b/c/d", "jungfrau/aliases.toml", FOLDER,
     "jungfrau/jungfrau-000003/detector.toml", "jungfrau/jungfrau-000003/pedestals/ctype.toml", "experiments/mfx1.toml",
     f"{FOLDER}/a/b"],
)  # fmt: skip
def test_other_files_belong_to_no_constant(path: str) -> None:
    assert layout.constant_of(path) is None


@pytest.mark.parametrize(
    "path",
    [
        "jungfrau/jungfrau/pedestals/0-end/data.npy",
        "jungfrau/jungfrau-1/Pedestals/0-end/data.npy",
        "jungfrau/jungfrau-1/pe-destals/0-end/data.npy",
        "jungfrau/jungfrau-1/pedestals/00-end/data.npy",
        "jungfrau/jungfrau-1/pedestals/5-5/data.npy",
        "jungfrau/jungfrau_1/pedestals/0-end/data.npy",  # psana's short name is no folder
        "epix100/jungfrau-1/pedestals/0-end/data.npy",  # not in the folder of its type
        "//pedestals/0-end/data.npy",
        "docs/howto/dark/runs/index.md",
    ],
)
def test_a_file_as_deep_as_a_constant_stands_where_a_constant_would(path: str) -> None:
    with pytest.raises(CalibvcsError):
        layout.constant_of(path)
