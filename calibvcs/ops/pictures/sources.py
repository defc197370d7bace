"""Arrays to be drawn, block by block: out of the store or out of a file, with what is known of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from calibvcs.errors import InvalidOptionError
from calibvcs.model.array_blocks import ArrayKind, Block, blocks, real_values
from calibvcs.model.constant_types import KNOWN, constant_type
from calibvcs.model.layout import ARRAY_FILE
from calibvcs.model.names import ConstantReference, parse_ctype
from calibvcs.model.times import as_text
from calibvcs.ops import payload as payloads
from calibvcs.ops.catalogue import Catalogue
from calibvcs.ops.examination import StoredArray, stored_array
from calibvcs.ops.reference import commit_of, locate
from calibvcs.store.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from calibvcs.model.names import ConstantName


_IMAGES: Final = (2, 3, 4)
"""Numbers of axes that an array of pixels may have."""


@dataclass(frozen=True, eq=False)
class PixelSource:
    """An array that can be read block by block.

    Attributes
    ----------
    label : str
        What it is called: constant and version, or the path of a file.
    ctype, unit : str
        Calibration type and unit.
    kind : {"values", "mask", "status"}
        How the numbers are to be read.
    dtype : str
        Dtype of the data.
    shape : tuple of int
        Shape of the data.
    dims : tuple of str
        Names of their axes.
    name : ConstantName or None
        The constant; None for a file.
    said : str
        Who added it, when and why, in one line; empty for a file.
    data : StoredArray or ndarray
        Where the numbers come from.
    """

    label: str
    ctype: str
    unit: str
    kind: ArrayKind
    dtype: str
    shape: tuple[int, ...]
    dims: tuple[str, ...]
    name: ConstantName | None
    said: str
    data: StoredArray | NDArray[Any]

    @property
    def is_image(self) -> bool:
        """Whether its blocks have rows and columns."""
        return self.dims[-2:] == ("row", "column")

    @property
    def tile(self) -> tuple[int, int]:
        """Rows and columns of a block; what is no image is one row."""
        return self.shape[-2:] if self.is_image else (1, int(np.prod(self.shape, dtype=np.int64)))  # type: ignore[return-value]

    def blocks(self) -> Iterator[tuple[Block, NDArray[Any]]]:
        """Yield the blocks, gain by gain and in it segment by segment, as (rows, columns).

        Yields
        ------
        tuple of Block and ndarray
            Which one, and its values, real numbers; they are valid until the next block is wanted.

        Raises
        ------
        DamagedObjectError, NotHereError
            If the data are missing, or damaged: that may show behind the last block.
        """
        found = list(blocks(self.shape, self.dims)) if self.is_image else [Block(None, None, ())]
        if isinstance(self.data, StoredArray):
            pieces = self.data.pieces(self.tile[0] * self.tile[1])
            for block in found:
                yield block, real_values(next(pieces)).reshape(self.tile)
            next(pieces, None)  # the hash is checked when one more is asked for than there are
        else:
            for block in found:
                yield block, real_values(self.data[block.where].reshape(self.tile))


def is_file(given: str) -> bool:
    """Tell whether what a user gave is the path of a file, by the rule of `diff`."""
    return given.startswith((".", "/", "~")) or Path(given).is_file()


def open_file(given: str, like: PixelSource) -> PixelSource:
    """Return the array of a file.

    Parameters
    ----------
    given : str
        Path.
    like : PixelSource
        What it is compared with, which says how it is to be read.

    Returns
    -------
    PixelSource
        The array.

    Raises
    ------
    MissingFileError, InvalidDataError
        If it cannot be read.
    InvalidOptionError
        If it holds text.
    """
    payload = payloads.from_file(given, like.ctype)
    if payload.array is None:
        raise InvalidOptionError("picture", given, "it is text, of which no picture is made", f"calibvcs diff {given}")
    array, same = payload.array, payload.array.ndim == len(like.shape)
    dims = like.dims if same else tuple(f"axis{number}" for number in range(array.ndim))
    return PixelSource(
        given, like.ctype, like.unit, like.kind, array.dtype.name, array.shape, dims, None, "", array
    )  # fmt: skip


def open_constant(catalogue: Catalogue, given: str, now: float, time: float | None = None) -> PixelSource:
    """Return the array of a constant.

    Parameters
    ----------
    catalogue : Catalogue
        The commit to look at.
    given : str
        ``DET/CTYPE[/RANGE][@VERSION]``; without a range the one in force at `time` is meant, or the only one.
    now : float
        When an alias is to be resolved, UNIX seconds.
    time : float, optional
        UNIX seconds.

    Returns
    -------
    PixelSource
        The array.

    Raises
    ------
    UnknownConstantError, UnknownDetectorError, UnknownVersionError, UnknownRevisionError, NoValidConstantError
        If something that is named is not there.
    InvalidNameError, InvalidOptionError
        If the name leaves open which range is meant; if the constant is text.
    DamagedObjectError, NotHereError
        If the data are missing.
    """
    store = catalogue.snapshot.store
    reference = ConstantReference.parse(given)
    if time is not None and reference.ctype is not None and reference.validity is None and reference.version is None:
        detector = catalogue.resolve(reference.detector, time)
        given = str(catalogue.choose(detector, parse_ctype(reference.ctype), time))
    located = locate(store, catalogue, given, now)
    then, name = Catalogue(Snapshot(store, located.commit_id)), located.constant
    commit = commit_of(catalogue, located)
    said = f"commit {commit.id[:10]}, {commit.author.name}, {as_text(commit.author.time)}: {commit.message.subject}"
    return source_of(then, name, located.label, said)


def source_of(catalogue: Catalogue, name: ConstantName, label: str, said: str = "") -> PixelSource:
    """Return the array of a constant as it is at a commit. Errors are those of `open_constant`."""
    file, entry = catalogue.payload(name)
    if file != ARRAY_FILE:
        advice = f"what it says: calibvcs show {name}; what changed: calibvcs diff {name} OTHER"
        raise InvalidOptionError("picture", str(name), "it is text, of which no picture is made", advice)
    stored = stored_array(catalogue.snapshot.store, entry.id, f"{name}/{file}")
    spec, shape = constant_type(name.ctype), stored.header.shape
    detector = catalogue.detector(name.detector)
    # Of a ctype that nobody knows nothing is demanded; what may be an image is drawn as one.
    unknown = name.ctype not in KNOWN and len(shape) in _IMAGES
    dims = detector.dims(replace(spec, per_pixel=True) if unknown else spec, shape)
    return PixelSource(
        label,
        name.ctype,
        catalogue.metadata(name).unit,
        spec.array_kind,
        stored.dtype.name,
        shape,
        dims,
        name,
        said,
        stored,
    )
