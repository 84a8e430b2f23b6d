"""A stepper's generated functions as plain Python, to be called one by one."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
from trajectories import compiled

from dynlib.compiler.codegen.runner_variants import RunnerVariant, module_of
from dynlib.compiler.jit.plain import execute


@cache
def functions(source: str, stepper: str) -> Mapping[str, Any]:
    """The globals of the generated module, run as plain Python."""
    model = compiled(source, stepper)
    return execute(module_of(model.program, RunnerVariant.BASE), {}, model.spec.dtype)


class Steps:
    """One stepper on one model, function by function; states are vectors."""

    def __init__(self, source: str, stepper: str, **options: Any) -> None:
        self.functions = functions(source, stepper)
        spec = compiled(source, stepper).spec
        self.n = len(spec.states)
        self.dtype = np.dtype(spec.dtype)
        self.p = np.array(spec.param_values, dtype=self.dtype).reshape(-1, 1)
        method = compiled(source, stepper).stepper
        self.options, self.tolerances = method.options(options, self.n)
        self.ws = np.zeros((64, 1), dtype=self.dtype)

    def _tuple(self, u: np.ndarray) -> tuple[Any, ...]:
        return tuple(self.dtype.type(x) for x in u)

    def rhs(self, t: float, u: np.ndarray) -> np.ndarray:
        f = self.functions["rhs"](np.float64(t), 0, self._tuple(u), self.p, self.ws, 0)
        return np.array(f)

    def attempt(self, t: float, h: float, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The new state and the stages, shape (stages, n); the first stage is computed here."""
        m = tuple(self.rhs(t, u))
        t, h = np.float64(t), np.float64(h)
        v, k = self.functions["attempt"](t, h, 0, self._tuple(u), m, self.p, self.ws, 0)
        return np.array(v), np.array(k).reshape(-1, self.n)

    def error_norm(self, h: float, u: np.ndarray, v: np.ndarray, k: np.ndarray) -> float:
        """Mean square of the weighted error."""
        return float(
            self.functions["error_norm"](
                np.float64(h), self._tuple(u), self._tuple(v), self._tuple(k.ravel()),
                self.options, self.tolerances, 0,
            )
        )  # fmt: skip

    def inside(
        self, theta: float, t: float, h: float, u: np.ndarray, v: np.ndarray, k: np.ndarray
    ) -> np.ndarray:
        """The dense output at a fraction of the step."""
        t, h = np.float64(t), np.float64(h)
        start, end, stages = self._tuple(u), self._tuple(v), self._tuple(k.ravel())
        d = self.functions["dense"](t, h, 0, start, end, stages, self.p, self.ws, 0)
        return np.array(self.functions["interpolate"](np.float64(theta), h, start, end, d))
