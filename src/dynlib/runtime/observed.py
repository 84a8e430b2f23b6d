"""What observers found, as variables of a dataset and as arrays of a file.

An output is called ``<observer>_<output>``; a vector has a dimension ``<observer>_index``.  A
trace, ``<observer>_trace``, has the dimensions ``<observer>_row`` and ``<observer>_column``, and
its times are ``<observer>_trace_time``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynlib.observers.kit.layout import Member, ObservedLayout
from dynlib.observers.kit.outputs import entries, labels_of
from dynlib.observers.kit.result import ObserverResult
from dynlib.runtime.naming import unlike
from dynlib.runtime.observation import build_observer_metadata

__all__ = [
    "ObservedVariable",
    "derived_variables",
    "flat",
    "index_labels",
    "layout_of_results",
    "observed_variables",
    "packed",
    "renamed_dims",
    "restored",
]

Array = NDArray[Any]


@dataclass(frozen=True)
class ObservedVariable:
    """One array of what an observer found, under the name that it has in a dataset.

    Attributes
    ----------
    name
        Its name there.
    observer, part
        Name of the observer; of its output or what is derived from outputs, or ``"trace"``,
        ``"trace_time"``.
    is_trace
        Whether it belongs to the trace.
    dims
        Names and lengths of its dimensions, after those of the runs.
    labels
        What the entries along the last dimension are called, if they have names.
    is_whole
        Whether it counts something.
    attrs
        What a reader should know about it.
    """

    name: str
    observer: str
    part: str
    is_trace: bool
    dims: tuple[tuple[str, int], ...] = ()
    labels: tuple[str, ...] = ()
    is_whole: bool = False
    attrs: Mapping[str, Any] = field(default_factory=dict)

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of its dimensions."""
        return tuple(length for _, length in self.dims)

    def values(self, found: Mapping[str, ObserverResult]) -> Array:
        """The array, with the runs of a batch first."""
        result = found[self.observer]
        return np.asarray(
            getattr(result, self.part) if self.is_trace else result.numbers(self.part)
        )

    @property
    def entries(self) -> tuple[str, ...]:
        """Names of its single numbers."""
        return entries(self.name, math.prod(self.shape) if self.dims else 0, self.labels)


def observed_variables(members: Iterable[Member]) -> list[ObservedVariable]:
    """All arrays of what these observers found, from which results can be made again."""
    found = []
    for member in members:
        plain = _plain(member.name)
        found += _vectors(member, dict(member.outputs))
        if member.columns:
            row, column = (f"{plain}_row", member.rows), (f"{plain}_column", len(member.columns))
            attrs = {"columns": ", ".join(member.columns)}
            found += [
                ObservedVariable(
                    f"{plain}_trace",
                    member.name,
                    "trace",
                    True,
                    (row, column),
                    member.columns,
                    attrs=attrs,
                ),
                ObservedVariable(f"{plain}_trace_time", member.name, "trace_time", True, (row,)),
            ]
    return found


def derived_variables(members: Iterable[Member]) -> list[ObservedVariable]:
    """What tables have besides: what results derive from those arrays."""
    return [variable for member in members for variable in _vectors(member, _derived(member))]


def index_labels(variables: Iterable[ObservedVariable]) -> dict[str, tuple[str, ...]]:
    """Names of the entries along dimensions of observers, by dimension."""
    return {each.dims[-1][0]: each.labels for each in variables if each.labels}


def renamed_dims(variables: Iterable[ObservedVariable], taken: Iterable[str]) -> dict[str, str]:
    """What the dimensions of observers are called where some names are taken."""
    dims = list(dict.fromkeys(name for each in variables for name, _ in each.dims))
    return dict(zip(dims, unlike(dims, taken), strict=True))


def _kind(member: Member) -> type[ObserverResult]:
    return ObserverResult.types.get(member.result_type, ObserverResult)


def _derived(member: Member) -> dict[str, int]:
    return _kind(member).derived(dict(member.outputs), member.facts)


def _plain(name: str) -> str:
    return name.replace("/", "÷")  # a group, in files


def _vectors(member: Member, wanted: Mapping[str, int]) -> list[ObservedVariable]:
    """Variables of a member by their names and sizes."""
    plain = _plain(member.name)
    sizes = dict(member.outputs) | _derived(member)
    lengths = list(dict.fromkeys(size for size in sizes.values() if size))
    dimension = {s: f"{plain}_index{i + 1 if i else ''}" for i, s in enumerate(lengths)}
    found = []
    for output, size in wanted.items():
        labels = labels_of(member.facts, size)
        found.append(
            ObservedVariable(
                name=f"{plain}_{_plain(output)}",
                observer=member.name,
                part=output,
                is_trace=False,
                dims=((dimension[size], size),) if size else (),
                labels=labels,
                is_whole=output in _kind(member).whole,
                attrs={"labels": ", ".join(labels)} if labels else {},
            )
        )
    return found


def packed(
    layout: ObservedLayout, n_runs: int, column: Callable[[int], Array]
) -> tuple[Array, Array, Array]:
    """What a runner leaves: outputs (output_rows, n_runs), traces (n_runs, size), their rows.

    Parameters
    ----------
    layout, n_runs
        Who observed how many runs.
    column
        The values of the i-th of `observed_variables`, with the runs first.
    """
    outputs = [np.empty((0, n_runs))]
    traces = [np.empty((n_runs, 0))]
    rows = [np.empty((0, n_runs), dtype=np.int64)]
    for index, variable in enumerate(observed_variables(layout.members)):
        values = column(index).reshape(n_runs, math.prod(variable.shape))
        if not variable.is_trace:
            outputs.append(values.T)
            continue
        traces.append(values)
        if variable.part == "trace_time":
            rows.append(np.count_nonzero(~np.isnan(values), axis=1)[np.newaxis])
    return np.concatenate(outputs), np.concatenate(traces, axis=1), np.concatenate(rows)


# --- single runs ----------------------------------------------------------------------------------


def layout_of_results(results: Mapping[str, ObserverResult]) -> ObservedLayout:
    """The layout of what the observers of one run found."""
    return ObservedLayout(tuple(_member(result) for result in results.values()))


def _member(result: ObserverResult) -> Member:
    outputs = tuple((name, np.size(v) if np.ndim(v) else 0) for name, v in result.arrays.items())
    return Member(
        name=result.name,
        result_type=type(result).__name__,
        outputs=outputs,
        columns=result.columns,
        rows=len(result.trace_time),
        facts=result.facts,
    )


def flat(results: Mapping[str, ObserverResult]) -> Array:
    """All numbers of them, in the order of `layout_of_results`: outputs, then traces."""
    outputs = [np.ravel(value) for result in results.values() for value in result.arrays.values()]
    traces = [
        part.ravel()
        for result in results.values()
        if result.columns
        for part in (result.trace, result.trace_time)
    ]
    return np.concatenate([np.zeros(0), *outputs, *traces])


def restored(layout: ObservedLayout, numbers: Array) -> dict[str, ObserverResult]:
    """The results of one run from their layout and what `flat` made of them."""
    outputs, traces = numbers[: layout.output_rows], numbers[layout.output_rows :]
    if traces.size != layout.trace_size:
        raise ValueError(f"{numbers.size} numbers of observers")
    rows = [member.rows for member in layout.members if member.columns]
    counts = np.array(rows, dtype=np.int64)[:, np.newaxis]
    return build_observer_metadata(
        layout, outputs[:, np.newaxis], traces[np.newaxis], counts, alone=True
    )
