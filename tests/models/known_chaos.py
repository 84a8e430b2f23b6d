"""What is known about the built-in chaotic flows.

Digits without another source were computed from the equations in 34-digit arithmetic by
extrapolation (Gragg, Bulirsch and Stoer), two tolerances agreeing to 18 digits.
"""

import math

import mpmath
import numpy as np
from models.answers import Answer, Ends, Follows, Rests, Shrinks
from scipy.linalg import expm

STEPS = "tolerance 1e-12 times some hundred steps; errors hardly grow"
ROUNDING = "a few roundings"
THIRD = 2 * math.pi / 3


def _chua_inner(t: np.ndarray) -> dict[str, np.ndarray]:
    """While |x| < 1 the circuit is linear."""
    matrix = np.array([[15.6 / 7, 15.6, 0], [1, -1, 1], [0, -28, 0]])
    orbit = np.array([expm(matrix * time) @ [1e-3, 0, 0] for time in t])
    return dict(zip("xyz", orbit.T, strict=True))


THOMAS_S = float(mpmath.findroot(lambda s: mpmath.tan(s) + s / 2, 2.29))  # at the Hopf point
LORENZ_HOPF = {"rho": 470 / 19}
LORENZ_ROLL = math.sqrt(8 / 3 * (470 / 19 - 1))

