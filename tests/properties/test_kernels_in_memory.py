"""Compiled code goes when nobody can call it any more; forks leave whole what they copy."""

from __future__ import annotations

import gc
import linecache
import os
import subprocess
import sys
import weakref
from typing import Any

import pytest

from dynlib import setup
from dynlib.abi.forks import whole_after_fork
from dynlib.compiler.codegen import runner_variants
from dynlib.compiler.jit.tokens import token


def model(i: int) -> dict[str, Any]:
    return {
        "model": {"type": "map", "name": "m"}, "states": {"x": 1.0},
        "equations": {"rhs": {"x": f"0.5*x + {i}.25"}},
    }  # fmt: skip


def test_code_goes_with_the_last_who_can_call_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner_variants, "_LRU_SIZE", 1)
    sim = setup(model(1), disk_cache=False)
    first = sim.run(N=3)["x"].tolist()
    engine = weakref.ref(sim.model.runner()._target._engine)
    for i in range(2, 4):
        setup(model(i), disk_cache=False).run(N=3)
    gc.collect()
    assert engine() is not None  # out of the table, but the session has it
    assert sim.run(N=3)["x"].tolist() == first
    del sim
    gc.collect()
    assert engine() is None


def test_text_goes_with_the_last_module_that_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner_variants, "_LRU_SIZE", 0)

    def shown() -> set[str]:
        gc.collect()
        return {name for name in linecache.cache if name.startswith("<dynlib ")}

    before = shown()
    sims = [setup(model(7), jit=False) for _ in range(2)]  # two modules of one text
    for sim in sims:
        sim.run(N=2)
    (name,) = shown() - before
    sims.pop()
    del sim
    assert name in shown()
    sims.pop()
    assert name not in shown()


def test_tokens_go_with_their_objects() -> None:
    class Thing:
        pass

    words = set()
    for _ in range(100):  # at the same address, mostly
        words.add(token(Thing()))
    assert len(words) == 100
    kept = {}
    one = token(kept)
    assert token(kept) == one
    others = [{} for _ in range(300)]
    assert len({token(each) for each in others} | {one}) == 301


MEMORY = """
import gc
from dynlib import build
from dynlib.compiler.inspection import ordinary_code
from dynlib.compiler.jit.native import load

def resident():
    gc.collect()
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4

model = build("builtin://map/henon")
for _ in range(5):
    load(ordinary_code(model))
before = resident()
for _ in range(40):
    load(ordinary_code(model))
print(resident() - before)
"""


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="reads Linux's memory")
def test_memory_does_not_grow_with_the_models_compiled() -> None:
    """Each kept a tenth of a megabyte of LLVM's passes and half as much of code, for ever."""
    done = subprocess.run(
        [sys.executable, "-c", MEMORY], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 40 * 50  # kilobytes; it was 40 * 170


# --- forks ---------------------------------------------------------------------------------------

FORK = """
import os, signal, threading, time, warnings
warnings.simplefilter("ignore")  # Python 3.12 says that threads and forks do not go together
from dynlib import setup
from dynlib.compiler.jit.engines import LLVM

def model(i):
    return {"model": {"type": "map", "name": "m"}, "states": {"x": 1.0},
            "equations": {"rhs": {"x": f"0.5*x + {i}.25"}}}

really, compiling = type(LLVM).runner, threading.Event()
def slow(*args, **kwargs):
    compiling.set()
    time.sleep(0.2)  # it has its turn, and is on its way
    return really(*args, **kwargs)

setup(model(1), disk_cache=False).run(N=2)
type(LLVM).runner = slow
thread = threading.Thread(target=lambda: setup(model(2), disk_cache=False).run(N=2))
thread.start()
compiling.wait()
child = os.fork()
if child == 0:
    signal.alarm(20)
    type(LLVM).runner = really
    os._exit(0 if setup(model(3), disk_cache=False).run(N=2).ok else 1)
print(os.waitpid(child, 0)[1])
thread.join()
print(setup(model(4), disk_cache=False).run(N=2).ok)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no process forks here")
def test_who_forks_while_another_thread_compiles_gets_a_child_that_compiles() -> None:
    done = subprocess.run(
        [sys.executable, "-c", FORK], capture_output=True, text=True, timeout=100, check=False
    )
    assert (done.stdout.split(), done.stderr) == (["0", "True"], "")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no process forks here")
def test_every_lock_of_the_package_is_free_after_a_fork() -> None:
    """Those of a module live as long as the process; the others belong to one object."""
    import re
    from pathlib import Path

    import dynlib

    found = []
    for file in Path(dynlib.__file__).parent.rglob("*.py"):
        for line in file.read_text(encoding="utf-8").splitlines():
            if re.match(r"_?\w+( ?:[^=]*)? = .*\bR?Lock\(\)", line):
                found.append(line)
                assert "whole_after_fork" in line, f"{file}: {line}"
    assert len(found) >= 3
    assert whole_after_fork.__module__ == "dynlib.abi.forks"
