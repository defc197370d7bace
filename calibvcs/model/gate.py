"""The gate: what new data must satisfy before they become a default. Each refusal names value and limit."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from calibvcs.errors import Refusal, nearest
from calibvcs.model.constant_types import KNOWN
from calibvcs.model.detector import DETECTOR_TYPES
from calibvcs.model.value_facts import ValueFacts, value_facts

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray

    from calibvcs.model.array_difference import ArrayDifference
    from calibvcs.model.constant_types import ConstantType
    from calibvcs.model.detector import Detector


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the gate says.

    Attributes
    ----------
    refusals : tuple of Refusal
        Reasons to refuse; with a reason of their own, experts may force the data in.
    warnings : tuple of str
        What is unusual, but no reason to refuse.
    """

    refusals: tuple[Refusal, ...] = ()
    warnings: tuple[str, ...] = ()

    def __add__(self, other: Verdict) -> Verdict:
        return Verdict(self.refusals + other.refusals, self.warnings + other.warnings)


@dataclass(frozen=True, slots=True)
class Level:
    """The median of a segment of one gain range, in the new data and in the previous ones.

    Attributes
    ----------
    gain : int or None
        The gain range; None where the array has no such axis.
    new, old : float
        Medians of the finite values, in the unit of the constant; NaN where no value is finite.
    """

    gain: int | None
    new: float
    old: float


def check_ctype(ctype: str, present: Collection[str]) -> Verdict:
    """Refuse a ctype that neither calibvcs nor the repository knows: it may be a slip of the pen.

    Parameters
    ----------
    ctype : str
        Calibration type of the new data.
    present : collection of str
        Ctypes that the repository has already.

    Returns
    -------
    Verdict
        A refusal with the nearest names, or nothing.
    """
    if ctype in KNOWN or ctype in present:
        return Verdict()
    names = ", ".join(nearest(ctype, [*KNOWN, *present])) or "pedestals, pixel_gain, geometry, ..."
    return Verdict((Refusal("ctype", f"{ctype!r} is new here", f"a known ctype (nearest: {names})"),))


def check_form(shape: tuple[int, ...], dtype: str, spec: ConstantType, detector: Detector) -> Verdict:
    """Check dtype and shape against what is known of the ctype and declared of the detector.

    Parameters
    ----------
    shape : tuple of int
        Shape of the array.
    dtype : str
        numpy dtype, for example ``float32``.
    spec : ConstantType
        What is known of the ctype.
    detector : Detector
        The detector; one that declares its segments is checked against them.

    Returns
    -------
    Verdict
        Refusals and warnings.
    """
    if spec.kind == "text":
        return Verdict((Refusal("dtype", f"an array of {dtype}", f"text, since {spec.name} is text"),))
    refusals = []
    if spec.dtypes and dtype not in spec.dtypes:
        advice = f"{' or '.join(spec.dtypes)}; convert with array.astype('{spec.dtypes[0]}')"
        refusals.append(Refusal("dtype", dtype, advice))
    if not spec.per_pixel:
        if spec.name in KNOWN and len(shape) != 1:
            refusals.append(Refusal("shape", f"{shape} has {len(shape)} axes", "one axis of values"))
        return Verdict(tuple(refusals))
    return Verdict(tuple(refusals)) + _check_axes(shape, spec, detector)


def _check_axes(shape: tuple[int, ...], spec: ConstantType, detector: Detector) -> Verdict:
    gains = detector.type.gains if spec.per_gain else 1
    full = (*((gains,) if gains > 1 else ()), len(detector.segments) or "segments", "rows", "columns")
    expected = f"({', '.join(map(str, full))}) for {spec.name} of {detector.name}"
    if not 2 <= len(shape) <= 4:
        return Verdict((Refusal("shape", f"{shape} has {len(shape)} axes", expected),))
    has_gains = len(shape) == 4
    if has_gains and gains > 1 and shape[0] != gains:
        return Verdict((Refusal("shape", f"{shape} has {shape[0]} gain ranges", expected),))
    found = shape[-3] if len(shape) > 2 else 1
    known = detector.name.dettype in DETECTOR_TYPES or not spec.per_gain
    odd = known and (gains > 1) != has_gains  # of a type that is not known, nobody knows whether it has gain ranges
    if detector.segments and (found != len(detector.segments) or odd):
        axis = f" and {'a' if has_gains else 'no'} gain axis" if odd else ""
        limit = f"{expected}: it declares {len(detector.segments)} segments"
        return Verdict((Refusal("shape", f"{shape} has {found} segments{axis}", limit),))
    declared = detector.parameters.get("panel_shape")
    panel = detector.panel_shape
    if panel and shape[-2:] != panel and declared is not None:
        return Verdict((Refusal("shape", f"{shape} has panels of {shape[-2:]}", f"{panel}, as the detector declares"),))
    warnings = []
    if odd:
        warnings.append(f"{shape} has {len(shape)} axes; usual is {expected}")
    if panel and shape[-2:] != panel:
        warnings.append(f"panels of {shape[-2:]}; a full panel of a {detector.name.dettype} has {panel}")
    return Verdict((), tuple(warnings))


