"""What is foreseen of a kernel's length is never more than it has, and refuses at once."""

from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from dynlib import setup
from dynlib.compiler.codegen.foreseen import instructions, least_length
from dynlib.compiler.codegen.function_text import FunctionText
from dynlib.compiler.codegen.lane_program import LaneProgram
from dynlib.compiler.codegen.program import Program
from dynlib.compiler.codegen.runner_variants import RunnerVariant, module_of
from dynlib.compiler.length import CODE_LIMIT
from dynlib.compiler.llvm.translate import translate
from dynlib.dsl.expr import State, build
from dynlib.dsl.expr.ops import OPS
from dynlib.errors import TooLargeError
from dynlib.observers import lyapunov_max, lyapunov_spectrum
from dynlib.observers.kit.combined import combine


def coupled(n: int, more: dict[str, Any] | None = None) -> dict[str, Any]:
    names = [f"x{i}" for i in range(n)]
    total = " + ".join(names)
    rhs = {name: f"-{name} + {i + 1}*tanh({total})" for i, name in enumerate(names)}
    states = dict.fromkeys(names, 0.1)
    return {"model": {"type": "ode"}, "states": states, "equations": {"rhs": rhs}, **(more or {})}


def events(count: int) -> dict[str, Any]:
    each = {"cond": "x0 > 1", "direction": "rising", "action": "x0 = 0"}
    return {"events": {f"e{i}": each for i in range(count)}}


def length(program: Program | LaneProgram) -> int:
    fast, observed = isinstance(program, LaneProgram), program.analysis is not None
    kind = next(v for v in RunnerVariant if (v.fast, v.observed) == (fast, observed))
    module = module_of(program, kind)
    given = (module.text, module.functions, module.entry, program.spec.dtype)
    return translate(*given, single=module.single).count("\n")


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


def rows(count: int, line: str) -> str:
    return "".join(line.replace("{i}", str(i)) + "\n" for i in range(count))


def flow(count: int, rhs: str, more: str = "", head: str = 'type = "ode"') -> str:
    states = f"[states]\n{rows(count, 'x{i} = 1')}[equations.rhs]\n"
    return f"[model]\n{head}\n{states}" + rows(count, f'x{{i}} = "{rhs}"') + more


def action(cond: str, more: str = "") -> str:
    return f'cond = "{cond}"\naction = "x0 = 0"\n{more}\n'


WIDE = {
    "decays": flow(40, "-x{i}"),
    "quotients": flow(40, "x{i}/(1 + x{i}^2) - 0.5*x0"),
    "sines": flow(4, "sin(x{i} - x0) + exp(-x{i})"),
    "more sines than are put in place": flow(400, "sin(x{i} - x0) + exp(-x{i})"),
    "one event": flow(40, "-x{i}", "[events.e]\n" + action("x0 > 1", 'direction = "rising"')),
    "events on the grid": flow(
        2, "-x{i}", rows(20, "[events.e{i}]\n" + action("x0 > {i}", "locate = false"))
    ),
    "crossings": flow(2, "-x{i}", rows(5, "[events.e{i}]\n" + action("cross_up(x0, {i})"))),
    "columns of a log": flow(
        2, "-x{i}", f"[events.e]\ncond = 'x0 > 1'\nlog = {[f'x0 + {i}' for i in range(40)]}\n"
    ),
    "aux": flow(2, "-x{i}", "[aux]\n" + rows(60, 'a{i} = "x0*x1 + {i}"')),
    "a map": flow(40, "0.5*x{i}", head='type = "map"'),
    "integers": flow(40, "x{i} + 1", head='type = "map"\ndtype = "int64"'),
}


@pytest.mark.parametrize("name", WIDE)
def test_wide_models_are_foreseen_well_enough_to_be_refused_at_once(name: str) -> None:
    """Never more than there is, and for each further part at least a third of what it takes."""
    empty = {"ode": flow(1, "x{i}"), "map": flow(1, "x{i}", head='type = "map"')}
    steppers = ("rk4", "tsit5", "ab2") if name == "decays" else ("rk4",)
    for stepper in steppers if 'type = "ode"' in WIDE[name] else ("map",):
        model = setup(WIDE[name], stepper=stepper).model
        least = setup(empty[model.spec.kind], stepper=stepper).model
        for kind in (Program, partial(LaneProgram, lanes=16, varied=())):
            program, base = (kind(each.spec, each.stepper) for each in (model, least))
            found = length(program)
            assert least_length(program) <= found
            assert found - length(base) <= 3 * least_length(program)


