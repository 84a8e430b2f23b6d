"""Whatever is wrong with observers is told in a message, and spoils no session."""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from observers.watching import HOOK, counter, counts, watcher
from runtime.models import BUSY, DRIVEN, differences, sim_of

from dynlib import DynlibError, OptionError, Sim, rerun, setup
from dynlib.abi.status import Status
from dynlib.observers import (
    EveryStep,
    Hits,
    ObserverModule,
    Tail,
    TraceSpec,
    lyapunov_max,
    lyapunov_spectrum,
)
from dynlib.plans import FinalState
from dynlib.runtime import trace_room
from dynlib.runtime.batch import room

EQUALITY = {**BUSY, "events": {"at": {"cond": "x == 0.5", "action": "v = -v"}}}


def hook_of(body: str) -> Callable[..., None]:
    """A hook with this body; its lines are known to tracebacks of nobody."""
    namespace: dict[str, Any] = {}
    exec(f"def hook({HOOK}):\n    {body}", namespace)
    made: Callable[..., None] = namespace["hook"]
    return made


def observer(body: str, **given: Any) -> ObserverModule:
    return ObserverModule("mine", **{"outputs": ["a"], "post_step": hook_of(body), **given})


def run(observers: Any, model: str = "driven", stepper: str | None = "rk4", **given: Any) -> Any:
    return sim_of(model, stepper).run(observers=observers, **given)


def of_another_order() -> Callable[..., None]:
    found: Callable[..., None] = eval(f"lambda step, {HOOK.replace(' step,', '')}: None")
    return found


def of_two(lane, step): ...


