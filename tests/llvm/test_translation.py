"""Translated text does what the same text does as Python, and what it would not is refused."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from llvm.paths import HELPERS, PATHS
from llvm.translated import arrays, by_python, compiled, text_of, translation

from dynlib import build
from dynlib.compiler.codegen.lane_program import LaneProgram
from dynlib.compiler.codegen.program import Program
from dynlib.compiler.codegen.runner_variants import RunnerVariant, module_of
from dynlib.compiler.llvm.translate import SYMBOL, translate
from dynlib.compiler.llvm.values import Untranslatable

TEXT = text_of(*PATHS, *HELPERS)
reals = st.lists(st.floats(-4.0, 4.0), min_size=3, max_size=3)
wholes = st.lists(st.integers(-9, 9), min_size=5, max_size=5)

kernel = cache(lambda name: compiled(TEXT, name))


@pytest.mark.parametrize("function", PATHS, ids=lambda function: function.__name__)
@given(x=reals, k=wholes)
def test_all_ways_through_a_function(
    function: Callable[..., None], x: list[float], k: list[int]
) -> None:
    name = function.__name__
    expected, found = arrays(x, k), arrays(x, k)
    if name == "only_if_needed":
        k[0] = max(k[0], -8)
    by_python(TEXT, name, *expected)
    kernel(name)(*found)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


REFUSED = {
    "reals[-1] = 0.0": "counts from the end",
    "reals[0] = [1.0, 2.0][0]": "List",
    "reals[0] = sum(k for k in range(3))": "a call of sum",
    "reals[0] = np.sqrt(2.0)": "anything but a name",
    "reals[0] = unheard_of(2.0)": "a call of unheard_of",
    "reals[0] = nowhere": "nowhere",
    "reals[0] = (1.0, 2.0)[wholes[0]]": "not known beforehand",
    "reals[0] = (1.0, 2.0)": "more than one item",
    "x, y = wholes[0]": "no tuple of 2",
    "reals[0] = wholes[0] ** 2": "power",
    "reals[0] = 1.0 < reals[1] < 2.0": "chain of comparisons",
    "for x in reals: pass": "anything but a range",
    "for k in range(0, 9, wholes[0]): pass": "step",
    "for k in range(3): late = k\n    wholes[0] = late": "late",
    "with reals: pass": "With",
    "x = 1.0\n    while wholes[0] > 0: x = (x, x)\n    reals[0] = x": "x",
    "if wholes[0] > 0: return 1.0": "every path",
}


@pytest.mark.parametrize("line", REFUSED)
def test_what_is_refused(line: str) -> None:
    """To guess would be worse."""
    with pytest.raises(Untranslatable, match=REFUSED[line]):
        translation(f"def run(reals, wholes):\n    {line}\n", "run")


MODELS = (
    ("builtin://ode/lorenz", "rk4"),
    ("builtin://ode/hodgkin-huxley", "rk45"),
    ("builtin://ode/bouncing-ball", "rk45"),
    ("builtin://ode/izhikevich", "ab3"),
    ("builtin://map/standard", None),
    ("builtin://map/collatz", None),
    ("builtin://ode/bouncing-ball", "dop853"),
)


@pytest.mark.parametrize(("model", "stepper"), MODELS)
@pytest.mark.parametrize("sampled", [False, True])
def test_kernels_need_no_numba(model: str, stepper: str | None, sampled: bool) -> None:
    built = build(model, stepper=stepper)
    if built.spec.is_map and sampled:
        pytest.skip("maps have no other times than their iterations")
    lanes = LaneProgram(built.spec, built.stepper, 16, ())
    for program, variant in (
        (lanes, RunnerVariant.FASTPATH),
        (Program(built.spec, built.stepper), RunnerVariant.BASE),
    ):
        module = module_of(program, variant, sampled=sampled)
        assembly = translate(module.text, module.functions, module.entry, built.spec.dtype)
        assert f"@{SYMBOL}(" in assembly
