"""One function of a model: its kernels, and their calls at one point or at many."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynlib.abi.aside import Aside
from dynlib.abi.phases import Phase, phase
from dynlib.abi.runner_args import RunnerArg
from dynlib.compiler.codegen.function_text import Asked, FunctionText
from dynlib.compiler.codegen.layout import Layout
from dynlib.compiler.codegen.point_loop import PointLoop
from dynlib.compiler.codegen.point_runner import get_point_runner
from dynlib.compiler.engine import Engine
from dynlib.compiler.jit.disk_cache import DiskCache
from dynlib.compiler.jit.runner import Runner
from dynlib.dsl.expr import Num, operations

__all__ = ["Evaluator", "arrays_of", "listening", "points_at_once"]

Array = NDArray[Any]
_OPERATIONS = 2e7  # of one call of compiled code, some hundredths of a second: Ctrl-C comes between
_SMALL = 2**20  # bytes
_TYPES = {"f8": np.float64, "i8": np.int64}


class _Bound:
    """A kernel bound to arrays of its own, for so many points."""

    __slots__ = (
        "arrays",
        "call",
        "directions",
        "enter",
        "out",
        "params",
        "places",
        "seen",
        "t",
        "workspace",
        "y",
    )

    def __init__(self, text: FunctionText, runner: Runner, template: Array, points: int) -> None:
        self.workspace = text.loop.first_rows["ws"]
        self.arrays = arrays_of(text.loop, points)
        self.arrays["size"][0] = points
        self.arrays["columns"] = np.array(text.asked.live, dtype=np.int64)
        self.arrays["out"] = np.tile(template, (points, 1))
        self.call = runner.bind(list(self.arrays.values()))
        self.enter = self.call.repeated()
        self.places = {name: i for i, name in enumerate(self.arrays)}
        self.y, self.t = self.arrays["y"][0], self.arrays["times"][0]
        self.directions = [self.arrays[f"v{i + 1}"][0] for i in range(text.asked.directions)]
        self.params, self.out = self.arrays["constants"], self.arrays["out"][0]
        self.seen: Array | None = None

    def put_params(self, p: Array) -> None:
        """Take over parameters; a vector of them is never changed, another takes its place."""
        self.params[: p.size] = p
        self.seen = p


def arrays_of(loop: PointLoop, points: int = 1) -> dict[str, Array]:
    """Arrays for all arguments of a loop over so many points, by name and in order."""
    extents = {"block_rows": loop.block_rows, "extra_rows": loop.extra_rows, "lanes": loop.lanes}
    if loop.joined:
        extents["block_rows"] += loop.extra_rows
    return {
        arg.name: np.zeros(_shape(arg, extents, points), _TYPES.get(arg.kind, loop.dtype))
        for arg in loop.args
    }


def points_at_once(work: float) -> int:
    """Points of one call of a kernel, of so many operations each: Ctrl-C comes between calls."""
    return max(1, int(min(2**20, _OPERATIONS / max(1.0, work))))


def listening(enter: Callable[[], Any], heed: Array) -> None:
    """Call a kernel whose loops may turn for long, while this thread listens to Ctrl-C.

    `heed` is the row of the workspace that tells these loops to end.
    """
    work = Aside(enter, daemon=True)
    try:
        work.result()
    except BaseException:
        work.end(partial(heed.fill, 1))
        heed[...] = 0
        raise


def _shape(arg: RunnerArg, extents: dict[str, int], points: int) -> tuple[int, ...]:
    shape = [extents[n] if isinstance(n, str) else n for n in arg.shape]
    return tuple(points if i == 0 and n == 0 else n for i, n in enumerate(shape))


class Evaluator:
    """Evaluates what is asked of a model.

    Any number of threads may do so at once: what a call writes to belongs to that call alone.

    Parameters
    ----------
    layout
        Of the model.
    asked
        What is evaluated.
    engine, disk_cache
        As of the compiled model.
    """

    def __init__(
        self, layout: Layout, asked: Asked, *, engine: Engine, disk_cache: DiskCache | None
    ) -> None:
        self.layout, self.asked = layout, asked
        self.engine, self.disk_cache = engine, disk_cache
        self._timed = asked.timed
        self._long = engine.compiles and layout.heed is not None
        self._made: dict[bool, tuple[FunctionText, Runner]] = {}
        self._idle: list[_Bound] = []  # for calls with one point
        self._idle_of_many: dict[bool, list[_Bound]] = {False: [], True: []}
        dtype = np.float64 if asked.real else np.dtype(layout.spec.dtype)
        constants = [node.value if isinstance(node, Num) else 0 for node in asked.nodes]
        self.template: Array = np.array(constants, dtype=dtype)

    def one(self, y: Any, t: Any, p: Array, *directions: Any) -> Array:
        """At one point, a vector of the right length; returns a vector."""
        if not self.asked.live:
            return self.template.copy()
        try:
            bound = self._idle.pop()
        except IndexError:
            bound = _Bound(*self._kernel(varied=False), self.template, 1)
        if bound.seen is not p:
            bound.put_params(p)
        bound.y[:] = y
        if self._timed:
            bound.t[0] = t
        if directions:
            for place, given in zip(bound.directions, directions, strict=True):
                place[:] = given
        if self._long:
            self._listening(bound)
        else:
            bound.enter()
        found: Array = bound.out.copy()
        self._idle.append(bound)
        return found

    def many(self, y: Array, t: Array, p: Array, directions: Sequence[Array]) -> Array:
        """At many points; all arrays are contiguous, with a row for each.

        `p` is a vector, or has a row for each point too.
        """
        points = len(y)
        out = np.empty((points, self.template.size), self.template.dtype)
        if len(self.asked.live) < self.template.size:
            out[:] = self.template
        if not self.asked.live:
            return out  # nothing is computed, so there is no kernel
        varied = p.ndim == 2
        try:
            bound = self._idle_of_many[varied].pop()
        except IndexError:
            bound = _Bound(*self._kernel(varied=varied), self.template, 1)
        if not varied and bound.seen is not p:
            bound.put_params(p)
        given = {"y": y, "out": out}
        given |= {f"v{i}": each for i, each in enumerate(directions, 1)}
        given |= {"p": p} if varied and p.shape[1] else {}
        given |= {"times": t.reshape(-1, 1)} if self.asked.timed else {}
        most = self._at_once
        for first in range(0, points, most):
            for name, array in given.items():
                part = array if points <= most else array[first : first + most]
                bound.call.put(bound.places[name], part)
            bound.arrays["size"][0] = min(most, points - first)
            if self._long:
                self._listening(bound)
            else:
                bound.enter()
        if y.nbytes + out.nbytes > _SMALL:  # what is kept holds on to no large array of anybody's
            for name in given:
                bound.call.put(bound.places[name], bound.arrays[name])
        self._idle_of_many[varied].append(bound)
        return out

    @cached_property
    def _at_once(self) -> int:
        """Points of one call of the kernel."""
        return points_at_once(operations(self.asked.nodes))

    def _listening(self, bound: _Bound) -> None:
        assert self.layout.heed is not None
        listening(bound.enter, bound.arrays["block"][bound.workspace + self.layout.heed])

    def _kernel(self, *, varied: bool) -> tuple[FunctionText, Runner]:
        if varied not in self._made:
            with phase(Phase.TEXT):
                text = FunctionText(self.layout, self.asked, varied=varied)
                module = text.module()
            runner = get_point_runner(
                module, self.layout.spec, self.asked.what, self.engine, self.disk_cache
            )
            self._made[varied] = text, runner
        return self._made[varied]