def test_vectors_are_foreseen() -> None:
    for stepper in ("rk4", "bs23"):
        model = setup(flow(12, "x{i}*(1 - x{i}) - x0"), stepper=stepper).model
        for observer in (lyapunov_max(), lyapunov_spectrum(2)):
            analysis = combine([observer], model.spec, model.stepper)
            for program in (
                Program(model.spec, model.stepper, analysis=analysis, packs=True),
                LaneProgram(model.spec, model.stepper, 16, (), analysis),
            ):
                assert least_length(program) <= length(program) <= 6 * least_length(program)


ON_REALS = sorted(name for name, op in OPS.items() if op.rule in ("arith", "real", "power"))


@pytest.mark.parametrize("name", ON_REALS)
def test_no_operation_takes_less_than_foreseen(name: str) -> None:
    """Twice, since what is far from 0 is a function of its own for some of them."""
    x, y = State(0, "x", "real"), State(1, "y", "real")
    small = setup(flow(2, "x{i}"), stepper="euler").model

    def cost(*equations: Any) -> tuple[int, int]:
        spec = replace(small.spec, equations=equations)
        return length(Program(spec, small.stepper)), instructions(equations)

    op = OPS[name]
    nodes = [build(name, *[a, b][: op.least]) for a, b in ((x, y), (y, x))]
    once, twice = cost(nodes[0], x), cost(*nodes)
    assert twice[1] - once[1] <= max(1, twice[0] - once[0])


def test_what_is_far_too_long_is_refused_before_it_is_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Program, "parts", None)  # nobody writes it
    monkeypatch.setattr(Program, "stepper_text", None)
    many = setup(coupled(1, events(3_000)), disk_cache=False)
    with pytest.raises(TooLargeError, match=r"more than \d{3},\d{3} instructions"):
        many.run(T=1.0)
    with pytest.raises(TooLargeError, match=r"more than \d{3},\d{3} instructions"):
        many.batch(ic={"x0": [1.0, 2.0]}, T=1.0)
    monkeypatch.setenv("DYNLIB_CODE_LIMIT", "10_000")
    full = setup(coupled(40), stepper="rk45", disk_cache=False)
    with pytest.raises(TooLargeError, match="DYNLIB_CODE_LIMIT"):
        full.run(T=1.0, observers=[lyapunov_max()])


def test_functions_of_a_model_are_refused_before_they_are_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(FunctionText, "module", None)
    monkeypatch.setenv("DYNLIB_CODE_LIMIT", "400")
    for jit in (True, False):
        equations = setup(coupled(20), jit=jit, disk_cache=False).equations
        y = [0.1] * 20
        with pytest.raises(TooLargeError, match="DYNLIB_CODE_LIMIT"):
            equations.jacobian(y)
        with monkeypatch.context() as patch:
            patch.setenv("DYNLIB_CODE_LIMIT", "100")
            with pytest.raises(TooLargeError, match="DYNLIB_CODE_LIMIT"):
                equations.third(y, y, y, y)


def test_plain_python_has_each_function_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without JIT functions are called, and the text has the Jacobian once."""
    monkeypatch.setenv("DYNLIB_CODE_LIMIT", "5_000")
    for jit in (False, True):
        sim = setup(coupled(20), stepper="rk45", jit=jit, disk_cache=False)
        if jit:
            with pytest.raises(TooLargeError, match="the limit is 5,000"):
                sim.run(T=0.1, observers=[lyapunov_max()])
        else:
            assert sim.run(T=0.1, observers=[lyapunov_max()]).ok


@pytest.mark.slow
def test_the_ring_that_the_docs_name_is_not_refused() -> None:
    """1,000 cells of FitzHugh and Nagumo under `rk4`, and a batch of 480 of them."""
    for cells, fast in ((1000, False), (480, True)):
        ring = "v{i} - v{i}^3/3 - w{i} + I + D*(v{j} - 2*v{i} + v{k})"
        equations = "".join(
            f'v{i} = "{ring}"\nw{i} = "0.08*(v{i} + 0.7 - 0.8*w{i})"\n'
            .replace("{i}", str(i))
            .replace("{j}", str((i + 1) % cells))
            .replace("{k}", str((i - 1) % cells))
            for i in range(cells)
        )  # fmt: skip
        states = rows(cells, "v{i} = 0.1") + rows(cells, "w{i} = 0.0")
        text = f'[model]\ntype = "ode"\n[params]\nI = 0.5\nD = 0.1\n[states]\n{states}'
        model = setup(f"{text}[equations.rhs]\n{equations}", stepper="rk4").model
        kind = partial(LaneProgram, lanes=16, varied=()) if fast else Program
        assert length(kind(model.spec, model.stepper)) <= CODE_LIMIT
