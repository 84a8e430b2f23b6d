"""Random models that are right: names, expressions, events, functions."""

from functools import cache

from hypothesis import strategies as st

from dynlib.dsl.write import to_toml

NUMBERS = st.integers(-9, 9).map(str).map(lambda text: f"({text})") | st.floats(
    0, 1e6, allow_nan=False
).map(repr)
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")) | st.just("\n"))
UNARY = ["-{}", "sin({})", "exp({})", "abs({})", "tanh({})", "floor({})", "relu({})", "({})**2"]
BINARY = [
    "({} + {})",
    "{} - {}",
    "{}*{}",
    "({})/({})",
    "({}) % ({})",
    "max({}, {})",
    "abs({})^0.5 + ({})",
    "2^tanh({}) - ({})",
]
COMPARE = ["({}) > ({})", "({}) <= ({})", "0 < ({}) < ({})", "not ({}) >= ({})"]


@cache
def formulas(names: tuple[str, ...], *calls: str) -> st.SearchStrategy[str]:
    """Draw real expressions of these names and of calls such as ``f({}, {})``."""
    leaves = NUMBERS | st.sampled_from([*names, "pi"])

    def grow(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        one = st.builds(lambda shape, a: shape.format(a), st.sampled_from(UNARY), inner)
        two = st.builds(
            lambda shape, a, b: shape.format(a, b), st.sampled_from([*BINARY, *calls]), inner, inner
        )
        choice = st.builds("({} if {} else {})".format, inner, conditions(inner), inner)
        total = st.builds("sum(({})*j for j in range(1, 4) if j != 2)".format, inner)
        return one | two | choice | total

    return st.recursive(leaves, grow, max_leaves=6)


def conditions(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Draw comparisons of expressions."""
    return st.builds(lambda shape, a, b: shape.format(a, b), st.sampled_from(COMPARE), inner, inner)


@st.composite
def models(draw: st.DrawFn) -> str:
    """Draw the text of a model."""
    states = [f"x{k}" for k in range(draw(st.integers(1, 3)))]
    params = ["a", "b", "t_"][: draw(st.integers(0, 3))]
    plain = (*states, *params, "t", "c")
    numbers = st.floats(-1e3, 1e3) | st.integers(-5, 5)
    body = formulas(("u", "v", *params))
    inner = formulas(plain, "f({}, {})")
    every = formulas((*plain, "w"), "f({}, {})")
    condition = conditions(every) | st.sampled_from([f"cross_up({states[0]}, c)", "w > lag_x0(2)"])
    document = {
        "model": {"type": draw(st.sampled_from(["ode", "map"])), "description": draw(TEXTS)},
        "states": {name: draw(numbers) for name in states},
        "params": {name: draw(numbers) for name in params},
        "constants": {"c": draw(numbers)},
        "functions": {"f": {"args": ["u", "v"], "expr": draw(body)}},
        "aux": {"w": draw(inner)},
        "equations": {"rhs": {name: draw(every) for name in states}},
        "events": {
            name: {
                "cond": draw(condition),
                "phase": draw(st.sampled_from(["start", "end", "both"])),
                "action": f"{draw(st.sampled_from(states + params))} += {draw(every)}",
                "log": [draw(every)],
                **draw(st.sampled_from([{}, {"direction": "either"}, {"locate": False}])),
                "tags": draw(st.lists(TEXTS, max_size=2)),
            }
            for name in draw(st.sampled_from([[], ["e"], ["e", "a b"]]))
        },
        "presets": {"p": {"params": {name: draw(numbers) for name in params[:1]}}},
        "meta": {"note": draw(st.text())},
    }
    return to_toml(document)
