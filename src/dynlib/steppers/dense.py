"""Dense output: the solution inside a step, as a polynomial of theta in [0, 1]."""

from __future__ import annotations

from dynlib.steppers.stages import emit_stage
from dynlib.steppers.tableau import Continuation
from dynlib.steppers.text import Scalar, combine, function, group, names, unpack

__all__ = ["emit_continuation", "emit_hermite", "emit_polynomial"]

_DENSE = "t, h, step, u, u_new, k, p, ws, lane"
_INTERPOLATE = "theta, h, u, u_new, d"


def _start(real: Scalar) -> list[str]:
    return ["theta = real(theta)", "h = real(h)"] if real.single else []


def emit_polynomial(dense: tuple[tuple[float, ...], ...], n: int, real: Scalar) -> list[str]:
    """The method's own interpolant: ``u + h * sum_s b_s(theta) k_s``."""
    lines = [*_start(real), unpack(names("u", n), "u")]
    used = []
    for s, row in enumerate(dense, start=1):
        if not any(row):
            continue
        used.append(s)
        value = real(row[-1])
        for coefficient in reversed(row[:-1]):
            value = f"fma({value}, theta, {real(coefficient)})"
        lines.append(f"b{s} = {value} * theta")
    results = [
        f"fma(h, {combine([(f'b{s}', f'd[{(s - 1) * n + i}]') for s in used])}, u{i})"
        for i in range(n)
    ]
    lines.append(f"return {group(results)}")
    return [function("dense", _DENSE, ["return k"]), function("interpolate", _INTERPOLATE, lines)]


def emit_hermite(stages: int, n: int, real: Scalar, *, last_is_end: bool) -> list[str]:
    """Cubic Hermite interpolation between the ends of the step (local error of order 4).

    The slope at the end is the last stage of `stages` where the method has it, and one more
    evaluation of the right-hand side where not.
    """
    first = [f"k[{i}]" for i in range(n)]
    if last_is_end:
        end = [f"k[{(stages - 1) * n + i}]" for i in range(n)]
        lines = [f"return {group(first + end)}"]
    else:
        end = names("f", n)
        lines = [
            unpack(end, "rhs(t + h, step + 1, u_new, p, ws, lane)"),
            f"return {group(first + end)}",
        ]
    inside = [
        *_start(real),
        unpack(names("u", n), "u"),
        unpack(names("v", n), "u_new"),
        f"rest = {real(1.0)} - theta",
        f"s = theta * theta * ({real(3.0)} - {real(2.0)} * theta)",
        "a = h * theta * rest * rest",
        "b = h * theta * theta * rest",
    ]
    results = [f"fma(s, v{i} - u{i}, fma(a, d[{i}], fma(-b, d[{n + i}], u{i})))" for i in range(n)]
    inside.append(f"return {group(results)}")
    return [function("dense", _DENSE, lines), function("interpolate", _INTERPOLATE, inside)]


def emit_continuation(further: Continuation, stages: int, n: int, real: Scalar) -> list[str]:
    """The interpolant of a `Continuation`; `dense` evaluates its stages and returns r2, r3, …."""
    u, v = names("u", n), names("v", n)
    given = [f"k{s}_{i}" for s in range(1, stages + 1) for i in range(n)]
    lines = [unpack(u, "u"), unpack(v, "u_new"), unpack(given, "k")]
    if real.single:
        lines.append("h = real(h)")
    for s, (node, row) in enumerate(zip(further.c, further.a, strict=True), stages + 1):
        lines += emit_stage(s, node, row, n, real)
    second, third = names("r2_", n), names("r3_", n)
    for i in range(n):
        lines += [
            f"r1 = v{i} - u{i}",
            f"{second[i]} = fma(h, k1_{i}, -r1)",
            f"{third[i]} = fma(-h, k{stages}_{i}, r1 - {second[i]})",
        ]
    results = [*second, *third]
    for weights in further.d:
        used = [(real(w), s) for s, w in enumerate(weights, 1) if w]
        results += [f"h * ({combine([(w, f'k{s}_{i}') for w, s in used])})" for i in range(n)]
    lines.append(f"return {group(results)}")

    inside = [*_start(real), unpack(u, "u"), unpack(v, "u_new"), f"rest = {real(1.0)} - theta"]
    terms = 2 + len(further.d)
    nested = []
    for i in range(n):
        value = f"d[{(terms - 1) * n + i}]"
        for term in reversed(range(terms - 1)):
            value = f"fma({('rest', 'theta')[term % 2 == 0]}, {value}, d[{term * n + i}])"
        nested.append(f"fma(theta, fma(rest, {value}, v{i} - u{i}), u{i})")
    inside.append(f"return {group(nested)}")
    return [function("dense", _DENSE, lines), function("interpolate", _INTERPOLATE, inside)]
