"""What only whole processes can show: caches shared by many, warm starts, Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from promptness import in_time, promises

# Prints the trajectory's bits, whether anything was compiled, and what was warned of. Given a
# folder and a number, no worker begins to compile before so many have found the cache empty.
WORKER = """
import os, pathlib, sys, time, warnings
from dynlib.compiler.jit import translated
really, compilations = translated.compiled, []
def compiled(*args):
    compilations.append(args)
    if sys.argv[1:]:
        meeting, workers = pathlib.Path(sys.argv[1]), int(sys.argv[2])
        (meeting / str(os.getpid())).touch()
        for _ in range(6000):
            if len(list(meeting.iterdir())) == workers:
                break
            time.sleep(0.01)
    return really(*args)
translated.compiled = compiled
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    import dynlib
    sim = dynlib.setup("builtin://map/henon")
    results = sim.run(N=200)
print(__import__("hashlib").sha256(results["x"].tobytes()).hexdigest())
assert "numba" not in sys.modules
print(len(compilations) > 0)
print([str(w.message) for w in caught])
"""


def spawn(cache: Path, code: str = WORKER, *args: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *args],
        env={**os.environ, "DYNLIB_CACHE_DIR": str(cache)},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def finished(process: subprocess.Popen[str]) -> list[str]:
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert not err
    return out.splitlines()


@pytest.fixture(scope="module")
def cold(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[list[str]]]:
    """Several processes that meet at one cache folder that is not even there."""
    cache = tmp_path_factory.mktemp("shared") / "cache"
    meeting = str(tmp_path_factory.mktemp("meeting"))
    processes = [spawn(cache, WORKER, meeting, "3") for _ in range(3)]
    return cache, [finished(process) for process in processes]


def test_many_processes_on_one_empty_cache(cold: tuple[Path, list[list[str]]]) -> None:
    cache, outputs = cold
    assert len({output[0] for output in outputs}) == 1
    assert [output[1:] for output in outputs] == [["True", "[]"]] * 3
    (kernel,) = (cache / "runner_cache").iterdir()  # one kernel, nothing left over
    assert kernel.suffix == ".kernel"


def test_a_warm_process_compiles_nothing(cold: tuple[Path, list[list[str]]]) -> None:
    cache, outputs = cold
    bits, compiled, warned = finished(spawn(cache))
    assert (compiled, warned) == ("False", "[]")
    assert bits == outputs[0][0]


def test_a_warm_process_with_a_damaged_kernel(
    cold: tuple[Path, list[list[str]]], tmp_path: Path
) -> None:
    cache, outputs = cold
    (kernel,) = (cache / "runner_cache").iterdir()
    folder = tmp_path / "runner_cache"
    folder.mkdir()
    content = bytearray(kernel.read_bytes())
    content[len(content) // 2] ^= 64
    (folder / kernel.name).write_bytes(content)
    (tmp_path / "kernel_secret").write_bytes((cache / "kernel_secret").read_bytes())
    bits, compiled, warned = finished(spawn(tmp_path))
    assert bits == outputs[0][0]
    assert compiled == "True"
    assert warned.count("disk cache") == 1
    assert (folder / kernel.name).read_bytes() == kernel.read_bytes()


@pytest.mark.skipif(sys.platform == "win32", reason="needs limits of resources")
def test_a_disk_without_room(cold: tuple[Path, list[list[str]]], tmp_path: Path) -> None:
    """The system itself refuses to write more than 1,000 bytes of a file."""
    limited = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
    bits, compiled, warned = finished(spawn(tmp_path / "cache", limited + WORKER))
    assert bits == cold[1][0][0]
    assert compiled == "True"
    assert warned.count("disk cache") == 1
    assert list((tmp_path / "cache").rglob("*.*")) == []


# --- Ctrl-C ------------------------------------------------------------------------------------

# A second or more of Lorenz is interrupted on the way, and then gone on with. By then the runner
# has been left alone for as long as it ever is.
INTERRUPTED = """
import sys, time
import dynlib
T, dt = 300_000.0 if sys.argv[1] == "rk45" else 100_000.0, 0.001
sim = dynlib.setup("builtin://ode/lorenz", stepper=sys.argv[1])
options = {"record": False} | ({} if sys.argv[1] == "rk45" else {"dt": dt})
whole = sim.run(T=T, max_steps=10**9, **options).final
sim.run(T=1.0, **options)
print("running", flush=True)
first = sim.run(T=T, max_steps=10**9, **options)
returned = time.monotonic()
print(first.status.name, first.ok, sim.t < T, sim.t, returned, flush=True)
second = sim.run(T=T, resume=True, max_steps=10**9, record=False)
print(second.status.name, sim.t == T, all(second.final[x] == whole[x] for x in "xyz"))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs signals")
@pytest.mark.parametrize("stepper", ["rk4", pytest.param("rk45", marks=pytest.mark.slow)])
@promises
def test_interrupt(stepper: str, promised: float) -> None:
    cache = Path(os.environ["DYNLIB_CACHE_DIR"])

    def interrupted() -> tuple[None, float]:
        process = spawn(cache, INTERRUPTED, stepper)
        assert process.stdout is not None
        assert process.stdout.readline() == "running\n"
        time.sleep(0.6)
        sent = time.monotonic()
        process.send_signal(signal.SIGINT)
        first, second = finished(process)
        status, ok, before_end, t, returned = first.split()
        assert (status, ok, before_end) == ("USER_BREAK", "False", "True")
        assert float(t) > 1.0
        # It goes on to the very bits of the run that was left alone.
        assert second == "DONE True True"
        return None, float(returned) - sent

    in_time(interrupted, promised)
