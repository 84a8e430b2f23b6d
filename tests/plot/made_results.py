"""Results out of arrays, so that pictures are tested without a run."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from dynlib import load_model
from dynlib.abi.status import Status
from dynlib.runtime.origin import Origin
from dynlib.runtime.recording import Selection
from dynlib.runtime.results import Results
from dynlib.runtime.segments import Segment
from dynlib.runtime.wrapper import RawRun, RunStats


def made_result(
    model: Any,
    t: Any,
    columns: Mapping[str, Any],
    *,
    events: Mapping[str, Any] | None = None,
    params: Mapping[str, float] | None = None,
    status: Status = Status.DONE,
) -> Results:
    """Return the result that a run of the model would give, had it recorded these columns."""
    spec = load_model(model)
    selection = Selection.of(list(columns), spec.states, tuple(each.name for each in spec.aux))
    t = np.asarray(t, dtype=np.float64)
    dtype = np.dtype(spec.dtype)

    def stacked(names: tuple[str, ...], dtype: Any) -> Any:
        if not names:
            return np.empty((t.size, 0), dtype=dtype)
        return np.column_stack([np.asarray(columns[name], dtype=dtype) for name in names])

    event_names = [event.name for event in spec.events]
    fired = [
        (at, event_names.index(name)) for name, times in (events or {}).items() for at in times
    ]
    fired.sort()
    raw = RawRun(
        t=t,
        y=stacked(selection.states, dtype),
        aux=stacked(selection.aux, np.float64),
        evt_t=np.array([at for at, _ in fired], dtype=np.float64),
        evt_step=np.arange(len(fired), dtype=np.int64),
        evt_id=np.array([index for _, index in fired], dtype=np.int64),
        evt_log=np.full((len(fired), max([len(e.log) for e in spec.events], default=0)), np.nan),
        status=status,
        t_final=float(t[-1]) if t.size else 0.0,
        stats=RunStats(t.size, 0, 4 * t.size, 0.0),
    )
    values = dict(zip(spec.params, spec.param_values, strict=True)) | dict(params or {})
    p = np.array([values[name] for name in spec.params], dtype=dtype)
    y = np.array(spec.state_values, dtype=dtype)
    segment = Segment(
        name="run1", raw=raw, selection=selection, call={}, start_t=0.0, start_y=y, start_p=p,
        jumped=False, t=raw.t_final, step=t.size, y=y, p=p,
    )  # fmt: skip
    origin = Origin(
        name=spec.name, kind=spec.kind, dtype=spec.dtype, stepper=spec.sim.stepper, jit=False,
        states=spec.states, params=spec.params,
        events={e.name: tuple(c.label for c in e.log) for e in spec.events}, live=spec,
        aux=tuple(each.name for each in spec.aux),
    )  # fmt: skip
    return Results(origin, [segment])
