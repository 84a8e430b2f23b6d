"""What is known about the built-in maps.

Digits without another source were computed from the equations in 50-digit arithmetic. A chaotic
map multiplies the first rounding error by exp(exponent) at each iteration, so runs are short.
"""

import math
from fractions import Fraction

import numpy as np
from models.answers import Answer, Cycle, Ends, Follows, Holds, Inverts, Shrinks, Subject

SQRT3, SQRT5, SQRT6 = math.sqrt(3), math.sqrt(5), math.sqrt(6)
ROUNDING = "a few roundings of numbers of order one"


def _logistic_at_4(n: np.ndarray) -> dict[str, np.ndarray]:
    return {"x": np.sin(2.0**n * math.asin(math.sqrt(0.1))) ** 2}


def _cubic_at_3(n: np.ndarray) -> dict[str, np.ndarray]:
    start = math.asin(0.1 * SQRT3 / 2)
    return {"x": 2 / SQRT3 * np.sin(3.0**n * start)}


def _lozi_orbit(n: np.ndarray) -> dict[str, np.ndarray]:
    """The orbit of (0, 0) in rational numbers, without any rounding."""
    a, b = Fraction(17, 10), Fraction(1, 2)
    orbit = [(Fraction(0), Fraction(0))]
    for _ in n[1:]:
        x, y = orbit[-1]
        orbit.append((1 - a * abs(x) + y, b * x))
    return {"x": np.array([float(x) for x, _ in orbit])}


def _two_cycle(r: float) -> float:
    return ((r + 1) + math.sqrt((r - 3) * (r + 1))) / (2 * r)


def _antiphase(r: float, eps: float) -> dict[str, float]:
    """Where x and y exchange their values at each iteration (from the sum and the difference)."""
    total = 1 + 1 / ((1 - 2 * eps) * r)
    gap = math.sqrt(2 * total - total**2 - 2 * total / r)
    return {"x": (total + gap) / 2, "y": (total - gap) / 2}


def _collatz_from_27(subject: Subject) -> None:
    """27 needs 111 steps and climbs to 9232 on the way; then 4, 2, 1 for ever."""
    orbit = subject.run(N=120)["n"]
    assert np.issubdtype(orbit.dtype, np.integer)
    assert int(np.argmax(orbit == 1)) == 111
    assert int(orbit.max()) == 9232
    assert list(orbit[111:117]) == [1, 4, 2, 1, 4, 2]


def _gingerbread_hexagon(subject: Subject) -> None:
    """All points of the hexagon around (1, 1) come back after six iterations, without rounding."""
    start = {"x": 1.25, "y": 0.875}
    final = subject.run(N=600, ic=start).final
    assert (final["x"], final["y"]) == (1.25, 0.875)


def _golden_rotation(subject: Subject) -> None:
    """At the critical golden mean, theta_n / n for Fibonacci n tends to (sqrt(5) - 1)/2."""
    golden = (SQRT5 - 1) / 2
    theta = subject.run(N=1597)["theta"]
    errors = [abs(theta[n] / n - golden) for n in (377, 610, 987, 1597)]
    assert errors[-1] < 6e-6  # 5.01e-6 in exact arithmetic: it falls like 1/n^2
    assert errors == sorted(errors, reverse=True)


def _henon_point(sign: int) -> tuple[dict[str, float], list[float]]:
    a, b = 1.4, 0.3
    x = (b - 1 + sign * math.sqrt((1 - b) ** 2 + 4 * a)) / (2 * a)
    root = math.sqrt((a * x) ** 2 + b)
    return {"x": x, "y": b * x}, [-a * x + root, -a * x - root]


HENON_RIGHT, HENON_LEFT = _henon_point(+1), _henon_point(-1)

