"""``export``: constants written out for other programs. Here the options are parsed; each target has its own module."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from calibvcs.cli import exits, options
from calibvcs.errors import InvalidOptionError

# Which targets an option goes with, where that is not all of them.
_GOES_WITH = {
    "--output-dir": ("--shm",),
    "--xtc-dir": ("--shm",),
    "--detectors": ("--shm",),
    "--skip-calib-load": ("--shm",),
    "--mode": ("--shm",),
    "--allow-missing": ("--shm",),
    "--accept": ("--shm",),
    "--check": ("--shm",),
    "--versions": ("--hdf5",),
    "--compress": ("--hdf5",),
    "--ctype": ("--hdf5", "--npy"),
    "--since": ("--hdf5",),
    "--until": ("--hdf5",),
    "--map": ("--calibdir",),
    "--run-table": ("--calibdir",),
    "--decimals": ("--calibdir",),
}


def export(
    shm: Annotated[bool, typer.Option("--shm", help="For psana and the DAQ, in shared memory.")] = False,
    hdf5: Annotated[
        Path | None,
        typer.Option("--hdf5", metavar="DIR|FILE", help="For the Detector Calibration Store, a file a detector."),
    ] = None,
    calibdir: Annotated[
        Path | None, typer.Option("--calibdir", metavar="PATH", help="For LCLS-I, as a legacy calib directory.")
    ] = None,
    npy: Annotated[
        Path | None, typer.Option("--npy", metavar="DIR", help="As plain .npy and text files, in a new folder.")
    ] = None,
    detector: Annotated[
        list[str] | None, typer.Option("--detector", metavar="DET", help="Detector or alias; may be repeated.")
    ] = None,
    experiment: Annotated[
        str, typer.Option("--experiment", "-e", metavar="E", help="Its detectors and runs, by its run table.")
    ] = "",
    run: Annotated[
        str | None, typer.Option("--run", "-r", metavar="R", help="Run of the experiment; default: the last one.")
    ] = None,
    time: options.Time = None,
    at: options.At = None,
    output_dir: Annotated[
        Path | None, typer.Option("--output-dir", metavar="DIR", help="--shm: where to. Default: /dev/shm.")
    ] = None,
    xtc_dir: Annotated[
        Path | None, typer.Option("--xtc-dir", metavar="DIR", help="--shm: detectors of the latest run in these files.")
    ] = None,
    detectors: Annotated[
        list[str] | None,
        typer.Option("--detectors", metavar="NAME,...", help="--shm: also NAME_calibc_cache.pkl for these; again."),
    ] = None,
    skip_calib_load: Annotated[
        list[str] | None, typer.Option("--skip-calib-load", metavar="NAME,...", help="--shm: without these; again.")
    ] = None,
    mode: Annotated[
        str | None, typer.Option("--mode", metavar="MODE", help="--shm: permissions, octal. Default: 0644.")
    ] = None,
    allow_missing: Annotated[
        bool, typer.Option("--allow-missing", help="--shm: go on without what is not found.")
    ] = False,
    accept: Annotated[
        list[str] | None, typer.Option("--accept", metavar="STATE", help="--shm: --at is published, signed; again.")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="--shm: write nothing; exit status 1 if what is there is stale.")
    ] = False,
    ctype: Annotated[
        list[str] | None, typer.Option("--ctype", metavar="C", help="Only this calibration type; may be repeated.")
    ] = None,
    since: Annotated[str | None, typer.Option("--since", metavar="TIME", help="Only ranges that end later.")] = None,
    until: Annotated[str | None, typer.Option("--until", metavar="TIME", help="Only ranges that begin before.")] = None,
    versions: Annotated[
        str | None, typer.Option("--versions", metavar="WHICH", help="--hdf5: default or all. Default: default.")
    ] = None,
    compress: Annotated[
        str | None, typer.Option("--compress", metavar="HOW", help="--hdf5: none, gzip or lzf. Default: none.")
    ] = None,
    mapping: Annotated[
        list[str] | None, typer.Option("--map", metavar="SOURCE=DETNAME", help="--calibdir: name in the DAQ; again.")
    ] = None,
    run_table: Annotated[
        Path | None, typer.Option("--run-table", metavar="FILE", help="--calibdir: CSV 'run,begin,end' or TOML.")
    ] = None,
    decimals: Annotated[
        int | None, typer.Option("--decimals", metavar="N", help="--calibdir: round to N. Default: exact.")
    ] = None,
    repo: options.Repo = None,
    json: options.Json = False,
) -> None:
    """Write constants out for other programs: psana and the DAQ, DCS files, calib directories, plain files."""
    target = _target({"--shm": shm, "--hdf5": hdf5, "--calibdir": calibdir, "--npy": npy})
    _check_options(
        target,
        {
            "--output-dir": output_dir,
            "--xtc-dir": xtc_dir,
            "--detectors": detectors,
            "--skip-calib-load": skip_calib_load,
            "--mode": mode,
            "--allow-missing": allow_missing,
            "--accept": accept,
            "--check": check,
            "--versions": versions,
            "--compress": compress,
            "--ctype": ctype,
            "--since": since,
            "--until": until,
            "--map": mapping,
            "--run-table": run_table,
            "--decimals": None if decimals is None else str(decimals),
        },
    )
    if target == "--shm":
        from calibvcs.cli import exporting_shm

        fresh = exporting_shm.export(
            exporting_shm.Given(
                repo=repo,
                output_dir=output_dir or Path("/dev/shm"),  # noqa: S108 - where psana looks
                experiment=experiment,
                run=run,
                time=time,
                at=at,
                xtc_dir=xtc_dir,
                detector=tuple(detector or ()),
                caches=_names(detectors),
                skip=_names(skip_calib_load),
                accept=tuple(accept or ()),
            ),
            mode=mode or "0644",
            allow_missing=allow_missing,
            check=check,
            as_json_text=json,
        )
        raise typer.Exit(exits.OK if fresh else exits.DIFFERENT)
    if hdf5 is not None:
        from calibvcs.cli import exporting_hdf5

        for option, value in (("--experiment", experiment), ("--run", run), ("--time", time)):
            exporting_hdf5.refuse(option, value)
        exporting_hdf5.export(
            exporting_hdf5.Given(
                repo=repo,
                target=hdf5,
                detector=tuple(detector or ()),
                ctype=tuple(ctype or ()),
                since=since,
                until=until,
                versions=versions,
                compress=compress,
                at=at,
            ),
            as_json_text=json,
        )
    folder = calibdir or npy
    if folder is not None:
        from calibvcs.cli import exporting_folders

        given = exporting_folders.Given(repo, folder, tuple(detector or ()), experiment, run, time, at)
        if calibdir is not None:
            exporting_folders.export_calibdir(
                given, mapping=tuple(mapping or ()), run_table=run_table, decimals=decimals, as_json_text=json
            )
        else:
            exporting_folders.export_npy(given, ctypes=tuple(ctype or ()), as_json_text=json)


def _names(given: list[str] | None) -> tuple[str, ...]:
    """Return names that were given one by one, or several joined by commas."""
    return tuple(name for text in given or () for name in text.split(",") if name)


def _target(given: dict[str, object]) -> str:
    """Return the one target that was named."""
    named = [name for name, value in given.items() if value]
    if len(named) != 1:
        allowed = f"exactly one of {', '.join(given)} is needed"
        raise InvalidOptionError("export", " ".join(named), allowed, "calibvcs export --help")
    return named[0]


def _check_options(target: str, given: dict[str, object]) -> None:
    """Refuse options that say nothing to a target."""
    for name, value in given.items():
        if value and target not in _GOES_WITH[name]:
            raise InvalidOptionError(name, "", f"it goes with {' or '.join(_GOES_WITH[name])}, not with {target}")
