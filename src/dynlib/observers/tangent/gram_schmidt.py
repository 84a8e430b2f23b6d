"""Modified Gram–Schmidt, written out for a few short vectors."""

from __future__ import annotations

from dynlib.steppers.text import combine, function, names, unpack

__all__ = ["FEW", "ROUNDING", "gram_schmidt_text"]

FEW = 64  # products: beyond, loops do it
ROUNDING = 1e-29  # of the square of a vector: less than this is left only by rounding


def gram_schmidt_text(n: int, k: int) -> str:
    """The template `lyapunov_hooks.orthonormalise_OBS` for `k` vectors of length `n`, unrolled.

    The same operations in the same order, over names instead of rows of an array, so that
    compilers keep the vectors in registers, and lanes of them side by side.
    """
    vectors = [names(f"q{j}_", n) for j in range(k)]
    rows = n * k
    everything = [x for vector in vectors for x in vector]
    lines = [unpack(everything, f"load_rows(analysis_ws[TAN:], 0, {rows}, lane)")]
    for j, own in enumerate(vectors):
        for i, other in enumerate(vectors[:j]):
            lines.append(f"dot = {combine(list(zip(other, own, strict=True)), start='0.0')}")
            lines += [f"{x} = fma(-dot, {y}, {x})" for x, y in zip(own, other, strict=True)]
            lines.append(f"taken = fma(dot, dot, {'taken' if i else '0.0'})")
        rounded = f" | (square <= {ROUNDING!r} * taken)" if j else ""
        lines += [
            f"square = {combine([(x, x) for x in own], start='0.0')}",
            "length = sqrt(square)",
            f"lost = (length == 0.0){rounded}",
            f"grow_OBS({j}, select(lost, 0.0, length), lane, analysis_ws)",
            "factor = select(lost, 0.0, div(1.0, length))",
            *((f"flawed = {'flawed | lost' if j else 'lost'}",) if k > 1 else ()),
            *(f"{x} = {x} * factor" for x in own),
        ]
    if k > 1:  # on one alone nothing depends: see `Lyapunov._mending`
        lines.append("analysis_ws[FLAWED, lane] = select(flawed, 1.0, analysis_ws[FLAWED, lane])")
    lines.append(f"store_rows(analysis_ws[TAN:], 0, lane, ({', '.join(everything)},))")
    return function("orthonormalise_OBS", "lane, analysis_ws", lines)
