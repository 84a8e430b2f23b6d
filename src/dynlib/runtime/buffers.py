"""The arrays that a run writes into, and the call that is bound to them."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynlib.abi.run_state import RunState
from dynlib.abi.runner_args import RUNNER_ARGS
from dynlib.abi.slots import COUNT, NEVER
from dynlib.abi.status import Status
from dynlib.compiler.codegen.runner_variants import Variant
from dynlib.compiler.jit.runner import Call, PlainCall, Runner
from dynlib.compiler.model import CompiledModel
from dynlib.errors import OptionError
from dynlib.runtime.memory import available_memory, readable_size
from dynlib.runtime.observation import Observation
from dynlib.runtime.progress import Progress
from dynlib.wording import argument

__all__ = ["Buffers"]

_PLACE = {arg.name: i for i, arg in enumerate(RUNNER_ARGS)}
_NO_FLOATS = np.zeros(0)
_NO_INTS = np.zeros(0, dtype=np.int64)
_NO_MATRIX = np.zeros((0, 0))
_FIRST_ROWS = 1024
_FIRST_EVENTS = 64
_TRIFLE = 32 << 20  # bytes, for which nobody asks how much is free


class Buffers:
    """Buffers of one run.

    The call of the runner is bound to the arrays of the state once and kept with it, so that
    a short run does not spend its time on taking addresses.
    """

    def __init__(
        self,
        model: CompiledModel,
        state: RunState,
        *,
        sampled: bool,
        observation: Observation | None = None,
        variant: Variant | None = None,
        progress: Progress | None = None,
    ) -> None:
        self.model = model
        self.count = state.count
        self.observation = observation
        analysis = None if observation is None else observation.combined
        runner = model.runner(
            sampled=sampled, analysis=analysis, variant=variant, progress=progress
        )
        self.call = _bound(runner, model, state)
        self.put_observation()
        self.width: tuple[int, int] = (len(model.spec.states), 0)
        self.t = _NO_FLOATS
        self.y: NDArray[Any] = _no_rows(0, model.dtype)
        self.aux = _NO_MATRIX
        self.evt_t, self.evt_step, self.evt_id = _NO_FLOATS, _NO_INTS, _NO_INTS
        self.evt_log = _NO_MATRIX
        self.count[COUNT.EVENT_ROW] = 0
        self.count[COUNT.EVENT_ROWS] = 0
        if model.n_events:
            self._events(max(_FIRST_EVENTS, model.n_events))

    def _put(self, **arrays: NDArray[Any]) -> None:
        for name, array in arrays.items():
            self.call.put(_PLACE[name], array)

    # -- what a run is asked for --------------------------------------------------------------

    def set_options(self, options: NDArray[np.float64], tolerances: NDArray[np.float64]) -> None:
        """Hand over the stepper's options."""
        if options.size:
            self._put(options=options, tolerances=tolerances)

    def select(self, states: tuple[int, ...] | None, aux: tuple[int, ...]) -> None:
        """Choose the columns of the record."""
        self.count[COUNT.SELECTED_STATES] = -1 if states is None else len(states)
        self.count[COUNT.SELECTED_AUX] = len(aux)
        n = len(self.model.spec.states) if states is None else len(states)
        self.width = (n, len(aux))
        if states is not None:
            self._put(sel_y=np.array(states, dtype=np.int64))
        if aux:
            self._put(sel_aux=np.array(aux, dtype=np.int64))

    def no_records(self) -> None:
        """Record nothing."""
        self.count[COUNT.NEXT_RECORD] = NEVER
        self.count[COUNT.ROW] = self.count[COUNT.ROWS] = 0
        self.y = _no_rows(self.width[0], self.model.dtype)
        self.aux = _no_rows(self.width[1], _NO_MATRIX.dtype)

    def plan_records(self, first: int, stride: int, rows: int | None) -> None:
        """Record every `stride`-th step from step `first` on."""
        self.count[COUNT.NEXT_RECORD] = first
        self.count[COUNT.STRIDE] = stride
        self.count[COUNT.ROW] = 0
        rows = _FIRST_ROWS if rows is None else rows
        if rows * self._row_bytes() > _TRIFLE:  # the run may end before it has so many
            rows = max(_FIRST_ROWS, min(rows, self._rows_that_fit(2)))
        self._rows(rows)

    def plan_samples(self, samples: NDArray[np.float64]) -> None:
        """Record at these times."""
        self.count[COUNT.SAMPLE] = 0
        self.count[COUNT.SAMPLES] = samples.size
        self.count[COUNT.ROW] = 0
        self._put(samples=np.ascontiguousarray(samples, dtype=np.float64))
        self._rows(samples.size)

    # -- growing ------------------------------------------------------------------------------

    def _row_bytes(self) -> int:
        return 8 + self.width[0] * self.model.dtype.itemsize + 8 * self.width[1]

    def _rows_that_fit(self, share: int = 1) -> int:
        """Rows for which there is room in a part of the memory that is free."""
        free = available_memory()
        return NEVER if free is None else free // (share * self._row_bytes())

    def _rows(self, rows: int) -> None:
        needed = rows * self._row_bytes()
        if needed > _TRIFLE and rows > self._rows_that_fit():
            free = readable_size(available_memory() or 0)
            raise OptionError(
                f"the record needs {readable_size(needed)} for {rows:,} rows, and {free} of memory "
                "are free. Record less: record_interval=k, record_vars=[...], transient=..., fewer "
                f"times in {argument('t_eval')}, or record=False."
            )
        n_states, n_aux = self.width
        used = int(self.count[COUNT.ROW])
        old = self.t, self.y, self.aux
        self.t = np.empty(rows)
        self.y = np.empty((rows, n_states), dtype=self.model.dtype)
        self.aux = np.empty((rows, n_aux))
        if used:
            for new, values in zip((self.t, self.y, self.aux), old, strict=True):
                new[:used] = values[:used]
        self.count[COUNT.ROWS] = rows
        self.call.put(_PLACE["rec_t"], self.t)
        self.call.put(_PLACE["rec_y"], self.y)
        if n_aux:
            self.call.put(_PLACE["rec_aux"], self.aux)

    def grow(self, status: int) -> bool:
        """Make room where a runner came back for want of it; False if it did for other reasons.

        Raises
        ------
        OptionError
            If there is no room.
        """
        if status == Status.GROW_REC:
            self._grow_records()
        elif status == Status.GROW_EVT:
            self._grow_events()
        else:
            return status == Status.TRACE_OVERFLOW and self._grow_traces()
        return True

    def _grow_records(self) -> None:
        """Twice the rows, or a quarter more where there is no room for twice as many.

        Raises
        ------
        OptionError
            If there is no room for that either.
        """
        rows = 2 * self.t.size + 1
        if rows * self._row_bytes() > _TRIFLE and rows > self._rows_that_fit():
            rows = self.t.size + self.t.size // 4
        self._rows(rows)

    def _events(self, rows: int) -> None:
        used = int(self.count[COUNT.EVENT_ROW])
        old = self.evt_t, self.evt_step, self.evt_id, self.evt_log
        self.evt_t = np.empty(rows)
        self.evt_step = np.empty(rows, dtype=np.int64)
        self.evt_id = np.empty(rows, dtype=np.int64)
        self.evt_log = np.full((rows, self.model.log_width), np.nan)
        if used:
            new = self.evt_t, self.evt_step, self.evt_id, self.evt_log
            for array, values in zip(new, old, strict=True):
                array[:used] = values[:used]
        self.count[COUNT.EVENT_ROWS] = rows
        self._put(
            evt_t=self.evt_t, evt_step=self.evt_step, evt_id=self.evt_id, evt_log=self.evt_log
        )

    def start_events(self, rows: int) -> None:
        """Begin with room for `rows` events."""
        if self.model.n_events:
            self._events(max(rows, self.model.n_events))

    def _grow_events(self) -> None:
        """Twice the rows, and room for one of each event."""
        self._events(2 * self.evt_t.size + self.model.n_events)

    def put_observation(self) -> None:
        """Hand over the arrays of observers."""
        if self.observation is not None:
            self._put(**self.observation.arrays)

    def _grow_traces(self) -> bool:
        """Twice the rows for traces that are full; False if one of them may not grow.

        Raises
        ------
        OptionError
            If there is no room for so many.
        """
        assert self.observation is not None
        needed = 2 * self.observation.buffer.nbytes
        free = available_memory() if needed > _TRIFLE else None
        if free is not None and needed > free:
            raise OptionError(
                f"the traces of observers need {readable_size(needed)}, and {readable_size(free)} "
                "of memory are free. Trace less: trace=EveryStep(k), trace=Tail(n, k)."
            )
        if not self.observation.make_room():
            return False
        self.put_observation()
        return True

    # -- what came of it ----------------------------------------------------------------------

    def records(self) -> tuple[NDArray[np.float64], NDArray[Any], NDArray[np.float64]]:
        """The rows that were written."""
        used = int(self.count[COUNT.ROW])
        if used == self.t.size:
            return self.t, self.y, self.aux
        return _trim(self.t, used), _trim(self.y, used), _trim(self.aux, used)

    def events(
        self,
    ) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
        """The event log."""
        if not self.evt_t.size:
            return self.evt_t, self.evt_step, self.evt_id, self.evt_log
        used = int(self.count[COUNT.EVENT_ROW])
        return (
            _trim(self.evt_t, used),
            _trim(self.evt_step, used),
            _trim(self.evt_id, used),
            _trim(self.evt_log, used),
        )