MISTAKES: dict[str, tuple[Callable[[], Any], str]] = {
    "two of one name": (
        lambda: run([lyapunov_max(), lyapunov_max()]),
        "two observers are called 'lyapunov_max'.*name='lyapunov_max2'",
    ),
    "two of one name in a batch": (
        lambda: sim_of("driven", "rk4").batch(observers=[counter(), counter()]), "two observers",
    ),
    "a name for all": (lambda: run("lyapunov"), "must be a list of observers, found 'lyapunov'"),
    "a name in the list": (lambda: run(["lyapunov_max"]), "made by functions"),
    "a class": (lambda: run([ObserverModule]), "the class ObserverModule; call it"),
    "a function": (lambda: run([lyapunov_max]), r"the function lyapunov_max; call it, lyap"),
    "a hook": (lambda: run([counts]), r"ObserverModule\('name', post_step="),
    "None": (lambda: run(None), "must be a list of observers, found None"),
    "a number": (lambda: run(3), "must be a list"),
    "an array": (lambda: run(np.zeros((2, 2))), "no observer"),
    "a dict": (lambda: run({"a": counter()}), "holds 'a', which is no observer"),
    "k too large": (lambda: run([lyapunov_spectrum(3)]), "k = 3, but 'driven' has 2 states"),
    "k = 0": (lambda: lyapunov_spectrum(0), "whole number from 1 on; found 0"),
    "k = True": (lambda: lyapunov_spectrum(True), "found True"),
    "k = 1.5": (lambda: lyapunov_spectrum(1.5), "found 1.5"),  # type: ignore[arg-type]
    "record_interval = 0": (lambda: lyapunov_max(record_interval=0), "at least 1; found 0"),
    "renorm_every = True": (lambda: lyapunov_max(renorm_every=True), "found True"),
    "target_se = 0": (lambda: lyapunov_max(target_se=0), "above 0; found 0"),
    "target_se = inf": (lambda: lyapunov_max(target_se=np.inf), "found inf"),
    "misspelt": (
        lambda: lyapunov_spectrum(renorm_evry=3),  # type: ignore[call-arg]
        "no option 'renorm_evry'. Did you mean 'renorm_every'",
    ),
    "misspelt of a module": (
        lambda: ObserverModule("a", output=["x"]), "'output'. Did you mean 'outputs'",
    ),
    "two traces": (
        lambda: lyapunov_max(record_interval=10, trace=Tail(3)), "give one of them",
    ),
    "trace is a number": (
        lambda: lyapunov_max(trace=10), r"EveryStep\(k\), Tail\(n, k\)",  # type: ignore[arg-type]
    ),
    "trace is a class": (
        lambda: lyapunov_max(trace=Tail), "the class Tail; call it",  # type: ignore[arg-type]
    ),
    "between orthonormalisations": (
        lambda: run([lyapunov_max(record_interval=7, renorm_every=3)]), "a multiple of",
    ),
    "no key": (lambda: ObserverModule(""), "needs a key"),
    "a name that is none": (lambda: ObserverModule("a", name=3), "name must be a text"),
    "a hook that is none": (lambda: ObserverModule("a", post_step=3), "plain function, found 3"),
    "a hook of C": (lambda: ObserverModule("a", post_step=max), "must be a plain function"),
    "too few arguments": (
        lambda: ObserverModule("a", pre_step=of_two), "pre_step takes 2 arguments, but is given 14",
    ),
    "arguments in another order": (
        lambda: ObserverModule("a", post_step=of_another_order()),
        "another order",
    ),
    "a method": (lambda: ObserverModule("a", post_step=Methods().hook), "Make it a @staticmethod"),
    "negative workspace": (lambda: ObserverModule("a", workspace_size=-1), "found -1"),
    "half a row": (lambda: ObserverModule("a", workspace_size=0.5), "found 0.5"),
    "outputs are a number": (lambda: ObserverModule("a", outputs=3), "must be names, found 3"),
    "an output twice": (lambda: ObserverModule("a", outputs=["x", "x"]), "two outputs"),
    "an output that results have": (
        lambda: ObserverModule("a", outputs=["trace"]), "something else called 'trace'",
    ),
    "a column twice": (
        lambda: ObserverModule("a", outputs=["x"], trace=TraceSpec(("x",))), "name of a column",
    ),
    "a plan for a trace": (
        lambda: ObserverModule("a", trace=EveryStep(2)), "must be a TraceSpec",
    ),
    "too many first values": (
        lambda: run([ObserverModule("a", outputs=["x"], initial_outputs=[1, 2])]),
        "a number or 1 of them",
    ),
    "first values that are none": (
        lambda: run([ObserverModule("a", outputs=["x"], initial_outputs="z")]), "found 'z'",
    ),
    "Tail(0)": (lambda: Tail(0), "at least 1; found 0"),
    "Hits(True)": (lambda: Hits(True), "found True"),
    "integers": (
        lambda: run([lyapunov_max()], "collatz", None), "made of integers, which have no deriv",
    ),
    "lags": (lambda: run([lyapunov_max()], "lagged"), r"uses lag_x\(\)"),
    "equality": (
        lambda: setup(EQUALITY, stepper="rk4", jit=False).run(observers=[lyapunov_max()]),
        "is no comparison of two values",
    ),
    "all of it transient": (
        lambda: run([counter()], T=1.0, transient=1.0), "transient = 1 is the whole run",
    ),
    "trace of unknown length": (
        lambda: sim_of("driven", "rk45").fastpath(observers=[watcher(EveryStep(2))]),
        r"trace=Tail\(n\) or Hits\(n\)",
    ),
    "no such observer": (
        lambda: run([counter()]).observers["countr"], "Did you mean 'counter'",
    ),
    "no such output": (
        lambda: run([counter()]).observers["counter"]["stepz"], "Did you mean 'steps'",
    ),
}  # fmt: skip


class Methods:
    def hook(self, lane: int) -> None: ...


@pytest.mark.parametrize("mistake", MISTAKES)
def test_letter(mistake: str) -> None:
    make, said = MISTAKES[mistake]
    with pytest.raises(DynlibError, match=said):
        make()


@pytest.mark.parametrize(
    "bad", [[lyapunov_max(), lyapunov_max()], [lyapunov_spectrum(3)], [watcher(Tail(10**15))]]
)
def test_what_was_run_before_is_kept(bad: Any) -> None:
    sim = sim_of("driven", "rk4")
    before = sim.run(T=1.0)
    with pytest.raises(DynlibError):
        sim.run(T=2.0, observers=bad)
    assert differences(sim.results(), before) == []
    assert sim.t == 1.0


# --- hooks that raise -----------------------------------------------------------------------------

RAISES = "if step > 15: raise ValueError('too far')\n    analysis_out[0, lane] = step"


