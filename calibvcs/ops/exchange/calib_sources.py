"""Sources of a calib directory and detectors of the repository: which one means which."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from calibvcs.errors import CalibvcsError, InvalidOptionError
from calibvcs.formats.calib.calib_directory import Source
from calibvcs.model.names import ConstantName, DetectorName

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from calibvcs.ops.catalogue import Catalogue


def usual_name(source: Source) -> DetectorName:
    """Return the detector that a source means where nobody said otherwise.

    The type is the device, the id the whole source in lower case with ``-`` for ``:``, as the Detector Calibration
    Store has it: ``CxiEndstation.0:Jungfrau.0`` is ``jungfrau-cxiendstation.0-jungfrau.0``.

    Raises
    ------
    InvalidNameError
        If the device is a word that is reserved.
    """
    return DetectorName.parse(f"{source.device.lower()}-{str(source).lower().replace(':', '-')}")


def parse_mapping(given: Sequence[str]) -> dict[Source, DetectorName]:
    """Return what ``SOURCE=DETNAME`` says.

    Raises
    ------
    InvalidOptionError
        If one is not of that form, or a source is named twice.
    InvalidNameError
        If a name breaks the grammar.
    """
    mapping: dict[Source, DetectorName] = {}
    for text in given:
        source_text, equals, name = text.rpartition("=")
        if not equals:
            raise InvalidOptionError("--map", text, "SOURCE=DETNAME is needed", "--map CxiDs2.0:Cspad.0=cspad-000001")
        source = Source.parse(source_text.strip())
        if source in mapping:
            raise InvalidOptionError("--map", text, f"{source} is {mapping[source]} already", "name it once")
        mapping[source] = DetectorName.parse(name.strip())
    return mapping


class Sources:
    """What sources and detectors mean in one state of the repository.

    Parameters
    ----------
    catalogue : Catalogue
        The commit, whose aliases and detectors may name sources.
    mapping : mapping of Source to DetectorName
        What the user said, which goes before all of that.
    """

    def __init__(self, catalogue: Catalogue, mapping: Mapping[Source, DetectorName]) -> None:
        self._catalogue = catalogue
        self._mapping = mapping

    def detector(self, source: Source) -> DetectorName:
        """Return the detector that a source means.

        The user's word goes first, then an alias with this source, then a detector that has it as its long name, then
        the usual name.

        Raises
        ------
        InvalidOptionError
            If several detectors have this source.
        """
        if source in self._mapping:
            return self._mapping[source]
        for known in (self._of_aliases, self._of_longnames):
            meant = sorted({name for name, named in known if named == source})
            if len(meant) > 1:
                allowed = f"it may be {', '.join(map(str, meant))}"
                raise InvalidOptionError("source", str(source), allowed, f"say which one: --map {source}={meant[0]}")
            if meant:
                return meant[0]
        return usual_name(source)

    def source(self, detector: DetectorName) -> Source:
        """Return the source that a detector is called by.

        In the same order as `detector`; in place of the usual name, what its constants have as their origin.

        Raises
        ------
        InvalidOptionError
            If none is known, or several are.
        """
        mapped = [(name, source) for source, name in self._mapping.items()]
        for known in (mapped, self._of_aliases, self._of_longnames, self._of_origins(detector)):
            meant = sorted({source for name, source in known if name == detector})
            if len(meant) > 1:
                allowed = f"it may be {', '.join(map(str, meant))}"
                raise InvalidOptionError("detector", str(detector), allowed, f"say which: --map {meant[0]}={detector}")
            if meant:
                return meant[0]
        allowed = "its name in the DAQ of LCLS-I is not known, such as CxiEndstation.0:Jungfrau.0"
        raise InvalidOptionError("detector", str(detector), allowed, f"say it: --map SOURCE={detector}")

    @cached_property
    def _of_aliases(self) -> list[tuple[DetectorName, Source]]:
        return _parsed((row.detector, row.source) for row in self._catalogue.aliases)

    @cached_property
    def _of_longnames(self) -> list[tuple[DetectorName, Source]]:
        return _parsed((name, self._catalogue.detector(name).longname) for name in self._catalogue.detectors)

    def _of_origins(self, detector: DetectorName) -> list[tuple[DetectorName, Source]]:
        catalogue = self._catalogue
        names = [
            ConstantName(detector, ctype, validity)
            for ctype in catalogue.ctypes(detector)
            for validity in catalogue.ranges(detector, ctype)
        ]
        return _parsed((detector, catalogue.metadata(name).origin.source) for name in names)


def _parsed(rows: Iterable[tuple[DetectorName, str]]) -> list[tuple[DetectorName, Source]]:
    """Return the rows whose text is a source; many aliases and long names are something else."""
    found = []
    for name, text in rows:
        try:
            found.append((name, Source.parse(text)))
        except CalibvcsError:
            continue
    return found
