"""Verbs that keep a repository well: ``gc``, ``repair``, ``bundle``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import calibvcs
from calibvcs.cli import exits, options, output

if TYPE_CHECKING:
    from collections.abc import Iterator

    from calibvcs.ops.keeping.bundle import BundleCheck, BundleResult, Unbundled
    from calibvcs.ops.keeping.gc import GcResult
    from calibvcs.ops.keeping.repair import RepairResult

bundle = typer.Typer(help="History, and the data of some detectors, in one file.", no_args_is_help=True)

_File = Annotated[Path, typer.Argument(metavar="FILE", help="The bundle.")]


def gc(
    grace: Annotated[
        str, typer.Option("--grace", metavar="AGE", help="How long an object stays that nothing refers to.")
    ] = "2w",
    everything: Annotated[bool, typer.Option("--all", help="Merge all packs, not only when there are 50.")] = False,
    dry_run: options.DryRun = False,
    repo: options.Repo = None,
    json: options.Json = False,
) -> None:
    """Pack objects and remove what nobody needs; exit status 1 where something could not be read."""
    with calibvcs.open(repo) as repository:
        result = repository.gc(grace=grace, everything=everything, dry_run=dry_run)
    output.changed(result, _cleaned, as_json_text=json, dry_run=dry_run)
    raise typer.Exit(exits.OK if result.sound else exits.DIFFERENT)


def repair(
    sources: Annotated[
        list[str] | None,
        typer.Option("--from", metavar="REMOTE", help="Another copy: name of a remote, address or path; again."),
    ] = None,
    dry_run: options.DryRun = False,
    repo: options.Repo = None,
    json: options.Json = False,
) -> None:
    """Bring back what is missing or damaged; exit status 1 where something stays lost."""
    with calibvcs.open(repo) as repository:
        result = repository.repair(sources or (), dry_run=dry_run)
    output.changed(result, _repaired, as_json_text=json, dry_run=dry_run)
    raise typer.Exit(exits.OK if result.sound else exits.DIFFERENT)


@bundle.command("create")
def bundle_create(
    file: _File,
    detectors: Annotated[
        list[str] | None,
        typer.Argument(metavar="[DETECTOR]...", help="Whose data go with it: names, aliases, globs. Default: all."),
    ] = None,
    repo: options.Repo = None,
    json: options.Json = False,
) -> None:
    """Write all history, and the data of some or all detectors, into one file."""
    with calibvcs.open(repo) as repository:
        result = repository.bundle.create(file, detectors or ())
    output.show(result, _bundled, as_json_text=json)


@bundle.command("verify")
def bundle_verify(file: _File, repo: options.Repo = None, json: options.Json = False) -> None:
    """Read a bundle to its end; exit status 1 where it cannot be taken in here."""
    with calibvcs.open(repo) as repository:
        result = repository.bundle.verify(file)
    output.show(result, _checked, as_json_text=json)
    raise typer.Exit(exits.OK if result.fits else exits.DIFFERENT)


@bundle.command("unbundle")
def bundle_unbundle(
    file: _File,
    new: Annotated[
        Path | None, typer.Option("--new", metavar="PATH", help="Make a bare repository of it, in place of --repo.")
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="Keep its branches as refs/remotes/NAME/*.")
    ] = None,
    repo: options.Repo = None,
    json: options.Json = False,
) -> None:
    """Take a bundle in: all of it or nothing."""
    if new is not None:
        from calibvcs.api.bundles import unbundle_anew

        result = unbundle_anew(file, new)
    else:
        with calibvcs.open(repo) as repository:
            result = repository.bundle.unbundle(file, name=name)
    output.show(result, _taken_in, as_json_text=json)


def _cleaned(result: GcResult) -> Iterator[str]:
    yield f"packed {result.packed} objects in {len(result.packs)} new packs; {result.merged} old packs are gone"
    yield f"removed {result.removed} objects that nobody needs; {result.kept} are kept for a while"
    if result.temporary:
        yield f"removed {result.temporary} files that killed writers had left"
    yield f"{result.before / 1e6:.1f} MB before, {result.after / 1e6:.1f} MB after"
    yield from (f"cannot be read: {one.id}: {one.reason}; see calibvcs repair" for one in result.damaged)


def _repaired(result: RepairResult) -> Iterator[str]:
    yield from (f"brought {one.id} from {one.source}" for one in result.brought)
    yield from (f"rewritten {name}" for name in result.rewritten)
    yield from (f"indexed {name}" for name in result.indexed)
    yield from (f"removed {name}" for name in result.removed)
    yield from (f"lost {one.id} ({one.needed_by}): {one.reason}" for one in result.lost)
    yield f"{len(result.brought)} objects came back, {len(result.lost)} are lost"


def _bundled(result: BundleResult) -> Iterator[str]:
    whose = f"the data of {', '.join(result.detectors)}" if result.partial else "all data"
    yield f"{result.path}: {result.objects} objects, {result.bytes / 1e6:.1f} MB, all history and {whose}"


def _checked(result: BundleCheck) -> Iterator[str]:
    kind = "partial" if result.partial else "complete"
    yield f"{result.path}: {kind}, {result.objects} objects"
    yield from (f"{target} {ref}" for ref, target in result.refs.items())
    yield from (f"it continues {commit}, which is not here" for commit in result.lacking)


def _taken_in(result: Unbundled) -> Iterator[str]:
    yield f"{result.repository}: {result.objects} objects"
    yield from result.moved
    yield from result.notices
