"""A kernel is kept under the content of all that it is made of, and of nothing else."""

from __future__ import annotations

import inspect
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
from trajectories import compiled, go, start

import dynlib
from dynlib.abi.hooks import Hooks
from dynlib.abi.runner_args import RUNNER_ARGS
from dynlib.compiler.codegen import runner_variants
from dynlib.compiler.codegen.runner_variants import (
    RunnerKey,
    RunnerVariant,
    analysis_signature_hash,
)
from dynlib.compiler.jit import native, toolchain
from dynlib.runtime import wrapper
from dynlib.runtime.buffers import Buffers

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
    monkeypatch.setattr(runner_variants, "make_runner", lambda *args, **kwargs: object())
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
    monkeypatch.setattr(runner_variants, "machine", lambda: "another processor")
    found["machine"] = keys(BASE)
    monkeypatch.setattr(runner_variants, "toolchain", lambda: "another compiler")
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
runner_variants.make_runner = lambda *args, **kwargs: object()
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


class Observer:
    """A set of observers whose one hook adds `weight` times the state to its output."""

    def __init__(self, weight: float, *, square: bool = False) -> None:
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

        self.hook = add_square if square else add
        self.weight = weight

    def resolve_hooks(self) -> Hooks:
        return Hooks(post_step=self.hook)

    def signature(self) -> str:
        return f"{inspect.getsource(self.hook)} {self.weight!r}"

    def runner_variational_step(self) -> None:
        return None


def observed(observer: Observer | None, *, jit: bool) -> float:
    """What the observer has put out after a run of the base model, 0 without one."""
    model = compiled(BASE, "rk4", jit=jit)
    state = start(model)
    request = wrapper.RunRequest(t_end=1.0, dt=0.1)
    wrapper._aim(model, state, request)
    buffers = Buffers(model, state, sampled=False)
    wrapper._plan_records(model, state, request, buffers)
    state.count[3] = 10**6  # attempts
    variant = RunnerVariant.BASE if observer is None else RunnerVariant.ANALYSIS
    arrays = list(buffers.call._arrays)
    places = {arg.name: i for i, arg in enumerate(RUNNER_ARGS)}
    arrays[places["analysis_ws"]] = np.zeros((1, 1))
    arrays[places["analysis_out"]] = out = np.zeros((1, 1))
    assert model.runner(variant, analysis=observer).bind(arrays)() == 5
    np.testing.assert_array_equal(state.y, go(model, 1.0, dt=0.1).state.y)
    return float(out[0, 0])


def test_two_observers_never_share_hooks(jit: bool) -> None:
    rows = go(compiled(BASE, "rk4"), 1.0, dt=0.1).y[1:, 0]
    # in any order, with each other's kernels at hand; ten additions of size 1 to 2
    kinds = [(1.0, False), (2.0, False), (1.0, True), (2.0, True), (1.0, False)]
    for weight, square in kinds[:2] if jit else kinds:  # compilation takes its time
        found = observed(Observer(weight, square=square), jit=jit)
        want = weight * (rows**2 if square else rows).sum()
        assert found == pytest.approx(want, rel=1e-14)
        assert observed(None, jit=jit) == 0


def test_signatures() -> None:
    signs = [
        analysis_signature_hash(observer)
        for observer in (Observer(1.0), Observer(2.0), Observer(1.0, square=True))
    ]
    assert len(set(signs)) == 3
    assert {len(sign) for sign in signs} == {16}
    assert signs[0] == analysis_signature_hash(Observer(1.0))
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
    monkeypatch.setattr(toolchain, "__file__", str(folder / "toolchain.py"))
    before = toolchain.toolchain.__wrapped__()
    (folder / "primitives.py").write_text("# changed")
    assert toolchain.toolchain.__wrapped__() != before
