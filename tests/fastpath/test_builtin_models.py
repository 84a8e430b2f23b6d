"""Every model that comes with dynlib gives the same bits in lanes as alone."""

from typing import Any

import numpy as np
import pytest
from fastpath.batches import singles, unlike

from dynlib import list_models, setup

MODELS = list_models()


def check(name: str, stepper: str | None, *, jit: bool) -> None:
    sim = setup(f"builtin://{name}", stepper=stepper, jit=jit)
    spec = sim.spec
    values: dict[str, Any] = {}
    if spec.params and not spec.is_integer:
        first, value = spec.params[0], spec.param_values[0]
        values["params"] = {first: value * np.array([1.0, 0.97, 1.05, 1.3])}
    else:
        first, value = spec.states[0], spec.state_values[0]
        values["ic"] = {first: np.array([value, value + 1, value + 2, value + 3])}
    steps = 200 if jit else 25
    options: dict[str, Any] = {"N": steps}
    if not spec.is_map:
        options = {"T": spec.sim.t0 + steps * spec.sim.dt, "dt": spec.sim.dt}
    alone = dict(options)
    if sim.model.stepper.adaptive:
        alone["transient"] = options["T"] - spec.sim.t0
    batch = sim.batch(**values, **options, lanes=4, workers=1)
    assert unlike(batch, singles(sim, values, alone, 4)) == []


@pytest.mark.parametrize("name", MODELS)
def test_fixed_steps(name: str) -> None:
    check(name, None, jit=False)


@pytest.mark.parametrize("name", [name for name in MODELS if name.startswith("ode/")])
def test_adaptive_steps(name: str) -> None:
    spec = setup(f"builtin://{name}", jit=False).spec
    if any(spec.lags):
        pytest.skip("lags count steps of a fixed grid")
    check(name, "rk45", jit=False)


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_compiled(name: str) -> None:
    check(name, None, jit=True)
