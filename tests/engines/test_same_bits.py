"""Numba, given the same text, gives the bits of our own translator.

The ordinary tests look at one model for each kind of stepper and path.  All constructs of the
language, all paths and random models are slow:

    pytest tests/engines -m slow
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from dsl.generated import models
from golden.bits import bits, paths
from golden.test_bits import of_x86, table_of
from hypothesis import HealthCheck, Phase, given, settings
from properties.test_plain_and_compiled import all_functions
from trajectories import go

from dynlib import build, setup
from dynlib.compiler.codegen.runner_variants import RunnerVariant, get_runner
from dynlib.compiler.jit.engines import LLVM, NUMBA
from dynlib.errors import DynlibError

# What Numba compiles in a few seconds; the others are slow.
FEW = [
    ("ode/lorenz", "rk4", ("run", "resume")),
    ("ode/expdecay", "tsit5", ("run",)),
    pytest.param("ode/expdecay", "dop853", ("run",), marks=pytest.mark.slow),
    ("ode/leaky-if", "ab3", ("run", "resume")),  # has events
    ("map/logistic", "map", ("batch", "observed run")),
    pytest.param("map/logistic", "map", ("fastpath",), marks=pytest.mark.slow),
]
MANY = [
    *(("ode/lorenz", stepper) for stepper in ("rk4", "tsit5", "ab3")),
    *(("ode/bouncing-ball", stepper) for stepper in ("rk4", "dop853")),
    ("ode/hodgkin-huxley", "rk45"),
    ("ode/izhikevich", "ab2"),
    ("ode/pendulum-driven", "bs23"),
    *((f"map/{name}", "map") for name in ("henon", "ikeda", "standard", "collatz")),
]


def check(name: str, stepper: str, chosen: tuple[str, ...]) -> None:
    """Hold Numba's bits against the tables of our own (tests/golden/bits)."""
    table = table_of(name)
    found = bits(name, stepper, chosen, "numba")
    assert found == {path: table[f"{stepper}, {path}"] for path in chosen}


@of_x86
@pytest.mark.parametrize(("name", "stepper", "chosen"), FEW)
def test_a_few(name: str, stepper: str, chosen: tuple[str, ...]) -> None:
    check(name, stepper, chosen)


@of_x86
@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("name", "stepper"), MANY)
def test_all_paths(name: str, stepper: str) -> None:
    check(name, stepper, paths(stepper))


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_every_function_of_the_model_language(dtype: str) -> None:
    one, other = (go(build(all_functions(dtype), jit=jit), N=3).y for jit in (True, "numba"))
    assert one.dtype == other.dtype == dtype
    np.testing.assert_array_equal(one, other)


def ran(model: Any, jit: Any, **given: Any) -> tuple[Any, ...]:
    res = setup(model, jit=jit, disk_cache=False).run(on_failure="return", **given)
    logs = {name: (log.t.tolist(), log.step.tolist()) for name, log in res.events.items()}
    return res.status, res.t, res[:], logs


@pytest.mark.slow
@pytest.mark.timeout(1800)
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # each example takes seconds
)
@given(text=models())
def test_random_models(text: str) -> None:
    """As they are drawn, with events, functions, sums and choices."""
    spec = build(text, jit=False).spec
    extent = {"N": 12} if spec.is_map else {"T": spec.sim.t0 + 12 * spec.sim.dt}
    try:
        expected = ran(text, True, **extent)
    except DynlibError as error:
        with pytest.raises(type(error)):
            ran(text, "numba", **extent)
        return
    found = ran(text, "numba", **extent)
    assert found[0] == expected[0]
    np.testing.assert_array_equal(found[1], expected[1])
    np.testing.assert_array_equal(found[2], expected[2])
    assert str(found[3]) == str(expected[3])  # times may be NaN


@pytest.mark.slow
def test_many_states_and_events() -> None:
    """Long tuples, and events that have numbers."""
    n = 34
    model = {
        "model": {"type": "ode"},
        "states": {f"x{i}": 0.1 + (i * 7 % 11) / 30 for i in range(n)},
        "equations": {
            "rhs": {f"x{i}": f"x{(i + 1) % n}*x{i - 1 if i else n - 1} - x{i}" for i in range(n)}
        },
        "events": {
            f"e{k}": {"cond": f"x{k} < {0.05 + k / 100}", "action": f"x{k} = x{k} + 0.2"}
            for k in range(11)
        },
    }
    expected, found = (ran(model, jit, T=1.0, dt=0.05) for jit in (True, "numba"))
    assert sum(len(log[0]) for log in expected[3].values()) > 3
    np.testing.assert_array_equal(found[2], expected[2])
    assert found[3] == expected[3]


def test_both_have_kernels_of_their_own() -> None:
    program = build("builtin://map/henon").program
    made = [get_runner(RunnerVariant.BASE, program, engine) for engine in (LLVM, NUMBA)]
    assert made[0] is not made[1]
    assert made == [get_runner(RunnerVariant.BASE, program, engine) for engine in (LLVM, NUMBA)]
