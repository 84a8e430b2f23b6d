"""Whether a state that went astray, to an infinity or NaN, shows in all states after it."""

from __future__ import annotations

from dynlib.dsl.expr.nodes import Apply, Node, Num, State
from dynlib.dsl.spec import ModelSpec

__all__ = ["leaves_traces"]

# Operations whose result is not finite if one of these operands is not; None: any of them.
_STRICT: dict[str, tuple[int, ...] | None] = {
    **dict.fromkeys(("add", "sub", "mul", "neg", "abs", "sqrt", "log", "sin", "cos", "tan")),
    **dict.fromkeys(("div", "mod"), (0,)),
}


def leaves_traces(spec: ModelSpec) -> bool:
    """Whether a map can never come back from a state that is not finite.

    It cannot if the next value of some state is not finite whenever this one is not, for each
    state.  Then it is enough to look now and then.

    Examples
    --------
    >>> import dynlib
    >>> leaves_traces(dynlib.build("builtin://map/logistic").spec)
    True
    """
    shown: set[int] = set()
    seen: set[Node] = set()
    waiting = list(spec.equations)
    while waiting:
        node = waiting.pop()
        if node in seen:
            continue
        seen.add(node)
        if isinstance(node, State):
            shown.add(node.index)  # where it is not finite, neither is the equation
        elif isinstance(node, Apply):
            waiting += _strict_operands(node)
    return len(shown) == len(spec.states)


def _strict_operands(node: Apply) -> tuple[Node, ...]:
    if node.op == "pow":
        base, power = node.children
        grows = isinstance(power, Num) and power.value > 0
        return (base,) if grows else ()
    if node.op not in _STRICT:
        return ()
    places = _STRICT[node.op]
    return node.children if places is None else tuple(node.children[i] for i in places)
