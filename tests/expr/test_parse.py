"""What is read, what is refused, and where the caret stands."""

import time

import pytest
from expr.strategies import SCOPE, X, texts
from hypothesis import example, given
from hypothesis import strategies as st

from dynlib.dsl.expr import (
    ExprError,
    bind,
    coerce,
    differentiate,
    emit,
    level_function,
    parse_expression,
    to_latex,
    to_text,
)


def bound(text: str):
    return bind(parse_expression(text), SCOPE)


@pytest.mark.parametrize(
    ("text", "brackets"),
    [
        ("x + y*z", "x + (y*z)"),
        ("x - y - z", "(x - y) - z"),
        ("x/y/z", "(x/y)/z"),
        ("x/y*z", "(x/y)*z"),
        ("x**y**z", "x**(y**z)"),
        ("x^y^z", "x**(y**z)"),
        ("-x**2", "-(x**2)"),
        ("2**-x", "2**(-x)"),
        ("2**-x**2", "2**(-(x**2))"),
        ("-x*y", "(-x)*y"),
        ("x*-y", "x*(-y)"),
        ("+x - +y", "x - y"),
        ("--x", "-(-x)"),
        ("x % y * z", "(x % y)*z"),
        ("x // y / z", "(x // y)/z"),
        ("x < y == True", "(x < y) and (y == True)"),
        ("x < y < z", "x < y and y < z"),
        ("not x < y and y < z or z < x", "((not (x < y)) and (y < z)) or (z < x)"),
        ("x < y or y < z and z < x", "(x < y) or ((y < z) and (z < x))"),
        ("not not x < y", "x < y"),
        ("x if y > 0 else y if z > 0 else z", "x if y > 0 else (y if z > 0 else z)"),
        ("x if y > 0 or z > 0 else -y", "x if ((y > 0) or (z > 0)) else (-y)"),
        ("x + y if x > 0 else z", "(x + y) if x > 0 else z"),
        ("math.sin(x) + math.cos(y)", "sin(x) + cos(y)"),
        ("f(x,)", "f(x)"),
        (".5*x + 5.*y + 1e3 + 1E-3*z", "0.5*x + 5.0*y + 1000.0 + 0.001*z"),
        ("1_000*x", "1000*x"),
        ("x\n  + y\t*z\r\n", "x + y*z"),
        ("sum(j for j in range(3))", "sum(j for j in range(0, 3))"),
    ],
)
def test_structure(text: str, brackets: str) -> None:
    assert bound(text) is bound(brackets)


