"""Tangent vectors in packs have the bits of vectors that are stepped one by one.

Compiled single runs are held against the same without packs, against plain Python, whose vectors
have the same bits but whose logarithms may not, and against lanes.
"""

from collections.abc import Sequence
from itertools import cycle
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from observers.everyone import everyone
from observers.tangents import LOOK, Tangents
from observers.watching import counter, unlike_results
from runtime.models import BUSY, DRIVEN, EXPLOSION, LOGISTIC, differences

from dynlib import Results, Sim, build
from dynlib.abi.slots import Count
from dynlib.abi.status import Status
from dynlib.compiler.codegen.program import Program
from dynlib.compiler.codegen.runner_variants import RunnerVariant, module_of
from dynlib.compiler.codegen.tangent_layout import TangentLayout
from dynlib.compiler.llvm.translate import translate
from dynlib.compiler.model import CompiledModel
from dynlib.dsl.spec import ModelSpec
from dynlib.observers import ObserverModule, TraceSpec, lyapunov_max
from dynlib.observers import lyapunov_spectrum as spectrum
from dynlib.observers.kit import combined, trace_plans
from dynlib.observers.kit.part import HookText, Part
from dynlib.plans import EveryStep, FinalState, Tail
from dynlib.runtime import wrapper
from dynlib.steppers.base import Stepper
from dynlib.steppers.explicit_rk import ExplicitRK
from dynlib.steppers.problem import Problem
from dynlib.steppers.tableaus.fixed import HEUN

AT_STEPS = {"cond": "x > 0.25 and t > 1", "locate": False}  # which leaves steps whole
MODELS: dict[str, Any] = {
    "driven": DRIVEN,
    "lorenz": "builtin://ode/lorenz",
    "henon": "builtin://map/henon",
    "explosion": EXPLOSION,
    "stopped": {**DRIVEN, "sim": {**DRIVEN["sim"], "stop": AT_STEPS}},
    "halved": {
        "model": {"type": "map", "name": "halved"},
        "states": {"x": 0.3, "y": 0.9},
        "equations": {"rhs": {"x": "1 - y", "y": "0.5"}},  # rows without a derivative
    },
    "busy": BUSY,
    "logistic": LOGISTIC,
    "single": {**DRIVEN, "model": {**DRIVEN["model"], "dtype": "float32"}},
}
MODELS["ring"] = {
    "model": {"type": "ode", "name": "ring"},
    "states": {f"x{i}": 0.1 * i for i in range(21)},
    "equations": {"rhs": {f"x{i}": f"x{(i + 1) % 21} - x{i}" for i in range(21)}},
}
MOST = 8  # vectors in packs
_built: dict[Any, CompiledModel] = {}


def sim_of(name: str, stepper: str | None = None, *, jit: bool = True) -> Sim:
    key = (name, stepper, jit)
    if key not in _built:
        _built[key] = build(MODELS[name], stepper=stepper, jit=jit)
    return Sim(_built[key])


class OneByOne(CompiledModel):
    """A model whose runners have no packs."""

    def runner(self, **given: Any) -> Any:
        with patch.object(TangentLayout, "packable", False):
            return super().runner(**given)


def without_packs(name: str, stepper: str | None = None) -> Sim:
    key = (name, stepper, None)
    if key not in _built:
        model = sim_of(name, stepper).model
        _built[key] = OneByOne(model.spec, model.stepper, disk_cache=model.disk_cache)
    return Sim(_built[key])


def program(sim: Sim, observers: Sequence[ObserverModule]) -> Program:
    spec, stepper = sim.model.spec, sim.model.stepper
    return Program(spec, stepper, analysis=combined.combine(observers, spec, stepper), packs=True)


def in_packs(sim: Sim, observers: Sequence[ObserverModule]) -> bool:
    text = module_of(program(sim, observers), RunnerVariant.ANALYSIS).text
    assert ("load_packs" in text) == ("store_packs" in text)
    return "load_packs" in text


def watchers() -> list[ObserverModule]:
    """Observers that have three tangent vectors together, and look at them in some even steps."""
    return [lyapunov_max(renorm_every=6), spectrum(2, renorm_every=4, trace=EveryStep(8))]


