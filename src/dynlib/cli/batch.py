"""``dynlib batch``: one model over a grid of values, printed, drawn, saved."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dynlib.cli._messages import Interrupted, Message
from dynlib.cli._options import count, engine_options, times
from dynlib.cli._session import open_session, run_options, stepper_options
from dynlib.cli._targets import check_netcdf, check_place, check_suffix, hand_over
from dynlib.errors import UnknownNameError
from dynlib.suggest import did_you_mean

if TYPE_CHECKING:
    from dynlib.observers.kit.module import ObserverModule
    from dynlib.observers.kit.part import Part
    from dynlib.runtime.batch.results import BatchResults
    from dynlib.runtime.fastpath.recording_plans import RecordingPlan
    from dynlib.runtime.sim import Sim

__all__ = ["command"]

_FILE = click.Path(path_type=Path)
_COUNT = count(1)
_STREAMED = ".zarr"
_FILES = (".nc", ".npz", _STREAMED)


def axis(text: Any) -> tuple[str, list[float]]:
    """Return name and values of ``rho=0:200:500`` or ``rho=1,2.5,10``.

    Examples
    --------
    >>> axis("rho=0:1:3"), axis("x=1,2.5")
    (('rho', [0.0, 0.5, 1.0]), ('x', [1.0, 2.5]))
    """
    name, equals, values = str(text).partition("=")
    if not equals or not name.strip():
        raise click.BadParameter(f"{text!r} is not of the form name=first:last:count")
    return name.strip(), times(values.strip())


@click.command("batch", no_args_is_help=True)
@click.argument("model")
@click.option(
    "--grid",
    type=axis,
    multiple=True,
    required=True,
    metavar="NAME=FIRST:LAST:COUNT",
    help="Values of a parameter or an initial value: all combinations are run. Also NAME=1,2,5. "
    "[repeat]",
)
@run_options
@click.option(
    "--plan",
    type=click.Choice(("final", "all")),
    help="What to keep of each run: its end, which is the default, or every step.",
)
@click.option("--stride", type=_COUNT, metavar="K", help="Keep every K-th step.")
@click.option("--tail", type=_COUNT, metavar="COUNT", help="Keep the last rows, a stride apart.")
@click.option("--workers", type=_COUNT, metavar="COUNT", help="Threads; one for each core else.")
@click.option("--lanes", type=_COUNT, metavar="COUNT", help="Runs side by side in vector lanes.")
@click.option("--plot", type=_FILE, metavar="FILE", help="Draw where the runs end: .png, .svg ...")
@click.option(
    "--plot-var",
    metavar="NAME",
    help="Which variable to draw: z, lyapunov_max_exponent, features_max[z].",
)
@click.option(
    "--out",
    type=_FILE,
    metavar="FILE",
    help="Save the result: .nc, .npz; .zarr is filled on the way, and taken up again.",
)
@engine_options
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors.")
def command(model: str, **given: Any) -> None:
    """Run MODEL over a grid of parameters and initial values.

    One axis is drawn as a diagram of all that was recorded, two as a map of where the runs end;
    --plot-var draws what an observer found.  Runs that fail are counted; the others are right.
    With --out FILE.zarr the same command goes on with a batch that was interrupted or killed.

    \b
    dynlib batch builtin://ode/lorenz --grid rho=0:200:500 --grid sigma=5:15:300 -T 20 --plot a.png
    dynlib batch builtin://map/logistic --grid r=2.8:4:2000 -N 600 --tail 100 --plot orbits.png
    dynlib batch builtin://map/logistic --grid r=3:4:500 -N 5000 --observe lyapunov_max \\
        --plot chaos.png --plot-var lyapunov_max_exponent
    dynlib batch my.toml --grid x=-2:2:1000 --grid v=-2:2:1000 -T 100 --out basins.zarr
    """  # noqa: D301
    _check_files(given)
    result = _compute(model, given)
    hand_over(result, lambda: _deliver(result, given), quiet=given["quiet"])
    _report_end(result, given)


def _compute(model: str, given: dict[str, Any]) -> BatchResults:
    from dynlib.runtime.grid import grid

    axes = dict(given["grid"])
    _check_axes(given)
    plan = _plan(given)
    sim = open_session(model, given)
    _check_picture(sim, given)
    sim.params.update(dict(given["params"]))
    sim.state.update(dict(given["ic"]))
    streamed = given["out"] is not None and given["out"].suffix.lower() == _STREAMED
    names = ("T", "N", "t0", "dt", "max_steps", "t_eval", "workers", "lanes")
    return sim.batch(
        params=grid(axes),
        **{name: given[name] for name in names},
        plan=plan,
        record_vars=given["record"],
        transient=given["transient"] or 0,
        observers=given["observe"],
        out=given["out"] if streamed else None,
        progress=False if given["quiet"] else None,
        **stepper_options(sim.model.stepper, given),
    )


def _check_axes(given: dict[str, Any]) -> None:
    """Refuse what would be given twice."""
    names = [name for name, _ in given["grid"]]
    fixed = {"--set": dict(given["params"]), "--ic": dict(given["ic"])}
    for index, name in enumerate(names):
        if name in names[:index]:
            raise click.UsageError(f"--grid: {name!r} is given twice; each name is one axis")
        for option, values in fixed.items():
            if name in values:
                raise click.UsageError(f"{option}: {name!r} is an axis of the grid already")


def _plan(given: dict[str, Any]) -> RecordingPlan | None:
    from dynlib.runtime.fastpath.recording_plans import FinalState, Stride, TailWindow

    asked = [
        f"--{name}" for name in ("plan", "stride", "tail", "t_eval") if given[name] is not None
    ]
    if len(asked) > 1 and asked != ["--stride", "--tail"]:
        listed = " and ".join(each.replace("_", "-") for each in asked)
        raise click.UsageError(f"{listed} both say what to keep of a run; give one of them")
    if given["t_eval"] is not None:
        return None
    if given["tail"] is not None:
        return TailWindow(given["tail"], given["stride"] or 1)
    if given["stride"] is not None or given["plan"] == "all":
        return Stride(given["stride"] or 1)
    return FinalState()


def _check_files(given: dict[str, Any]) -> None:
    """Refuse what could not be written after the batch."""
    out, plot = given["out"], given["plot"]
    if plot is None and given["plot_var"] is not None:
        raise click.UsageError("--plot-var needs --plot FILE")
    if out is not None:
        check_suffix("--out", out, _FILES)
        if out.suffix.lower() == ".nc":
            check_netcdf()
        if out.suffix.lower() != _STREAMED:
            check_place("--out", out)
    if plot is not None:
        from dynlib.plot import supported_suffixes

        check_suffix("--plot", plot, supported_suffixes())
        check_place("--plot", plot)


def _check_picture(sim: Sim, given: dict[str, Any]) -> None:
    """Refuse a picture that could not be drawn, before the batch rather than after it."""
    if given["plot"] is None:
        return
    long = [name for name, values in given["grid"] if len(values) > 1]
    if len(long) not in (1, 2):
        raise click.UsageError(
            f"--plot draws over one or two axes, not {len(long)}: {', '.join(long) or 'none'}"
        )
    states = sim.spec.states
    recorded = given["record"] if given["record"] is not None else states
    names = dict.fromkeys((*states, *(name.removeprefix("aux.") for name in recorded)))
    name = given["plot_var"]
    if name is None or name.removeprefix("aux.") in names:
        return
    from dynlib.observers.kit.combined import combine
    from dynlib.observers.kit.outputs import choose, outputs

    combined = combine(given["observe"], sim.spec, sim.model.stepper)
    members = zip(combined.observers, combined.parts, strict=True) if combined else ()
    there = outputs(
        (observer.label, name, size, part.facts)
        for observer, part in members
        for name, size in _sizes(observer, part).items()
    )
    if name.partition("[")[0] not in there:
        raise UnknownNameError(
            f"--plot-var: {name!r} will not be recorded.{did_you_mean(name, (*names, *there))} "
            f"There are: {', '.join((*names, *there))}; --record adds aux variables, --observe "
            "what observers find."
        )
    choose(name, names, there, plane=len(long) == 2)


def _sizes(observer: ObserverModule, part: Part) -> dict[str, int]:
    """Sizes of all that the result will have."""
    own = {output.name: output.size or 0 for output in part.outputs}
    return own | observer.result_type.derived(own, part.facts)


def _deliver(result: BatchResults, given: dict[str, Any]) -> list[Path]:
    """Write the files; return those that were written."""
    written = []
    if given["out"] is not None:
        if given["out"].suffix.lower() != _STREAMED:
            try:
                result.save(given["out"])
            except OSError as error:
                raise Message(f"cannot write {given['out']}: {error.strerror or error}") from error
        written.append(given["out"])
    if given["plot"] is not None:
        from dynlib import plot

        figure = plot.sweep_picture(result, given["plot_var"])
        try:
            plot.save(figure, given["plot"])
        except OSError as error:
            raise Message(f"cannot write {given['plot']}: {error.strerror or error}") from error
        written.append(given["plot"])
    return written


def _report_end(result: BatchResults, given: dict[str, Any]) -> None:
    from dynlib.abi.status import Status

    left = int((result.status == Status.USER_BREAK).sum())
    if left:
        streamed = given["out"] is not None and given["out"].suffix.lower() == _STREAMED
        kept = "; the same command goes on" if streamed else ", what was computed is kept"
        raise Interrupted(f"{result.model_name}: interrupted with {left} runs to do{kept}.")
    if len(result) and not result.ok.any():
        message = result[0].message
        raise Message(f"{result.model_name}: all {len(result)} runs failed; the first: {message}.")
