"""A leaky integrate-and-fire neuron: intervals between spikes are known in closed form."""

from __future__ import annotations

import numpy as np
import pytest
from events.models import event, flow
from trajectories import ADAPTIVE, FLOWS, compiled, go

NEURON = flow(
    {"v": (0, "(-v + i)/tau"), "w": (0, "0")},
    event("spike", "v >= 1", action="v = 0; w += 1", log="v; w", direction="rising"),
    params="i = 1.5\ntau = 2.0",
)
INTERVAL = 2.0 * np.log(3.0)  # tau*log(i/(i - 1))

# dt = 0.02: the error of one interval is about |interval| * (dt/tau)**p / (p+1)!, times a few;
# location by cubics adds (dt/tau)**4/384.
ALLOWED = {
    "euler": 2e-2, "heun": 2e-4, "rk2": 2e-4, "ab2": 2e-4, "ab3": 2e-6, "rk4": 1e-9,
    # rtol = atol = 1e-10, tens to hundreds of steps
    "bs23": 2e-9, "rk45": 2e-9, "tsit5": 2e-9, "dop853": 2e-9,
}  # fmt: skip


@pytest.mark.parametrize("stepper", FLOWS)
def test_intervals(stepper: str) -> None:
    adaptive = stepper in ADAPTIVE
    request = {"options": {"rtol": 1e-10, "atol": 1e-10}} if adaptive else {"dt": 0.02}
    ran = go(compiled(NEURON, stepper), 12.0, **request)
    want = INTERVAL * np.arange(1, 6)
    assert ran.fired == ["spike"] * 5
    np.testing.assert_allclose(ran.raw.evt_t, want, rtol=0, atol=5 * ALLOWED[stepper])
    np.testing.assert_allclose(np.diff(ran.raw.evt_t), INTERVAL, rtol=0, atol=ALLOWED[stepper])
    np.testing.assert_array_equal(ran.raw.evt_log[:, 1], np.arange(5))
    np.testing.assert_allclose(ran.raw.evt_log[:, 0], 1.0, rtol=1e-14)  # located on v itself
    assert (ran.raw.evt_log[:, 0] >= 1).all()


@pytest.mark.parametrize("stepper", ["heun", "rk4", "ab3"])
def test_intervals_converge_as_the_stepper(stepper: str) -> None:
    """Location does not spoil the order: with a stepper of order p it is at least that good."""
    model = compiled(NEURON, stepper)
    errors = []
    dts = np.array([0.2, 0.1, 0.05])
    for dt in dts:
        times = go(model, 12.0, dt=dt).raw.evt_t
        errors.append(np.abs(times - INTERVAL * np.arange(1, 6)).max())
    order = np.polyfit(np.log(dts), np.log(errors), 1)[0]
    # events fall anywhere within steps, which scatters single errors by a factor of two
    assert order > model.stepper.order - 0.5
