"""Small linear systems, solved in straight-line code: factors, with rows exchanged by selection.

For implicit methods, whose matrix is ``W = I - gh J`` with the Jacobian J.  Zeros that show in the
equations are left out.  There is no branch, so lanes of trajectories are solved side by side.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dynlib.steppers.problem import Derivative, Problem
from dynlib.steppers.text import chain, names

__all__ = ["MOST_UNROLLED", "LinearSystem", "too_large"]

MOST_UNROLLED = 32  # rows; the text grows with the cube of them

Place = tuple[int, int]


def too_large(problem: Problem) -> str:
    """Why a problem is too large for such code; ``""`` if it is not."""
    if problem.states <= MOST_UNROLLED:
        return ""
    return (
        f"it solves linear systems of up to {MOST_UNROLLED} states, and the model has "
        f"{problem.states}"
    )


class LinearSystem:
    """Writes the factors of ``I - gh J``, and solutions with them.

    Lines are to be put into one function, one after the other.  The names in them begin with
    ``lu``, but for `singular` and those of the solutions.  The systems of an extended state
    are solved by the same factors: for tangent vectors the Jacobian is that of the states, and
    what the states' part adds to them, by the second derivatives, goes to the right-hand side.

    Parameters
    ----------
    problem
        Whose Jacobian it is; the stepper needs ``"jacobian"``.
    gh
        Name of the factor, in the text a number of the model's type.
    """

    def __init__(self, problem: Problem, gh: str = "gh") -> None:
        self._problem, self._gh = problem, gh
        self._n = problem.states
        self._real = problem.real
        self._factors: dict[Place, str] = {}
        self._exchanges: list[tuple[int, int, str]] = []
        self._changes: list[dict[Place, str]] = []

    # -- the matrix ---------------------------------------------------------------------------

    def evaluate(self, args: str, vectors: Sequence[str] = ()) -> list[str]:
        """Lines that evaluate the Jacobian, and how it changes along each tangent vector.

        Parameters
        ----------
        args
            What the function ``jacobian`` is called with: ``"t, step, x, p, ws, lane"``.
        vectors
            Names of the tangent vectors, tuples.
        """
        lines, self._entries = self._problem.jacobian.take("lu_j", args)
        before, after = args.split(", p, ")
        self._changes = []
        for c, vector in enumerate(vectors):
            along = self._problem.jacobian_along
            taken, entries = along.take(f"lu_j{c}along", f"{before}, {vector}, p, {after}")
            lines += taken
            self._changes.append(entries)
        return lines

    def factor(self) -> list[str]:
        """Lines that leave the factors, and ``singular``: whether there are none."""
        n, one = self._n, self._real(1.0)
        lines, matrix = [], {}
        for i in range(n):
            for j in range(n):
                entry = self._entries.get((i, j))
                if i != j and entry is None:
                    continue
                matrix[i, j] = f"lu{i}_{j}"
                value = one if entry is None else f"fma(-{self._gh}, {entry}, {one})"
                if i != j:
                    value = f"-{self._gh} * {entry}"
                lines.append(f"lu{i}_{j} = {value}")
        self._exchanges = []
        pivots = []
        for k in range(n):
            lines += self._exchange(matrix, k)
            pivots.append(f"lu{k}_{k}")
            if (k, k) not in matrix:
                lines.append(f"lu{k}_{k} = {self._real(0.0)}")
                matrix[k, k] = f"lu{k}_{k}"
            lines += [
                f"lu_regular{k} = (abs_(lu{k}_{k}) > 0.0) & (abs_(lu{k}_{k}) < inf)",
                f"lu_r{k} = {one} / select(lu_regular{k}, lu{k}_{k}, {one})",
            ]
            lines += self._eliminate(matrix, k)
        self._factors = dict(matrix)
        regular = " & ".join(f"lu_regular{k}" for k in range(n))
        return [*lines, f"singular = not_({regular})"]

    def _exchange(self, matrix: dict[Place, str], k: int) -> list[str]:
        """Bring the largest entry of column `k` to the diagonal."""
        lines = []
        zero = self._real(0.0)
        for i in range(k + 1, self._n):
            if (i, k) not in matrix:
                continue
            flag = f"lu_x{k}_{i}"
            pivot = matrix.get((k, k), zero)
            lines.append(f"{flag} = abs_({matrix[i, k]}) > abs_({pivot})")
            self._exchanges.append((k, i, flag))
            for j in range(self._n):  # factors that were left before go along with their rows
                upper, lower = matrix.get((k, j)), matrix.get((i, j))
                if upper is None and lower is None:
                    continue
                a, b = upper or zero, lower or zero
                lines += [
                    f"lu_swap = select({flag}, {b}, {a})",
                    f"lu{i}_{j} = select({flag}, {a}, {b})",
                    f"lu{k}_{j} = lu_swap",
                ]
                matrix[k, j], matrix[i, j] = f"lu{k}_{j}", f"lu{i}_{j}"
        return lines

    def _eliminate(self, matrix: dict[Place, str], k: int) -> list[str]:
        lines = []
        for i in range(k + 1, self._n):
            if (i, k) not in matrix:
                continue
            lines.append(f"lu{i}_{k} = lu{i}_{k} * lu_r{k}")
            for j in range(k + 1, self._n):
                if (k, j) not in matrix:
                    continue
                if (i, j) in matrix:
                    lines.append(f"lu{i}_{j} = fma(-lu{i}_{k}, lu{k}_{j}, lu{i}_{j})")
                else:
                    lines.append(f"lu{i}_{j} = -lu{i}_{k} * lu{k}_{j}")
                    matrix[i, j] = f"lu{i}_{j}"
        return lines

    # -- solutions ----------------------------------------------------------------------------

    def solve(self, right: Sequence[str], stem: str) -> list[str]:
        """Lines that leave the solution in ``stem0, stem1, …``.

        Parameters
        ----------
        right
            The right-hand side: of an extended state, all of its components.
        stem
            Of the names of the solution.
        """
        n = self._n
        lines = self._solved(right[:n], names(stem, n))
        for c in range(self._problem.vectors):
            own = names(stem, self._problem.n)[(1 + c) * n : (2 + c) * n]
            terms: list[list[tuple[str, str]]] = [[] for _ in range(n)]
            for (i, j), entry in self._changes[c].items():
                terms[i].append((entry, f"{stem}{j}"))
            lifted = []
            for i, value in enumerate(right[(1 + c) * n : (2 + c) * n]):
                if terms[i]:
                    before, total = chain(f"lu_q{i}", terms[i])
                    lines += before
                    lifted.append(f"fma({self._gh}, {total}, {value})")
                else:
                    lifted.append(value)
            lines += self._solved(lifted, own)
        return lines

    def _solved(self, right: Sequence[str], found: Sequence[str]) -> list[str]:
        """Lines that solve for one vector."""
        n, matrix = self._n, self._factors
        lines = [f"{name} = {value}" for name, value in zip(found, right, strict=True)]
        for k, i, flag in self._exchanges:
            lines += [
                f"lu_swap = select({flag}, {found[i]}, {found[k]})",
                f"{found[i]} = select({flag}, {found[k]}, {found[i]})",
                f"{found[k]} = lu_swap",
            ]
        for i in range(n):
            for k in range(i):
                if (i, k) in matrix:
                    lines.append(f"{found[i]} = fma(-lu{i}_{k}, {found[k]}, {found[i]})")
        for i in reversed(range(n)):
            for j in range(i + 1, n):
                if (i, j) in matrix:
                    lines.append(f"{found[i]} = fma(-lu{i}_{j}, {found[j]}, {found[i]})")
            lines.append(f"{found[i]} = {found[i]} * lu_r{i}")
        return lines

    # -- the time -----------------------------------------------------------------------------

    def by_time(self, args: str, vectors: Sequence[str] = ()) -> tuple[list[str], list[str]]:
        """Lines that evaluate derivatives by the time, and how each component's is written.

        The stepper needs ``"time_derivative"``.
        """
        problem = self._problem
        before, after = args.split(", p, ")
        lines, written = problem.time_derivative.take("lu_t", args)
        found = [self._column(written, i) for i in range(self._n)]
        for c, vector in enumerate(vectors):
            along: Derivative = problem.time_derivative_along
            taken, written = along.take(f"lu_t{c}along", f"{before}, {vector}, p, {after}")
            lines += taken
            found += [self._column(written, i) for i in range(self._n)]
        return lines, found

    def _column(self, written: Mapping[Place, str], i: int) -> str:
        return written.get((i, 0), self._real(0.0))