@cache
def _no_rows(columns: int, dtype: np.dtype[Any]) -> NDArray[Any]:
    """A record of nothing; runs without records share it."""
    return np.empty((0, columns), dtype=dtype)


def _trim(array: NDArray[Any], used: int) -> NDArray[Any]:
    """The first rows; a copy where most of the array would be kept alive for nothing."""
    if used == array.shape[0]:
        return array
    return array[:used] if 2 * used >= array.shape[0] else array[:used].copy()


def _bound(runner: Runner, model: CompiledModel, state: RunState) -> Call | PlainCall:
    """The call of an ordinary runner bound to `state`, made once for each state and runner."""
    if state.binding is not None and state.binding[0] is runner:
        call: Call | PlainCall = state.binding[1]
        return call
    arrays: dict[str, NDArray[Any]] = {
        "clock": state.clock,
        "count": state.count,
        "y": state.y,
        "y_prev": state.y.copy(),
        "p": state.p,
        "mem": state.memory,
        "ws": state.workspace,
    }
    empty: dict[tuple[str, int], NDArray[Any]] = {
        ("f8", 1): _NO_FLOATS,
        ("f8", 2): _NO_MATRIX,
        ("i8", 1): _NO_INTS,
        ("i8", 2): np.zeros((0, 1), dtype=np.int64),
        ("y", 2): np.zeros((0, 0), dtype=model.dtype),
    }
    call = runner.bind(
        [
            arrays[arg.name] if arg.name in arrays else empty[arg.kind, len(arg.shape)]
            for arg in RUNNER_ARGS
        ]
    )
    state.binding = (runner, call)
    return call
