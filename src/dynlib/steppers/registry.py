"""The steppers there are, by name: dynlib's own, those of installed packages, registered ones.

A package brings steppers by an entry point in the group ``dynlib.steppers``, which names a stepper,
a list of them, or a function without arguments that returns either.  Packages are looked at when a
name is asked for that is not one of dynlib's own, or when all names are.
"""

from __future__ import annotations

from threading import RLock

from dynlib.abi.briefly import BRIEFLY
from dynlib.abi.forks import whole_after_fork
from dynlib.errors import StepperError, UnknownStepper
from dynlib.steppers.base import Stepper
from dynlib.steppers.explicit_rk import ExplicitRK
from dynlib.steppers.iterate import Iterate
from dynlib.steppers.multistep import AdamsBashforth
from dynlib.steppers.rosenbrock import Rosenbrock
from dynlib.steppers.tableaus.bs23 import BS23
from dynlib.steppers.tableaus.dop853 import DOP853
from dynlib.steppers.tableaus.fixed import EULER, HEUN, MIDPOINT, RK4
from dynlib.steppers.tableaus.rk45 import RK45
from dynlib.steppers.tableaus.rodas import RODAS4, RODAS5P
from dynlib.steppers.tableaus.tsit5 import TSIT5
from dynlib.suggest import closest

__all__ = [
    "OWN_NAMES", "arrived", "carried", "describe", "get", "having", "is_own", "list_steppers",
    "register", "source_of", "unregister",
]  # fmt: skip

_BASHFORTH = "Bashforth, Adams (1883)"

_OWN: dict[str, Stepper] = {
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
        Rosenbrock("rodas4", RODAS4, "Hairer, Wanner (1996)"),
        Rosenbrock("rodas5p", RODAS5P, "Steinebach (2023)"),
        Iterate(),
    )
}
OWN_NAMES = tuple(_OWN)

_registered: dict[str, Stepper] = {}
_packaged: dict[str, tuple[Stepper, str]] = {}  # with where they come from, in words
_looked: list[bool] = []
_LOOKING = whole_after_fork(RLock())


def is_own(stepper: Stepper) -> bool:
    """Whether it is one that comes with dynlib, so that its name says what it does."""
    return _OWN.get(stepper.name) is stepper


def register(stepper: Stepper) -> Stepper:
    r"""Make a stepper known by its name in this process; returns it.

    To register the same object again does nothing.

    Raises
    ------
    StepperError
        If it is no stepper, its declarations contradict each other, or its name is taken.

    Examples
    --------
    >>> from dynlib.steppers import Stepper, register, unregister
    >>> class Euler(Stepper):
    ...     evaluations = 1
    ...     dense_output = False
    ...
    ...     def emit(self, problem):
    ...         v = ", ".join(f"u[{i}] + h * f[{i}]" for i in range(problem.n))
    ...         return (
    ...             "def attempt(t, h, step, u, m, p, ws, lane):\n"
    ...             "    f = rhs(t, step, u, p, ws, lane)\n"
    ...             f"    return ({v},), f\n"
    ...         )
    >>> register(Euler("my_euler", 1, "Euler (1768)"))
    <stepper my_euler, order 1>
    >>> unregister("my_euler")
    """
    from dynlib.steppers.declarations import check_declarations  # most sessions need it not

    check_declarations(stepper)
    if stepper.name in _OWN:
        raise _taken(stepper, "dynlib's own stepper of that name")
    _look()
    with BRIEFLY:
        before = _registered.get(stepper.name) or _packaged.get(stepper.name, (None,))[0]
        if before is None:
            _registered[stepper.name] = stepper
    if before is not None and before is not stepper:
        raise _taken(stepper, f"a stepper of {source_of(before)}")
    return stepper


def unregister(name: str) -> None:
    """Forget a stepper that was registered in this process.

    Raises
    ------
    UnknownStepper
        If none was registered by this name.
    """
    with BRIEFLY:
        found = _registered.pop(name, None)
    if found is None:
        raise UnknownStepper(name, list(_registered), closest(name, list(_registered)))


def carried(stepper: Stepper) -> str | Stepper:
    """A stepper on its way to another process: its name, where that is known there too.

    That of a package is, since the package is installed; a stepper that was registered travels
    itself.
    """
    packaged = _packaged.get(stepper.name)
    known = is_own(stepper) or (packaged is not None and packaged[0] is stepper)
    return stepper.name if known else stepper


def arrived(stepper: str | Stepper) -> Stepper:
    """The stepper that came to this process: the one of its name and class that is known here.

    Raises
    ------
    StepperError
        If another one has its name here.
    """
    if isinstance(stepper, str):
        return get(stepper)
    here = _registered.get(stepper.name)
    return here if type(here) is type(stepper) else register(stepper)


def source_of(stepper: Stepper) -> str:
    """Where a stepper comes from, in words: ``"dynlib"``, or the package that brings it."""
    if is_own(stepper):
        return "dynlib"
    for each, source in _packaged.values():
        if each is stepper:
            return source
    return f"module {type(stepper).__module__}"


def _taken(stepper: Stepper, by: str) -> StepperError:
    return StepperError(
        f"stepper {stepper.name!r} ({source_of(stepper)}): the name is taken by {by}. Give it "
        "another name."
    )


def _look() -> None:
    """Ask installed packages for steppers, once in a process; other threads wait for the answer."""
    with _LOOKING:
        if not _looked:
            _looked.append(True)  # first: a package may ask what there is while it is loaded
            _look_at_packages()


def _look_at_packages() -> None:
    from dynlib.steppers.plugins import brought, left_out  # most sessions need it not

    for stepper, source in brought():
        name = stepper.name
        if name in _OWN:
            left_out(source, f"its stepper {name!r} has the name of one of dynlib's own")
        elif name in _packaged:
            other = _packaged[name][1]
            left_out(source, f"its stepper {name!r} has the name of one of {other}")
        else:
            _packaged[name] = stepper, source


def _all() -> dict[str, Stepper]:
    """All steppers, dynlib's own first."""
    _look()
    with BRIEFLY:
        return {**_OWN, **{name: each for name, (each, _) in _packaged.items()}, **_registered}


def list_steppers() -> list[str]:
    """Names of all steppers: dynlib's own, and those of other packages.

    Examples
    --------
    >>> import dynlib
    >>> "rk45" in dynlib.list_steppers()
    True
    """
    return list(_all())


def get(name: str, where: str = "") -> Stepper:
    """The stepper called `name`.

    Raises
    ------
    UnknownStepper
        With the nearest known name, if one is near, and the place that asks for it.
    """
    if isinstance(name, str):
        if name in _OWN:
            return _OWN[name]
        known = _all()
        if name in known:
            return known[name]
    raise UnknownStepper(name, list_steppers(), closest(name, list_steppers()), where)


def having(option: str) -> list[str]:
    """The names of the steppers that take an option."""
    return [stepper.name for stepper in _all().values() if option in stepper.option_names]


def describe() -> list[dict[str, object]]:
    """For each stepper: name, kind, order, whether it adapts its step, options, reference.

    Also what it counts, and the package that it comes from.
    """
    return [
        {
            "name": stepper.name,
            "kind": stepper.kind,
            "order": stepper.order,
            "adaptive": stepper.adaptive,
            "options": stepper.option_names,
            "reference": stepper.reference,
            "counters": tuple(counter.name for counter in stepper.counted),
            "package": source_of(stepper),
        }
        for stepper in _all().values()
    ]
