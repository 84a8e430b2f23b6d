"""Small linear systems, solved in straight-line code: factors, with rows exchanged by selection.

For implicit methods, whose matrix is ``W = I - gh J`` with the Jacobian J.  Zeros that show in the
equations are left out.  There is no branch, so lanes of trajectories are solved side by side.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dynlib.steppers.problem import Derivative, Problem
from dynlib.steppers.text import chain, function, group, names, unpack

__all__ = ["CALLED", "MOST_UNROLLED", "LinearSystem", "too_large"]

MOST_UNROLLED = 32  # rows; the text grows with the cube of them
_FACTORS, _SOLUTION = "linear_factors", "linear_solution"
CALLED = tuple(f"{name}{form}" for name in (_FACTORS, _SOLUTION) for form in ("", "_tangent"))
"""Functions of `LinearSystem.functions`, and those for extended states."""

_CALLED_FROM = 10  # rows; of fewer, the code is as short in place

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
    called
        Whether lines may call the functions that `functions` writes once they are written.  It
        keeps the text of a method with many stages short.
    """

    def __init__(self, problem: Problem, gh: str = "gh", *, called: bool = False) -> None:
        self._problem, self._gh = problem, gh
        self._n = problem.states
        self._real = problem.real
        self._called = called and self._n >= _CALLED_FROM
        self._functions: list[str] = []
        self._factors: dict[Place, str] = {}
        self._exchanges: list[list[tuple[int, str]]] = []
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
        self._exchanges = [[] for _ in range(n)]
        for k in range(n):
            lines += self._exchange(matrix, k)
            if (k, k) not in matrix:
                lines.append(f"lu{k}_{k} = {self._real(0.0)}")
                matrix[k, k] = f"lu{k}_{k}"
            size = f"abs_({matrix[k, k]})"
            before = "singular | " if k else ""
            lines += [
                f"lu_irregular = not_(({size} > 0.0) & ({size} < inf))",
                f"lu_r{k} = {one} / select(lu_irregular, {one}, {matrix[k, k]})",
                f"singular = {before}lu_irregular",
            ]
            lines += self._eliminate(matrix, k)
        self._factors = dict(matrix)
        return self._in_functions(lines) if self._called else lines

    def _in_functions(self, lines: list[str]) -> list[str]:
        """Lines that call a function of such lines; solutions are found by another."""
        one, zero, n = self._real(1.0), self._real(0.0), self._n
        flags = [flag for each in self._exchanges for _, flag in each]
        kept = [*self._factors.values(), *(f"lu_r{k}" for k in range(n))]
        kept += [f"{flag}_f" for flag in flags]  # numbers, like the others
        changing = sorted({e for e in self._entries.values() if e.startswith("lu_j")})
        before = [unpack(changing, "entries")] if changing else []
        said = f"select(singular, {one}, {zero})"
        result = f"return {group([*kept, said])}"
        solving = [
            unpack(names("b", n), "right"),
            unpack([*kept, "said"], "factors"),
            *(f"{flag} = {flag}_f != {zero}" for flag in flags),
            *self._solved(names("b", n), names("x", n)),
            f"return {group(names('x', n))}",
        ]
        self._functions = [
            function(_FACTORS, f"{self._gh}, entries", [*before, *lines, result]),
            function(_SOLUTION, "right, factors", solving),
        ]
        entries = group(changing) if changing else "0.0"
        return [
            f"lu_all = {_FACTORS}({self._gh}, {entries})",
            f"singular = lu_all[{len(kept)}] != {zero}",
        ]

    def functions(self) -> list[str]:
        """Texts of the functions that the lines call: to be put beside that with the lines."""
        return self._functions

    def _exchange(self, matrix: dict[Place, str], k: int) -> list[str]:
        """Bring the largest entry of column `k` to the diagonal.

        Factors that were left before stay where they are: solutions exchange as they go along.
        """
        lines = []
        zero = self._real(0.0)
        for i in range(k + 1, self._n):
            if (i, k) not in matrix:
                continue
            flag = f"lu_x{k}_{i}"
            pivot = matrix.get((k, k), zero)
            lines.append(f"{flag} = abs_({matrix[i, k]}) > abs_({pivot})")
            self._exchanges[k].append((i, flag))
            if self._called:
                lines.append(f"{flag}_f = select({flag}, {self._real(1.0)}, {zero})")
            for j in range(k, self._n):
                upper, lower = matrix.get((k, j)), matrix.get((i, j))
                if upper is None and lower is None:
                    continue
                a, b = upper or zero, lower or zero
                # A new name, which needs no copy of what it takes the place of.
                matrix[k, j] = f"lu{k}_{j}from{i}"
                lines.append(f"{matrix[k, j]} = select({flag}, {b}, {a})")
                lines.append(f"lu{i}_{j} = select({flag}, {a}, {b})")
                matrix[i, j] = f"lu{i}_{j}"
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
                    lines.append(f"lu{i}_{j} = fma(-lu{i}_{k}, {matrix[k, j]}, lu{i}_{j})")
                else:
                    lines.append(f"lu{i}_{j} = -lu{i}_{k} * {matrix[k, j]}")
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
        lines = self._found(right[:n], names(stem, n))
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
            lines += self._found(lifted, own)
        return lines

    def _found(self, right: Sequence[str], found: Sequence[str]) -> list[str]:
        """Lines that solve for one vector, or call what does."""
        if not self._called:
            return self._solved(right, found)
        return [unpack(found, f"{_SOLUTION}({group(right)}, lu_all)")]

    def _solved(self, right: Sequence[str], found: Sequence[str]) -> list[str]:
        """Lines that solve for one vector."""
        n, matrix = self._n, self._factors
        lines = [f"{name} = {value}" for name, value in zip(found, right, strict=True)]
        at = list(found)
        for k in range(n):
            for i, flag in self._exchanges[k]:
                lines.append(f"lu_y{k}from{i} = select({flag}, {found[i]}, {at[k]})")
                lines.append(f"{found[i]} = select({flag}, {at[k]}, {found[i]})")
                at[k] = f"lu_y{k}from{i}"
            for i in range(k + 1, n):
                if (i, k) in matrix:
                    value = f"fma(-{matrix[i, k]}, {at[k]}, {found[i]})"
                    lines += [f"{found[i]} = {value}"]
        for i in reversed(range(n)):
            for j in range(i + 1, n):
                if (i, j) in matrix:
                    lines.append(f"{found[i]} = fma(-{matrix[i, j]}, {found[j]}, {at[i]})")
                    at[i] = found[i]
            lines.append(f"{found[i]} = {at[i]} * lu_r{i}")
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