def check_values(array: NDArray[Any], spec: ConstantType) -> Verdict:
    """Check that the values are finite, not all zero, and of the kind that the ctype holds.

    Parameters
    ----------
    array : ndarray
        The new data, any shape and plain dtype.
    spec : ConstantType
        What is known of the ctype.

    Returns
    -------
    Verdict
        Refusals.
    """
    facts = sum((value_facts(block, spec.array_kind) for block in _blocks(array)), ValueFacts())
    return judge_values(facts, spec)


def judge_values(facts: ValueFacts, spec: ConstantType) -> Verdict:
    """Judge values that were looked at already.

    Parameters
    ----------
    facts : ValueFacts
        What they are, all of them.
    spec : ConstantType
        What is known of the ctype.

    Returns
    -------
    Verdict
        Refusals.
    """
    refusals = []
    if facts.nonfinite:
        refusals.append(Refusal("finite", f"{facts.nonfinite} of {facts.size} values are NaN or infinite", "0"))
    if not spec.zeros and facts.zero:
        refusals.append(Refusal("not all zero", f"all {facts.size} values are zero", "at least one that is not"))
    if spec.kind == "mask" and facts.others:
        value = f"{facts.others} of {facts.size} values are neither, the first is {facts.example}"
        refusals.append(Refusal("mask", value, "1 (good) and 0 (bad)"))
    return Verdict(tuple(refusals))


def check_change(difference: ArrayDifference, levels: Sequence[Level], spec: ConstantType, against: str) -> Verdict:
    """Check new data against the ones they replace or follow.

    Parameters
    ----------
    difference : ArrayDifference
        New minus previous.
    levels : sequence of Level
        Medians of both, which a limit `max_factor` is held against; without that limit they are not looked at.
    spec : ConstantType
        The limits.
    against : str
        Name of the previous constant, for the message.

    Returns
    -------
    Verdict
        Refusals.
    """
    if difference.shape_a != difference.shape_b:
        return Verdict((Refusal("shape", f"{difference.shape_b}", f"{difference.shape_a}, as in {against}"),))
    refusals = []
    segments = difference.segments
    if spec.max_drift is not None and segments:
        worst = max(segments, key=lambda s: abs(s.median))
        if abs(worst.median) > spec.max_drift:
            where = _where(worst.gain, worst.segment)
            value = f"median change {worst.median:+.6g} {spec.unit}{where}"
            refusals.append(Refusal("drift", value, f"{spec.max_drift:g} {spec.unit} against {against}"))
    if spec.max_factor is not None:
        for gain in dict.fromkeys(level.gain for level in levels):
            parts = [level for level in levels if level.gain == gain]
            new, old = _median([level.new for level in parts]), _median([level.old for level in parts])
            factor = new / old if old else float("inf" if new else 1)
            if not 1 / spec.max_factor <= factor <= spec.max_factor:
                value = f"median {new:.6g} {spec.unit}{_where(gain, None)}, before {old:.6g}"
                limit = f"a factor of {spec.max_factor:g}, either way and of the same sign, against {against}"
                refusals.append(Refusal("scale", value, limit))
    if spec.max_changed_fraction is not None:
        turned = sum((s.new_bad or 0) + (s.cleared_bad or 0) for s in segments)
        fraction = turned / difference.pixels
        if fraction > spec.max_changed_fraction:
            value = f"{turned} of {difference.pixels} pixels ({fraction:.1%}) turn good or bad"
            refusals.append(Refusal("changed pixels", value, f"{spec.max_changed_fraction:.0%} against {against}"))
    return Verdict(tuple(refusals))


def _median(medians: list[float]) -> float:
    finite = [median for median in medians if math.isfinite(median)]
    return statistics.median(finite) if finite else math.nan


def _where(gain: int | None, segment: int | None) -> str:
    parts = [f"{name} {number}" for name, number in (("gain", gain), ("segment", segment)) if number is not None]
    return f" in {', '.join(parts)}" if parts else ""


def _blocks(array: NDArray[Any]) -> list[NDArray[Any]]:
    """Cut an array into pieces that stay in the processor's cache."""
    flat = array.reshape(-1)
    return [flat[begin : begin + (1 << 18)] for begin in range(0, flat.size, 1 << 18)]
