"""Derive every coefficient of the vector mathematics and write ``coefficients.py``.

Run ``python tools/vecmath/derive.py`` (a few minutes); it prints, and writes next to each
polynomial, the largest relative error that the polynomial alone causes in its function.
``--check`` only compares with the file that is there.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import mpmath as mp
from minimax import Fit, Function, Problem, solve

TARGET = Path(__file__).parents[2] / "src/dynlib/compiler/vecmath/coefficients.py"

HEADER = '''"""Constants and polynomials of the vector mathematics.

Written by ``tools/vecmath/derive.py``, which holds the definitions; do not edit.
The comment over a polynomial says what it approximates, where, and the largest relative error
that it causes in the function (2**-53 is half a unit in the last place of 1).
"""

'''

ln2 = mp.log(2)
LOG_RANGE = float((mp.sqrt(2) - 1) / (mp.sqrt(2) + 1)) * 1.0001
EXP_RANGE = float(ln2 / 2) * 1.0001
ERF_SPLIT = 0.65
ERFC_END = 27.3
ERFC_CENTRE = 3.0


def odd_tail(fun: Function, lead: float, high: float, terms: int, words: int = 0) -> Problem:
    """P in ``fun(x) = lead*x + x**3 * P(x**2)`` for 0 <= x <= high, relative error in fun."""
    limit = mp.taylor(fun, 0, 3)[3]

    def tail(z: mp.mpf) -> mp.mpf:
        x = mp.sqrt(z)
        return (fun(x) - lead * x) / x**3 if x else limit

    def weight(z: mp.mpf) -> mp.mpf:
        x = mp.sqrt(z)
        return x**3 / fun(x) if x else mp.mpf(0)

    return Problem(tail, weight, 0.0, high**2, tuple(range(terms)), words=words)


def even_tail(fun: Function, start: Function, power: int, high: float, terms: int) -> Problem:
    """P in ``fun(x) = start(z) + z**power * P(z)``, ``z = x*x``, relative error in fun."""
    limit = mp.taylor(fun, 0, 2 * power)[2 * power]

    def tail(z: mp.mpf) -> mp.mpf:
        return (fun(mp.sqrt(z)) - start(z)) / z**power if z else limit

    def weight(z: mp.mpf) -> mp.mpf:
        return z**power / fun(mp.sqrt(z))

    return Problem(tail, weight, 0.0, high**2, tuple(range(terms)))


def exp_tail() -> Problem:
    """P in ``exp(r) = 1 + r + r**2 * P(r)``."""
    return Problem(
        lambda r: (mp.expm1(r) - r) / r**2 if r else mp.mpf(1) / 2,
        lambda r: r * r / mp.exp(r),
        -EXP_RANGE,
        EXP_RANGE,
        tuple(range(10)),
    )


def cube_root_start() -> Problem:
    """P in ``m**(-1/3) = P(m)``: a first guess, refined by iteration."""
    return Problem(lambda m: m ** (-mp.mpf(1) / 3), lambda m: mp.cbrt(m), 1.0, 2.0, tuple(range(6)))


def erf_near() -> Problem:
    """P in ``erf(x) = x + x * P(x**2)``."""
    limit = 2 / mp.sqrt(mp.pi) - 1

    def ratio(z: mp.mpf) -> mp.mpf:
        return mp.erf(mp.sqrt(z)) / mp.sqrt(z) if z else limit + 1

    return Problem(
        lambda z: ratio(z) - 1, lambda z: 1 / ratio(z), 0.0, ERF_SPLIT**2, tuple(range(11))
    )


def erfc_far() -> Problem:
    """P in ``exp(x**2) * erfc(x) = P(t) / (x + c)``, ``t = (x - c)/(x + c)``."""
    c = mp.mpf(ERFC_CENTRE)

    def scaled(t: mp.mpf) -> mp.mpf:
        x = c * (1 + t) / (1 - t)
        return mp.exp(x * x) * mp.erfc(x) * (x + c)

    low, high = ((x - c) / (x + c) for x in (mp.mpf(ERF_SPLIT) - 0.001, mp.mpf(ERFC_END)))
    return Problem(
        scaled, lambda t: 1 / scaled(t), float(low), float(high), tuple(range(21)), words=1
    )


def two_atanh(s: mp.mpf) -> mp.mpf:
    """log((1 + s)/(1 - s))."""
    return 2 * mp.atanh(s)


POLYNOMIALS = {
    "EXP": ("exp(r) = 1 + r + r**2 * P(r), |r| <= log(2)/2", exp_tail),
    "LOG": (
        "log((1+s)/(1-s)) = 2*s + s**3 * P(s**2), |s| <= 0.1716",
        lambda: odd_tail(two_atanh, 2, LOG_RANGE, 7),
    ),
    "POW": (
        "the same with one term more, first coefficient in two words",
        lambda: odd_tail(two_atanh, 2, LOG_RANGE, 8, words=1),
    ),
    "ATANH": (
        "atanh(s) = s + s**3 * P(s**2), |s| <= 0.2047",
        lambda: odd_tail(mp.atanh, 1, 0.2047, 8),
    ),
    "SIN": (
        "sin(r) = r + r**3 * P(r**2), |r| <= pi/4 + 0.01",
        lambda: odd_tail(mp.sin, 1, float(mp.pi / 4) + 0.01, 6),
    ),
    "COS": (
        "cos(r) = 1 - r**2/2 + r**4 * P(r**2), |r| <= pi/4 + 0.01",
        lambda: even_tail(mp.cos, lambda z: 1 - z / 2, 2, float(mp.pi / 4) + 0.01, 6),
    ),
    "SINH": (
        "sinh(r) = r + r**3 * P(r**2), |r| <= log(2)/2",
        lambda: odd_tail(mp.sinh, 1, EXP_RANGE, 5),
    ),
    "COSH": (
        "cosh(r) = 1 + r**2 * P(r**2), |r| <= log(2)/2",
        lambda: even_tail(mp.cosh, lambda z: mp.mpf(1), 1, EXP_RANGE, 6),
    ),
    "ASIN": (
        "asin(x) = x + x**3 * P(x**2), |x| <= 1/2",
        lambda: odd_tail(mp.asin, 1, 0.5, 12),
    ),
    "ATAN": (
        "atan(x) = x + x**3 * P(x**2), |x| <= 1",
        lambda: odd_tail(mp.atan, 1, 1.0, 20),
    ),
    "CBRT": ("m**(-1/3) = P(m), 1 <= m <= 2 (a first guess)", cube_root_start),
    "ERF": (f"erf(x) = x + x*P(x**2), |x| <= {ERF_SPLIT}", erf_near),
    "ERFC": (
        f"exp(x**2)*erfc(x) = P(t)/(x + {ERFC_CENTRE}), t = (x - {ERFC_CENTRE})"
        f"/(x + {ERFC_CENTRE}), {ERF_SPLIT} <= x <= {ERFC_END}",
        erfc_far,
    ),
}


def words(value: mp.mpf, count: int, first_bits: int = 53) -> list[float]:
    """Split a number into ``count`` floats, the first one with ``first_bits`` bits only."""
    out: list[float] = []
    rest = value
    for index in range(count):
        bits = first_bits if index == 0 else 53
        scale = mp.mpf(2) ** (bits - 1 - int(mp.floor(mp.log(abs(rest), 2))))
        head = float(mp.nint(rest * scale) / scale)
        out.append(head)
        rest = rest - mp.mpf(head)
    return out


def constants() -> Iterator[tuple[str, float, str]]:
    """Name, value and meaning of the single constants."""
    yield "LOG2_E", float(1 / ln2), "1/log(2)"
    for name, value, meaning, first_bits in (
        ("LN2", ln2, "log(2)", 53),
        ("LN2_SHORT", ln2, "the same, 42 bits in the first: times a small integer is exact", 42),
        ("LOG10_2", mp.log10(2), "log10(2), 42 bits in the first word", 42),
        ("INV_LN2", 1 / ln2, "1/log(2)", 53),
        ("INV_LN10", 1 / mp.log(10), "1/log(10)", 53),
        ("HALF_PI", mp.pi / 2, "pi/2", 53),
    ):
        high, low = words(value, 2, first_bits)
        yield f"{name}_HIGH", high, meaning
        yield f"{name}_LOW", low, ""
    for index, word in enumerate(words(mp.pi / 2, 3)):
        yield f"HALF_PI_{index}", word, "pi/2 in three words" if not index else ""
    yield "TWO_OVER_PI", float(2 / mp.pi), "2/pi"
    yield "CBRT_HALF", float(mp.cbrt(mp.mpf(1) / 2)), "2**(-1/3)"
    yield "CBRT_TWO", float(mp.cbrt(2)), "2**(1/3)"
    yield "ERF_SPLIT", ERF_SPLIT, "where erf and erfc change their formula"
    yield "ERFC_CENTRE", ERFC_CENTRE, "c of the variable t of ERFC"


def digits(value: Callable[[], mp.mpf], bits: int, count: int) -> list[int]:
    """The first digits of a fraction to base ``2**bits``."""
    with mp.workprec(bits * count + 60):
        whole = int(mp.floor(value() * mp.mpf(2) ** (bits * count)))
    return [(whole >> (bits * (count - 1 - i))) & ((1 << bits) - 1) for i in range(count)]


def digits_text() -> str:
    """2/pi to base 2**28, after two zeros, for the reduction of huge arguments."""
    rows = "".join(f"    {d},\n" for d in [0, 0, *digits(lambda: 2 / mp.pi, 28, 46)])
    return f"# 2/pi in digits to base 2**28, after two zeros\nTWO_OVER_PI_DIGITS = (\n{rows})\n"


def polynomial_text(name: str, meaning: str, fit: Fit) -> str:
    """A tuple of coefficients with its comment."""
    rows = "".join(f"    {c!r},\n" for c in fit.coefficients)
    error = mp.nstr(mp.log(fit.error, 2), 4)
    tail = f"{name}_TAIL = {fit.tails[0]!r}\n" if fit.tails else ""
    return f"# {meaning}; error 2**{error}\n{name} = (\n{rows})\n{tail}"


def text() -> str:
    """The whole file."""
    parts = [HEADER]
    for name, value, meaning in constants():
        parts.append(f"{name} = {value!r}" + (f"  # {meaning}\n" if meaning else "\n"))
    parts.append("\n" + digits_text())
    for name, (meaning, problem) in POLYNOMIALS.items():
        fit = solve(problem())
        part = polynomial_text(name, meaning, fit)
        sys.stderr.write(part.splitlines()[0] + "\n")
        parts.append(part)
    return "".join(parts)


def values(source: str) -> dict[str, object]:
    """The constants that a file defines."""
    found: dict[str, object] = {}
    exec(source, found)
    return {name: value for name, value in found.items() if name.isupper()}


def main() -> int:
    """Write the file, or compare with it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare, do not write")
    options = parser.parse_args()
    made = text()
    if options.check:
        same = values(TARGET.read_text(encoding="utf-8")) == values(made)
        sys.stdout.write("coefficients.py " + ("is up to date\n" if same else "differs\n"))
        return 0 if same else 1
    TARGET.write_text(made, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
