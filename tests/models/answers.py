"""The kinds of known answers that a model can have, and how each is checked.

An answer is data: what is known, under which values, how exactly it must be met and why not more
exactly. ``check(subject)`` raises AssertionError with both numbers. Answers of kind ``RUNS`` go
through the public interface, `dynlib.setup` and ``Sim.run``; the others look at the equations
and their derived Jacobian.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

import dynlib
from dynlib.dsl.expr import Node, Time, evaluate

Values = Mapping[str, float]

# The tightest that doubles bear. Global errors are this times the number of steps (hundreds to
# thousands) times the growth of errors along the orbit, which each answer states.
TIGHT = {"rtol": 1e-12, "atol": 1e-12}


@dataclass(frozen=True)
class Subject:
    """A built-in model under test, compiled or as plain Python."""

    model: str
    jit: bool

    @property
    def uri(self) -> str:
        return f"builtin://{self.model}"

    @property
    def is_map(self) -> bool:
        return self.model.startswith("map/")

    def run(self, preset: str | None = None, **options: Any) -> dynlib.Results:
        """Iterate a map; integrate a flow with Dormand-Prince steps at the tightest tolerance."""
        sim = dynlib.setup(self.uri, stepper="map" if self.is_map else "rk45", jit=self.jit)
        if preset is not None:
            sim.apply_preset(preset)
        return sim.run(**({} if self.is_map else TIGHT) | options)

    def equations(self, params: Values | None = None) -> Equations:
        return Equations(self.uri, params or {})


def differences(got: Mapping[str, Any], want: Values) -> dict[str, float]:
    """Distances, relative where the wanted value is larger than one."""
    return {name: abs(float(got[name]) - v) / max(1.0, abs(v)) for name, v in want.items()}


def require(miss: Mapping[str, float], within: float, because: str) -> None:
    bad = {name: error for name, error in miss.items() if not error <= within}
    assert not bad, f"off by {bad}, allowed {within:g} ({because})"


@dataclass(frozen=True, kw_only=True)
class Ends:
    """A run ends in a known state."""

    RUNS: ClassVar[bool] = True
    run: Mapping[str, Any]
    state: Values
    within: float
    because: str
    preset: str | None = None

    def check(self, subject: Subject) -> None:
        result = subject.run(self.preset, **self.run)
        require(differences(result.final, self.state), self.within, self.because)


@dataclass(frozen=True, kw_only=True)
class Follows:
    """A whole trajectory is known in closed form: ``exact(t)`` gives some states by name."""

    RUNS: ClassVar[bool] = True
    run: Mapping[str, Any]
    exact: Callable[[np.ndarray], Mapping[str, np.ndarray]]
    within: float
    because: str
    preset: str | None = None

    def check(self, subject: Subject) -> None:
        result = subject.run(self.preset, **self.run)
        exact = self.exact(np.asarray(result.t, dtype=float))
        assert len(result.t) > 5  # a curve, not just its end
        miss = {name: float(np.max(np.abs(result[name] - x))) for name, x in exact.items()}
        require(miss, self.within, self.because)


@dataclass(frozen=True, kw_only=True)
class Keeps:
    """A quantity, an aux of the model, stays what it was at the start."""

    RUNS: ClassVar[bool] = True
    run: Mapping[str, Any]
    aux: str
    within: float
    because: str
    preset: str | None = None

    def check(self, subject: Subject) -> None:
        result = subject.run(self.preset, **self.run, record_vars=[f"aux.{self.aux}"])
        values = np.asarray(result[self.aux])
        miss = float(np.max(np.abs(values - values[0]))) / max(1.0, abs(float(values[0])))
        require({self.aux: miss}, self.within, self.because)


@dataclass(frozen=True, kw_only=True)
class Fires:
    """An event happens at known times, and at no others."""

    RUNS: ClassVar[bool] = True
    run: Mapping[str, Any]
    event: str
    times: Sequence[float]
    within: float
    because: str
    preset: str | None = None

    def check(self, subject: Subject) -> None:
        found = np.asarray(subject.run(self.preset, **self.run).events[self.event].t)
        assert len(found) == len(self.times), f"{found} instead of {self.times}"
        miss = float(np.max(np.abs(found - self.times), initial=0.0))
        require({self.event: miss}, self.within, self.because)


@dataclass(frozen=True, kw_only=True)
class Cycle:
    """A periodic orbit of a map, and its multipliers.

    The orbit is run once; ``shift`` says by how much it comes back moved (angles that are not
    wrapped). The multipliers are the eigenvalues of the product of the derived Jacobians.
    """

    RUNS: ClassVar[bool] = True
    start: Values
    period: int
    multipliers: Sequence[complex]
    within: float
    because: str
    params: Values = field(default_factory=dict)
    shift: Values = field(default_factory=dict)

    def check(self, subject: Subject) -> None:
        result = subject.run(N=self.period, ic=dict(self.start), params=dict(self.params))
        want = {name: x + self.shift.get(name, 0.0) for name, x in self.start.items()}
        require(differences(result.final, want), self.within, self.because)
        equations = subject.equations(self.params)
        product = np.eye(len(equations.spec.states))
        for k in range(self.period):
            point = {name: float(result[name][k]) for name in equations.spec.states}
            product = equations.jacobian(point) @ product
        same_eigenvalues(product, self.multipliers, self.within)


@dataclass(frozen=True, kw_only=True)
class Rests:
    """A rest point of a flow, and the eigenvalues of the derived Jacobian there."""

    RUNS: ClassVar[bool] = False
    state: Values
    eigenvalues: Sequence[complex]
    within: float
    because: str
    params: Values = field(default_factory=dict)

    def check(self, subject: Subject) -> None:
        equations = subject.equations(self.params)
        slope = dict(zip(equations.spec.states, equations.rhs(self.state), strict=True))
        require({f"d{name}": abs(v) for name, v in slope.items()}, self.within, self.because)
        same_eigenvalues(equations.jacobian(self.state), self.eigenvalues, self.within)


@dataclass(frozen=True, kw_only=True)
class Shrinks:
    """Volumes change at a known constant rate: the trace (flow) or determinant (map)."""

    RUNS: ClassVar[bool] = False
    rate: float
    within: float = 1e-12
    because: str = "sums of a few rounded numbers of order ten"
    params: Values = field(default_factory=dict)

    def check(self, subject: Subject) -> None:
        equations = subject.equations(self.params)
        measure = np.linalg.det if subject.is_map else np.trace
        for point in equations.sample(8):
            found = float(measure(equations.jacobian(point)))
            require({f"rate at {point}": abs(found - self.rate)}, self.within, self.because)


@dataclass(frozen=True, kw_only=True)
class Inverts:
    """The inverse of a map undoes it, and the map undoes its inverse."""

    RUNS: ClassVar[bool] = False
    within: float = 1e-12
    because: str = "rounding, times 1/b where the inverse divides by it"

    def check(self, subject: Subject) -> None:
        equations = subject.equations()
        names = equations.spec.states
        for point in equations.sample(20):
            ahead = dict(zip(names, equations.rhs(point), strict=True))
            back = dict(zip(names, equations.inverse(ahead), strict=True))
            require(differences(back, point), self.within, self.because)
            behind = dict(zip(names, equations.inverse(point), strict=True))
            again = dict(zip(names, equations.rhs(behind), strict=True))
            require(differences(again, point), self.within, self.because)


@dataclass(frozen=True, kw_only=True)
class Holds:
    """Anything else: a function that asserts."""

    RUNS: ClassVar[bool] = True
    test: Callable[[Subject], None]

    def check(self, subject: Subject) -> None:
        self.test(subject)


Answer = Ends | Follows | Keeps | Fires | Cycle | Rests | Shrinks | Inverts | Holds


class Equations:
    """The equations of a built-in model as numbers, at given values of its params."""

    def __init__(self, uri: str, params: Values) -> None:
        self.spec = dynlib.load_model(uri)
        values = dict(zip(self.spec.params, self.spec.param_values, strict=True)) | dict(params)
        assert len(values) == len(self.spec.params), f"unknown params among {sorted(params)}"
        self._fixed: dict[Node, Any] = {p: values[p.name] for p in self.spec.param_nodes}
        self._fixed[Time()] = 0.0

    def _numbers(self, nodes: Sequence[Node], point: Values) -> np.ndarray:
        here = self._fixed | {s: point[s.name] for s in self.spec.state_nodes}
        return np.array([evaluate(node, here) for node in nodes], dtype=float)

    def rhs(self, point: Values) -> np.ndarray:
        return self._numbers(self.spec.equations, point)

    def inverse(self, point: Values) -> np.ndarray:
        assert self.spec.inverse is not None
        return self._numbers(self.spec.inverse, point)

    def jacobian(self, point: Values) -> np.ndarray:
        return np.array([self._numbers(row, point) for row in self.spec.jacobian])

    def sample(self, count: int) -> list[dict[str, float]]:
        """Points in the unit cube, always the same ones."""
        values = np.random.default_rng(7).random((count, len(self.spec.states)))
        return [dict(zip(self.spec.states, map(float, row), strict=True)) for row in values]


def same_eigenvalues(matrix: np.ndarray, want: Sequence[complex], within: float) -> None:
    """Compare as unordered lists, through the characteristic polynomials.

    Multiple eigenvalues are known only to the square root of the rounding error; the polynomial
    is known to the rounding error itself.
    """
    found, wanted = np.poly(matrix), np.poly(np.asarray(want))
    scale = np.maximum(1.0, np.abs(wanted))
    assert np.all(np.abs(found - wanted) <= 10 * within * scale), (
        f"eigenvalues {np.linalg.eigvals(matrix)} instead of {list(want)}"
    )
