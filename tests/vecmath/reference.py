"""Where the functions are tested, and what is right there."""

from __future__ import annotations

from collections.abc import Callable

import mpmath
import numpy as np

Array = np.ndarray
Points = tuple[Array, ...]

mp = mpmath.mp.clone() if hasattr(mpmath.mp, "clone") else mpmath.mp
BITS = 160

EXACT: dict[str, Callable[..., object]] = {
    name: getattr(mp, name)
    for name in (
        *("exp", "expm1", "sinh", "cosh", "tanh", "log", "log1p", "log10", "sin", "cos", "tan"),
        *(
            "asin",
            "acos",
            "atan",
            "atan2",
            "asinh",
            "acosh",
            "atanh",
            "cbrt",
            "hypot",
            "erf",
            "erfc",
        ),
    )
}
EXACT["log2"] = lambda x: mp.log(x) / mp.log(2)
EXACT["pow"] = lambda x, y: mp.power(x, y)
for _name in ("sin", "cos", "tan"):
    EXACT[f"{_name}_near"] = EXACT[_name]
# mpmath's principal cube root is complex below zero
EXACT["cbrt"] = lambda x: mp.sign(x) * mp.cbrt(abs(x))

#: Worst error in units of the last place that the documentation promises.
PROMISED = dict.fromkeys(EXACT, 2.0) | {"pow": 4.0, "erf": 4.0, "erfc": 4.0}

_NUMPY = {
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "atan2": np.arctan2,
    "asinh": np.arcsinh,
    "acosh": np.arccosh,
    "atanh": np.arctanh,
    "pow": np.power,
}

FAR = 2.0**45


def numpy_function(name: str) -> Callable[..., Array]:
    """NumPy's function of the name, which has all the special values."""
    name = name.removesuffix("_near")
    return _NUMPY.get(name) or getattr(np, name)


def exact(name: str, *points: Array) -> tuple[Array, Array]:
    """Right values in two words, from mpmath."""
    with mp.workprec(BITS):
        values = [EXACT[name](*map(float, args)) for args in zip(*points, strict=True)]
        high = np.array([float(v) for v in values])
        low = np.array([float(v - float(v)) if np.isfinite(float(v)) else 0.0 for v in values])
    return high, low


def extended(name: str, *points: Array) -> tuple[Array, Array]:
    """Values of the C library in 64 bits of mantissa: good to 1/1000 of our last place."""
    with np.errstate(all="ignore"):
        value = numpy_function(name)(*(p.astype(np.longdouble) for p in points))
        high = value.astype(np.float64)
        low = np.where(np.isfinite(high), value - high, 0)
    return high, low


def ulps(got: Array, high: Array, low: Array) -> Array:
    """Distance from the right values in units of their last place; 1e30 for the wrong kind."""
    with np.errstate(all="ignore"):
        distance = np.abs((got - high) - low) / np.spacing(np.abs(high))
    finite = np.isfinite(high) & np.isfinite(got)
    same = (got == high) | (np.isnan(got) & np.isnan(high))
    return np.where(finite, distance, np.where(same, 0.0, 1e30)).astype(np.float64)


def spread(rng: np.random.Generator, low: float, high: float, n: int) -> Array:
    """Points spread evenly over the exponents between two positive limits."""
    return np.exp(rng.uniform(np.log(low), np.log(high), n))


def signed(rng: np.random.Generator, x: Array) -> Array:
    return x * rng.choice([-1.0, 1.0], x.size)


def any_float(rng: np.random.Generator, n: int) -> Array:
    """Random bits: every exponent, subnormals too, both signs."""
    x = rng.integers(0, 2047 << 52, n, dtype=np.int64).view(np.float64)
    return signed(rng, x)


def _near_zero(rng: np.random.Generator, n: int) -> Array:
    return signed(rng, spread(rng, 1e-300, 1.0, n))


def _exponential(rng: np.random.Generator, n: int, low: float, high: float) -> list[Points]:
    even = [(-1.0, 1.0), (-3.0, 3.0), (low, high), (low, 0.99 * low)]
    return [(rng.uniform(a, b, n),) for a, b in even] + [(_near_zero(rng, n),)]


def _logarithmic(rng: np.random.Generator, n: int) -> list[Points]:
    return [
        (rng.uniform(0.5, 2.0, n),),
        (rng.uniform(0.99, 1.01, n),),
        (spread(rng, 1e-3, 1e3, n),),
        (np.abs(any_float(rng, n)),),
    ]


