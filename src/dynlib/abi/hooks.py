"""What the compiler knows of observers: hooks that run with the loop, and their signature."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

__all__ = ["HOOK_ARGS", "AnalysisModule", "Hooks"]

HOOK_ARGS = (
    "lane, t, dt, step, y_curr, y_prev, params, runtime_ws, "
    "analysis_ws, analysis_out, trace_buf, trace_count, trace_cap, trace_stride"
)
"""Parameters of a hook, in order; arrays are indexed ``[i, lane]``."""

Hook = Callable[..., None]


@dataclass(frozen=True)
class Hooks:
    """The two hooks of a set of observers; None does nothing."""

    pre_step: Hook | None = None
    post_step: Hook | None = None


class AnalysisModule(Protocol):
    """A set of observers, as the compiler sees it."""

    def resolve_hooks(self) -> Hooks:
        """The hooks, as plain functions of `HOOK_ARGS`."""
        ...

    def signature(self) -> str:
        """Text that differs whenever the hooks' content does: source, closures, sizes."""
        ...

    def runner_variational_step(self) -> Callable[..., Any] | None:
        """A function to call instead of the stepper, or None."""
        ...
