"""Where things stand in the tree: names to paths and back. Pure; the one place that spells the layout out."""

from __future__ import annotations

from calibvcs.errors import InvalidNameError
from calibvcs.model.names import ConstantName, DetectorName, parse_ctype
from calibvcs.model.validity import Validity

FORMAT = 1

REPOSITORY_FILE = ".calibvcs/repository.toml"
ATTRIBUTES_FILE = ".gitattributes"
ATTRIBUTES = b"*.npy binary -delta diff=calibvcs\n"
EXPERIMENTS = "experiments"

ARRAY_FILE = "data.npy"
TEXT_FILE = "data.txt"
GEOMETRY_FILE = "geometry.txt"
PAYLOAD_FILES = (ARRAY_FILE, GEOMETRY_FILE, TEXT_FILE)
META_FILE = "meta.toml"
DETECTOR_FILE = "detector.toml"
CTYPE_FILE = "ctype.toml"
ALIASES_FILE = "aliases.toml"

GEOMETRY_CTYPES = ("geometry", "code_geometry")


def detector_folder(detector: DetectorName) -> str:
    """Return the folder of a detector: ``jungfrau/jungfrau-000003``."""
    return f"{detector.dettype}/{detector}"


def ctype_folder(detector: DetectorName, ctype: str) -> str:
    """Return the folder of a ctype: ``jungfrau/jungfrau-000003/pedestals``."""
    return f"{detector_folder(detector)}/{ctype}"


def constant_folder(constant: ConstantName) -> str:
    """Return the folder of a constant, which ends in its range."""
    return f"{ctype_folder(constant.detector, constant.ctype)}/{constant.validity}"


def payload_file(ctype: str, *, text: bool) -> str:
    """Return the name of the file that holds the data of a constant."""
    if not text:
        return ARRAY_FILE
    return GEOMETRY_FILE if ctype in GEOMETRY_CTYPES else TEXT_FILE


def detector_file(detector: DetectorName) -> str:
    """Return the path of a detector's record."""
    return f"{detector_folder(detector)}/{DETECTOR_FILE}"


def ctype_file(detector: DetectorName, ctype: str) -> str:
    """Return the path of what is recorded of a ctype of a detector."""
    return f"{ctype_folder(detector, ctype)}/{CTYPE_FILE}"


def aliases_file(dettype: str) -> str:
    """Return the path of the alias table of a detector type."""
    return f"{dettype}/{ALIASES_FILE}"


def experiment_file(experiment: str) -> str:
    """Return the path of the run table of an experiment."""
    return f"{EXPERIMENTS}/{experiment}.toml"


def constant_of(path: str) -> ConstantName | None:
    """Return the constant whose folder a path lies in, or None for any other path.

    Raises
    ------
    CalibvcsError
        If the path lies as deep as a constant's file, but its names break the grammar, or the detector does not stand
        in the folder of its type.
    """
    parts = path.split("/")
    if len(parts) != 5 or parts[0].startswith("."):
        return None
    constant = ConstantName(DetectorName.parse(parts[1]), parse_ctype(parts[2]), Validity.parse(parts[3]))
    if not path.startswith(f"{constant_folder(constant)}/"):
        raise InvalidNameError("path of a constant", path, f"{constant_folder(constant)}/{parts[4]}")
    return constant
