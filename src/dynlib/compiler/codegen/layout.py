"""Where things lie in a run's arrays."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from dynlib.compiler.codegen.crowd import CROWD_ROWS
from dynlib.dsl.expr import free_nodes, operations, postorder
from dynlib.dsl.expr.nodes import Apply, Node, Previous, PreviousTime, Reduce, State, Time
from dynlib.dsl.expr.switches import Switch
from dynlib.dsl.spec import EventSpec, ModelSpec, StopSpec
from dynlib.steppers.base import Stepper
from dynlib.steppers.tally import Tally

__all__ = ["LONG_WORK", "Layout"]

LONG_WORK = 4000.0  # operations of a right-hand side, from which on its loops can be left


@dataclass(frozen=True)
class Layout:
    """Rows of a run's memory and workspace, fixed by the model and the stepper.

    The workspace holds for each lagged state a ring of its last values (the entry of step k is
    row k modulo the ring's depth), then for each watched condition its truth when it was last
    examined, for each event whether it has been taken within the current step and still holds.
    Where events are located, rows follow that watch over events that accumulate; where
    something looks back to the start of the last whole step, the state and the time there; where
    crossings are located, the same for the place before that at which conditions were looked at.
    Where steps end on switches with time, the next switch follows, and how early and how late the
    right-hand side may see the time up to there.  Where loops within a step may turn very often, a
    row tells them to end.  Options that the stepper has of its own follow, and what its attempts
    say of themselves (`dynlib.steppers.tally`).
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

    @cached_property
    def stop_located(self) -> bool:
        """Whether the stop condition is located within steps, like an event."""
        stop = self.spec.stop
        return stop is not None and self.located(_as_event(stop))

    @cached_property
    def watched(self) -> tuple[EventSpec, ...]:
        """Conditions whose truth is remembered: of the events, last of a stop that is located."""
        stop = self.spec.stop
        return (*self.spec.events, *([_as_event(stop)] if stop and self.stop_located else []))

    def truth(self, event: int) -> int:
        """Row with the truth of a watched condition when it was last examined."""
        return self._events_from + event

    def held(self, event: int) -> int:
        """Row that says that an event was taken within this step and still holds."""
        return self._events_from + len(self.watched) + event

    @property
    def crowd(self) -> int:
        """First of the rows that `dynlib.compiler.codegen.crowd` keeps."""
        return self._events_from + len(self.watched) + len(self.spec.events)

    @property
    def step_start(self) -> int:
        """First row of the state, then the time, at the start of the last step."""
        return self.crowd + (CROWD_ROWS if self.any_event_located else 0)

    @property
    def look_start(self) -> int:
        """First row of the state, then the time, at the place that was looked at before."""
        return self.step_start + (self.states + 1 if self.looks_back else 0)

    @property
    def workspace(self) -> int:
        """Rows of the workspace."""
        return self.tally_rows + self.tally.rows

    @property
    def settings(self) -> int:
        """First row of the options that the stepper has of its own; tolerances follow."""
        return self._after_switch + (0 if self.heed is None else 1)

    @property
    def tally_rows(self) -> int:
        """First row of what attempts say of themselves."""
        return self.settings + self.stepper.setting_rows(self.states)

    @cached_property
    def tally(self) -> Tally:
        """What these rows hold; of most methods there are none."""
        return Tally(self.stepper, self.spec.dtype)

    @property
    def switch(self) -> int:
        """First of the three rows on the next switch with time."""
        return self.look_start + (self.states + 1 if self.any_passing else 0)

    @property
    def _after_switch(self) -> int:
        return self.switch + (3 if self.switches else 0)

    @cached_property
    def heed(self) -> int | None:
        """Row that tells loops within a step to end, as after Ctrl-C; None: none is that long."""
        nodes = self.expressions
        loops = any(isinstance(node, Reduce) for node in postorder(nodes))
        return self._after_switch if loops and operations(nodes) > LONG_WORK else None

    @property
    def expressions(self) -> list[Node]:
        """All that may be evaluated in a step."""
        spec = self.spec
        nodes = [*spec.equations, *(aux.expr for aux in spec.aux)]
        for event in spec.events:
            nodes += [event.cond, *(column.expr for column in event.log)]
            nodes += [action.expr for action in event.actions]
        return nodes if spec.stop is None else [*nodes, spec.stop.cond]

    @cached_property
    def switches(self) -> tuple[Switch, ...]:
        """What switches with time where steps are made to end on it: on a fixed grid nothing."""
        return self.spec.time_switches.known if self.stepper.adaptive else ()

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
            and not compares_ends(event.cond)
        )

    @cached_property
    def any_located(self) -> bool:
        """Whether a step can be cut."""
        return any(self.located(event) for event in self.watched)

    @property
    def any_event_located(self) -> bool:
        """Whether it may be cut several times: a stop cuts it once."""
        return any(self.located(event) for event in self.spec.events)

    @property
    def chained(self) -> bool:
        """Whether the action of one event may bring another one about, at a located instant."""
        acting = [event for event in self.spec.events if event.actions]
        return len(acting) > 1 and any(self.located(event) for event in acting)

    def passing(self, event: EventSpec) -> bool:
        """Whether what is located is a crossing, which is over as soon as it has happened."""
        return self.located(event) and looks_back(event.cond)

    @cached_property
    def any_passing(self) -> bool:
        """Whether there is a condition of that kind."""
        return any(self.passing(event) for event in self.watched)

    @cached_property
    def looks_back(self) -> bool:
        """Whether the start of the last whole step is to be kept.

        An aux looks back to it when it is recorded, a condition at the start of a step always,
        and one at the end of a step that may have been cut.
        """
        if self.aux_looks_back:
            return True
        stop = self.spec.stop
        cut = self.any_located and not self.stop_located
        examined = [stop.cond] if stop and (cut or stop.phase != "end") else []
        for event in self.spec.events:
            if event.phase == "start" or (self.any_located and not self.located(event)):
                examined += [event.cond, *(column.expr for column in event.log)]
                examined += [action.expr for action in event.actions]
        return looks_back(*examined)

    @property
    def aux_looks_back(self) -> bool:
        """Whether an aux compares with the step before."""
        return looks_back(*(aux.expr for aux in self.spec.aux))


def _as_event(stop: StopSpec) -> EventSpec:
    return EventSpec(
        "stop", stop.cond, stop.level, stop.phase, None, stop.locate, (), (), (), stop.text
    )


def looks_back(*nodes: Node) -> bool:
    """Whether one of these expressions itself looks back to the start of the step."""
    return any(isinstance(leaf, Previous | PreviousTime) for leaf in free_nodes(nodes))


def compares_ends(cond: Node) -> bool:
    """Whether a condition compares a value now with one at the start of the step.

    ``increasing(x)`` holds anywhere within a step, as close to its start as one likes: it is a
    question about whole steps.  ``cross_up(x, c)`` is not: both values are compared with `c`.
    """
    return any(
        isinstance(node, Apply) and node.kind == "bool" and _mixed(node)
        for node in postorder([cond])
        if all(child.kind != "bool" for child in node.children)
    )


def _mixed(comparison: Apply) -> bool:
    leaves = free_nodes(comparison)
    earlier = any(isinstance(leaf, Previous | PreviousTime) for leaf in leaves)
    return earlier and any(isinstance(leaf, State | Time) for leaf in leaves)
