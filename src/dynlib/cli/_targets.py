"""Where commands put a result; checked before anything runs, used after it."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dynlib.cli._messages import Message
from dynlib.errors import MissingExtraError, UnknownNameError
from dynlib.suggest import did_you_mean

if TYPE_CHECKING:
    from dynlib.dsl import ModelSpec
    from dynlib.runtime.batch.results import BatchResults
    from dynlib.runtime.results import Results

__all__ = ["Targets", "check_netcdf", "check_place", "check_suffix", "hand_over"]

_FILES = (".nc", ".csv", ".npz")


@dataclass(frozen=True)
class Targets:
    """The files that a run is to leave behind.

    Parameters
    ----------
    out : Path or None
        For the numbers.
    plot : Path or None
        For the picture.
    kind : str
        Kind of picture.
    names : tuple of str
        Variables in the picture; none leaves the choice to it.
    """

    out: Path | None
    plot: Path | None
    kind: str
    names: tuple[str, ...]

    def check(self) -> None:
        """Refuse what could not be written after the run.

        Raises
        ------
        click.UsageError
            For a suffix that stands for no format, or a folder that is not there.
        MissingExtraError
            If a package that the format needs is not installed.
        """
        if self.plot is None and (self.names or self.kind != "auto"):
            raise click.UsageError("--plot-kind and --plot-vars need --plot FILE")
        if self.out is not None:
            check_suffix("--out", self.out, _FILES)
            if self.out.suffix.lower() == ".nc":
                check_netcdf()
        if self.plot is not None:
            from dynlib.plot import supported_suffixes

            check_suffix("--plot", self.plot, supported_suffixes())
        for option, path in (("--out", self.out), ("--plot", self.plot)):
            if path is not None:
                check_place(option, path)

    def check_model(self, spec: ModelSpec, recorded: tuple[str, ...] | None) -> None:
        """Refuse a picture that does not fit the model, before the run rather than after it.

        Raises
        ------
        click.UsageError
            For a kind of picture that needs another model.
        UnknownNameError
            For a variable that will not be recorded.
        """
        kept = spec.states if recorded is None else recorded
        names = tuple(name.removeprefix("aux.") for name in kept)
        for name in self.names:
            if name.removeprefix("aux.") not in names:
                raise UnknownNameError(
                    f"--plot-vars: {name!r} will not be recorded.{did_you_mean(name, names)} "
                    f"Recorded: {', '.join(names)}; --record chooses."
                )
        if self.kind == "cobweb" and not (spec.is_map and len(spec.states) == 1):
            what = "map" if spec.is_map else "flow"
            raise click.UsageError(
                f"--plot-kind cobweb needs a map of one state; {spec.name!r} is a {what} of "
                f"{len(spec.states)}. --plot-kind phase draws states against each other."
            )
        count = len(self.names) or min(len(names), 2)
        if self.kind == "phase" and count not in (2, 3):
            raise click.UsageError(
                f"--plot-kind phase draws two or three variables, not {count}. "
                "--plot-vars x,z chooses."
            )

    def write(self, result: Results) -> list[Path]:
        """Write the files; return those that were written."""
        written = []
        if self.out is not None:
            try:
                result.save(self.out)
            except OSError as error:
                raise Message(f"cannot write {self.out}: {error.strerror or error}") from error
            written.append(self.out)
        if self.plot is not None:
            from dynlib import plot

            figure = plot.picture(result, self.kind, self.names)
            try:
                plot.save(figure, self.plot)
            except OSError as error:
                raise Message(f"cannot write {self.plot}: {error.strerror or error}") from error
            written.append(self.plot)
        return written


def hand_over(
    result: Results | BatchResults, write: Callable[[], list[Path]], *, quiet: bool
) -> None:
    """Write the files of a result and print what is in it.

    Files come first: nobody may be there any more to read what is printed.
    """
    written: list[Path] = []
    try:
        written = write()
    finally:
        if not quiet:
            click.echo("\n".join(map(repr, [result, *result.observers.values()])))
    for path in written if not quiet else ():
        click.echo(f"wrote {path}")


def check_suffix(option: str, path: Path, known: Sequence[str]) -> None:
    """Refuse a file whose suffix stands for none of the known formats."""
    if path.suffix.lower() not in known:
        what = f"the suffix {path.suffix!r}" if path.suffix else "a name without suffix"
        raise click.UsageError(
            f"{option} {path}: {what} stands for no format."
            f"{did_you_mean(path.suffix, known)} Known: {', '.join(known)}."
        )


def check_place(option: str, path: Path) -> None:
    """Refuse a file that cannot be written."""
    folder = path.parent
    if path.is_dir():
        raise click.UsageError(f"{option} {path}: this is a folder")
    if not folder.is_dir():
        raise click.UsageError(f"{option} {path}: there is no folder {folder}")
    if not os.access(path if path.exists() else folder, os.W_OK):
        raise click.UsageError(f"{option} {path}: not allowed to write there")


def check_netcdf() -> None:
    """Refuse NetCDF where its package is missing."""
    try:
        import h5netcdf  # noqa: F401 - looked for before the run, not after it
        import xarray  # noqa: F401
    except ImportError as error:
        raise MissingExtraError("data", "--out with the suffix .nc") from error
