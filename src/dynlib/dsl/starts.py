"""Initial values that follow the parameters: ``x = "2*a"`` under ``[states]``."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynlib.dsl.expr import Node, Param, evaluate, free_nodes


@dataclass(frozen=True)
class StartSpec:
    """An initial value made of parameters: its expression, and the expression as written."""

    expr: Node
    text: str

    @property
    def params(self) -> tuple[Param, ...]:
        """The parameters that it follows."""
        return tuple(leaf for leaf in free_nodes(self.expr) if isinstance(leaf, Param))

    def value(self, p: Sequence[Any]) -> float | int:
        """The value at these parameters, numbers in the order of the parameter vector."""
        value = evaluate(self.expr, {leaf: p[leaf.index] for leaf in self.params})
        return float(value) if self.expr.kind == "real" else int(value)

    def column(self, p: Sequence[Any]) -> float | int | NDArray[Any]:
        """The same where some entries of `p` are vectors, of one number for each run.

        What occurs in many runs is computed once.
        """
        used = [leaf.index for leaf in self.params]
        vectors = [p[index] for index in used if isinstance(p[index], np.ndarray)]
        if not vectors:
            return self.value(p)
        size = max(len(vector) for vector in vectors)
        columns = np.broadcast_arrays(np.empty(size), *(p[index] for index in used))[1:]
        known: dict[tuple[Any, ...], float | int] = {}
        found = []
        for row in zip(*(column.tolist() for column in columns), strict=True):
            key = tuple(map(repr, row))  # tells 0.0 from -0.0, and knows NaN again
            if key not in known:
                values = dict(zip(used, row, strict=True))
                known[key] = self.value([values.get(index) for index in range(len(p))])
            found.append(known[key])
        return np.array(found)
