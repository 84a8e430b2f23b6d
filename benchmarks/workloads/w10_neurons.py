"""W10: neurons, whose rates are exponentials: what the vector mathematics is for."""

from typing import Any

from workload import OURS, PEER, Task, Workload

RUNS, STEPS, DT = 1024, 10_000, 0.01
RUN = {"T": STEPS * DT, "dt": DT}
SAMPLE = 8
CURRENTS = (0.0, 20.0)

workload = Workload(
    "W10",
    f"{RUNS:,} Hodgkin–Huxley × {STEPS:,} rk4 steps, final states only, one thread",
    "ns/step/trajectory",
    1e9 / (RUNS * STEPS),
    repeats=5,
)
workload.goal(OURS, 1 / 12, of=PEER)

# The equations of our built-in model in the language of the peer, parameters and all.
PEER_MODEL = """
[model]
type = "ode"
name = "Hodgkin-Huxley"

[states]
V = -65.0
n = 0.3177
m = 0.0529
h = 0.5961

[params]
I = 10.0
C = 1.0
g_Na = 120.0
g_K = 36.0
g_L = 0.3
E_Na = 50.0
E_K = -77.0
E_L = -54.4
V0 = -65.0
phi = 1.0
a_n = 0.1
V_n = -55.0
w_n = 10.0
b_n = 0.125
k_n = 80.0
a_m = 1.0
V_m = -40.0
w_m = 10.0
b_m = 4.0
k_m = 18.0
a_h = 0.07
k_h = 20.0
V_h = -35.0
w_h = 10.0

[functions.ramp]
args = ["x"]
expr = "-x / expm1(-x)"

[aux]
alpha_n = "a_n * ramp((V - V_n) / w_n)"
beta_n = "b_n * exp((V0 - V) / k_n)"
alpha_m = "a_m * ramp((V - V_m) / w_m)"
beta_m = "b_m * exp((V0 - V) / k_m)"
alpha_h = "a_h * exp((V0 - V) / k_h)"
beta_h = "1 / (1 + exp((V_h - V) / w_h))"

[equations.rhs]
V = "(I - g_Na*m**3*h*(V - E_Na) - g_K*n**4*(V - E_K) - g_L*(V - E_L)) / C"
n = "phi * (alpha_n*(1 - n) - beta_n*n)"
m = "phi * (alpha_m*(1 - m) - beta_m*m)"
h = "phi * (alpha_h*(1 - h) - beta_h*h)"
"""


def _currents() -> Any:
    import numpy as np

    return np.linspace(*CURRENTS, RUNS)


@workload.side(OURS)
def ours() -> Task:
    from dynlib import setup
    from dynlib.plans import FinalState

    sim = setup("builtin://ode/hodgkin-huxley", stepper="rk4")
    return lambda: sim.batch(params={"I": _currents()}, plan=FinalState(), workers=1, **RUN)


@workload.side(PEER, "peer", share=SAMPLE / RUNS)
def peer() -> Task:
    import tempfile
    from pathlib import Path

    import numpy as np

    from dynlib import setup
    from dynlib.runtime.fastpath import FixedStridePlan, fastpath_batch_for_sim

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "neuron.toml")
        path.write_text(PEER_MODEL)
        sim = setup(str(path), stepper="rk4", jit=True)
    spec = sim.model.spec
    ic = np.tile(spec.state_ic, (SAMPLE, 1))
    params = np.tile(spec.param_vals, (SAMPLE, 1))
    params[:, list(spec.params).index("I")] = _currents()[:: RUNS // SAMPLE]
    call = {
        "plan": FixedStridePlan(stride=STEPS), "t0": 0.0, "N": None, "record_vars": ["V"],
        "transient": 0.0, "record_interval": STEPS, "max_steps": 2 * STEPS, "ic": ic,
        "params": params, "parallel_mode": "none", **RUN,
    }  # fmt: skip

    def task() -> None:
        assert len(fastpath_batch_for_sim(sim, **call)) == SAMPLE

    return task
