"""What is known about the built-in models of chemistry and ecology.

Digits without another source were computed from the equations in 34-digit arithmetic by
extrapolation (Gragg, Bulirsch and Stoer), two tolerances agreeing to 18 digits.
"""

import math

import numpy as np
from models.answers import Answer, Ends, Follows, Holds, Keeps, Rests, Subject
from scipy.special import lambertw

STEPS = "tolerance 1e-12 times some hundred steps; errors hardly grow"
STIFF = "tolerance 1e-12 times some thousand steps that are held down by stability"
ROUNDING = "a few roundings"


SIR_NEVER = float(-lambertw(-3 * 0.999 * math.exp(-3)).real / 3)


def _rosenzweig_hopf() -> tuple[dict[str, float], float]:
    """The predators' prey level sits on the top of the prey isocline: K = 2 x + 1/(a h)."""
    x, capacity = 0.2 / 0.3, 2 * 0.2 / 0.3 + 1
    return {"x": x, "y": (1 - x / capacity) * (1 + x)}, capacity


ROSENZWEIG, ROSENZWEIG_K = _rosenzweig_hopf()
# The determinant is e f'(x) f(x) y, with f(x) = x/(1 + x) what one predator eats.
ROSENZWEIG_FREQUENCY = math.sqrt(
    0.5 * ROSENZWEIG["x"] * ROSENZWEIG["y"] / (1 + ROSENZWEIG["x"]) ** 3
)


def _logistic_growth(t: np.ndarray) -> dict[str, np.ndarray]:
    return {"x": 4 / (1 + 3 * np.exp(-t)), "y": 0 * t}


def _oregonator_rest() -> dict[str, float]:
    """z = x and y = x/(1 + x) leave q x^2 + q x = 2."""
    x = (math.sqrt(1 + 8 / 8.375e-6) - 1) / 2
    return {"x": x, "y": x / (1 + x), "z": x}


def _oregonator_rests(subject: Subject) -> None:
    slope = subject.equations().rhs(_oregonator_rest())
    assert np.all(np.abs(slope) < 1e-9)  # terms of order 1e5 cancel


REACTIONS: dict[str, list[Answer]] = {
    "ode/lotka-volterra": [
        Keeps(run={"T": 40.0}, aux="V", within=1e-10, because=STEPS),
        Rests(  # a centre of frequency sqrt(alpha gamma)
            state={"x": 1.0, "y": 0.5},
            eigenvalues=[1j * math.sqrt(2 / 3), -1j * math.sqrt(2 / 3)],
            within=1e-15,
            because=ROUNDING,
        ),
    ],
    "ode/rosenzweig-macarthur": [
        Rests(
            state=ROSENZWEIG,
            eigenvalues=[1j * ROSENZWEIG_FREQUENCY, -1j * ROSENZWEIG_FREQUENCY],
            params={"K": ROSENZWEIG_K},
            within=1e-15,
            because=ROUNDING,
        ),
        Follows(  # without predators the prey grow logistically
            run={"T": 10.0, "ic": {"x": 1.0, "y": 0.0}},
            exact=_logistic_growth,
            within=1e-10,
            because=STEPS,
        ),
        Ends(
            run={"T": 20.0},
            state={"x": 0.174044015420971727, "y": 0.439297172054446435},
            within=1e-10,
            because=STEPS,
        ),
    ],
    "ode/sir": [
        Keeps(run={"T": 160.0}, aux="invariant", within=1e-10, because=STEPS),
        Ends(  # the final size: S = S(0) exp(-R0 (1 - S)), solved by Lambert's W
            run={"T": 1000.0},
            state={"S": SIR_NEVER, "I": 0.0, "R": 1 - SIR_NEVER},
            within=1e-10,
            because="what is left of I at that time is below 1e-60",
        ),
    ],
    "ode/brusselator": [
        Ends(  # its cycle closes
            run={"T": 7.15691992117987982, "ic": {"x": 1.0, "y": 1.964571371934280374}},
            state={"x": 1.0, "y": 1.964571371934280374},
            within=1e-10,
            because=STEPS,
        ),
        Rests(  # Hopf at B = 1 + A^2, frequency A
            state={"x": 1.5, "y": 3.25 / 1.5},
            eigenvalues=[1.5j, -1.5j],
            params={"A": 1.5, "B": 3.25},
            within=1e-14,
            because=ROUNDING,
        ),
    ],
    "ode/oregonator": [
        Ends(
            run={"T": 5.0},
            state={"x": 2.25976303819216596, "y": 1.79306541818549798, "z": 2.52060001113572326},
            within=1e-9,
            because=STIFF,
        ),
        Ends(  # the end of the stiff test problem OREGO: once around, and back to small values
            run={"T": 360.0, "record": False, "max_steps": 10_000_000},
            state={"x": 1.0008148703185, "y": 1228.178521549907, "z": 132.0554942846709},
            within=1e-10,
            because="tolerance 1e-12, most of it damped",
        ),
        Holds(test=_oregonator_rests),
    ],
    "ode/robertson": [
        Ends(
            run={"T": 40.0, "atol": 1e-14},
            state={"y1": 0.7158270687194, "y2": 9.185534764558e-6, "y3": 0.2841637457458},
            within=1e-11,
            because=STIFF,
        ),
        Keeps(run={"T": 40.0, "atol": 1e-14}, aux="total", within=1e-12, because=ROUNDING),
    ],
    "ode/hires": [
        Ends(  # the reference solution of the test set for initial value problems
            run={"T": 321.8122},
            state={
                "y1": 0.7371312573325668e-3,
                "y2": 0.1442485726316185e-3,
                "y3": 0.5888729740967575e-4,
                "y4": 0.1175651343283149e-2,
                "y5": 0.2386356198831331e-2,
                "y6": 0.6238968252742796e-2,
                "y7": 0.2849998395185769e-2,
                "y8": 0.2850001604814231e-2,
            },
            within=1e-10,
            because=STIFF,
        ),
        Keeps(run={"T": 50.0}, aux="enzyme", within=1e-12, because=ROUNDING),
    ],
}
