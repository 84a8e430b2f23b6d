"""The least that the code of a kernel can be, told before any of it is written.

Writing the text of a huge kernel and translating it takes long too, and what is far beyond the
limit should be refused at once.  So it is worked out from counts: of states, of operations in the
equations, of stages and coefficients of the method, of entries of the Jacobian.  Only what is
written for certain is counted, so nothing is refused that the whole count
(`dynlib.compiler.llvm.translate`) would let pass.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache

from dynlib.compiler.codegen.lane_program import LaneProgram
from dynlib.compiler.codegen.many_events import many_events
from dynlib.compiler.codegen.program import Program
from dynlib.compiler.codegen.tangent_layout import TangentLayout
from dynlib.compiler.length import check_length, check_states, code_limit
from dynlib.compiler.sizes import MANY, SHARE_FROM
from dynlib.dsl.expr.nodes import Apply, Lag, Node, Num, Reduce, postorder
from dynlib.steppers import registry
from dynlib.steppers.base import Stepper
from dynlib.steppers.problem import Problem
from dynlib.steppers.text import Scalar

__all__ = ["check_foreseen", "check_function", "instructions", "least_length"]

_STATE = 15  # instructions of a run loop for each state, besides those of the step
_CARRIED = 20  # more of them where a step can be refused, or slopes are carried along
_CUT = 35  # more of them where steps are cut at events
_LONG_STATE = 5  # of all that for each state where tuples of them are long
_LONG_CARRIED = 12  # more of them where a step can be refused
_LONG_CUT = 5  # more of them where steps are cut
_LONG_CUT_IN_LANES = 50  # the same in lanes, where each state is a value of its own
_LOCATED = 350  # that look for one condition within steps
_MANY_LOCATED = 600  # that look for all of them where they are many
_ONE_OF_MANY = 40  # more for each of them
_EVENT = 35  # of an event that is looked at between steps
_VECTOR = 10  # of each component of an extended state, to fetch and to leave it
_RESULT = 2  # that put one aux where it is wanted
_LOGGED = 10  # the same for a column of a log

_OPERATIONS = {
    **dict.fromkeys(("sin", "cos"), 70),
    "tan": 80,
    **dict.fromkeys(("erf", "erfc"), 100),
    **dict.fromkeys(("exp", "expm1"), 35),
    **dict.fromkeys(("log", "asin", "acos", "atan"), 40),
    **dict.fromkeys(("log1p", "log2", "log10", "atan2", "sinh", "cosh", "tanh"), 48),
    **dict.fromkeys(("asinh", "acosh", "atanh", "cbrt"), 55),
    "hypot": 20,
    **dict.fromkeys(("mod", "floordiv"), 12),
    **dict.fromkeys(("cast_real", "cast_int", "neg", "not", "and", "or"), 0),
}
"""Instructions of an operation that does not take one."""
_PASSED_ON = 2.4  # times as long, where much of what is computed is needed far from there
_LAG = 8  # of a value from the ring of the last ones
_LOOP = 8  # of a sum or product, besides its terms
_POWER = 155  # of a power whose exponent is no whole number


def check_foreseen(program: Program | LaneProgram, *, jit: bool = True) -> None:
    """Refuse a program whose code is bound to be too long.

    Raises
    ------
    TooLargeError
    """
    check_length(least_length(program, jit=jit), code_limit(), whole=False)
    if jit:
        check_states(len(program.spec.states))


def check_function(nodes: Iterable[Node], *, directions: int = 0) -> None:
    """Refuse to write a function of these expressions that is bound to be too long.

    Parameters
    ----------
    nodes
        The expressions.
    directions
        Along how many vectors they are derived.

    Raises
    ------
    TooLargeError
    """
    nodes = list(nodes)
    results = sum(not isinstance(node, Num) for node in nodes)
    length = _with_calls_or_not(lambda called: instructions(nodes, called=called))
    if directions > 1:
        length = int(_PASSED_ON * length)
    check_length(length + results, code_limit(), whole=False)


def least_length(program: Program | LaneProgram, *, jit: bool = True) -> int:
    """Instructions that a compiled runner of a program has at least.

    In plain Python functions are called where compiled code has them in place, so each counts once.
    """
    return _with_calls_or_not(lambda called: _least_length(program, jit=jit, called=called))


def _with_calls_or_not(length: Callable[[bool], int]) -> int:
    """The length, with elementary functions called where so many are hardly put in place.

    Their least length is some three quarters of what `SHARE_FROM` counts.  Near that the length may
    be taken for longer than it is, by a few thousand instructions, far below the limit.
    """
    called = length(True)
    if called > code_limit():
        return called
    in_place = length(False)
    return in_place if in_place - called <= 3 * SHARE_FROM // 4 else called


def _least_length(program: Program | LaneProgram, *, jit: bool, called: bool) -> int:
    copies = 1
    if isinstance(program, LaneProgram):
        # A step of a fixed grid is written where it is taken alone, and where several are.
        copies = 1 if program.stepper.adaptive or not jit else 2
        program = program.program
        long = False
    else:
        long = jit and program.layout.states > MANY
    method = _method(program.stepper)
    length = _besides_steps(program, jit=jit, called=called, long=long)
    if length <= code_limit():
        each = _STATE + method.components
        each += _CARRIED if program.layout.memory or program.stepper.adaptive else 0
        if long and program.spec.dtype == "float64":  # several are one instruction
            each = _LONG_STATE + (_LONG_CARRIED if program.stepper.adaptive else 0)
            each += _LONG_STATE if program.layout.memory else 0
        calls = method.calls if jit and not long else 1
        equations = instructions(program.spec.equations, called=called)
        length += copies * (each * program.layout.states + calls * equations)
    if length <= code_limit() and program.tangents is not None:
        stage = _tangent_stage(program, program.tangents, called=called)
        length += copies * _of_tangents(program.tangents, method, stage, jit=jit)
    return length


def _besides_steps(program: Program, *, jit: bool, called: bool, long: bool) -> int:
    """What looks at steps: events, aux, observers' expressions."""
    layout, spec = program.layout, program.spec
    located = sum(map(layout.located, layout.watched))
    look, cut = _LOCATED * located, _CUT if located else 0
    if jit and located and many_events(layout, program.tangents):
        look = _MANY_LOCATED + _ONE_OF_MANY * located
        if layout.states > MANY:
            cut = _LONG_CUT if long else _LONG_CUT_IN_LANES
    # A condition is in place where the run begins, and where a step is looked at.
    conditions = [[event.cond] for event in layout.watched] * (2 if jit else 1)
    functions = [[aux.expr for aux in spec.aux], *conditions]
    for event in spec.events:
        values = [column.expr for column in event.log]
        functions.append(values + [action.expr for action in event.actions])
    if program.analysis is not None:
        functions += map(list, program.analysis.expressions.values())
    length = (
        look
        + cut * layout.states
        + _EVENT * (len(layout.watched) - located)
        + _LOGGED * sum(len(event.log) for event in spec.events)
        + _RESULT * len(spec.aux)
    )
    for nodes in functions:
        if length > code_limit():
            break  # thousands of events may share thousands of aux
        length += instructions(nodes, called=called)
    return length


