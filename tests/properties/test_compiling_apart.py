"""Long compiles run in a process of their own: same code, and Ctrl-C ends them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections import OrderedDict
from dataclasses import replace

import pytest
from promptness import in_time, promises

from dynlib import CompilationError, setup
from dynlib.compiler.codegen import runner_variants
from dynlib.compiler.codegen.runner_variants import RunnerVariant, module_of
from dynlib.compiler.jit import compile_process, translated
from dynlib.compiler.jit.native import emit_object
from dynlib.compiler.jit.numba_hooks import Hooks
from dynlib.compiler.llvm.translate import SYMBOL, translate


def assembly_of(uri: str, stepper: str) -> str:
    model = setup(uri, stepper=stepper, jit=False).model
    module = module_of(model.program, RunnerVariant.BASE)
    return translate(module.text, module.functions, module.entry, "float64", Hooks({}))


def test_the_code_is_the_same_but_for_the_order_of_instructions() -> None:
    assembly = assembly_of("builtin://ode/harmonic", "euler")
    here, there = (
        emit(assembly, SYMBOL) for emit in (emit_object, compile_process.emit_in_process)
    )
    assert there.code
    assert there == replace(here, code=there.code)


def test_a_long_compile_goes_to_another_process(monkeypatch: pytest.MonkeyPatch) -> None:
    started = []
    start = compile_process._start
    monkeypatch.setattr(compile_process, "_start", lambda: started.append(1) or start())
    monkeypatch.setattr(translated, "_LONG", 1)
    apart_, here = [], []
    for found in (apart_, here):
        sim = setup("builtin://ode/lorenz", stepper="rk45", disk_cache=False)
        for cache in ("continuous", "discrete"):
            monkeypatch.setattr(runner_variants, f"_variant_cache_{cache}", OrderedDict())
        found.append(sim.run(T=2.0)[:].tobytes())
        assert len(started) == 1
        monkeypatch.setattr(translated, "_LONG", 1 << 40)
    assert apart_ == here


@promises
def test_ctrl_c_ends_it(promised: float, monkeypatch: pytest.MonkeyPatch) -> None:
    assembly = assembly_of("builtin://ode/double-pendulum", "dop853")
    children: list[subprocess.Popen[bytes]] = []
    start = compile_process._start

    def remembered() -> subprocess.Popen[bytes]:
        children.append(start())
        return children[-1]

    def again_and_again() -> None:
        while True:  # a quick machine may be done before Ctrl-C
            compile_process.emit_in_process(assembly, SYMBOL)

    def interrupted() -> tuple[None, float]:
        sent: list[float] = []

        def press() -> None:
            sent.append(time.monotonic())
            os.kill(os.getpid(), signal.SIGINT)

        threading.Timer(0.3, press).start()
        with pytest.raises(KeyboardInterrupt):
            again_and_again()
        late = time.monotonic() - sent[0]
        assert children[-1].returncode == -signal.SIGKILL
        return None, late

    monkeypatch.setattr(compile_process, "_start", remembered)
    in_time(interrupted, promised)


def test_a_process_that_is_killed_is_an_error_message(monkeypatch: pytest.MonkeyPatch) -> None:
    program = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"

    def start() -> subprocess.Popen[bytes]:
        pipe = subprocess.PIPE
        return subprocess.Popen([sys.executable, "-c", program], stdin=pipe, stdout=pipe)

    monkeypatch.setattr(compile_process, "_start", start)
    with pytest.raises(CompilationError, match=r"SIGKILL.*memory"):
        compile_process.emit_in_process("x" * 10_000_000, SYMBOL)


@pytest.mark.parametrize("how", ["cannot start", "fails"])
def test_without_another_process_it_compiles_here(
    how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start() -> subprocess.Popen[bytes]:
        if how == "cannot start":
            raise OSError("no more processes")
        pipe = subprocess.PIPE
        return subprocess.Popen(
            [sys.executable, "-c", "raise SystemExit(3)"], stdin=pipe, stdout=pipe
        )

    monkeypatch.setattr(compile_process, "_start", start)
    assembly = assembly_of("builtin://ode/harmonic", "euler")
    assert (
        compile_process.emit_in_process(assembly, SYMBOL).code == emit_object(assembly, SYMBOL).code
    )
