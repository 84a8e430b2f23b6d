"""Whether what observers ask for fits into memory: asked before any of it is allocated."""

from __future__ import annotations

from collections.abc import Sequence

from dynlib.errors import OptionError
from dynlib.observers.kit.combined import CombinedObserver
from dynlib.observers.kit.module import ObserverModule
from dynlib.observers.kit.part import TraceSpec
from dynlib.observers.kit.trace_plans import capacity
from dynlib.runtime.memory import available_memory, readable_size

__all__ = ["check_rows", "check_traces", "check_workspaces", "traces_that_fit"]

_NUMBER = 8  # bytes
_TRIFLE = 32 << 20  # bytes, for which nobody asks how much is free


_LIVES = 4  # of each row: first values, those of the run, a copy to go back to, the result


def check_workspaces(observers: Sequence[ObserverModule]) -> None:
    """Refuse workspace of users' observers that would not fit: before it is filled.

    Raises
    ------
    OptionError
    """
    for observer in observers:
        _fitting(observer.label, observer.workspace_size)


def check_rows(combined: CombinedObserver) -> None:
    """Refuse workspace and outputs of a run that would not fit.

    Raises
    ------
    OptionError
    """
    for label, part in zip(combined.labels, combined.parts, strict=True):
        _fitting(label, part.workspace + part.lasting + part.output_rows)


def _fitting(label: str, rows: int) -> None:
    needed = _LIVES * _NUMBER * rows
    if needed <= _TRIFLE:
        return
    free = available_memory()
    if free is not None and needed > free:
        raise OptionError(
            f"observer {label!r} asks for {rows:,} rows of workspace and outputs, which need "
            f"{readable_size(needed)}, and {readable_size(free)} of memory are free."
        )


def check_traces(combined: CombinedObserver, steps: int | None) -> None:
    """Refuse traces of a run that would not fit.

    Parameters
    ----------
    combined
        The observers.
    steps
        Steps of the run, if they are known.

    Raises
    ------
    OptionError
        It says how much is needed, how much there is, and which plan fits.
    """
    traced = _traced(combined)
    if not traced:
        return
    needed = {name: _bytes(spec, steps) for name, spec in traced}
    if sum(needed.values()) <= _TRIFLE:
        return
    free = available_memory()
    if free is None or sum(needed.values()) <= free:
        return
    name, spec = max(traced, key=lambda each: needed[each[0]])
    rows = capacity(spec.plan, steps)[2]
    raise OptionError(
        f"the trace of observer {name!r}, {rows:,} rows by {spec.plan!r}, needs "
        f"{readable_size(needed[name])}, and {readable_size(free)} of memory are free. "
        f"{_ways(spec, steps, free)}"
    )


def traces_that_fit(combined: CombinedObserver, steps: int | None, runs: int, free: int) -> str:
    """A plan for the largest trace of a batch with which it would fit."""
    name, spec = max(_traced(combined), key=lambda each: _bytes(each[1], steps))
    return f"observer {name!r}: {_ways(spec, steps, free // max(1, runs))}"


def _traced(combined: CombinedObserver) -> list[tuple[str, TraceSpec]]:
    pairs = zip(combined.labels, combined.parts, strict=True)
    return [(name, part.trace) for name, part in pairs if part.trace.width]


def _bytes(spec: TraceSpec, steps: int | None) -> int:
    limit, _, rows = capacity(spec.plan, steps)
    return max(limit, rows) * (spec.width + 1) * _NUMBER


def _ways(spec: TraceSpec, steps: int | None, free: int) -> str:
    """What would fit into half of what is free."""
    row = (spec.width + 1) * _NUMBER
    rows = max(1, free // 2 // row)
    ways = []
    if steps is not None and spec.plan.most is None and spec.plan.last is None:
        stride = spec.plan.stride * -(-steps // (rows * spec.plan.stride))
        ways.append(f"EveryStep({stride}) needs {readable_size((steps // stride + 2) * row)}")
    last = max(1, rows // 2)
    ways.append(f"Tail({last}) keeps the last {last:,} rows in {readable_size(2 * last * row)}")
    return f"trace={'; trace='.join(ways)}."
