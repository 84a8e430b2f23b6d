"""Any number of observers as one: their rows side by side, their hooks one after the other."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from math import gcd
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynlib.abi.briefly import BRIEFLY
from dynlib.abi.hooks import ALONG_ARGS, INSIDE_ARGS, KINDS, PIECE_ARGS, PLACE_ARGS, SEES_ARGS
from dynlib.abi.slots import Trace
from dynlib.compiler.codegen.layout import Layout
from dynlib.compiler.codegen.tangent_layout import TangentLayout
from dynlib.compiler.length import check_text
from dynlib.dsl.spec import ModelSpec
from dynlib.observers.kit.module import ObserverModule
from dynlib.observers.kit.part import NO_TRACE, TraceSpec, named
from dynlib.observers.kit.rows import Rows, afresh
from dynlib.observers.kit.trace_plans import EveryStep, capacity
from dynlib.observers.kit.validation import check_differentiable
from dynlib.steppers.base import Stepper
from dynlib.steppers.text import function

__all__ = ["ROOM", "CombinedObserver", "combine"]

_ARGS = dict.fromkeys(KINDS, PLACE_ARGS)
_ARGS |= {"along": ALONG_ARGS, "piece": PIECE_ARGS, "inside": INSIDE_ARGS}
ROOM = 16  # rows that one step may add to a trace


class CombinedObserver:
    """Observers bound to a model and a stepper; an `dynlib.abi.hooks.AnalysisModule`.

    Parameters
    ----------
    observers : sequence of ObserverModule
    spec : ModelSpec
    stepper : Stepper

    Raises
    ------
    ObserverError
        If an observer needs what the model or the stepper lacks.
    """

    def __init__(
        self, observers: Sequence[ObserverModule], spec: ModelSpec, stepper: Stepper
    ) -> None:
        self.observers = tuple(observers)
        self.spec, self.stepper = spec, stepper
        for observer in self.observers:
            observer.validate_stepper(stepper, spec)
        self.parts = tuple(observer.bind(spec, stepper) for observer in self.observers)
        for observer, part in zip(self.observers, self.parts, strict=True):
            if part.tangents:
                check_differentiable(f"observer {observer.label!r}", spec, stepper)
        self._place()

    def _place(self) -> None:
        """Give every observer its rows."""
        sets = tuple(count for count, _ in self.tangent_sets)
        chained = Layout(self.spec, self.stepper).chained
        n = len(self.spec.states)
        tangents = TangentLayout(n, self.tangents, self.stepper, sets, chained=chained)
        self.heed = tangents.heed if self.tangents else None
        row = tangents.rows if self.tangents else 0
        self.stop_row: int | None = None
        if any(part.stops for part in self.parts):
            self.stop_row = row
            row += 1
        rows, tangent, output, trace = [], 0, 0, 0
        changing = row + sum(part.workspace for part in self.parts)
        self.lasting = 0
        for part in self.parts:
            rows.append(Rows(tangent, row, changing + self.lasting, output, trace))
            tangent += len(part.tangents) * len(self.spec.states)
            row += part.workspace
            self.lasting += part.lasting
            output += part.output_rows
            trace += part.trace.width > 0
        self.rows = tuple(rows)
        self.workspace, self.outputs, self.n_traces = row + self.lasting, output, trace

    # -- what the compiler asks ---------------------------------------------------------------

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """Names of the observers."""
        return tuple(observer.label for observer in self.observers)

    @cached_property
    def analysis_kind(self) -> str:
        """What kind of analysis it is: that of its observer, or those of all with ``+`` between.

        Examples
        --------
        >>> from dynlib import build
        >>> from dynlib.observers import CombinedObserver, features, lyapunov_max
        >>> model = build("builtin://map/henon")
        >>> observers = [features("mean"), lyapunov_max()]
        >>> CombinedObserver(observers, model.spec, model.stepper).analysis_kind
        'features+lyapunov_max'
        """
        return "+".join(observer.analysis_kind for observer in self.observers)

    @cached_property
    def trace(self) -> TraceSpec:
        """What it traces: the trace of its observer, or those of all side by side.

        The interval of several is that after which one of them may have a row.
        """
        traced = [
            (observer.label, part.trace)
            for observer, part in zip(self.observers, self.parts, strict=True)
            if part.trace.width
        ]
        if len(traced) <= 1:
            return traced[0][1] if traced else NO_TRACE
        columns = tuple(f"{label}.{name}" for label, trace in traced for name in trace.columns)
        return TraceSpec(columns, EveryStep(gcd(*(trace.record_interval() for _, trace in traced))))

    @cached_property
    def tangents(self) -> int:
        """Tangent vectors."""
        return sum(len(part.tangents) for part in self.parts)

    @cached_property
    def tangent_sets(self) -> tuple[tuple[int, str], ...]:
        """For each observer with tangent vectors, how many, and its hook *within*, or ``""``."""
        return tuple(
            (len(part.tangents), named(part.within).replace("_OBS", f"_{i}") if part.within else "")
            for i, part in enumerate(self.parts)
            if part.tangents
        )

    @property
    def given(self) -> bool:
        """Whether tangent vectors are given for each run; then it is one observer."""
        return any(part.given for part in self.parts)

    @property
    def tangents_within_steps(self) -> bool:
        """Whether other hooks than *start*, *every* and *end* may look at tangent vectors."""
        return any(part.tangents_within_steps for part in self.parts)

    @cached_property
    def kinds(self) -> frozenset[str]:
        """The places at which there are hooks."""
        own = {text.kind for part in self.parts for text in part.texts}
        users = {kind for part in self.parts for kind in part.hooks}
        return frozenset((own | users | {"start"}) - {"sees", "step"})

    @cached_property
    def _turns(self) -> tuple[tuple[bool, int], ...]:
        """Kinds of hooks *every* in the order of their calls: late or not, number of steps."""
        texts = [t for part in self.parts for t in part.texts if t.kind == "every"]
        return tuple(sorted({(text.late, text.interval) for text in texts}))

    @property
    def intervals(self) -> tuple[int, ...]:
        """Numbers of steps of the hooks *every*, in the order of their calls."""
        return tuple(interval for _, interval in self._turns)

    @cached_property
    def has_user_hooks(self) -> bool:
        """Whether a user wrote a hook: it indexes `params` as a matrix, and may raise."""
        return any(part.hooks for part in self.parts)

    @cached_property
    def expressions(self) -> Mapping[str, tuple[Any, ...]]:
        """Expressions that hooks evaluate."""
        return {
            name.replace("_OBS", f"_{i}"): nodes
            for i, part in enumerate(self.parts)
            for name, nodes in part.expressions.items()
        }

    def adjustments(self, params: str) -> tuple[str, ...]:
        """Calls that turn the step from u to u_new into another u_new."""
        return tuple(
            f"step_hook_{i}(lane, t, h, step, u, u_new, {params}, ws, "
            f"analysis_ws[{rows.workspace}:{rows.workspace + part.workspace}])"
            for i, (part, rows) in enumerate(zip(self.parts, self.rows, strict=True))
            if "step" in part.hooks
        )

    def resolve_hooks(self) -> dict[str, Callable[..., Any]]:
        """Functions that users wrote, by the names under which `text` calls them."""
        return {
            f"{kind}_hook_{i}": hook
            for i, part in enumerate(self.parts)
            for kind, hook in part.hooks.items()
        }

    @cached_property
    def _signature(self) -> str:
        own = [observer.signature() for observer in self.observers]
        return "\n".join(
            [*own, self.text("params"), str(sorted(map(str, self.expressions.items())))]
        )

    def signature(self) -> str:
        """Text that differs whenever the hooks' content does: source, closures, sizes."""
        return self._signature

    @property
    def portable(self) -> bool:
        """Whether `signature` says in another process what it says here."""
        return all(observer.portable for observer in self.observers)

    @cached_property
    def _hooks(self) -> list[str]:
        """The texts of all parts."""
        sources = [source for part in self.parts for source in part.sources]
        check_text(source for source in sources if isinstance(source, str))
        texts: list[str] = []
        for i, part in enumerate(self.parts):
            words = self._words(i)
            # A hook may be called at several places.
            texts += dict.fromkeys(part.written(source, words) for source in part.sources)
        return texts

    def text(self, params: str) -> str:
        """The functions ``ANALYSIS_...`` and what they call."""
        texts = list(self._hooks)
        for kind in KINDS:
            if kind in self.kinds and kind != "every":
                calls = [
                    line for i in range(len(self.parts)) for line in self._calls(i, kind, params)
                ]
                texts.append(function(f"ANALYSIS_{kind.upper()}", _ARGS[kind], calls))
        if "inside" in self.kinds:
            texts.append(self._sees())
        return "\n".join([*texts, *self._every()])

    # -- text ---------------------------------------------------------------------------------

    def _words(self, i: int) -> dict[str, Any]:
        rows = self.rows[i]
        return {
            "OBS": i, "WS": rows.workspace, "LASTING": rows.lasting, "OUT": rows.outputs,
            "TAN": rows.tangents, "TRACE": rows.trace, "N": len(self.spec.states),
            "COLUMN": rows.tangents // len(self.spec.states),
        }  # fmt: skip

    def _calls(self, i: int, kind: str, params: str) -> list[str]:
        part = self.parts[i]
        lines = afresh(part, self.rows[i]) if kind == "start" else []
        lines += [
            f"{named(text.source).replace('_OBS', f'_{i}')}({_ARGS[kind]})"
            for text in part.texts
            if text.kind == kind
        ]
        if kind in part.hooks:
            lines += self._user_call(i, kind, params)
        return lines

    def _user_call(self, i: int, kind: str, params: str) -> list[str]:
        """The call of a user's hook, with rows of its own; new rows of its trace get their time."""
        part, rows = self.parts[i], self.rows[i]
        workspace = f"analysis_ws[{rows.workspace}:{rows.workspace + part.workspace}]"
        outputs = f"analysis_out[{rows.outputs}:{rows.outputs + part.output_rows}]"
        head = f"{kind}_hook_{i}(lane, t, dt, step, y_curr, y_prev, {params}, runtime_ws, "
        if not part.trace.width:
            none = "trace_buf[0:0], trace_count[0:0], 0, 1"
            return [f"{head}{workspace}, {outputs}, {none})"]
        j = rows.trace
        return [
            f"before = trace_count[{j}, lane]",
            f"first = traces[{j}, {int(Trace.OFFSET)}]",
            f"cap = traces[{j}, {int(Trace.CAP)}]",
            f"times = first + cap * {part.trace.width}",
            f"{head}{workspace}, {outputs}, trace_buf[first:times], trace_count[{j}:{j + 1}], cap, "
            f"traces[{j}, {int(Trace.STRIDE)}])",
            # A hook may count as it likes; what lies beyond the rows was never written.
            f"trace_count[{j}, lane] = min(max(trace_count[{j}, lane], 0), cap)",
            f"for row in range(before, trace_count[{j}, lane]):",
            "    trace_buf[times + row, lane] = t",
        ]

    def _sees(self) -> str:
        calls = [
            f"{named(text.source).replace('_OBS', f'_{i}')}({SEES_ARGS})"
            for i, part in enumerate(self.parts)
            for text in part.texts
            if text.kind == "sees"
        ]
        return function("ANALYSIS_SEES", SEES_ARGS, [f"return {' | '.join(calls)}"])

    def _every(self) -> list[str]:
        texts, lines = [], []
        for j, turn in enumerate(self._turns):
            interval = turn[1]
            calls = [
                f"{named(text.source).replace('_OBS', f'_{i}')}({PLACE_ARGS})"
                for i, part in enumerate(self.parts)
                for text in part.texts
                if text.kind == "every" and (text.late, text.interval) == turn
            ]
            if self.stop_row is not None:
                done = " * ".join(
                    f"analysis_ws[{rows.workspace + part.words['DONE']}, lane]"
                    for part, rows in zip(self.parts, self.rows, strict=True)
                    if part.stops
                )
                calls.append(f"analysis_ws[{self.stop_row}, lane] = {done}")
            texts.append(function(f"ANALYSIS_EVERY_{j}", PLACE_ARGS, calls))
            lines += [f"if step % {interval} == 0:", f"    ANALYSIS_EVERY_{j}({PLACE_ARGS})"]
        if lines:
            texts.append(function("ANALYSIS_EVERY", PLACE_ARGS, lines))
        return texts

    # -- what a run starts with ---------------------------------------------------------------

    @cached_property
    def first(self) -> NDArray[np.float64]:
        """Workspace, then outputs, at the start of a run."""
        values = np.zeros(self.workspace + self.outputs)
        vectors = [x for part in self.parts for vector in part.tangents for x in vector]
        values[: len(vectors)] = vectors
        for part, rows in zip(self.parts, self.rows, strict=True):
            values[rows.workspace : rows.workspace + len(part.first)] = part.first
            start = self.workspace + rows.outputs
            values[start : start + len(part.first_outputs)] = part.first_outputs
        return values

    def trace_table(self, steps: int | None, room: int = ROOM) -> tuple[NDArray[np.int64], int]:
        """The table of traces and the rows of their buffer.

        Parameters
        ----------
        steps
            Steps of the run, if they are known; then rows that are written by steps all fit.
        room
            Rows that may be added between two looks at whether there is room.

        Returns
        -------
        table : array, shape (n_traces, len(Trace))
        rows : int
        """
        table = np.zeros((self.n_traces, len(Trace)), dtype=np.int64)
        offset = out = 0
        specs = [part.trace for part in self.parts if part.trace.width]
        for row, spec in zip(table, specs, strict=True):
            limit, keep, wanted = capacity(spec.plan, steps)
            cap = limit + room
            row[:] = (offset, cap, spec.width, spec.record_interval(), limit, keep, out, wanted)
            offset += cap * (spec.width + 1)
            out += wanted * (spec.width + 1)
        return table, offset


_KEPT = 16
_kept: OrderedDict[tuple[Any, ...], CombinedObserver] = OrderedDict()


def combine(
    observers: Sequence[ObserverModule], spec: ModelSpec, stepper: Stepper
) -> CombinedObserver:
    """The observers as one, made anew only if no equal ones have been combined lately.

    Writing their text takes much longer than a short run.
    """
    # An expression may use what no equation does.
    names = (str(dict(spec.constants)), str(dict(spec.functions)), spec.aux)
    key = (spec.model_hash, stepper.name, names, *(each.identity for each in observers))
    made = _kept.get(key)
    if made is None:
        made = CombinedObserver(observers, spec, stepper)
    with BRIEFLY:
        _kept[key] = made
        _kept.move_to_end(key)
        if len(_kept) > _KEPT:
            _kept.popitem(last=False)
    return made
