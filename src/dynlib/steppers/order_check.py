"""Whether a stepper has the order that it declares, measured on a flow with a known solution."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np

from dynlib.dsl import load_model
from dynlib.dsl.spec import ModelSpec
from dynlib.errors import StepperError
from dynlib.steppers.base import Stepper
from dynlib.steppers.declarations import check_declarations
from dynlib.steppers.plain import PlainStepper
from dynlib.steppers.problem import Problem
from dynlib.steppers.proof import who
from dynlib.steppers.registry import get

__all__ = ["StepperCheck", "check"]

# Nonlinear, coupled, non-autonomous; terms that vanish along the solution couple its parts.
_FLOW = """inline:
[model]
type = "ode"
name = "known"
[states]
x = 1.0
y = 1.0
z = 1.0
[equations.rhs]
x = "-3*x + y^2 + 0.5*(z - exp(sin(t)))"
y = "x - y - y^2 + 0.3*x*(z - exp(sin(t)))"
z = "z*cos(t) + x - y^2"
"""
_SPAN = 1.0
_STEPS = (8, 12, 16, 24, 32, 48, 64, 96, 128)
_FINEST, _COARSEST = 1e-13, 1e-2  # errors that an order shows in
_WITHIN = 0.25  # of an order
_JOINT = 1e-12  # of a dense output at the ends of a step


@dataclass(frozen=True)
class StepperCheck:
    """What was found of a stepper.

    Attributes
    ----------
    stepper
        Its name.
    declared, measured
        Its order as it says, and as it is found: the slope of the error over the step.
    errors
        The error at the end, by the number of steps.
    """

    stepper: str
    declared: int
    measured: float
    errors: tuple[tuple[int, float], ...]


def check(stepper: Stepper | str) -> StepperCheck:
    """Measure the order of a stepper for flows, and see that its dense output meets the steps.

    It takes steps of one length, in plain Python, along a nonlinear, non-autonomous flow of three
    states whose solution is known.

    Parameters
    ----------
    stepper
        A stepper, or the name of one.

    Raises
    ------
    StepperError
        If the order is not within 0.25 of the declared one, the dense output does not begin and
        end where the step does, an attempt fails, or its text is not what it has to be.

    Examples
    --------
    >>> from dynlib.steppers import check
    >>> found = check("heun")
    >>> found.declared, round(found.measured)
    (2, 2)
    """
    method = get(stepper) if isinstance(stepper, str) else stepper
    check_declarations(method)
    if method.kind == "map":
        raise StepperError(f"{who(method)} is for maps, whose steps have no order.")
    why = method.refuses(Problem.of(_flow()))
    if why:
        raise StepperError(f"{who(method)} is not for the flow that it is tried on: {why}.")
    plain = PlainStepper(method, _flow())
    errors = _errors(plain)
    measured = _slope(errors)
    if not abs(measured - method.order) <= _WITHIN:
        listed = ", ".join(f"{error:.2g} ({n} steps)" for n, error in errors)
        raise StepperError(
            f"{who(method)} declares order {method.order}, and has order {measured:.2f}: its "
            f"errors are {listed}."
        )
    if method.dense_output:
        _check_joints(plain)
    return StepperCheck(method.name, method.order, measured, errors)


@cache
def _flow() -> ModelSpec:
    return load_model(_FLOW)


def _solution(t: float) -> tuple[float, float, float]:
    return math.exp(-2 * t), math.exp(-t), math.exp(math.sin(t))


def _errors(plain: PlainStepper) -> tuple[tuple[int, float], ...]:
    """The error at the end for more and more steps, as long as it shows an order."""
    found: list[tuple[int, float]] = []
    exact = np.array(_solution(_SPAN))
    for n in (4, *_STEPS):
        try:
            end, _ = plain.run(_solution(0.0), 0.0, _SPAN / n, n)
        except Exception as failure:  # an attempt that fails, or whatever else the text does
            raise StepperError(
                f"{who(plain.stepper)}: a step of {_SPAN / n:g} failed on a flow that is not "
                f"stiff: {failure or type(failure).__name__}."
            ) from failure
        error = float(np.abs(np.array(end) - exact).max())
        if error < _FINEST and len(found) > 1:
            break
        found.append((n, error))
    return tuple(found)


def _slope(errors: tuple[tuple[int, float], ...]) -> float:
    """The slope between the last two errors that are no rounding."""
    shown = [(n, e) for n, e in errors if _FINEST <= e <= _COARSEST]
    if len(shown) < 2:
        return 0.0 if not shown else math.nan
    (n, coarse), (more, fine) = shown[-2:]
    return math.log(coarse / fine) / math.log(more / n)


def _check_joints(plain: PlainStepper) -> None:
    """Refuse a dense output that does not begin and end where the step does."""
    h = 0.0625
    _, taken = plain.run(_solution(0.0), 0.0, h, 6)  # methods that look back have begun
    for k, step in enumerate(taken):
        for theta, end in ((0.0, step[0]), (1.0, step[1])):
            away = np.abs(np.array(plain.inside(theta, k * h, h, step)) - np.array(end)).max()
            if not away <= _JOINT:
                raise StepperError(
                    f"{who(plain.stepper)}: its interpolate() at theta = {theta:g} is {away:.2g} "
                    f"away from the {'end' if theta else 'start'} of the step."
                )