CHAOS: dict[str, list[Answer]] = {
    "ode/lorenz": [
        Ends(
            run={"T": 10.0},
            state={
                "x": -4.902687541134646,
                "y": -3.743872921802920,
                "z": 24.690858102790555,
            },
            within=1e-8,
            because="tolerance 1e-12, a thousand steps, exponent 0.9: errors grow 8,000-fold",
        ),
        Rests(  # Hopf: a pair on the imaginary axis, and a third that makes up the sum
            state={"x": LORENZ_ROLL, "y": LORENZ_ROLL, "z": 470 / 19 - 1},
            eigenvalues=[
                1j * math.sqrt(8 / 3 * (10 + 470 / 19)),
                -1j * math.sqrt(8 / 3 * (10 + 470 / 19)),
                -41 / 3,
            ],
            params=LORENZ_HOPF,
            within=1e-13,
            because=ROUNDING,
        ),
        Rests(  # the pitchfork
            state={"x": 0.0, "y": 0.0, "z": 0.0},
            eigenvalues=[0.0, -11.0, -8 / 3],
            params={"rho": 1.0},
            within=1e-14,
            because=ROUNDING,
        ),
        Shrinks(rate=-41 / 3),
    ],
    "ode/lorenz84": [
        Ends(
            run={"T": 10.0},
            state={
                "x": 1.84959724457558867,
                "y": -0.367627227233439336,
                "z": 1.1641619170272317,
            },
            within=1e-8,
            because="tolerance 1e-12, some hundred steps, errors grow a hundredfold",
        ),
        Follows(  # without G the jet alone relaxes to F
            run={"T": 10.0, "params": {"G": 0.0}},
            exact=lambda t: {"x": 8 - 7 * np.exp(-0.25 * t), "y": 0 * t},
            within=1e-10,
            because=STEPS,
        ),
        Rests(
            state={"x": 8.0, "y": 0.0, "z": 0.0},
            eigenvalues=[-0.25, 7 + 32j, 7 - 32j],
            params={"G": 0.0},
            within=1e-14,
            because=ROUNDING,
        ),
    ],
    "ode/lorenz96": [
        Ends(
            run={
                "T": 1.0,
                "ic": {"x1": 1, "x2": -1, "x3": 2, "x4": 3, "x5": 0, "x6": 4, "x7": -2, "x8": 5},
            },
            state={
                "x1": 2.37264135362941834,
                "x2": 6.89101212664452848,
                "x3": 1.92587233349400332,
                "x4": -5.89086500681666342,
                "x5": 1.83088289069219453,
                "x6": 4.88607904221623205,
                "x7": 7.00321171609091954,
                "x8": 0.110196845599266311,
            },
            within=1e-9,
            because="tolerance 1e-12, some hundred steps, exponent near 1.7",
        ),
        Rests(  # circulant: -1 + F (w^k - w^-2k); at F = 1 the mode k = 2 is neutral
            state={f"x{i}": 1.0 for i in range(1, 9)},
            eigenvalues=[
                -1 + np.exp(2j * np.pi * k / 8) - np.exp(-4j * np.pi * k / 8) for k in range(8)
            ],
            params={"F": 1.0},
            within=1e-14,
            because=ROUNDING,
        ),
        Shrinks(rate=-8.0),
    ],
    "ode/rossler": [
        Ends(  # the unstable orbit of period one, multiplier -2.4; see test_published_digits.py
            run={
                "T": 5.881088455553878,
                "ic": {"x": 0.0, "y": 6.091768319068027548, "z": 1.29973193749300544},
            },
            state={"x": 0.0, "y": 6.091768319068027548, "z": 1.29973193749300544},
            within=1e-9,
            because=STEPS,
        ),
        Ends(
            run={"T": 10.0},
            state={
                "x": -0.754746422344828042,
                "y": -3.86771682356657781,
                "z": 0.0288062524510141417,
            },
            within=1e-9,
            because=STEPS,
        ),
    ],
    "ode/chua": [
        Follows(
            run={"T": 1.5, "ic": {"x": 1e-3, "y": 0.0, "z": 0.0}},
            exact=_chua_inner,
            within=1e-9,
            because="tolerance 1e-12, growth exp(3.5 t)",
        ),
        Rests(
            state={"x": 1.5, "y": 0.0, "z": -1.5},
            eigenvalues=[
                -6.06830634188630237,
                0.305581742371722614 + 4.52465356754192844j,
                0.305581742371722614 - 4.52465356754192844j,
            ],
            within=1e-13,
            because=ROUNDING,
        ),
    ],
    "ode/thomas": [
        Ends(
            run={"T": 20.0},
            state={
                "x": 3.62775577770027187,
                "y": 0.267577869551358702,
                "z": -1.01175050685978359,
            },
            within=1e-9,
            because=STEPS,
        ),
        Rests(  # Hopf bifurcation on the diagonal: sin s = b s, cos s = -2b
            state={"x": THOMAS_S, "y": THOMAS_S, "z": THOMAS_S},
            eigenvalues=[
                3 * math.cos(THOMAS_S) / 2,
                1j * math.cos(THOMAS_S) * math.sin(THIRD),
                -1j * math.cos(THOMAS_S) * math.sin(THIRD),
            ],
            params={"b": -math.cos(THOMAS_S) / 2},
            within=1e-15,
            because=ROUNDING,
        ),
        Shrinks(rate=-3 * 0.208186),
    ],
    "ode/sprott-a": [
        Ends(
            run={"T": 10.0},
            state={
                "x": 2.28295370076487793,
                "y": -0.511370539271622402,
                "z": -1.30664705661326022,
            },
            within=1e-9,
            because="tolerance 1e-12, some hundred steps, errors grow tenfold",
        ),
    ],
    "ode/halvorsen": [
        Ends(
            run={"T": 3.0},
            state={
                "x": -12.6832044815284708,
                "y": -8.0076392366202436,
                "z": 2.29581619859844033,
            },
            within=1e-9,
            because="tolerance 1e-12, some hundred steps, exponent 0.79",
        ),
        Rests(  # circulant: -a on the diagonal, then -4 - 2s and -4, with s = -(a + 8)
            state={"x": -9.27, "y": -9.27, "z": -9.27},
            eigenvalues=[
                -1.27 + 14.54 * np.exp(1j * k * THIRD) - 4 * np.exp(2j * k * THIRD)
                for k in range(3)
            ],
            within=1e-13,
            because=ROUNDING,
        ),
        Shrinks(rate=-3.81),
    ],
    "ode/chen": [
        Ends(
            run={"T": 1.0},
            state={
                "x": -15.9049234558617131,
                "y": -13.1622220608691347,
                "z": 32.090047601973853,
            },
            within=1e-10,
            because="tolerance 1e-12, some hundred steps, exponent 2",
        ),
        Rests(  # x = y = sqrt(b (2c - a)), z = 2c - a
            state={"x": math.sqrt(63), "y": math.sqrt(63), "z": 21.0},
            # the roots of l^3 + (a + b - c) l^2 + b c l + 2 a b (2c - a)
            eigenvalues=np.roots([1, 10, 84, 4410]),
            within=1e-12,
            because="coefficients up to 4410",
        ),
        Shrinks(rate=-10.0),
    ],
    "ode/rabinovich-fabrikant": [
        Ends(
            run={"T": 10.0},
            state={
                "x": -1.26202958348817151,
                "y": 0.42941509212622429,
                "z": 0.668057688215987667,
            },
            within=1e-9,
            because=STEPS,
        ),
        Rests(
            state={"x": 0.0, "y": 0.0, "z": 0.0},
            eigenvalues=[0.87 + 1j, 0.87 - 1j, -2.2],
            within=1e-15,
            because=ROUNDING,
        ),
        Shrinks(rate=2 * (0.87 - 1.1)),
    ],
}
