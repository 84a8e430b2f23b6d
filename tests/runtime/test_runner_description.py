"""The description of the runner layer, sentence by sentence; ``docs/runner-types.md`` tells it."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from observers.watching import counter, several, watcher
from runtime.models import DRIVEN
from trajectories import compiled, go, start

import dynlib
from dynlib import RunFailed, setup
from dynlib.abi.runner_args import RUNNER_ARGS
from dynlib.abi.slots import Trace
from dynlib.abi.status import Status
from dynlib.compiler.codegen import runner_variants
from dynlib.compiler.codegen.runner_variants import (
    _RUNNER_TEMPLATE_MAP,
    RunnerKey,
    RunnerVariant,
    analysis_signature_hash,
    compile_analysis_hooks,
    get_runner,
)
from dynlib.compiler.jit.disk_cache import DiskCache
from dynlib.compiler.jit.engines import LLVM, PYTHON
from dynlib.compiler.jit.numba_hooks import Hooks
from dynlib.observers import (
    CombinedObserver,
    EveryStep,
    ObserverModule,
    features,
    lyapunov_max,
)
from dynlib.plans import FinalState, Stride, Tail, TailWindow
from dynlib.runtime.buffers import Buffers
from dynlib.runtime.fastpath import executor
from dynlib.runtime.fastpath.recording_plans import RecordingPlan
from dynlib.runtime.wrapper import RunRequest, run_with_wrapper

LORENZ, HENON, BALL = "builtin://ode/lorenz", "builtin://map/henon", "builtin://ode/bouncing-ball"


def combined(observers: list[ObserverModule], model: Any = None) -> CombinedObserver:
    model = model or compiled(HENON)
    return CombinedObserver(observers, model.spec, model.stepper)


@pytest.fixture
def caches(monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[RunnerKey]]:
    """Empty caches in memory; the keys in both of them, flows first."""
    names = ("_variant_cache_continuous", "_variant_cache_discrete")
    for name in names:
        monkeypatch.setattr(runner_variants, name, type(getattr(runner_variants, name))())
    return lambda: [key for name in names for key in getattr(runner_variants, name)]


# --- the ordinary runner --------------------------------------------------------------------------


def test_the_runner_abi_is_frozen_and_takes_data_alone() -> None:
    for discrete in (False, True):
        head = _RUNNER_TEMPLATE_MAP[RunnerVariant.BASE, discrete][0].split(":")[0]
        taken = head[head.index("(") + 1 : -1].split(", ")
        assert taken == ["lane", *(arg.name for arg in RUNNER_ARGS)]
    assert {arg.kind for arg in RUNNER_ARGS} == {"f8", "i8", "y"}  # no function handles


def test_the_wrapper_allocates_once_where_steps_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    rows = Buffers._rows
    monkeypatch.setattr(Buffers, "_rows", lambda self, n: (made.append(n), rows(self, n))[1])
    raw = go(compiled(LORENZ, "rk4"), 1.0, dt=0.01).raw
    assert made == [101]
    assert len(raw.t) == 101


@pytest.mark.parametrize("source", [LORENZ, HENON])
def test_flows_and_maps_share_the_runner_templates_and_the_abi(source: str) -> None:
    discrete = source == HENON
    span: dict[str, Any] = {"n_end": 20} if discrete else {"t_end": 0.2, "dt": 0.01}
    model = compiled(source, None if discrete else "rk4")
    raw = run_with_wrapper(model, start(model), RunRequest(**span))
    assert raw.status is Status.DONE
    assert len(raw.t) == 21
    heads = [_RUNNER_TEMPLATE_MAP[RunnerVariant.BASE, kind][0].split(":")[0] for kind in (0, 1)]
    assert heads[0].replace("_ode", "_map") == heads[1]


def test_the_wrapper_answers_what_the_runner_says() -> None:
    """Buffers grow and the run goes on as if they had been large enough; the rest ends it."""
    model = compiled(BALL, "rk4")
    found = []
    for first in ({}, {"first_rows": 1, "first_events": 1}):
        request = RunRequest(t_end=4.0, dt=0.01, **first)
        raw = run_with_wrapper(model, start(model), request)
        found.append([raw.status, raw.y.tobytes(), raw.evt_t.tobytes(), raw.evt_log.tobytes()])
    assert found[0] == found[1]
    assert found[0][0] is Status.DONE
    assert found[0][2]
    stopping = {**DRIVEN, "sim": {"stop": "x > 0.3"}}
    assert setup(stopping, stepper="rk4", jit=False).run(T=5.0).status is Status.EARLY_EXIT
    explosive = {
        "model": {"type": "ode"},
        "states": {"x": 1.0},
        "equations": {"rhs": {"x": "x**3"}},
    }
    with pytest.raises(RunFailed) as failed:
        setup(explosive, stepper="rk4", jit=False).run(T=5.0, dt=0.01)
    assert failed.value.status is Status.NAN_DETECTED
    assert len(failed.value.results.t) > 10


# --- what is copied into the results --------------------------------------------------------------


@pytest.mark.parametrize("stepper", ["rk4", "rk45"])
@pytest.mark.parametrize("jit", [False, True])
def test_final_state_and_dt_are_in_the_results_of_every_path(stepper: str, jit: bool) -> None:
    sim = setup(LORENZ, stepper=stepper, jit=jit)
    span: dict[str, Any] = {"T": 0.5} | ({"dt": 0.01} if stepper == "rk4" else {})
    starts = [1.0, 2.0, 3.0]
    batch = sim.batch(ic={"x": starts}, **span)
    assert batch.final_dt.shape == (3,)
    assert batch.final_dt.dtype == np.float64
    for i, x in enumerate(starts):
        run = sim.run(ic={"x": x}, **span)
        fast = sim.fastpath(ic={"x": x}, **span)
        assert run.final_dt == fast.final_dt == batch.final_dt[i] == batch[i].final_dt
        assert dict(run.final) == dict(fast.final) == dict(batch[i].final)
    assert (stepper != "rk4") or run.final_dt == 0.01
    assert setup(HENON, jit=jit).run(N=3).final_dt == 1


def test_final_dt_is_the_step_that_a_run_goes_on_with() -> None:
    sim = setup(LORENZ, stepper="rk45", jit=False)
    ends = [sim.run(T=50.0, max_steps=n, on_failure="return") for n in range(5, 30)]
    assert ends[0].status is Status.MAX_STEPS
    kept = 0
    for before, after in itertools.pairwise(ends):
        if before.stats.rejected == after.stats.rejected:
            assert after.t[-1] == before.t[-1] + before.final_dt
            kept += 1
    assert kept > 5
    backwards = setup(LORENZ, stepper="rk4", jit=False).run(T=-0.1, dt=0.01, t0=0.0)
    assert backwards.final_dt == -0.01


def test_final_dt_is_saved_and_in_the_tables(tmp_path: Path) -> None:
    sim = setup(LORENZ, stepper="rk45", jit=False)
    run, batch = sim.run(T=0.3), sim.batch(ic={"x": [1.0, 2.0]}, T=0.3)
    for suffix in (".npz", ".nc"):
        for result, name in ((run, "run"), (batch, "batch")):
            result.save(tmp_path / f"{name}{suffix}")
            again = dynlib.load_results(tmp_path / f"{name}{suffix}")
            np.testing.assert_array_equal(again.final_dt, result.final_dt)
    stored = sim.batch(ic={"x": [1.0, 2.0]}, T=0.3, out=tmp_path / "batch.zarr")
    for each in (batch, stored):
        np.testing.assert_array_equal(each.final_dt, batch.final_dt)
        np.testing.assert_array_equal(each.to_xarray()["final_dt"], batch.final_dt)
        np.testing.assert_array_equal(each.to_pandas()["final_dt"], batch.final_dt)
    assert run.to_xarray().attrs["final_dt"] == run.to_pandas().attrs["final_dt"] == run.final_dt


# --- the fast path --------------------------------------------------------------------------------


@pytest.mark.parametrize("plan", [FinalState(), Stride(3), TailWindow(4, 2), TailWindow(500)])
@pytest.mark.parametrize("source", [LORENZ, HENON])
def test_everything_is_sized_by_the_capacity_of_the_plan(
    plan: RecordingPlan, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim = setup(source, jit=False, stepper="rk4" if source == LORENZ else None)
    span: dict[str, Any] = {"T": 0.5, "dt": 0.01} if source == LORENZ else {"N": 50}
    rooms: list[int] = []
    room = executor.record_room
    monkeypatch.setattr(
        executor, "record_room", lambda m, r, rows: (rooms.append(rows), room(m, r, rows))[1]
    )
    aux = {"record_vars": ["x"]}
    assert len(sim.fastpath(plan=plan, **span, **aux).t) == plan.capacity(50)
    assert rooms == [
        0 if plan == FinalState() else plan.capacity(50)
    ]  # that row is the final state


def test_capacity_is_the_decision_and_not_beside_another_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        RecordingPlan, "capacity", lambda self, n: min(3, self.window(n).rows), raising=True
    )
    sim = setup(HENON, jit=False)
    assert sim.fastpath(N=10, plan=Stride(2)).t.tolist() == [0, 2, 4]
    batch = sim.batch(ic={"x": [0.1, 0.2]}, N=10, plan=Stride(2))
    assert batch["x"].shape == (2, 3)


def test_the_event_log_of_the_fast_path_is_emptied_and_never_grows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sim = setup(BALL, stepper="rk4", jit=False)
    expected = sim.run(T=4.0, dt=0.01).events.merged
    monkeypatch.setattr(executor, "_LOG_ROWS", 4)
    said = []
    call = executor._Batch._call_runner

    def listening(self: Any, bundle: Any, interrupt: Any) -> None:
        runner = bundle.call
        bundle.call = lambda: (said.append(Status(runner())), said[-1])[1]
        call(self, bundle, interrupt)

    monkeypatch.setattr(executor._Batch, "_call_runner", listening)
    found = sim.fastpath(T=4.0, dt=0.01).events.merged
    assert list(found) == list(expected)
    assert len(list(found)) > 4
    assert Status.GROW_EVT in said
    assert said[-1] is Status.DONE
    assert not set(said) & {Status.GROW_REC, Status.TRACE_OVERFLOW}


def test_single_runs_batches_threads_and_parts_share_one_call_site(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bundles: list[Any] = []
    call = executor._Batch._call_runner

    def counting(self: Any, bundle: Any, interrupt: Any) -> None:
        assert isinstance(bundle, executor._WorkspaceBundle)
        assert isinstance(bundle.context, executor._RunContext)
        bundles.append(bundle)
        call(self, bundle, interrupt)

    monkeypatch.setattr(executor._Batch, "_call_runner", counting)
    sim = setup(HENON, jit=False)
    starts = {"x": np.linspace(0.0, 0.1, 6)}
    for expected, run in (
        (1, lambda: sim.fastpath(N=5)),
        (1, lambda: sim.batch(ic=starts, N=5, workers=1)),
        (2, lambda: sim.batch(ic=starts, N=5, workers=2)),
        (None, lambda: sim.batch(ic=starts, N=5, workers=1, out=tmp_path / "a.zarr")),  # its parts
    ):
        bundles.clear()
        run()
        assert bundles
        assert expected is None or len(bundles) == expected


# --- analysis runners -----------------------------------------------------------------------------


def test_observers_switch_both_paths_to_an_analysis_variant(
    caches: Callable[[], list[RunnerKey]],
) -> None:
    for observers, kinds in (
        ([], ["base", "fastpath"]),
        ([features("mean")], ["analysis", "fastpath_analysis"]),
    ):
        sim = setup(HENON, jit=False)
        before = len(caches())
        sim.run(N=3, observers=observers)
        sim.fastpath(N=3, observers=observers)
        keys = caches()[before:]
        assert [key.variant for key in keys] == kinds  # each has a kernel of its own
        assert all(bool(key.analysis_sig) == bool(observers) for key in keys)


def test_hooks_are_globals_of_the_runner() -> None:
    model = compiled(HENON)
    program = runner_variants.Program(model.spec, model.stepper, analysis=combined([counter()]))
    module = runner_variants.module_of(program, RunnerVariant.ANALYSIS)
    assert "ANALYSIS_POST" in module.functions
    assert "post_hook_0(" in module.text
    assert "ANALYSIS_PRE" not in module.text  # which nobody has


def test_compile_analysis_hooks_compiles_them_or_gives_a_no_op(
    caches: Callable[[], list[RunnerKey]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """And `get_runner` uses it, for kernels that it finds nowhere."""
    made: list[Any] = []

    def counting(*args: Any, **kwargs: Any) -> Any:
        made.append(compile_analysis_hooks(*args, **kwargs))
        return made[-1]

    monkeypatch.setattr(runner_variants, "compile_analysis_hooks", counting)
    model = compiled(HENON)
    observed = combined([counter()])
    program = runner_variants.Program(model.spec, model.stepper, analysis=observed)
    cache = DiskCache(tmp_path)
    for _ in range(3):
        get_runner(RunnerVariant.ANALYSIS, program, LLVM, disk_cache=cache)
    (hooks,) = made  # in memory from then on
    assert isinstance(hooks, Hooks)
    assert "post_hook_0" in hooks
    assert len(hooks.modules) == 1
    assert "define" in hooks.modules[0]
    runner_variants._variant_cache_discrete.clear()
    get_runner(RunnerVariant.ANALYSIS, program, LLVM, disk_cache=cache)
    assert len(made) == 1  # and on disk
    assert set(compile_analysis_hooks(observed, PYTHON)) == {"post_hook_0"}
    assert compile_analysis_hooks(None, PYTHON) == {}
    assert "post_hook_0" not in compile_analysis_hooks(None, LLVM)


def test_the_runner_key_has_the_signature_of_the_hooks_content(
    caches: Callable[[], list[RunnerKey]],
) -> None:
    model = compiled(HENON)
    for observers in ([counter()], [watcher()], [counter()]):
        model.runner(analysis=combined(observers))
    assert {key.analysis_sig for key in caches()} == {
        analysis_signature_hash(combined([counter()])),
        analysis_signature_hash(combined([watcher()])),
    }


def test_analysis_tells_its_kind_and_record_interval_single_or_combined() -> None:
    one, two = watcher(EveryStep(6)), lyapunov_max(trace=Tail(9, 4), name="growth")
    assert (one.trace.record_interval(), one.analysis_kind) == (6, "watcher")
    assert two.analysis_kind == "lyapunov_max"
    for observers, kind, interval, columns in (
        ([one], "watcher", 6, ("change", "sum")),
        ([two], "lyapunov_max", 4, combined([two]).parts[0].trace.columns),
        ([counter()], "counter", 1, ()),
        ([one, two], "watcher+lyapunov_max", 2, None),
    ):
        found = combined(observers)
        assert (found.analysis_kind, found.trace.record_interval()) == (kind, interval)
        assert columns is None or found.trace.columns == columns
    assert combined([one, two]).trace.columns[:2] == ("watcher.change", "watcher.sum")
    table, _ = combined([one, two]).trace_table(None)
    assert table[:, Trace.STRIDE].tolist() == [6, 4]  # what the runner goes by


@pytest.mark.parametrize("stepper", ["rk4", "rk45"])
def test_the_fast_path_gives_the_payloads_of_the_ordinary_wrapper(stepper: str) -> None:
    """Both build them by `build_observer_metadata`: outputs, traces, columns, facts, type."""
    sim = setup(DRIVEN, stepper=stepper, jit=False)
    observers = several(adaptive=stepper == "rk45")
    span: dict[str, Any] = {"T": 3.0} | ({"dt": 0.1} if stepper == "rk4" else {})
    run = sim.run(observers=observers, **span).observers
    batch = sim.batch(ic={"x": [sim.state["x"]] * 2}, observers=observers, **span)
    for found in (sim.fastpath(observers=observers, **span).observers, batch[1].observers):
        assert list(found) == list(run)
        for name, expected in run.items():
            each = found[name]
            assert type(each) is type(expected)
            assert list(each) == list(expected)
            assert (each.columns, each.facts, each.n_runs) == (
                expected.columns,
                expected.facts,
                None,
            )
            assert each.trace.tobytes() == expected.trace.tobytes()
            assert all(np.array_equal(each[k], expected[k], equal_nan=True) for k in each)


# --- caches ---------------------------------------------------------------------------------------


def test_the_cache_key_is_composed_as_described() -> None:
    assert [field.name for field in fields(RunnerKey)] == [
        *("model_hash", "stepper_name", "analysis_sig", "variant", "runner_kind", "dtype"),
        *("cache_token", "jit", "template_version"),
    ]


def test_each_part_of_the_key_tells_runners_apart(
    caches: Callable[[], list[RunnerKey]], monkeypatch: pytest.MonkeyPatch
) -> None:
    for engine in (LLVM, PYTHON):
        monkeypatch.setattr(type(engine), "runner", lambda *args: object())

    def made(source: str = LORENZ, stepper: str = "rk4", jit: bool = True, **given: Any) -> None:
        model = dynlib.build(source, stepper=stepper, jit=jit, dtype=given.pop("dtype", None))
        model.runner(**given)

    made()
    for part, change in {
        "model_hash": {"source": "builtin://ode/rossler"},
        "stepper_name": {"stepper": "heun"},
        "analysis_sig": {"analysis": combined([counter()], compiled(LORENZ, "rk4"))},
        "variant": {"analysis": combined([counter()], compiled(LORENZ, "rk4"))},
        "runner_kind": {"sampled": True},
        "dtype": {"dtype": "float32"},
        "cache_token": {"stepper": "heun"},
        "jit": {"jit": False},
    }.items():
        made(**change)
        assert getattr(caches()[0], part) != getattr(caches()[-1], part), part
        assert caches()[-1].template_version == caches()[0].template_version


def test_flows_and_maps_have_an_lru_cache_each(
    monkeypatch: pytest.MonkeyPatch, caches: Any
) -> None:
    monkeypatch.setattr(runner_variants, "_LRU_SIZE", 2)
    for stepper in ("euler", "heun", "rk4"):
        dynlib.build(LORENZ, stepper=stepper, jit=False).runner()
    dynlib.build(HENON, jit=False).runner()
    flows, maps = runner_variants._variant_cache_continuous, runner_variants._variant_cache_discrete
    assert [key.stepper_name for key in flows] == ["heun", "rk4"]
    assert [key.runner_kind for key in maps] == ["map"]
    dynlib.build(LORENZ, stepper="heun", jit=False).runner()
    dynlib.build(LORENZ, stepper="ab2", jit=False).runner()
    assert [key.stepper_name for key in flows] == ["heun", "ab2"]  # the least recently used went


def test_a_runner_comes_from_the_runner_cache_on_disk(
    caches: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    model = compiled(HENON)
    program = runner_variants.Program(model.spec, model.stepper)
    get_runner(RunnerVariant.BASE, program, LLVM, disk_cache=DiskCache(tmp_path))
    (key,) = caches()
    assert [file.stem for file in (tmp_path / "runner_cache").iterdir()] == [key.digest]
    runner_variants._variant_cache_discrete.clear()
    monkeypatch.setattr(
        "dynlib.compiler.jit.translated.compiled", None
    )  # nothing is compiled again
    get_runner(RunnerVariant.BASE, program, LLVM, disk_cache=DiskCache(tmp_path))
    assert caches() == [key]


SIGNING = """
from dynlib import build
from dynlib.compiler.codegen.runner_variants import analysis_signature_hash
from dynlib.observers import CombinedObserver, ObserverModule
from observers.watching import watcher
model = build("builtin://map/henon")
print(analysis_signature_hash(CombinedObserver([watcher()], model.spec, model.stepper)))
"""


def test_the_signature_of_observers_has_16_characters_and_is_stable_across_processes() -> None:
    here = analysis_signature_hash(combined([watcher()]))
    assert len(here) == 16
    assert int(here, 16) >= 0
    tests = str(Path(__file__).parents[1])
    path = os.pathsep.join([tests, *filter(None, [os.environ.get("PYTHONPATH")])])
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", SIGNING],
            env={**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": seed},
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert done.stdout.strip() == here
    assert analysis_signature_hash(None) == ""
