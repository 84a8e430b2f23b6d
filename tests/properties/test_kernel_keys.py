"""A kernel is kept under the content of all that it is made of, and of nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from events.models import event, flow
from trajectories import compiled, go

import dynlib
from dynlib.compiler.codegen import runner_variants
from dynlib.compiler.codegen.runner_variants import (
    RunnerKey,
    analysis_signature_hash,
)
from dynlib.compiler.jit import engines, native, toolchain
from dynlib.compiler.jit.engines import LLVM
from dynlib.observers import CombinedObserver, ObserverModule

BASE = """
[model]
type = "ode"
name = "one"
[states]
x = 1
[params]
a = 1
[constants]
c = 2
[equations.rhs]
x = "-a*x + c"
[aux]
twice = "2*x"
[events.e]
cond = "x > 1.5"
log = ["x"]
[sim]
t_end = 3
dt = 0.1
[presets.p.params]
a = 5
"""


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> Callable[..., RunnerKey]:
    """The key of a model's runner, without making the runner."""
    monkeypatch.setattr(type(LLVM), "runner", lambda *args: object())
    for name in ("_variant_cache_continuous", "_variant_cache_discrete"):
        monkeypatch.setattr(runner_variants, name, type(runner_variants._variant_cache_discrete)())

    def key(text: str, stepper: str = "rk4", dtype: str | None = None, **kind: Any) -> RunnerKey:
        dynlib.build(text, stepper=stepper, dtype=dtype, disk_cache=False).runner(**kind)
        return list(runner_variants._variant_cache_continuous)[-1]

    return key


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("-a*x + c", "-a*x - c"),
        ("-a*x + c", "-a*x + c + 0*t + 1e-9"),
        ("c = 2", "c = 2.0000000000000004"),
        ("2*x", "3*x"),
        ("x > 1.5", "x > 1.25"),
        ("x > 1.5", "x >= 1.5"),
        ('log = ["x"]', 'log = ["2*x"]'),
        ('log = ["x"]', 'log = ["x"]\naction = "x = 0"'),
        ('log = ["x"]', 'log = ["x"]\ndirection = "rising"'),
        ('log = ["x"]', 'log = ["x"]\nphase = "start"'),
        ('log = ["x"]', 'log = ["x"]\nlocate = false'),
        ("dt = 0.1", 'dt = 0.1\nstop = "x > 9"'),
        ('type = "ode"', 'type = "ode"\ndtype = "float32"'),
    ],
)
def test_a_changed_model_has_another_kernel(
    keys: Callable[..., RunnerKey], old: str, new: str
) -> None:
    assert old in BASE
    assert keys(BASE).digest != keys(BASE.replace(old, new)).digest


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('name = "one"', 'name = "two"\ndescription = "another"'),
        ("t_end = 3\ndt = 0.1", "t_end = 9\ndt = 0.2"),
        ("a = 5", "a = 6"),
        ("[params]\na = 1", "[params]\na = 7"),
        ("[states]\nx = 1", "[states]\nx = -1"),
    ],
)
def test_names_presets_and_values_make_no_kernel(
    keys: Callable[..., RunnerKey], old: str, new: str
) -> None:
    assert old in BASE
    assert keys(BASE).digest == keys(BASE.replace(old, new)).digest