def instructions(nodes: Iterable[Node], *, called: bool = False) -> int:
    """Instructions that evaluate these expressions at least once.

    An elementary function that is called is one of them; a product and a sum may be one, too.
    """
    sums = products = others = 0
    for node in postorder(nodes):
        if isinstance(node, Reduce):
            others += _LOOP
        elif isinstance(node, Lag):
            others += _LAG
        elif isinstance(node, Apply):
            if node.op in ("add", "sub"):
                sums += 1
            elif node.op == "mul":
                products += 1
            elif node.op == "pow":
                in_line = called or node.children[1].kind == "int"
                others += 1 if in_line else _POWER
            else:
                length = _OPERATIONS.get(node.op, 1)
                others += min(length, 1) if called else length
    return max(sums, products) + others


def _tangent_stage(program: Program, tangents: TangentLayout, *, called: bool) -> int:
    """A stage of the extended state of a group of vectors, which has the Jacobian in place."""
    entries = [
        entry
        for row in program.spec.jacobian
        for entry in row
        if not isinstance(entry, Num) or entry.value
    ]
    columns = 1 if tangents.in_packs else tangents.size
    evaluated = instructions([*program.spec.equations, *entries], called=called)
    return evaluated + columns * len(entries)


def _of_tangents(tangents: TangentLayout, method: _Method, stage: int, *, jit: bool) -> int:
    """What the extended state of a group of vectors takes."""
    calls = method.tangent_calls if jit else 1
    columns = 1 if tangents.in_packs else tangents.size
    extended = tangents.n * (1 + columns)
    return calls * stage + (_VECTOR + method.tangent_components) * extended


@dataclass(frozen=True)
class _Method:
    """What a stepper writes.

    Attributes
    ----------
    calls, tangent_calls
        Places at which it evaluates the right-hand side of the states, and of an extended state.
    components, tangent_components
        Operations for each component besides.
    """

    calls: int
    components: int
    tangent_calls: int
    tangent_components: int


_STEP = ("attempt", "restart")
_OPERATION = re.compile(r"\b(?:fma|abs_|select)\(| [-+*/] ")


@cache
def _method(stepper: Stepper) -> _Method:
    """Counted in the text for few states, since each further one adds the same to it.

    What a method writes that needs derivatives depends on the model, and what somebody else's
    writes is not known: the least is that it evaluates the right-hand side.
    """
    if stepper.needs or not registry.is_own(stepper):
        return _Method(1, 0, 1, 0)
    problems = (Problem(n, Scalar("float64")) for n in (2, 3))
    smaller, larger = (_functions(stepper.emit(problem)) for problem in problems)
    found = []
    for names in ((*_STEP, "error_norm", "first_step"), _STEP):
        short, long = ("".join(text.get(name, "") for name in names) for text in (smaller, larger))
        calls = len(re.findall(r"\brhs\(", short))
        found += [calls, len(_OPERATION.findall(long)) - len(_OPERATION.findall(short))]
    return _Method(*found)


def _functions(text: str) -> dict[str, str]:
    """The functions of a text by their names."""
    parts = re.split(r"^def (\w+)", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))
