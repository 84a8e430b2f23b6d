"""W8: the whole Lyapunov spectrum of one trajectory."""

from typing import Any

from workload import OURS, PEER, Task, Workload

STEPS, DT, RENORM = 60_000, 1e-2, 10
LYAPAX, JITCODE = "lyapax", "jitcode"
SAMPLE = 0.1

workload = Workload(
    "W8",
    f"Lorenz, full spectrum, rk4 dt={DT}, {STEPS:,} steps, QR every {RENORM}",
    "ms",
    1e3,
)
workload.goal(OURS, 4.0)
workload.goal(OURS, 1 / 15, of=PEER)
workload.goal(OURS, 1 / 10, of=LYAPAX)


@workload.side(OURS)
def ours() -> Task:
    from dynlib import setup
    from dynlib.observers import lyapunov_spectrum

    sim = setup("builtin://ode/lorenz", stepper="rk4")
    run = {"T": STEPS * DT, "dt": DT, "record": False}
    return lambda: (
        sim.run(observers=[lyapunov_spectrum(renorm_every=RENORM)], **run)
        .observers["lyapunov_spectrum"]
        .exponents
    )


@workload.side(PEER, "peer")
def peer() -> Task:
    """Its own settings: an orthonormalisation in every step."""
    from dynlib.runtime.observers import lyapunov_spectrum_observer

    from dynlib import setup

    sim = setup("builtin://ode/lorenz.toml", stepper="rk4", jit=True)

    def task() -> None:
        observer = lyapunov_spectrum_observer(model=sim.model, k=3, record_interval=STEPS)
        sim.run(T=STEPS * DT, dt=DT, observers=[observer], record=False)

    return task


@workload.side(LYAPAX, "exponents")
def lyapax() -> Task:
    import jax

    jax.config.update("jax_enable_x64", True)
    import jax.numpy as jnp
    from lyapax import lyapunov_spectrum, ode_problem

    def rhs(state: Any) -> Any:
        x, y, z = state
        return jnp.array([10.0 * (y - x), x * (28.0 - z) - y, x * y - 8.0 / 3.0 * z])

    problem = ode_problem(rhs, state0=jnp.array([1.0, 1.0, 1.0]), dt=DT)
    run = {"n_steps": STEPS, "renorm_every": RENORM, "t_transient": 0.0}
    return lambda: jax.block_until_ready(lyapunov_spectrum(problem, **run).exponents)


@workload.side(JITCODE, "exponents", share=SAMPLE)
def jitcode() -> Task:
    """Adaptive steps at the error of our fixed ones; it orthonormalises where it is sampled."""
    from jitcode import jitcode_lyap, y

    equations = [
        10.0 * (y(1) - y(0)),
        y(0) * (28.0 - y(2)) - y(1),
        y(0) * y(1) - 8.0 / 3.0 * y(2),
    ]
    ode = jitcode_lyap(equations, n_lyap=3, verbose=False)
    ode.set_integrator("dopri5", rtol=1e-7, atol=1e-7)

    def task() -> Any:
        ode.set_initial_value([1.0, 1.0, 1.0], 0.0)
        growth = 0.0
        for i in range(1, int(SAMPLE * STEPS / RENORM) + 1):
            growth += ode.integrate(i * RENORM * DT)[1]
        return growth

    return task