def test_everything_else_that_makes_a_kernel(
    keys: Callable[..., RunnerKey], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = {
        "base": keys(BASE),
        "stepper": keys(BASE, "heun"),
        "dtype": keys(BASE, dtype="float32"),
        "sampled": keys(BASE, sampled=True),
    }
    monkeypatch.setattr(engines, "machine", lambda: "another processor")
    found["machine"] = keys(BASE)
    monkeypatch.setattr(engines, "toolchain", lambda: "another compiler")
    found["toolchain"] = keys(BASE)
    assert len({key.digest for key in found.values()}) == len(found)


def test_every_part_of_the_key_counts(keys: Callable[..., RunnerKey]) -> None:
    key = keys(BASE)
    for name in key.__dataclass_fields__:
        value = getattr(key, name)
        changed = not value if isinstance(value, bool) else f"{value}x"
        assert replace(key, **{name: changed}).digest != key.digest


def test_the_toolchain_names_what_it_is_made_of() -> None:
    line = toolchain.toolchain()
    assert f"numpy {np.__version__}" in line
    assert str(sys.version_info[:3]) in line
    assert "unknown" not in line
    assert native._llvm().get_host_cpu_name() in native.machine()


# What a process prints of its keys: strings are hashed differently in each (PYTHONHASHSEED).
_PRINT = """
import sys
import dynlib
from dynlib.compiler.codegen import runner_variants
from dynlib.compiler.jit.engines import LLVM
type(LLVM).runner = lambda *args: object()
for stepper in ("rk4", "rk45", "ab3"):
    dynlib.build(sys.argv[1], stepper=stepper).runner()
for key in runner_variants._variant_cache_continuous:
    print(key.digest)
"""


def test_keys_are_the_same_in_every_process() -> None:
    events = event("e", "x > 0", log="y; x") + event("f", "y > 0")
    text = flow({"x": (0, "y"), "y": (1, "-x")}, events)
    printed = {
        subprocess.run(
            [sys.executable, "-c", _PRINT, text],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True, text=True, check=True,
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(printed) == 1
    assert len(printed.pop().split()) == 3


# --- hooks -------------------------------------------------------------------------------------


def weighing(weight: float, *, square: bool = False) -> ObserverModule:
    """An observer whose one hook adds `weight` times the state, or its square, to its output."""

    def add(
        lane, t, dt, step, y_curr, y_prev, params, runtime_ws,  # type: ignore[no-untyped-def]
        analysis_ws, analysis_out, trace_buf, trace_count, trace_cap, trace_stride,
    ) -> None:  # fmt: skip
        analysis_out[0, lane] += weight * y_curr[0, lane]

    def add_square(
        lane, t, dt, step, y_curr, y_prev, params, runtime_ws,  # type: ignore[no-untyped-def]
        analysis_ws, analysis_out, trace_buf, trace_count, trace_cap, trace_stride,
    ) -> None:  # fmt: skip
        analysis_out[0, lane] += weight * y_curr[0, lane] ** 2

    return ObserverModule("sum", outputs=["sum"], post_step=add_square if square else add)


def observed(observer: ObserverModule | None, *, jit: bool) -> float:
    """What the observer has put out after a run of the base model, 0 without one."""
    sim = dynlib.setup(BASE, stepper="rk4", jit=jit)
    found = sim.run(T=1.0, dt=0.1, observers=[] if observer is None else [observer])
    want = go(compiled(BASE, "rk4", jit=jit), 1.0, dt=0.1).state.y
    np.testing.assert_array_equal(list(found.final.values()), want[:, 0])
    return 0.0 if observer is None else float(found.observers["sum"].sum)


def test_two_observers_never_share_hooks(jit: bool) -> None:
    rows = go(compiled(BASE, "rk4"), 1.0, dt=0.1).y[1:, 0]
    # in any order, with each other's kernels at hand; ten additions of size 1 to 2
    kinds = [(1.0, False), (2.0, False), (1.0, True), (2.0, True), (1.0, False)]
    for weight, square in kinds[:2] if jit else kinds:  # compilation takes its time
        found = observed(weighing(weight, square=square), jit=jit)
        want = weight * (rows**2 if square else rows).sum()
        assert found == pytest.approx(want, rel=1e-14)
        assert observed(None, jit=jit) == 0


def bound(observer: ObserverModule) -> CombinedObserver:
    model = compiled(BASE, "rk4")
    return CombinedObserver([observer], model.spec, model.stepper)


def test_signatures() -> None:
    signs = [
        analysis_signature_hash(bound(observer))
        for observer in (weighing(1.0), weighing(2.0), weighing(1.0, square=True))
    ]
    assert len(set(signs)) == 3
    assert {len(sign) for sign in signs} == {16}
    assert signs[0] == analysis_signature_hash(bound(weighing(1.0)))
    assert analysis_signature_hash(None) == ""


def test_memory_is_bounded(keys: Callable[..., RunnerKey], monkeypatch: pytest.MonkeyPatch) -> None:
    """The runner used least recently goes."""
    monkeypatch.setattr(runner_variants, "_LRU_SIZE", 3)
    texts = [BASE.replace("c = 2", f"c = {c}") for c in (2, 3, 4, 5)]
    first, second, third = (keys(text) for text in texts[:3])
    assert keys(texts[0]) == first  # used again
    fourth = keys(texts[3])
    assert list(runner_variants._variant_cache_continuous) == [third, first, fourth]
    assert second not in runner_variants._variant_cache_continuous


def test_a_changed_file_of_the_compiler_changes_the_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "jit"
    folder.mkdir()
    for file in Path(toolchain.__file__).parent.glob("*.py"):
        (folder / file.name).write_bytes(file.read_bytes())
    for name in toolchain._SHARED:  # which lie beside the folders
        (tmp_path / name).write_bytes(
            Path(toolchain.__file__).parents[1].joinpath(name).read_bytes()
        )
    monkeypatch.setattr(toolchain, "__file__", str(folder / "toolchain.py"))
    found = {toolchain.toolchain.__wrapped__()}
    for file in (folder / "primitives.py", *(tmp_path / name for name in toolchain._SHARED)):
        file.write_text("# changed")
        found.add(toolchain.toolchain.__wrapped__())
    assert len(found) == 2 + len(toolchain._SHARED)
