"""``dynlib run``: one trajectory, printed, drawn, saved."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dynlib.cli._messages import Interrupted, Message
from dynlib.cli._options import count, engine_options, name_list
from dynlib.cli._session import open_session, run_options, stepper_options
from dynlib.cli._targets import Targets, hand_over
from dynlib.errors import DynlibError, RunFailed

if TYPE_CHECKING:
    from dynlib.runtime.results import Results

__all__ = ["command"]

_KINDS = ("auto", "timeseries", "phase", "cobweb")
_PYTHON = re.compile(r"[^.]*(resume=True|\.results)[^.]*\.")
_FILE = click.Path(path_type=Path)


@click.command("run", no_args_is_help=True)
@click.argument("model")
@run_options
@click.option("--record-interval", type=count(1), metavar="K", help="Record every K-th step.")
@click.option("--plot", type=_FILE, metavar="FILE", help="Draw the result: .png, .svg, .pdf ...")
@click.option("--plot-kind", type=click.Choice(_KINDS), default="auto", help="What to draw.")
@click.option(
    "--plot-vars", type=name_list, metavar="NAMES", default=(), help="Which variables to draw: x,z"
)
@click.option("--out", type=_FILE, metavar="FILE", help="Save the result: .nc, .csv, .npz")
@engine_options
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors.")
def command(model: str, **given: Any) -> None:
    """Run MODEL and print the result on one screen.

    What is not given is taken from the model.  After Ctrl-C, or when a run fails on the way, what
    was computed until then is drawn and saved all the same.

    \b
    dynlib run builtin://ode/lorenz --set rho=21 -T 50 --plot lorenz.png
    dynlib run builtin://map/logistic --set r=3.9 -N 100 --plot-kind cobweb --plot web.svg
    dynlib run builtin://ode/lorenz -T 500 --observe lyapunov_spectrum --observe "poincare(z - 27)"
    dynlib run my.toml --stepper rk45 --rtol 1e-9 --record x,aux.E --out my.csv
    """  # noqa: D301
    targets = Targets(given["out"], given["plot"], given["plot_kind"], given["plot_vars"])
    targets.check()
    result = _compute(model, given, targets)
    hand_over(result, lambda: _deliver(result, targets), quiet=given["quiet"])
    _report_end(result)


def _compute(model: str, given: dict[str, Any], targets: Targets) -> Results:
    sim = open_session(model, given)
    targets.check_model(sim.spec, given["record"])
    names = ("T", "N", "t0", "dt", "max_steps", "t_eval")
    return sim.run(
        **{name: given[name] for name in names},
        ic=dict(given["ic"]) or None,
        params=dict(given["params"]) or None,
        record_vars=given["record"],
        record_interval=given["record_interval"] or 1,
        transient=given["transient"] or 0,
        observers=given["observe"],
        progress=False if given["quiet"] else None,
        on_failure="return",
        **stepper_options(sim.model.stepper, given),
    )


def _deliver(result: Results, targets: Targets) -> list[Path]:
    """Write the files; when the run has failed, its own message matters more than theirs."""
    if not result.ok and not len(result):
        return []
    try:
        return targets.write(result)
    except (Message, DynlibError) as error:
        if result.ok:
            raise
        click.echo(str(error), err=True)
        return []


def _report_end(result: Results) -> None:
    from dynlib.abi.status import Status

    if result.status is Status.USER_BREAK:
        raise Interrupted(
            f"{result.model_name}: {result.message}. What was computed until then is kept."
        )
    try:
        result.raise_for_status()
    except RunFailed as failure:
        raise Message(_without_python(str(failure))) from failure


def _without_python(message: str) -> str:
    """Drop the sentences that tell a Python programmer how to go on."""
    lines = (_PYTHON.sub("", line).strip() for line in message.splitlines())
    return "\n".join(filter(None, lines))
