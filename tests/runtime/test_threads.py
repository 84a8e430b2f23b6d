"""One session, or one compiled model, in several threads; calls from within calls; forks."""

import copy
import inspect
import os
import pickle
import signal
import threading
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from runtime.models import differences, sim_of

from dynlib import OptionError, RunFailed, SessionBusyError, Sim, setup
from dynlib.compiler import model as compiled_model
from dynlib.observers import features, lyapunov_max
from dynlib.observers.kit import combined
from dynlib.runtime import wrapper

THREADS = 4
ROUNDS = 12


def bits(values: Any) -> bytes:
    return np.ascontiguousarray(values).tobytes()


def run(sim: Sim, i: int, **more: Any) -> tuple[bytes, ...]:
    res = sim.run(T=40.0, params={"a": 0.1 * i}, **more)
    assert res.receipt["params"]["a"] == 0.1 * i
    return bits(res.t), bits(res[:]), bits(res.final.array)


def observed(sim: Sim, i: int) -> tuple[bytes, ...]:
    res = sim.run(T=20.0, params={"a": 0.1 * i}, observers=[lyapunov_max(), features("mean")])
    return bits(res.observers["lyapunov_max"].exponent), bits(res.final.array)


def batch(sim: Sim, i: int) -> bytes:
    return bits(sim.batch(params={"a": 0.1 * i, "w": [1.0, 1.1, 1.2]}, T=5.0).final["x"])


def saved(sim: Sim, i: int, folder: Path) -> tuple[float, float]:
    """What is written down in one piece: two values that are always assigned together."""
    sim.assign(x=i, v=i)
    path = folder / f"{i}.snap"
    sim.save_snapshot(path)
    other = sim_of("driven", "rk4")
    other.load_snapshot(path)
    assert other.state["x"] == other.state["v"] in range(THREADS)
    return (0.0, 0.0)


def looked_at(sim: Sim, i: int) -> tuple[bool, ...]:
    """Reading gives what one of the calls left, and never something in between."""
    x, v = sim.state.array
    sim.state.update(x=i, v=i)
    sim.params = {"w": 1.3}
    sim.state = [i, i]
    sim.run(T=1.0, ic={"x": 0.3, "v": -0.2}, params={"a": 0.4})
    return x == v, sim.t == 1.0, sim.results().t[-1] == 1.0, sim.current == sim.results().final


def named(sim: Sim, i: int) -> tuple[Any, ...]:
    """Presets and snapshots under names of a thread's own."""
    sim.add_preset(f"p{i}", {"x": 1.0 * i}, overwrite=True)
    sim.apply_preset(f"p{i}")
    sim.snapshot(f"s{i}")
    sim.reset(f"s{i}")
    with pytest.raises(OptionError):
        sim.add_preset(f"p{i}")
    return (f"p{i}" in sim.list_presets(),)


CALLS: dict[str, Callable[[Sim, int], Any]] = {
    "run": run,
    "run with observers": observed,
    "fastpath": lambda sim, i: bits(sim.fastpath(T=20.0, params={"a": 0.1 * i}).t),
    "batch": batch,
    "values": looked_at,
    "names": named,
    "copy": lambda sim, i: run(sim.copy(), i),
    "pickle": lambda sim, i: run(pickle.loads(pickle.dumps(sim)), i),
}


def in_threads(call: Callable[[int], Any]) -> list[list[Any]]:
    """What a call gives in several threads, all of which begin at once."""
    barrier = threading.Barrier(THREADS)

    def work(i: int) -> list[Any]:
        barrier.wait()
        return [call(i) for _ in range(ROUNDS)]

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(work, range(THREADS)))


@pytest.mark.parametrize("name", [name for name in CALLS if name != "values"])
def test_calls_of_several_threads_give_what_each_gives_alone(name: str) -> None:
    call = CALLS[name]
    sim = sim_of("driven", "rk4", jit=True)
    alone = [call(sim.copy(), i) for i in range(THREADS)]
    for i, found in enumerate(in_threads(lambda i: call(sim, i))):
        assert found == [alone[i]] * ROUNDS


def test_all_calls_at_once() -> None:
    """Each thread makes other calls than its neighbours; none sees half of what another does."""
    sim = sim_of("driven", "rk4", jit=True)
    sim.assign(x=0.0, v=0.0)
    calls = list(CALLS.values())[:5]
    given = {"ic": {"x": 0.3, "v": -0.2}}
    alone = [run(sim.copy(), i, **given) for i in range(THREADS)]

    def work(i: int) -> bool:
        for call in calls[i:] + calls[:i]:
            call(sim, i)
        return run(sim, i, **given) == alone[i]

    assert all(map(all, in_threads(work)))


def test_what_is_saved_is_one_state(tmp_path: Path) -> None:
    sim = sim_of("driven", "rk4")
    in_threads(lambda i: saved(sim, i, tmp_path))


def test_resumed_runs_of_several_threads_are_one_run() -> None:
    sim = sim_of("logistic")
    sim.run(N=10)
    in_threads(lambda i: sim.run(N=5, resume=True))
    n = 10 + 5 * THREADS * ROUNDS
    assert sim.t == n
    assert differences(sim.results(), sim_of("logistic").run(N=n)) == []


