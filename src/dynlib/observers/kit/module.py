"""Observers as a user sees and writes them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from dynlib.abi.hooks import HOOK_ARGS, STEP_ARGS
from dynlib.dsl.spec import ModelSpec
from dynlib.errors import ObserverError
from dynlib.observers.kit.content import content_of, is_portable
from dynlib.observers.kit.part import NO_TRACE, Output, Part, TraceSpec
from dynlib.observers.kit.result import ObserverResult
from dynlib.steppers.base import Stepper
from dynlib.suggest import did_you_mean

__all__ = ["ObserverModule"]

Hook = Callable[..., None]


class ObserverModule:
    """Something that looks at a run from inside its compiled loop, and keeps only what is asked.

    Write an observer by giving hooks, plain functions of ``(lane, t, dt, step, y_curr, y_prev,
    params, runtime_ws, analysis_ws, analysis_out, trace_buf, trace_count, trace_cap,
    trace_stride)``, either as arguments here or as static methods of a subclass.  All arrays are
    indexed ``[i, lane]``; `step` is the index of the state `y_curr`.  A hook adds a row to its
    trace by ::

        if step % trace_stride == 0 and trace_count[0, lane] < trace_cap:
            row = trace_count[0, lane]
            trace_buf[row * width + column, lane] = ...
            trace_count[0, lane] = row + 1

    `y_curr`, `y_prev`, `params` and `runtime_ws` may be read only, and an index outside of an array
    raises; negative ones count from the end, as in NumPy.

    Nothing else is needed: the same hook serves single runs, plain Python (``jit=False``), and
    batches in lanes and on threads.  Every attribute below is an argument too: `key` the first,
    the others by name.

    Attributes
    ----------
    key : str
        Names the observer, and its result: ``res.observers[key]``.
    workspace_size : int
        Rows of `analysis_ws` that are the observer's own.
    outputs : sequence of str
        Names of the rows of `analysis_out`.
    trace : TraceSpec
        What it traces.
    pre_step, post_step : callable, optional
        Hooks before and after each step.
    runner_variational_step : callable, optional
        A function ``(lane, t, dt, step, u, u_new, params, runtime_ws, analysis_ws)`` that returns
        what the tuple of states is to be after the step, instead of `u_new`, which the stepper
        proposes.  Such an observer changes the run, and the stepper starts afresh at each step;
        in batches, lanes then go one after the other.
    initial_workspace, initial_outputs : float or sequence of float
        What workspace and outputs hold at the start; 0 by default.
    name : str, optional
        Name of the result, where two observers of one key are attached.

    Raises
    ------
    ObserverError
        If something of this cannot be.

    Examples
    --------
    >>> def largest(lane, t, dt, step, y_curr, y_prev, params, runtime_ws, analysis_ws,
    ...             analysis_out, trace_buf, trace_count, trace_cap, trace_stride):
    ...     analysis_out[0, lane] = max(analysis_out[0, lane], y_curr[0, lane])
    >>> from dynlib import setup
    >>> from dynlib.observers import ObserverModule
    >>> observer = ObserverModule("peak", outputs=["x"], post_step=largest)
    >>> res = setup("builtin://map/logistic", jit=False).run(N=100, observers=[observer])
    >>> bool(res.observers["peak"].x == res["x"][1:].max())
    True
    """

    key: str = ""
    workspace_size: int = 0
    outputs: Sequence[str] = ()
    trace: TraceSpec = NO_TRACE
    pre_step: Hook | None = None
    post_step: Hook | None = None
    runner_variational_step: Callable[..., Any] | None = None
    initial_workspace: float | Sequence[float] = 0.0
    initial_outputs: float | Sequence[float] = 0.0
    name: str | None = None

    result_type: ClassVar[type[ObserverResult]] = ObserverResult
    gives: tuple[str, ...] = ()
    """What there is in the result, where `outputs` are known only once the model is."""

    def __init__(self, key: str | None = None, **given: Any) -> None:
        if key is not None:
            self.key = key
        for what, value in given.items():
            if what not in _PARAMETERS:
                raise ObserverError(
                    f"{type(self).__name__}() got an unknown argument {what!r}."
                    f"{did_you_mean(what, _PARAMETERS)}"
                )
            setattr(self, what, value)
        self._check()

    def _check(self) -> None:
        if not isinstance(self.key, str) or not self.key:
            raise ObserverError(
                f"an observer needs a key, a name for its result; found {self.key!r}."
            )
        size = self.workspace_size
        if isinstance(size, bool) or not isinstance(size, int) or size < 0:
            raise ObserverError(
                f"observer {self.key!r}: workspace_size must be a whole number of rows, "
                f"found {size!r}."
            )
        if isinstance(self.outputs, str):
            self.outputs = (self.outputs,)
        if self.name is not None and (not isinstance(self.name, str) or not self.name):
            raise ObserverError(f"observer {self.key!r}: name must be a text, found {self.name!r}.")
        if not isinstance(self.outputs, tuple | list) or not all(
            isinstance(name, str) and name for name in self.outputs
        ):
            raise ObserverError(
                f"observer {self.key!r}: outputs must be names, found {self.outputs!r}."
            )
        if len(set(self.outputs)) < len(self.outputs):
            raise ObserverError(
                f"observer {self.key!r}: two outputs have one name: {self.outputs!r}."
            )
        if not isinstance(self.trace, TraceSpec):
            raise ObserverError(
                f"observer {self.key!r}: trace must be a TraceSpec(columns, plan), "
                f"found {self.trace!r}."
            )
        self._check_names()
        self.resolve_hooks()

    def _check_names(self) -> None:
        """Refuse names under which nothing could be found in the result."""
        columns = self.trace.columns
        for name in (*self.outputs, *columns):
            if name in _TAKEN or hasattr(ObserverResult, name):
                raise ObserverError(
                    f"observer {self.key!r}: results have something else called {name!r}; call "
                    f"the output {name + '_'!r}, say."
                )
        both = [name for name in columns if name in self.outputs or columns.count(name) > 1]
        if both:
            raise ObserverError(
                f"observer {self.key!r}: {both[0]!r} is the name of a column of the trace and of "
                "another one or an output."
            )

    def __repr__(self) -> str:
        names = ", ".join(self.outputs or self.gives)
        trace = f"a trace of {', '.join(self.trace.columns)}" if self.trace.width else "no outputs"
        return f"<{self.label}: {names or trace}>"

    @property
    def analysis_kind(self) -> str:
        """What kind of analysis it is: its key, whatever the result is called."""
        return self.key

    @property
    def label(self) -> str:
        """Name of the result."""
        return self.name or self.key

    def resolve_hooks(self) -> dict[str, Hook]:
        """The hooks, as plain functions, by the place at which they are called.

        Raises
        ------
        ObserverError
            For a hook that is no function of the right arguments.
        """
        found = {}
        for kind in ("pre", "post"):
            hook = getattr(self, f"{kind}_step")
            if hook is not None:
                found[kind] = self._plain(f"{kind}_step", hook, HOOK_ARGS)
        if self.runner_variational_step is not None:
            which = "runner_variational_step"
            found["step"] = self._plain(which, self.runner_variational_step, STEP_ARGS)
        return found

    def _plain(self, which: str, hook: Any, args: str) -> Hook:
        given = _bare(hook)
        if not inspect.isfunction(given):
            raise ObserverError(
                f"observer {self.key!r}: {which} must be a plain function, found {hook!r}."
            )
        names = list(inspect.signature(given).parameters)
        if names[:1] == ["self"]:
            raise ObserverError(
                f"observer {self.key!r}: {which} is a method; hooks are compiled without their "
                "object. Make it a @staticmethod, and put what it needs into the workspace."
            )
        wanted = args.count(",") + 1
        if len(names) != wanted:
            raise ObserverError(
                f"observer {self.key!r}: {which} takes {len(names)} arguments, but is given "
                f"{wanted}: {args}."
            )
        if names != args.split(", ") and set(names) == set(args.split(", ")):
            raise ObserverError(
                f"observer {self.key!r}: {which} has its arguments in another order than they are "
                f"given: {args}."
            )
        return given

    def signature(self) -> str:
        """Text that differs whenever what the observer compiles to does."""
        hooks = {kind: content_of(hook) for kind, hook in self.resolve_hooks().items()}
        return (
            f"{self.workspace_size} {len(self.outputs)} {self.trace.width} {sorted(hooks.items())}"
        )

    @property
    def portable(self) -> bool:
        """Whether `signature` says in another process what it says here.

        It does not where a hook refers to what only this process has, such as an address.
        """
        return all(map(is_portable, self.resolve_hooks().values()))

    @property
    def identity(self) -> tuple[Any, ...]:
        """Equal for observers that do the same and call their results the same.

        Hooks alike are not one: each may write to objects of its own, in plain Python, or become
        another when something changes that it refers to.
        """
        first = (_exactly(self.initial_workspace), _exactly(self.initial_outputs))
        own = (type(self), self.label, tuple(self.outputs), self.trace, first)
        hooks = (self.pre_step, self.post_step, self.runner_variational_step)
        return (*own, *(id(_bare(hook)) for hook in hooks), self.signature())

    def validate_stepper(self, stepper: Stepper, spec: ModelSpec) -> None:
        """Raise an `ObserverError` if the observer cannot do with this stepper and model."""

    def bind(self, spec: ModelSpec, stepper: Stepper) -> Part:
        """What the observer adds to a runner of this model."""
        first = self._first("initial_outputs", len(self.outputs))
        return Part(
            outputs=tuple(Output(n, nothing=x) for n, x in zip(self.outputs, first, strict=True)),
            workspace=self.workspace_size,
            trace=self.trace,
            hooks=self.resolve_hooks(),
            first=self._first("initial_workspace", self.workspace_size),
        )

    def _first(self, what: str, rows: int) -> tuple[float, ...]:
        try:
            values = np.asarray(getattr(self, what), dtype=np.float64)
        except (TypeError, ValueError):
            values = np.empty((0, 0))
        if values.ndim > 1 or (values.ndim == 1 and values.size != rows):
            raise ObserverError(
                f"observer {self.key!r}: {what} must be a number or {rows} of them, found "
                f"{getattr(self, what)!r}."
            )
        return tuple(np.broadcast_to(values, (rows,)).tolist())


def _bare(hook: Any) -> Any:
    """The function of a hook."""
    given = getattr(hook, "__func__", hook)  # a plain function put into a class body
    return getattr(given, "py_func", given)  # one that Numba has compiled already


def _exactly(values: Any) -> tuple[Any, ...]:
    """Numbers as a key; what is printed of an array leaves out digits and items."""
    if type(values) is float:  # most are, and none is an array then
        return (values.hex(),)
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        return (repr(values),)
    return array.shape, array.tobytes()


_TAKEN = ("name", "columns", "facts", "n_runs", "trace", "trace_time")  # of a result
_PARAMETERS = (
    "workspace_size", "outputs", "trace", "pre_step", "post_step", "initial_workspace",
    "initial_outputs", "name", "runner_variational_step",
)  # fmt: skip
