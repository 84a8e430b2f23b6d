"""What is known about the built-in models of nerve cells.

Digits without another source were computed from the equations in 34-digit arithmetic by
extrapolation (Gragg, Bulirsch and Stoer), two tolerances agreeing to 18 digits.
"""

import cmath
import math

import numpy as np
from models.answers import Answer, Ends, Fires, Holds, Rests, Subject
from scipy.integrate import quad
from scipy.optimize import brentq

STEPS = "tolerance 1e-12 times some hundred steps; errors hardly grow"
SPIKES = "the interpolant within a step, of order four, at the tolerance 1e-12"
ROUNDING = "a few roundings"


def _exp_if_times(count: int) -> list[float]:
    """The time from one voltage to another is the integral of 1 / v'."""

    def pace(v: float) -> float:
        return 10.0 / (-65.0 - v + 3.48 * math.exp((v + 59.9) / 3.48) + 4.0)

    def time(start: float) -> float:
        return float(quad(pace, start, -30.0, epsabs=1e-13, epsrel=1e-13, points=[-59.9])[0])

    return [time(-65.0) + k * time(-68.0) for k in range(count)]


def _quadratic_if_times(count: int) -> list[float]:
    """10 u' = 0.04 u^2 + c with u = v + 57.5: an arctangent."""
    c = 10.0 - 0.04 * 15.0**2 / 4
    scale, speed = math.sqrt(0.04 / c), math.sqrt(0.04 * c) / 10

    def time(start: float) -> float:
        return (math.atan(scale * 77.5) - math.atan(scale * (start + 57.5))) / speed

    return [time(-65.0) + k * time(-70.0) for k in range(count)]


def _resonate_if_times(count: int) -> list[float]:
    """z' = (b + i w) z + I is a rotation about a point; y = 1 is crossed on the way up."""
    rate = complex(-0.1, 1.0)
    centre = -1.2 / rate

    def height(start: complex, t: float) -> float:
        return (centre + (start - centre) * cmath.exp(rate * t)).imag - 1

    first = brentq(lambda t: height(0, t), 0.5, 2.5, xtol=1e-14)
    # After the reset, onto the threshold itself, y dips first.
    again = brentq(lambda t: height(1j, t), 0.5, 1.5, xtol=1e-14)
    return [first + k * again for k in range(count)]


LEAKY_TIMES = [10 * math.log(4) + k * 10 * math.log(5) for k in range(6)]


def _counts_spikes(subject: Subject) -> None:
    """The presets of the Izhikevich model fire in the ways they are named for."""

    def gaps(preset: str) -> np.ndarray:
        result = subject.run(preset, T=300.0, rtol=1e-6, atol=1e-6)
        return np.diff(np.asarray(result.events["spike"].t), prepend=0.0)

    assert len(gaps("phasic_spiking")) == 1
    assert len(gaps("phasic_bursting")) > 3
    assert np.sum(gaps("phasic_bursting")) < 100  # then silence
    assert len(gaps("fast_spiking")) > 4 * len(gaps("regular_spiking"))
    burst = gaps("chattering")[1:]
    assert burst.max() > 10 * burst.min()  # spikes within a burst, pauses between
    slowing = gaps("adaptation")[1:6]
    assert list(slowing) == sorted(slowing)


def _no_hole_in_the_rates(subject: Subject) -> None:
    """alpha_n and alpha_m are 0/0 at -55 and -40 mV: values and slopes pass through smoothly."""
    equations = subject.equations()
    for voltage in (-55.0, -40.0):
        gates = {"n": 0.4, "m": 0.3, "h": 0.2}
        at, near = ({"V": v, **gates} for v in (voltage, voltage + 1e-7))
        # slopes of order ten times 1e-7
        assert np.allclose(equations.rhs(at), equations.rhs(near), rtol=0, atol=1e-4)
        assert np.allclose(equations.jacobian(at), equations.jacobian(near), rtol=0, atol=1e-4)
        for step in (0.0999999999, 0.1000000001, -0.0999999999, -0.1000000001):  # |x| = 0.01
            start = {"V": voltage + step, **gates}
            exact = _alpha_by_series(voltage + step)
            found = equations.rhs(start)[1:3]
            want = [a * (1 - g) - b * g for (a, b), g in zip(exact, (0.4, 0.3), strict=True)]
            assert np.allclose(found, want, rtol=0, atol=1e-14)  # roundings


def _alpha_by_series(v: float) -> list[tuple[float, float]]:
    """(alpha, beta) of n and m; expm1 has no cancellation away from the hole."""

    def ramp(x: float) -> float:
        return -x / math.expm1(-x)

    opening = 0.1 * ramp((v + 55) / 10), ramp((v + 40) / 10)
    closing = 0.125 * math.exp(-(v + 65) / 80), 4 * math.exp(-(v + 65) / 18)
    return list(zip(opening, closing, strict=True))


