"""The ordinary run: buffers, the call of the runner, and the answers to what it says.

The runner never allocates.  It comes back when a buffer is full (`GROW_REC`, `GROW_EVT`), and
every few hundredths of a second (`OK`), so that an interrupt is seen and progress is shown;
entering it again goes on as if it had never left.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dynlib.abi.run_state import RunState
from dynlib.abi.slots import CLOCK, COUNT, UNBOUNDED
from dynlib.abi.status import Status
from dynlib.compiler.codegen.runner_variants import Variant
from dynlib.compiler.model import CompiledModel
from dynlib.errors import OptionError
from dynlib.observers.kit.hook_traceback import hook_error
from dynlib.observers.kit.result import ObserverResult
from dynlib.runtime.buffers import Buffers
from dynlib.runtime.costs import Costs, RunStats
from dynlib.runtime.horizon import first_budget, fixed_horizon
from dynlib.runtime.interrupt import Interrupt
from dynlib.runtime.leaving import leaving, until_told
from dynlib.runtime.observation import Observation, build_observer_metadata
from dynlib.steppers.options import precise

__all__ = ["RawRun", "RunRequest", "RunStats", "run_with_wrapper"]

_CHUNK_SECONDS = 0.04  # time between two looks at Ctrl-C and the clock
_MOST_ROWS = 2**24  # of a new record: a run may end long before its time
_STATUS = {int(status): status for status in Status}

Progress = Callable[[float, str], None]


class RunRequest(NamedTuple):  # made for every run, faster than a frozen dataclass
    """What one run is asked for, in the runner's terms.

    Attributes
    ----------
    t_end, n_end
        Where to stop: a time (ODE) or an iteration index (map).
    dt
        Step of a fixed grid, first step of an adaptive run; None: as the session has it.
    record, stride
        Whether to record, and every how many steps.
    states, aux
        Indices of what is recorded; `states` None: all of them.
    samples
        Times at which to record instead, rising in the direction of the run.
    transient
        Initial part that is not recorded: a time, or a number of iterations.
    max_steps
        Steps after which the run is given up; None: no limit.
    options
        Options of the stepper.
    observation
        The observers of the run and what they have found so far; None: it has none.
    progress
        Called with the fraction done, now and then, once a run takes longer than a second.
    skip
        Steps before the first row: a resumed run goes on in the rhythm of the run before it.
    first_rows, first_events
        First sizes of growing buffers; they never change a result.
    variant
        A further runner that was registered, to be called instead of BASE or ANALYSIS.
    """

    t_end: float | None = None
    n_end: int | None = None
    dt: float | None = None
    record: bool = True
    stride: int = 1
    states: tuple[int, ...] | None = None
    aux: tuple[int, ...] = ()
    samples: NDArray[np.float64] | None = None
    transient: float = 0
    max_steps: int | None = None
    options: Mapping[str, Any] = {}
    observation: Observation | None = None
    progress: Progress | None = None
    skip: int = 0
    first_rows: int | None = None
    first_events: int | None = None
    variant: Variant | None = None


class RawRun(NamedTuple):  # made for every run, faster than a frozen dataclass
    """What a run brought, still without names.

    Attributes
    ----------
    t, y, aux
        Recorded rows: times (n,), states (n, n_selected), aux (n, n_selected).
    evt_t, evt_step, evt_id, evt_log
        The event log: time, step, number of the event, logged values (padded with NaN).
    status
        How the run ended.
    t_final
        Time of the final state, which is in the `RunState`; `t_end` itself if it was reached.
    stats
        What it cost.
    observers
        What its observers found, by name.
    error
        Why it was broken off, if a hook raised, or memory was too small for the record; what
        there is of the run is as if it had been interrupted then, or some steps before.
    final_dt
        The step with which the run would go on; NaN where an older file does not say.
    failure
        Why its last attempt failed, in the method's words; ``""`` if it did not.
    """

    t: NDArray[np.float64]
    y: NDArray[Any]
    aux: NDArray[np.float64]
    evt_t: NDArray[np.float64]
    evt_step: NDArray[np.int64]
    evt_id: NDArray[np.int64]
    evt_log: NDArray[np.float64]
    status: Status
    t_final: float
    stats: RunStats
    observers: Mapping[str, ObserverResult] = {}
    error: OptionError | None = None
    final_dt: float = float("nan")
    failure: str = ""


def run_with_wrapper(model: CompiledModel, state: RunState, request: RunRequest) -> RawRun:
    """Advance `state` as `request` says and return what was recorded.

    `state` is left where the run ended, also after a failure or an interrupt, and can be run
    on from there.

    Raises
    ------
    StepperOptionError
        For options that the stepper does not take.
    """
    started = perf_counter()
    before = state.count.tolist()
    counted = _counted(model, state)
    t_grid_end = _aim(model, state, request, before)
    sampled = request.samples is not None
    observation = request.observation
    buffers = Buffers(
        model, state, sampled=sampled, observation=observation, variant=request.variant,
        progress=request.progress,
    )  # fmt: skip
    buffers.select(request.states, request.aux)
    options, tolerances = model.usual_options
    if request.options:
        options, tolerances = model.stepper.options(request.options, len(model.spec.states))
    if observation is not None and observation.combined.given:
        options = precise(options, tolerances)
    buffers.set_options(options, tolerances)
    if request.first_events is not None:
        buffers.start_events(request.first_events)
    error = None
    try:
        status = _warm_up(model, state, request, buffers)
        if status is Status.DONE:
            _plan_records(model, state, request, buffers)
            _plan_observation(model, state, request)
            status = _drive(model, state, request, buffers)
    except OptionError as raised:
        status, error = Status.USER_BREAK, raised
    reached = status is Status.DONE and request.t_end is not None
    clock, after = state.clock.tolist(), state.count.tolist()
    t_final = float(request.t_end) if reached else clock[CLOCK.T]  # type: ignore[arg-type]
    t, y, aux = buffers.records()
    if reached and t.size and t[-1] == t_grid_end:
        t[-1] = t_final
    rejected = after[COUNT.REJECTED] - before[COUNT.REJECTED]
    attempts = after[COUNT.ACCEPTED] - before[COUNT.ACCEPTED] + rejected
    evaluations, failure = attempts * model.evaluations, ""
    counters: Mapping[str, int] = {}
    if counted:
        now, costs = _counted(model, state), Costs.of(model.stepper)
        counts = [after - before for before, after in zip(counted[1:], now[1:], strict=True)]
        evaluations, counters = costs.evaluated(attempts, counts)
        failure = costs.failure(now[0]) if status is Status.STEPFAIL else ""
    stats = RunStats(
        after[COUNT.STEP] - before[COUNT.STEP],
        rejected,
        evaluations,
        perf_counter() - started,
        counters,
    )
    observers: Mapping[str, ObserverResult] = {}
    if observation is not None:
        began = after[COUNT.STEP] > after[COUNT.OBSERVED_FROM]
        observers = build_observer_metadata(*observation.numbers(began=began))
    final_dt = 1.0 if request.n_end is not None else clock[CLOCK.DT]
    log = buffers.events()
    return RawRun(t, y, aux, *log, status, t_final, stats, observers, error, final_dt, failure)


def _counted(model: CompiledModel, state: RunState) -> list[int]:
    """The last failure and the counts of a method that has such; of most methods nothing."""
    if not model.is_noted:
        return []
    layout = model.program.layout
    found = layout.tally.read(state.workspace[layout.tally_rows :, 0])
    return [int(value) for value in found.tolist()]


def _aim(model: CompiledModel, state: RunState, request: RunRequest, before: list[int]) -> float:
    """Set clock and counters for this run; returns the time of its end on the grid."""
    clock, count = state.clock, state.count
    step = before[COUNT.STEP]
    limit = UNBOUNDED if request.max_steps is None else step + request.max_steps
    count[COUNT.STEP_LIMIT] = limit
    count[COUNT.PIECE_LIMIT] = limit - step + before[COUNT.ACCEPTED]
    if before[COUNT.STOPPED]:
        count[COUNT.STOPPED] = 2
    if request.n_end is not None:
        count[COUNT.STEP_END] = request.n_end
        return float(request.n_end)
    assert request.t_end is not None
    t_end = float(request.t_end)
    if model.stepper.adaptive:
        if request.dt is not None:
            clock[CLOCK.DT] = request.dt
        clock[CLOCK.T_END] = t_end
        count[COUNT.STEP_END] = UNBOUNDED
        return t_end
    now = clock.tolist()
    t, dt, origin = now[CLOCK.T], now[CLOCK.DT], now[CLOCK.ORIGIN]
    wanted = dt if request.dt is None else float(request.dt)
    at_grid = before[COUNT.CUTS] > 0 or t == origin + step * dt
    if wanted != dt or not at_grid:
        clock[CLOCK.DT] = wanted
        clock[CLOCK.ORIGIN] = origin = t - step * wanted
        count[COUNT.FRESH] = max(1, before[COUNT.FRESH])
    horizon = fixed_horizon(t, step, wanted, origin, t_end)
    count[COUNT.STEP_END] = horizon.step
    clock[CLOCK.T_END] = horizon.t
    clock[CLOCK.DT_LAST] = horizon.dt_last
    return horizon.t


def _warm_up(
    model: CompiledModel, state: RunState, request: RunRequest, buffers: Buffers
) -> Status:
    """Run the transient of an adaptive run, up to a step that ends where recording starts."""
    sampled = request.samples is not None and request.observation is None
    if not model.stepper.adaptive or not request.transient or sampled:
        return Status.DONE
    end = float(state.clock[CLOCK.T_END])
    t = float(state.clock[CLOCK.T])
    state.clock[CLOCK.T_END] = t + request.transient * (1 if end >= t else -1)
    buffers.no_records()
    state.count[COUNT.OBSERVED_FROM] = UNBOUNDED
    status = _drive(model, state, request, buffers)
    state.clock[CLOCK.T_END] = end
    return status


def _plan_observation(model: CompiledModel, state: RunState, request: RunRequest) -> None:
    """Say at which step observers start; those that go on have started already."""
    observation = request.observation
    if observation is None or (observation.started and not request.transient):
        return
    observation.started = True
    count = state.count
    first = int(count[COUNT.STEP]) + int(count[COUNT.CUTS] > 0)
    if request.transient and not model.stepper.adaptive:
        first += _steps_of(float(request.transient), model, state)
        first = min(first, int(count[COUNT.STEP_END]))
    count[COUNT.OBSERVED_FROM] = first


def _plan_records(
    model: CompiledModel, state: RunState, request: RunRequest, buffers: Buffers
) -> None:
    """Size the record and say when its first row is due."""
    if request.samples is not None:
        samples = request.samples
        t_end = float(state.clock[CLOCK.T_END])
        buffers.plan_samples(np.where(samples == request.t_end, t_end, samples))
        return
    if not request.record:
        buffers.no_records()
        return
    count = state.count
    first = int(count[COUNT.STEP]) + request.skip
    if request.transient and not model.stepper.adaptive:
        first += _steps_of(float(request.transient), model, state)
        first = min(first, int(count[COUNT.STEP_END]))
    rows = request.first_rows
    if rows is None and not model.stepper.adaptive:
        rows = max(0, int(count[COUNT.STEP_END]) - first) // request.stride + 1
        rows = min(rows, _MOST_ROWS)
    buffers.plan_records(first, request.stride, rows)


def _steps_of(transient: float, model: CompiledModel, state: RunState) -> int:
    if model.spec.kind == "map":
        return int(transient)
    steps = transient / abs(float(state.clock[CLOCK.DT]))
    return int(-((-steps + 1e-9) // 1))


def _drive(model: CompiledModel, state: RunState, request: RunRequest, buffers: Buffers) -> Status:
    """Call the runner until the run has ended."""
    count = state.count
    combined = None if request.observation is None else request.observation.combined
    count[COUNT.BUDGET] = budget = first_budget(model, combined)
    begun = perf_counter()
    interrupt = Interrupt()
    alone = request.observation is None and model.program.layout.heed is None
    leave = None if alone else leaving(model, state, request.observation)
    call: Callable[[], int] = buffers.call
    if leave is not None:
        call = partial(until_told, call, state, request.observation, interrupt, leave)
    if combined is not None:
        call = partial(_entered, call, state, request, plain=model.is_plain)
    if leave is not None or model.is_plain:
        interrupt.watch()
    try:
        while True:
            entered = perf_counter()
            status = call()
            if status != Status.OK:
                if not buffers.grow(status):
                    return _STATUS[status]
            else:
                now = perf_counter()
                spent = budget - int(count[COUNT.BUDGET])
                budget = _next_budget(spent, now - entered)
                count[COUNT.BUDGET] = budget
                interrupt.watch()
                if request.progress is not None and now - begun > 1.0:
                    interrupt.ends(partial(request.progress, _fraction(state, request), ""))
            if interrupt.seen:
                return Status.USER_BREAK
    finally:
        interrupt.release()


def _entered(call: Callable[[], int], state: RunState, request: RunRequest, *, plain: bool) -> int:
    """Enter a runner with observers.

    Raises
    ------
    ObserverError
        If a hook of the user's raises; then `state` and the observers are what they were before.
    """
    observation = request.observation
    assert observation is not None
    if not observation.combined.has_user_hooks:
        return call()
    kept, seen = state.copy(), observation.saved()
    try:
        return call()
    except Exception as error:  # whatever a user's hook may raise
        message = hook_error(observation.combined, error, plain=plain)
        if message is None:
            raise
        state.put_back(kept)
        observation.put_back(seen)
        raise message from error


def _next_budget(spent: int, seconds: float) -> int:
    """Attempts that take about `_CHUNK_SECONDS`, at most eight times as many as before."""
    return max(1, min(8 * spent, int(spent * _CHUNK_SECONDS / max(seconds, 1e-9))))


def _fraction(state: RunState, request: RunRequest) -> float:
    if request.n_end is not None:
        return float(state.count[COUNT.STEP] / max(1, request.n_end))
    t_end = float(state.clock[CLOCK.T_END])
    origin = float(state.clock[CLOCK.ORIGIN])
    return float((state.clock[CLOCK.T] - origin) / (t_end - origin)) if t_end != origin else 1.0
