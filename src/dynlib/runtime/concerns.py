"""What a stepper does less well with a model than it promises: said once, at the first run."""

from __future__ import annotations

import math
import sys
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

from dynlib.compiler.model import CompiledModel
from dynlib.dsl.expr import Lag, free_nodes, to_text
from dynlib.dsl.expr.switches import time_switches
from dynlib.errors import AccuracyWarning

__all__ = ["Concerns", "of_the_caller"]

_LISTED = 3


def of_the_caller() -> int:
    """The stack level, for whoever calls this, of the first frame that is not dynlib's."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("dynlib."):
        level, frame = level + 1, frame.f_back
    return level


class Concerns:
    """The warnings about one model and its stepper, each given once in a session.

    Parameters
    ----------
    model : CompiledModel

    Attributes
    ----------
    pending : bool
        Whether there may be something to say.
    """

    def __init__(self, model: CompiledModel) -> None:
        self._model = model
        staged = not (model.spec.is_map or model.stepper.order == 1 or model.stepper.multistep)
        self._lagged = staged and any(model.spec.lags)
        self._timed = model.stepper.adaptive and bool(model.spec.time_switches.unknown)
        self.pending = self._lagged or self._timed

    def tell(self, options: Mapping[str, Any]) -> None:
        """Warn the caller of `Sim.run` and its kin; `options` are those of the stepper."""
        message = ""
        if self._lagged:
            self._lagged, message = False, self._lags()
        bound = options.get("dt_max", self._model.spec.sim.options.get("dt_max", math.inf))
        if self._timed and not (isinstance(bound, int | float) and bound < math.inf):
            self._timed, message = False, self._times()
        self.pending = self._lagged or self._timed
        if message:
            warnings.warn(message, AccuracyWarning, stacklevel=of_the_caller())

    def _lags(self) -> str:
        """A lag is the same in all stages of a step; only events and aux may use it freely."""
        spec, stepper = self._model.spec, self._model.stepper
        lagged = [
            (state, leaf)
            for state, equation in zip(spec.states, spec.equations, strict=True)
            for leaf in free_nodes(equation)
            if isinstance(leaf, Lag)
        ]
        if not lagged:
            return ""
        state, lag = lagged[0]
        return (
            f"{spec.name}: the equation of {state} uses {to_text(lag)}, the same in all of "
            f"a step. So stepper {stepper.name!r}, of order {stepper.order}, is of order 1 "
            "only. Stepper 'ab2' keeps its order 2."
        )

    def _times(self) -> str:
        """Switches whose times are not known may be stepped over."""
        spec, stepper = self._model.spec, self._model.stepper
        found = list(dict.fromkeys(self._unknown()))
        shown = ", ".join(found[:_LISTED])
        more = f" and {len(found) - _LISTED} more" if len(found) > _LISTED else ""
        return (
            f"{spec.name}: {shown}{more} switches with time, at times that cannot be computed "
            f"beforehand. Steps of {stepper.name!r} may leap over what lasts for a short time: "
            "give them an upper bound, run(dt_max=...), or let an event switch a parameter. "
            "(Steps end by themselves where a condition that is affine in t, or in t % period, "
            "switches.)"
        )

    def _unknown(self) -> Iterator[str]:
        spec = self._model.spec
        for state, equation in zip(spec.states, spec.equations, strict=True):
            for node in time_switches([equation]).unknown:
                yield f"{to_text(node)!r} in the equation of {state}"
