"""`Equations`: the functions of a model under the names that mathematics has for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property, partial
from importlib import import_module
from math import prod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynlib.abi.briefly import BRIEFLY
from dynlib.compiler.codegen.foreseen import check_function
from dynlib.compiler.codegen.function_text import Asked, direction
from dynlib.compiler.codegen.layout import Layout
from dynlib.compiler.engine import Engine, Jit
from dynlib.compiler.equations.arguments import (
    checked_names,
    leading,
    numbers,
    overlaid,
    vectors,
)
from dynlib.compiler.equations.evaluator import Evaluator
from dynlib.compiler.jit.disk_cache import DiskCache
from dynlib.compiler.jit.engines import engine_of
from dynlib.dsl.derived import derived_matrix
from dynlib.dsl.expr import Lag, Node, Previous, PreviousTime, coerce, free_nodes, jvp
from dynlib.dsl.spec import ModelSpec
from dynlib.errors import OptionError
from dynlib.steppers import registry

__all__ = ["Equations", "ForScipy"]

Array = NDArray[Any]
_KEPT = 64  # functions
_NO_TIMES = np.zeros(0)


class ForScipy(NamedTuple):
    """Right-hand side and Jacobian with the arguments that `scipy.integrate.solve_ivp` gives."""

    fun: Callable[[Any, Any], Array]
    jac: Callable[[Any, Any], Array]


class Equations:
    """The functions of a model, compiled: right-hand side, derivatives, aux.

    Made by `Sim.equations` and `CompiledModel.equations`.  Every function takes one point or many:
    the last axis of `y` holds the states, in their order, and whatever axes come before it are
    broadcast by NumPy's rules with those of `t`, `params` and directions.  A mapping of names is
    taken in the place of a vector; of `params` it may name some.  Without `params`, those of the
    session count, as they are when the function is called; of a `CompiledModel`, those of the
    model.  Units are those of the model.  NaN in a point gives NaN.  Any number of threads may
    call.

    Raises
    ------
    OptionError
        By every function: for shapes that do not fit, for what is not a number, and where a
        function needs more than a point: values of earlier steps.
    UnknownNameError
        For a name that the model does not have.

    Examples
    --------
    >>> from dynlib import setup
    >>> eq = setup("builtin://ode/lorenz", jit=False).equations
    >>> eq.rhs([1.0, 2.0, 3.0], params={"rho": 28.0}).tolist()
    [10.0, 23.0, -6.0]
    >>> eq.rhs({"x": [1.0, 2.0], "y": 2.0, "z": 3.0}).shape
    (2, 3)
    """

    def __init__(
        self, layout: Layout, params: Callable[[], Array], *, engine: Engine,
        disk_cache: DiskCache | None,
    ) -> None:  # fmt: skip
        self._layout, self._spec = layout, layout.spec
        self._is_map = self._spec.is_map
        self._params = params
        self._means: dict[str, Any] = {"engine": engine, "disk_cache": disk_cache}
        self._dtype = np.dtype(self._spec.dtype)
        self._shape = (len(self._spec.states),)
        self._made: dict[tuple[Any, ...], Evaluator] = {}

    def __repr__(self) -> str:
        return f"<equations of {self._spec.name}: {', '.join(self._spec.states)}>"

    def following(self, params: Callable[[], Array]) -> Equations:
        """The same functions with other parameters to fall back on; what is compiled is shared."""
        twin = Equations(self._layout, params, **self._means)
        twin._made = self._made
        return twin

    def __copy__(self) -> Equations:
        return self  # there is nothing in it that anybody could change

    def __deepcopy__(self, memo: object) -> Equations:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        """In another process the parameters are those of now: no session is there to follow."""
        layout, means = self._layout, self._means
        cached = means["disk_cache"] is not None
        model = (layout.spec, registry.carried(layout.stepper), means["engine"].jit, cached)
        return _arrived, (*model, self._params().copy())

    # -- values -----------------------------------------------------------------------------------

    def rhs(self, y: Any, t: float | ArrayLike = 0.0, params: Any = None) -> Array:
        """The right-hand side of a flow, dy/dt; shape (..., n)."""
        if self._is_map:
            raise OptionError(f"{self._spec.name} is a map: equations.step(y) is its next state.")
        made = self._right_hand_side
        usual = params is None and isinstance(t, float) and type(y) is np.ndarray
        if usual and y.dtype is self._dtype and y.shape == self._shape:
            return made.one(y, t, self._params())
        return self._vector(made, y, t, params)

    def step(self, y: Any, t: int | ArrayLike = 0, params: Any = None) -> Array:
        """The next state of a map; `t` is the index of the iteration.  Shape (..., n)."""
        if not self._spec.is_map:
            raise OptionError(
                f"{self._spec.name} is a flow: it has equations.rhs(y), and steps are made by "
                "sim.run()."
            )
        return self._vector(self._right_hand_side, y, t, params)

    def aux(
        self, y: Any, t: ArrayLike = 0.0, params: Any = None, *, names: Sequence[str] | None = None
    ) -> dict[str, Array]:
        """The aux variables by name, all or those in `names`, each of the leading shape."""
        known = {aux.name: aux.expr for aux in self._spec.aux}
        chosen = self._chosen("names", names, tuple(known))
        return self._by_name("aux", {name: known[name] for name in chosen}, (y, t, params))

    def events(
        self, y: Any, t: ArrayLike = 0.0, params: Any = None, *, names: Sequence[str] | None = None
    ) -> dict[str, Array]:
        """The event functions by name: positive where the condition holds, 0 where it changes.

        Events that are not located, and those that look back to the step before, have none.
        """
        levels = {event.name: event.level for event in self._spec.events}
        chosen = self._chosen("names", names, tuple(levels))
        found = {}
        for name in chosen:
            level = levels[name]
            if level is None:
                raise OptionError(
                    f"event {name!r} has no event function: it is not located. Leave it out with "
                    "names=[...]."
                )
            found[name] = level
        return self._by_name("event", found, (y, t, params))

    # -- derivatives ------------------------------------------------------------------------------

    def jacobian(self, y: Any, t: ArrayLike = 0.0, params: Any = None) -> Array:
        """Derivatives of the equations by the states; shape (..., n, n), row i of equation i."""
        made = self._evaluator(("jacobian",), self._jacobian)
        return self._matrix(made, self._shape[0], y, t, params)

    def params_jacobian(
        self, y: Any, names: Sequence[str] | None = None, t: ArrayLike = 0.0, params: Any = None
    ) -> Array:
        """Derivatives by the parameters in `names`, all by default; shape (..., n, len(names))."""
        chosen = self._chosen("names", names, self._spec.params)
        made = self._evaluator(
            ("params_jacobian", *chosen), lambda: self._params_jacobian(tuple(chosen))
        )
        return self._matrix(made, len(chosen), y, t, params)

    def jvp(self, y: Any, v: Any, t: ArrayLike = 0.0, params: Any = None) -> Array:
        """The Jacobian times a vector, ``J v``, without making J; shape (..., n)."""
        return self._along(y, (v,), t, params)

    def second(self, y: Any, u: Any, v: Any, t: ArrayLike = 0.0, params: Any = None) -> Array:
        """The second derivative along two vectors, ``sum f_jk u_j v_k``; shape (..., n)."""
        return self._along(y, (u, v), t, params)

    def third(
        self, y: Any, u: Any, v: Any, w: Any, t: ArrayLike = 0.0, params: Any = None
    ) -> Array:
        """The third derivative along three vectors, ``sum f_jkl u_j v_k w_l``; shape (..., n)."""
        return self._along(y, (u, v, w), t, params)

    def for_scipy(self) -> ForScipy:
        """``f(t, y)`` and ``jac(t, y)``, as `scipy.integrate.solve_ivp` takes them.

        `y` may be a matrix with a column for each point, as with ``vectorized=True`` and in
        `scipy.integrate.solve_bvp`; then `f` returns one too.  Both take parameters as a third
        argument, as in ``solve_ivp(fun, span, y, args=({"rho": 24.0},))``.

        Examples
        --------
        >>> from dynlib import setup
        >>> fun, jac = setup("builtin://ode/lorenz", jit=False).equations.for_scipy()
        >>> fun(0.0, [0.0, 0.0, 1.0]).shape, jac(0.0, [0.0, 0.0, 1.0]).shape
        ((3,), (3, 3))
        """
        return ForScipy(partial(_columns_first, self), partial(_time_first, self))

    # -- how --------------------------------------------------------------------------------------

    @cached_property
    def _right_hand_side(self) -> Evaluator:
        what = "step" if self._spec.is_map else "rhs"
        return self._evaluator((what,), lambda: Asked(what, self._spec.equations))

    def _jacobian(self) -> Asked:
        return Asked("jacobian", tuple(entry for row in self._spec.jacobian for entry in row))

    def _params_jacobian(self, chosen: tuple[str, ...]) -> Asked:
        nodes = dict(zip(self._spec.params, self._spec.param_nodes, strict=True))
        self._differentiable()
        wanted = [nodes[name] for name in chosen]
        rows = derived_matrix(self._spec.name, self._spec.equations, wanted)
        return Asked("params_jacobian", tuple(entry for row in rows for entry in row))

    def _along(self, y: Any, vectors_: tuple[Any, ...], t: ArrayLike, params: Any) -> Array:
        made = self._evaluator(("along", len(vectors_)), lambda: self._derived(len(vectors_)))
        return self._vector(made, y, t, params, *vectors_)

    def _derived(self, order: int) -> Asked:
        self._differentiable()
        nodes: tuple[Node, ...] = self._spec.equations
        for number in range(1, order + 1):
            check_function(nodes)  # what is derived of them is longer
            nodes = jvp(nodes, self._spec.state_nodes, direction(self._spec, number))
        return Asked(("jvp", "second", "third")[order - 1], nodes, directions=order)

    def _differentiable(self) -> None:
        if self._spec.is_integer:
            raise OptionError(f"{self._spec.name}: a map of integers has no derivatives.")

    def _chosen(self, what: str, names: Sequence[str] | None, known: tuple[str, ...]) -> list[str]:
        if names is None:
            return list(known)
        return checked_names(what, [names] if isinstance(names, str) else names, known)

    def _by_name(
        self, what: str, nodes: dict[str, Node], point: tuple[Any, Any, Any]
    ) -> dict[str, Array]:
        def ask() -> Asked:
            for name, node in nodes.items():
                self._refuse_history((node,), f"{what} {name!r}")
            return Asked(what, tuple(coerce(n, "real") for n in nodes.values()), real=True)

        made = self._evaluator((what, *nodes), ask)
        found = self._vector(made, *point)
        return {name: found[..., i] for i, name in enumerate(nodes)}

    def _evaluator(self, key: tuple[Any, ...], ask: Callable[[], Asked]) -> Evaluator:
        made = self._made.get(key)
        if made is None:
            asked = ask()
            check_function(asked.nodes, directions=asked.directions)
            self._refuse_history(asked.nodes, asked.what)
            made = Evaluator(self._layout, asked, **self._means)
            with BRIEFLY:
                self._made[key] = made
                if len(self._made) > _KEPT:
                    del self._made[next(iter(self._made))]
        return made

    def _refuse_history(self, nodes: tuple[Node, ...], what: str) -> None:
        for leaf in free_nodes(nodes):
            if isinstance(leaf, Lag | Previous | PreviousTime):
                raise OptionError(
                    f"{self._spec.name}: {what} needs values of earlier steps (lags, or the "
                    "step before), which a point does not have. Compute it in a run."
                )

    def _matrix(self, made: Evaluator, columns: int, *point: Any) -> Array:
        found = self._vector(made, *point)
        return found.reshape(*found.shape[:-1], self._shape[0], columns)

    def _vector(self, made: Evaluator, y: Any, t: Any, params: Any, *along: Any) -> Array:
        """Evaluate; what has its shape and its type already is not looked at any further."""
        plain = isinstance(t, int) or (
            isinstance(t, float) and (not self._is_map or t.is_integer())
        )
        if params is not None:
            params = overlaid(params, self._params(), self._spec.params)
            plain = plain and params.ndim == 1
        if plain and type(y) is np.ndarray and y.dtype is self._dtype:
            shape, own = y.shape, self._shape
            p = self._params() if params is None else params
            if shape == own:
                if all(
                    type(v) is np.ndarray and v.dtype is y.dtype and v.shape == own for v in along
                ):
                    return made.one(y, t, p, *along)
            elif len(shape) > 1 and shape[-1:] == own and not (along or made.asked.timed):
                rows = np.ascontiguousarray(y.reshape(prod(shape[:-1]), shape[-1]))
                found = made.many(rows, _NO_TIMES, p, ())
                return found.reshape(*shape[:-1], found.shape[-1])
        return self._checked(made, y, t, params, *along)

    def _checked(self, made: Evaluator, y: Any, t: Any, params: Array | None, *along: Any) -> Array:
        names, dtype = self._spec.states, self._dtype
        if isinstance(y, float | int | np.number):
            raise OptionError(
                f"y is one number, {y}; it must have a number for each state: {', '.join(names)}. "
                "The time comes after y; for_scipy() gives f(t, y), where it comes first."
            )
        y = vectors("y", y, names, dtype)
        if self._is_map:
            times = numbers("t, the index of an iteration,", t, np.dtype(np.int64)) * 1.0
        else:
            times = numbers("t", t, np.dtype(np.float64))
        p = self._params() if params is None else params
        directions = [vectors(f"direction {i}", v, names, dtype) for i, v in enumerate(along, 1)]
        shapes = {"y": y.shape[:-1], "t": times.shape, "params": p.shape[:-1]}
        shapes |= {f"direction {i}": v.shape[:-1] for i, v in enumerate(directions, 1)}
        shape = leading(shapes)
        if not shape:
            return made.one(y, times, p, *directions)

        points = prod(shape)

        def rows(array: Array) -> Array:
            width = array.shape[-1]
            if array.shape[:-1] != shape:
                array = np.broadcast_to(array, (*shape, width))
            return np.ascontiguousarray(array.reshape(points, width))

        p = rows(p) if p.ndim > 1 else p
        if made.asked.timed:
            times = np.ascontiguousarray(np.broadcast_to(times, shape).reshape(-1))
        found = made.many(rows(y), times, p, [rows(v) for v in directions])
        return found.reshape(*shape, found.shape[-1])


def _columns_first(eq: Equations, t: Any, y: Any, params: Any = None) -> Array:
    """The right-hand side as SciPy calls it."""
    return eq.rhs(y, t, params) if np.ndim(y) < 2 else eq.rhs(np.transpose(y), t, params).T


def _time_first(eq: Equations, t: Any, y: Any, params: Any = None) -> Array:
    """The Jacobian as SciPy calls it."""
    return eq.jacobian(y, t, params)


def _arrived(spec: ModelSpec, stepper: Any, jit: Jit, cached: bool, params: Array) -> Equations:
    """Functions that came from another process; their model is compiled anew, or found."""
    put_together = import_module("dynlib.compiler.build").put_together
    method = registry.arrived(stepper)
    found: Equations = put_together(spec, method, engine_of(jit), cached=cached).equations
    return found.following(lambda: params)
