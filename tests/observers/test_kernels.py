"""Observers that differ in code never share a kernel, in one process or two, cache or no cache."""

import enum
import os
import subprocess
import sys
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numba
import pytest
from observers.watching import HOOK
from runtime.models import LOGISTIC

from dynlib import setup
from dynlib.compiler.codegen.runner_variants import analysis_signature_hash
from dynlib.observers import ObserverModule, lyapunov_max, lyapunov_spectrum
from dynlib.observers.kit.combined import CombinedObserver
from dynlib.observers.kit.content import content_of


def hook(body: str, args: str = HOOK, **names: Any) -> Callable[..., None]:
    """A hook of this body that finds `names` among its globals."""
    exec(f"def hook({args}):\n    {body}", names)
    made: Callable[..., None] = names["hook"]
    return made


def closure(value: Any) -> Callable[..., None]:
    def hook(
        lane, t, dt, step, y_curr, y_prev, params, runtime_ws, analysis_ws, analysis_out,
        trace_buf, trace_count, trace_cap, trace_stride,
    ):  # fmt: skip
        analysis_out[0, lane] = value

    return hook


def calling(value: float) -> Callable[..., None]:
    @numba.njit
    def inner():
        return value

    @numba.njit
    def outer():
        return 2.0 * inner()

    return hook("analysis_out[0, lane] = outer()", outer=outer)


def nested(value: float) -> Callable[..., None]:
    return hook(f"analysis_out[0, lane] = (lambda: {value})()")


def module(value: float) -> Callable[..., None]:
    made: Any = ModuleType("of_a_user")
    made.constant = value
    return hook("analysis_out[0, lane] = of_a_user.constant", of_a_user=made)


def pair(first: str, second: str) -> Callable[..., None]:
    kind: Any = namedtuple("kind", [first, second])
    return hook("analysis_out[0, lane] = both.a", both=kind(1.0, 2.0))


def member(value: int) -> Callable[..., None]:
    kind: Any = enum.IntEnum("kind", {"a": value})
    return hook("analysis_out[0, lane] = kind.a", kind=kind)


def fast(fastmath: bool) -> Callable[..., None]:
    @numba.njit(fastmath=fastmath)
    def total(x):
        return x + 1e20 - 1e20

    return hook("analysis_out[0, lane] = total(y_curr[0, lane])", total=total)


PAIRS: dict[str, tuple[Callable[..., None], Callable[..., None]]] = {
    "constant": (hook("analysis_out[0, lane] = 1.0"), hook("analysis_out[0, lane] = 2.0")),
    "sign of zero": (hook("analysis_out[0, lane] = 0.0"), hook("analysis_out[0, lane] = -0.0")),
    "closure": (closure(1.0), closure(2.0)),
    "type in a closure": (closure(1), closure(1.0)),
    "global": (
        hook("analysis_out[0, lane] = c", c=1.0), hook("analysis_out[0, lane] = c", c=2.0),
    ),
    "called function": (calling(1.0), calling(2.0)),
    "nested function": (nested(1.0), nested(2.0)),
    "module of the user": (module(1.0), module(2.0)),
    "names of a tuple": (pair("a", "b"), pair("b", "a")),
    "enumeration": (member(1), member(2)),
    "options of Numba": (fast(True), fast(False)),
    "attribute": (
        hook("analysis_out[0, lane] = math.sin(1.0)", math=__import__("math")),
        hook("analysis_out[0, lane] = math.cos(1.0)", math=__import__("math")),
    ),
    "object that nobody can compare": (closure(object()), closure(object())),
}  # fmt: skip


def observer(made: Callable[..., None]) -> ObserverModule:
    return ObserverModule("same", outputs=["a"], post_step=made)


def signature(*observers: ObserverModule) -> str:
    model = setup(LOGISTIC, jit=False).model
    return analysis_signature_hash(CombinedObserver(observers, model.spec, model.stepper))


@pytest.mark.parametrize("what", PAIRS)
def test_signatures_differ(what: str) -> None:
    one, other = PAIRS[what]
    assert content_of(one) == content_of(one)
    assert content_of(one) != content_of(other)
    assert signature(observer(one)) != signature(observer(other))


def test_defaults_differ() -> None:
    """Of functions that hooks call."""

    def calls(value: float) -> Callable[..., None]:
        inner = hook("return c", args=f"c={value}")
        return hook("analysis_out[0, lane] = inner()", inner=inner)

    assert content_of(calls(1.0)) != content_of(calls(2.0))
    keyword = [hook("return c", args=f"*, c={value}") for value in (1.0, 2.0)]
    assert content_of(keyword[0]) != content_of(keyword[1])


def test_options_of_library_observers_differ() -> None:
    ways = [
        lyapunov_max(), lyapunov_max(renorm_every=3), lyapunov_max(record_interval=10),
        lyapunov_max(record_interval=20), lyapunov_max(target_se=0.1), lyapunov_spectrum(),
    ]  # fmt: skip
    digests = [signature(each) for each in ways]
    # How often a trace is written is data, not code.
    assert len(set(digests)) >= len(ways) - 1
    assert signature(ways[0], ways[5]) != signature(ways[5], ways[0])


def test_no_kernel_is_shared_in_a_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each finds its own number, again and again."""
    monkeypatch.setenv("DYNLIB_CACHE_DIR", str(tmp_path))
    for what in ("closure", "called function"):
        sim = setup(LOGISTIC)
        for _ in range(2):
            for made, expected in zip(PAIRS[what], (1.0, 2.0), strict=True):
                factor = 2.0 if what == "called function" else 1.0
                found = sim.run(N=2, observers=[observer(made)]).observers["same"].a
                assert found == factor * expected


WORKER = """
import sys
from dynlib import setup
from dynlib.observers import ObserverModule

def closure(value):
    def hook(lane, t, dt, step, y_curr, y_prev, params, runtime_ws, analysis_ws, analysis_out,
             trace_buf, trace_count, trace_cap, trace_stride):
        analysis_out[0, lane] = value
    return hook

made = ObserverModule("same", outputs=["a"], post_step=closure(float(sys.argv[1])))
sim = setup("builtin://map/logistic")
print(sim.run(N=2, observers=[made]).observers["same"].a, "numba" in sys.modules)
"""


def test_no_kernel_is_shared_by_processes(tmp_path: Path) -> None:
    """A folder that is cold, warm with another's kernel, and warm with its own."""

    def run(value: str) -> list[str]:
        done = subprocess.run(
            [sys.executable, "-c", WORKER, value],
            env={**os.environ, "DYNLIB_CACHE_DIR": str(tmp_path)},
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        return done.stdout.split()

    assert run("1.0") == ["1.0", "True"]
    assert run("2.0") == ["2.0", "True"]
    assert run("1.0") == ["1.0", "False"]
    assert run("2.0") == ["2.0", "False"]
