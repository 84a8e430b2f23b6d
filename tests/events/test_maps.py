"""Events of maps, real and integer: every iteration is a step, nothing lies between two."""

from __future__ import annotations

import numpy as np
import pytest
from events.models import event, iteration
from trajectories import Ran, compiled, go

from dynlib.abi.status import Status

COUNT = {"x": (0, "x + 1")}


def run(text: str, N: int, **request: object) -> Ran:
    return go(compiled(text), N=N, **request)


def test_phases() -> None:
    text = iteration(
        COUNT,
        event("s", "x >= 3", phase="start", log="x; n; t")
        + event("b", "x >= 3", phase="both", log="x")
        + event("e", "x >= 3", phase="end", log="x"),
    )
    ran = run(text, 5)
    np.testing.assert_array_equal(ran.logs("s")[:, :3], [[3, 3, 3], [4, 4, 4]])
    np.testing.assert_array_equal(ran.logs("e")[:, 0], [3, 4, 5])
    np.testing.assert_array_equal(ran.logs("b")[:, 0], [3, 3, 4, 4, 5])
    np.testing.assert_array_equal(ran.raw.evt_step, ran.raw.evt_t)
    np.testing.assert_array_equal(ran.times("e"), [3, 4, 5])


@pytest.mark.parametrize(
    ("cond", "direction", "want"),
    [
        ("x % 4 >= 2", None, [2, 3, 6, 7, 10]),
        ("x % 4 >= 2", "rising", [2, 6, 10]),
        ("x % 4 >= 2", "falling", [4, 8]),
        ("x % 4 >= 2", "either", [2, 4, 6, 8, 10]),
        ("cross_up(x % 4, 1)", None, [2, 6, 10]),
        ("cross_down(x % 4, 2)", None, [4, 8]),
        ("changed(x // 4)", None, [4, 8]),
        ("decreasing(x % 4)", None, [4, 8]),
        ("enters_interval(x, 3, 5) or leaves_interval(x, 3, 5)", None, [3, 6]),
        ("n == 7", None, [7]),
        ("t > 8 and x - lag_x(3) == 3", None, [9, 10]),
    ],
)
def test_conditions(cond: str, direction: str | None, want: list[int]) -> None:
    keys = {"direction": direction} if direction else {}
    for dtype in ("float64", "int64", "float32", "int32"):
        if dtype.startswith("int") and cond.startswith("t"):
            continue
        ran = run(iteration(COUNT, event("e", cond, **keys), dtype=dtype), 10)
        np.testing.assert_array_equal(ran.raw.evt_t, want)


def test_actions_are_taken_in_order_after_the_iteration() -> None:
    text = iteration(
        {"x": (0, "x + 1"), "y": (0, "y")},
        event("double", "x == 3", action="x = 10*x; y += x", log="x; y")
        + event("after", "x == 30", action="x = 0; bumps += 1", log="x; bumps"),
        params="bumps = 0",
    )
    ran = run(text, 5)
    assert ran.fired == ["double", "after"]
    np.testing.assert_array_equal(ran.raw.evt_log, [[3, 0], [30, 0]])
    np.testing.assert_array_equal(ran.y, [[0, 0], [1, 0], [2, 0], [0, 30], [1, 30], [2, 30]])
    assert ran.state.p[0, 0] == 1


def test_several_conditions_of_one_iteration_fire_in_declared_order() -> None:
    names = [f"e{i}" for i in range(12)]
    text = iteration(
        COUNT, "".join(event(name, "x == 2", log=f"x + {i}") for i, name in enumerate(names))
    )
    for rows in (None, 1):
        ran = run(text, 3, first_events=rows)
        assert ran.fired == names
        np.testing.assert_array_equal(ran.raw.evt_log[:, 0], 2 + np.arange(12))


def test_collatz_counts_and_stops() -> None:
    """27 takes 111 iterations to 1: 41 triplings, 70 halvings; the top is 9232 (OEIS A008884)."""
    text = iteration(
        {"k": (27, "k // 2 if k % 2 == 0 else 3*k + 1"), "top": (27, "top")},
        event("odd", "k % 2 == 1", phase="start", action="odd += 1")
        + event("record", "k > top", action="top = k", log="k")
        + '[sim.stop]\ncond = "k == 1"\n',
        params="odd = 0",
        dtype="int64",
    )
    ran = run(text, 10_000)
    assert ran.status is Status.EARLY_EXIT
    assert ran.state.count[0] == 111
    assert ran.state.p[0, 0] == 41
    assert ran.final.dtype == np.int64
    assert list(ran.final) == [1, 9232]
    assert ran.logs("record")[-1, 0] == 9232


def test_integers_wrap_as_numpys_do() -> None:
    text = iteration({"k": (1, "3*k + 1")}, event("e", "k < 0", direction="rising"), dtype="int64")
    ran = run(text, 100)
    k = np.int64(1)
    with np.errstate(over="ignore"):
        want = [k := np.int64(3) * k + np.int64(1) for _ in range(100)]
    np.testing.assert_array_equal(ran.y[1:, 0], want)
    became = np.flatnonzero(np.diff((np.array([1, *want]) < 0).astype(int)) == 1) + 1
    np.testing.assert_array_equal(ran.raw.evt_t, became)


def test_lags_are_iterations() -> None:
    text = iteration({"x": (1, "x + lag_x()")}, event("e", "x > 100", log="lag_x(1); lag_x(5)"))
    ran = run(text, 12)
    x = [1.0, 2.0]  # before the start x was 1, so the first sum is 2
    while len(x) < 13:
        x.append(x[-1] + x[-2])
    np.testing.assert_array_equal(ran.y[:, 0], x)
    first = int(np.argmax(np.array(x) > 100))
    np.testing.assert_array_equal(ran.raw.evt_log[0], [x[first - 1], x[first - 5]])


@pytest.mark.parametrize("t0", [-7, -1, 0, 3])
def test_a_map_may_start_at_any_iteration(t0: int) -> None:
    text = iteration({"x": (0, "n")}, event("s", "n <= 100", phase="start", log="n; x"))
    ran = run(text, t0 + 3, t0=t0)
    np.testing.assert_array_equal(ran.raw.evt_t, [t0, t0 + 1, t0 + 2])
    np.testing.assert_array_equal(ran.y[:, 0], [0, t0, t0 + 1, t0 + 2])


def test_an_action_that_spoils_the_state_ends_the_run() -> None:
    text = iteration(COUNT, event("e", "x == 3", action="x = log(-x)"))
    ran = run(text, 10)
    assert ran.status is Status.NAN_DETECTED
    np.testing.assert_array_equal(ran.y[:, 0], [0, 1, 2])
