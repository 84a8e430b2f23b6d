"""Measure errors and speeds of the vector mathematics and write the tables of docs/vecmath.md.

Run ``python tools/vecmath/report.py`` from the root of the repository, on a quiet machine.  The
text between the two marks in the page is replaced, the rest stays.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from vecmath import reference  # noqa: E402
from vecmath.kernels import NAMES, TWO_ARGUMENTS, evaluate, kernel, table  # noqa: E402

PAGE = ROOT / "docs/vecmath.md"
MARKS = ("<!-- measured -->", "<!-- end -->")
POINTS, SLOW_POINTS = 300_000, 5_000

RANGES = {
    **dict.fromkeys(("log", "log2", "log10", "acosh"), (1.0, 50.0)),
    **dict.fromkeys(("asin", "acos", "atanh"), (-0.99, 0.99)),
    **dict.fromkeys(("tanh", "erf", "erfc"), (-3.0, 3.0)),
    "pow": (0.1, 10.0),
    "log1p": (-0.9, 50.0),
}


def worst_error(name: str) -> float:
    """Largest error in ulp over all sets of points."""
    by_hand = name in ("erf", "erfc")
    count = SLOW_POINTS if by_hand else POINTS
    right = reference.exact if by_hand else reference.extended
    return max(
        float(reference.ulps(evaluate(name, *points), *right(name, *points)).max())
        for points in reference.sets(name, count, seed=3)
    )


def best_time(entry: object, words: np.ndarray, work: int) -> float:
    """Nanoseconds for one unit of work: the best of several calls."""
    times = []
    address = words.ctypes.data
    for _ in range(30):
        start = time.perf_counter()
        entry(address)  # type: ignore[operator]
        times.append(time.perf_counter() - start)
    return min(times) / work * 1e9


def speeds(name: str, *, libm: bool) -> tuple[float, float]:
    """Nanoseconds an element in a loop over 16,384 values, and of one call after the other."""
    rng = np.random.default_rng(1)
    a, b, out = rng.uniform(*RANGES.get(name, (-10.0, 10.0)), (3, 16384))
    loop = best_time(kernel("arrays", name, libm=libm).entry, table(a, b, out), 16384)
    steps = np.array([4000])
    y = np.array([a[0], a[0], b[0]])
    single = best_time(kernel("single", name, libm=libm).entry, table(y, steps), 4000)
    return loop, single


def row(name: str) -> str:
    """One line of the table."""
    loop, single = speeds(name, libm=False)
    loop_libm, single_libm = speeds(name, libm=True)
    arguments = "(x, y)" if name in TWO_ARGUMENTS else "(x)"
    return (
        f"| `{name}{arguments}` | {worst_error(name):.2f} | {reference.PROMISED[name]:.0f} "
        f"| {loop:.2f} | {loop_libm / loop:.1f} | {single:.1f} | {single_libm / single:.2f} |"
    )


def main() -> None:
    """Replace the table of the page."""
    head = (
        "| function | worst error measured (ulp) | promised | ns in a loop | C library / ours "
        "| ns of a single call | C library / ours |\n|---|---|---|---|---|---|---|\n"
    )
    rows = []
    for name in NAMES:
        rows.append(row(name))
        sys.stdout.write(rows[-1] + "\n")
        sys.stdout.flush()
    text = PAGE.read_text(encoding="utf-8")
    before, rest = text.split(MARKS[0])
    after = rest.split(MARKS[1])[1]
    made = "\n".join((before + MARKS[0], "", head + "\n".join(rows), "", MARKS[1] + after))
    PAGE.write_text(made, encoding="utf-8")


if __name__ == "__main__":
    main()
