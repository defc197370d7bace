"""One set of constants, from the repository into files under temporary names; payloads go through in blocks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from calibvcs.errors import InvalidDataError
from calibvcs.formats import npy
from calibvcs.formats.psana import psana_documents, psana_limits, psana_pickle, shm_index
from calibvcs.formats.psana.shm_index import ShmIndex
from calibvcs.ops.daq.plan import form_limits
from calibvcs.ops.loading import load

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from calibvcs.formats.psana.shm_index import SharedDetector
    from calibvcs.ops.catalogue import Catalogue
    from calibvcs.ops.daq.caches import Cache
    from calibvcs.ops.daq.files import ShmFiles
    from calibvcs.ops.daq.plan import Plan, Planned, PlannedDetector, Refusals
    from calibvcs.ops.daq.selection import Selection, ShmRequest
    from calibvcs.store.protocol import ReadableStore

_BLOCK = 4 << 20


class ShmWriting:
    """One set, from the repository into files under temporary names."""

    def __init__(
        self, catalogue: Catalogue, selection: Selection, planned: Plan, files: ShmFiles, refusals: Refusals
    ) -> None:
        self._catalogue, self._selection, self._plan = catalogue, selection, planned
        self._files, self._refusals = files, refusals
        self._store: ReadableStore = catalogue.snapshot.store
        self._texts: dict[str, str] = {}
        self.for_psana: set[str] = set()
        self.written = 0

    def write(self, caches: Sequence[Cache], request: ShmRequest, seconds: float) -> ShmIndex:
        """Write everything but the index, which is returned."""
        self._texts = {one.shared.blob: self._text(one) for one in self._plan.constants if one.metadata.is_text}
        chosen = {d.found.source.name: self._usable_by_form(d) for d in self._plan.detectors}
        index = self._index(request, seconds)
        new = self._new_payloads()
        made = {cache.file: cache.attributes() for cache in caches if not cache.stands(self._files)}
        sizes = {name: psana_pickle.size_of({"raw": attributes}) for name, attributes in made.items()}
        sizes[psana_pickle.CONSTANTS_FILE] = self._constants_size(chosen)
        run_file = self._run_file()
        needed = sum(new.values()) + sum(sizes.values()) + len(shm_index.encode(index))
        self._files.make_room(needed, index.payloads, [*sizes, *run_file])
        arrays = self._write_payloads(new)
        for name, attributes in made.items():
            self._files.stage(self._files.output_dir / name, psana_pickle.cache_pickle(attributes), sizes[name])
        self._write_constants(self._values(chosen, arrays), sizes[psana_pickle.CONSTANTS_FILE], run_file)
        pickles = (self._files.shared_file(name) for name in [psana_pickle.CONSTANTS_FILE, *run_file])
        return replace(
            index, files=(*pickles, *(self._files.shared_file(cache.file, cache.made_of) for cache in caches))
        )

    def _index(self, request: ShmRequest, seconds: float) -> ShmIndex:
        return ShmIndex(
            commit=self._catalogue.snapshot.commit_id or "",
            repository=self._store.location,
            experiment=self._selection.experiment,
            run=self._selection.run,
            time=self._selection.time,
            written=seconds,
            request=request.recorded(self._selection),
            detectors=tuple(self._with_texts(one) for one in self._plan.detectors),
        )

    def _write_constants(self, constants: psana_pickle.Constants, size: int, run_file: Sequence[str]) -> None:
        names = {d.found.source.name: d.found.source.longname for d in self._plan.detectors}
        path = self._files.output_dir / psana_pickle.CONSTANTS_FILE
        self._files.stage(path, psana_pickle.constants_pickle(names, constants), size)
        for name in run_file:
            again = psana_pickle.constants_pickle(names, constants)
            self._files.stage_same(self._files.output_dir / name, path, again, size)

    def _run_file(self) -> list[str]:
        """Return the name of the file that older versions of psana read, where experiment and run are known."""
        experiment, run = self._selection.experiment, self._selection.run
        return [psana_pickle.run_file(experiment, run)] if experiment and run is not None else []

    def _text(self, planned: Planned) -> str:
        return str(load(self._store, self._catalogue.payload(planned.name)[0], planned.shared.blob, str(planned.name)))

    def _with_texts(self, detector: PlannedDetector) -> SharedDetector:
        shared = detector.shared
        constants = (replace(one, text=self._texts.get(one.blob)) for one in shared.constants)
        return replace(shared, constants=tuple(constants))

    def _usable_by_form(self, detector: PlannedDetector) -> list[Planned]:
        limit = form_limits(detector)
        return [one for one in detector.constants if not self._refusals.left_out(one, limit(one))]

    def _new_payloads(self) -> dict[str, int]:
        """Return the sizes of the payloads that are not there yet, by blob id."""
        arrays = {one.shared.blob: one.shared for one in self._plan.constants if not one.metadata.is_text}
        return {blob: one.size for blob, one in arrays.items() if not self._files.has(one.file, one.size)}

    def _write_payloads(self, new: Mapping[str, int]) -> dict[str, NDArray[Any]]:
        """Write new payloads byte for byte as they stand in the repository, and map all of them."""
        arrays: dict[str, NDArray[Any]] = {}
        for planned in self._plan.constants:
            shared = planned.shared
            if planned.metadata.is_text or shared.blob in arrays:
                continue
            path = self._files.folder / shared.file
            if shared.blob in new:
                staged = self._files.stage(path, self._store.blob_blocks(shared.blob, 0, _BLOCK), shared.size)
                arrays[shared.blob] = npy.read_file(str(staged.path))
                self.written += 1
            else:
                arrays[shared.blob] = npy.read_file(str(path))
            if arrays[shared.blob].shape != shared.shape or arrays[shared.blob].dtype.name != shared.dtype:
                found = arrays[shared.blob]
                reason = f"the data are {found.dtype.name} {found.shape}, meta.toml says {shared.dtype} {shared.shape}"
                raise InvalidDataError(shared.constant, reason, "calibvcs verify lists all such constants")
        return arrays

    def _constants_size(self, chosen: Mapping[str, list[Planned]]) -> int:
        """Return how large the pickle of constants will be at most, its arrays in the dtypes that psana wants."""
        size = 1024
        for one in (one for constants in chosen.values() for one in constants):
            size += 1024 + psana_pickle.size_of(one.shared.document)
            if one.metadata.is_text:
                size += len(self._texts[one.shared.blob].encode())
            else:
                dtype = np.dtype(psana_documents.PSANA_DTYPES.get(one.name.ctype, one.metadata.dtype))
                size += dtype.itemsize * int(np.prod(one.shared.shape, dtype=np.int64))
        return size + sum(256 + 4 * len(d.found.source.longname) for d in self._plan.detectors)

    def _values(
        self, chosen: Mapping[str, list[Planned]], arrays: Mapping[str, NDArray[Any]]
    ) -> psana_pickle.Constants:
        """Return what psana gets: for each detector ctype -> (value, document), None where there is no detector."""
        found: dict[str, dict[str, tuple[psana_pickle.Value, psana_documents.Document]] | None] = {}
        for detector in self._plan.detectors:
            name, record = detector.found.source.name, detector.found.detector
            if record is None:
                found[name] = None
                continue
            values: dict[str, tuple[psana_pickle.Value, psana_documents.Document]] = {}
            for one in chosen[name]:
                value = self._value(detector, one, arrays)
                if value is not None:
                    values[one.name.ctype] = value, one.shared.document
                    self.for_psana.add(f"{name}/{one.name.ctype}")
            found[name] = values
        return found

    def _value(
        self, detector: PlannedDetector, planned: Planned, arrays: Mapping[str, NDArray[Any]]
    ) -> psana_pickle.Value | None:
        record = detector.found.detector
        ctype, blob = planned.name.ctype, planned.shared.blob
        if planned.metadata.is_text:
            text = self._texts[blob]
            return self._geometry(planned, text) if ctype == "geometry" else text
        array = arrays[blob]
        if record and self._refusals.left_out(planned, psana_limits.unusable_values(record, ctype, array)):
            return None
        wanted = psana_documents.PSANA_DTYPES.get(ctype, array.dtype.name)
        return array if array.dtype.name == wanted else psana_pickle.AsType(array, wanted)

    def _geometry(self, planned: Planned, text: str) -> str | None:
        unusable = psana_limits.unusable_geometry(text)
        cleaned = ""
        try:
            cleaned = psana_documents.geometry_text(text, str(planned.name))
        except InvalidDataError as error:
            unusable = psana_limits.Unusable(error.reason, needed=True)
        return None if self._refusals.left_out(planned, unusable) else cleaned
