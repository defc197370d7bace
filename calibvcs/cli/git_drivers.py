"""``install-git-drivers``: C Git shows constants in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

import calibvcs
from calibvcs.cli import options, output
from calibvcs.errors import InvalidOptionError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from calibvcs.ops.git_drivers import GitDrivers


def install_git_drivers(
    path: Annotated[str | None, typer.Argument(metavar="[PATH]", help="The repository; as --repo.")] = None,
    for_all: Annotated[
        bool, typer.Option("--global", help="In the configuration of the user, for all repositories.")
    ] = False,
    remove: Annotated[bool, typer.Option("--uninstall", help="Take the drivers away.")] = False,
    repo: options.Repo = None,
    json: options.Json = False,
) -> None:
    """Let git diff, log -p and blame show constants in words, and git merge refuse to mix arrays."""
    if sum((path is not None, repo is not None, for_all)) > 1:
        raise InvalidOptionError("--global" if for_all else "--repo", repo or path or "", "name one place only")
    if for_all:
        from calibvcs.api.git_drivers import install_git_drivers_globally

        result = install_git_drivers_globally(remove=remove)
    else:
        with calibvcs.open(path or repo) as repository:
            result = repository.remove_git_drivers() if remove else repository.install_git_drivers()
    output.show(result, _told, as_json_text=json)


def _told(result: GitDrivers) -> Iterator[str]:
    files = " and ".join(filter(None, (result.config, result.attributes)))
    if not result.installed:
        yield f"the drivers are gone from {files}"
        return
    yield f"the drivers are in {files}"
    yield from (f"  {key} = {value}" for key, value in result.settings.items())
    yield "try: git log -p, git difftool -t calibvcs, git blame FILE"
