"""W3: one adaptive trajectory, final state only, against libraries that are known for speed."""

from workload import OURS, PEER, Task, Workload

T = 2000.0
TOLERANCE = 1e-8
RUN = {"T": T, "rtol": TOLERANCE, "atol": TOLERANCE, "record": False, "max_steps": 2_000_000}
HEYOKA = "heyoka 1e-8"
HEYOKA_FULL = "heyoka 2e-16"
SIGMA, RHO, BETA = 10.0, 28.0, 8.0 / 3.0
START = [1.0, 1.0, 1.0]

workload = Workload("W3", "Lorenz, adaptive 1e-8, T = 2000, final state only", "ms", 1e3)
workload.goal(OURS, 1 / 3, of=PEER)


def _ours(stepper: str) -> Task:
    from dynlib import setup

    sim = setup("builtin://ode/lorenz", stepper=stepper)
    return lambda: sim.run(**RUN)


@workload.side(OURS)
def ours() -> Task:
    return _ours("rk45")


@workload.side("ours, dop853")
def ours_of_order_8() -> Task:
    return _ours("dop853")


@workload.side(PEER, "peer")
def peer() -> Task:
    from dynlib import setup

    sim = setup("builtin://ode/lorenz.toml", stepper="rk45", jit=True)
    return lambda: sim.run(**RUN)


def _taylor(tolerance: float) -> Task:
    import heyoka

    x, y, z = heyoka.make_vars("x", "y", "z")
    flow = [(x, SIGMA * (y - x)), (y, x * (RHO - z) - y), (z, x * y - BETA * z)]
    integrator = heyoka.taylor_adaptive(flow, START, tol=tolerance)

    def task() -> None:
        integrator.time = 0.0
        integrator.state[:] = START
        integrator.propagate_until(T)

    return task


@workload.side(HEYOKA)
def heyoka_same_tolerance() -> Task:
    return _taylor(TOLERANCE)


@workload.side(HEYOKA_FULL)
def heyoka_full_precision() -> Task:
    return _taylor(2.220446049250313e-16)


@workload.side("scipy DOP853")
def scipy() -> Task:
    from scipy.integrate import solve_ivp

    def flow(_t: float, u: list[float]) -> list[float]:
        x, y, z = u
        return [SIGMA * (y - x), x * (RHO - z) - y, x * y - BETA * z]

    return lambda: solve_ivp(
        flow, (0.0, T), START, method="DOP853", rtol=TOLERANCE, atol=TOLERANCE, t_eval=[T]
    )
