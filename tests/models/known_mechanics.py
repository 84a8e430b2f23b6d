"""What is known about the built-in models of mechanics and other oscillators.

Digits without another source were computed from the equations in 34-digit arithmetic by
extrapolation (Gragg, Bulirsch and Stoer), two tolerances agreeing to 18 digits.
"""

import math

import mpmath
import numpy as np
from models.answers import Answer, Ends, Fires, Follows, Keeps, Rests, Shrinks
from scipy.optimize import brentq
from scipy.special import ellipj, ellipk

SQRT2, SQRT3 = math.sqrt(2), math.sqrt(3)
STEPS = "tolerance 1e-12 times some hundred steps; errors hardly grow"
ROUNDING = "a few roundings"


def _pendulum_period(amplitude: float) -> float:
    return float(4 * math.sqrt(1 / 9.81) * ellipk(math.sin(amplitude / 2) ** 2))


def _free_duffing(t: np.ndarray) -> dict[str, np.ndarray]:
    """x'' + x + x^3 = 0 from x = 1 at rest: x = cn(sqrt(2) t | m = 1/4)."""
    _, cn, _, _ = ellipj(SQRT2 * t, 0.25)
    return {"x": cn}


def _eto(t: np.ndarray) -> dict[str, np.ndarray]:
    """In polar form: a logistic curve for r^2, and an angle that is its integral."""
    a, mu, start = 2.0, 0.8, 0.02
    growth = (a / start - 1) * np.exp(-2 * (1 - mu) * a * t)
    radius = np.sqrt(a / (1 + growth))
    # d(ln r)/dt = (mu - 1)(r^2 - a), so the angle moves by -a t - mu ln(r/r0)/(mu - 1).
    angle = math.pi / 4 - a * t + mu / (1 - mu) * np.log(radius / math.sqrt(start))
    return {"x": radius * np.cos(angle), "y": radius * np.sin(angle)}


def _impacts(e: float, count: int) -> list[float]:
    """The fall from height one, then flights that shrink by e."""
    fall = math.sqrt(2 / 9.81)
    return [fall * (1 + 2 * sum(e**k for k in range(1, n))) for n in range(1, count + 1)]


def _locked_clocks(coupling: float) -> dict[str, float]:
    """The order parameter r is the mean of cos(theta_i), with sin(theta_i) = omega_i / (K r)."""
    speeds = (-1.0, -0.5, 0.0, 0.5, 1.0)

    def excess(r: float) -> float:
        return sum(math.sqrt(1 - (w / (coupling * r)) ** 2) for w in speeds) / 5 - r

    r = brentq(excess, 0.7, 1.0, xtol=1e-15)
    return {f"theta{i}": math.asin(w / (coupling * r)) for i, w in enumerate(speeds, start=1)}


def _henon_heiles_swing() -> tuple[float, float]:
    """On the axis x = 0 the star swings in y^2/2 - y^3/3: a turning point and the period.

    Between the two smaller roots y1 < y2 < y3 of y^3/3 - y^2/2 + E = 0 the period is
    2 sqrt(6) K(m) / sqrt(y3 - y1) with m = (y2 - y1)/(y3 - y1).
    """
    y1, y2, y3 = sorted(float(y.real) for y in mpmath.polyroots([1 / 3, -1 / 2, 0, 1 / 12]))
    return y1, 2 * math.sqrt(6 / (y3 - y1)) * float(ellipk((y2 - y1) / (y3 - y1)))


LOCKED = _locked_clocks(2.0)
SWING_Y, SWING_PERIOD = _henon_heiles_swing()