def test_one_compiled_model_serves_sessions_in_several_threads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also while the runners that it keeps push each other out."""
    monkeypatch.setattr(compiled_model, "_KEPT", 1)
    monkeypatch.setattr(combined, "_KEPT", 1)
    model = sim_of("driven", "rk4").model
    ways: list[dict[str, Any]] = [
        {},
        {"t_eval": [1.0, 2.0]},
        {"observers": [features("max")]},
        {"observers": [features("min")]},
    ]
    alone = [bits(Sim(model).run(T=3.0, **way)[:]) for way in ways]
    found = in_threads(lambda i: bits(Sim(model).run(T=3.0, **ways[i])[:]))
    assert found == [[each] * ROUNDS for each in alone]


def test_every_public_name_takes_turns() -> None:
    """What need not is read from what never changes, or takes its turn for what it reads."""
    free = {"spec", "state", "params", "fastpath", "batch", "copy", "equations"}
    for name, value in vars(Sim).items():
        if name.startswith("_") and name not in ("__reduce__", "__setstate__"):
            continue
        parts = [value.fget, value.fset] if isinstance(value, property) else [value]
        for part in filter(callable, parts):
            waits = inspect.unwrap(part) is not part
            assert waits == (name not in free or part is getattr(value, "fset", None)), name


# --- from within ----------------------------------------------------------------------------------


@contextmanager
def alarm(handler: Callable[..., None], seconds: float) -> Iterator[None]:
    before = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


INSIDE: dict[str, Callable[[Sim], Any]] = {
    "run": lambda sim: sim.run(T=1.0),
    "resume": lambda sim: sim.run(resume=True),
    "results": lambda sim: sim.results(),
    "assign": lambda sim: sim.assign(a=1.0),
    "write an entry": lambda sim: sim.params.update(a=1.0),
    "write all": lambda sim: setattr(sim, "state", [1.0, 2.0]),
    "reset": lambda sim: sim.reset(),
    "t": lambda sim: sim.t,
    "current": lambda sim: sim.current,
    "presets": lambda sim: sim.apply_preset("strong"),
    "snapshot": lambda sim: sim.snapshot("there"),
    "load": lambda sim: sim.load_snapshot("nowhere.snap"),
    "copy": lambda sim: sim.copy(),
    "pickle": lambda sim: pickle.dumps(sim),
    "deepcopy": copy.deepcopy,
}


def test_a_progress_function_that_calls_its_session_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = iter(range(10**9))
    monkeypatch.setattr(wrapper, "perf_counter", lambda: 2.0 * next(clock))
    sim = sim_of("driven", "rk4")
    expected = sim_of("driven", "rk4").run(T=60.0)
    messages: dict[str, str] = {}

    def progress(fraction: float, text: str) -> None:
        for name, call in INSIDE.items():
            with pytest.raises(SessionBusyError) as caught:
                call(sim)
            messages[name] = str(caught.value)
        assert sim.params["a"] == 0.4  # the initial values do not change meanwhile
        assert sim.spec.name == "driven" in repr(sim)
        assert sim.fastpath(T=1.0).t[-1] == 1.0  # nor does this touch the session
        assert sim.batch(T=1.0, params={"a": [0.0, 1.0]}).ok.all()

    res = sim.run(T=60.0, progress=progress)
    assert set(messages) == set(INSIDE)
    assert messages["assign"].startswith("sim.assign() was called from within sim.run()")
    assert "sim.copy()" in messages["run"]
    assert differences(res, expected) == []
    assert differences(sim.run(T=60.0), expected) == []


def test_a_signal_handler_that_calls_the_session_is_refused() -> None:
    sim = sim_of("driven", "rk4")
    caught: list[Exception] = []

    def handler(*_: Any) -> None:
        try:
            sim.run(T=1.0)
        except SessionBusyError as error:
            caught.append(error)

    with alarm(handler, 0.05):
        res = sim.run(T=1000.0)
    assert len(caught) == 1
    assert differences(res, sim_of("driven", "rk4").run(T=1000.0)) == []


def test_values_of_a_session_may_be_given_to_its_own_calls() -> None:
    sim = sim_of("driven", "rk4")
    res = sim.run(ic=sim.state, params=sim.params)
    sim.params = sim.params
    sim.assign(sim.state)
    sim.add_preset("same", sim.state, sim.params)
    sim.state.update(sim.state)
    assert differences(sim.run(), res) == []


def test_a_call_that_fails_leaves_the_turn_to_others() -> None:
    sim = sim_of("explosion", "rk4")
    for _ in range(2):
        with pytest.raises(RunFailed):
            sim.run(T=2.0)
    assert sim.t > 0.9


def test_ctrl_c_is_heard_while_waiting_for_another_thread() -> None:
    sim = sim_of("driven", "rk4")
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with sim._turn.lock:
            held.set()
            done.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    try:
        with alarm(signal.default_int_handler, 0.1), pytest.raises(KeyboardInterrupt):
            sim.run(T=1.0)
    finally:
        done.set()
        thread.join()
    assert sim.run(T=1.0).ok


# --- forks ----------------------------------------------------------------------------------------


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_fork_in_the_middle_of_another_threads_run() -> None:
    sim, idle = sim_of("driven", "rk4"), sim_of("driven", "rk4")
    sim.snapshot("start")
    going = threading.Event()
    thread = threading.Thread(target=sim._turn.of(lambda: going.wait(60)), daemon=True)
    thread.start()
    while not sim._turn.owner:
        pass
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 warns of just this
        child = os.fork()
    if child == 0:
        code = 1
        try:
            assert idle.run(T=1.0).ok
            with pytest.raises(SessionBusyError, match="forked"):
                sim.run(T=1.0)
            with pytest.raises(KeyError):
                sim.reset("nowhere")
            with pytest.raises(SessionBusyError, match="forked"):
                _ = sim.t
            sim.reset("start")
            assert sim.run(T=1.0).ok
            code = 0
        finally:
            os._exit(code)
    going.set()
    thread.join()
    assert os.waitpid(child, 0)[1] == 0
    assert sim.run(T=1.0).ok


def test_setup_in_several_threads() -> None:
    found = in_threads(lambda i: bits(setup("builtin://map/henon", jit=False).run(N=20)[:]))
    assert len({each for row in found for each in row}) == 1
