"""What adaptive methods share: the error norm and the first step."""

from __future__ import annotations

from collections.abc import Callable

from dynlib.steppers.problem import Problem
from dynlib.steppers.text import At, Components, Scalar, chain, combine, function, squares

__all__ = ["emit_error_norm", "emit_first_step", "emit_vector_error"]

_FAST = 4.0  # lengths, by which a vector may change in a step


def emit_error_norm(
    weights: tuple[float, ...], coarse: tuple[float, ...], n: int, real: Scalar
) -> str:
    """Mean square of the error estimate, each component over its tolerance; accepted up to 1.

    With a coarser estimate e' beside e, it is that of ``e**2 / sqrt(e**2 + e'**2/100)``, norms
    instead of components; Hairer, Nørsett, Wanner I, section II.10.
    """
    each = Components(n, real)
    lines = [*each.take("u", "u"), *each.take("v", "u_new")]
    if each.long:
        lines += each.set("weight", lambda at: _weight(at, _size(at)))
        lines += each.set("e", lambda at: f"({_estimated(weights, at, real)}) * {at('weight')}")
        if coarse:
            lines += each.set("c", lambda at: f"({_estimated(coarse, at, real)}) * {at('weight')}")
    else:
        for at in (At(n, i) for i in range(n)):
            lines += [f"size = {_size(at)}", f"weight = {_weight(at, 'size')}"]
            lines.append(f"{at('e')} = ({_estimated(weights, at, real)}) * weight")
            if coarse:
                lines.append(f"{at('c')} = ({_estimated(coarse, at, real)}) * weight")
    before, total = chain("total", [(e, e) for e in each.items("e")])
    lines += before
    if coarse:
        before, other = chain("other", [(c, c) for c in each.items("c")])
        lines += [f"fine = {total}", *before, f"both = fma(0.01, {other}, fine)"]
        total = "fine * (fine / select(both > 0.0, both, 1.0))"
    lines.append(f"return ({total}) * (h * h * {1.0 / n!r})")
    return function("error_norm", "h, u, u_new, k, options, tolerances, lane", lines)


def emit_vector_error(
    weights: tuple[float, ...], coarse: tuple[float, ...], problem: Problem
) -> str:
    """Squares of the largest error of the vectors that an extended state holds after the states.

    The first is relative to a vector's length before or after the step, whichever is greater, the
    second to the lesser, which a rate of decay is known by.  The estimates are put together as in
    `emit_error_norm`; where a vector would change by many times its length at its first rate, they
    are not believed, since they have zeros there.
    """
    n, whole, real = problem.states, problem.n, problem.real
    lines = ["rough = 0.0", "fine = 0.0"]
    for c in range(1, problem.vectors + 1):
        own = range(c * n, (c + 1) * n)
        lines += _square("before", [f"u[{i}]" for i in own])
        lines += _square("after", [f"u_new[{i}]" for i in own])
        lines += [f"e{i} = {_estimate(weights, i, whole, real)}" for i in own]
        lines += _square("error", [f"e{i}" for i in own])
        if coarse:
            lines += [f"c{i} = {_estimate(coarse, i, whole, real)}" for i in own]
            start, both = chain("other", [(f"c{i}", f"c{i}") for i in own])
            lines += [*start, f"both = fma(0.01, {both}, error)"]
            lines.append("error = error * (error / select(both > 0.0, both, 1.0))")
        lines += _square("slope", [f"k[{i}]" for i in own])
        lines.append(f"fast = slope * (h * h) > {_FAST**2!r} * before")
        lines.append("error = select(fast, max_(error, slope), error)")
        for name, which in (("rough", "max_"), ("fine", "min_")):
            lines.append(f"size = {which}(before, after)")
            lines.append(f"{name} = max_({name}, error / select(size > 0.0, size, 1.0))")
    lines.append("return rough * (h * h), fine * (h * h)")
    return function("vector_error", "h, u, u_new, k, lane", lines)


def _square(name: str, items: list[str]) -> list[str]:
    """Lines that leave the sum of squares under `name`."""
    lines, total = chain(name, [(item, item) for item in items])
    return [*lines, f"{name} = {total}"]


def _size(at: At) -> str:
    """The greater of a component before and after a step."""
    u, v = at("u"), at("v")
    return f"select(abs_({u}) > abs_({v}), abs_({u}), abs_({v}))"


def _weight(at: At, size: str) -> str:
    return f"1.0 / fma({at.of('tolerances', 1)}, {size}, {at.of('tolerances')})"


def _estimated(weights: tuple[float, ...], at: At, real: Scalar) -> str:
    return combine([(real(w), at.of("k", s)) for s, w in enumerate(weights) if w])


def _estimate(weights: tuple[float, ...], i: int, n: int, real: Scalar) -> str:
    return combine([(real(w), f"k[{s * n + i}]") for s, w in enumerate(weights) if w])


def emit_first_step(order: int, n: int, real: Scalar) -> str:
    """Size of the first step from two slopes; Hairer, Nørsett, Wanner I, section II.4.

    Its power need not be exact either (`dynlib.steppers.control`).
    """
    each = Components(n, real)
    lines = [*each.take("u", "u"), *each.take("f", "rhs(t, step, u, p, ws, lane)")]
    lines += each.set("s", _scale)
    lines += each.set("s", lambda at: f"select({at('s')} > 0.0, {at('s')}, 1e-300)")
    lines += [
        *_root_mean_square("d0", each, lambda at: f"{at('u')} / {at('s')}"),
        *_root_mean_square("d1", each, lambda at: f"{at('f')} / {at('s')}"),
        "h0 = select((d0 < 1e-5) | (d1 < 1e-5), 1e-6, 0.01 * d0 / d1)",
        "span = abs_(t_end - t)",
        "h0 = min_(h0, span)",
        "h = copysign(h0, t_end - t)",
        f"hr = {real.cast('h')}",
        f"g = {each.each(_euler)}",
        *each.take("g", "rhs(t + h, step, g, p, ws, lane)"),
        *_root_mean_square("d2", each, lambda at: f"({at('g')} - {at('f')}) / {at('s')}", " / h0"),
        "d = max_(d1, d2)",
        f"h1 = select(d < 1e300, rough_exp2(rough_log2(0.01 / d) * {1.0 / order!r}), 0.0)",
        "h1 = select(d <= 1e-15, max_(1e-6, h0 * 1e-3), h1)",
        "size = min_(min_(100.0 * h0, h1), span)",
        "size = select(size > 0.0, size, 1e-6)",
        "return within_bounds(t, copysign(size, t_end - t), options)",
    ]
    return function("first_step", "t, t_end, step, u, p, ws, options, tolerances, lane", lines)


def _scale(at: At) -> str:
    return f"fma({at.of('tolerances', 1)}, abs_({at('u')}), {at.of('tolerances')})"


def _euler(at: At) -> str:
    return f"fma(hr, {at('f')}, {at('u')})"


def _root_mean_square(
    name: str, each: Components, write: Callable[[At], str], over: str = ""
) -> list[str]:
    before: list[str] = []
    items = [write(At(each.n, i)) for i in range(each.n)]
    if each.long:
        before, items = each.set("q", write), each.items("q")
    lines, total = squares(name, items)
    return [*before, *lines, f"{name} = sqrt(({total}) * {1.0 / len(items)!r}){over}"]
