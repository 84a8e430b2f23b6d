"""Options of a stepper: names, defaults, checks, and their places in the runner's array."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from reprlib import repr as short
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from dynlib.errors import StepperOptionError
from dynlib.suggest import did_you_mean

__all__ = ["Option", "Options", "precise"]

_VECTOR_SHARE = 100.0  # error of a vector, relative to its length, per relative tolerance
_FINE, _ROUGH = 1e-3, 1e-2  # and its bounds
_FINEST = 1e-12  # a share that rounding leaves to be seen


@dataclass(frozen=True)
class Option:
    """An option that a stepper has of its own.

    Attributes
    ----------
    name, default
        What it is called, and its value where a run gives none.
    doc
        What it does, in a few words.
    least, most
        Bounds of its value.
    whole
        Whether it is a whole number.
    """

    name: str
    default: float
    doc: str
    least: float = -math.inf
    most: float = math.inf
    whole: bool = False

    @property
    def accepted(self) -> str:
        """What it takes, in words."""
        what = "a whole number" if self.whole else "a number"
        low, high = (f"{bound:g}" for bound in (self.least, self.most))
        if math.isfinite(self.least) and math.isfinite(self.most):
            return f"{what} from {low} to {high}"
        if math.isfinite(self.least):
            return f"{what} of at least {low}"
        return f"{what} of at most {high}" if math.isfinite(self.most) else what

    def value(self, stepper: str, given: Any) -> float:
        """The value that was given, checked.

        Raises
        ------
        StepperOptionError
        """
        number = math.nan
        if not isinstance(given, bool):
            with suppress(TypeError, ValueError, OverflowError):
                number = float(given)
        fits = self.least <= number <= self.most and math.isfinite(number)
        if not fits or (self.whole and number != int(number)):
            msg = f"stepper {stepper!r}: {self.name} must be {self.accepted}, found {short(given)}"
            raise StepperOptionError(msg)
        return number


Method = tuple[bool, tuple[Option, ...]]  # whether it is adaptive, and its own options


class Options:
    """Options of adaptive steppers.

    ``rtol`` and ``atol`` weigh the error of state i by ``atol + rtol*max(|u|, |u_new|)``; both
    may be one number or one for each state.  ``dt_min`` and ``dt_max`` bound the size
    of the step; ``safety``, ``min_factor`` and ``max_factor`` shape its control.

    After these, the runner's array holds the square of the error up to which a tangent vector is
    stepped like the states (`dynlib.compiler.codegen.tangent_refinement`): loose where the
    tolerance is, lest every step of a chaotic run be taken twice.  Then come the options that a
    stepper has of its own; of one that is not adaptive, only these.
    """

    PLACES: ClassVar[dict[str, int]] = {
        "dt_min": 0,
        "dt_max": 1,
        "safety": 2,
        "min_factor": 3,
        "max_factor": 4,
    }
    VECTOR_ERROR: ClassVar[int] = 5
    COUNT: ClassVar[int] = 6
    TOLERANCES: ClassVar[dict[str, float]] = {"atol": 1e-8, "rtol": 1e-5}
    DEFAULTS: ClassVar[dict[str, float]] = {
        "dt_min": 0.0,
        "dt_max": math.inf,
        "safety": 0.9,
        "min_factor": 0.2,
        "max_factor": 10.0,
    }
    ADAPTIVE: ClassVar[tuple[str, ...]] = ("rtol", "atol", *PLACES)

    @classmethod
    def arrays(
        cls, stepper: str, method: Method, given: Mapping[str, Any], n: int
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The runner's `options` and `tolerances` (atol, then rtol) for what the user gave."""
        try:
            return _kept(stepper, method, tuple(given.items()), n)
        except TypeError:  # an array, which has no hash
            return _made(stepper, method, given, n)


def precise(options: NDArray[np.float64], tolerances: NDArray[np.float64]) -> NDArray[np.float64]:
    """Options with which tangent vectors have the relative tolerance of the states."""
    if not tolerances.size:
        return options
    changed = options.copy()
    relative = float(tolerances[tolerances.size // 2 :].min())
    changed[Options.VECTOR_ERROR] = max(relative, _FINEST) ** 2
    return changed


def _made(
    stepper: str, method: Method, given: Mapping[str, Any], n: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    adaptive, own_options = method
    accepted = (*(Options.ADAPTIVE if adaptive else ()), *(each.name for each in own_options))
    for name in given:
        if name not in accepted:
            raise StepperOptionError(_unknown(stepper, name, accepted))
    own = [each.value(stepper, given.get(each.name, each.default)) for each in own_options]
    if not adaptive:
        return np.array(own), np.zeros(0)
    values = np.array([*Options.DEFAULTS.values(), 0.0])
    for name, value in given.items():
        if name in Options.PLACES:
            values[Options.PLACES[name]] = _number(stepper, name, value)
    _check(stepper, values, Options.PLACES)
    tolerances = [
        _tolerance(stepper, name, given.get(name, default), n)
        for name, default in Options.TOLERANCES.items()
    ]
    relative = float(tolerances[1].min())
    values[Options.VECTOR_ERROR] = min(max(_VECTOR_SHARE * relative, _FINE), _ROUGH) ** 2
    return np.concatenate([values, own]), np.concatenate(tolerances)


@lru_cache(maxsize=64)  # one run after the other has the same ones; nobody writes to them
def _kept(
    stepper: str, method: Method, given: tuple[tuple[str, Any], ...], n: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return _made(stepper, method, dict(given), n)


def _unknown(stepper: str, name: str, accepted: tuple[str, ...]) -> str:
    if not accepted:
        return f"stepper {stepper!r} takes no options; found {name!r}"
    return (
        f"stepper {stepper!r} has no option {name!r}.{did_you_mean(name, accepted)} "
        f"Known: {', '.join(accepted)}."
    )


def _number(stepper: str, name: str, value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if math.isnan(number) or number < 0:
        msg = f"stepper {stepper!r}: {name} must be a number of at least 0, found {short(value)}"
        raise StepperOptionError(msg)
    return number


def _check(stepper: str, values: NDArray[np.float64], places: Mapping[str, int]) -> None:
    def value(name: str) -> float:
        return float(values[places[name]])

    if not value("dt_min") <= value("dt_max") or value("dt_max") == 0:
        msg = f"stepper {stepper!r}: dt_min must not exceed dt_max, and dt_max must be above 0"
    elif not 0 < value("safety") < 1:
        msg = f"stepper {stepper!r}: safety must lie between 0 and 1, found {value('safety')}"
    elif not value("min_factor") < 1 < value("max_factor") or value("min_factor") == 0:
        msg = f"stepper {stepper!r}: needs 0 < min_factor < 1 < max_factor"
    else:
        return
    raise StepperOptionError(msg)


def _tolerance(stepper: str, name: str, given: Any, n: int) -> NDArray[np.float64]:
    try:
        values = np.array(given, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        msg = (
            f"stepper {stepper!r}: {name} must be one number, or a list of {n}, one for each state "
            f"in the order of the model; found {short(given)}"
        )
        raise StepperOptionError(msg) from None
    if values.ndim > 1 or (values.ndim == 1 and values.size != n):
        msg = (
            f"stepper {stepper!r}: {name} must be one number or one for each of the {n} states, "
            f"found shape {values.shape}"
        )
        raise StepperOptionError(msg)
    if not np.all(values >= 0):
        msg = f"stepper {stepper!r}: {name} must be at least 0, found {short(given)}"
        raise StepperOptionError(msg)
    return np.broadcast_to(values, (n,))
