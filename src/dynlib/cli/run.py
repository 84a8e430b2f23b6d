"""``dynlib run``: one trajectory, printed, drawn, saved."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dynlib.cli._letters import Interrupted, Letter
from dynlib.cli._options import (
    assignment,
    mods_option,
    name_list,
    number,
    setting,
    stepper_option,
    times,
)
from dynlib.cli._targets import Targets
from dynlib.errors import DynlibError, RunFailed, StepperOptionError
from dynlib.suggest import did_you_mean

if TYPE_CHECKING:
    from dynlib.dsl import ModelSpec
    from dynlib.runtime.results import Results
    from dynlib.steppers.base import Stepper

__all__ = ["command"]

_KINDS = ("auto", "timeseries", "phase", "cobweb")
_PYTHON = re.compile(r"[^.]*(resume=True|\.results)[^.]*\.")
_FILE = click.Path(path_type=Path)


@click.command("run", no_args_is_help=True)
@click.argument("model")
@click.option("-T", "T", type=number, help="End time of a flow.")
@click.option("-N", "N", type=click.IntRange(min=0), metavar="COUNT", help="Iterations of a map.")
@click.option("--t0", type=number, help="Start time; of a map, the first iteration.")
@click.option("--dt", type=number, help="Step size; of an adaptive stepper, the first one.")
@click.option(
    "--set",
    "params",
    type=assignment,
    multiple=True,
    metavar="NAME=NUMBER",
    help="A parameter. [repeat]",
)
@click.option(
    "--ic", type=assignment, multiple=True, metavar="NAME=NUMBER", help="An initial value. [repeat]"
)
@click.option("--preset", metavar="NAME", help="A preset of the model; --set and --ic go over it.")
@mods_option
@stepper_option
@click.option("--rtol", type=number, help="Relative tolerance of an adaptive stepper.")
@click.option("--atol", type=number, help="Absolute tolerance of an adaptive stepper.")
@click.option(
    "--option", type=setting, multiple=True, metavar="NAME=VALUE", help="Any option of it. [repeat]"
)
@click.option(
    "--max-steps",
    type=click.IntRange(min=1),
    metavar="COUNT",
    help="Steps after which a run fails.",
)
@click.option("--transient", type=number, help="Initial part that is not recorded.")
@click.option("--record", type=name_list, metavar="NAMES", help="Record only these: x,z,aux.E")
@click.option(
    "--record-interval", type=click.IntRange(min=1), metavar="K", help="Record every K-th step."
)
@click.option("--t-eval", type=times, help="Record at these times: 0:100:1001 or 0,0.5,2")
@click.option("--plot", type=_FILE, metavar="FILE", help="Draw the result: .png, .svg, .pdf ...")
@click.option("--plot-kind", type=click.Choice(_KINDS), default="auto", help="What to draw.")
@click.option(
    "--plot-vars", type=name_list, metavar="NAMES", default=(), help="Which variables to draw: x,z"
)
@click.option("--out", type=_FILE, metavar="FILE", help="Save the result: .nc, .csv, .npz")
@click.option("--no-jit", is_flag=True, help="Run the generated code as plain Python.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors.")
def command(model: str, **given: Any) -> None:
    """Run MODEL and print the result on one screen.

    What is not given is taken from the model.  After Ctrl-C, or when a run fails on the way, what
    was computed until then is drawn and saved all the same.

    \b
    dynlib run builtin://ode/lorenz --set rho=21 -T 50 --plot lorenz.png
    dynlib run builtin://map/logistic --set r=3.9 -N 100 --plot-kind cobweb --plot web.svg
    dynlib run my.toml --stepper rk45 --rtol 1e-9 --record x,aux.E --out my.csv
    """  # noqa: D301
    targets = Targets(given["out"], given["plot"], given["plot_kind"], given["plot_vars"])
    targets.check()
    result = _compute(model, given, targets)
    if not given["quiet"]:
        click.echo(repr(result))
    _deliver(result, targets, quiet=given["quiet"])
    _report_end(result)


def _compute(model: str, given: dict[str, Any], targets: Targets) -> Results:
    from dynlib.runtime.setup import setup

    sim = setup(model, stepper=given["stepper"], mods=given["mods"], jit=not given["no_jit"])
    _check_words(sim.spec, given)
    targets.check_model(sim.spec, given["record"])
    if given["preset"] is not None:
        sim.apply_preset(given["preset"])
    names = ("T", "N", "t0", "dt", "max_steps", "t_eval")
    return sim.run(
        **{name: given[name] for name in names},
        ic=dict(given["ic"]) or None,
        params=dict(given["params"]) or None,
        record_vars=given["record"],
        record_interval=given["record_interval"] or 1,
        transient=given["transient"] or 0,
        progress=False if given["quiet"] else None,
        on_failure="return",
        **_stepper_options(sim.model.stepper, given),
    )


def _stepper_options(stepper: Stepper, given: dict[str, Any]) -> dict[str, Any]:
    """Return the options of the stepper; --option must not reach other arguments of a run."""
    tolerances = {name: given[name] for name in ("rtol", "atol") if given[name] is not None}
    options = tolerances | dict(given["option"])
    known = stepper.option_names
    for name in options:
        if name not in known:
            raise StepperOptionError(
                f"stepper {stepper.name!r} has no option {name!r}.{did_you_mean(name, known)} "
                f"It takes {', '.join(known) or 'none'}; `dynlib steppers` lists all."
            )
    return options


def _check_words(spec: ModelSpec, given: dict[str, Any]) -> None:
    """Refuse what belongs to the other kind of model, in the words of the command line."""
    if spec.is_map and (given["T"] is not None or given["dt"] is not None):
        option = "-T" if given["T"] is not None else "--dt"
        raise click.UsageError(
            f"{option}: {spec.name!r} is a map, it has iterations instead of time: -N 1000"
        )
    if not spec.is_map and given["N"] is not None:
        raise click.UsageError(
            f"-N: {spec.name!r} is a flow, it has time instead of iterations: -T 100"
        )


def _deliver(result: Results, targets: Targets, *, quiet: bool) -> None:
    """Write the files; when the run has failed, its own message matters more than theirs."""
    if not result.ok and not len(result):
        return
    try:
        written = targets.write(result)
    except (Letter, DynlibError) as error:
        if result.ok:
            raise
        click.echo(str(error), err=True)
        return
    for path in written if not quiet else ():
        click.echo(f"wrote {path}")


def _report_end(result: Results) -> None:
    from dynlib.abi.status import Status

    if result.status is Status.USER_BREAK:
        raise Interrupted(
            f"{result.model_name}: {result.message}. What was computed until then is kept."
        )
    try:
        result.raise_for_status()
    except RunFailed as failure:
        raise Letter(_without_python(str(failure))) from failure


def _without_python(message: str) -> str:
    """Drop the sentences that tell a Python programmer how to go on."""
    lines = (_PYTHON.sub("", line).strip() for line in message.splitlines())
    return "\n".join(filter(None, lines))