MECHANICS: dict[str, list[Answer]] = {
    "ode/expdecay": [
        Follows(
            run={"T": 5.0, "params": {"a": 1.5}},
            exact=lambda t: {"x": np.exp(-1.5 * t)},
            within=1e-10,
            because=STEPS,
        ),
    ],
    "ode/harmonic": [
        Follows(
            run={"T": 20.0, "params": {"omega": 1.5}},
            exact=lambda t: {"x": np.cos(1.5 * t), "v": -1.5 * np.sin(1.5 * t)},
            within=1e-9,
            because=STEPS,
        ),
        Keeps(run={"T": 20.0}, aux="energy", within=1e-9, because=STEPS),
    ],
    "ode/pendulum": [
        Ends(  # back after one period, whatever the amplitude
            run={"T": _pendulum_period(2.0)},
            state={"theta": 2.0, "omega": 0.0},
            within=1e-10,
            because=STEPS,
        ),
        Keeps(run={"T": 10.0}, preset="rotating", aux="energy", within=1e-10, because=STEPS),
    ],
    "ode/pendulum-damped": [
        Ends(
            run={"T": 5.0},
            state={"theta": 0.478760645333885428, "omega": 1.57844371541784325},
            within=1e-10,
            because=STEPS,
        ),
        Rests(
            state={"theta": math.pi, "omega": 0.0},
            eigenvalues=[-0.25 + math.sqrt(0.0625 + 9.81), -0.25 - math.sqrt(0.0625 + 9.81)],
            within=1e-14,
            because=ROUNDING,
        ),
        Shrinks(rate=-0.5),
    ],
    "ode/pendulum-driven": [
        Ends(
            run={"T": 20.0},
            state={"theta": -11.4485565861348803, "omega": 0.468405810399860899},
            within=1e-9,
            because="tolerance 1e-12, some hundred steps, chaos of exponent 0.1",
        ),
        Shrinks(rate=-0.5),
    ],
    "ode/double-pendulum": [
        Keeps(
            run={"T": 5.0},
            aux="energy",
            within=1e-9,
            because="tolerance 1e-12 times the rate of change of a kinetic energy near 50",
        ),
        Ends(
            run={"T": 2.0},
            state={
                "theta1": -2.92203223590754081,
                "theta2": 0.117385172202614549,
                "omega1": 0.910779554993410739,
                "omega2": 4.42695187390119795,
            },
            within=1e-9,
            because="tolerance 1e-12, some hundred steps, errors grow tenfold",
        ),
        Rests(  # the two modes of small swings, omega^2 = g/l (2 -+ sqrt 2)
            state={"theta1": 0.0, "theta2": 0.0, "omega1": 0.0, "omega2": 0.0},
            eigenvalues=[
                sign * 1j * math.sqrt(9.81 * (2 + mode * SQRT2))
                for sign in (1, -1)
                for mode in (1, -1)
            ],
            within=1e-13,
            because=ROUNDING,
        ),
    ],
    "ode/vanderpol": [
        Ends(  # its cycle closes
            run={"T": 6.663286859323130, "ic": {"x": 2.008619860874843137, "y": 0.0}},
            state={"x": 2.008619860874843137, "y": 0.0},
            within=1e-10,
            because=STEPS,
        ),
        Ends(
            run={"T": 11.61223066771957, "ic": {"x": 2.021508061562321324, "y": 0.0}},
            preset="relaxation",
            state={"x": 2.021508061562321324, "y": 0.0},
            within=1e-10,
            because=STEPS,
        ),
        Ends(  # the stiff test problem VDPOL
            run={"T": 2000.0, "record": False, "max_steps": 10_000_000},
            preset="stiff",
            state={"x": 1.706167732170479, "y": -8.928097010248e-4},
            within=1e-11,
            because="tolerance 1e-12, damped on the slow branches",
        ),
        Rests(
            state={"x": 0.0, "y": 0.0},
            eigenvalues=[0.5 + 1j * SQRT3 / 2, 0.5 - 1j * SQRT3 / 2],
            within=1e-15,
            because=ROUNDING,
        ),
    ],
    "ode/duffing": [
        Follows(
            run={"T": 10.0},
            preset="free",
            exact=_free_duffing,
            within=1e-10,
            because=STEPS,
        ),
        Ends(
            run={"T": 10.0},
            state={"x": 0.143962528816592399, "y": -0.0481634312445491936},
            within=1e-10,
            because=STEPS,
        ),
        Shrinks(rate=-0.3),
    ],
    "ode/henon-heiles": [
        Ends(  # the orbit on the axis of symmetry, energy 1/12
            run={
                "T": SWING_PERIOD,
                "ic": {"x": 0.0, "y": SWING_Y, "px": 0.0, "py": 0.0},
            },
            state={"x": 0.0, "y": SWING_Y, "px": 0.0, "py": 0.0},
            within=1e-10,
            because=STEPS,
        ),
        Keeps(run={"T": 50.0}, aux="energy", within=1e-10, because=STEPS),
        Ends(
            run={"T": 20.0},
            state={
                "x": -0.12368483979789257,
                "y": 0.488761309308070529,
                "px": 0.221270979164317986,
                "py": -0.0986856855426654574,
            },
            within=1e-9,
            because="tolerance 1e-12, some hundred steps, errors grow tenfold",
        ),
    ],
    "ode/bouncing-ball": [
        Fires(
            run={"T": 3.0},
            event="bounce",
            times=_impacts(0.8, 6),
            within=1e-10,
            because="a parabola is exact to the interpolant; located to 1e-12 or so",
        ),
        Fires(
            run={"T": 1.335, "params": {"e": 0.5}},
            event="bounce",
            times=_impacts(0.5, 6),
            within=1e-10,
            because="as above",
        ),
    ],
    "ode/kuramoto": [
        Ends(  # all in step, at sin(theta_i) = omega_i / (K r)
            run={"T": 60.0, "ic": dict.fromkeys(LOCKED, 0.0)},
            state=LOCKED,
            within=1e-10,
            because=STEPS,
        ),
        Ends(
            run={"T": 5.0},
            state={
                "theta1": -1.98856489676367998,
                "theta2": -1.65769355201143761,
                "theta3": 4.86419968282620241,
                "theta4": 5.20136796294984105,
                "theta5": 5.58069080299907413,
            },
            within=1e-10,
            because=STEPS,
        ),
    ],
    "ode/eto-circular": [
        Follows(run={"T": 10.0}, exact=_eto, within=1e-9, because=STEPS),
    ],
}
