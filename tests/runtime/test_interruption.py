"""Ctrl-C is heard however long one step takes; with ``-m slow``, within a fifth of a second."""

from __future__ import annotations

import math
import os
import signal
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from promptness import in_time, promises

from dynlib import Sim, setup
from dynlib.abi.status import Status
from dynlib.compiler.codegen.program import Program
from dynlib.observers import lyapunov_spectrum
from dynlib.runtime.horizon import first_budget


def model(equation: str, more: str = "", kind: str = "ode") -> str:
    return (
        f'[model]\ntype = "{kind}"\n[states]\nx = 1.0\n[params]\nmany = 10\n'
        f'[equations.rhs]\nx = "{equation}"\n{more}'
    )


# Sums whose length is known when the model runs, at each place of a model that has expressions.
ENDLESS = "sum(1/(1 + j) for j in range(many))"
RHS = model(f"-x*{ENDLESS}")
NESTED = model("-x*sum(sum(1/(1 + j + k) for j in range(many)) for k in range(100))")
CONDITION = model("-x", f'[events.e]\ncond = "x < {ENDLESS} - 1e9"\naction = "x = 1"\n')
STOP = model("-x", f'[sim.stop]\ncond = "x < {ENDLESS} - 1e9"\n')
AUX = model("-x", f'[aux]\na = "{ENDLESS}"\n')
MAP = model(f"0.5*x/{ENDLESS}", kind="map")

HUGE = {"many": 1e13}
LEFT = [
    *((text, stepper) for text in (RHS, CONDITION) for stepper in ("rk4", "tsit5")),
    *((text, "rk4") for text in (NESTED, STOP)),
    (MAP, "map"),
]


def interrupted(call: Callable[[], Any]) -> tuple[Any, float]:
    """What `call` returns after a Ctrl-C, and how long that took."""
    sent: list[float] = []

    def press() -> None:
        sent.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    timer = threading.Timer(0.15, press)
    timer.start()
    try:
        found = call()
        late = time.monotonic() - sent[0] if sent else 0.0
        timer.join()
    except KeyboardInterrupt:  # it came before the run had begun
        return None, math.inf
    return found, late


def heard(call: Callable[[], Any], promised: float = math.inf) -> Any:
    """What `call` returns after a Ctrl-C; without one it would take hours."""
    return in_time(lambda: interrupted(call), promised)


def span(sim: Sim) -> dict[str, Any]:
    return {"N": 50} if sim.spec.is_map else {"T": 1.0, "dt": 0.1}


@pytest.mark.parametrize(("text", "stepper"), LEFT)
@pytest.mark.parametrize("jit", [True, False])
@promises
def test_loops_without_an_end_are_left(text: str, stepper: str, jit: bool, promised: float) -> None:
    sim = setup(text, stepper=stepper, jit=jit)
    usual = sim.run(**span(sim)).final["x"]
    sim.batch(params={"many": np.array([1.0, 2.0])}, **span(sim))  # compiled
    res = heard(lambda: sim.run(params=HUGE, on_failure="return", **span(sim)), promised)
    assert res.status is Status.USER_BREAK
    for workers in (1, 2):
        many = {"many": np.full(100, 1e13)}
        call = partial(sim.batch, params=many, workers=workers, **span(sim))
        batch = heard(call, promised)
        assert set(batch.status.tolist()) == {Status.USER_BREAK}
    # The session is what it was, and so are the numbers.
    assert sim.run(**span(sim)).final["x"] == usual


def test_an_aux_that_is_recorded_is_left() -> None:
    sim = setup(AUX)
    sim.run(T=1.0, record_vars=["aux.a"])
    res = heard(lambda: sim.run(T=1.0, record_vars=["aux.a"], params=HUGE, on_failure="return"))
    assert res.status is Status.USER_BREAK


