"""A batch on other processes is the batch; a worker that dies takes nothing with it."""

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Timer
from typing import Any

import numpy as np
import pytest
from fastpath.batches import same_batch, sim_of, values_of
from fastpath.dying import die_at, error_out
from fastpath.stored import batch_into
from runtime.models import DRIVEN

from dynlib import DynlibError, OptionError, setup
from dynlib.abi.status import Status
from dynlib.observers import poincare
from dynlib.runtime.batch import executors, run
from dynlib.runtime.batch import work as work_module
from dynlib.runtime.fastpath.request import RawBatch
from dynlib.runtime.interrupt import Interrupt

RUNS = 200  # of parts that hold 64


def pool(workers: int = 2, **options: Any) -> ProcessPoolExecutor:
    # A forked process would inherit the threads of this one, and their locks.
    spawned = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(workers, mp_context=spawned, **options)


@pytest.fixture(scope="module")
def processes() -> Iterator[ProcessPoolExecutor]:
    with pool() as executor:
        yield executor


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    distributed = pytest.importorskip("distributed")
    patient = {  # on a busy machine a worker needs its time to start
        "distributed.comm.timeouts.connect": "120s",
        "distributed.comm.timeouts.tcp": "120s",
    }
    with (
        pytest.importorskip("dask").config.set(patient),
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0"
        ) as local,
        distributed.Client(local, timeout=120) as client,
    ):
        yield client


def busy(jit: bool = False, **options: Any) -> Any:
    return sim_of("busy", jit=jit).batch(**values_of("busy", RUNS), T=0.3, **options)


def test_processes(processes: ProcessPoolExecutor) -> None:
    batch = busy(executor=processes)
    assert same_batch(batch, busy())
    assert 1 <= batch.stats.workers <= 2
    assert batch.stats.threads == 1


def test_threads() -> None:
    with ThreadPoolExecutor(2) as executor:
        assert same_batch(busy(executor=executor), busy())


def test_compiled_in_the_workers(processes: ProcessPoolExecutor) -> None:
    """From the text of the model, through the cache on disk."""
    sim, values = sim_of("logistic", jit=True), values_of("logistic", RUNS)
    options: dict[str, Any] = {"N": 50, "lanes": 8, "workers": 1}
    there = sim.batch(**values, **options, executor=processes)
    assert same_batch(there, sim.batch(**values, **options))


def test_cluster(cluster: Any) -> None:
    batch = busy(executor=cluster.get_executor())
    assert same_batch(batch, busy())
    assert 1 <= batch.stats.workers <= 2


def test_cluster_into_a_store(cluster: Any, tmp_path: Path) -> None:
    pytest.importorskip("zarr")
    stored = batch_into(tmp_path / "sweep.zarr", executor=cluster.get_executor())
    assert same_batch(stored, batch_into())


def test_dead_process_is_replaced(tmp_path: Path) -> None:
    with pool(initializer=die_at, initargs=(2, str(tmp_path))) as executor:
        assert same_batch(busy(executor=executor), busy())
    assert len(list(tmp_path.iterdir())) == 2


def test_dead_worker_of_a_cluster(cluster: Any, tmp_path: Path) -> None:
    cluster.run(die_at, 1, str(tmp_path))
    assert same_batch(busy(executor=cluster.get_executor()), busy())
    assert len(list(tmp_path.iterdir())) == 1


def test_workers_that_keep_dying(tmp_path: Path) -> None:
    with (
        pool(1, initializer=die_at, initargs=(100, str(tmp_path))) as executor,
        pytest.raises(
            DynlibError, match=r"died 4 times in a row over runs \d+ to \d+ .*memory.*__main__"
        ),
    ):
        busy(executor=executor)


def test_mistake_in_a_worker_is_shown() -> None:
    """Only lost workers are forgiven."""
    with (
        pool(1, initializer=error_out) as executor,
        pytest.raises(ZeroDivisionError, match="a mistake of ours"),
    ):
        busy(executor=executor)


