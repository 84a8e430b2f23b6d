"""Where our digits and those of a published table part: which are right, and how far both agree.

Everything here is computed from the equations in 30-digit arithmetic with mpmath, by nothing that
dynlib has written: derivatives of the rates are taken by mpmath, trajectories are Taylor series.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import mpmath
import pytest
from models.answers import Ends, Rests
from models.known_chaos import CHAOS
from models.known_neurons import NEURONS
from mpmath import mpf

DIGITS = 30

# --- Hodgkin and Huxley: the two Hopf bifurcations ------------------------------------------------
#
# The table: I = 9.779337998 and 154.526333763 (V0 = -65, E_K = -77, E_L = -54.4).
# Here: 9.77933799539312633... and 154.526333665808001...; the Hurwitz determinant of the 4 x 4
# Jacobian vanishes there to 1e-25, and its eigenvalues are a pair on the imaginary axis. Both
# agree to nine digits; the table is off by 2.6e-9 and 9.7e-8.

RATES = {  # of n, m, h: opening, closing
    "n": (lambda V: _ramp((V + 55) / 10) / 10, lambda V: mpmath.exp(-(V + 65) / 80) / 8),
    "m": (lambda V: _ramp((V + 40) / 10), lambda V: 4 * mpmath.exp(-(V + 65) / 18)),
    "h": (
        lambda V: mpf(7) / 100 * mpmath.exp(-(V + 65) / 20),
        lambda V: 1 / (1 + mpmath.exp(-(V + 35) / 10)),
    ),
}
G_NA, G_K, G_L = 120, 36, mpf("0.3")
E_NA, E_K, E_L = 50, -77, mpf("-54.4")


def _ramp(x: Any) -> Any:
    return x / -mpmath.expm1(-x)


def _gates(V: Any) -> list[Any]:
    return [up(V) / (up(V) + down(V)) for up, down in RATES.values()]


def _current(V: Any) -> Any:
    """The current at which V is at rest."""
    n, m, h = _gates(V)
    return G_NA * m**3 * h * (V - E_NA) + G_K * n**4 * (V - E_K) + G_L * (V - E_L)


def _jacobian(V: Any) -> Any:
    n, m, h = gates = _gates(V)
    J = mpmath.zeros(4)
    J[0, 0] = -(G_NA * m**3 * h + G_K * n**4 + G_L)
    J[0, 1] = -4 * G_K * n**3 * (V - E_K)
    J[0, 2] = -3 * G_NA * m**2 * h * (V - E_NA)
    J[0, 3] = -G_NA * m**3 * (V - E_NA)
    for row, (x, (up, down)) in enumerate(zip(gates, RATES.values(), strict=True), 1):
        J[row, 0] = mpmath.diff(up, V) * (1 - x) - mpmath.diff(down, V) * x
        J[row, row] = -(up(V) + down(V))
    return J


def _hurwitz(V: Any) -> Any:
    """Zero where two eigenvalues add up to nothing: l^4 + a l^3 + b l^2 + c l + d."""
    J, M = _jacobian(V), mpmath.eye(4)
    coefficients = []
    for k in range(1, 5):  # Faddeev and LeVerrier
        product = J * M
        coefficients.append(-sum(product[i, i] for i in range(4)) / k)
        M = product + coefficients[-1] * mpmath.eye(4)
    a, b, c, d = coefficients
    return a * b * c - c**2 - a**2 * d


@pytest.mark.parametrize(
    ("answer", "published", "apart"),
    [(0, "9.779337998", "2.7e-9"), (1, "154.526333763", "9.8e-8")],
)
def test_hopf_points_of_the_axon(answer: int, published: str, apart: str) -> None:
    ours = NEURONS["ode/hodgkin-huxley"][answer]
    assert isinstance(ours, Rests)
    with mpmath.workdps(DIGITS):
        V = mpmath.findroot(_hurwitz, mpf(ours.state["V"]))
        pair = sorted(mpmath.eig(_jacobian(V))[0], key=lambda each: abs(mpmath.re(each)))[:2]
        assert all(abs(mpmath.re(each)) < mpf("1e-25") for each in pair)
        assert abs(mpmath.im(pair[0])) > mpf("0.5")
        # what the models' tests hold is right to the last place of a double
        assert float(V) == pytest.approx(ours.state["V"], rel=2e-16, abs=0)
        assert float(_current(V)) == pytest.approx(ours.params["I"], rel=2e-16, abs=0)
        gates = dict(zip(RATES, map(float, _gates(V)), strict=True))
        assert gates == pytest.approx({name: ours.state[name] for name in RATES}, rel=1e-15)
        distance = abs(_current(V) - mpf(published))
        assert mpf(apart) * mpf("0.9") < distance < mpf(apart)


# --- Rössler: the unstable orbit of period one ----------------------------------------------------
#
# The table: through (0, 6.091768306350, 1.299732012743), period 5.881088455553878, multiplier
# -2.403953531852. Here: period 5.88108845555387729..., multiplier -2.40395353185153..., so both
# agree to all digits given; and the orbit crosses x = 0 at y = 6.0917683190680275...,
# z = 1.2997319374930054.... The table's y and z (off by 1.3e-8 and 7.5e-8) lie on this same orbit
# to 5e-13, where x = 7.716e-8: its point is 1.044e-8 earlier in time than the crossing.

PERIOD = mpf("5.881088455553878")


def _taylor(point: Sequence[Any], h: Any, order: int = 30) -> list[Any]:
    """One step: the coefficients of x, y, z follow from each other by the equations."""
    a, c = mpf(1) / 5, mpf(57) / 10
    x, y, z = ([each] for each in point)
    for k in range(order):
        xz = mpmath.fdot(x, reversed(z))
        x.append((-y[k] - z[k]) / (k + 1))
        y.append((x[k] + a * y[k]) / (k + 1))
        z.append(((a if k == 0 else 0) + xz - c * z[k]) / (k + 1))
    return [mpmath.polyval(each[::-1], h) for each in (x, y, z)]


def _flow(point: Sequence[Any], time: Any, steps: int = 300) -> list[Any]:
    """The point a time later; the last term of each series is below 1e-30."""
    now = list(point)
    for _ in range(steps):
        now = _taylor(now, time / steps)
    return now


def _ours() -> list[Any]:
    orbit = CHAOS["ode/rossler"][0]
    assert isinstance(orbit, Ends)
    point = [mpf(0), mpf("6.091768319068027547594"), mpf("1.299731937493005440169")]
    assert orbit.run["T"] == float(PERIOD)
    assert dict(orbit.state) == dict(zip("xyz", map(float, point), strict=True))
    return point


def test_the_point_of_the_table_is_on_the_orbit_but_not_on_the_section() -> None:
    with mpmath.workdps(DIGITS):
        earlier = mpf("-1.04391044854e-8")
        x, y, z = _taylor(_ours(), earlier)
        assert abs(x - mpf("7.71606438086e-8")) < mpf("1e-18")
        assert abs(y - mpf("6.091768306350")) < mpf("5e-13")  # half of its last digit
        assert abs(z - mpf("1.299732012743")) < mpf("5e-13")


def test_the_orbit_closes() -> None:
    with mpmath.workdps(DIGITS):
        start = _ours()
        after = _flow(start, PERIOD)
        # the last digit of the period, 1e-15, times a speed of ten
        assert max(abs(a - b) for a, b in zip(after, start, strict=True)) < mpf("1e-14")


@pytest.mark.slow
def test_the_multiplier() -> None:
    with mpmath.workdps(DIGITS):
        start, trace, eps = _ours(), mpf(0), mpf("1e-12")
        for i in range(3):
            up, down = list(start), list(start)
            up[i] += eps
            down[i] -= eps
            trace += (_flow(up, PERIOD)[i] - _flow(down, PERIOD)[i]) / (2 * eps)
        # the multipliers are 1, this one, and one of 1e-14
        assert abs(trace - 1 - mpf("-2.403953531852")) < mpf("5e-13")
