"""Changed snapshots, one after the other, in a process of their own: crashes and hangs are seen.

``python mutants.py CASE SEED COUNT FOLDER`` loads COUNT of them (0: all) and goes on with what is
not refused.  Before each its name is put into the file ``FOLDER/now``.  What fails otherwise than
with an error of dynlib's own is printed.
"""

from __future__ import annotations

import copy
import random
import signal
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from dynlib import DynlibError, Sim, build
from dynlib import observers as lib
from dynlib.observers.kit.module import ObserverModule
from dynlib.plans import Hits, Tail
from dynlib.runtime.files import read_arrays, write_arrays

sys.path.insert(0, str(Path(__file__).parent.parent))
from runtime.models import MODELS

Meta = dict[str, Any]
Arrays = dict[str, np.ndarray]
Change = Callable[[Meta, Arrays], Any]
SECONDS = 20  # for one of them; the process ends then


def flow_observers() -> list[ObserverModule]:
    return [
        lib.lyapunov_max(trace=Tail(3, 10)),
        lib.features("max", "mean_error", E="0.5*v^2"),
        lib.intervals("x", 0.2, trace=Tail(3)),
        lib.poincare("v", trace=Hits(20)),
        lib.covariant_vectors(2),
    ]


def map_observers() -> list[ObserverModule]:
    return [
        lib.lyapunov_max(trace=Tail(4, 2)),
        lib.histogram("x", 5, (0.0, 1.0), errors=True),
        lib.time_in("x > 0.2"),
        lib.zero_one_test("x", every=2, samples=200),
        lib.finite_time_lyapunov(4),
    ]


CASES: dict[str, tuple[str, str | None, Callable[[], list[ObserverModule]], dict[str, Any]]] = {
    "adaptive": ("driven", "tsit5", flow_observers, {"T": 6.0}),
    "grid": ("driven", "ab3", flow_observers, {"T": 6.0}),
    "map": ("logistic", None, map_observers, {"N": 300}),
    "events": ("busy", "rk4", list, {"T": 2.0}),
    "lags": ("lagged", "ab3", list, {"T": 2.0}),
    "integers": ("collatz", None, list, {"N": 20}),
}


def main(case: str, seed: int, count: int, folder: Path) -> int:
    """Make the snapshot, change it in so many ways; returns how many failed."""
    warnings.simplefilter("ignore")
    name, stepper, observers, span = CASES[case]
    watching = observers()
    sim = Sim(build(MODELS[name], stepper=stepper))
    sim.run(**span, observers=watching, on_failure="return")
    path = folder / "x.snap"
    sim.save_snapshot(path)
    arrays, meta = read_arrays(path, "snapshot", "dynlib snapshot")
    changes = list(mutants(meta, arrays))
    random.Random(seed).shuffle(changes)
    failed = 0
    further = {key: 2 * value if key == "T" else value for key, value in span.items()}
    for what, change in changes[: count or None]:
        (folder / "now").write_text(what)
        signal.setitimer(signal.ITIMER_REAL, SECONDS)  # nobody handles it: it ends the process
        problem = tried(sim, path, (meta, arrays), change, watching, further)
        if problem:
            failed += 1
            print(f"{what}: {problem}", flush=True)  # noqa: T201
    return failed


def tried(
    sim: Sim,
    path: Path,
    whole: tuple[Meta, Arrays],
    change: Change,
    watching: list[ObserverModule],
    span: dict[str, Any],
) -> str:
    """What went wrong with a changed snapshot; empty if it was refused, or could be run on."""
    meta, arrays = copy.deepcopy(whole)
    change(meta, arrays)
    try:
        write_arrays(path, arrays, meta)
    except (TypeError, ValueError, OverflowError):
        return ""  # no file can hold it
    try:
        sim.load_snapshot(path)
        sim.run(
            **span, observers=watching, resume=True, max_steps=3000, on_failure="return",
            record=False,
        )  # fmt: skip
    except DynlibError as error:
        known = "x.snap" in str(error) or "snapshot" in str(error) or "beyond" in str(error)
        return "" if known else f"says only {error}"
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""