MAPS: dict[str, list[Answer]] = {
    "map/logistic": [
        Follows(
            run={"N": 20, "params": {"r": 4.0}, "ic": {"x": 0.1}},
            exact=_logistic_at_4,
            within=1e-9,
            because="2^20 roundings of 1e-16",
        ),
        Cycle(
            start={"x": _two_cycle(3.2)},
            period=2,
            multipliers=[0.16],  # so the exponent is ln(0.16)/2
            params={"r": 3.2},
            within=1e-14,
            because=ROUNDING,
        ),
        # The first three period doublings: a multiplier of -1.
        Cycle(
            start={"x": 2 / 3},
            period=1,
            multipliers=[-1.0],
            params={"r": 3.0},
            within=1e-14,
            because=ROUNDING,
        ),
        Cycle(
            start={"x": _two_cycle(1 + SQRT6)},
            period=2,
            multipliers=[-1.0],
            params={"r": 1 + SQRT6},
            within=1e-13,
            because=ROUNDING,
        ),
        Cycle(
            start={"x": 0.36329033741473579},
            period=4,
            multipliers=[-1.0],
            params={"r": 3.544090359551923},
            within=1e-13,
            because=ROUNDING,
        ),
    ],
    "map/tent": [
        Ends(  # the fold is periodic: 1/2, mu/2, (mu-1)/2, 1/2
            run={"N": 3},
            preset="golden",
            state={"x": 0.5},
            within=1e-15,
            because=ROUNDING,
        ),
        Cycle(
            start={"x": 2 / 7},
            period=3,
            multipliers=[8.0],  # mu^3: every orbit has the exponent ln(mu)
            params={"mu": 2.0},
            within=1e-14,
            because="the rounding of 2/7, times eight",
        ),
    ],
    "map/sine": [
        Cycle(
            start={"x": 0.645773676543405539},
            period=1,
            multipliers=[-1.0],
            params={"r": 0.719961682979535191},
            within=1e-14,
            because=ROUNDING,
        ),
        Cycle(  # superstable: the top of the hump is periodic
            start={"x": 0.5},
            period=2,
            multipliers=[0.0],
            params={"r": 0.777733766171606095},
            within=1e-14,
            because=ROUNDING,
        ),
    ],
    "map/gauss": [
        Cycle(  # superstable: 0, 1/2, exp(-ln 2) - 1/2 = 0
            start={"x": 0.0},
            period=2,
            multipliers=[0.0],
            params={"alpha": 4 * math.log(2), "beta": -0.5},
            within=1e-14,
            because=ROUNDING,
        ),
        Ends(
            run={"N": 15},
            state={"x": -0.0703943473440865305},
            within=1e-13,
            because="exponent 0.39: errors grow 350-fold",
        ),
    ],
    "map/circle": [
        Cycle(  # locked at 1/2: the kicks at 0 and 1/2 vanish
            start={"theta": 0.0},
            period=2,
            shift={"theta": 1.0},
            multipliers=[1 - 0.9**2],
            params={"Omega": 0.5, "K": 0.9},
            within=1e-14,
            because=ROUNDING,
        ),
        Holds(test=_golden_rotation),
    ],
    "map/cubic": [
        Follows(
            run={"N": 12, "params": {"r": 3.0}},
            exact=_cubic_at_3,
            within=1e-9,
            because="3^12 roundings of 1e-16",
        ),
        Cycle(  # the pair of fixed points loses its stability
            start={"x": math.sqrt(0.5)},
            period=1,
            multipliers=[-1.0],
            params={"r": 2.0},
            within=1e-14,
            because=ROUNDING,
        ),
    ],
    "map/henon": [
        Cycle(
            start=HENON_RIGHT[0],
            period=1,
            multipliers=HENON_RIGHT[1],
            within=1e-14,
            because=ROUNDING,
        ),
        Cycle(
            start=HENON_LEFT[0],
            period=1,
            multipliers=HENON_LEFT[1],
            within=1e-14,
            because=ROUNDING,
        ),
        Ends(
            run={"N": 20},
            state={"x": 0.349514640641502197, "y": 0.197301596028846508},
            within=1e-12,
            because="exponent 0.42: errors grow 4,000-fold",
        ),
        Shrinks(rate=-0.3),
        Inverts(),
    ],
    "map/ikeda": [
        Cycle(
            start={"x": 0.532754622940790243, "y": 0.246896772711013184},
            period=1,
            multipliers=[-2.38968679322806952, -0.338956553760681198],
            within=1e-14,
            because=ROUNDING,
        ),
        Ends(
            run={"N": 15},
            state={"x": 0.353857712761639264, "y": -0.513253733776686715},
            within=1e-11,
            because="exponent 0.5: errors grow 2,000-fold",
        ),
        Shrinks(rate=0.81),
    ],
    "map/lozi": [
        Follows(
            run={"N": 20},
            exact=_lozi_orbit,
            within=1e-12,
            because="exponent 0.47: errors grow 12,000-fold",
        ),
        Cycle(
            start={"x": 1 / 2.2, "y": 0.5 / 2.2},
            period=1,
            multipliers=[(-1.7 + math.sqrt(4.89)) / 2, (-1.7 - math.sqrt(4.89)) / 2],
            within=1e-14,
            because=ROUNDING,
        ),
        Shrinks(rate=-0.5),
        Inverts(),
    ],
    "map/standard": [
        Cycle(  # elliptic: rotation by an angle whose cosine is 1 - K/2
            start={"p": 0.0, "theta": math.pi},
            period=1,
            multipliers=[0.75 + 1j * math.sqrt(7) / 4, 0.75 - 1j * math.sqrt(7) / 4],
            params={"K": 0.5},
            within=1e-14,
            because=ROUNDING,
        ),
        Ends(
            run={"N": 12},
            preset="chaos",
            state={"p": 0.540564022387394518, "theta": 5.75386820166743225},
            within=1e-8,
            because="exponent 1.14: errors grow 10^6-fold, from 1e-15 (numbers up to 2 pi)",
        ),
        Shrinks(rate=1.0),
        Inverts(),
    ],
    "map/gingerbreadman": [
        Holds(test=_gingerbread_hexagon),
        Cycle(
            start={"x": 1.0, "y": 1.0},
            period=1,
            multipliers=[0.5 + 1j * SQRT3 / 2, 0.5 - 1j * SQRT3 / 2],
            within=1e-14,
            because=ROUNDING,
        ),
        Shrinks(rate=1.0),
        Inverts(),
    ],
    "map/tinkerbell": [
        Cycle(
            start={"x": 1.02708088345887309, "y": -1.32171683195605367},
            period=1,
            multipliers=[
                2.75416176691774619 + 1.12870613782739005j,
                2.75416176691774619 - 1.12870613782739005j,
            ],
            within=2e-14,
            because=ROUNDING,
        ),
        Ends(
            run={"N": 20},
            state={"x": -0.538549913833295255, "y": -1.14441811926013192},
            within=1e-12,
            because="exponent 0.19, with stronger growth in places",
        ),
    ],
    "map/duffing-map": [
        Cycle(
            start={"x": math.sqrt(1.55), "y": math.sqrt(1.55)},
            period=1,
            multipliers=[-0.95 + math.sqrt(0.7025), -0.95 - math.sqrt(0.7025)],
            within=1e-14,
            because=ROUNDING,
        ),
        Ends(
            run={"N": 20},
            state={"x": 0.717787058390367837, "y": 1.31177332549081244},
            within=1e-12,
            because="exponent near 0.3: errors grow 1,000-fold",
        ),
        Shrinks(rate=0.2),
        Inverts(),
    ],
    "map/bogdanov": [
        Cycle(  # the saddle: trace 2 + k, determinant 1
            start={"x": 1.0, "y": 0.0},
            period=1,
            multipliers=[1.6 + math.sqrt(1.56), 1.6 - math.sqrt(1.56)],
            within=1e-14,
            because=ROUNDING,
        ),
        Cycle(  # the centre: trace 2 - k, determinant 1
            start={"x": 0.0, "y": 0.0},
            period=1,
            multipliers=[0.4 + 1j * math.sqrt(0.84), 0.4 - 1j * math.sqrt(0.84)],
            within=1e-14,
            because=ROUNDING,
        ),
        Ends(
            run={"N": 20},
            state={"x": -0.0753940563389645668, "y": -0.467532292300331279},
            within=1e-13,
            because="on an island: errors grow linearly",
        ),
        Shrinks(rate=1.0),
        Inverts(),
    ],
    "map/coupled-logistic": [
        Cycle(  # in step, and the difference of the two
            start={"x": 1 - 1 / 3.9, "y": 1 - 1 / 3.9},
            period=1,
            multipliers=[2 - 3.9, (1 - 2 * 0.19) * (2 - 3.9)],
            within=1e-14,
            because=ROUNDING,
        ),
        Ends(  # attracts, so errors do not grow
            run={"N": 1000, "ic": {"x": 0.9, "y": 0.5}},
            preset="antiphase",
            state=_antiphase(3.9, 0.15),
            within=1e-14,
            because=ROUNDING,
        ),
    ],
    "map/collatz": [Holds(test=_collatz_from_27)],
    "map/arnold-cat": [
        Cycle(  # points with denominator 8 have period 6, without rounding
            start={"x": 0.125, "y": 0.375},
            period=6,
            multipliers=[((3 + SQRT5) / 2) ** 6, ((3 - SQRT5) / 2) ** 6],
            within=1e-12,
            because="the product of 322 and 1/322, which are known to 1e-14 and 1e-13",
        ),
        Shrinks(rate=1.0),
        Inverts(),
    ],
}
