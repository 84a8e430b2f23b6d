"""What a stepper writes its text for: the equations, and what can be derived from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

from dynlib.dsl.expr import Node, Num, State, Time, differentiate, free_nodes, jvp
from dynlib.dsl.spec import ModelSpec
from dynlib.steppers.text import Scalar, unpack

__all__ = ["DERIVATIVES", "MODEL_ARGS", "Derivative", "Problem"]

MODEL_ARGS = "t, step, u, p, ws, lane"

DERIVATIVES: Mapping[str, str] = {
    "jacobian": "derivatives of the equations by the states",
    "time_derivative": "derivatives of the equations by the time",
}
"""What a stepper may name in `Stepper.needs`: functions that are put beside its text."""

Place = tuple[int, int]


class Derivative:
    """A matrix of derivatives, with its sparsity.

    Parameters
    ----------
    name
        Of the function that evaluates it.
    entries
        Those that are not 0 everywhere, by row and column.
    real
        How numbers are written.
    """

    def __init__(self, name: str, entries: Mapping[Place, Node], real: Scalar) -> None:
        self.name = name
        self.entries = {
            place: entry
            for place, entry in entries.items()
            if not (isinstance(entry, Num) and entry.value == 0)
        }
        self._real = real

    @property
    def along(self) -> bool:
        """Whether it is a change along a vector `v`, which its function takes after `u`."""
        return self.name.endswith("_along")

    @property
    def args(self) -> str:
        """Parameters of its function."""
        return MODEL_ARGS.replace("u, ", "u, v, ") if self.along else MODEL_ARGS

    @property
    def places(self) -> tuple[Place, ...]:
        """Row and column of each entry that is not 0 everywhere."""
        return tuple(self.entries)

    @cached_property
    def changing(self) -> tuple[Place, ...]:
        """Those of them that are no constants: the function gives these, in this order."""
        return tuple(p for p, entry in self.entries.items() if not isinstance(entry, Num))

    def take(self, stem: str, args: str = MODEL_ARGS) -> tuple[list[str], dict[Place, str]]:
        """Lines that evaluate it, and how each entry is written after them.

        Parameters
        ----------
        stem
            Entries go by the names ``stem{row}_{column}``.
        args
            What the function is called with.
        """
        written = {
            place: self._real(float(entry.value))
            if isinstance(entry, Num)
            else f"{stem}{place[0]}_{place[1]}"
            for place, entry in self.entries.items()
        }
        if not self.changing:
            return [], written
        found = [written[place] for place in self.changing]
        return [unpack(found, f"{self.name}({args})")], written


class Problem:
    """What a stepper writes its text for.  Nothing is derived before it is asked for.

    Where tangent vectors go along, the text is that of an extended state: the states of the model,
    and `vectors` vectors after them, whose right-hand side is the Jacobian times each.

    Attributes
    ----------
    states
        States of the model.
    vectors
        Tangent vectors of the extended state; 0: it is the state.
    n
        Components of the state, or extended state, for which the text is.
    real
        How numbers of the model's type are written.
    spec
        The model; None where only the length of the text is asked for.
    positions, momenta
        Indices of the states in a mechanical model; None: the model does not say which they are.
    noise
        Amplitudes of noise; None: there is none.
    """

    def __init__(
        self,
        states: int,
        real: Scalar,
        *,
        spec: ModelSpec | None = None,
        vectors: int = 0,
        settings: Mapping[str, str] | None = None,
        tolerances: int = 0,
    ) -> None:
        self.states = states
        self.real = real
        self.spec = spec
        self.vectors = vectors
        self._settings = dict(settings or {})
        self._tolerances = tolerances
        self.positions: tuple[int, ...] | None = None
        self.momenta: tuple[int, ...] | None = None
        self.noise: tuple[Node, ...] | None = None

    @classmethod
    def of(
        cls,
        spec: ModelSpec,
        real: Scalar | None = None,
        *,
        vectors: int = 0,
        settings: Mapping[str, str] | None = None,
        tolerances: int = 0,
    ) -> Problem:
        """The problem of a model.

        `settings` says how the text reads own options, `tolerances` is the first row of the
        workspace with tolerances.
        """
        return cls(
            len(spec.states),
            real or Scalar(spec.dtype),
            spec=spec,
            vectors=vectors,
            settings=settings,
            tolerances=tolerances,
        )

    @property
    def n(self) -> int:
        """Components of the state, or of the extended state."""
        return self.states * (1 + self.vectors)

    def setting(self, option: str) -> str:
        """How the text reads the value of an option that the stepper declares."""
        return self._settings[option]

    def atol(self, i: int | str) -> str:
        """How the text reads the absolute tolerance of state `i`, a number or a name.

        The stepper declares that it `reads_tolerances`.
        """
        return f"ws[{self._tolerances} + {i}, lane]"

    def rtol(self, i: int | str) -> str:
        """The same for the relative tolerance."""
        return f"ws[{self._tolerances + self.states} + {i}, lane]"

    # -- the equations ------------------------------------------------------------------------

    @property
    def _model(self) -> ModelSpec:
        assert self.spec is not None, "the text of this stepper depends on the model"
        return self.spec

    @property
    def equations(self) -> tuple[Node, ...]:
        """Right-hand sides of the states, as expressions (`dynlib.dsl.expr`)."""
        return self._model.equations

    @property
    def leaves(self) -> tuple[State, ...]:
        """The states as they stand in the equations."""
        return self._model.state_nodes

    @cached_property
    def autonomous(self) -> bool:
        """Whether the equations do not name the time."""
        return Time() not in free_nodes(self.equations)

    @cached_property
    def jacobian(self) -> Derivative:
        """Derivatives of the equations by the states.

        Raises
        ------
        TooLargeError
            There are too many, or deriving them is too much work.
        """
        return self._matrix("jacobian", self._model.jacobian)

    @cached_property
    def time_derivative(self) -> Derivative:
        """Derivatives of the equations by the time: a matrix of one column."""
        return self._matrix("time_derivative", [(each,) for each in self._by_time])

    @cached_property
    def jacobian_along(self) -> Derivative:
        """How the Jacobian changes along a vector `v`, for an extended state."""
        places = self.jacobian.places
        changes = self._along([self.jacobian.entries[place] for place in places])
        return Derivative("jacobian_along", dict(zip(places, changes, strict=True)), self.real)

    @cached_property
    def time_derivative_along(self) -> Derivative:
        """How the derivatives by the time change along a vector `v`: a matrix of one column."""
        changes = self._along(self._by_time)
        return self._matrix("time_derivative_along", [(each,) for each in changes])

    @property
    def direction(self) -> tuple[State, ...]:
        """The components of the vector `v` of the two derivatives along one."""
        return tuple(State(self.states + i, f"v{i}") for i in range(self.states))

    @cached_property
    def _by_time(self) -> tuple[Node, ...]:
        return tuple(differentiate(equation, Time()) for equation in self.equations)

    def _along(self, nodes: Sequence[Node]) -> tuple[Node, ...]:
        return jvp(nodes, self.leaves, self.direction)

    def _matrix(self, name: str, rows: Sequence[Sequence[Node]]) -> Derivative:
        entries = {(i, j): entry for i, row in enumerate(rows) for j, entry in enumerate(row)}
        return Derivative(name, entries, self.real)

    def functions(self, needs: Sequence[str]) -> tuple[Derivative, ...]:
        """The derivatives for which functions are put beside the text of a stepper."""
        wanted = list(needs)
        if self.vectors:
            wanted += [f"{name}_along" for name in needs]
        found: list[Derivative] = [getattr(self, name) for name in wanted]
        return tuple(each for each in found if each.changing)
