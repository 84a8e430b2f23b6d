"""What is said about expressions that cannot be bound."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from dynlib.dsl.expr.errors import ExprError
from dynlib.dsl.expr.limits import MAX_EXPONENT, MAX_LAG, MAX_RANGE
from dynlib.dsl.expr.nodes import Node, Num, Param, State
from dynlib.dsl.expr.ops import FUNCTION_NAMES
from dynlib.dsl.expr.scope import Scope
from dynlib.dsl.expr.syntax import Binary, Call, Literal, Loop, Syntax, Word
from dynlib.suggest import did_you_mean

_SHOWN = 12

_OTHER_SPELLINGS = {
    "ln": "log",
    "arcsin": "asin",
    "arccos": "acos",
    "arctan": "atan",
    "arctan2": "atan2",
    "arcsinh": "asinh",
    "arccosh": "acosh",
    "arctanh": "atanh",
    "fabs": "abs",
    "absolute": "abs",
    "sgn": "sign",
    "signum": "sign",
    "maximum": "max",
    "minimum": "min",
    "theta": "heaviside",
    "product": "prod",
    "pow": "x**y",
    "power": "x**y",
    "mod": "x % y",
    "fmod": "x % y",
    "sqr": "x**2",
    "square": "x**2",
    "cot": "1/tan(x)",
    "sec": "1/cos(x)",
    "csc": "1/sin(x)",
    "where": "a if condition else b",
    "select": "a if condition else b",
    "piecewise": "a if condition else b",
    "ifelse": "a if condition else b",
    "pulse": "1 if start <= t < end else 0",
}


_NOT_YET = {
    "delay": "delay equations are not supported yet; lag_x(k) is the state x k steps back",
    **dict.fromkeys(
        ("normal", "gauss", "uniform", "random", "rand", "randn", "noise", "wiener"),
        "stochastic models are not supported yet; average a batch over random parameters or starts",
    ),
}
"""What other programs know and this language does not, and what there is."""


def _known(names: Collection[str]) -> str:
    """Return the sentence that lists what there is."""
    shown = ", ".join(list(names)[:_SHOWN])
    return f"known: {shown}{', ...' if len(names) > _SHOWN else '.'}" if names else ""


def unknown_name(word: Word, scope: Scope, table: Mapping[str, Node]) -> ExprError:
    """Return the error about a name that is no value."""
    name = word.name
    if scope.kind == "numeric" and (error := _not_yet_a_number(word, scope)) is not None:
        return error
    if name in FUNCTION_NAMES or name in scope.functions:
        return ExprError(f"{name!r} is a function", word.start, word.end, f"call it: {name}(...)")
    if name.startswith("lag_") and name[4:] in scope.state_index:
        return ExprError(f"{name!r} is a function", word.start, word.end, f"call it: {name}()")
    if name in _NOT_YET:
        return ExprError(f"unknown name {name!r}", word.start, word.end, _NOT_YET[name])
    known = list(_declared(scope, table))
    near = [*known, *table] if len(name) > 1 else known  # 'i' is no slip for 'pi'
    guess = did_you_mean(name, near)
    if not guess and name in ("time", "Time", "T"):
        guess = " The time is t."
    return ExprError(
        f"unknown name {name!r}", word.start, word.end, (_known(known) + guess).strip()
    )


def _declared(scope: Scope, table: Mapping[str, Node]) -> list[str]:
    """Return the names that the model declares, and what arguments are called."""
    if scope.kind == "numeric":
        return [name for name in table if name not in ("pi", "e")] + ["pi", "e"]
    own = [name for name in table if name not in ("pi", "e", "t", "n") or _is_declared(name, scope)]
    order = {name: i for i, name in enumerate([*scope.states, *scope.params])}
    return sorted(own, key=lambda name: order.get(name, len(order)))


def _is_declared(name: str, scope: Scope) -> bool:
    return any(name in names for names in (scope.states, scope.params, scope.constants, scope.aux))


def _not_yet_a_number(word: Word, scope: Scope) -> ExprError | None:
    """Return the error about a name that is known, but has no value at loading time."""
    name = word.name
    what = ""
    if name in scope.states:
        what = "a state"
    elif name in scope.params:
        what = "a parameter"
    elif name in scope.aux:
        what = "an aux variable"
    elif name == "t":
        what = "the time"
    if not what:
        return None
    params = "parameters, " if scope.names else ""
    return ExprError(
        f"{name!r} is {what}; a number is needed here",
        word.start,
        word.end,
        f"only numbers, {params}[constants] declared earlier, pi and e may be used",
    )


def unknown_function(call: Call, scope: Scope, table: Mapping[str, Node]) -> ExprError:
    """Return the error about a call of what is no function."""
    name, start, end = call.name, call.start, call.name_end
    if name in table or name in scope.states or name in scope.params:
        found = table.get(name)
        what = "a state" if isinstance(found, State) else "a value"
        what = "a parameter" if isinstance(found, Param) else what
        return ExprError(
            f"{name!r} is {what}, not a function", start, end, f"to multiply, write {name}*(...)"
        )
    if name == "range":
        return ExprError(
            "'range' only stands in sum(...) and prod(...)",
            start,
            end,
            "write sum(expression for j in range(a, b))",
        )
    if name in ("sum", "prod"):
        hint = f"write {name}(expression for j in range(a, b))"
        return ExprError(f"{name}() needs 'for j in range(a, b)'", start, end, hint)
    if name in _NOT_YET:
        return ExprError(f"unknown function {name!r}", start, end, _NOT_YET[name])
    if name in _OTHER_SPELLINGS:
        return ExprError(
            f"unknown function {name!r}", start, end, f"write {_OTHER_SPELLINGS[name]}"
        )
    known = {*FUNCTION_NAMES, *scope.functions}
    hint = did_you_mean(name, known).strip()
    if not hint and scope.functions:
        hint = _known(list(scope.functions))
    return ExprError(f"unknown function {name!r}", start, end, hint)


def argument_count(call: Call, least: int, most: int | None) -> ExprError | None:
    """Return the error about a call with too few or too many arguments, if it is one."""
    count = len(call.args)
    if count >= least and (most is None or count <= most):
        return None
    plural = "" if least == 1 else "s"
    needed = f"{least} argument{plural}" if most is not None else f"at least {least} arguments"
    hint = ""
    if call.name == "log" and count == 2:
        hint = "the logarithm to base b is log(x)/log(b)"
    elif call.name == "round" and count == 2:
        hint = "to round to two digits, write round(100*x)/100"
    return ExprError(f"{call.name}() takes {needed}, not {count}", call.start, call.end, hint)


def recursion(call: Call, path: Sequence[str]) -> ExprError:
    """Return the error about functions that call each other in a circle, or too deeply."""
    if call.name in path:
        circle = " -> ".join([*path[path.index(call.name) :], call.name])
        return ExprError(
            f"function {call.name!r} calls itself: {circle}",
            call.start,
            call.name_end,
            "functions are inlined, so they cannot be recursive",
        )
    return ExprError(
        f"functions call functions more than {len(path)} deep", call.start, call.name_end
    )


def large_exponent(piece: Binary) -> ExprError:
    """Return the error about a literal exponent that nobody means."""
    return ExprError(
        f"the exponent is beyond {MAX_EXPONENT}",
        piece.right.start,
        piece.right.end,
        "for large powers write exp(k*log(x))",
    )


def large_number(piece: Literal) -> ExprError:
    """Return the error about a whole number in a model of integers that none of them holds."""
    return ExprError(
        "the number does not fit into int64",
        piece.start,
        piece.end,
        "whole numbers here are at most 9223372036854775807",
    )


def zero_divisor(piece: Binary) -> ExprError:
    """Return the error about the quotient of a whole number and zero."""
    return ExprError("a whole number is divided by zero", piece.start, piece.end)


def fraction_in_range(piece: Syntax, value: float) -> ExprError:
    """Return the error about a bound of a range that is no whole number."""
    return ExprError(
        f"range takes whole numbers, not {value!r}",
        piece.start,
        piece.end,
        "round it with floor(...) or ceil(...)",
    )


def edge_forbidden(call: Call) -> ExprError:
    """Return the error about an edge where there is no step to examine."""
    return ExprError(
        f"{call.name}() is only known in events, aux and stop conditions",
        call.start,
        call.name_end,
    )


def bad_lag(
    call: Call, args: Sequence[Node], scope: Scope, table: Mapping[str, Node]
) -> ExprError | None:
    """Return the error about a lag that cannot be bound, if it cannot."""
    name, state = call.name, call.name.removeprefix("lag_")
    start, end = call.start, call.name_end
    if state not in scope.state_index:
        kind = "not a state; only states have lags" if state in table else "no known state"
        hint = did_you_mean(name, [*(f"lag_{each}" for each in scope.states), *FUNCTION_NAMES])
        return ExprError(f"{name}(): {state!r} is {kind}", start, end, hint.strip())
    if not scope.lags:
        return ExprError(f"{name}() has no meaning here: there are no earlier steps", start, end)
    if len(args) > 1:
        return argument_count(call, 1, 1)
    if not args:
        return None
    k = args[0]
    if isinstance(k, Num) and isinstance(k.value, int) and 1 <= k.value <= MAX_LAG:
        return None
    found = f", not {k.value}" if isinstance(k, Num) else ""
    hint = f"write {name}() for one step back"
    if isinstance(k, Num) and k.value == 0:
        hint = f"the current value is {state} itself"
    elif not isinstance(k, Num):
        hint = "the number of steps must be written as a number"
    return ExprError(
        f"{name}(k) takes a whole number from 1 to {MAX_LAG}{found}",
        call.args[0].start,
        call.args[0].end,
        hint,
    )


def long_range(piece: Loop, turns: int) -> ExprError:
    """Return the error about a loop that is too long."""
    first = piece.lower or piece.upper
    return ExprError(
        f"this range has {turns} members; at most {MAX_RANGE} are allowed",
        first.start,
        piece.upper.end,
    )