class Vectors(ObserverModule):
    """Traces any number of vectors at every second step."""

    key = "vectors"

    def __init__(self, count: int) -> None:
        self.count = count
        super().__init__()

    def signature(self) -> str:
        return f"{LOOK} {self.count}"

    def bind(self, spec: ModelSpec, stepper: Stepper) -> Part:
        n = len(spec.states)
        vectors = np.cos(np.arange(self.count * n) ** 2).reshape(self.count, n)
        return Part(
            tangents=tuple(tuple(map(float, vector)) for vector in vectors),
            trace=TraceSpec(tuple(f"v{i}" for i in range(vectors.size))),
            texts=(HookText("every", LOOK, 2),),
            words={"SIZE": vectors.size},
        )


def unlike(one: Results, other: Results) -> list[str]:
    found = differences(one, other) + unlike_results(one.observers, other.observers)
    return found if one.status == other.status else [f"{one.status} {other.status}", *found]


def unlike_vectors(one: Results, other: Results) -> list[str]:
    (here, there) = ({"tangents": each.observers["tangents"]} for each in (one, other))
    return unlike_results(here, there)


def compared(
    name: str, stepper: str | None, observers: Sequence[ObserverModule], **run: Any
) -> Results:
    """The run with packs, which is the same as without."""
    sim = sim_of(name, stepper)
    assert in_packs(sim, observers)
    found = sim.run(observers=observers, **run)
    assert unlike(found, without_packs(name, stepper).run(observers=observers, **run)) == []
    return found


CASES: dict[str, tuple[str, str | None, dict[str, Any]]] = {
    "euler": ("driven", "euler", {"T": 2.0}),
    "heun": ("driven", "heun", {"T": 2.0}),
    "rk2": ("driven", "rk2", {"T": 2.0}),
    "rk4": ("lorenz", "rk4", {"T": 0.7, "dt": 0.01}),
    "map": ("henon", None, {"N": 70}),
    "no derivative": ("halved", None, {"N": 20}),
}


@pytest.mark.parametrize(
    ("case", "vectors"),
    [
        *((case, 3) for case in CASES),
        *(("rk4", k) for k in (1, 5, MOST, MOST + 1)),
        *(("map", k) for k in (2, MOST + 1)),
        *(
            pytest.param(case, k, marks=pytest.mark.slow)
            for case, k in (("rk4", 2), ("map", 1), ("map", 5), ("map", MOST))
        ),
    ],
)
def test_any_number_of_vectors(case: str, vectors: int) -> None:
    name, stepper, run = CASES[case]
    sim, observers = sim_of(name, stepper), [Vectors(vectors)]
    assert in_packs(sim, observers) == (vectors <= MOST)
    if vectors <= MOST:
        compared(name, stepper, observers, **run)
    (x, *_) = sim.state
    starts = [sim.state[x], 0.11, 0.2]
    lanes = sim.batch(ic={x: starts}, observers=observers, plan=FinalState(), **run)
    for start, lane in zip(starts, lanes, strict=True):
        alone = sim.run(ic={x: start}, observers=observers, **run)
        assert unlike_results(alone.observers, lane.observers) == []


@pytest.mark.parametrize("case", CASES)
def test_plain_python(case: str) -> None:
    name, stepper, run = CASES[case]
    observers = [Tangents(), lyapunov_max(renorm_every=3)]
    found = compared(name, stepper, observers, **run)
    plain = sim_of(name, stepper, jit=False).run(observers=observers, **run)
    assert differences(found, plain) == unlike_vectors(found, plain) == []


# With vectors of its own, in groups; without, at all steps, and at some.
OFTEN = ("lyapunov_spectrum", "covariant_vectors", "features", "poincare")


@pytest.mark.parametrize(
    "name",
    [
        *OFTEN,
        *(pytest.param(n, marks=pytest.mark.slow) for n in everyone() if n not in OFTEN),
    ],
)
def test_every_observer(name: str) -> None:
    """With tangent vectors of its own, or beside them: no hook looks at them where they are not."""
    observers = [everyone()[name], lyapunov_max(renorm_every=3, name="beside")]
    compared("driven", "rk4", observers, T=6.0)


def test_all_observers() -> None:
    few = [each for each in everyone().values() if each.key not in ("gali", "covariant_vectors")]
    compared("driven", "rk4", few, T=6.0)