def test_hook_that_raises() -> None:
    """The session stands some steps before, with all that there was."""
    sim = sim_of("driven", "rk4")
    whole = sim.run(T=2.0)
    with pytest.raises(
        OptionError,
        match=r"'mine': its hook post_step, hook\(\), raised ValueError at t = 0.8: too far .*line",
    ):
        sim.run(T=2.0, observers=[observer(RAISES)])
    assert sim.results().status is Status.USER_BREAK
    assert "a hook of an observer raised" in sim.results().message
    rows = len(sim.results())
    assert sim.t == sim.results().t_final
    np.testing.assert_array_equal(sim.results()["x"], whole["x"][:rows])
    assert differences(sim.run(T=2.0, resume=True), whole) == []


def test_hook_that_raises_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Events, lags and observers are those of the point where the session stands."""
    from dynlib.runtime import wrapper

    monkeypatch.setattr(wrapper, "first_budget", lambda *_: 7)
    monkeypatch.setattr(wrapper, "_next_budget", lambda spent, seconds: 7)
    for model, stepper in (("busy", "rk4"), ("lagged", "ab2")):
        sim = sim_of(model, stepper)
        whole = sim.run(T=2.0)
        with pytest.raises(OptionError, match="too far"):
            sim.run(T=2.0, observers=[counter(), observer(RAISES)])
        assert sim.t > 0
        assert sim.results().observers["counter"].steps == len(sim.results()) - 1
        assert differences(sim.run(T=2.0, resume=True), whole) == []


def test_columns_that_nobody_can_have() -> None:
    with pytest.raises(OptionError, match=r"at most 1,000,000 columns, found 100,000,000,000"):
        TraceSpec(10**11)  # type: ignore[arg-type]


def test_index_out_of_range() -> None:
    """Plain Python says which."""
    with pytest.raises(
        OptionError, match=r"raised IndexError at t = 0\.05: index 7 is out of bounds"
    ):
        run([observer("analysis_out[7, lane] = 1.0")])


@pytest.mark.parametrize("workers", [1, 2])
def test_hook_that_raises_in_a_batch(workers: int) -> None:
    with pytest.raises(OptionError, match=r"'mine': its hook post_step.*too far"):
        sim_of("driven", "rk4").batch(
            params={"a": np.linspace(0, 1, 40)}, T=2.0, observers=[observer(RAISES)],
            workers=workers,
        )  # fmt: skip


def test_hook_that_raises_stops_the_other_threads() -> None:
    steps = [0]

    def fail_once(
        lane, t, dt, step, y_curr, y_prev, params, runtime_ws, analysis_ws, analysis_out, trace_buf,
        trace_count, trace_cap, trace_stride,
    ):  # fmt: skip
        steps[0] += 1
        if steps[0] == 100:
            raise ValueError("too far")

    run = {"params": {"a": np.linspace(0, 1, 4000)}, "T": 2.0, "dt": 0.05}
    with pytest.raises(OptionError, match="too far"):
        sim_of("driven", "rk4").batch(
            **run, observers=[ObserverModule("mine", post_step=fail_once)], workers=2
        )
    assert steps[0] < 4000 * 40 / 4


def test_compiled_hook_that_raises() -> None:
    sim = sim_of("driven", "rk4", jit=True)
    with pytest.raises(OptionError, match=r"observer 'mine' raised.*jit=False"):
        sim.run(T=2.0, observers=[observer(RAISES)])
    assert (sim.t, sim.results().ok) == (0.0, False)
    with pytest.raises(OptionError, match=r"observer 'mine' raised.*jit=False"):
        sim.batch(T=2.0, observers=[observer(RAISES)])


def not_for_numba(
    lane, t, dt, step, y_curr, y_prev, params, runtime_ws, analysis_ws, analysis_out, trace_buf,
    trace_count, trace_cap, trace_stride,
):  # fmt: skip
    analysis_out[0, lane] = {"a": [step]}.missing(step)


def test_hook_that_numba_cannot_compile() -> None:
    sim = sim_of("driven", "rk4", jit=True)
    sim.run(T=1.0)
    bad = ObserverModule("mine", outputs=["a"], post_step=not_for_numba)
    said = r"'mine': its hook post_step, not_for_numba\(\), cannot be compiled: Unknown attribute"
    with pytest.raises(OptionError, match=said) as caught:
        sim.run(T=2.0, observers=[counter(), bad])
    assert Path(__file__).name in str(caught.value)
    assert "\x1b" not in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
    assert sim.t == 1.0
    with pytest.raises(OptionError, match=said):
        sim.batch(T=1.0, observers=[bad])


# --- memory, other processes, receipts ------------------------------------------------------------


def test_trace_too_large_for_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says what would fit, and that does."""
    for module in (trace_room, room):
        monkeypatch.setattr(module, "available_memory", lambda: 1 << 20)
        monkeypatch.setattr(module, "_TRIFLE", 0)
    sim = sim_of("driven", "rk4")
    with pytest.raises(OptionError, match=r"'watcher', [\d,]+ rows by EveryStep.* 1 MB.*Tail\("):
        sim.run(T=10_000.0, record=False, observers=[watcher(EveryStep(1))])
    with pytest.raises(OptionError, match=r"rows by Hits\(max_hits=10000000\), needs 229 MB"):
        sim.run(T=0.1, observers=[watcher(Hits(10**7))])
    call: dict[str, Any] = {"params": {"a": np.linspace(0, 1, 64)}, "plan": FinalState()}
    with pytest.raises(OptionError, match=r"of observers each need .*trace=EveryStep\((\d+)\)"):
        sim.batch(**call, T=100.0, observers=[watcher(EveryStep(1))])
    batch = sim.batch(**call, T=1.0, observers=[watcher(EveryStep(1))])
    assert batch.ok.all()


