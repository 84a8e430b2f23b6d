"""What the compiler knows of observers: hooks that run with the loop, what they need, who they are.

A *hook* is a plain function of `HOOK_ARGS`; arrays are indexed ``[i, lane]``.  The runner has a
few places at which hooks are called:

==========  ====================================================================================
start       when observers start (anew): at the start of a run, and where its transient ends
pre         before each step
along       for each piece of a step that is taken, in lanes together with the step (`ALONG_ARGS`)
piece       the same, before events act at its end (`PIECE_ARGS`)
inside      the same, with the interpolant of the step, where `sees` says so (`INSIDE_ARGS`)
post        after each step
every       after every so many steps
within      of tangent vectors, where they took shorter steps than the states (`WITHIN_ARGS`)
end         when the runner is left, for good or for a pause; must change nothing but outputs
==========  ====================================================================================

Users write the hooks *pre* and *post*; the others belong to the observers that come with dynlib.

Tangent vectors lie in `analysis_ws` for the hooks *start*, *every* and *end*.  For hooks within
steps they do so where one of these names them (`AnalysisModule.tangents_within_steps`); otherwise
the loop may keep them in registers meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from dynlib.abi.runner_args import OBSERVED

__all__ = [
    "ALONG_ARGS",
    "HOOK_ARGS",
    "INSIDE_ARGS",
    "KINDS",
    "PIECE_ARGS",
    "PLACE_ARGS",
    "READ_ONLY",
    "SEES_ARGS",
    "STEP_ARGS",
    "WITHIN_ARGS",
    "AnalysisModule",
    "Hook",
    "Trace",
    "user_name",
]

KINDS = ("start", "pre", "along", "piece", "inside", "post", "every", "end")
"""The places at which hooks are called."""

HOOK_ARGS = (
    "lane, t, dt, step, y_curr, y_prev, params, runtime_ws, "
    "analysis_ws, analysis_out, trace_buf, trace_count, trace_cap, trace_stride"
)
"""Parameters of a hook, in order; arrays are indexed ``[i, lane]``."""

_ARRAYS = f"params, runtime_ws, {', '.join(arg.name for arg in OBSERVED.args)}"
PLACE_ARGS = f"lane, t, dt, step, y_curr, y_prev, {_ARRAYS}"
"""Of ``ANALYSIS_PRE`` and most others of the runner's own functions, which call the hooks."""
PIECE_ARGS = f"lane, t, h, step, u, v, {_ARRAYS}"
"""Of a piece from (t, u) to (t + h, v)."""
ALONG_ARGS = "lane, t, h, step, u, v, params, runtime_ws, analysis_ws, analysis_out"
"""Of a piece, for hooks that trace nothing and become vector instructions along with the step."""
INSIDE_ARGS = f"lane, t, t_end, h, end, step, u, v, d, m, {_ARRAYS}"
"""Of the part from 0 to `end` of a step from (t, u) to (t + h, v) with the interpolant d.

`t_end` is the time at `end` as the next piece has it, which on a grid may not be ``t + h`` to the
last bit: whoever looks at both sides of it must look at one time.
"""
SEES_ARGS = "t, t_end, h, step, u, v, params, runtime_ws, lane"
WITHIN_ARGS = "lane, t, analysis_ws"
STEP_ARGS = "lane, t, dt, step, u, u_new, params, runtime_ws, analysis_ws"
"""Of a user's `runner_variational_step`, which returns what is to become of u."""

READ_ONLY = frozenset({"y_curr", "y_prev", "params", "runtime_ws"})
"""Arrays that a user's hook may read and not write: an observer does not change the run."""

Hook = Callable[..., None]


def user_name(kind: str) -> str:
    """How users call the place of a hook that they wrote.

    Examples
    --------
    >>> user_name("post"), user_name("step")
    ('post_step', 'runner_variational_step')
    """
    return "runner_variational_step" if kind == "step" else f"{kind}_step"


class Trace(Protocol):
    """What observers trace, as the compiler sees it."""

    @property
    def width(self) -> int:
        """Values of a row; 0: nothing is traced."""

    def record_interval(self) -> int:
        """Steps from one row to the next."""


class AnalysisModule(Protocol):
    """A set of observers bound to a model and a stepper, as the compiler sees it."""

    @property
    def kinds(self) -> frozenset[str]:
        """The places at which there are hooks."""

    @property
    def intervals(self) -> tuple[int, ...]:
        """Numbers of steps of the hooks *every*, rising."""

    @property
    def workspace(self) -> int:
        """Rows of `analysis_ws`, tangent vectors included."""

    @property
    def lasting(self) -> int:
        """How many of them, at the end, need no copy to which a lane that is taken back returns.

        What such a row holds at the start of a chunk of steps, the chunk does not change, if it
        is to be read again.
        """

    @property
    def outputs(self) -> int:
        """Rows of `analysis_out`."""

    @property
    def n_traces(self) -> int:
        """Rows of `traces`."""

    @property
    def tangents(self) -> int:
        """Tangent vectors; they lie in the first rows of `analysis_ws`."""

    @property
    def tangent_sets(self) -> tuple[tuple[int, str], ...]:
        """For each observer that has tangent vectors, how many, and its hook *within*, or ``""``.

        The hook's name is that of a function of `WITHIN_ARGS` in `text`.
        """

    @property
    def given(self) -> bool:
        """Whether each run is given its tangent vectors, and these are wanted as exactly as states.

        A batch is given them where it puts its outputs.
        """

    @property
    def tangents_within_steps(self) -> bool:
        """Whether other hooks than *start*, *every* and *end* may look at tangent vectors."""

    @property
    def stop_row(self) -> int | None:
        """Row of `analysis_ws` that is not 0 once observers have seen enough; None if never."""

    @property
    def heed(self) -> int | None:
        """Row of `analysis_ws` that tells tangent vectors to end within a step; None: none do."""

    @property
    def has_user_hooks(self) -> bool:
        """Whether a user wrote a hook: it indexes `params` as a matrix, and may raise."""

    def adjustments(self, params: str) -> tuple[str, ...]:
        """Calls that turn the step from u to u_new into another u_new; `params` as in `text`."""

    @property
    def expressions(self) -> Mapping[str, tuple[Any, ...]]:
        """Expressions that hooks evaluate: name of the function, nodes."""

    @property
    def analysis_kind(self) -> str:
        """What kind of analysis it is, as `dynlib cache list` shows it beside the kernel."""

    @property
    def trace(self) -> Trace:
        """What is traced, of all observers together."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the observers, for error messages about their hooks."""

    def text(self, params: str) -> str:
        """The functions ``ANALYSIS_...``; `params` is how the matrix of parameters is written."""

    def resolve_hooks(self) -> Mapping[str, Hook]:
        """Functions that users wrote, by the names under which `text` calls them."""

    @property
    def portable(self) -> bool:
        """Whether `signature` says in another process what it says here."""

    def signature(self) -> str:
        """Text that differs whenever the hooks' content does: source, closures, sizes."""
