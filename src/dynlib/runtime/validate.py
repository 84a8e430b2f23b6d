"""Check what a user passes to a run; what is wrong is said in one sentence or two."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynlib.errors import OptionError
from dynlib.runtime.naming import misplaced_name

__all__ = [
    "PARAMETER",
    "exactly",
    "flag",
    "integer",
    "number",
    "one_of",
    "overlay",
    "shown",
    "vector",
]

PARAMETER = "parameter"


def number(what: str, value: Any, *, infinite: bool = False) -> float:
    """A finite (or infinite) real number, or an error message about `what`."""
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    if not isinstance(value, Real | np.bool_):
        raise OptionError(f"{what} must be a number, found {shown(value)}.")
    try:
        found = float(value)
    except OverflowError:
        found, infinite = math.inf, False
    if not (math.isfinite(found) or (infinite and not math.isnan(found))):
        raise OptionError(f"{what} must be finite, found {found}.")
    return found


def integer(what: str, value: Any, least: int | None = None, most: float = 2**62) -> int:
    """A whole number (``1e6`` and ``10.0`` will do), not below `least`, of at most this size."""
    if type(value) is int and (-most if least is None else least) <= value <= most:  # most are
        return value
    found = value if isinstance(value, Integral) else number(what, value)
    if found != int(found):
        raise OptionError(f"{what} must be a whole number, found {shown(value)}.")
    if least is not None and found < least:
        raise OptionError(f"{what} must be at least {least}, found {shown(value)}.")
    if abs(int(found)) > most:
        raise OptionError(f"{what} = {shown(value)} is more than any run can do.")
    return int(found)


def flag(what: str, value: Any) -> bool:
    """True or False."""
    if not isinstance(value, bool | np.bool_):
        raise OptionError(f"{what} must be True or False, found {shown(value)}.")
    return bool(value)


def one_of(what: str, value: Any, choices: Sequence[str]) -> str:
    """One of a few words."""
    if not isinstance(value, str) or value not in choices:
        accepted = " or ".join(repr(choice) for choice in choices)
        raise OptionError(f"{what} must be {accepted}, found {shown(value)}.")
    return value


def overlay(
    what: str,
    given: Mapping[str, Any],
    base: NDArray[Any],
    names: tuple[str, ...],
    others: tuple[str, ...] = (),
) -> NDArray[Any]:
    """A copy of the vector `base` with the entries that `given` names.

    About a name of `others` (parameters, where states are given) the error message says where it
    belongs.

    Raises
    ------
    UnknownNameError
        For a name that is none of `names`.
    OptionError
        For a value that is no number of the vector's type, or an infinite state.  A parameter may
        be infinite, such as the time of a switch that is never thrown.
    """
    result = base.copy()
    places = {name: index for index, name in enumerate(names)}
    for name, value in given.items():
        if name not in places:
            raise misplaced_name(what, name, names, others)
        result[places[name]] = _entry(what, f"{what} {name!r}", value, base.dtype)
    return result


def vector(
    argument: str,
    what: str,
    given: Any,
    base: NDArray[Any],
    names: tuple[str, ...],
    others: tuple[str, ...] = (),
) -> NDArray[Any]:
    """The vector that a dict (over `base`) or a full sequence of values stands for."""
    if isinstance(given, Mapping) or hasattr(given, "keys"):  # pandas' rows are no Mapping
        return overlay(what, given, base, names, others)
    scalar = isinstance(given, np.ndarray) and given.ndim == 0
    if isinstance(given, str) or scalar or not isinstance(given, Sequence | np.ndarray):
        raise OptionError(
            f"{argument} must be a dict of names and values or a vector of {len(names)} values, "
            f"found {shown(given)}."
        )
    if len(given) != len(names) or (isinstance(given, np.ndarray) and given.ndim != 1):
        raise OptionError(
            f"{argument} has {_shape(given)}; the model has {_count(what, names)}. "
            f"A dict changes only some: {argument}={{{names[0] if names else 'x'!r}: ...}}."
        )
    pairs = zip(names, given, strict=True)
    values = [
        _entry(what, f"{argument}: {what} {name!r}", value, base.dtype) for name, value in pairs
    ]
    return np.array(values, dtype=base.dtype)


def _entry(kind: str, what: str, value: Any, dtype: np.dtype[Any]) -> float | int:
    """A value that a vector of this type can hold, unchanged but for its rounding."""
    if dtype.kind == "i":
        found = integer(what, value, most=math.inf)
        bounds = np.iinfo(dtype)
        if not bounds.min <= found <= bounds.max:
            raise OptionError(f"{what} does not fit {dtype.name}: {shown(found)}.")
        return found
    result = number(what, value, infinite=kind == PARAMETER)
    if math.isfinite(result) and abs(result) > float(np.finfo(dtype).max):
        raise OptionError(f"{what} does not fit {dtype.name}: {result}.")
    return result


def _count(what: str, names: tuple[str, ...]) -> str:
    if not names:
        return f"no {what}s"
    plural = "" if len(names) == 1 else "s"
    return f"{len(names)} {what}{plural}: {', '.join(names)}"


def _shape(given: Sequence[Any] | NDArray[Any]) -> str:
    if isinstance(given, np.ndarray) and given.ndim != 1:
        return f"shape {given.shape}"
    return f"{len(given)} value" + ("" if len(given) == 1 else "s")


def exactly(value: Any) -> str:
    """A number with all the digits that it needs: 1.0000001 is not 1."""
    found = float(value)
    short = f"{found:g}"
    return short if float(short) == found else repr(found)


def shown(value: Any) -> str:
    """A value as an error message quotes it: cut where it is long."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
