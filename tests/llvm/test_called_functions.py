"""Elementary functions that a long module calls: the bits are those of functions put in place."""

from __future__ import annotations

import random
import re
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

from dynlib import setup
from dynlib.compiler.codegen import runner_variants
from dynlib.compiler.jit.native import emit_object
from dynlib.compiler.llvm import assembly
from dynlib.compiler.llvm.grouped import grouped
from dynlib.compiler.llvm.translate import SYMBOL, translate
from dynlib.compiler.vecmath import VECMATH
from dynlib.plans import FinalState

OF_TWO = ("atan2", "pow", "hypot")

# Two levels of calls, branches, a guarded quotient, and angles beyond 2**45.
MODEL = {
    "model": {"type": "ode", "name": "many-calls"},
    "states": {f"x{i}": 0.3 + 0.2 * i for i in range(5)},
    "params": {"a": 1.25, "far": 1e17},
    "equations": {
        "rhs": {
            "x0": "sin(x1) + sin(x2) + sin(far*x3) + sin(x4) + sin(exp(x0)) - x0",
            "x1": "exp(-x0) + exp(-x1*x1) + exp(sin(x2)) - x1",
            "x2": "abs(x3)**a + abs(x4)**a - x2 if x2 > 0 else cos(x1) + cos(far*x0)",
            "x3": "log(1 + x0*x0) + erf(x1) + atan2(x2, x3) + tanh(x4) - x3",
            "x4": "-x4/expm1(-x4) - 2*x4 if abs(x4) > 0.01 else 1 - x4 + hypot(x0, x1)",
        }
    },
    "sim": {"dt": 0.05, "t_end": 5.0},
}


@contextmanager
def calling(from_: float) -> Iterator[None]:
    """Functions are called from so many names on, and no kernel is taken from memory."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(assembly, "SHARE_FROM", from_)
        for cache in ("continuous", "discrete"):
            patch.setattr(runner_variants, f"_variant_cache_{cache}", OrderedDict())
        yield


def outcomes(model: Any, stepper: str, dtype: str) -> list[np.ndarray]:
    sim = setup(model, stepper=stepper, dtype=dtype, disk_cache=False)
    res = sim.run()
    ic = {"x0": np.linspace(0.1, 2.0, 19)}
    batch = sim.batch(ic=ic, plan=FinalState(), workers=1)
    alone = setup(model, stepper=stepper, dtype=dtype, disk_cache=False)
    alone.assign(x0=float(ic["x0"][7]))
    last = alone.run().final
    for name in res.names:
        assert float(batch.final[name][7]) == float(last[name])
    return [np.asarray(res[name]) for name in res.names] + [
        np.asarray(batch.final[name]) for name in res.names
    ]


@pytest.mark.parametrize(
    ("stepper", "dtype"), [("rk4", "float64"), ("bs23", "float64"), ("rk4", "float32")]
)
def test_calls_change_no_bit(stepper: str, dtype: str) -> None:
    with calling(float("inf")):
        in_place = outcomes(MODEL, stepper, dtype)
    with calling(0):
        called = outcomes(MODEL, stepper, dtype)
    for a, b in zip(in_place, called, strict=True):
        np.testing.assert_array_equal(a, b)
        assert np.isfinite(a).all()


def text_of(lines: list[str]) -> str:
    body = "\n".join(f"    {line}" for line in lines)
    return f"def entry(table):\n    x = view1_float64(table, 64)\n{body}\n    return 0\n"


def assembly_of(lines: list[str], *, single: bool) -> str:
    return translate(text_of(lines), {"entry": ""}, "entry", "float64", single=single)


SINES = [*(f"y{i} = sin(x[{i}])" for i in range(7)), "x[8] = y0+y1+y2+y3+y4+y5+sin(y6)"]


def test_calls_are_counted() -> None:
    with calling(float("inf")):
        assert "call double @sin" not in assembly_of(SINES, single=True)
    with calling(0):
        alone, together = assembly_of(SINES, single=False), assembly_of(SINES, single=True)
    assert len(re.findall(r"= call double @sin[^(]*\([^)]*\) nounwind", alone)) == 8
    assert len(re.findall(r"= call double @sin[^(]*\([^)]*\) nounwind", together)) == 1
    assert len(re.findall(r"all = call <4 x double> @sin", together)) == 2
    for text in (alone, together):
        assert len(re.findall(r"define internal double @sin\.", text)) == 1


def test_functions_are_put_in_place_up_to_a_length() -> None:
    few, many = SINES, [line.replace("y", f"z{i}_") for i in range(40) for line in SINES]
    assert "vector-function-abi-variant" not in re.sub(r".*64v_.*", "", assembly_of(few, single=1))
    assert len(re.findall(r"all = call <4 x double> @sin", assembly_of(many, single=True))) == 80


def test_all_forms_are_made_of_vector_instructions(capfd: pytest.CaptureFixture[str]) -> None:
    lines = [
        f"x[{i}] = {name}(x[{i}]{', x[63]' * (name in OF_TWO)})" for i, name in enumerate(VECMATH)
    ]
    with calling(0):
        code = emit_object(assembly_of(lines, single=False), SYMBOL)
    assert capfd.readouterr().err == ""  # where LLVM makes no vectors of a loop, it says so
    forms = re.findall(r"define internal <4 x double> @([\w.]+)\(.*?\n}", code.assembly, re.DOTALL)
    assert len(forms) == len(VECMATH)


def test_nothing_crosses_an_effect() -> None:
    sines = [f"  %v{i} = call double @sin(double %a{i}) pure" for i in (1, 2)]
    store = "  store double %v1, ptr %p"
    load = "  %v3 = load volatile double, ptr %p"
    assert grouped([sines[0], store, sines[1]], {"sin"}) == [sines[0], store, sines[1]]
    assert grouped([sines[0], load, sines[1]], {"sin"}) == [sines[0], load, sines[1]]
    assert len(grouped([*sines, store], {"sin"})) == 4 + 1 + 2 + 1


@pytest.mark.parametrize("seed", range(5))
def test_every_value_is_there_before_it_is_used(seed: int) -> None:
    draw = random.Random(seed)
    lines = []
    for i in range(1, 200):
        a, b = (f"%v{draw.randrange(i)}" if i > 1 else "%a0" for _ in "ab")
        a, b = (re.sub(r"%v0$", "%a0", name) for name in (a, b))
        call = f"call double @{draw.choice(['f', 'g'])}(double {a}) pure"
        lines.append(f"  %v{i} = " + (call if draw.random() < 0.3 else f"fadd double {a}, {b}"))
    found = grouped(lines, {"f", "g"})
    known = {"%a0"}
    for line in found:
        result, *needed = re.findall(r"%[av][\w.]*", line)
        assert set(needed) <= known
        assert result not in known
        known.add(result)
    assert {f"%v{i}" for i in range(1, 200)} <= known
    assert [line for line in found if "fadd" in line and line not in lines] == []