NEURONS: dict[str, list[Answer]] = {
    "ode/fitzhugh-nagumo": [
        Rests(  # the two Hopf bifurcations: v^2 = 1 - b eps, frequency sqrt(eps (1 - b^2 eps))
            state={"v": -0.967470929795825958, "w": -0.334338662244782448},
            eigenvalues=[0.275506805723561029j, -0.275506805723561029j],
            params={"I": 0.331281337454745811},
            within=1e-15,
            because=ROUNDING,
        ),
        Rests(
            state={"v": 0.967470929795825958, "w": 2.08433866224478245},
            eigenvalues=[0.275506805723561029j, -0.275506805723561029j],
            params={"I": 1.41871866254525419},
            within=1e-15,
            because=ROUNDING,
        ),
        Ends(
            run={"T": 30.0},
            state={"v": -1.42926126804880919, "w": -0.0110131014424111635},
            within=1e-9,
            because=STEPS,
        ),
    ],
    "ode/hindmarsh-rose": [
        Ends(
            run={"T": 20.0},
            state={
                "x": -0.991058101839825236,
                "y": -4.40816789259154508,
                "z": 1.45750386598081507,
            },
            within=1e-9,
            because=STEPS,
        ),
        Rests(  # I = 5.4 puts the rest point at x = 0, where the Jacobian is triangular but for r
            state={"x": 0.0, "y": 1.0, "z": 6.4},
            eigenvalues=[-1.0, *np.roots([1, 0.006, 0.024])],
            params={"I": 5.4},
            within=1e-14,
            because=ROUNDING,
        ),
    ],
    "ode/morris-lecar": [
        Rests(
            state={"V": -25.2701048795826819, "w": 0.139673190013208484},
            eigenvalues=[0.0797797841145963647j, -0.0797797841145963647j],
            params={"I": 93.8576183737254532},
            within=1e-13,
            because="currents of several hundred are added up and divided by 20",
        ),
        Rests(
            state={"V": 7.80066386697120151, "w": 0.595490671214993529},
            eigenvalues=[0.148602170744454026j, -0.148602170744454026j],
            params={"I": 212.018816100374368},
            within=1e-13,
            because="currents of several hundred are added up and divided by 20",
        ),
        Ends(
            run={"T": 50.0},
            state={"V": -45.9161978406651776, "w": 0.203992451256297944},
            within=1e-9,
            because=STEPS,
        ),
    ],
    "ode/hodgkin-huxley": [
        # The two Hopf bifurcations; test_published_digits.py computes them once more.
        Rests(
            state={
                "V": -59.6541436029954055,
                "n": 0.40178412805242713,
                "m": 0.0972573499108785273,
                "h": 0.406227520184189898,
            },
            eigenvalues=[
                -4.76428243857431129,
                -0.138474729854757665,
                0.586233813130292536j,
                -0.586233813130292536j,
            ],
            params={"I": 9.77933799539312633},
            within=1e-12,
            because="currents of order 100 are added up",
        ),
        Rests(
            state={
                "V": -43.0580920129838263,
                "n": 0.643249450741827917,
                "m": 0.419677438337296758,
                "h": 0.0703553908392064238,
            },
            eigenvalues=[
                -9.41206338920776263,
                -0.310866850753748211,
                1.06292180676033644j,
                -1.06292180676033644j,
            ],
            params={"I": 154.526333665808001},
            within=1e-12,
            because="currents of order 1000 are added up",
        ),
        Ends(  # after one spike
            run={"T": 10.0},
            state={
                "V": -66.6900208119903848,
                "n": 0.42408473562938061,
                "m": 0.0410600518879832387,
                "h": 0.435902634499976552,
            },
            within=1e-9,
            because=STEPS,
        ),
        Holds(test=_no_hole_in_the_rates),
    ],
    "ode/wilson-cowan": [
        Ends(
            run={"T": 10.0},
            state={"E": 0.12043124955309618, "I": 0.0752486526914973045},
            within=1e-10,
            because=STEPS,
        ),
        Rests(  # without input the silent state is at rest
            state={"E": 0.0, "I": 0.0},
            eigenvalues=[-0.902441294406373423, -0.988353191309719769],
            params={"P": 0.0},
            within=1e-14,
            because=ROUNDING,
        ),
    ],
    "ode/leaky-if": [
        Fires(run={"T": 100.0}, event="spike", times=LEAKY_TIMES, within=1e-9, because=SPIKES),
    ],
    "ode/quadratic-if": [
        Fires(
            run={"T": 200.0},
            event="spike",
            times=_quadratic_if_times(5),
            within=1e-8,
            because=SPIKES,
        ),
    ],
    "ode/exp-if": [
        Fires(run={"T": 200.0}, event="spike", times=_exp_if_times(5), within=1e-8, because=SPIKES),
    ],
    "ode/resonate-if": [
        Fires(
            run={"T": 10.0},
            event="spike",
            times=_resonate_if_times(10),
            within=1e-9,
            because=SPIKES,
        ),
    ],
    "ode/izhikevich": [
        Fires(  # by SciPy's DOP853 at two tolerances
            run={"T": 100.0},
            event="spike",
            times=[3.12705530388, 26.2260246341, 71.0570973282],
            within=1e-8,
            because=SPIKES,
        ),
        Rests(  # Hopf, before the fold at I = 4: the trace 0.08 v + 5 - a vanishes at v = -62.25
            state={"v": -62.25, "u": -12.45},
            eigenvalues=[1j * math.sqrt(0.0036), -1j * math.sqrt(0.0036)],
            params={"I": 3.7975},
            within=1e-13,
            because=ROUNDING,
        ),
        Holds(test=_counts_spikes),
    ],
}
