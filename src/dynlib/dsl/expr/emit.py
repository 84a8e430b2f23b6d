"""Write expressions as Python statements.

The statements are straight-line: every subexpression that is needed more than once gets a name,
once; the others are written where they are needed, as long as the line stays readable.  Sums and
products become loops, and what does not change inside a loop is worked out before it.

``a*b + c`` of reals is written ``fma(a, b, c)``, so that the compiler need not (and must not)
decide about it.  What the text calls is listed in `dynlib.abi.primitives`.  No operation in it has
only Python numbers as operands, so plain Python raises where compiled code does not nowhere.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from dynlib.dsl.expr.lower import lower
from dynlib.dsl.expr.nodes import TRUE, Apply, LoopVar, Node, Num, Reduce
from dynlib.dsl.expr.ops import OPS, Kind
from dynlib.dsl.expr.schedule import Schedule, schedule
from dynlib.dsl.expr.work import operations

_WIDTH = 72
_LONG_TURN = 200.0  # operations
_TURNS = 256  # short ones, between two looks at whether to go on

_ATOM, _UNARY, _PRODUCT, _SUM, _AND, _OR, _COMPARE = 10, 7, 6, 5, 4, 3, 2
_STRENGTH = {
    **dict.fromkeys(("mul", "div"), _PRODUCT),
    **dict.fromkeys(("add", "sub"), _SUM),
    **dict.fromkeys(("lt", "le", "gt", "ge", "eq", "ne"), _COMPARE),
    "and": _AND,
    "or": _OR,
}
_SYMBOL = {"mul": "*", "div": "/", "add": " + ", "sub": " - ", "and": " & ", "or": " | "}


@dataclass(frozen=True, slots=True)
class Emitted:
    """Statements and, for each output, the expression that holds it after they have run."""

    lines: list[str]
    results: list[str]


@dataclass(slots=True)
class _Block:
    """The statements of one loop body, or of the whole, and what is known by name in it."""

    indent: str
    lines: list[str] = field(default_factory=list)
    texts: dict[Node, tuple[str, int]] = field(default_factory=dict)  # with operator strength


class _Accumulator(Node):
    """The running value of a sum or product, inside its loop."""

    __slots__ = ("name",)
    name: str

    def __new__(cls, name: str, kind: Kind, uid: int) -> _Accumulator:
        node = object.__new__(cls)
        values = {"name": name, "kind": kind, "children": (), "free": frozenset((uid,))}
        for key, value in {**values, "height": 0}.items():
            object.__setattr__(node, key, value)
        return node


def emit(
    outputs: Sequence[Node],
    leaf: Callable[[Node], str],
    *,
    prefix: str = "v",
    indent: int = 1,
    dtype: str = "float64",
    heed: str = "",
) -> Emitted:
    r"""Return Python statements that compute the outputs.

    Parameters
    ----------
    outputs : sequence of Node
    leaf : callable
        Returns the text (a name, a subscript) of each `State`, `Param`, `Time`, ... node.
    prefix : str
        Names are made of it and a number.
    indent : int
        Steps of four blanks before each line.
    dtype : {"float64", "float32", "int64", "int32"}
        With ``float32`` every real literal is written ``real(0.1)``.
    heed : str
        A condition under which loops end early, with a value that nobody will use.

    Returns
    -------
    Emitted
        The statements, and one expression for each output.  Their length grows linearly with
        the number of nodes.

    Examples
    --------
    >>> from dynlib.dsl.expr import Scope, bind, parse_expression
    >>> node = bind(parse_expression("(x + 1)**2 - exp(x + 1)"), Scope(states=("x",)))
    >>> out = emit([node], lambda leaf: leaf.name)
    >>> print("\n".join(out.lines), out.results)
        v0 = x + 1.0 ['fma(v0, v0, -exp(v0))']
    """
    return _Writer(leaf, prefix, dtype == "float32", heed).write(lower(outputs), indent)


class _Writer:
    def __init__(self, leaf: Callable[[Node], str], prefix: str, single: bool, heed: str) -> None:
        self.leaf, self.prefix, self.single, self.heed = leaf, prefix, single, heed
        self.names = 0
        self.blocks: dict[int, _Block] = {}  # by number of the loop variable; 0 is the whole
        self.loop_names: dict[int, str] = {}
        self.leaves: dict[Node, tuple[str, int]] = {}

    def write(self, outputs: Sequence[Node], indent: int) -> Emitted:
        block = self.blocks[0] = _Block("    " * indent)
        self.fill(block, schedule(outputs, 0))
        return Emitted(block.lines, [self.text(output) for output in outputs])

    def fill(self, block: _Block, plan: Schedule) -> None:
        for node in plan.order:
            if node in plan.fused_products:
                continue
            if isinstance(node, Reduce):
                self.loop(block, node)
                continue
            assert isinstance(node, Apply)
            product = plan.fusions.get(node)
            self.expression(block, node, product)
            if node in plan.named:
                self.give_name(block, node)

    # --- names ---

    def new_name(self) -> str:
        self.names += 1
        return f"{self.prefix}{self.names - 1}"

    def give_name(self, block: _Block, node: Node) -> None:
        name = self.new_name()
        block.lines.append(f"{block.indent}{name} = {block.texts[node][0]}")
        block.texts[node] = (name, _ATOM)

    # --- loops ---

    def loop(self, block: _Block, node: Reduce) -> None:
        uid = node.var.uid
        total, turn = self.new_name(), self.new_name()
        bounds = f"{self.text(node.lower)}, {self.text(node.upper)}"
        inner = self.blocks[uid] = _Block(block.indent + "    ")
        self.loop_names[uid] = turn
        running = _Accumulator(total, node.kind, uid)
        step: Node = Apply("add" if node.op == "sum" else "mul", (running, node.body))
        if node.condition is not TRUE:
            step = Apply("select", (node.condition, step, running))
        self.fill(inner, schedule([step], uid))
        start = int(node.op == "prod")
        first = f"real({start}.0)" if node.kind == "real" else f"integer({start})"
        block.lines += [
            f"{block.indent}{total} = {first}",
            f"{block.indent}for {turn} in range({bounds}):",
            *self.heeding(inner.indent, turn, step),
            *inner.lines,
            f"{inner.indent}{total} = {inner.texts[step][0]}",
        ]
        block.texts[node] = (total, _ATOM)
        del self.blocks[uid]

    def heeding(self, indent: str, turn: str, step: Node) -> list[str]:
        """Lines that leave a loop: looked at in each turn where one takes long."""
        if not self.heed:
            return []
        often = operations([step]) > _LONG_TURN
        due = self.heed if often else f"{turn} % {_TURNS} == 0 and {self.heed}"
        return [f"{indent}if {due}:", f"{indent}    break"]

    # --- expressions ---

    def expression(self, block: _Block, node: Apply, product: Node | None) -> None:
        """Write an operation; operands that make it too long get names first."""
        while True:
            text = self.fused(node, product) if product is not None else self.rendered(node)
            operands = product.children if product is not None else ()
            inline = [
                child
                for child in (*node.children, *operands)
                if child in block.texts and block.texts[child][1] != _ATOM
            ]
            if len(text) <= _WIDTH or not inline:
                break
            self.give_name(block, max(inline, key=lambda child: len(block.texts[child][0])))
        call = product is not None or node.op not in _STRENGTH
        strength = _UNARY if node.op == "neg" else _ATOM - 1
        block.texts[node] = (text, strength if call else _STRENGTH[node.op])

    def fused(self, node: Apply, product: Node) -> str:
        """Return the text of ``a*b + c``, ``a*b - c`` or ``c - a*b``."""
        a, b = product.children
        left, right = node.children
        c = right if product is left else left
        texts = [self.text(a), self.text(b), self.text(c)]
        if node.op == "sub":
            texts[2 if product is left else 0] = self.negative(c if product is left else a)
        return f"fma({', '.join(texts)})"

    def negative(self, node: Node) -> str:
        if isinstance(node, Num):
            return self.literal(Num(-node.value))[0]
        return f"-{self.text(node, _UNARY + 1)}"

    def rendered(self, node: Apply) -> str:
        op, args = node.op, node.children
        if op == "neg":
            return self.negative(args[0])
        if op in _STRENGTH:
            strength = _STRENGTH[op]
            symbol = _SYMBOL.get(op, f" {OPS[op].symbol} ")
            # comparisons side by side would be a chain; all others group from the left
            left = self.text(args[0], strength + (strength == _COMPARE))
            return left + symbol + self.text(args[1], strength + 1)
        if op == "cast_real" and isinstance(args[0], LoopVar):
            return f"real({self.loop_names[args[0].uid]})"
        row = OPS[op]
        name = row.int_call if node.kind == "int" and row.int_call else row.call
        texts = [self.text(arg) for arg in args]
        text = f"{name}({', '.join(texts[:2])})" if row.most is None else ""
        for more in texts[2:]:  # min and max of many
            text = f"{name}({text}, {more})"
        return text if row.most is None else f"{name}({', '.join(texts)})"

    def text(self, node: Node, strength: int = 0) -> str:
        """Return the text of an operand, in brackets if it binds weaker than ``strength``."""
        if node.children:
            text, own = self.blocks[min(node.free, default=0)].texts[node]
        else:
            text, own = self.leaves.get(node) or self.new_leaf(node)
        return text if own >= strength else f"({text})"

    def new_leaf(self, node: Node) -> tuple[str, int]:
        if isinstance(node, Num):
            made = self.literal(node)
        elif isinstance(node, _Accumulator):
            made = (node.name, _ATOM)
        elif isinstance(node, LoopVar):
            return (f"integer({self.loop_names[node.uid]})", _ATOM)
        else:
            made = (self.leaf(node), _ATOM)
        self.leaves[node] = made
        return made

    def literal(self, node: Num) -> tuple[str, int]:
        value = node.value
        text = repr(value)
        if isinstance(value, float) and not math.isfinite(value):
            text = "nan" if math.isnan(value) else text  # inf and -inf stand for themselves
        if self.single and node.kind == "real":
            return (f"real({text})", _ATOM)
        return (text, _UNARY if text.startswith("-") else _ATOM)
