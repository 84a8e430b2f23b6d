"""What is foreseen of a kernel's length is never more than it has, and refuses at once."""

import time
from typing import Any

import pytest

from dynlib import setup
from dynlib.compiler.codegen.foreseen import least_length
from dynlib.compiler.codegen.program import Program
from dynlib.compiler.codegen.runner_variants import RunnerVariant, module_of
from dynlib.compiler.llvm.translate import translate
from dynlib.errors import TooLargeError
from dynlib.observers import lyapunov_max
from dynlib.observers.combined import combine


def coupled(n: int, more: dict[str, Any] | None = None) -> dict[str, Any]:
    names = [f"x{i}" for i in range(n)]
    total = " + ".join(names)
    rhs = {name: f"-{name} + {i + 1}*tanh({total})" for i, name in enumerate(names)}
    states = dict.fromkeys(names, 0.1)
    return {"model": {"type": "ode"}, "states": states, "equations": {"rhs": rhs}, **(more or {})}


def events(count: int) -> dict[str, Any]:
    each = {"cond": "x0 > 1", "direction": "rising", "action": "x0 = 0"}
    return {"events": {f"e{i}": each for i in range(count)}}


def length(program: Program) -> int:
    kind = RunnerVariant.BASE if program.analysis is None else RunnerVariant.ANALYSIS
    module = module_of(program, kind)
    return translate(module.text, module.functions, module.entry, "float64").count("\n")


@pytest.mark.parametrize("stepper", ["rk4", "rk45"])
@pytest.mark.parametrize("count", [0, 1])
@pytest.mark.parametrize("observer", [None, lyapunov_max])
def test_no_kernel_is_shorter_than_foreseen(stepper: str, count: int, observer: Any) -> None:
    model = setup(coupled(3, events(count)), stepper=stepper).model
    analysis = None if observer is None else combine([observer()], model.spec, model.stepper)
    for packs in (False, True) if observer else (False,):
        program = Program(model.spec, model.stepper, analysis=analysis, packs=packs)
        assert least_length(program) <= length(program)
    assert least_length(program) >= 300 * count + (9 if observer else 0)


def test_what_is_far_too_long_is_refused_before_it_is_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Program, "parts", None)  # nobody writes it
    many = setup(coupled(1, events(900)), disk_cache=False)
    with pytest.raises(TooLargeError, match="270,000 instructions"):
        many.run(T=1.0)
    with pytest.raises(TooLargeError, match="270,000 instructions"):
        many.batch(ic={"x0": [1.0, 2.0]}, T=1.0)
    monkeypatch.setenv("DYNLIB_CODE_LIMIT", "10_000")
    full = setup(coupled(40), stepper="rk45", disk_cache=False)
    began = time.monotonic()
    with pytest.raises(TooLargeError, match="DYNLIB_CODE_LIMIT"):
        full.run(T=1.0, observers=[lyapunov_max()])
    assert time.monotonic() - began < 5.0


def test_plain_python_has_no_such_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without JIT functions are called, and the text has the Jacobian once."""
    monkeypatch.setenv("DYNLIB_CODE_LIMIT", "2_000")
    sim = setup(coupled(20), stepper="rk45", jit=False)
    assert sim.run(T=0.1, observers=[lyapunov_max()]).ok
