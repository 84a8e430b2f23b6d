"""What `dynlib run` and `dynlib batch` have in common: the options of a run, and their meaning."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import TYPE_CHECKING, Any

import click

from dynlib.cli._observe import observer
from dynlib.cli._options import (
    assignment,
    count,
    engine_of,
    mods_option,
    name_list,
    number,
    setting,
    stepper_option,
    times,
)
from dynlib.errors import StepperOptionError, UnknownNameError
from dynlib.suggest import did_you_mean

if TYPE_CHECKING:
    from dynlib.dsl import ModelSpec
    from dynlib.runtime.sim import Sim
    from dynlib.steppers.base import Stepper

__all__ = ["open_session", "run_options", "stepper_options"]

_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option("-T", "T", type=number, help="End time of a flow."),
    click.option("-N", "N", type=count(0), metavar="COUNT", help="Iterations of a map."),
    click.option("--t0", type=number, help="Start time; of a map, the first iteration."),
    click.option("--dt", type=number, help="Step size; of an adaptive stepper, the first one."),
    click.option(
        "--set",
        "params",
        type=assignment,
        multiple=True,
        metavar="NAME=NUMBER",
        help="A parameter. [repeat]",
    ),
    click.option(
        "--ic",
        type=assignment,
        multiple=True,
        metavar="NAME=NUMBER",
        help="An initial value. [repeat]",
    ),
    click.option(
        "--preset", metavar="NAME", help="A preset of the model; --set and --ic go over it."
    ),
    mods_option,
    stepper_option,
    click.option("--rtol", type=number, help="Relative tolerance of an adaptive stepper."),
    click.option("--atol", type=number, help="Absolute tolerance of an adaptive stepper."),
    click.option(
        "--option",
        type=setting,
        multiple=True,
        metavar="NAME=VALUE",
        help="Any option of it. [repeat]",
    ),
    click.option(
        "--max-steps",
        type=count(1),
        metavar="COUNT",
        help="Steps after which a run fails.",
    ),
    click.option("--transient", type=number, help="Initial part that is not recorded."),
    click.option("--record", type=name_list, metavar="NAMES", help="Record only these: x,z,aux.E"),
    click.option(
        "--observe",
        type=observer,
        multiple=True,
        metavar="OBSERVER",
        help='An observer: lyapunov_max, "poincare(z - 27)". [repeat]',
    ),
    click.option("--t-eval", type=times, help="Record at these times: 0:100:1001 or 0,0.5,2"),
)


def run_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of a run."""
    return reduce(lambda decorated, option: option(decorated), reversed(_OPTIONS), command)


def open_session(model: str, given: dict[str, Any]) -> Sim:
    """Return a session on a model, at the values of the preset that was asked for."""
    from dynlib.runtime.setup import setup

    engine = engine_of(given)
    sim = setup(model, stepper=given["stepper"], mods=given["mods"], jit=engine)
    _check_words(sim.spec, given)
    if given["preset"] is not None:
        sim.apply_preset(given["preset"])
    return sim


def stepper_options(stepper: Stepper, given: dict[str, Any]) -> dict[str, Any]:
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
    """Refuse what belongs to the other kind of model or value, in the words of the command line."""
    pairs = (("--set", "--ic", "state", spec.states), ("--ic", "--set", "parameter", spec.params))
    for (option, other, kind, names), key in zip(pairs, ("params", "ic"), strict=True):
        for name, value in given[key]:
            if name in names:
                raise UnknownNameError(
                    f"{option}: {name!r} is a {kind}. Write {other} {name}={value:g}"
                )
    if spec.is_map and (given["T"] is not None or given["dt"] is not None):
        option = "-T" if given["T"] is not None else "--dt"
        raise click.UsageError(
            f"{option}: {spec.name!r} is a map, it has iterations instead of time: -N 1000"
        )
    if not spec.is_map and given["N"] is not None:
        raise click.UsageError(
            f"-N: {spec.name!r} is a flow, it has time instead of iterations: -T 100"
        )