class LosesOnce(Executor):
    """An executor whose every future fails once, as with a library that we do not know."""

    def __init__(self, error: Exception) -> None:
        self._error = error
        self._pool = ThreadPoolExecutor(2)
        self.attempts: list[int] = []

    def submit(self, work: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        self.attempts.append(args[1])
        if args[1] == 0:
            return self._pool.submit(self._lose)
        return self._pool.submit(work, *args, **kwargs)

    def _lose(self) -> None:
        raise self._error


@pytest.mark.parametrize(
    "error",
    [
        ConnectionResetError("gone"),
        EOFError(),
        type("KilledWorker", (Exception,), {})("gone"),
        type("CommClosedError", (OSError,), {})("gone"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_losses_are_known_by_their_names(error: Exception) -> None:
    executor = LosesOnce(error)
    assert same_batch(busy(executor=executor), busy())
    assert sorted(executor.attempts) == [0, 0, 0, 0, 1, 1, 1, 1]


def test_interrupt_keeps_what_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    """After Ctrl-C no further part is begun, and what came is kept."""
    interrupt = Interrupt()
    monkeypatch.setattr(Interrupt, "watch", lambda self: None)
    monkeypatch.setattr(run, "Interrupt", lambda: interrupt)

    class PressesCtrlC(ThreadPoolExecutor):
        submitted = 0

        def submit(self, work: Any, /, *args: Any, **kwargs: Any) -> Any:
            self.submitted += 1
            interrupt.seen = self.submitted > 4  # more are not under way before one is done
            return super().submit(work, *args, **kwargs)

    sim, values = sim_of("logistic"), values_of("logistic", 10 * 64)
    with PressesCtrlC(1) as executor:
        batch = sim.batch(**values, N=3, executor=executor)
    finished = batch.status != Status.USER_BREAK
    assert 0 < finished.sum() < len(batch)
    assert batch.stats.runs == finished.sum()
    assert np.isnan(batch.final["x"][~finished]).all()
    assert np.isnan(batch["x"][~finished]).all()
    assert (batch.rows[~finished] == 0).all()
    np.testing.assert_array_equal(batch["x"][finished], sim.batch(**values, N=3)["x"][finished])


def test_what_comes_soon_after_ctrl_c_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers hear it too, and return the runs that they have finished by then."""
    interrupt = Interrupt()
    monkeypatch.setattr(Interrupt, "watch", lambda self: None)
    monkeypatch.setattr(run, "Interrupt", lambda: interrupt)
    monkeypatch.setattr(executors, "_LAST", 30.0)  # a moment, also where other work is waited for

    class Slow(Executor):
        """Hears Ctrl-C when it is given its second part, and returns the first one after that."""

        def __init__(self) -> None:
            self.parts: list[tuple[Any, Any]] = []

        def submit(self, work: Any, /, *args: Any, **kwargs: Any) -> Any:
            future: Future[Any] = Future()
            self.parts.append((future, (work, args)))
            if len(self.parts) == 2:
                interrupt.seen = True
                self.parts[0][0].set_running_or_notify_cancel()
                Timer(0.09, self.finish).start()
            return future

        def finish(self) -> None:
            future, (work, args) = self.parts[0]
            raw, worker = work(*args)
            raw.status[5:] = Status.USER_BREAK
            work_module._forget(raw, raw.status == Status.USER_BREAK)
            future.set_result((raw, worker))

    sim, values = sim_of("logistic"), values_of("logistic", 128)
    batch = sim.batch(**values, N=3, executor=Slow())
    assert batch.stats.runs == 5
    whole = sim.batch(**values, N=3)
    np.testing.assert_array_equal(batch["x"][:5], whole["x"][:5])
    assert (batch.status[5:] == Status.USER_BREAK).all()


WRONG: dict[str, Callable[[Any], Any]] = {
    "nothing": lambda raw: None,
    "one thing": lambda raw: [raw],
    "a dict": lambda raw: ({"status": raw.status}, "w"),
    "shape": lambda raw: replace(raw, y_final=raw.y_final[:, 1:]),
    "too many runs": lambda raw: replace(raw, status=np.repeat(raw.status, 2)),
    "type": lambda raw: replace(raw, y_final=raw.y_final.astype("f4")),
    "no array": lambda raw: replace(raw, rec_y=raw.rec_y.tolist()),
    "status": lambda raw: replace(raw, status=raw.status + 90),
    "steps": lambda raw: replace(raw, steps=-1 - raw.steps),
    "rows": lambda raw: replace(raw, rows=raw.rows + 1000),
    "negative rows": lambda raw: replace(raw, rows=raw.rows - 1000),
    "events elsewhere": lambda raw: replace(raw, evt_run=raw.evt_run + 64),
    "events out of order": lambda raw: replace(raw, evt_run=raw.evt_run[::-1].copy()),
    "events of none": lambda raw: replace(raw, evt_id=raw.evt_id + 7),
    "events cut": lambda raw: replace(raw, evt_t=raw.evt_t[1:]),
    "parameters": lambda raw: replace(raw, p_final={}),
    "runs of parameters": lambda raw: replace(raw, p_final={1: raw.p_final[1][1:]}),
    "lanes": lambda raw: replace(raw, lanes=0),
    "rows of traces": lambda raw: replace(raw, trace_rows=raw.trace_rows + 1000),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
@pytest.mark.parametrize("stored", [False, True])
def test_what_comes_back_is_looked_at(what: str, stored: bool, tmp_path: Path) -> None:
    """An executor may return anything; nothing of it is put in place before it fits."""

    class Garbles(ThreadPoolExecutor):
        def submit(self, work: Any, /, *args: Any, **kwargs: Any) -> Any:
            return super().submit(self._garbled, work, args)

        @staticmethod
        def _garbled(work: Any, args: Any) -> Any:
            raw, worker = work(*args)
            changed = WRONG[what](raw)
            return (changed, worker) if isinstance(changed, RawBatch) else changed

    out = {"out": tmp_path / "sweep.zarr"} if stored and pytest.importorskip("zarr") else {}
    with Garbles(1) as executor, pytest.raises(DynlibError, match="a worker returned something"):
        sim_of("busy").batch(
            **values_of("busy", 70), T=0.9, executor=executor, observers=[poincare("x")], **out
        )


def test_executor_of_a_client_is_asked_for(cluster: Any) -> None:
    with pytest.raises(OptionError, match=r"executor=client.get_executor\(\)"):
        busy(executor=cluster)


def test_threads_that_build_at_once() -> None:
    """Sessions in several threads may need their runners at the same time."""
    models = [{**DRIVEN, "params": {"a": 0.4, "w": 1.0 + k}} for k in range(4)]

    def ends(model: Any) -> float:
        return float(setup(model, jit=False).batch(T=0.2).final["x"][0])

    with ThreadPoolExecutor(4) as executor:
        assert list(executor.map(ends, models)) == [ends(model) for model in models]


def test_an_executor_that_is_shut_down() -> None:
    with ThreadPoolExecutor(1) as executor:
        pass
    with pytest.raises(OptionError, match=r"has been shut down"):
        sim_of("driven").batch(T=0.1, dt=0.05, params={"a": [0.0, 1.0]}, executor=executor)
