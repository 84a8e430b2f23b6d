"""Dense output: the solution inside a step, as a polynomial of theta in [0, 1]."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from dynlib.steppers.stages import emit_stage
from dynlib.steppers.tableau import Continuation
from dynlib.steppers.text import At, Components, Scalar, combine, function, group, names, unpack

__all__ = ["emit_continuation", "emit_hermite", "emit_polynomial"]

_DENSE = "t, h, step, u, u_new, k, p, ws, lane"
_INTERPOLATE = "theta, h, u, u_new, d"


def _start(real: Scalar) -> list[str]:
    return ["theta = real(theta)", "h = real(h)"] if real.single else []


def emit_polynomial(dense: tuple[tuple[float, ...], ...], n: int, real: Scalar) -> list[str]:
    """The method's own interpolant: ``u + h * sum_s b_s(theta) k_s``."""
    each = Components(n, real)
    lines = [*_start(real), *each.take("u", "u")]
    used = []
    for s, row in enumerate(dense, start=1):
        if not any(row):
            continue
        used.append(s)
        value = real(row[-1])
        for coefficient in reversed(row[:-1]):
            value = f"fma({value}, theta, {real(coefficient)})"
        lines.append(f"b{s} = {value} * theta")

    def inside(at: At) -> str:
        terms = [(f"b{s}", at.of("d", s - 1)) for s in used]
        return f"fma(h, {combine(terms)}, {at('u')})"

    lines.append(f"return {each.each(inside)}")
    return [function("dense", _DENSE, ["return k"]), function("interpolate", _INTERPOLATE, lines)]


def emit_hermite(stages: int, n: int, real: Scalar, *, last_is_end: bool) -> list[str]:
    """Cubic Hermite interpolation between the ends of the step (local error of order 4).

    The slope at the end is the last stage of `stages` where the method has it, and one more
    evaluation of the right-hand side where not.
    """
    each = Components(n, real)
    if last_is_end:
        lines = [f"return {each.part('k', 0, stages - 1)}"]
    else:
        first = each.part("k", 0) if each.long else ""
        lines = each.take("f", "rhs(t + h, step + 1, u_new, p, ws, lane)")
        both = group([*(f"k[{i}]" for i in range(n)), *names("f", n)])
        lines.append(f"return {f'{first} + f' if each.long else both}")
    inside = [
        *_start(real),
        *each.take("u", "u"),
        *each.take("v", "u_new"),
        f"rest = {real(1.0)} - theta",
        f"s = theta * theta * ({real(3.0)} - {real(2.0)} * theta)",
        "a = h * theta * rest * rest",
        "b = h * theta * theta * rest",
    ]

    def result(at: At) -> str:
        u, start, end = at("u"), at.of("d"), at.of("d", 1)
        return f"fma(s, {at('v')} - {u}, fma(a, {start}, fma(-b, {end}, {u})))"

    inside.append(f"return {each.each(result)}")
    return [function("dense", _DENSE, lines), function("interpolate", _INTERPOLATE, inside)]


def emit_continuation(further: Continuation, stages: int, n: int, real: Scalar) -> list[str]:
    """The interpolant of a `Continuation`; `dense` evaluates its stages and returns r2, r3, …."""
    each = Components(n, real)
    ends = [*each.take("u", "u"), *each.take("v", "u_new")]
    lines = [*ends, *_slopes(each, stages)]
    if real.single:
        lines.append("h = real(h)")
    for s, (node, row) in enumerate(zip(further.c, further.a, strict=True), stages + 1):
        lines += emit_stage(s, node, row, each, real)
    if each.long:
        lines += each.set("r1_", lambda at: f"{at('v')} - {at('u')}")
        lines += each.set("r2_", lambda at: f"fma(h, {at('k1_')}, -{at('r1_')})")
        lines += each.set(
            "r3_", lambda at: f"fma(-h, {at(f'k{stages}_')}, {at('r1_')} - {at('r2_')})"
        )
    else:
        for i in range(n):
            lines += [
                f"r1 = v{i} - u{i}",
                f"r2_{i} = fma(h, k1_{i}, -r1)",
                f"r3_{i} = fma(-h, k{stages}_{i}, r1 - r2_{i})",
            ]
    scaled = [partial(_scaled, weights, real) for weights in further.d]
    lines.append(f"return {each.whole('r2_', 'r3_', then=scaled)}")
    inside = [*_start(real), *ends, f"rest = {real(1.0)} - theta"]
    inside.append(f"return {each.each(partial(_nested, 2 + len(further.d)))}")
    return [function("dense", _DENSE, lines), function("interpolate", _INTERPOLATE, inside)]


def _slopes(each: Components, stages: int) -> list[str]:
    """Lines that take the slopes of an attempt apart."""
    if each.long:
        return [f"k{s + 1} = {each.part('k', s)}" for s in range(stages)]
    return [unpack([f"k{s}_{i}" for s in range(1, stages + 1) for i in range(each.n)], "k")]


def _scaled(weights: Sequence[float], real: Scalar, at: At) -> str:
    used = [(real(w), at(f"k{s}_")) for s, w in enumerate(weights, 1) if w]
    return f"h * ({combine(used)})"


def _nested(terms: int, at: At) -> str:
    """The polynomial of a component: it alternates between theta and what is left."""
    value = at.of("d", terms - 1)
    for term in reversed(range(terms - 1)):
        value = f"fma({('rest', 'theta')[term % 2 == 0]}, {value}, {at.of('d', term)})"
    return f"fma(theta, fma(rest, {value}, {at('v')} - {at('u')}), {at('u')})"