def _periodic(rng: np.random.Generator, n: int, limit: float) -> list[Points]:
    """Also the floats next to multiples of pi/2, where the result is nearly 0 or infinite."""
    whole = np.rint(spread(rng, 1.0, 0.6 * FAR, n)) * (np.pi / 2)
    small = np.rint(rng.uniform(0, 1e6, n)) * (np.pi / 2)
    sets = [
        rng.uniform(-4, 4, n),
        rng.uniform(-100, 100, n),
        rng.uniform(-1e5, 1e5, n),
        signed(rng, spread(rng, 1e-300, FAR, n)),
        whole,
        small,
        np.nextafter(small, 0),
    ]
    far = any_float(rng, n)
    return [(x[np.abs(x) <= limit],) for x in (*sets, far[: n // 4])]


def _unit(rng: np.random.Generator, n: int) -> list[Points]:
    close = 1.0 - spread(rng, 2e-16, 1.0, n)
    return [(rng.uniform(-1, 1, n),), (_near_zero(rng, n),), (signed(rng, close),)]


def _anywhere(rng: np.random.Generator, n: int) -> list[Points]:
    even = [(rng.uniform(-a, a, n),) for a in (1.0, 5.0)]
    return [*even, (signed(rng, spread(rng, 1e-10, 1e10, n)),), (any_float(rng, n),)]


def _powers(rng: np.random.Generator, n: int) -> list[Points]:
    bases = np.abs(any_float(rng, n))
    with np.errstate(divide="ignore"):
        exponents = rng.uniform(-1, 1, n) * 745 / np.abs(np.log(bases))
    whole = np.rint(rng.uniform(-9, 9, n))
    return [
        (rng.uniform(0, 3, n), rng.uniform(-30, 30, n)),
        (rng.uniform(0.9, 1.1, n), rng.uniform(-7000, 7000, n)),
        (rng.uniform(0.5, 2, n), rng.uniform(-1000, 1000, n)),
        (bases, exponents),
        (signed(rng, spread(rng, 1e-30, 1e30, n)), whole),
    ]


def _pairs(rng: np.random.Generator, n: int) -> list[Points]:
    return [
        (rng.uniform(-1, 1, n), rng.uniform(-1, 1, n)),
        tuple(signed(rng, spread(rng, 1e-150, 1e150, n)) for _ in range(2)),
        tuple(any_float(rng, n) for _ in range(2)),
    ]


def sets(name: str, n: int, seed: int = 1) -> list[Points]:
    """Sets of n points, each for one way in which the function can go wrong."""
    rng = np.random.default_rng(seed)
    if name in ("exp", "expm1", "sinh", "cosh", "tanh"):
        low = {"exp": -745.2, "expm1": -60.0, "tanh": -22.0}.get(name, -710.47)
        return _exponential(rng, n, low, 709.78 if name in ("exp", "expm1") else -low)
    if name in ("log", "log2", "log10"):
        return _logarithmic(rng, n)
    if name.removesuffix("_near") in ("sin", "cos", "tan"):
        return _periodic(rng, n, FAR if name.endswith("near") else np.inf)
    return _OTHERS.get(name, _anywhere)(rng, n)


def _log1p(rng: np.random.Generator, n: int) -> list[Points]:
    small = (signed(rng, spread(rng, 1e-300, 0.5, n)),)
    return [*_logarithmic(rng, n), small, (spread(rng, 2e-16, 1.0, n) - 1.0,)]


def _acosh(rng: np.random.Generator, n: int) -> list[Points]:
    return [(1.0 + spread(rng, 3e-16, 10.0, n),), (spread(rng, 1.0, 1e308, n),)]


def _erf(rng: np.random.Generator, n: int) -> list[Points]:
    return [(rng.uniform(-6, 6, n),), (rng.uniform(-1, 1, n),), (_near_zero(rng, n),)]


def _erfc(rng: np.random.Generator, n: int) -> list[Points]:
    return [(rng.uniform(a, b, n),) for a, b in ((-6, 27.2), (-1, 3), (26, 27.2))]


_OTHERS = {
    "log1p": _log1p,
    "acosh": _acosh,
    "asin": _unit,
    "acos": _unit,
    "atanh": _unit,
    "erf": _erf,
    "erfc": _erfc,
    "pow": _powers,
    "atan2": _pairs,
    "hypot": _pairs,
}
