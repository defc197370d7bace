"""The image geometry of detectors, computed once, so that no process of psana has to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from calibvcs.errors import CalibvcsError
from calibvcs.formats.psana import psana_documents, psana_limits, psana_pickle
from calibvcs.ops.loading import load

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from calibvcs.ops.catalogue import Catalogue
    from calibvcs.ops.daq.files import ShmFiles
    from calibvcs.ops.daq.plan import Plan, Planned, PlannedDetector, Refusals

_GEOMETRY = "geometry"


@dataclass(frozen=True, slots=True)
class Cache:
    """The image geometry of one detector.

    Attributes
    ----------
    detname : str
        Name of the detector in the run.
    text : str
        Its geometry, as psana reads it.
    segments : tuple of int
        Numbers of the segments in the data; all where it is empty.
    made_of : str
        What it follows from: the same, the same file.
    """

    detname: str
    text: str
    segments: tuple[int, ...]
    made_of: str

    @property
    def file(self) -> str:
        """Name of its file."""
        return psana_pickle.cache_file(self.detname)

    def stands(self, files: ShmFiles) -> bool:
        """Tell whether the file is there already, as it was written, and made of the same."""
        return any(one.name == self.file and one.made_of == self.made_of for one in files.standing)

    def attributes(self) -> Mapping[str, object]:
        """Return what psana keeps of it; takes long.

        Raises
        ------
        InvalidDataError, InvalidOptionError
            If the geometry cannot be understood, or lacks a segment.
        """
        from calibvcs import geometry

        return geometry.detector_cache(geometry.load(self.text), self.segments or None)


def wanted_caches(catalogue: Catalogue, planned: Plan, names: Sequence[str], refusals: Refusals) -> list[Cache]:
    """Return what the image geometry of detectors is made of.

    Parameters
    ----------
    catalogue : Catalogue
        The commit to read.
    planned : Plan
        Everything in force.
    names : sequence of str
        Names of detectors in the run.
    refusals : Refusals
        Where a detector without a geometry that psana can use is told.

    Returns
    -------
    list of Cache
        One for each that has a geometry.

    Raises
    ------
    InvalidDataError
        If the geometry is none that psana can read, and that is not allowed.
    BrokenRepositoryError
        If it is missing or damaged.
    """
    detectors = {one.found.source.name: one for one in planned.detectors}
    caches = [_cache(catalogue, detectors[name], refusals) for name in dict.fromkeys(names)]
    return [cache for cache in caches if cache]


def _cache(catalogue: Catalogue, detector: PlannedDetector, refusals: Refusals) -> Cache | None:
    name = detector.found.source.name
    planned = next((one for one in detector.constants if one.name.ctype == _GEOMETRY), None)
    if planned is None:
        refusals.notes.append(f"{psana_pickle.cache_file(name)} is not written: {name} has no geometry in force")
        return None
    text = _text(catalogue, planned, refusals)
    segments = detector.found.source.segments
    return Cache(name, text, segments, f"{planned.shared.blob} {segments}") if text else None


def _text(catalogue: Catalogue, planned: Planned, refusals: Refusals) -> str:
    """Return the geometry as psana reads it; nothing where it cannot."""
    text = str(load(catalogue.snapshot.store, "geometry.txt", planned.shared.blob, str(planned.name)))
    unusable = psana_limits.unusable_geometry(text)
    try:
        text = psana_documents.geometry_text(text, str(planned.name))
    except CalibvcsError as error:
        unusable = psana_limits.Unusable(error.problem, needed=True)
    return "" if refusals.left_out(planned, unusable) else text
