"""Whatever is loaded, the outcome is a model or one of our errors, and it comes soon."""

import random
import string
import tomllib
from contextlib import suppress

import pytest
from dsl.documents import COLLATZ, HENON, PENDULUM, ode, survives
from dsl.generated import models
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dynlib import setup
from dynlib.compiler.codegen.runner_variants import RunnerVariant, module_of
from dynlib.compiler.llvm.translate import translate
from dynlib.dsl import ModelSpec, list_models, load_model
from dynlib.dsl.paths import BUILTIN_FOLDER
from dynlib.errors import DynlibError, ModelLoadError

SOURCES = [PENDULUM, COLLATZ, HENON] + [
    (BUILTIN_FOLDER / f"{name}.toml").read_text(encoding="utf-8") for name in list_models()
]
SCRAPS = [
    *"[]{}()=,.#\"'\\\n\r\t +-*/%^<>!&|~@:;?$`_0189eEnNxt\x00\x7f\xa0é−²∞",
    '"""', "'''", "[[", "]]", "[model]", "[states]", "[equations.rhs]", "[mod]", "[mods.a.add]",
    "type", "dtype", "nan", "inf", "true", "1e999", "1979-05-27", "\\u0041", "\\ud800", "= 1",
    "lag_x(", "sum(x for j in range(", "if", "else", "lambda", "cross_up(", "x.y", "9" * 5000,
    "  = ", "\n[", "]\n", "names = [", "a.b.c = {", "- -", "**", "//", "\r\n", "#! dynlib",
]  # fmt: skip

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=10,
)
WORDS = [
    "model",
    "type",
    "ode",
    "map",
    "name",
    "dtype",
    "int64",
    "float32",
    "states",
    "params",
    "constants",
    "equations",
    "rhs",
    "expr",
    "inverse",
    "jacobian",
    "aux",
    "functions",
    "f",
    "args",
    "events",
    "e",
    "cond",
    "phase",
    "action",
    "log",
    "tags",
    "locate",
    "direction",
    "sim",
    "t0",
    "t_end",
    "n_end",
    "dt",
    "stepper",
    "record",
    "atol",
    "rtol",
    "max_steps",
    "stop",
    "presets",
    "p",
    "mods",
    "mod",
    "m",
    "remove",
    "replace",
    "add",
    "set",
    "group",
    "exclusive",
    "names",
    "meta",
    "x",
    "y",
    "a",
    "t",
    "n",
    "pi",
]
KEYS = st.sampled_from(WORDS) | st.text(max_size=4)
FORMULAS = st.sampled_from(["x", "-x", "a*x", "x > 1", "f(x)", "1", "x = 1", "dx = -x", "lag_x(2)"])
LIKELY = st.recursive(
    FORMULAS | st.integers(-2, 2) | st.floats() | st.booleans() | st.sampled_from(WORDS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=30,
)


@given(st.text(max_size=200).map(lambda text: text + "\n"))
@example("\n" + "[" * 100_000)
@example("\nx = " + "[" * 3000)
@example("\nx = " + "{a=" * 3000)
@example("\n" + '"' * 10_001)
@example("\nx = '''" + "'" * 5)
def test_any_text(text: str) -> None:
    survives(text)


@given(JSON.map(lambda value: value if isinstance(value, dict) else {"model": value}))
def test_any_dict(source: dict[str, object]) -> None:
    survives(source)


@given(st.dictionaries(KEYS, LIKELY, max_size=8))
def test_dicts_of_words_that_mean_something(source: dict[str, object]) -> None:
    survives(source)
    base = {"model": {"type": "ode"}, "states": {"x": 1.0}, "equations": {"rhs": {"x": "-x"}}}
    survives({**base, **source})


@given(LIKELY)
def test_any_mod(mod: object) -> None:
    for part in ("add", "remove", "replace", "set"):
        survives(PENDULUM, mods=[{part: mod}])


@given(st.sampled_from(SOURCES), st.randoms(use_true_random=False), st.integers(1, 6))
def test_damaged_documents(text: str, chance: random.Random, count: int) -> None:
    for _ in range(count):
        start = chance.randrange(len(text))
        end = min(len(text), start + chance.choice([0, 0, 1, 1, 2, 5, 40]))
        text = text[:start] + chance.choice([*SCRAPS, ""]) + text[end:]
    survives(text + "\n")


@given(st.sampled_from(SOURCES), st.randoms(use_true_random=False))
def test_documents_with_lines_exchanged(text: str, chance: random.Random) -> None:
    lines = text.splitlines()
    for _ in range(chance.randrange(1, 5)):
        i, j = chance.randrange(len(lines)), chance.randrange(len(lines))
        lines[i], lines[j] = chance.choice([(lines[j], lines[i]), ("", lines[j]), (lines[j],) * 2])
    survives("\n".join(lines) + "\n")


@given(st.sampled_from(SOURCES), st.randoms(use_true_random=False))
def test_documents_with_values_exchanged(text: str, chance: random.Random) -> None:
    data = tomllib.loads(text)
    tables = [data]
    for table in tables:
        tables += [value for value in table.values() if isinstance(value, dict)]
    for _ in range(chance.randrange(1, 4)):
        one, other = chance.choice(tables), chance.choice(tables)
        if one and other:
            key, name = chance.choice(list(one)), chance.choice(list(other))
            value = other[name]
            if value is not one and not isinstance(value, dict):
                one[key] = value
    survives(data)


ALPHABET = st.sampled_from([*"xyat019.()+-*/%<>=!,^ ", *SCRAPS, *WORDS, " and ", " or ", " not "])


@given(st.lists(ALPHABET, max_size=30).map("".join) | st.text(max_size=40))
@example("x" + "(" * 200)
@example("x if x else " * 2000 + "x")
@example("not " * 5000 + "x")
@example("x" + "**x" * 5000)
@example("f(" * 90 + "x" + ")" * 90)
def test_any_expression_anywhere(text: str) -> None:
    more = {
        "aux": {"z": text},
        "functions": {"f": {"args": ["u"], "expr": text}},
        "events": {"e": {"cond": text, "action": text, "log": [text]}},
        "sim": {"stop": text},
        "presets": {"p": {"params": {"a": text}}},
    }
    base = {
        "model": {"type": "ode"},
        "states": {"x": 1.0},
        "params": {"a": 2.0},
        "equations": {"rhs": {"x": "-x"}},
    }
    for key, value in more.items():
        survives({**base, key: value})
    for rhs in (
        {"rhs": {"x": text}},
        {"expr": text},
        {"rhs": {"x": "1"}, "jacobian": {"expr": [[text]]}},
    ):
        survives({**base, "equations": rhs})
    survives(
        {**base, "model": {"type": "map", "dtype": "int64"}, "equations": {"rhs": {"x": text}}}
    )


@given(models())
def test_random_models_load(text: str) -> None:
    assert isinstance(load_model(text), ModelSpec)


@given(models(), st.sampled_from(string.ascii_letters + "(+"))
def test_a_broken_expression_is_always_noticed(text: str, junk: str) -> None:
    key = 'x0 = "'
    at = text.rindex("[equations")
    at = text.index(key, at) + len(key)
    error = survives(text[:at] + f"Q{junk} + " + text[at:])
    assert isinstance(error, ModelLoadError)
    assert any(issue.span and f"Q{junk}"[0] in issue.span.text for issue in error.issues)


# --- documents that hide work --------------------------------------------------------------------

NAMES = st.sampled_from(
    ["x", "y", "a", "c0", "c1", "z0", "z1", "f0(x)", "f1(y, a)", "t", "2", "0.5"]
)


def _bigger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Expressions that repeat, nest, sum, and call functions."""
    many = st.sampled_from([2, 30, 70, 150, 300])
    joined = st.builds(
        lambda text, sign, count: sign.join([text] * count),
        inner,
        st.sampled_from([" + ", "*", "**", " and ", " < ", " if x else ", ", "]),
        many,
    )
    return (
        st.builds("max({}, {})".format, joined, inner)
        | st.builds("f0({})".format, inner)
        | st.builds("f1({0}, {0})".format, inner)
        | st.builds("sum({} for j in range({}))".format, inner, st.sampled_from([2, 999, 99999]))
        | st.builds(lambda text, count: "sin(" * count + text + ")" * count, inner, many)
        | st.builds(lambda text, count: "-" * count + text, inner, many)
        | joined
    )


HIDING = st.recursive(NAMES, _bigger, max_leaves=4)


@st.composite
def hiding(draw: st.DrawFn) -> dict[str, object]:
    """A document whose parts may be copied many times over, each using the one before."""
    count = draw(st.sampled_from([1, 2, 10, 60]))

    def chain(stem: str, first: str) -> dict[str, object]:
        link = draw(HIDING)
        return {f"{stem}{i}": link.replace(f"{stem}0", f"{stem}{i - 1}") if i else first
                for i in range(count)}  # fmt: skip

    calls = draw(st.sampled_from(["f{0}(u) + f{0}(u + 1)", "f{0}(f{0}(u))", "u*u"]))
    functions: dict[str, object] = {"f0": {"args": ["u"], "expr": "u + 1"}}
    functions["f1"] = {"args": ["u", "v"], "expr": draw(HIDING)}
    for i in range(2, count + 2):
        functions[f"f{i}"] = {"args": ["u"], "expr": calls.format(i - 1 if i > 2 else 0)}
    body = draw(HIDING)
    return {
        "model": {"type": "ode"},
        "states": {"x": 1.0, "y": draw(HIDING)},
        "params": {"a": draw(HIDING)},
        "constants": chain("c", "1"),
        "aux": chain("z", "x"),
        "functions": functions,
        "equations": {"rhs": {"x": f"f{count + 1}(x)", "y": body}},
        "events": {f"e{i}": {"cond": draw(HIDING), "action": f"x = {body}"} for i in range(2)},
        "presets": {f"p{i}": {"params": {"a": draw(HIDING)}} for i in range(2)},
    }


def _answered_within_the_work(document: dict[str, object]) -> None:
    """A model or our error, without more work than the limit: a smaller one, to be soon here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DYNLIB_LOAD_LIMIT", "60000")
        patch.setenv("DYNLIB_CODE_LIMIT", "3000")
        spec = survives(document)
        if not isinstance(spec, ModelSpec):
            return
        with suppress(DynlibError):
            program = setup(spec, jit=False).model.program
            text = module_of(program, RunnerVariant.BASE).text
            translate(text, {}, "entry", "float64")
        with suppress(DynlibError):
            _ = spec.jacobian
        repr(spec)


@settings(max_examples=25, deadline=None)
@given(hiding())
def test_documents_that_hide_work(document: dict[str, object]) -> None:
    _answered_within_the_work(document)


@pytest.mark.slow
@settings(max_examples=1000, deadline=None)
@given(hiding())
def test_many_documents_that_hide_work(document: dict[str, object]) -> None:
    _answered_within_the_work(document)


def test_any_mark_in_any_place() -> None:
    """Every short scrap at every place of a small document."""
    text = ode("-a*x + 1", '[events.e]\ncond = "x > 1"\naction = "x = 0"\nlog = ["t"]\n')
    for at in range(len(text)):
        for scrap in "\"'[]{}(=,.#\n\\0x":
            survives(text[:at] + scrap + text[at:] + "\n")
