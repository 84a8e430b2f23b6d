"""Long tuples: in memory and in packs in single runs, number by number in lanes; the same bits."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import numpy as np
import pytest

from dynlib import setup
from dynlib.compiler.codegen import many_events, runner_variants
from dynlib.compiler.codegen.rhs_parts import parts_of
from dynlib.compiler.codegen.runner_variants import RunnerVariant, module_of
from dynlib.compiler.jit.native import emit_object, load
from dynlib.compiler.llvm.long_tuples import LOOP_FROM
from dynlib.compiler.llvm.translate import SYMBOL, translate
from dynlib.compiler.llvm.values import Untranslatable
from dynlib.compiler.sizes import MANY
from tests.llvm.translated import SIZE, arrays, by_python

LENGTHS = [MANY, MANY + 9, LOOP_FROM + 5]
WAYS = ((False, ""), (True, ""), (True, "noinline"))  # in lanes, in single runs


def text_of(n: int) -> str:
    """Tuples that change places, that a branch changes, and that outlive the loop."""
    u = ", ".join(f"reals[0] * {i}.0" for i in range(n))
    v = ", ".join(f"reals[1] - {i}.0" for i in range(n))
    sums = [
        f"    {name}_sum = {name}[0]\n"
        + "".join(f"    {name}_sum = fma({name}_sum, 0.75, {name}[{i}])\n" for i in range(1, n))
        for name in ("u", "v", "w", "both")
    ]
    return (
        f"def far(x, u, v):\n    if x > 0.0:\n        return v, x\n"
        f"    return tuple(u[i] - x * v[i] for i in range({n})), x + 1.0\n\n"
        f"def work(reals, wholes):\n    u = ({u})\n    v = ({v})\n    w = u\n"
        "    held = u[3]\n"
        "    for k in range(wholes[0]):\n"
        f"        u, v = v, tuple(fma(reals[2], v[i], u[i]) / 1.5 for i in range({n}))\n"
        "        if reals[3] + k > 1.0:\n"
        f"            w = tuple(select(abs(u[i]) > v[i], -u[i], v[i] * 0.5) for i in range({n}))\n"
        "        if k == wholes[1]:\n            break\n"
        "        u, more = far(u[1], u, w)\n"
        "        reals[4] += held\n"
        "        held = u[3] + more\n"
        f"    last = tuple((u + v)[i + {n - 1}] for i in range(2))\n"
        f"    both = tuple(u[i] + w[i] for i in range({n}))\n"
        + "".join(sums)
        + "    reals[4] += last[0] - last[1]\n"
        "    reals[5] = u_sum - v_sum\n    reals[6] = w_sum\n    reals[7] = both_sum\n"
        "    wholes[2] = all_finite(u) + 2 * all_finite(tuple(x[i] for i in range(2)))\n"
    ).replace("tuple(x[i] for i in range(2))", f"tuple(u[i] / (u[i] - u[i]) for i in range({n}))")


def compiled(text: str, *, single: bool, far: str) -> Any:
    entry = (
        f"def entry(table):\n    reals = view1_float64(table, {SIZE})\n"
        f"    wholes = view1_int64(table + 16, {SIZE})\n    work(reals, wholes)\n    return 0\n"
    )
    calls = {"far": far, "work": "", "entry": ""}
    assembly = translate(f"{text}\n\n{entry}", calls, "entry", "float64", single=single)
    kernel = load(emit_object(assembly, SYMBOL))

    def call(reals: Any, wholes: Any) -> None:
        words = [word for a in (reals, wholes) for word in (a.ctypes.data, a.size)]
        table = np.array(words, dtype=np.int64)
        assert kernel(table.ctypes.data) == 0

    return call


@pytest.mark.parametrize("n", LENGTHS)
def test_a_tuple_is_what_python_says(n: int) -> None:
    text = text_of(n)
    kernels = {way: compiled(text, single=way[0], far=way[1]) for way in WAYS}
    for given in ([0.3, -1.7, 0.9, 0.2], [1.5, 0.4, -0.6, 2.0]):
        for turns, leave in ((0, 9), (1, 9), (4, 2), (5, 9)):
            expected = arrays(given, [turns, leave])
            by_python(text, "work", *expected)
            for way, kernel in kernels.items():
                found = arrays(given, [turns, leave])
                kernel(*found)
                for a, b in zip(found, expected, strict=True):
                    np.testing.assert_array_equal(a, b, f"{way} {turns}")


@pytest.mark.parametrize(
    "expression",
    ["tuple(u)", "tuple(u[j] for j in range(k))", "tuple(u[i] for i in range(2) if i)"],
)
def test_other_tuples_are_refused(expression: str) -> None:
    text = f"def entry(k):\n    u = (1.0, 2.0)\n    u = {expression}\n    return 0\n"
    with pytest.raises(Untranslatable, match="a tuple of anything but"):
        translate(text, {}, "entry", "float64")


SLOWLY = [pytest.param(name, marks=pytest.mark.slow) for name in ("rk4", "dop853")]

# -- models ---------------------------------------------------------------------------------------


def ring(n: int, more: int = 0, events: int = 0, spare: int = 0) -> dict[str, Any]:
    """Coupled states; `more` that rest; events, and `spare` ones that never come."""
    states = {f"x{i}": 0.1 + 0.37 * ((i * 7) % 11) / 11 for i in range(n)}
    rhs = {
        f"x{i}": f"0.5*(x{(i + 1) % n} - x{(i - 1) % n})*x{(i + 2) % n} - 0.3*x{i} + sin(x{i}) + a"
        for i in range(n)
    }
    rhs["x1"] = "1"
    kinds = (
        {"cond": "x{i} > {c}", "action": "x{i} = 0.2; x{j} = 0.9*x{j}"},
        {"cond": "cross_up(x{i}, {c})", "log": ["x{i}", "x{j}"]},
        {"cond": "x{i} > {c}", "direction": "falling", "action": "a = 0.99*a"},
        {"cond": "cross_down(x{i}, {c})", "phase": "both", "action": "x{i} = x{i} + 0.1"},
        {"cond": "x{i} > {c} and t > 0.3", "phase": "end", "locate": False, "log": ["t"]},
        {"cond": "x{i} > {c}", "direction": "either", "log": ["x{j}"]},
        {"cond": "increasing(x{i})", "phase": "start", "action": "x{j} = x{j} - 0.01"},
    )

    def filled(value: Any, i: int) -> Any:
        if isinstance(value, list):
            return [filled(item, i) for item in value]
        if not isinstance(value, str):
            return value
        return (
            value.replace("{i}", str(i))
            .replace("{j}", str(i + 1))
            .replace("{c}", f"{0.4 + i / 50}")
        )

    found = {
        f"e{e}": {key: filled(value, 2 * e % (n - 1)) for key, value in kinds[e % 7].items()}
        for e in range(events)
    }
    found |= {f"s{e}": {"cond": f"x0 > {1e6 + e}", "action": "a = 7"} for e in range(spare)}
    model = {
        "model": {"type": "ode"},
        "states": states | {f"z{i}": 1.0 for i in range(more)},
        "params": {"a": 0.15},
        "equations": {"rhs": rhs | {f"z{i}": "0" for i in range(more)}},
    }
    return model | ({"events": found} if found else {})


def run(model: dict[str, Any], stepper: str, n: int, **options: Any) -> tuple[Any, ...]:
    res = setup(model, stepper=stepper, disk_cache=False).run(T=1.0, dt=0.02, **options)
    names = [f"x{i}" for i in range(n)]
    logs = {
        name: {key: log[key] for key in ("t", "step", *log.columns)}
        for name, log in res.events.items()
        if len(log.t)
    }
    return res.t, np.array([res[name] for name in names]), logs


def assert_same(found: tuple[Any, ...], expected: tuple[Any, ...]) -> None:
    for a, b in zip(found[:2], expected[:2], strict=True):
        np.testing.assert_array_equal(a, b)
    assert found[2].keys() == expected[2].keys()
    for name, log in expected[2].items():
        for key, values in log.items():
            np.testing.assert_array_equal(found[2][name][key], values)


@pytest.mark.parametrize("stepper", ["rk4", pytest.param("ab3", marks=pytest.mark.slow)])
def test_a_state_that_rests_changes_no_bit_of_the_others(stepper: str) -> None:
    """On a fixed grid; on both sides of where tuples become long, and are computed in loops."""
    for n in (MANY, LOOP_FROM - 1):
        assert_same(run(ring(n, more=1), stepper, n), run(ring(n), stepper, n))


@pytest.mark.parametrize("stepper", ["tsit5", *SLOWLY])
def test_lanes_have_the_bits_of_single_runs(stepper: str) -> None:
    """Lanes compute each number of a long tuple alone."""
    n = MANY + 9
    model, x0 = ring(n, events=3), np.array([0.1, 0.25, 0.4])
    batch = setup(model, stepper=stepper, disk_cache=False).batch(
        ic={"x0": x0}, T=1.0, dt=0.02, workers=1
    )
    for i in (0, 2):
        sim = setup(model, stepper=stepper, disk_cache=False)
        sim.assign(x0=float(x0[i]))
        res = sim.run(T=1.0, dt=0.02)
        for name in sim.spec.states:
            assert res.final[name] == batch.final[name][i], name


def test_plain_python_has_nearly_the_same() -> None:
    model = ring(MANY + 2, events=2)
    plain, res = (
        setup(model, stepper="ab3", jit=jit, disk_cache=False).run(T=0.3, dt=0.02)
        for jit in (False, True)
    )
    np.testing.assert_allclose(plain["x5"], res["x5"], rtol=1e-13)  # a few roundings in 15 steps


@pytest.mark.parametrize("stepper", ["rk4", "tsit5"])
def test_events_that_never_come_change_no_bit(stepper: str) -> None:
    """Nine events are written out one by one, ten and more by their numbers."""
    few = run(ring(12, events=9), stepper, 12)
    assert len(few[2]) >= 5
    assert_same(run(ring(12, events=9, spare=1), stepper, 12), few)


def test_how_events_of_many_states_are_written_changes_no_bit() -> None:
    n = MANY + 1
    found = run(ring(n, events=8), "rk4", n)
    assert len(found[2]) >= 4
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(many_events, "many_events", lambda *_: False)
        for cache in ("continuous", "discrete"):
            patch.setattr(runner_variants, f"_variant_cache_{cache}", OrderedDict())
        assert_same(found, run(ring(n, events=8), "rk4", n))


# -- lengths --------------------------------------------------------------------------------------


def length(model: dict[str, Any], stepper: str) -> tuple[int, int]:
    """Lines of assembly in all, and of the longest function."""
    program = setup(model, stepper=stepper, disk_cache=False).model.program
    module = module_of(program, RunnerVariant.BASE)
    given = (module.text, module.functions, module.entry, "float64")
    assembly = translate(*given, single=module.single)
    return assembly.count("\n"), max(part.count("\n") for part in assembly.split("\ndefine "))


def test_code_grows_as_the_number_of_states() -> None:
    """And no function with it: the right-hand side falls into parts."""
    for stepper in ("rk4", "dop853"):
        small, large = (length(ring(n), stepper) for n in (200, 400))
        assert large[0] < 2.1 * small[0]
    assert large[1] < 9_000
    assert length(ring(400), "dop853")[0] < 16_500


def test_code_grows_by_little_with_each_event() -> None:
    few, many = (length(ring(12, events=7, spare=e), "rk4")[0] for e in (20, 120))
    assert many - few < 120 * 100


def test_equations_with_much_in_common_stay_together() -> None:
    shared = " + ".join(f"sin(x{i})" for i in range(100))
    model = {
        "model": {"type": "ode"},
        "states": {f"x{i}": 0.1 for i in range(100)},
        "equations": {"rhs": {f"x{i}": f"x{i}*({shared})" for i in range(100)}},
    }
    assert len(parts_of(setup(model).spec.equations)) == 1
    assert len(parts_of(setup(ring(200)).spec.equations)) > 3
