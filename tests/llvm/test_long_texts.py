"""Models of hundreds of parts become texts that Python's parser takes, with the same numbers."""

import ast
from typing import Any

import numpy as np
import pytest

from dynlib import setup
from dynlib.compiler.codegen.runner_variants import RunnerVariant, module_of
from dynlib.compiler.jit import translated
from dynlib.compiler.jit.native import ObjectCode, emit_object
from dynlib.compiler.length import check_states
from dynlib.errors import TooLargeError
from dynlib.steppers.text import chain, combine, squares

HEAD = '[model]\ntype = "ode"\n[states]\n'


def wide(n: int, first: str = "-x0") -> str:
    equations = "".join(f'x{i} = "-x{i}*{1 + i % 3}"\n' for i in range(1, n))
    states = "".join(f"x{i} = {1 + i}.0\n" for i in range(n))
    return f'{HEAD}{states}[equations.rhs]\nx0 = "{first}"\n{equations}'


def flat_aux(n: int) -> str:
    aux = "".join(f'a{i} = "x0 + {i}.5"\n' for i in range(n))
    return f"{wide(1)}[aux]\n{aux}"


def depth(text: str) -> int:
    """The deepest nesting of brackets."""
    deepest = level = 0
    for sign in text:
        level += (sign == "(") - (sign == ")")
        deepest = max(deepest, level)
    return deepest


@pytest.mark.parametrize("n", [1, 2, 63, 64, 65, 200, 500])
def test_a_long_sum_is_the_short_one_in_pieces(n: int) -> None:
    """The same operations in the same order, so the same bits, and no deeper than 64 calls."""
    rng = np.random.default_rng(n)
    a, b = rng.normal(size=(2, n)).astype(np.float32)  # whose products a double holds

    def fma(x: float, y: float, z: float) -> np.float32:
        return np.float32(np.float64(x) * np.float64(y) + np.float64(z))

    total = a[0] * b[0]
    for x, y in zip(a[1:], b[1:], strict=True):
        total = fma(x, y, total)
    terms = [(f"a[{i}]", f"b[{i}]") for i in range(n)]
    before, result = chain("total", terms)
    names = {"a": a, "b": b, "fma": fma}
    for line in before:
        exec(line, names)
    assert eval(result, names) == total
    assert max(map(depth, [*before, result])) <= 70
    if n <= 64:
        assert (before, result) == ([], combine(terms))
    before, result = squares("total", [f"a[{i}]" for i in range(n)])
    for line in before:
        exec(line, names)
    running = a[0] * a[0]
    for x in a[1:]:
        running = running + x * x
    assert eval(result, names) == running


@pytest.mark.parametrize("stepper", ["rk4", "rk45", "dop853", "ab3"])
def test_hundreds_of_states_make_a_text_that_parses(stepper: str) -> None:
    sim = setup(wide(402), stepper=stepper, jit=False)
    text = module_of(sim.model.program, RunnerVariant.BASE).text
    assert depth(text) < 100
    ast.parse(text)


def test_hundreds_of_aux_are_recorded_each_by_its_own_branch() -> None:
    names = ["aux.a0", "aux.a63", "aux.a64", "aux.a199", "aux.a200", "aux.a399"]
    for jit in (True, False):
        sim = setup(flat_aux(400), jit=jit)
        res = sim.run(T=0.02, dt=0.01, record_vars=["x0", *names])
        for name in names:
            expected = res["x0"] + (int(name[5:]) + 0.5)
            np.testing.assert_array_equal(res[name], expected)


def test_the_extreme_of_hundreds_is_that_of_all() -> None:
    args = ", ".join(f"x{i}" for i in range(1, 250))
    for jit in (True, False):
        sim = setup(wide(250, f"max({args})"), stepper="euler", jit=jit)
        res = sim.run(T=0.01, dt=0.01, record_vars=["x0"])
        assert res["x0"][-1] == 1.0 + 0.01 * 250.0


def test_code_beyond_the_limit_is_refused_with_its_length(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Before LLVM begins; the environment raises the limit, and plain Python needs no LLVM."""
    monkeypatch.setenv("DYNLIB_CODE_LIMIT", "300")
    sim = setup(wide(20), disk_cache=False)
    with pytest.raises(TooLargeError, match=r"instructions; the limit is 300, .*DYNLIB_CODE_LIMIT"):
        sim.run(T=0.02, dt=0.01)
    monkeypatch.setenv("DYNLIB_CODE_LIMIT", "30_000")
    assert sim.run(T=0.02, dt=0.01).ok


def test_a_jacobian_beyond_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = setup(wide(40), jit=False).model.spec
    monkeypatch.setenv("DYNLIB_LOAD_LIMIT", "20")
    with pytest.raises(TooLargeError, match="deriving the Jacobian is too much work"):
        _ = spec.jacobian


def test_hundreds_of_params_are_read_where_they_lie() -> None:
    """A batch reads so many from memory, and gives the bits of single runs all the same."""
    params = "".join(f"p{i} = {i}.5\n" for i in range(600))
    text = wide(2, "p0*x1 - p599*x0/p300") + f"[params]\n{params}"
    for jit in (True, False):
        sim = setup(text, stepper="rk4", jit=jit, disk_cache=False)
        batch = sim.batch(params={"p300": [1.0, 2.0]}, T=0.02, dt=0.01)
        for i, value in enumerate((1.0, 2.0)):
            sim.reset()
            sim.params = {"p300": value}
            run = sim.run(T=0.02, dt=0.01)
            np.testing.assert_array_equal(batch[i]["x0"], run["x0"])


def test_an_item_of_a_tuple_is_found_when_the_text_runs() -> None:
    """Numbers of all kinds, as aux of a map of integers has them."""
    text = (
        '[model]\ntype = "map"\ndtype = "int64"\n[states]\nx = 3\n[equations.rhs]\nx = "x + 1"\n'
        '[aux]\na = "2*x"\nb = "x > 3"\n'
    )
    for jit in (True, False):
        res = setup(text, jit=jit).run(N=2, record_vars=["aux.b", "aux.a"])
        assert list(res["a"]) == [6, 8, 10]
        assert list(res["b"]) == [0, 1, 1]


def test_vectors_are_looked_for_up_to_a_length(monkeypatch: pytest.MonkeyPatch) -> None:
    sought: list[bool] = []

    def emit(assembly: str, symbol: str, **how: Any) -> ObjectCode:
        sought.append(how["alike"])
        return emit_object(assembly, symbol, **how)

    monkeypatch.setattr(translated, "emit_in_thread", emit)
    module = module_of(setup(wide(40), stepper="rk4").model.program, RunnerVariant.BASE)
    translated.compiled(module, "float64")
    monkeypatch.setattr(translated, "_SEARCHED", 100)
    translated.compiled(module, "float64")
    assert sought == [True, False]


def test_states_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """However little code each needs."""
    monkeypatch.setenv("DYNLIB_CODE_LIMIT", "30_000")
    with pytest.raises(TooLargeError, match=r"1,001 states; the limit is 1,000 "):
        setup(wide(1_001), stepper="euler", disk_cache=False).run(T=0.01)
    monkeypatch.setenv("DYNLIB_CODE_LIMIT", "30_030")
    check_states(1_001)
    monkeypatch.setenv("DYNLIB_CODE_LIMIT", "100")
    check_states(1_000)  # so many are never too many
