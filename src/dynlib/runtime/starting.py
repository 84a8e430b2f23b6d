"""What a run starts from: the session's values, and initial values that follow the parameters."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dynlib.dsl import ModelSpec
from dynlib.dsl.starts import StartSpec
from dynlib.errors import OptionError
from dynlib.runtime.validate import PARAMETER, vector

__all__ = ["Start", "followed", "names_given", "start_value"]


class Start(NamedTuple):  # made for every run, faster than a frozen dataclass
    """What a session starts from.

    Attributes
    ----------
    spec
        The model.
    y, p
        States, shape (n_states,), and parameters, (n_params,).
    given
        States whose initial value was given, and which follow no parameters any more.
    """

    spec: ModelSpec
    y: NDArray[Any]
    p: NDArray[Any]
    given: frozenset[str] = frozenset()

    def of_run(self, ic: Any, params: Any) -> tuple[NDArray[Any], NDArray[Any]]:
        """States and parameters of one run that is given some of them."""
        spec, y, p = self.spec, self.y, self.p
        if params is not None:
            p = vector("params", PARAMETER, params, p, spec.params, spec.states)
        if spec.starts and params is not None:
            y = followed(spec, y, p, self.given | names_given(ic, spec.states))
        if ic is not None:
            y = vector("ic", "state", ic, y, spec.states, spec.params)
        return y, p


def names_given(values: Any, names: Sequence[str]) -> frozenset[str]:
    """The states that `values`, a dict or a full vector, sets."""
    if values is None:
        return frozenset()
    by_name = isinstance(values, Mapping) or hasattr(values, "keys")
    return frozenset(values if by_name else names)


def followed(
    spec: ModelSpec, y: NDArray[Any], p: NDArray[Any], given: frozenset[str]
) -> NDArray[Any]:
    """A copy of `y` in which the states that follow parameters have their values at `p`."""
    result = y.copy()
    numbers = p.tolist()
    places = {name: index for index, name in enumerate(spec.states)}
    for name, start in spec.starts.items():
        if name not in given:
            result[places[name]] = start_value(name, start, numbers, y.dtype)
    return result


def start_value(name: str, start: StartSpec, p: Sequence[Any], dtype: np.dtype[Any]) -> float | int:
    """The initial value of a state that follows parameters, at `p`.

    Raises
    ------
    OptionError
        If it is no finite number that `dtype` holds.
    """
    value = start.value(p)
    if problem := _misfit(value, dtype):
        at = ", ".join(f"{leaf.name} = {p[leaf.index]:g}" for leaf in start.params)
        raise OptionError(
            f"the initial value of {name}, {start.text}, is {value:g} at {at}, {problem}. Give "
            f"{name} itself, or other parameters."
        )
    return value


def _misfit(value: float | int, dtype: np.dtype[Any]) -> str:
    if not math.isfinite(value):
        return "which is no finite number"
    if dtype.kind == "f":
        return f"too large for {dtype.name}" if abs(value) > np.finfo(dtype).max else ""
    bounds = np.iinfo(dtype)
    whole = value == math.floor(value)
    return "" if whole and bounds.min <= value <= bounds.max else f"which is no {dtype.name}"
