"""``dynlib check``: whether saved results and stores are what was written."""

from __future__ import annotations

import click

__all__ = ["command"]


@click.command("check")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
def command(files: tuple[str, ...]) -> None:
    """Read every byte of each FILE (.npz, .nc, or a store .zarr), and compare check sums.

    All damage that is found is reported, of a store part by part.  Nothing is changed: a damaged
    part of a store is computed again by the command that made the store.  The exit status is 0
    only if every FILE is sound.
    """
    from dynlib.runtime.loading import check_results, load_results

    failed = False
    for file in files:
        problems = check_results(file)
        failed = failed or bool(problems)
        for problem in problems:
            click.echo(str(problem), err=True)
        if not problems:
            click.echo(f"{file}: ok, {repr(load_results(file)).splitlines()[0]}")
    if failed:
        raise click.exceptions.Exit(1)
