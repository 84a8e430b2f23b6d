"""The loops over lanes are made of vector instructions, and of nothing else.

LLVM gives up vectorising without a word, and a batch is then several times slower with the same
results.  So the machine code is looked at.  A floor is the number of arithmetic instructions that
a step needs for one vector of lanes; there are more where the loop is unrolled, or where vectors
are 256 bits wide.
"""

from __future__ import annotations

import llvmlite.binding as llvm
import pytest
from fastpath.machine_code import Kernel, kernel, single

from dynlib import build
from dynlib.compiler.inspection import fast_path_code
from dynlib.compiler.jit.native import ObjectCode, machine_code
from dynlib.observers import lyapunov_max

FEATURES = llvm.get_host_cpu_features()
needs_vectors = pytest.mark.skipif(
    not (FEATURES.get("avx2") and FEATURES.get("fma")), reason="needs AVX2 and FMA"
)


def ring(n: int) -> str:
    """`n` coupled cells."""
    states = "\n".join(f"x{i} = {0.1 * i}" for i in range(n))
    flow = "\n".join(f'x{i} = "x{(i + 1) % n} - a*x{i}**3"' for i in range(n))
    head = '[model]\ntype = "ode"\nname = "ring"\n'
    return f"{head}[params]\na = 1.0\n[states]\n{states}\n[equations.rhs]\n{flow}\n"


CASES = {
    # 4 stages of 7 operations, and what joins them: 3 for each state in 3 stages, 4 at the end
    "lorenz, rk4": ("builtin://ode/lorenz", "rk4", 40),
    # 7 stages of 7 operations, 20 coefficients and 7 of the error for each of 3 states
    "lorenz, rk45": ("builtin://ode/lorenz", "rk45", 120),
    "logistic": ("builtin://map/logistic", None, 3),
    # 4 stages of six exponentials of some 20 operations each
    "hodgkin-huxley, rk4": ("builtin://ode/hodgkin-huxley", "rk4", 400),
}
MORE_CASES = {
    "lorenz, tsit5": ("builtin://ode/lorenz", "tsit5", 120),
    # 12 stages of 7 operations; 50 coefficients, and 8 each of the step and the two errors, for
    # each of 3 states
    "lorenz, dop853": ("builtin://ode/lorenz", "dop853", 12 * 7 + 3 * (50 + 3 * 8)),
    "lorenz, ab3": ("builtin://ode/lorenz", "ab3", 15),
    "henon": ("builtin://map/henon", None, 4),
    "with events, rk4": ("builtin://ode/izhikevich", "rk4", 40),
    "with located events, rk45": ("builtin://ode/bouncing-ball", "rk45", 60),
    "of 16 states, rk4": (ring(16), "rk4", 16 * 20),
    "of 16 states, rk45": (ring(16), "rk45", 16 * 40),
}


@needs_vectors
@pytest.mark.parametrize(
    ("model", "stepper", "floor"),
    [
        *(pytest.param(*case, id=name) for name, case in CASES.items()),
        *(
            pytest.param(*case, id=name, marks=pytest.mark.slow)
            for name, case in MORE_CASES.items()
        ),
    ],
)
def test_lanes_are_packed(model: str, stepper: str | None, floor: int) -> None:
    found = kernel(model, stepper)
    assert found.hot.wide >= floor
    assert found.hot.narrow == 0
    assert found.hot.calls == 0
    assert found.externals == ()  # no call of the C library, here or elsewhere


@needs_vectors
@pytest.mark.slow
def test_lanes_of_single_precision_are_packed() -> None:
    found = kernel("builtin://ode/lorenz", "rk4", dtype="float32")
    assert found.hot.wide >= 40
    assert found.hot.narrow == 0


@needs_vectors
def test_lanes_with_a_tangent_vector_are_packed() -> None:
    """State and vector are stepped in one loop: the work of two, and J v besides."""
    found = kernel("builtin://ode/lorenz", "rk4", observers=[lyapunov_max()])
    assert found.hot.wide >= 40 + 40 + 4 * 5  # rows of the Jacobian have 2, 3 and 3 entries
    assert found.hot.narrow == 0
    assert found.hot.calls == 0


@needs_vectors
def test_one_lane_is_not_packed() -> None:
    """What is counted is what it is meant to be: a single run has nothing to do side by side."""
    found = kernel("builtin://ode/lorenz", "rk4", lanes=1)
    assert found.hot.wide < 10
    assert sum(block.narrow for block in found.blocks) >= 40


@needs_vectors
@pytest.mark.parametrize(
    ("model", "floor"),
    [
        ("builtin://ode/hodgkin-huxley", 4 * 2 * 15),  # exponentials in pairs, in each of 4 stages
        (ring(32), 4 * 4 * 5),  # vectors of 8 states, 5 operations with each in a stage
    ],
)
def test_single_runs_of_much_that_is_alike_are_packed(model: str, floor: int) -> None:
    assert _packed(single(model, "rk4")) >= floor


@needs_vectors
def test_single_runs_of_little_that_is_alike_are_not_packed() -> None:
    assert _packed(single("builtin://ode/lorenz", "rk4")) < 10


def _packed(found: Kernel) -> int:
    return sum(block.packed for block in found.blocks)


def test_code_is_compiled_anew_for_inspection() -> None:
    code = fast_path_code(build("builtin://map/logistic"), lanes=16)
    assert code.symbol in machine_code(code)


def test_code_from_a_file_cannot_be_shown() -> None:
    with pytest.raises(ValueError, match="disk_cache=False"):
        machine_code(ObjectCode(b"", "entry"))