REFUSED = [
    # text, caret, a word of the message
    ("", "", "empty"),
    ("   ", "", "empty"),
    ("x +", "+", "ends too early"),
    ("(x + y", "(", "never closed"),
    ("x*((y + z)", "(", "never closed"),
    ("sin(x", "(", "never closed"),
    ("sum(x for j in range(3)", "(", "never closed"),
    ("x + y)", ")", "never opened"),
    (") + x", ")", "never opened"),
    ("(x]", "]", "subscripts"),
    ("()", "()", "nothing between"),
    ("(x, y)", ",", "arguments"),
    ("3,5*x", ",", "arguments"),
    ("x y", "x y", "operator is missing"),
    ("2x", "2x", "operator is missing"),
    ("2(x)", "2(", "operator is missing"),
    ("(x)(y)", ")(", "operator is missing"),
    ("x = y", "=", "'=='"),
    ("f(u=x)", "=", "'=='"),
    ("(x := 2)", ":=", "':='"),
    ("x && y", "&&", "'&&'"),
    ("x & y", "&", "bit operators"),
    ("~x", "~", "bit operators"),
    ("x << 2", "<<", "bit operators"),
    ("x => y", "=>", "'=>'"),
    ("!x", "!", "'!'"),
    ("x <> y", "<>", "'<>'"),
    ("x ? y", "?", "'?'"),
    ("x.real", "x.real", "attributes"),
    ("np.sin(x)", "np.sin", "attributes"),
    ("(x).real", ".", "'.'"),
    ("x[0]", "[", "subscripts"),
    ("[x, y]", "[", "no lists"),
    ("{x}", "{", "braces"),
    ("'text'", "'", "quotes"),
    ('f"{x}"', 'f"', "quotes"),
    ("b'x'", "b'", "quotes"),
    ("lambda u: u", "lambda", "'lambda'"),
    ("x is y", "is", "'is'"),
    ("await x", "await", "'await'"),
    ("yield", "yield", "'yield'"),
    ("None", "None", "'None'"),
    ("x not in y", "not", "makes no sense"),
    ("x == not y", "not", "brackets"),
    ("*x", "*", "value is missing"),
    ("f(*x)", "*", "needs a value"),
    ("f(**x)", "**", "needs a value"),
    ("f(, x)", ",", "value is missing"),
    ("x if y", "if", "no 'else'"),
    ("x if y > 0 else", "else", "ends too early"),
    ("if x", "if", "value is missing"),
    ("x for j in range(3)", "for", "makes no sense"),
    ("sin(x for j in range(3))", "for", "only stand in sum"),
    ("sum(x)", ")", "needs 'for"),
    ("sum(x for 3 in range(3))", "3", "one name"),
    ("sum(x for sin in range(3))", "sin", "not that of a function"),
    ("sum(x for j of range(3))", "of", "'in'"),
    ("sum(x for j in x)", "x", "range(...)"),
    ("sum(x for j in range(0, 9, 2))", "range(0, 9, 2)", "no step"),
    ("sum(x for j in range())", "range()", "no step"),
    ("sum(x for i in range(2) for j in range(2))", "for", "only one"),
    ("sum(x for i in range(2) if i if i)", "if", "only one"),
    ("x # comment", "#", "comment"),
    ("x; y", ";", "';'"),
    ("x \\\n y", "\\", "has no meaning"),
    ("x\0", "\0", "U+0000"),
    ("x × y", "×", "not part"),
    ("x²", "²", "not part"),
    ("x − y", "−", "not part"),
    ("0x10", "0x10", "decimal"),
    ("1j*x", "1j", "complex"),
    ("007", "007", "begin with 0"),
    ("1__0", "1__0", "not a number"),
    ("1" * 500, "1" * 500, "500 characters"),
    ("x" * 20_001, "x", "20001 characters"),
]


@pytest.mark.parametrize(("text", "caret", "message"), REFUSED)
def test_refusals_point_at_the_place(text: str, caret: str, message: str) -> None:
    with pytest.raises(ExprError) as caught:
        parse_expression(text)
    error = caught.value
    assert text[error.start : error.end] == caret
    assert message in error.message


def test_an_unclosed_bracket_is_named_where_it_was_opened() -> None:
    with pytest.raises(ExprError) as caught:
        parse_expression("x*(y + sin(z)")
    assert (caught.value.start, caught.value.end) == (2, 3)


def test_carets_are_rendered_below_the_line() -> None:
    with pytest.raises(ExprError) as caught:
        parse_expression("x +\n  y z")
    assert caught.value.render("x +\n  y z").splitlines()[:2] == [
        "  y z",
        "  ^^^ an operator is missing between 'y' and 'z'",
    ]


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("x y", "write x*y"),
        ("sin x", "write sin(x)"),
        ("t mod 24", "write t % ..."),
        ("sin^2(x)", "multiply with '*'"),
        ("if(x > 0, 1, 0)", "write 'a if condition else b'"),
    ],
)
def test_what_may_be_meant(text: str, hint: str) -> None:
    with pytest.raises(ExprError) as caught:
        parse_expression(text)
    assert caught.value.hint == hint


