"""Where things lie in a run's arrays."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from dynlib.dsl.spec import EventSpec, ModelSpec
from dynlib.steppers.base import Stepper

__all__ = ["Layout"]


@dataclass(frozen=True)
class Layout:
    """Rows of a run's memory and workspace, fixed by the model and the stepper.

    The workspace holds for each lagged state a ring of its last values (the entry of step k is
    row k modulo the ring's depth), then for each event the truth of its condition when it was
    last examined, and whether the event has been taken within the current step and still holds.
    """

    spec: ModelSpec
    stepper: Stepper

    @property
    def states(self) -> int:
        """Number of states."""
        return len(self.spec.states)

    @property
    def params(self) -> int:
        """Number of parameters."""
        return len(self.spec.params)

    @property
    def memory(self) -> int:
        """Numbers that the stepper carries."""
        return self.stepper.memory_size(self.states)

    @cached_property
    def rings(self) -> dict[int, tuple[int, int]]:
        """For each lagged state the first row of its ring and its depth."""
        rings, row = {}, 0
        for state, lag in enumerate(self.spec.lags):
            if lag:
                rings[state] = (row, lag + 1)
                row += lag + 1
        return rings

    @cached_property
    def _events_from(self) -> int:
        return sum(depth for _, depth in self.rings.values())

    def truth(self, event: int) -> int:
        """Row with the truth of an event's condition when it was last examined."""
        return self._events_from + event

    def held(self, event: int) -> int:
        """Row that says that an event was taken within this step and still holds."""
        return self._events_from + len(self.spec.events) + event

    @property
    def workspace(self) -> int:
        """Rows of the workspace."""
        return self._events_from + 2 * len(self.spec.events)

    @property
    def log_width(self) -> int:
        """Columns of the event log."""
        return max((len(event.log) for event in self.spec.events), default=0)

    def located(self, event: EventSpec) -> bool:
        """Whether crossings of the event are located within steps."""
        return (
            self.stepper.dense_output
            and self.spec.kind == "ode"
            and event.locate
            and event.phase != "start"
        )