@pytest.mark.parametrize(
    "run",
    [
        {"T": -1.0},
        {"T": 0.97},
        {"T": 0.0},
        {"T": 1.0, "transient": 0.33},
        {"T": 1.0, "max_steps": 7, "on_failure": "return"},
        {"T": 1.0, "t_eval": [0.2, 0.51]},
        {"T": 1.0, "record": False},
        {"T": 1.0, "record_interval": 4, "t0": 0.3},
    ],
    ids=lambda run: ", ".join(f"{key} {value}" for key, value in run.items()),
)
def test_every_kind_of_run(run: dict[str, Any]) -> None:
    compared("driven", "rk4", watchers(), **run)


@pytest.mark.parametrize(
    ("name", "run", "status"),
    [
        ("explosion", {"T": 1.3, "dt": 0.02}, Status.NAN_DETECTED),
        ("stopped", {"T": 9.0}, Status.EARLY_EXIT),
    ],
)
def test_runs_that_end_early(name: str, run: dict[str, Any], status: Status) -> None:
    vectors = [lyapunov_max(trace=EveryStep(10))]
    found = compared(name, "rk4", vectors, **run, on_failure="return")
    assert found.status is status


def test_observers_that_end_runs() -> None:
    observers = [lyapunov_max(renorm_every=1, target_se=0.5)]
    found = compared("henon", None, observers, N=9000)
    assert found.status is Status.EARLY_EXIT


@pytest.mark.parametrize("case", ["rk4", "map"])
@given(
    sizes=st.lists(st.integers(1, 9), min_size=1, max_size=5),
    transient=st.integers(0, 60),
    x=st.floats(-0.5, 0.5),
)
def test_pauses(case: str, sizes: list[int], transient: int, x: float) -> None:
    """The loop is left and entered again every few steps, and its buffers grow."""
    name, stepper, run = CASES[case]
    run = {**run, "transient": transient * run.get("dt", 1), "ic": {"x": x}}
    whole = without_packs(name, stepper).run(observers=watchers(), **run)
    budgets = cycle(sizes)
    with (
        patch.multiple(wrapper, first_budget=lambda *_: 1, _next_budget=lambda *_: next(budgets)),
        patch.multiple(wrapper, _MOST_ROWS=2),
        patch.multiple(trace_plans, _FIRST_ROWS=1),
    ):
        found = sim_of(name, stepper).run(observers=watchers(), **run)
    assert unlike(found, whole) == []


@pytest.mark.parametrize("case", ["rk2", "rk4", "map"])
@pytest.mark.parametrize("packs", [(True, True), (True, False), (False, True)], ids=str)
def test_resumed(case: str, packs: tuple[bool, bool], tmp_path: Path) -> None:
    """From a snapshot, which a run without packs can have taken, or can go on from."""
    name, stepper, run = CASES[case]
    key = "N" if "N" in run else "T"
    half = run[key] // 2 if key == "N" else run[key] / 2
    observers = watchers()
    whole = compared(name, stepper, observers, **run)
    first, second = (sim_of(name, stepper) if p else without_packs(name, stepper) for p in packs)
    first.run(**{**run, key: half}, observers=observers)
    first.save_snapshot(tmp_path / "half.snap")
    second.load_snapshot(tmp_path / "half.snap")
    for sim in (first, second):
        more = {**run, key: half} if key == "N" else run
        resumed = sim.run(**more, resume=True, observers=observers)
        assert unlike_results(resumed.observers, whole.observers) == []
        assert np.array_equal(resumed.final.array, whole.final.array)