@pytest.mark.parametrize("jit", [True, False])
def test_a_run_that_was_left_in_a_loop_goes_on_to_the_same_bits(jit: bool) -> None:
    many, end = (40_000, 6.0) if jit else (100, 2.0)
    text = model("cos(t) - x*sum(1/(1 + j) for j in range(many))/20").replace("10\n", f"{many}\n")
    sim = setup(text, stepper="rk4", jit=jit)
    whole = sim.run(T=end, dt=0.005)
    for _ in range(20):
        part, _ = interrupted(lambda: sim.run(T=end, dt=0.005, on_failure="return"))
        if part is not None and part.status is Status.USER_BREAK:
            break
    assert part.status is Status.USER_BREAK
    rows = part.t.size
    assert part["x"].tolist() == whole["x"][:rows].tolist()
    rest = sim.run(T=end, dt=0.005, resume=True)
    assert rest["x"].tolist()[-1] == whole["x"].tolist()[-1]
    assert rest.t[-1] == end


def test_other_runs_of_a_batch_keep_their_values() -> None:
    """A run that ended before Ctrl-C is whole; one that did not is marked, never made up."""
    sim = setup(RHS, stepper="rk4")
    alone = sim.run(params={"many": 7}, **span(sim)).final["x"]
    sim.batch(params={"many": np.array([1.0, 2.0])}, lanes=1, **span(sim))  # compiled
    many = np.array([7.0] * 3 + [1e13])
    batch = heard(lambda: sim.batch(params={"many": many}, lanes=1, workers=1, **span(sim)))
    assert batch.status.tolist()[-1] == Status.USER_BREAK
    done = batch.status == Status.DONE
    assert np.all(batch.final["x"][done] == alone)
    assert set(batch.status[:3].tolist()) <= {Status.DONE, Status.USER_BREAK}


@pytest.mark.parametrize("stepper", ["tsit5", "bs23"])
@promises
def test_vectors_that_take_steps_of_their_own_are_left(stepper: str, promised: float) -> None:
    """Exactly at rest the states take one step, and the vectors millions within it."""
    sim = setup("builtin://ode/lorenz", stepper=stepper)
    rest = {"x": 0.0, "y": 0.0, "z": 0.0}
    how: dict[str, Any] = {"ic": rest, "observers": [lyapunov_spectrum()]}
    sim.run(T=1.0, **how)
    sim.batch(params={"rho": np.array([1.0, 2.0])}, T=1.0, **how)
    res = heard(lambda: sim.run(T=1e6, on_failure="return", **how), promised)
    assert res.status is Status.USER_BREAK
    many = {"rho": np.full(50, 28.0)}
    batch = heard(lambda: sim.batch(params=many, T=1e6, **how), promised)
    assert set(batch.status.tolist()) == {Status.USER_BREAK}


def test_a_function_of_a_model_is_left_by_its_thread() -> None:
    """`Thread.join` took a thread for ended that Ctrl-C broke in upon, and it went on for ever."""
    rhs = setup(RHS).equations.rhs
    usual = rhs([1.0])
    before = threading.active_count()
    timer = threading.Timer(0.15, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        rhs([1.0], params=HUGE)
    timer.join()
    deadline = time.monotonic() + 5.0
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() == before
    assert rhs([1.0]) == usual


def test_the_first_look_comes_early_where_steps_are_costly() -> None:
    cheap = setup("builtin://ode/lorenz").model
    costly = setup(model("-x*sum(sin(x*j) for j in range(99999))")).model
    assert first_budget(cheap, None) == 4096
    assert first_budget(cheap, None, lanes=32) == 4096
    assert first_budget(costly, None) < 100
    assert first_budget(costly, None, lanes=32) < 5
    assert first_budget(setup(RHS).model, None) == 1


def test_short_loops_have_no_look() -> None:
    """A model that needs no such thing has the text that it always had."""
    for text in (model("-x*sum(1/(1 + j) for j in range(20))"), "builtin://ode/lorenz"):
        sim = setup(text, jit=False)
        program = Program(sim.spec, sim.model.stepper)
        assert program.layout.heed is None
        assert "heard" not in program.model_text
    assert "heard" in Program(setup(RHS, jit=False).spec, sim.model.stepper).model_text
