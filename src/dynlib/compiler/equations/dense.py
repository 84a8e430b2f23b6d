"""The solution inside of steps, at many times: the kernel of `DenseText`, and its calls."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynlib.compiler.codegen.dense_text import DenseText
from dynlib.compiler.codegen.layout import Layout
from dynlib.compiler.codegen.point_runner import get_point_runner
from dynlib.compiler.engine import Engine
from dynlib.compiler.equations.evaluator import arrays_of, listening, points_at_once
from dynlib.compiler.jit.disk_cache import DiskCache
from dynlib.compiler.jit.runner import Call, PlainCall
from dynlib.dsl.expr import operations

__all__ = ["DenseSteps"]

Array = NDArray[Any]
_FEW = 64


class DenseSteps:
    """Computes steps once more, and the states inside of them.

    Parameters
    ----------
    layout
        Of a flow and its stepper.
    varied
        Whether every time has parameters of its own.
    engine, disk_cache
        As of the compiled model.
    """

    def __init__(
        self, layout: Layout, *, varied: bool, engine: Engine, disk_cache: DiskCache | None
    ) -> None:
        self.layout, self.varied = layout, varied
        self.text = text = DenseText(layout, varied=varied)
        spec, label = layout.spec, f"inside of steps of {layout.stepper.name}"
        self.runner = get_point_runner(text.module(), spec, label, engine, disk_cache)
        work = operations(spec.equations) * (layout.stepper.evaluations + 1)
        self._at_once = points_at_once(work)
        self._long = engine.compiles and layout.heed is not None
        self._idle: list[tuple[dict[str, Array], Call | PlainCall]] = []
        self._places = {arg.name: i for i, arg in enumerate(text.loop.args)}

    def __call__(self, rows: Mapping[str, Array], times: Array, p: Array) -> Array:
        """States, shape (k, n_states), at `k` times.

        Parameters
        ----------
        rows
            The inputs ``y``, ``m`` and ``w`` of `DenseText`, a row for each time.
        times
            Shape (k, 4), with the columns of `dense_text.CLOCK`.
        p
            Parameters, with a row for each time if they are `varied`.
        """
        dtype = np.dtype(self.layout.spec.dtype)
        out = np.empty((len(times), self.layout.states), dtype)
        try:
            arrays, call = self._idle.pop()
        except IndexError:
            arrays = arrays_of(self.text.loop)
            arrays["columns"] = np.arange(self.layout.states)
            call = self.runner.bind(list(arrays.values()))
        given = {name: np.ascontiguousarray(each, dtype) for name, each in rows.items()}
        given = {name: each for name, each in given.items() if each.shape[1]}
        if not self.varied:
            arrays["constants"][: p.size] = p
        elif p.shape[1]:
            given["p"] = np.ascontiguousarray(p, dtype)
        given |= {"times": np.ascontiguousarray(times), "out": out}
        for first in range(0, len(times), self._at_once):
            for name, array in given.items():
                call.put(self._places[name], array[first : first + self._at_once])
            arrays["size"][0] = min(self._at_once, len(times) - first)
            if self._long:
                assert self.layout.heed is not None
                row = self.text.loop.first_rows["ws"] + self.layout.heed
                listening(partial(call), arrays["block"][row])
            else:
                call()
        if len(times) <= _FEW:  # what is kept holds on to the arrays of its last call
            self._idle.append((arrays, call))
        return out