def test_observers_that_cannot_travel() -> None:
    sim = sim_of("driven", "rk4")
    with (
        ProcessPoolExecutor(1) as pool,
        pytest.raises(OptionError, match=r"'mine' cannot be sent to other processes"),
    ):
        sim.batch(observers=[observer("pass")], executor=pool)


def test_failed_runs_keep_what_was_seen() -> None:
    sim = sim_of("explosion", "rk4")
    batch = sim.batch(ic={"x": [1.0, -1.0, 0.9, np.nan]}, T=2.0, observers=[counter()])
    alone = sim.run(T=2.0, observers=[counter()], on_failure="return")
    steps = batch.observers["counter"].steps
    assert batch.status.tolist().count(Status.DONE) == 1
    assert steps[0] == alone.observers["counter"].steps == alone.stats.steps
    assert steps[1] == 200


def test_receipt_names_observers() -> None:
    sim = sim_of("driven", "rk4")
    res = sim.run(T=1.0, observers=[counter(), watcher(EveryStep(2))])
    assert [each["name"] for each in res.receipt["observers"]] == ["counter", "watcher"]
    with pytest.warns(UserWarning, match=r"names the observers 'counter', 'watcher'.*without them"):
        assert differences(rerun(res.receipt), res) == []
    again = rerun(res.receipt, observers=[watcher(EveryStep(2)), counter()])
    assert again.observers["counter"].steps == res.observers["counter"].steps
    with pytest.raises(OptionError, match="'watcher' is not the one of the receipt"):
        rerun(res.receipt, observers=[watcher(EveryStep(3)), counter()])
    with pytest.raises(OptionError, match="'watcher' is not among those given"):
        rerun(res.receipt, observers=[counter()])


def test_receipt_of_a_run_that_an_observer_ended() -> None:
    enough = lyapunov_max(target_se=0.2)
    res = sim_of("logistic").run(N=20_000, observers=[enough])
    assert res.status is Status.EARLY_EXIT
    assert "'lyapunov_max' had seen enough" in res.message
    with pytest.raises(OptionError, match="may have ended this run"):
        rerun(res.receipt)
    assert differences(rerun(res.receipt, observers=[enough]), res) == []


def test_full_trace_is_named() -> None:
    sim: Sim = setup(DRIVEN, stepper="rk4", jit=False)
    res = sim.run(T=1.0, observers=[counter(), watcher(Hits(4))], on_failure="return")
    assert res.status is Status.TRACE_OVERFLOW
    assert "the trace of observer 'watcher' is full" in res.message
    batch = sim.batch(T=1.0, observers=[counter(), watcher(Hits(4))])
    assert "the trace of observer 'watcher' is full" in batch[0].message


@pytest.mark.parametrize("how", ["run", "fastpath", "batch"])
def test_observers_that_would_change_the_steps(how: str) -> None:
    """Where observers start, an adaptive stepper ends a step; t_eval alone would not make it."""
    sim = setup(DRIVEN, stepper="tsit5", jit=False)
    asked = {"T": 1.0, "transient": 0.3, "t_eval": [0.5, 1.0]}
    with pytest.raises(OptionError, match="the observers would change the run"):
        getattr(sim, how)(observers=[counter()], **asked)
