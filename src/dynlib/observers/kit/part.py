"""What one observer adds to a runner, once it knows its model and stepper."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dynlib.compiler.codegen.templates import Template, template_of, templates_in
from dynlib.errors import OptionError
from dynlib.observers.kit.trace_plans import EveryStep, TracePlan, checked_trace_plan

__all__ = ["NO_TRACE", "HookText", "Output", "Part", "TraceSpec", "named"]


_MOST_COLUMNS = 1_000_000


@dataclass(frozen=True)
class TraceSpec:
    """Rows that an observer keeps for itself.

    Parameters
    ----------
    columns : tuple of str, or int
        Names of the values of a row, or how many there are; none: there is no trace.  A row has a
        time besides: that of the step in which the hook wrote it.
    plan : TracePlan
        How much is kept: ``EveryStep(k)``, ``Tail(n, k)``, ``Hits(max_hits)``.

    Examples
    --------
    >>> TraceSpec(("energy",), EveryStep(10)).record_interval()
    10
    """

    columns: tuple[str, ...] = ()
    plan: TracePlan = field(default_factory=EveryStep)

    def __post_init__(self) -> None:
        columns: Any = self.columns
        if isinstance(columns, int) and not isinstance(columns, bool) and columns >= 0:
            if columns > _MOST_COLUMNS:
                raise OptionError(
                    f"a trace has at most {_MOST_COLUMNS:,} columns, found {columns:,}."
                )
            columns = tuple(f"c{i}" for i in range(columns))
        if isinstance(columns, str):
            columns = (columns,)
        if not isinstance(columns, tuple | list) or not all(isinstance(c, str) for c in columns):
            raise OptionError(f"columns of a trace must be names, found {self.columns!r}.")
        object.__setattr__(self, "columns", tuple(columns))
        checked_trace_plan(self.plan)

    @property
    def width(self) -> int:
        """Values of a row; 0: there is no trace."""
        return len(self.columns)

    def record_interval(self) -> int:
        """Steps from one row to the next."""
        return self.plan.stride


NO_TRACE = TraceSpec()
_BETWEEN_STEPS = ("start", "every", "end")
_NAN = float("nan")


@dataclass(frozen=True)
class Output:
    """A result: a number, or a vector of `size` numbers; `nothing` where nothing was observed."""

    name: str
    size: int | None = None
    nothing: float = _NAN

    @property
    def rows(self) -> int:
        """Numbers in it."""
        return 1 if self.size is None else self.size


@dataclass(frozen=True)
class HookText:
    """A hook that is called at the place `kind`, from a template or as text.

    Attributes
    ----------
    kind
        One of `dynlib.abi.hooks.KINDS`, or ``"sees"``.
    source
        A function whose name ends with ``_OBS``, or its text.
    interval
        Of a hook *every*: the number of steps.
    late
        Of a hook *every*: whether it is called after those that are not.
    """

    kind: str
    source: Callable[..., Any] | str
    interval: int = 0
    late: bool = False


@dataclass(frozen=True)
class Part:
    """The needs of one observer, and its code.

    Attributes
    ----------
    outputs
        Results, in the order of their rows.
    workspace
        Rows of workspace.
    lasting
        Rows besides, whose numbers follow upon those.  A hook may write to one of them only what
        it would write again if the last 256 steps were taken once more, and may read only what it
        has written since it began.
    tangents
        Tangent vectors, and the values that they start from.
    given
        Whether these are given for each run, as many numbers as there are outputs, and wanted as
        accurately as the states are.
    trace
        What it traces.
    texts
        Hooks of dynlib's own observers.  In them words in capitals stand for numbers: ``WS``,
        ``OUT``, ``TAN`` (first rows of workspace, outputs, tangent vectors), ``TRACE`` (number
        of the trace), ``OBS`` (number of the observer), the `words`, and the `places`, rows of
        the workspace counted from ``WS``; `flags` are folded.
    helpers
        Functions that these call; named like them.
    expressions
        Expressions that these evaluate, by the names of the functions, which end with ``_OBS``.
    within
        What brings tangent vectors back to a good length, where they take steps of their own: a
        helper of `dynlib.abi.hooks.WITHIN_ARGS`, which hooks may call too.
    hooks
        Hooks of a user, by kind: ``"pre"`` and ``"post"``.
    first
        What the workspace holds at the start; zeros by default.
    stops
        Whether it may end the run, by putting 1 into the row ``WS + words["DONE"]``.
    facts
        What a result should know besides its numbers, as plain data.
    """

    outputs: tuple[Output, ...] = ()
    workspace: int = 0
    lasting: int = 0
    tangents: tuple[tuple[float, ...], ...] = ()
    given: bool = False
    trace: TraceSpec = NO_TRACE
    texts: tuple[HookText, ...] = ()
    helpers: tuple[Callable[..., Any] | str, ...] = ()
    expressions: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    words: Mapping[str, Any] = field(default_factory=dict)
    places: Mapping[str, int] = field(default_factory=dict)
    flags: Mapping[str, bool] = field(default_factory=dict)
    within: Callable[..., Any] | None = None
    hooks: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    first: tuple[float, ...] = ()
    stops: bool = False
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def output_rows(self) -> int:
        """Rows of outputs."""
        return sum(output.rows for output in self.outputs)

    @property
    def first_outputs(self) -> tuple[float, ...]:
        """What rows of outputs hold before anything was observed."""
        return tuple(output.nothing for output in self.outputs for _ in range(output.rows))

    @property
    def tangents_within_steps(self) -> bool:
        """Whether a hook that is called within steps names tangent vectors, or calls a helper."""
        if not self.tangents:
            return False
        words = {"TAN", "COLUMN", "scale_tangent", "subtract_tangent", *map(named, self.helpers)}
        within = (text.source for text in self.texts if text.kind not in _BETWEEN_STEPS)
        return any(words & _names_in(source) for source in within)

    @property
    def sources(self) -> tuple[Callable[..., Any] | str, ...]:
        """Its helpers and hooks, as templates or text that was made for the model."""
        within = () if self.within is None else (self.within,)
        return (*self.helpers, *within, *(text.source for text in self.texts))

    def written(self, source: Callable[..., Any] | str, words: Mapping[str, Any]) -> str:
        """The text of a template or helper, with numbers for words."""
        places = {name: self.row(row, words) for name, row in self.places.items()}
        known = {**self.flags, **self.words, **places, **words}
        number = str(words["OBS"])
        return "\n".join(template.text(known, number) for template in _templates(source))

    def row(self, row: int, words: Mapping[str, Any]) -> int:
        """Where a row of the observer's lies in the workspace of all."""
        lasts = row >= self.workspace
        return int(words["LASTING"] + row - self.workspace if lasts else words["WS"] + row)


def named(source: Callable[..., Any] | str) -> str:
    """The name of a template or helper."""
    return source[4 : source.index("(")] if isinstance(source, str) else source.__name__


def _names_in(source: Callable[..., Any] | str) -> frozenset[str]:
    """The names that a template does not define itself, as Python knows them without its tree."""
    if isinstance(source, str):
        return frozenset[str]().union(*(template.names for template in templates_in(source)))
    return frozenset(source.__code__.co_names)


def _templates(source: Callable[..., Any] | str) -> Sequence[Template]:
    return templates_in(source) if isinstance(source, str) else (template_of(source),)
