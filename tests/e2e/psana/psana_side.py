"""Run by psana's own Python: read a file with constants from /dev/shm only, and write down all that psana makes of it.

This file imports nothing of calibvcs. ``psana_side.py XTC2 DETECTOR OUT`` writes ``OUT.npz`` and ``OUT.json``.
"""

from __future__ import annotations

import json
import pickle
import sys
from pathlib import Path
from typing import Any

import numpy as np
from psana import DataSource
from psana.detector.detector_cache import DetectorCacheManager


def main(raw: str, name: str, out: str) -> None:
    """Go through the file as a user of psana would."""
    source = DataSource(files=[raw], use_calib_cache=True, cached_detectors=[name], fetch_calib_cache_max_retries=1)
    run = next(source.runs())
    detector = run.Detector(name)
    arrays: dict[str, np.ndarray] = {}
    texts: dict[str, str] = {}
    documents: dict[str, dict[str, object]] = {}
    for ctype, (value, document) in (detector.calibconst or {}).items():
        if isinstance(value, np.ndarray):
            arrays[f"constant/{ctype}"] = value
        else:
            texts[ctype] = value
        documents[ctype] = document
    if hasattr(detector.raw, "_seg_configs"):
        for segment, config in detector.raw._seg_configs().items():
            if hasattr(config.config, "asicPixelConfig"):
                arrays[f"pixel_config/{segment}"] = np.array(config.config.asicPixelConfig)
                arrays[f"trbit/{segment}"] = np.array(config.config.trbit)
    stamps = []
    for number, event in enumerate(run.events()):
        stamps.append(event.timestamp)
        arrays[f"raw/{number}"] = np.array(detector.raw.raw(event))
        arrays[f"calib/{number}"] = np.array(detector.raw.calib(event))  # psana uses its buffer again: a copy
        arrays[f"image/{number}"] = np.array(detector.raw.image(event))
    np.savez(f"{out}.npz", **arrays)
    cache = _cache(raw, name)
    told = {
        "cache": cache,
        "experiment": run.expt,
        "run": run.runnum,
        "stamps": stamps,
        "texts": texts,
        "documents": documents,
    }
    Path(f"{out}.json").write_text(json.dumps(told, default=str))


def _cache(raw: str, name: str) -> dict[str, str]:
    """Compare the cache file of a detector with what psana computes without one; "" where it is the same."""
    run = next(DataSource(files=[raw], use_calib_cache=True, fetch_calib_cache_max_retries=1).runs())
    detector = run.Detector(name)
    detector.raw.image(next(run.events()))
    manager = DetectorCacheManager(detector)
    own = {
        key: getattr(detector.raw._calibc_, key)
        for key in manager.attrs_to_cache
        if hasattr(detector.raw._calibc_, key)
    }
    given = pickle.loads(manager.cache_file.read_bytes())["raw"]  # noqa: S301 - the file that is judged here
    told = {key: _difference(given.get(key, "missing"), value) for key, value in own.items()}
    return {**told, **{key: "psana has no such thing" for key in given if key not in own}}


def _difference(given: Any, own: Any) -> str:
    if isinstance(own, (list, tuple)) and isinstance(given, (list, tuple)) and len(own) == len(given):
        return "; ".join(filter(None, map(_difference, given, own)))
    if isinstance(own, np.ndarray):
        same = isinstance(given, np.ndarray) and given.dtype == own.dtype and np.array_equal(given, own)
        return (
            "" if same else f"{getattr(given, 'dtype', type(given))} {np.shape(given)}, psana {own.dtype} {own.shape}"
        )
    return "" if own is given or given == own else f"{str(given)[:40]}, psana {str(own)[:40]}"


if __name__ == "__main__":
    main(*sys.argv[1:])
