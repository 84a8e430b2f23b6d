"""Observers change no run, and what they find depends on nothing but the run itself.

Not on the path, lanes, threads, parts, the position in a batch, other observers, the room that
traces began with, or pauses: to the last bit.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastpath.batches import left_often, one_of, values_of
from observers.watching import counter, several, unlike_results, watcher
from runtime.models import BUSY, COLLATZ, DRIVEN, EXPLOSION, LAGGED, LOGISTIC, differences

from dynlib import DynlibWarning, Results, Sim, build, grid
from dynlib.abi.slots import Count
from dynlib.abi.status import Status
from dynlib.observers import EveryStep, ObserverModule, Tail, lyapunov_spectrum
from dynlib.observers.kit import combined, trace_plans
from dynlib.runtime import wrapper
from dynlib.runtime.batch import run as batch_run
from dynlib.runtime.batch.store import Store

RUNS = 7
# Hooks of these tests look at the first parameter.
MODELS: dict[str, dict[str, Any]] = {
    "driven": DRIVEN,
    "single": {**DRIVEN, "model": {**DRIVEN["model"], "dtype": "float32"}},
    "busy": BUSY,
    "lagged": LAGGED,
    "logistic": LOGISTIC,
    "collatz": COLLATZ,
    "explosion": {**EXPLOSION, "params": {"c": 1.0}},
    "stopped": {
        "model": {"type": "ode", "name": "stopped"},
        "states": {"x": 1.0},
        "params": {"k": 1.0},
        "equations": {"rhs": {"x": "-k*x"}},
        "sim": {"dt": 0.05, "t_end": 2.0, "stop": "x < 0.4"},
    },
}
# Model, stepper, how it is run, and whether tangent vectors can be followed.
CASES: dict[str, tuple[str, str | None, dict[str, Any], bool]] = {
    "grid": ("driven", "rk4", {"T": 1.0}, True),
    "multistep": ("driven", "ab3", {"T": 1.0}, True),
    "adaptive": ("driven", "rk45", {"T": 1.0}, True),
    "backwards": ("driven", "rk4", {"T": -1.0}, True),
    "last step shorter": ("driven", "rk4", {"T": 0.97}, True),
    "no time": ("driven", "rk4", {"T": 0.0}, True),
    "transient": ("driven", "rk4", {"T": 1.0, "transient": 0.33}, True),
    "adaptive transient": ("driven", "rk45", {"T": 1.0, "transient": 0.33}, True),
    "max_steps": ("driven", "rk4", {"T": 1.0, "max_steps": 7}, True),
    "adaptive max_steps": ("driven", "rk45", {"T": 1.0, "max_steps": 5}, True),
    "t_eval": ("driven", "rk4", {"T": 1.0, "t_eval": [0.2, 0.5]}, True),
    "float32": ("single", "rk4", {"T": 1.0}, True),
    "located events": ("busy", "rk4", {"T": 1.5}, True),
    "located events, adaptive": ("busy", "rk45", {"T": 1.5, "transient": 0.4}, True),
    "located events, dop853": ("busy", "dop853", {"T": 1.5}, True),
    "lags": ("lagged", "ab3", {"T": 2.0}, False),
    "map": ("logistic", None, {"N": 30}, True),
    "map, transient": ("logistic", None, {"N": 30, "transient": 7}, True),
    "no iterations": ("logistic", None, {"N": 0}, True),
    "integers": ("collatz", None, {"N": 40}, False),
    "failures": ("explosion", "rk4", {"T": 1.2}, True),
    "adaptive failures": ("explosion", "rk45", {"T": 1.2}, True),
    "stops": ("stopped", "rk4", {"T": 2.0}, True),
    "adaptive stops": ("stopped", "rk45", {"T": 2.0}, True),
}
_built: dict[tuple[str, str | None, bool], Any] = {}


def sim_of(name: str, stepper: str | None = None, *, jit: bool = False) -> Sim:
    key = (name, stepper, jit)
    if key not in _built:
        _built[key] = build(MODELS[name], stepper=stepper, jit=jit)
    return Sim(_built[key])


def values_for(model: str) -> dict[str, Any]:
    return values_of("driven" if model == "single" else model, RUNS)


class Case:
    """A case, its observers, and the single runs that everything is held against."""

    def __init__(self, name: str, *, jit: bool = False) -> None:
        self.model, self.stepper, self.options, tangents = CASES[name]
        self.observers = several(adaptive=self.stepper in ("rk45", "dop853"), tangents=tangents)
        self.sim = sim_of(self.model, self.stepper, jit=jit)
        self.values = values_for(self.model)
        self.alone = [self.run(index) for index in range(RUNS)]

    def run(self, index: int, path: str = "run", **changes: Any) -> Results:
        given = {**one_of(self.values, index), **self.options, "observers": self.observers}
        found: Results = getattr(self.sim, path)(**given, **changes, on_failure="return")
        return found

    def batch_differs(self, **means: Any) -> list[str]:
        batch = self.sim.batch(**self.values, **self.options, observers=self.observers, **means)
        found = [str(pair) for pair in zip(batch.status, self.alone, strict=True)
                 if pair[0] != pair[1].status]  # fmt: skip
        for index, one in enumerate(batch):
            found += unlike_results(one.observers, self.alone[index].observers)
        return found


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> Case:
    return Case(request.param)


def test_nothing_observed_changes(case: Case) -> None:
    for index, observed in enumerate(case.alone):
        plain = case.sim.run(**one_of(case.values, index), **case.options, on_failure="return")
        assert differences(observed, plain) == []
        assert observed.status == plain.status


@pytest.mark.parametrize("lanes", [1, 2, 8, 32])
def test_batch_is_the_loop_of_runs(case: Case, lanes: int) -> None:
    """Lanes are refilled, since there are more runs than lanes, or stay empty."""
    assert case.batch_differs(lanes=lanes, workers=2 if lanes == 2 else 1) == []


def test_fast_path(case: Case) -> None:
    for index in (0, RUNS - 1):
        fast = case.run(index, "fastpath")
        assert unlike_results(fast.observers, case.alone[index].observers) == []


@pytest.mark.parametrize(
    "name",
    [
        "adaptive",
        "located events",
        "map",
        *(pytest.param(name, marks=pytest.mark.slow) for name in ("transient", "failures")),
    ],
)
def test_compiled(name: str) -> None:
    """In the same way where it is compiled."""
    compiled = Case(name, jit=True)
    assert compiled.batch_differs(lanes=8, workers=1) == []
    fast = compiled.run(3, "fastpath")
    assert unlike_results(fast.observers, compiled.alone[3].observers) == []


@pytest.mark.parametrize("name", ["grid", "adaptive", "located events", "map, transient"])
def test_pauses(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The runner comes back after every few steps, and goes on as if it had not."""
    case = Case(name)
    monkeypatch.setattr(wrapper, "first_budget", lambda *_: 1)
    monkeypatch.setattr(wrapper, "_next_budget", lambda spent, seconds: 1)
    assert unlike_results(case.run(2).observers, case.alone[2].observers) == []


