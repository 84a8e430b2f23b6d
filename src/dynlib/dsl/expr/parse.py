"""Read an expression: a precedence climber over the tokens.

Precedences are those of Python.  Depth is bounded by `MAX_DEPTH`, and costs nothing of Python's
own stack (see `recursion`); chains of operators and of conditionals, which may be long, are loops.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from dynlib.dsl.expr.errors import ExprError
from dynlib.dsl.expr.limits import MAX_DEPTH, MAX_NESTING
from dynlib.dsl.expr.ops import FOREIGN_WORDS, FUNCTION_NAMES, REDUCTIONS, RESERVED_NAMES
from dynlib.dsl.expr.recursion import trampoline
from dynlib.dsl.expr.syntax import (
    Binary,
    Call,
    Comparison,
    Conditional,
    Literal,
    Loop,
    Parsed,
    Syntax,
    Unary,
    Word,
)
from dynlib.dsl.expr.tokens import Token, tokenize

_TERNARY, _OR, _AND, _NOT, _COMPARE, _SUM, _PRODUCT, _SIGN, _POWER = range(1, 10)

_BINARY = {
    "or": ("or", _OR),
    "and": ("and", _AND),
    "+": ("add", _SUM),
    "-": ("sub", _SUM),
    "*": ("mul", _PRODUCT),
    "/": ("div", _PRODUCT),
    "//": ("floordiv", _PRODUCT),
    "%": ("mod", _PRODUCT),
    "**": ("pow", _POWER),
    "^": ("pow", _POWER),
}
_COMPARISONS = {"<": "lt", "<=": "le", ">": "gt", ">=": "ge", "==": "eq", "!=": "ne"}
_STRENGTH = {
    "if": _TERNARY,
    **{symbol: strength for symbol, (_, strength) in _BINARY.items()},
    **dict.fromkeys(_COMPARISONS, _COMPARE),
}
_ENDERS = {"else", "for", "in"}
_NO_VALUES = {*_STRENGTH, *_ENDERS, *FOREIGN_WORDS, "not", "True", "False"}

Task = Generator[Any, Any, Any]


def parse_expression(text: str) -> Parsed:
    """Parse an expression of the model language.

    Parameters
    ----------
    text : str
        At most 20,000 characters, brackets at most 100 deep.  ``^`` means ``**``.

    Returns
    -------
    Parsed

    Raises
    ------
    ExprError
        With the place of the first mistake as offsets into ``text``.

    Examples
    --------
    >>> sorted(parse_expression("sigma*(y - x)").names)
    ['sigma', 'x', 'y']
    """
    return Parsed(text, _Parser(tokenize(text)).whole())


class _Parser:
    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.place = 0
        self.open: list[Token] = []
        self.depth = 0

    @property
    def next(self) -> Token:
        return self.tokens[self.place]

    def take(self) -> Token:
        self.place += 1
        return self.tokens[self.place - 1]

    def at(self, text: str) -> bool:
        return self.next.text == text and self.next.kind != "number"

    def whole(self) -> Syntax:
        if self.next.kind == "end":
            raise ExprError("the expression is empty", 0, self.next.end)
        root: Syntax = trampoline(self.expression(0))
        if self.next.kind != "end":
            raise self.misfit()
        return root

    def expression(self, strength: int) -> Task:
        """Read operands and the operators between them that bind tighter than ``strength``."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.too_deep(self.next)
        left = self.plain() or (yield self.operand(strength))
        while (power := _STRENGTH.get(self.next.text, 0)) > strength:
            if power == _TERNARY:
                left = yield self.conditional(left)
            elif power == _COMPARE:
                left = yield self.comparison(left)
            else:
                op, _ = _BINARY[self.take().text]
                # a**b**c is a**(b**c); all others group from the left
                least = power - 1 if power == _POWER else power
                right = self.lone(least) or (yield self.expression(least))
                left = Binary(left.start, right.end, op, left, right)
        self.depth -= 1
        return left

    def conditional(self, first: Syntax) -> Task:
        """Read ``if test else no``, and all that follow in the place of ``no``."""
        chain: list[tuple[Syntax, Syntax]] = []
        no = first
        while self.at("if"):
            word = self.take()
            test = yield self.expression(_TERNARY)
            if not self.at("else"):
                if self.next.kind != "end" and not self.at(")") and not self.at(","):
                    raise self.misfit()
                raise ExprError(
                    "this 'if' has no 'else'", word.start, word.end, "write 'a if condition else b'"
                )
            self.take()
            chain.append((no, test))
            no = yield self.expression(_TERNARY)
        for yes, test in reversed(chain):
            no = Conditional(yes.start, no.end, yes, test, no)
        return no

    def comparison(self, first: Syntax) -> Task:
        ops, operands = [], [first]
        while self.next.text in _COMPARISONS:
            ops.append(_COMPARISONS[self.take().text])
            operands.append((yield self.expression(_COMPARE)))
        return Comparison(first.start, operands[-1].end, ops, operands)

    def plain(self) -> Syntax | None:
        """Read a number or a name, if nothing else begins here."""
        token = self.next
        if token.kind == "number":
            return self.number()
        if token.kind != "name" or token.text in _NO_VALUES:
            return None
        if self.tokens[self.place + 1].text == "(":
            return None
        self.take()
        return Word(token.start, token.end, token.text)

    def lone(self, strength: int) -> Syntax | None:
        """Read a number or a name, if it is all that stands before a weaker operator."""
        token = self.next
        if token.kind not in ("number", "name"):
            return None
        following = self.tokens[self.place + 1].text
        return None if _STRENGTH.get(following, 0) > strength else self.plain()

    def operand(self, strength: int) -> Task:
        token = self.next
        if token.kind == "name":
            return (yield self.named(strength))
        if token.text == "(":
            return (yield self.bracketed())
        if token.text in ("-", "+"):
            self.take()
            inner = yield self.expression(_SIGN)
            op = "neg" if token.text == "-" else "pos"
            return Unary(token.start, inner.end, op, inner)
        raise self.missing()

    def number(self) -> Syntax:
        token = self.take()
        whole = token.text.isdigit()
        return Literal(token.start, token.end, int(token.text) if whole else float(token.text))

    def named(self, strength: int) -> Task:
        token = self.next
        if token.text == "not":
            if strength >= _COMPARE:
                raise ExprError(
                    "'not' needs brackets here", token.start, token.end, "write (not ...)"
                )
            self.take()
            inner = yield self.expression(_NOT - 1)
            return Unary(token.start, inner.end, "not", inner)
        if token.text in ("True", "False"):
            self.take()
            return Literal(token.start, token.end, token.text == "True")
        if token.text in _STRENGTH or token.text in _ENDERS:
            raise self.missing()
        if token.text in FOREIGN_WORDS:
            raise self.foreign(token)
        self.take()
        return (yield self.call(token))

    def bracketed(self) -> Task:
        opening = self.enter()
        if self.at(")"):
            raise ExprError("there is nothing between these brackets", opening.start, self.next.end)
        inner = yield self.expression(0)
        if self.at(","):
            raise ExprError(
                "',' may only stand between the arguments of a function",
                self.next.start,
                self.next.end,
                "a decimal point is written '.'",
            )
        self.leave()
        return inner

    def call(self, name: Token) -> Task:
        self.enter()
        if name.text in REDUCTIONS and not self.at(")"):
            return (yield self.loop(name))
        args = []
        while not self.at(")"):
            args.append((yield self.expression(0)))
            if self.at("for"):
                raise ExprError(
                    f"'for' may only stand in sum(...) and prod(...), not in {name.text}(...)",
                    self.next.start,
                    self.next.end,
                )
            if not self.at(","):
                break
            self.take()
        return Call(name.start, self.leave(), name.text, args, name.end)

    def loop(self, name: Token) -> Task:
        """Read ``body for var in range(lower, upper) if where)``."""
        form = f"write {name.text}(expression for j in range(a, b))"
        body = yield self.expression(0)
        if not self.at("for"):
            raise self.unless_ended(f"{name.text}() needs 'for j in range(a, b)'", form)
        self.take()
        var = self.take() if self.next.kind == "name" else self.next
        if var.kind != "name" or var.text in RESERVED_NAMES:
            what = "a loop variable is one name, not that of a function"
            raise ExprError(what, var.start, var.end, form)
        if not self.at("in"):
            raise self.unless_ended("'in' is missing after the loop variable", form)
        self.take()
        if not self.at("range"):
            raise self.unless_ended(f"{name.text}() runs over a range(...)", form)
        lower, upper = yield self.range(form)
        where = None
        if self.at("if"):
            self.take()
            where = yield self.expression(_TERNARY)
        if self.at("for") or self.at("if"):
            again = self.next
            hint = f"put one {name.text}(...) into the other, or join conditions with 'and'"
            raise ExprError(f"only one '{again.text}' here", again.start, again.end, hint)
        word = Word(var.start, var.end, var.text)
        return Loop(name.start, self.leave(), name.text, word, lower, upper, body, where)

    def range(self, form: str) -> Task:
        word = self.take()
        if not self.at("("):
            raise self.unless_ended("'range' needs brackets", form)
        bounds = yield self.call(word)
        if not isinstance(bounds, Call) or len(bounds.args) not in (1, 2):
            raise ExprError(
                "range takes a first and a last-plus-one number, and no step",
                bounds.start,
                bounds.end,
                f"{form}; for every second j, write 2*j",
            )
        *lower, upper = bounds.args
        return (lower[0] if lower else None), upper

    # --- brackets ---

    def enter(self) -> Token:
        opening = self.take()
        self.open.append(opening)
        if len(self.open) > MAX_NESTING:
            raise self.too_deep(opening)
        return opening

    def leave(self) -> int:
        if not self.at(")"):
            raise self.misfit()
        self.open.pop()
        return self.take().end

    # --- error messages ---

    def too_deep(self, token: Token) -> ExprError:
        return ExprError(
            f"nested too deeply: brackets may be {MAX_NESTING} deep",
            token.start,
            token.end,
            "split the expression with [aux] or [functions]",
        )

    def unclosed(self) -> ExprError:
        opening = self.open[-1]
        return ExprError("this '(' is never closed", opening.start, opening.end, "add ')'")

    def unless_ended(self, message: str, hint: str) -> ExprError:
        """Return the error, or that a bracket is open if the text ends here."""
        if self.next.kind == "end":
            return self.unclosed()
        return ExprError(message, self.next.start, self.next.end, hint)

    def foreign(self, token: Token) -> ExprError:
        return ExprError(f"{token.text!r} is not part of the language", token.start, token.end)

    def missing(self) -> ExprError:
        """Return the error about a place where a value should stand."""
        token = self.next
        before = self.tokens[self.place - 1] if self.place else None
        after = f" after {before.text!r}" if before else ""
        if token.kind == "end":
            if before is not None and before.text not in ("(", ","):
                message = f"the expression ends too early: a value is missing{after}"
                return ExprError(message, before.start, before.end)
            return self.unclosed()
        if token.text == ")" and not self.open:
            return ExprError("this ')' was never opened", token.start, token.end)
        if token.text in ("*", "**") and before is not None and before.text in ("(", ","):
            return ExprError(f"{token.text!r} needs a value before it", token.start, token.end)
        message = f"a value is missing{after}" if before else "a value is missing"
        hint = "write 'a if condition else b'" if token.text == "if" else ""
        return ExprError(f"{message}, before {token.text!r}", token.start, token.end, hint)

    def misfit(self) -> ExprError:
        """Return the error about a token that cannot follow what was read."""
        token, before = self.next, self.tokens[self.place - 1]
        if token.kind == "end":
            return self.unclosed()
        if token.text == ")":
            return ExprError("this ')' was never opened", token.start, token.end, "remove it")
        if token.text == ",":
            hint = "a decimal point is written '.'"
            return ExprError("',' may only stand between arguments", token.start, token.end, hint)
        if token.text in FOREIGN_WORDS:
            return self.foreign(token)
        if token.text in ("not", "else", "for", "in"):
            return ExprError(f"{token.text!r} makes no sense here", token.start, token.end)
        return ExprError(
            f"an operator is missing between {before.text!r} and {token.text!r}",
            before.start,
            token.end,
            _between(before.text, token.text),
        )


def _between(before: str, after: str) -> str:
    """Return what may be meant by two values side by side."""
    if after == "(":
        return "multiply with '*'"
    if after in ("mod", "rem"):
        return f"write {before} % ..."
    return f"write {before}({after})" if before in FUNCTION_NAMES else f"write {before}*{after}"