def test_interrupted_and_resumed(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = compared("driven", "rk4", watchers(), T=3.0)
    sim = sim_of("driven", "rk4")

    class Pressed:
        seen = True
        watch = release = lambda self: None

    with monkeypatch.context() as changed:
        changed.setattr(wrapper, "first_budget", lambda *_: 17)
        changed.setattr(wrapper, "Interrupt", Pressed)
        broken = sim.run(T=3.0, observers=watchers())
    assert broken.status is Status.USER_BREAK
    assert sim._session.state.machine.count[Count.STEP] == 17
    resumed = sim.run(T=3.0, resume=True, observers=watchers())
    assert unlike_results(resumed.observers, whole.observers) == []


def test_vectors_are_stepped_together() -> None:
    made = program(sim_of("lorenz", "rk4"), [spectrum()])
    module = module_of(made, RunnerVariant.ANALYSIS)
    assembly = translate(module.text, module.functions, module.entry, "float64")
    assert "call <4 x double> @llvm.fma.v4f64(" in assembly


# -- where there are no packs -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "stepper"),
    [
        *(("lorenz", stepper) for stepper in ("bs23", "rk45", "tsit5", "ab2", "ab3")),
        ("busy", "rk4"),
        ("logistic", None),  # has an event
        ("single", "rk4"),
        ("ring", "rk4"),
    ],
)
def test_models_and_steppers_without_packs(name: str, stepper: str | None) -> None:
    assert not in_packs(sim_of(name, stepper), [lyapunov_max()])


def test_attempts_that_may_be_refused_have_no_packs() -> None:
    stepper = sim_of("driven", "rk4").model.stepper
    assert TangentLayout(2, 1, stepper, in_place=True).packable
    assert not TangentLayout(2, 1, stepper).packable


def test_hooks_of_users_see_no_packs() -> None:
    assert not in_packs(sim_of("driven", "rk4"), [lyapunov_max(), counter()])


def test_nothing_but_packs_asks_for_them() -> None:
    """Neither plain Python nor lanes."""
    spec, stepper = sim_of("driven", "rk4").model.spec, sim_of("driven", "rk4").model.stepper
    made = Program(spec, stepper, analysis=combined.combine([spectrum()], spec, stepper))
    assert made.tangents is not None
    assert not made.tangents.in_packs


class Looking(Tangents):
    """Traces tangent vectors from a hook of another kind, itself or by a helper."""

    def __init__(self, kind: str, helper: str) -> None:
        self.kind, self.helper = kind, helper
        super().__init__()

    def signature(self) -> str:
        return f"{self.kind} {self.helper}"

    def bind(self, spec: ModelSpec, stepper: Stepper) -> Part:
        part = super().bind(spec, stepper)
        look, helpers = LOOK, tuple[str, ...]()
        if self.helper:
            look = LOOK.replace("load_rows(analysis_ws[TAN:], 0, SIZE, lane)", self.helper)
            rows = "load_rows(analysis_ws[TAN:], 0, SIZE, lane)"
            helpers = (f"def seen_OBS(lane, analysis_ws):\n    return {rows}",)
        return Part(
            tangents=part.tangents, trace=part.trace, words=part.words, helpers=helpers,
            texts=(HookText(self.kind, look, 1),),
        )  # fmt: skip


@pytest.mark.parametrize("kind", ["pre", "post", "every"])
@pytest.mark.parametrize("helper", ["", "seen_OBS(lane, analysis_ws)"], ids=["itself", "helper"])
def test_who_looks_within_steps_finds_vectors(kind: str, helper: str) -> None:
    observers: list[ObserverModule] = [Looking(kind, helper), spectrum(renorm_every=7)]
    sims = [sim_of("driven", "rk4", jit=jit) for jit in (True, False)]
    assert in_packs(sims[0], observers) == (kind == "every")
    found, plain = (sim.run(T=1.0, observers=observers) for sim in sims)
    assert differences(found, plain) == unlike_vectors(found, plain) == []
    assert len(found.observers["tangents"].trace) == 20
    assert len(np.unique(found.observers["tangents"].trace[:, 0])) > 15


class Bounded(ExplicitRK):
    """Heun's method with a look at each component, which is none of arithmetic."""

    def emit(self, problem: Problem) -> str:
        ends = "".join(f"    v{i} = v{i} if v{i} < 1e300 else nan\n" for i in range(problem.n))
        return super().emit(problem).replace("    return (v0", f"{ends}    return (v0")


def test_a_stepper_that_looks_at_components() -> None:
    spec, method = sim_of("driven", "heun").model.spec, Bounded("bounded", HEUN, "nobody")
    observers = [spectrum(trace=Tail(3, 10))]
    sim = Sim(CompiledModel(spec, method, disk_cache=None))
    assert not in_packs(sim, observers)  # which is found before anything is compiled
    found = sim.run(T=1.0, observers=observers)
    assert unlike(found, sim_of("driven", "heun").run(T=1.0, observers=observers)) == []
