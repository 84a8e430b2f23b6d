"""The steppers there are, by name."""

from __future__ import annotations

from dynlib.errors import UnknownStepper
from dynlib.steppers.base import Stepper
from dynlib.steppers.explicit_rk import ExplicitRK
from dynlib.steppers.iterate import Iterate
from dynlib.steppers.multistep import AdamsBashforth
from dynlib.steppers.tableaus.bs23 import BS23
from dynlib.steppers.tableaus.dop853 import DOP853
from dynlib.steppers.tableaus.fixed import EULER, HEUN, MIDPOINT, RK4
from dynlib.steppers.tableaus.rk45 import RK45
from dynlib.steppers.tableaus.tsit5 import TSIT5
from dynlib.suggest import closest

__all__ = ["describe", "get", "having", "is_own", "list_steppers"]

_BASHFORTH = "Bashforth, Adams (1883)"

_STEPPERS: dict[str, Stepper] = {
    stepper.name: stepper
    for stepper in (
        ExplicitRK("euler", EULER, "Euler (1768)"),
        ExplicitRK("heun", HEUN, "Heun (1900)"),
        ExplicitRK("rk2", MIDPOINT, "explicit midpoint rule, Runge (1895)"),
        ExplicitRK("rk4", RK4, "Kutta (1901)"),
        ExplicitRK("bs23", BS23, "Bogacki, Shampine (1989)"),
        ExplicitRK("rk45", RK45, "Dormand, Prince (1980)"),
        ExplicitRK("tsit5", TSIT5, "Tsitouras (2011)"),
        ExplicitRK("dop853", DOP853, "Prince, Dormand (1981); Hairer, Nørsett, Wanner (1993)"),
        AdamsBashforth("ab2", (3 / 2, -1 / 2), _BASHFORTH),
        AdamsBashforth("ab3", (23 / 12, -16 / 12, 5 / 12), _BASHFORTH),
        Iterate(),
    )
}


_OWN = tuple(_STEPPERS.values())


def is_own(stepper: Stepper) -> bool:
    """Whether it is one that comes with dynlib, so that its name says what it does."""
    return any(stepper is each for each in _OWN)


def list_steppers() -> list[str]:
    """Names of all steppers.

    Examples
    --------
    >>> import dynlib
    >>> "rk45" in dynlib.list_steppers()
    True
    """
    return list(_STEPPERS)


def get(name: str, where: str = "") -> Stepper:
    """The stepper called `name`.

    Raises
    ------
    UnknownStepper
        With the nearest known name, if one is near, and the place that asks for it.
    """
    if not isinstance(name, str) or name not in _STEPPERS:
        raise UnknownStepper(name, list_steppers(), closest(name, list_steppers()), where)
    return _STEPPERS[name]


def having(option: str) -> list[str]:
    """The names of the steppers that take an option."""
    return [stepper.name for stepper in _STEPPERS.values() if option in stepper.option_names]


def describe() -> list[dict[str, object]]:
    """For each stepper: name, kind, order, whether it adapts its step, options, reference."""
    return [
        {
            "name": stepper.name,
            "kind": stepper.kind,
            "order": stepper.order,
            "adaptive": stepper.adaptive,
            "options": stepper.option_names,
            "reference": stepper.reference,
        }
        for stepper in _STEPPERS.values()
    ]
