"""Jacobians that are not too much work."""

from __future__ import annotations

from collections.abc import Sequence

from dynlib.abi.phases import Phase, phase
from dynlib.dsl.expr import Node, derivation_work, jacobian
from dynlib.dsl.work import LOAD_LIMIT, LOAD_VARIABLE, how_to_raise, limit
from dynlib.errors import TooLargeError

__all__ = ["derived_matrix"]

_MORE = 3  # times the work of loading: it is asked for, by whoever wants a Jacobian


@phase(Phase.DERIVE)
def derived_matrix(
    name: str, exprs: Sequence[Node], wrt: Sequence[Node]
) -> tuple[tuple[Node, ...], ...]:
    """Return the derivative of every expression of the model `name` by every leaf of `wrt`.

    Raises
    ------
    TooLargeError
        There are too many entries, or deriving them is too much work.
    """
    allowed = limit(LOAD_VARIABLE, LOAD_LIMIT)
    work = derivation_work(exprs, wrt)
    if work > _MORE * allowed:
        raise TooLargeError(
            f"{name}: deriving the Jacobian is too much work: {work:,} units; the limit is "
            f"{_MORE * allowed:,}, {_MORE} times that of loading a model. "
            + how_to_raise(LOAD_VARIABLE, 10 * allowed)
        )
    return jacobian(exprs, wrt)