# --- what is changed ------------------------------------------------------------------------------


def mutants(meta: Meta, arrays: Arrays) -> Iterator[tuple[str, Change]]:
    """Names of changes, and the changes."""
    for name, values in arrays.items():
        yield f"{name} missing", lambda _, a, n=name: a.pop(n)
        for kind, other in kinds(values):
            yield f"{name} {kind}", lambda _, a, n=name, o=other: a.update({n: o})
        for row in rows_of(values):
            for number in numbers(values.dtype):
                yield (
                    f"{name}[{row}] = {number}",
                    lambda _, a, n=name, r=row, x=number: set_item(a, n, r, x),
                )
    yield "an array too many", lambda _, a: a.update(more=np.zeros(3))
    for path in places(meta):
        for value in VALUES:
            yield f"{'.'.join(path)} = {value!r:.20}", lambda m, _, p=path, v=value: put(m, p, v)
        yield f"{'.'.join(path)} missing", lambda m, _, p=path: drop(m, p)


VALUES: tuple[Any, ...] = (
    None, True, -1, 0, 1, 3, 2.5, 10**9, -(10**12), 2**62, -(2**62), 10**30, 1e-300, 1e300, -1e300,
    float("nan"), float("inf"), -float("inf"), "", "x", "/etc/passwd", [], [1], {}, {"x": 1},
)  # fmt: skip


def kinds(values: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """Other arrays in the place of one."""
    for dtype in ("f4", "f8", "i4", "i8", "u8", "c16", "?", "S8", "f2", ">f8", ">i8", "M8[s]"):
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield f"as {dtype}", values.astype(dtype)
    yield "flat", values.reshape(-1)
    yield "turned", values.T
    yield "deeper", values[np.newaxis]
    yield "wider", np.repeat(values[..., np.newaxis], 3, axis=-1)
    yield "cut", values[:-1]
    yield "empty", values[:0]
    yield "a number", np.array(1, dtype=values.dtype)
    yield "longer", np.concatenate([values, values[-1:]])
    yield "much longer", np.concatenate([values] * 50)
    yield "of one", np.ones((1, 1), dtype=values.dtype)
    yield "Fortran", np.asfortranarray(values)
    yield "NaN", np.full_like(values, np.nan if values.dtype.kind == "f" else -1)
    yield "huge", np.full_like(values, 10**13 if values.dtype.itemsize == 8 else 10**9)
    yield "noise", np.random.default_rng(1).integers(-5, 5, values.shape).astype(values.dtype)


def rows_of(values: np.ndarray) -> list[tuple[int, ...]]:
    """Places in an array: all of them, or a few hundred."""
    found = list(np.ndindex(values.shape))
    return found if len(found) < 400 else found[:150] + found[150 :: len(found) // 200]


def numbers(dtype: np.dtype) -> list[Any]:
    if dtype.kind == "f":
        return [np.nan, np.inf, -np.inf, -1.0, 0.5, 1.0, 1e9, 1e13, -1e12, 1e300, 1e-300]
    return [-1, 0, 1, 2, 17, 10**9, 10**13, -(10**12), 2**62, -(2**62), 2**63 - 1]


def set_item(arrays: Arrays, name: str, place: tuple[int, ...], value: Any) -> None:
    arrays[name] = arrays[name].copy()
    with np.errstate(all="ignore"):
        try:
            arrays[name][place] = value
        except OverflowError:
            arrays[name][place] = -1


def places(table: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for key, value in table.items():
        yield (*path, key)
        if isinstance(value, dict):
            yield from places(value, (*path, key))


def put(meta: Meta, path: tuple[str, ...], value: Any) -> None:
    for key in path[:-1]:
        meta = meta[key]
    meta[path[-1]] = value


def drop(meta: Meta, path: tuple[str, ...]) -> None:
    for key in path[:-1]:
        meta = meta[key]
    del meta[path[-1]]


if __name__ == "__main__":
    sys.exit(min(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4])), 99))
