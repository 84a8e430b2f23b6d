"""What a picture asks of a result: names, columns, times, events, the map itself."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dynlib.abi.status import Status
from dynlib.dsl.expr import ExprError, Iteration, Lag, Node, evaluate, free_nodes
from dynlib.errors import OptionError, UnknownNameError
from dynlib.suggest import did_you_mean

if TYPE_CHECKING:
    from dynlib.runtime.results import Results

__all__ = ["Subject"]

Floats = NDArray[np.float64]
_AUX = "aux."
_RUNAWAY = 30.0  # times the usual size of a variable


class Subject:
    """A result as a picture sees it.

    Parameters
    ----------
    result : Results

    Raises
    ------
    OptionError
        If it has no rows to draw.
    """

    def __init__(self, result: Results) -> None:
        if not len(result) or not result.names:
            raise OptionError(
                "there is nothing to draw: the run recorded no rows. "
                "Run it with record=True, and with a transient shorter than the run."
            )
        self._result = result
        self.is_map = result.is_map
        self.title = result.model_name
        self.states: tuple[str, ...] = result.final.names
        self.time_name = result.time_name
        # A map may have a state called n; then a cobweb counts with another letter.
        self.index = "k" if self.time_name == "iteration" else "n"

    @cached_property
    def t(self) -> Floats:
        """Times of the rows."""
        return np.asarray(self._result.t, dtype=np.float64)[: self._end]

    @cached_property
    def _end(self) -> int:
        """How many rows are drawn: all, or those before an orbit has left for infinity.

        The last rows before an overflow would make everything else a flat line.
        """
        rows = len(self._result)
        if self._result.status is not Status.NAN_DETECTED:
            return rows
        calm = np.ones(rows, dtype=bool)
        for name in self._result.names:
            size = np.abs(np.asarray(self._result[name], dtype=np.float64))
            calm &= ~(size > _RUNAWAY * np.nanmedian(size))
        last = np.flatnonzero(calm)
        return int(last[-1]) + 1 if last.size > 1 else rows

    @property
    def params(self) -> dict[str, Any]:
        """Parameters at the end of the run, by name."""
        return dict(self._result.final_params)

    @property
    def is_integer(self) -> bool:
        """Whether states are integers."""
        return self._result.spec.is_integer

    def choose(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return the names as they were recorded; all that were, if none are given.

        Raises
        ------
        UnknownNameError
            For a name that was not recorded.
        """
        chosen = []
        for name in names:
            if not isinstance(name, str):
                raise OptionError(f"names of variables are texts, found {name!r}")
            self.values(name)  # the result itself knows best what is wrong with a name
            chosen.append(name if name in self._result.names else name.removeprefix(_AUX))
        return tuple(chosen) or self._result.names

    def values(self, name: str) -> Floats:
        """Return the column of a recorded variable, or the times under their own name."""
        if name == self.time_name:
            return self.t
        return np.asarray(self._result[name], dtype=np.float64)[: self._end]

    def events(self, asked: bool | str | Iterable[str]) -> dict[str, Floats]:
        """Return the times of the events that are asked for and fired.

        Raises
        ------
        UnknownNameError
            For a name that is no event of the model.
        """
        known = tuple(self._result.events)
        names = known if asked is True else () if asked is False else asked
        times = {}
        for name in (names,) if isinstance(names, str) else names:
            if name not in known:
                choice = f"Known: {', '.join(known)}." if known else "The model has none."
                raise UnknownNameError(
                    f"unknown event {name!r}.{did_you_mean(str(name), known)} {choice}"
                )
            times[name] = np.asarray(self._result.events[name].t, dtype=np.float64)
        return {name: each for name, each in times.items() if each.size}

    @property
    def has_cobweb(self) -> bool:
        """Whether this is a map of one state with every iteration recorded."""
        whole = self.is_map and len(self.states) == 1 and self.states[0] in self._result.names
        return whole and self.t.size > 1 and bool(np.all(np.diff(self.t) == 1))

    def image_of(self, x: Floats) -> Floats | None:
        """Return the next values of a map of one state, None if they depend on more than it."""
        spec = self._result.spec
        (rule,) = spec.equations
        if any(isinstance(each, Iteration | Lag) for each in free_nodes(rule)):
            return None
        params: dict[Node, Any] = dict(zip(spec.param_nodes, self.params.values(), strict=True))
        (state,) = spec.state_nodes
        try:
            return np.array([evaluate(rule, {**params, state: each}) for each in x])
        except ExprError:  # sums that are too long to be worked out here
            return None
