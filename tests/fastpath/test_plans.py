"""A plan allocates as many rows as a run fills, and no more."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastpath.batches import sim_of
from hypothesis import given
from hypothesis import strategies as st

from dynlib import OptionError
from dynlib.abi.status import Status
from dynlib.plans import FinalState, RecordingPlan, Stride, TailWindow

steps = st.integers(0, 300)
strides = st.integers(1, 40)


@given(strides, steps)
def test_stride_keeps_every_kth_step(k: int, n_steps: int) -> None:
    assert Stride(k).capacity(n_steps) == len(range(0, n_steps + 1, k))


@given(st.integers(1, 50), strides, steps)
def test_tail_ends_with_the_run(n: int, k: int, n_steps: int) -> None:
    first, stride, rows = TailWindow(n, k).window(n_steps)
    kept = [first + stride * row for row in range(rows)]
    assert kept[-1] == n_steps
    assert kept == list(range(n_steps, -1, -k))[:n][::-1]


@given(steps)
def test_final_state_is_the_shortest_tail(n_steps: int) -> None:
    assert FinalState().window(n_steps) == TailWindow(1).window(n_steps)
    assert FinalState().capacity(n_steps) == 1


@given(
    st.one_of(
        st.just(FinalState()),
        st.builds(Stride, strides),
        st.builds(TailWindow, st.integers(1, 50), strides),
    ),
    st.integers(0, 60),
)
def test_capacity_is_what_a_run_fills(plan: RecordingPlan, n_steps: int) -> None:
    sim = sim_of("logistic")
    batch = sim.batch(N=n_steps, params={"r": [2.0, 3.0]}, plan=plan)
    assert batch["x"].shape == (2, plan.capacity(n_steps))
    assert batch.t.shape == (plan.capacity(n_steps),)
    assert (batch.rows == plan.capacity(n_steps)).all()
    assert len(sim.fastpath(N=n_steps, plan=plan)) == plan.capacity(n_steps)


def test_window_alone_is_allocated() -> None:
    batch = sim_of("logistic").batch(N=1000, plan=TailWindow(5), params={"r": np.ones(3)})
    assert batch._table._raw.rec_y.shape == (3, 5, 1)
    ends = sim_of("logistic").batch(N=1000, plan=FinalState(), params={"r": np.ones(3)})
    assert ends._table._raw.rec_y.nbytes == 0


def test_plans_are_values() -> None:
    assert Stride(3) == Stride(3.0) != Stride(4)
    assert len({TailWindow(4), TailWindow(4, 1), FinalState(), FinalState()}) == 2
    assert repr(TailWindow(4, 2)) == "TailWindow(n=4, k=2)"


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Stride(0), "Stride: k must be at least 1, found 0"),
        (lambda: Stride(1.5), "Stride: k must be a whole number, found 1.5"),
        (lambda: TailWindow(0), "TailWindow: n must be at least 1, found 0"),
        (lambda: TailWindow(3, "x"), "TailWindow: k must be a number, found 'x'"),
        (lambda: Stride(2).capacity(-1), "n_steps must be at least 0, found -1"),
    ],
)
def test_letters(make: object, said: str) -> None:
    with pytest.raises(OptionError, match=said):
        make()  # type: ignore[operator]


# --- runs that end early --------------------------------------------------------------------------


@pytest.mark.parametrize("stepper", ["rk4", "rk45"])
def test_final_state_of_runs_that_end_early(stepper: str, tmp_path: Path) -> None:
    """It is where they ended, at the time at which they did, in memory, stores and fast runs."""
    sim, k = sim_of("stopped", stepper), np.array([0.1, 1.0, 3.0])
    call: dict[str, Any] = {"T": 2.0, "dt": 0.05, "plan": FinalState()}
    batch = sim.batch(params={"k": k}, **call)
    assert [int(code) for code in batch.status] == [Status.DONE, *[Status.EARLY_EXIT] * 2]
    np.testing.assert_array_equal(batch["x"][:, 0], batch.final["x"])
    assert batch.rows.tolist() == [1, 1, 1]
    for index, one in enumerate(batch):
        assert one.t.tolist() == [batch.t_final[index]]
        assert one["x"].tolist() == [batch.final["x"][index]]
    alone = sim.fastpath(params={"k": 3.0}, **call)
    assert (alone.t[0], alone["x"][0]) == (batch.t_final[2], batch.final["x"][2])
    stored = sim.batch(params={"k": k}, **call, out=tmp_path / "a.zarr")
    np.testing.assert_array_equal(stored["x"], batch["x"])
    assert stored[2].t.tolist() == [batch.t_final[2]]


def test_what_runs_that_end_early_lack() -> None:
    """Steps of a window that they did not get to; aux variables at their end."""
    sim, k = sim_of("stopped", "rk4"), np.array([0.1, 0.5, 3.0])
    call: dict[str, Any] = {"params": {"k": k}, "T": 2.0, "dt": 0.05}
    batch = sim.batch(**call, plan=TailWindow(5))
    every = sim.batch(**call)
    assert batch.rows[0] == 5
    assert 0 < every.rows[1] < 41
    assert batch.rows[1:].tolist() == [max(0, n - 36) for n in every.rows[1:]]
    np.testing.assert_array_equal(batch["x"], every["x"][:, -5:])
    ends = sim.batch(**call, plan=FinalState(), record_vars=["x", "twice"])
    assert ends.rows.tolist() == [1, 0, 0]
    assert np.isnan(ends["x"][2]).all()


def test_failed_runs_have_no_end() -> None:
    batch = sim_of("explosion", "rk4").batch(ic={"x": [-1.0, 1.5]}, T=2.0, plan=FinalState())
    assert batch.rows.tolist() == [1, 0]
    assert np.isnan(batch["x"][1]).all()
