"""Users' observers that change the step, and their traces, mean the same on every path."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from observers.watching import HOOK, several
from observing import bits
from runtime.models import BUSY, DRIVEN, LOGISTIC

from dynlib import RunFailed, setup
from dynlib.abi.status import Status
from dynlib.observers import EveryStep, Hits, ObserverModule, Tail, TraceSpec
from dynlib.runtime.sim import Sim


def nudged(lane, t, dt, step, u, u_new, params, runtime_ws, analysis_ws):
    analysis_ws[0, lane] += 1.0
    if analysis_ws[0, lane] % 7.0 == 0.0:
        return (u_new[0] + 0.01 * params[0, lane], *u_new[1:])
    return u_new


def seen(
    lane, t, dt, step, y_curr, y_prev, params, runtime_ws, analysis_ws, analysis_out, trace_buf,
    trace_count, trace_cap, trace_stride,
):  # fmt: skip
    analysis_out[0, lane] = analysis_ws[0, lane]
    if step % trace_stride == 0 and trace_count[0, lane] < trace_cap:
        trace_buf[trace_count[0, lane], lane] = y_curr[0, lane]
        trace_count[0, lane] += 1


def nudging() -> ObserverModule:
    return ObserverModule(
        "nudge", workspace_size=1, outputs=["steps"], post_step=seen,
        runner_variational_step=nudged, trace=TraceSpec(("x",), Tail(4, 3)),
    )  # fmt: skip


MODELS = {"driven": DRIVEN, "busy": BUSY, "logistic": LOGISTIC}


def assert_paths_agree(sim: Sim, starts: list[float], call: dict[str, Any]) -> None:
    batches = [sim.batch(ic={"x": starts}, workers=w, lanes=n, **call) for w, n in ((1, 4), (2, 1))]
    for i, x in enumerate(starts):
        run = sim.run(ic={"x": x}, on_failure="return", **call)
        fast = sim.fastpath(ic={"x": x}, on_failure="return", **call)
        for other in (fast, *(batch[i] for batch in batches)):
            assert (other.status, other.t_final) == (run.status, run.t_final)
            assert other.final_dt == run.final_dt
            assert dict(other.final) == dict(run.final)
            assert list(other.events.merged) == list(run.events.merged)
            assert not len(other.t) > 1 or other["x"].tobytes() == run["x"].tobytes()
            for name, found in run.observers.items():
                assert bits(other.observers[name]) == bits(found)


@pytest.mark.parametrize(
    ("model", "stepper", "jit"),
    [
        *[("driven", stepper, False) for stepper in ("rk4", "ab3")],
        *[("busy", stepper, False) for stepper in ("rk4", "tsit5")],
        ("logistic", None, False),
        *[("driven", "rk4", True), ("busy", "tsit5", True)],  # hooks take long to compile
    ],
)
def test_a_step_of_ones_own_on_every_path(model: str, stepper: str | None, jit: bool) -> None:
    sim = setup(MODELS[model], stepper=stepper, jit=jit)
    span: dict[str, Any] = {"N": 40} if stepper is None else {"T": 3.03}
    call = span | {"observers": [nudging()]}
    assert_paths_agree(sim, [0.1, 0.2, 0.45], call)
    plain = sim.run(**span, ic={"x": 0.1})
    changed = sim.run(**span, ic={"x": 0.1}, observers=[nudging()])
    assert dict(plain.final) != dict(changed.final)
    assert changed.observers["nudge"].steps >= changed.stats.steps


def test_a_step_of_ones_own_beside_other_observers() -> None:
    sim = setup(DRIVEN, stepper="rk4", jit=False)
    observers = [nudging(), *several(adaptive=False)]
    assert_paths_agree(sim, [0.1, 0.2], {"T": 2.0, "transient": 0.5, "observers": observers})


# --- traces ---------------------------------------------------------------------------------------


def talkative(plan: Any, body: str = "") -> ObserverModule:
    """Writes a row in every step, whatever its plan says."""
    lines = [
        "if trace_count[0, lane] < trace_cap:",
        "    trace_buf[trace_count[0, lane], lane] = y_curr[0, lane]",
        "    trace_count[0, lane] += 1",
    ]
    space: dict[str, Any] = {}
    exec("\n    ".join([f"def hook({HOOK}):", *lines]), space)
    return ObserverModule("talk", trace=TraceSpec(("x",), plan), post_step=space["hook"])


@pytest.mark.parametrize("plan", [EveryStep(10), EveryStep(3), EveryStep(1), Hits(7), Tail(5, 2)])
@pytest.mark.parametrize(("model", "stepper"), [("driven", "rk4"), ("logistic", None)])
def test_a_plan_means_the_same_on_every_path(model: str, stepper: str | None, plan: Any) -> None:
    """Also to a hook that does not care for it: there is room for so many rows, and no more."""
    sim = setup(MODELS[model], stepper=stepper, jit=False)
    span: dict[str, Any] = {"N": 60} if stepper is None else {"T": 3.0, "dt": 0.05}
    call = span | {"observers": [talkative(plan)]}
    assert_paths_agree(sim, [0.1, 0.2], call)
    run = sim.run(on_failure="return", **call)
    fits = plan in (EveryStep(1), Tail(5, 2))
    assert run.status is (Status.DONE if fits else Status.TRACE_OVERFLOW)


@pytest.mark.parametrize("plan", [EveryStep(10), EveryStep(1), Hits(7)])
def test_the_message_about_a_full_trace_names_the_plan_that_was_given(plan: Any) -> None:
    sim = setup(DRIVEN, stepper="rk4", jit=False)
    observers = [talkative(plan)]
    call: dict[str, Any] = {"T": 3.0, "dt": 0.05, "observers": observers}
    if plan == EveryStep(1):
        assert sim.run(**call).ok
        return
    for run in (sim.run, sim.fastpath):
        with pytest.raises(RunFailed) as failed:
            run(**call)
        said = str(failed.value)
        assert f"the trace of observer 'talk' is full by its plan {plan!r}" in said
        assert ("Raise n of Hits" in said) == (plan == Hits(7))
        assert ("a row every 10 steps" in said) == (plan == EveryStep(10))
    assert repr(plan) in sim.batch(ic={"x": [0.1, 0.2]}, **call)[1].message


def test_a_run_in_pieces_has_room_for_the_rows_of_one() -> None:
    def observers() -> list[ObserverModule]:
        return [ObserverModule("s", outputs=["n"], post_step=seen, workspace_size=1,
                               trace=TraceSpec(("x",), EveryStep(2)))]  # fmt: skip

    whole = setup(DRIVEN, stepper="rk4", jit=False).run(T=100.0, dt=0.04, observers=observers())
    sim = setup(DRIVEN, stepper="rk4", jit=False)
    sim.run(T=30.0, dt=0.04, observers=observers())
    for T in (30.4, 71.0, 100.0):
        pieces = sim.run(T=T, observers=observers(), resume=True)
    np.testing.assert_array_equal(
        pieces.observers["s"].trace[:750], whole.observers["s"].trace[:750]
    )
    assert len(pieces.observers["s"].trace) == 1250