HOSTILE = [
    "(" * 20_000,
    "(" * 9_000 + "x" + ")" * 9_000,
    "-" * 20_000,
    "+".join("x" * 9_999),
    "x" + "**x" * 6_000,
    "not " * 5_000 + "x",
    "x if x else " * 1_600 + "x",
    "sin(" * 4_000,
    "sum(" * 4_000,
    "x<" * 9_000 + "x",
    "x and " * 3_000 + "x",
    "9**9**9**9**9",
    "(10**1000)**1000",
    "2**1000**1000",
    "10**999*10**999",
    "f(" * 60 + "x" + ")" * 60,
    "sum(sum(sum(1 for i in range(99999)) for j in range(99999)) for k in range(99999))",
    "sum(" * 40 + "1" + " for j in range(2))" * 40,
    "sum(1 for j in range(10**18))",
    "sum(1 for j in range(1e300))",
    "sum(1 for j in range(0/0))",
    "1e999999999",
    "1" * 399 + "*x",
    "x" * 20_000,
    "_" * 20_000,
    "1." * 10_000,
    "math." * 4_000,
    ",".join("x" * 5_000),
    "max(" + ",".join("x" * 9_000) + ",y)",
    "abs(-" * 90 + "x" + ")" * 90,
]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: text[:12])
def test_hostile_text_is_answered_soon(text: str) -> None:
    start = time.process_time()
    try:
        node = bound(text)
        emit([node, differentiate(node, X)], str)
        to_text(node)
    except ExprError:
        pass
    assert time.process_time() - start < 10.0  # the longest takes one second; blow-ups take hours


def _survives(text: str) -> None:
    """Run everything on ``text``; nothing may be raised but ExprError with a place inside it."""
    try:
        node = bound(text)
    except ExprError as caught:
        for error in caught.errors:
            assert 0 <= error.start <= error.end <= len(text)
            assert error.message
            assert error.render(text)
        return
    emit([node], repr)
    to_text(node)
    to_latex(node)
    if node.kind == "bool":
        level_function(node)
    differentiate(coerce(node, "real"), X)


_WORDS = (
    *("x", "y", "a", "K", "t", "n", "pi", "j", "unknown", "lag_x", "lag_", "math", ".", "sin"),
    *("sum", "prod", "range", "for", "in", "if", "else", "and", "or", "not", "lambda", "True"),
    *("f", "g", "clip", "cross_up", "min", "int", "0", "1", "2", "1e9", "1.5", ".", "(", ")", "("),
    *(")", ",", "+", "-", "*", "/", "//", "%", "**", "^", "<", "<=", "==", "!=", "=", ":=", "["),
    *("]", "'", '"', "\\", "#", "@", "sum(x for j in range(3))", "lag_x(1)", "\n", "²", "é", "\0"),
)


@given(st.text())
@example("²")
@example("x²")
@example("ﬁ")
def test_random_text_gives_an_expression_or_an_error(text: str) -> None:
    _survives(text)


@given(st.lists(st.sampled_from(_WORDS), max_size=25), st.sampled_from(["", " "]))
def test_token_soup_gives_an_expression_or_an_error(words: list[str], glue: str) -> None:
    _survives(glue.join(words))


@given(texts(), st.integers(0, 200), st.sampled_from(_WORDS), st.integers(0, 3))
def test_damaged_expressions_give_an_expression_or_an_error(
    text: str, place: int, word: str, dropped: int
) -> None:
    place %= len(text) + 1
    _survives(text[:place] + word + text[place + dropped :])


def test_names_and_calls_are_listed_with_their_first_place() -> None:
    parsed = parse_expression("a*x + sum(j*b for j in range(0, N) if j < K) + f(x) + lag_y(2)")
    assert parsed.names == {"a": (0, 1), "x": (2, 3), "b": (12, 13), "N": (32, 33), "K": (42, 43)}
    assert list(parsed.calls) == ["sum", "f", "lag_y"]


def test_a_loop_variable_is_only_left_out_inside_its_loop() -> None:
    assert "j" in parse_expression("j + sum(j for j in range(j))").names
    assert "j" not in parse_expression("sum(sum(j + i for i in range(j)) for j in range(3))").names
