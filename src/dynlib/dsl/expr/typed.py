"""Operations on operands of any kind: conversions are put in, as the language has them.

Integers become reals where they meet reals, bools become integers where they are counted.  In a
model with real states, products and powers of integers are reals, as quotients are everywhere:
so a sum over ``1/j**4`` cannot overflow.  In an integer model, integers stay integers and wrap.
"""

from __future__ import annotations

from collections.abc import Sequence

from dynlib.dsl.expr.fold import fits, to_real
from dynlib.dsl.expr.limits import MAX_EXPONENT
from dynlib.dsl.expr.nodes import Node, Num
from dynlib.dsl.expr.ops import OPS, ROUNDING, Kind
from dynlib.dsl.expr.simplify import build

_SMALL_POWER = 32


def coerce(node: Node, kind: Kind) -> Node:
    """Return ``node`` as an expression of this kind.

    A real becomes an int by cutting towards zero, and a number becomes a bool by ``!= 0``.

    Examples
    --------
    >>> coerce(Num(2), "real")
    Num(value=2.0)
    """
    if node.kind == kind:
        return node
    if kind == "real":
        return build("cast_real", node)
    if kind == "int":
        return build("cast_int", node)
    return build("ne", node, Num(0) if node.kind == "int" else Num(0.0))


def whole(node: Node) -> Node:
    """Return ``int(node)`` in a model of reals: a real, NaN where 64 bits do not hold it.

    A literal becomes an int, which may be an exponent or a bound.
    """
    if node.kind != "real":
        return coerce(node, "int")
    if isinstance(node, Num) and abs(node.value) < 2.0**63:
        return Num(int(node.value))
    return build("whole", node)


def apply(op: str, args: Sequence[Node], *, integer: bool = False) -> Node:
    """Return the node for ``op``, its operands converted to the kinds it takes.

    Parameters
    ----------
    op : str
        A key of `OPS`.
    args : sequence of Node
        As many operands as the operation takes.
    integer : bool
        Whether the model's states are integers.

    Examples
    --------
    >>> apply("div", [Num(1), Num(2)])
    Num(value=0.5)
    """
    rule = OPS[op].rule
    if rule == "real":
        return _real(op, args, integer)
    if rule == "logic":
        return build(op, *(coerce(arg, "bool") for arg in args))
    if rule == "power":
        return _power(args[0], args[1], integer)
    if rule == "select":
        kind = _common(args[1:])
        return build(op, coerce(args[0], "bool"), *(coerce(arg, kind) for arg in args[1:]))
    if rule == "compare":
        kind = _common(args)
        return build(op, *(coerce(arg, kind) for arg in args))
    return _arithmetic(op, args, integer)


def _common(args: Sequence[Node]) -> Kind:
    """Return the kind that all of ``args`` can be converted to without loss."""
    kinds = {arg.kind for arg in args}
    if "real" in kinds:
        return "real"
    return "int" if "int" in kinds else "bool"


def _real(op: str, args: Sequence[Node], integer: bool) -> Node:
    if op not in ROUNDING:
        return build(op, *(coerce(arg, "real") for arg in args))
    if args[0].kind != "real":
        return coerce(args[0], "int")
    rounded = build(op, args[0])
    return coerce(rounded, "int") if integer else rounded


def _arithmetic(op: str, args: Sequence[Node], integer: bool) -> Node:
    kind = _common(args)
    if kind != "real":
        values = [int(arg.value) for arg in args if isinstance(arg, Num)]
        if len(values) == len(args) and not integer:
            return _exact(op, args, values)
        if op == "mul" and not integer:
            kind = "real"
    return build(op, *(coerce(arg, "int" if kind == "bool" else kind) for arg in args))


def _exact(op: str, args: Sequence[Node], values: list[int]) -> Node:
    """Return an operation on integer literals; a result beyond 64 bits becomes a real."""
    exact = {"add": lambda a, b: a + b, "sub": lambda a, b: a - b, "mul": lambda a, b: a * b}
    if op in exact and not fits(result := exact[op](*values)):
        return Num(to_real(result))
    return build(op, *(coerce(arg, "int") for arg in args))


def literal_exponent(node: Node) -> int | None:
    """Return the integer that an exponent literally is, if it is one."""
    if not isinstance(node, Num):
        return None
    value = node.value
    if isinstance(value, float):
        whole = abs(value) <= _SMALL_POWER and value.is_integer()
        return int(value) if whole else None
    return int(value)


def _power(base: Node, exponent: Node, integer: bool) -> Node:
    k = literal_exponent(exponent)
    if k is not None and abs(k) > MAX_EXPONENT:
        k = None
    if base.kind != "real" and exponent.kind != "real":
        if integer and (k is None or k >= 0):
            return build("pow", coerce(base, "int"), coerce(exponent, "int"))
        if isinstance(base, Num) and k is not None and k >= 0:
            result = int(base.value) ** k
            return Num(result) if fits(result) else Num(to_real(result))
    base = coerce(base, "real")
    return build("pow", base, coerce(exponent, "real") if k is None else Num(k))