@pytest.mark.parametrize(
    "name", ["grid", "located events", "map", "map, transient", "adaptive transient"]
)
def test_pauses_of_a_batch(name: str) -> None:
    case = Case(name)
    with left_often():
        assert case.batch_differs(lanes=2, workers=1) == []


@pytest.mark.parametrize("name", ["grid", "adaptive", "located events", "map"])
def test_room_of_traces(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case(name)
    monkeypatch.setattr(trace_plans, "_FIRST_ROWS", 1)
    monkeypatch.setattr(combined, "_kept", type(combined._kept)())
    assert unlike_results(case.run(2).observers, case.alone[2].observers) == []


@pytest.mark.parametrize("name", ["grid", "adaptive", "located events", "map"])
def test_other_observers(name: str) -> None:
    """Each finds alone what it finds beside others, in whatever order."""
    case = Case(name)
    together = case.alone[1].observers
    for observers in ([case.observers[0]], case.observers[1:2], case.observers[::-1]):
        case.observers = observers
        found = case.run(1).observers
        assert unlike_results(found, {label: together[label] for label in found}) == []


@pytest.mark.parametrize(
    ("name", "jit"),
    [("grid", True), *((n, False) for n in ("grid", "multistep", "located events", "map", "lags"))],
)
def test_resumed(name: str, jit: bool, tmp_path: Path) -> None:
    """A run in two pieces, with a snapshot file and another session between them."""
    model, stepper, options, tangents = CASES[name]
    horizon = "N" if "N" in options else "T"
    observers = several(tangents=tangents)
    whole = sim_of(model, stepper, jit=jit).run(**options, observers=observers)
    first = sim_of(model, stepper, jit=jit)
    half = {horizon: type(options[horizon])(options[horizon] * 0.5)}
    options = half if horizon == "N" else options  # as many again
    first.run(**half, observers=observers)
    first.save_snapshot(tmp_path / "half.snap")
    second = sim_of(model, stepper, jit=jit)
    second.load_snapshot(tmp_path / "half.snap")
    second.save_snapshot(tmp_path / "again.snap")
    for sim, path in ((first, None), (second, None), (sim_of(model, stepper, jit=jit), "again")):
        if path is not None:
            sim.load_snapshot(tmp_path / f"{path}.snap")
        resumed = sim.run(**options, resume=True, observers=observers)
        assert unlike_results(resumed.observers, whole.observers) == []


def test_others_on_resume_start_anew_and_say_so(tmp_path: Path) -> None:
    sim = sim_of("logistic")
    sim.run(N=10, observers=[counter()])
    sim.save_snapshot(tmp_path / "ten.snap")
    assert sim.run(N=5, resume=True, observers=[counter()]).observers["counter"].steps == 15
    sim.load_snapshot(tmp_path / "ten.snap")
    other = watcher(Tail(2))
    with pytest.warns(
        DynlibWarning, match=r"other observers than the snapshot .*ten\.snap has"
    ) as said:
        found = sim.run(N=15, resume=True, observers=[other]).observers
    assert said[0].filename == __file__
    assert found["watcher"].last_step == 1
    with pytest.warns(DynlibWarning, match="other observers than the run in progress has"):
        assert sim.run(N=20, resume=True, observers=[counter()]).observers["counter"].steps == 20
    sim.run(N=25, resume=True)  # without observers: nothing is claimed to go on
    sim.run(N=30, resume=True, observers=[counter()])
    with pytest.raises(DynlibWarning):  # warnings are errors here: nothing is changed
        sim.run(N=35, resume=True, observers=[other])
    assert sim.run(N=35, resume=True, observers=[counter()]).observers["counter"].steps == 65
    sim.load_snapshot(tmp_path / "ten.snap")
    assert len(sim.run(N=15, resume=True).observers) == 0


def test_interrupted_and_resumed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C between two steps loses nothing of what observers have."""
    observers = several()
    whole = sim_of("driven", "rk4").run(T=3.0, observers=observers)
    sim = sim_of("driven", "rk4")

    class Pressed:
        seen = True
        watch = release = lambda self: None

    with monkeypatch.context() as patch:
        patch.setattr(wrapper, "first_budget", lambda *model: 17)
        patch.setattr(wrapper, "Interrupt", Pressed)
        broken = sim.run(T=3.0, observers=observers)
    assert broken.status is Status.USER_BREAK
    assert sim._session.state.machine.count[Count.STEP] == 17
    resumed = sim.run(T=3.0, resume=True, observers=observers)
    assert unlike_results(resumed.observers, whole.observers) == []


@pytest.mark.parametrize("parts", [0, 2])
def test_store(parts: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch that was killed while it filled a store finds what an undisturbed one finds."""
    pytest.importorskip("zarr")
    monkeypatch.setattr(batch_run, "_SMALLEST_ON_DISK", 4)
    call: dict[str, Any] = {
        "params": grid(r=np.linspace(2.5, 4.3, 6), x=[0.3, 0.4]), "N": 25,
        "observers": [watcher(EveryStep(4)), lyapunov_spectrum(trace=Tail(2, 5))],
    }  # fmt: skip
    whole = sim_of("logistic").batch(**call)
    put: Callable[..., None] = Store.put
    left = [parts]

    def put_some(self: Store, first: int, table: Any) -> None:
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        put(self, first, table)

    with monkeypatch.context() as patch:
        patch.setattr(Store, "put", put_some)
        with pytest.raises(KeyboardInterrupt):
            sim_of("logistic").batch(**call, out=tmp_path / "plane.zarr")
    stored = sim_of("logistic").batch(**call, out=tmp_path / "plane.zarr")
    assert unlike_results(stored.observers, whole.observers) == []
    assert unlike_results(stored[2, 1].observers, whole[5].observers) == []


def test_without_observers_nothing_of_them_is_compiled() -> None:
    """The text of a runner has no word about observers, whoever else has been observed."""
    from dynlib.compiler.codegen.program import Program
    from dynlib.compiler.codegen.runner_variants import RunnerVariant, module_of

    def text() -> str:
        model = build(DRIVEN, stepper="rk4", jit=False)
        return module_of(Program(model.spec, model.stepper), RunnerVariant.BASE).text

    before = text()
    sim_of("driven", "rk4").run(T=0.2, observers=several())
    assert text() == before
    assert "ANALYSIS" not in before
    assert "trace_room" not in before


def test_hooks_see_the_type_of_the_model() -> None:
    """States of integers are integers in a hook, and stay exact."""

    def keep(
        lane, t, dt, step, y_curr, y_prev, params, runtime_ws, analysis_ws, analysis_out,
        trace_buf, trace_count, trace_cap, trace_stride,
    ):  # fmt: skip
        analysis_out[0, lane] = y_curr[0, lane] % 1000
        analysis_out[1, lane] = y_curr[0, lane] // 7 - y_prev[0, lane] // 7

    observer = ObserverModule("digits", outputs=["last", "change"], post_step=keep)
    start = 2**60 + 12345
    for jit in (False, True):
        found = sim_of("collatz", jit=jit).run(N=1, ic={"m": start}, observers=[observer])
        after = 3 * start + 1
        assert found.final["m"] == after
        assert found.observers["digits"].last == after % 1000
        assert found.observers["digits"].change == after // 7 - start // 7
