"""A runner besides the four: registered once, then made, kept and called like the others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from observers.watching import counter
from runtime.models import BUSY
from trajectories import start

import dynlib
from dynlib import OptionError
from dynlib.abi.status import Status
from dynlib.compiler.codegen import runner_variants
from dynlib.compiler.codegen.runner_variants import (
    _RUNNER_TEMPLATE_MAP,
    FurtherVariant,
    RunnerVariant,
)
from dynlib.compiler.jit import translated
from dynlib.compiler.jit.disk_cache import DiskCache
from dynlib.compiler.model import CompiledModel
from dynlib.observers.kit.combined import CombinedObserver
from dynlib.runtime.fastpath.executor import run_batch_fastpath
from dynlib.runtime.fastpath.request import BatchRequest
from dynlib.runtime.observation import Observation
from dynlib.runtime.wrapper import RunRequest, run_with_wrapper

LOGGED = FurtherVariant("logged", RunnerVariant.BASE)
CALLING = FurtherVariant("calling", RunnerVariant.ANALYSIS)
COUNTED = FurtherVariant("counted", RunnerVariant.FASTPATH)
STEP = 7  # the number in the event log of what is no event, but a step


@pytest.fixture(autouse=True)
def _registered() -> Iterator[None]:
    """A special log: every step writes its time and its number into the event log."""
    text, name = _RUNNER_TEMPLATE_MAP[RunnerVariant.BASE, False]
    text = text.replace(name, "run_logged_ode")
    text = text.replace("event_row + EVENT_ROOM >", "event_row + EVENT_ROOM + 1 >")
    committed = "        step += 1\n        cuts = 0\n"
    assert text.count(committed) == 1
    log = f"evt_t[event_row] = t\nevt_step[event_row] = step\nevt_id[event_row] = {STEP}\n"
    lines = "".join(f"        {line}\n" for line in [*log.splitlines(), "event_row += 1"])
    _RUNNER_TEMPLATE_MAP[LOGGED, False] = (
        text.replace(committed, committed + lines), "run_logged_ode",
    )  # fmt: skip
    # One that calls its hooks whether or not somebody has some, as handwritten runners do.
    text, name = _RUNNER_TEMPLATE_MAP[RunnerVariant.ANALYSIS, True]
    always = text.replace("if PRE_HOOK:", "if True:").replace(name, "run_calling_map")
    _RUNNER_TEMPLATE_MAP[CALLING, True] = always, "run_calling_map"
    # One of the fast path, which gives the number of steps for that of rejected ones.
    text, name = _RUNNER_TEMPLATE_MAP[RunnerVariant.FASTPATH, False]
    counted = text.replace("int(lanes[Lane.REJECTED, lane])", "int(lanes[Lane.STEP, lane])")
    assert counted != text
    _RUNNER_TEMPLATE_MAP[COUNTED, False] = (
        counted.replace(name, "run_counted_ode"),
        "run_counted_ode",
    )
    yield
    for key in [(LOGGED, False), (CALLING, True), (COUNTED, False)]:
        del _RUNNER_TEMPLATE_MAP[key]
    assert set(_RUNNER_TEMPLATE_MAP) == {(v, d) for v in RunnerVariant for d in (False, True)}


def busy(*, jit: bool, cache: DiskCache | None = None) -> CompiledModel:
    model = dynlib.build(BUSY, stepper="rk4", jit=jit, disk_cache=False)
    return CompiledModel(model.spec, model.stepper, engine=model.engine, disk_cache=cache)


@pytest.mark.parametrize("jit", [False, True])
def test_a_registered_runner_runs_through_the_wrapper(jit: bool) -> None:
    model = busy(jit=jit)
    request = {"t_end": 10.0, "dt": 0.05}
    usual = run_with_wrapper(model, start(model), RunRequest(**request))
    logged = run_with_wrapper(model, start(model), RunRequest(**request, variant=LOGGED))
    steps = logged.evt_id == STEP
    assert logged.evt_step[steps].tolist() == list(range(1, 201))  # more than the log first held
    assert logged.evt_t[steps].tobytes() == usual.t[1:].tobytes()
    assert logged.y.tobytes() == usual.y.tobytes()
    assert logged.evt_t[~steps].tobytes() == usual.evt_t.tobytes()
    assert logged.evt_log[~steps].tobytes() == usual.evt_log.tobytes()


def test_it_has_keys_and_a_place_in_both_caches(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    kept = type(runner_variants._variant_cache_continuous)()
    monkeypatch.setattr(runner_variants, "_variant_cache_continuous", kept)
    cache = DiskCache(tmp_path)
    model = busy(jit=True, cache=cache)
    assert model.runner(variant=LOGGED) is model.runner(variant=LOGGED) is not model.runner()
    assert [key.variant for key in kept] == ["logged", "base"]
    files = {file.stem for file in (tmp_path / "runner_cache").iterdir()}
    assert files == {key.digest for key in kept}
    kept.clear()
    monkeypatch.setattr(translated, "compiled", None)  # it is on disk
    another = busy(jit=True, cache=cache)
    request = RunRequest(t_end=0.2, dt=0.05, variant=LOGGED)
    assert run_with_wrapper(another, start(another), request).evt_id.tolist() == [STEP] * 4
    # Another text under the same name is another runner.
    text, name = _RUNNER_TEMPLATE_MAP[LOGGED, False]
    _RUNNER_TEMPLATE_MAP[LOGGED, False] = text.replace(f"= {STEP}\n", "= 8\n"), name
    plain = busy(jit=False)
    assert run_with_wrapper(plain, start(plain), request).evt_id.tolist() == [8] * 4


@pytest.mark.parametrize("jit", [False, True])
def test_a_registered_runner_of_the_fast_path(jit: bool) -> None:
    model = dynlib.build("builtin://ode/lorenz", stepper="rk4", jit=jit)
    spec = model.spec
    request = BatchRequest(
        3, (np.array([1.0, 2.0, 3.0]), *spec.state_values[1:]), spec.param_values,
        t_end=0.5, dt=0.01, variant=COUNTED,
    )  # fmt: skip
    raw = run_batch_fastpath(model, request)
    assert raw.rejected.tolist() == [50] * 3
    assert (raw.status == Status.DONE).all()


@pytest.mark.parametrize("jit", [False, True])
def test_a_hook_that_nobody_has_is_a_no_op(jit: bool) -> None:
    """The four do not call it at all; a runner that always does finds one that does nothing."""
    model = dynlib.build("builtin://map/henon", jit=jit)
    combined = CombinedObserver([counter()], model.spec, model.stepper)
    assert "pre" not in combined.kinds
    observation = Observation.begin(combined)
    observation.expect(9)
    request = RunRequest(n_end=9, observation=observation, variant=CALLING)
    raw = run_with_wrapper(model, start(model), request)
    assert raw.observers["counter"]["steps"] == 9


def test_what_cannot_be_registered_and_what_has_not_been() -> None:
    with pytest.raises(OptionError, match="no runner 'logged' for maps has been registered"):
        dynlib.build("builtin://map/henon", jit=False).runner(variant=LOGGED)
    with pytest.raises(OptionError, match="defines no function run_it"):
        _RUNNER_TEMPLATE_MAP[LOGGED, True] = "def run(): pass", "run_it"
    with pytest.raises(OptionError, match="register a FurtherVariant"):
        _RUNNER_TEMPLATE_MAP[RunnerVariant.BASE, True] = "def run(): pass", "run"


def test_values() -> None:
    again: Any = FurtherVariant("logged", RunnerVariant.BASE)
    assert again == LOGGED
    assert not (LOGGED.observed)
    assert not (LOGGED.fast)
    assert COUNTED.fast
    assert COUNTED.fallback is RunnerVariant.BASE
