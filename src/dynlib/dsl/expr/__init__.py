"""The small typed expression tree: the language of the formulas in a model.

How a formula becomes code::

    parsed = parse_expression("sigma*(y - x)")       # Parsed: .root, .text, .names, .calls
    scope = Scope(kind="ode", states=("x", "y"), params=("sigma",))
    node = coerce(bind(parsed, scope), "real")       # names resolved, functions inlined

`parse_expression(text)`
    reads Python's expression syntax with ``^`` for ``**``.  `Parsed.names` and `Parsed.calls` tell
    which names and functions the text uses (for dependencies between aux, say).
`Scope(kind, states, params, constants, functions, aux, integer, lags, edges, poisoned, names)`
    says what the names mean: ``kind`` is ``"ode"``, ``"map"`` or ``"numeric"`` (then only
    constants, pi and e); ``functions`` maps names to `Function(args, body)` with a parsed body;
    ``aux`` maps names to *bound* nodes, so aux are bound in order of dependency; ``integer`` tells
    models of integers; ``lags`` and ``edges`` allow ``lag_x(k)`` and ``cross_up(x, c)`` with its
    kin; ``poisoned`` are names whose own definition is broken, to be passed over in silence.
`bind(parsed, scope)`
    returns a `Node` of the right `kind` ("real", "int" or "bool"); `coerce(node, kind)` converts.
`check_function(function, scope)`
    complains about the body of a function, whether it is called or not.
`simplify`, `substitute`, `free_nodes`, `evaluate`, `evaluate_all`
    rebuild a node, put others in its place, list its leaves, work out its value.
`differentiate`, `jacobian`, `jvp`
    return derivatives as nodes (`derivation_work` counts what that takes); `level_function` a
    real function whose sign tells a condition.
`emit(outputs, leaf)`
    writes nodes as Python statements; what these call is in `dynlib.abi.primitives`.
`to_text`, `to_latex`
    write a node for people.
`ExprError`
    is the only error: ``message``, ``start``, ``end`` (offsets into the text), ``hint``, and
    ``errors``, which lists all problems of the expression (itself first).
`operations(nodes)`
    counts how many operations it takes to evaluate nodes.
`RESERVED_NAMES`, `FUNCTION_NAMES`
    are the words that a model cannot declare.
"""

from dynlib.dsl.expr.bind import bind, check_function
from dynlib.dsl.expr.differentiate import derivation_work, differentiate, jacobian, jvp
from dynlib.dsl.expr.emit import Emitted, emit
from dynlib.dsl.expr.errors import ExprError
from dynlib.dsl.expr.evaluate import evaluate, evaluate_all
from dynlib.dsl.expr.flat import flatten
from dynlib.dsl.expr.latex import latex_name, to_latex
from dynlib.dsl.expr.level import level_function
from dynlib.dsl.expr.nodes import (
    Apply,
    Iteration,
    Lag,
    LoopVar,
    Name,
    Node,
    Num,
    Param,
    Previous,
    PreviousTime,
    Reduce,
    State,
    Time,
    postorder,
)
from dynlib.dsl.expr.ops import FUNCTION_NAMES, OPS, RESERVED_NAMES, Kind
from dynlib.dsl.expr.parse import parse_expression
from dynlib.dsl.expr.scope import Function, Scope
from dynlib.dsl.expr.simplify import build
from dynlib.dsl.expr.substitute import free_nodes, simplify, substitute
from dynlib.dsl.expr.syntax import Parsed
from dynlib.dsl.expr.text import to_text
from dynlib.dsl.expr.typed import apply, coerce
from dynlib.dsl.expr.work import operations

__all__ = [
    "FUNCTION_NAMES",
    "OPS",
    "RESERVED_NAMES",
    "Apply",
    "Emitted",
    "ExprError",
    "Function",
    "Iteration",
    "Kind",
    "Lag",
    "LoopVar",
    "Name",
    "Node",
    "Num",
    "Param",
    "Parsed",
    "Previous",
    "PreviousTime",
    "Reduce",
    "Scope",
    "State",
    "Time",
    "apply",
    "bind",
    "build",
    "check_function",
    "coerce",
    "derivation_work",
    "differentiate",
    "emit",
    "evaluate",
    "evaluate_all",
    "flatten",
    "free_nodes",
    "jacobian",
    "jvp",
    "latex_name",
    "level_function",
    "operations",
    "parse_expression",
    "postorder",
    "simplify",
    "substitute",
    "to_latex",
    "to_text",
]
