"""Where tangent vectors start: in general position, and the same in every process."""

from __future__ import annotations

import math

__all__ = ["initial_vectors"]

Vector = tuple[float, ...]


def initial_vectors(n: int, k: int) -> tuple[Vector, ...]:
    """`k` orthonormal vectors of length `n`.

    A whole basis is the axes.  Fewer vectors stand askew to the axes and to every symmetry that a
    model may have, so that none of them lies in an invariant subspace.

    Examples
    --------
    >>> initial_vectors(2, 2)
    ((1.0, 0.0), (0.0, 1.0))
    """
    if k == n:
        return tuple(tuple(float(i == j) for i in range(n)) for j in range(n))
    vectors: list[Vector] = []
    for j in range(k):
        vector = [
            math.cos(1.0 + math.sqrt(2.0) * i + math.sqrt(3.0) * j * (i + 1)) for i in range(n)
        ]
        for other in vectors:
            dot = math.fsum(a * b for a, b in zip(vector, other, strict=True))
            vector = [a - dot * b for a, b in zip(vector, other, strict=True)]
        length = math.sqrt(math.fsum(a * a for a in vector))
        vectors.append(tuple(a / length for a in vector))
    return tuple(vectors)
