"""Users' hooks are compiled by Numba, as users would themselves, and nothing else is."""

import math
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest
from numba.core.registry import cpu_target
from observers.watching import HOOK, counter, several, watcher
from runtime.models import BUSY, DRIVEN, LOGISTIC, sim_of

from dynlib import ObserverError, setup
from dynlib.compiler.jit.numba_hooks import Hooks
from dynlib.observers import EveryStep, ObserverModule, TraceSpec

STEP = "lane, t, dt, step, u, u_new, params, runtime_ws, analysis_ws"


def hook_of(body: str, args: str = HOOK, **names: Any) -> Callable[..., Any]:
    """A hook with this body, which finds `names` among its globals."""
    space = {"np": np, "math": math, **names}
    exec(f"def hook({args}):\n    {body}", space)
    made: Callable[..., Any] = space["hook"]
    return made


def observer(body: str, **names: Any) -> ObserverModule:
    return ObserverModule("mine", outputs=["a"], post_step=hook_of(body, **names))


def python(code: str, cache: Path, *args: str) -> list[str]:
    """What a fresh process prints."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *args],
        env={**os.environ, "DYNLIB_CACHE_DIR": str(cache), "NUMBA_CACHE_DIR": str(cache)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split()


WORKER = f"""
import sys
import numpy as np
from dynlib import setup
from dynlib.observers import ObserverModule

def hook({HOOK}):
    BODY

made = ObserverModule("mine", outputs=["a"], post_step=hook)
sim = setup("builtin://map/logistic", disk_cache=DISK)
print(sim.run(N=3, observers=[made]).observers["mine"].a, "numba" in sys.modules)
"""


def worker(body: str, *, disk: bool = True, before: str = "", after: str = "") -> str:
    code = WORKER.replace("BODY", body).replace("DISK", str(disk))
    return f"{before}\n{code}\n{after}"


# --- what users compile themselves ----------------------------------------------------------------

OWN = """
from numba import njit

@njit
def square(x):
    return x * x

@njit
def other(x):
    return square(x) + 1.0
"""


def test_functions_of_the_user_stay_as_they_are(tmp_path: Path) -> None:
    """Called from Python after a hook has called them, they would once end the process."""
    body = "analysis_out[0, lane] = other(float(step))"
    after = "print(square(3.0), other(3.0), njit(lambda x: other(x))(1.0))"
    found = python(worker(body, disk=False, before=OWN, after=after), tmp_path)
    assert found == ["10.0", "True", "9.0", "10.0", "2.0"]


def test_functions_from_numbas_own_cache(tmp_path: Path) -> None:
    file = tmp_path / "of_a_user.py"
    file.write_text("from numba import njit\n\n@njit(cache=True)\ndef f(x):\n    return 2.0 * x\n")
    before = f"import sys\nsys.path.insert(0, {str(tmp_path)!r})\nfrom of_a_user import f"
    code = worker("analysis_out[0, lane] = f(step)", disk=False, before=before, after="print(f(4))")
    for _ in range(2):
        assert python(code, tmp_path) == ["6.0", "True", "8.0"]
    assert list(tmp_path.rglob("*.nbc"))


def test_numba_keeps_nothing_of_ours() -> None:
    """What lies about in its engine would be compiled with the next function of the user's."""
    sim = setup(BUSY, stepper="rk4", disk_cache=False)
    sim.run(T=1.0, dt=0.1, observers=[watcher(EveryStep(1))])
    engine = cpu_target.target_context.codegen()._engine
    known = " ".join(engine._defined_symbols)
    assert "hook" in known or "entry" in known
    assert not [name for name in ("dynlib_kernel", "run_analysis", "attempt") if name in known]


@pytest.mark.parametrize(("model", "stepper"), [(BUSY, "rk4"), (BUSY, "rk45"), (LOGISTIC, None)])
def test_each_hook_is_compiled_once(
    model: Any, stepper: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For all places of a kernel that call it."""
    names = []
    compile_hook = Hooks._compile

    def counted(self: Hooks, numba: Any, name: str, *args: Any) -> str:
        names.append(name)
        return compile_hook(self, numba, name, *args)

    monkeypatch.setattr(Hooks, "_compile", counted)
    sim = setup(model, stepper=stepper, disk_cache=False)
    extent: dict[str, Any] = {"N": 5} if stepper is None else {"T": 0.5}
    seen = observer("analysis_out[0, lane] += 1.25")
    sim.run(**extent, observers=[seen])
    assert names == ["post_hook_0"]
    sim.batch(**extent, params={sim.spec.params[0]: [1.0, 1.1]}, observers=[seen])
    assert names == ["post_hook_0"] * 2


# --- what hooks may do ----------------------------------------------------------------------------


@numba.njit
def total(row: Any) -> Any:
    return row.sum()


BODIES = {
    "an array": "v = np.zeros(3); v[1] = y_curr[0, lane]; analysis_out[0, lane] = v.sum()",
    "a view": "analysis_out[0, lane] = total(y_curr[:, lane])",
    "a loop": "for k in range(y_curr.shape[0]): analysis_out[0, lane] += y_curr[k, lane] * t",
    "a list": "l = [1.0, t]; l.append(dt); analysis_out[0, lane] = l[1] + l[2]",
    "an index from the end": "analysis_out[-1, lane] = params[-1, lane]",
    "a text": "analysis_out[0, lane] = len(str(step))",
    "what it returns": "return analysis_out",
    "an early return": "if step < 5: return\n    analysis_out[0, lane] = t",
    "linear algebra": "analysis_out[0, lane] = np.linalg.det(np.eye(2) * y_curr[0, lane])",
}


@pytest.mark.parametrize("what", BODIES)
def test_hooks_find_what_python_finds(what: str) -> None:
    seen = observer(BODIES[what], total=total)
    found = []
    for jit in (False, True):
        sim = setup(DRIVEN, stepper="rk4", jit=jit)
        runs = [sim.run(T=1.0, dt=0.1, observers=[seen]).observers["mine"].a]
        sim.reset()
        batch = sim.batch(T=1.0, dt=0.1, ic={"x": [1.0, 0.5, 0.25]}, observers=[seen], workers=2)
        found.append([*runs, *batch.observers["mine"].a])
    np.testing.assert_allclose(found[1], found[0], rtol=1e-13)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_hooks_are_given_what_the_model_computes_with(dtype: str) -> None:
    model = {**DRIVEN, "model": {**DRIVEN["model"], "dtype": dtype}}
    body = "analysis_out[0, lane] = (y_curr[0, lane] + y_curr[0, lane] * params[0, lane]).itemsize"
    plain = setup(model, stepper="rk4", jit=False).run(T=0.2, dt=0.1, observers=[observer(body)])
    size = np.dtype(dtype).itemsize
    assert plain.observers["mine"].a == size
    third = "analysis_out[0, lane] = y_curr[0, lane] / np.float32(3)"
    res = setup(model, stepper="rk4").run(T=0.2, dt=0.1, observers=[observer(third)])
    last = np.dtype(dtype).type(res["x"][-1]) / np.float32(3)
    assert res.observers["mine"].a == float(last)


def adjusting(body: str, **given: Any) -> ObserverModule:
    return ObserverModule("mine", runner_variational_step=hook_of(body, STEP), **given)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("stepper", ["rk4", "rk45"])
def test_hooks_that_change_the_step(stepper: str, dtype: str) -> None:
    model = {**DRIVEN, "model": {**DRIVEN["model"], "dtype": dtype}}
    # A number of another type is made one of the state's.
    halve = adjusting("analysis_ws[0] += 1\n    return 0.5 * u_new[0], u_new[1]", workspace_size=1)
    half = adjusting("return 0.5 * u_new[0], 1", name="half")
    runs = []
    for jit in (False, True):
        sim = setup(model, stepper=stepper, jit=jit)
        runs.append(sim.run(T=0.5, dt=0.1, observers=[halve, half]))
    tolerance = 1e-12 if dtype == "float64" else 1e-5  # a step may round otherwise
    for name in ("x", "v"):
        np.testing.assert_allclose(runs[1][name], runs[0][name], rtol=tolerance)


# --- and what they may not ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("print('at', t)", "mine.*post_step, hook.*objects of Python, as print"),
        ("if step > 3: raise ValueError(t)", "objects of Python.*exceptions with values"),
        ("analysis_out[0, lane] = nothing", "name 'nothing' is not defined"),
        ("analysis_out[0] = y_curr[0, lane, 0]", "cannot be compiled"),
    ],
)
def test_what_is_refused(body: str, said: str) -> None:
    sim = sim_of("driven", "rk4", jit=True)
    with pytest.raises(ObserverError, match=said) as caught:
        sim.run(T=1.0, observers=[counter(), observer(body)])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("body", ["return u_new[0]", "return u_new[0], 1.0, 2.0", "pass"])
def test_states_that_are_too_few_or_too_many(body: str) -> None:
    with pytest.raises(
        ObserverError, match=r"runner_variational_step, hook.*number for each state"
    ):
        sim_of("driven", "rk4", jit=True).run(T=1.0, observers=[adjusting(body)])


RAISES = "if step > 15: raise ValueError('too far')\n    analysis_out[0, lane] = step"


# Each pair of model, stepper and place in one of the four quick ones.
RAISING = [
    ("driven", "rk4", "pre_step"),
    ("driven", "rk45", "post_step"),
    ("busy", "rk4", "post_step"),
    ("busy", "rk45", "pre_step"),
    pytest.param("driven", "rk4", "post_step", marks=pytest.mark.slow),
    pytest.param("driven", "rk45", "pre_step", marks=pytest.mark.slow),
    pytest.param("busy", "rk4", "pre_step", marks=pytest.mark.slow),
    pytest.param("busy", "rk45", "post_step", marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("model", "stepper", "where"), RAISING)
def test_hooks_that_raise(model: str, stepper: str, where: str) -> None:
    """On every path, among others, and without harm to the session."""
    bad = ObserverModule("mine", outputs=["a"], **{where: hook_of(RAISES)})
    observers = [bad, *several(adaptive=stepper == "rk45", tangents=False)]
    sim = sim_of(model, stepper, jit=True)
    sim.run(T=0.01, observers=observers)
    with pytest.raises(ObserverError, match=r"raised an exception.*jit=False"):
        sim.run(T=20.0, observers=observers, resume=True)
    assert sim.t == 0.01
    starts = {"x": np.linspace(0.0, 0.5, 70)}
    for workers in (1, 2):
        with pytest.raises(ObserverError, match=r"raised an exception.*jit=False"):
            sim.batch(T=20.0, ic=starts, observers=observers, workers=workers)
    assert sim.run(T=0.02, observers=several(adaptive=stepper == "rk45", tangents=False)).ok


def test_a_hook_of_a_step_that_raises() -> None:
    bad = adjusting("if t > 0.5: raise ValueError('far')\n    return u_new")
    with pytest.raises(ObserverError, match=r"raised an exception.*jit=False"):
        sim_of("driven", "rk4", jit=True).run(T=1.0, observers=[bad])


def test_the_letter_says_when() -> None:
    """Plain Python knows; compiled code does not, and the session stands at an earlier pause."""
    bad = observer("if t > 0.5: raise ValueError('far')")
    sim = sim_of("driven", "rk4", jit=False)
    with pytest.raises(ObserverError, match=r"raised ValueError at t = 0\.6: far"):
        sim.run(T=1.0, dt=0.1, observers=[bad])
    sim = sim_of("driven", "rk4", jit=True)
    with pytest.raises(ObserverError, match="stands where the run began") as caught:
        sim.run(T=1.0, dt=0.1, observers=[bad])
    assert "t = 0" not in str(caught.value)
    sim.reset()
    late = observer("if t > 5000.05: raise ValueError('far')")
    with pytest.raises(ObserverError, match=r"computed up to t = \d+\.?\d*"):
        sim.run(T=6000.0, dt=0.1, observers=[late])
    assert sim.t > 0


OUTSIDE = {
    "an output": "analysis_out[1, lane] = t",
    "an output from the end": "analysis_out[-2, lane] = t",
    "workspace that nobody asked for": "analysis_ws[0, lane] += 1",
    "far away": "analysis_out[0, lane] = params[1000000 * step, lane]",
    "another lane": "analysis_out[0, lane + y_curr.shape[1]] = t",
    "a state": "analysis_out[0, lane] = y_curr[7, lane]",
    "a trace that there is not": "trace_buf[0, lane] = t",
    "an array of its own": "v = np.zeros(3); analysis_out[0, lane] = v[step + 3]",
}


@pytest.mark.parametrize("what", OUTSIDE)
def test_hooks_that_leave_their_arrays(what: str) -> None:
    """They would read what is not theirs, or end the process."""
    for jit in (True, False):
        sim, bad = sim_of("driven", "rk4", jit=jit), observer(OUTSIDE[what])
        with pytest.raises(ObserverError, match=r"mine.*raised"):
            sim.run(T=1.0, dt=0.1, observers=[bad])
        with pytest.raises(ObserverError, match=r"mine.*raised"):
            sim.fastpath(T=1.0, dt=0.1, observers=[bad])
        for workers in (1, 2):
            starts = {"x": np.linspace(0.0, 0.5, 70 if jit else 3)}
            with pytest.raises(ObserverError, match=r"mine.*raised"):
                sim.batch(T=1.0, dt=0.1, ic=starts, observers=[bad], workers=workers)
        assert sim.run(T=0.2, dt=0.1, observers=[counter()]).ok


def test_a_hook_of_a_step_that_leaves_its_arrays() -> None:
    bad = adjusting("analysis_ws[3] += 1\n    return u_new", workspace_size=1)
    with pytest.raises(ObserverError, match=r"mine.*raised"):
        sim_of("driven", "rk4", jit=True).run(T=1.0, observers=[bad])


@pytest.mark.parametrize("jit", [True, False])
def test_a_count_of_rows_below_zero(jit: bool) -> None:
    """Rows that there are not get no time."""
    body = "trace_count[0, lane] = -1000000000 if step % 2 else 0"
    bad = ObserverModule("mine", trace=TraceSpec(("a",), EveryStep(1)), post_step=hook_of(body))
    sim = sim_of("driven", "rk4", jit=jit)
    assert len(sim.run(T=1.0, dt=0.1, observers=[bad]).observers["mine"].trace_time) == 0
    batch = sim.batch(T=1.0, dt=0.1, ic={"x": [0.0, 0.1]}, observers=[bad])
    assert np.isnan(batch.observers["mine"].trace_time).all()


WRITES = {
    "params": "params[0, lane] = 3.0",
    "a row of params": "params[:, lane] = 3.0",
    "through a view": "row = params[:, lane]; row[0] += 3.0",
    "the state": "y_curr[0, lane] = 3.0",
    "the state before": "y_prev[0, lane] = 3.0",
}


@pytest.mark.parametrize("jit", [True, False])
@pytest.mark.parametrize("what", WRITES)
def test_hooks_do_not_change_the_run(what: str, jit: bool) -> None:
    """Nor what another observer sees: it is refused on every path."""
    said = "may only read .*params" if jit else "read-only"
    for stepper in ("rk4", "rk45"):
        sim = sim_of("driven", stepper, jit=jit)
        for where in ("pre_step", "post_step"):
            bad = ObserverModule("mine", **{where: hook_of(WRITES[what])})
            for call in (sim.run, sim.fastpath, sim.batch):
                with pytest.raises(ObserverError, match=said):
                    call(T=1.0, dt=0.1, observers=[counter(), bad])
        sim.reset()


@pytest.mark.parametrize("jit", [True, False])
def test_hooks_of_a_step_do_not_change_parameters(jit: bool) -> None:
    bad = adjusting("params[0, lane] = 3.0\n    return u_new")
    with pytest.raises(ObserverError, match="may only read" if jit else "read-only"):
        sim_of("driven", "rk4", jit=jit).run(T=1.0, observers=[bad])


def test_functions_of_users_are_not_checked_for_them(tmp_path: Path) -> None:
    """They keep their own settings: one that looks before its first item finds no letter."""
    before = """
import numpy as np
from numba import njit

@njit(boundscheck=True)
def checked(a, i):
    return a[i]

@njit
def free(a, i):
    return a[i] if i < 3 else 0.0
"""
    body = "analysis_out[0, lane] = free(y_curr[:, lane], 7) + checked(y_curr[:, lane], 0) * 0 + 2"
    after = "print(free.targetoptions.get('boundscheck'), checked.targetoptions['boundscheck'])"
    found = python(worker(body, before=before, after=after), tmp_path)
    assert found == ["2.0", "True", "None", "True"]


# --- other processes ------------------------------------------------------------------------------


def test_hooks_that_need_numba_when_they_run(tmp_path: Path) -> None:
    """A kernel from the disk that makes arrays finds Numba's functions; others need none."""
    makes = worker("v = np.zeros(3)\n    v[2] = step\n    analysis_out[0, lane] = v[2]")
    assert [python(makes, tmp_path) for _ in range(2)] == [["3.0", "True"]] * 2
    reads = worker("analysis_out[0, lane] = y_curr[:, lane].sum() * 0 + step")
    assert python(reads, tmp_path) == ["3.0", "True"]
    assert python(reads, tmp_path) == ["3.0", "False"]
    checks = worker("analysis_out[0, lane] = y_curr[step % y_curr.shape[0], lane] * 0 + step")
    assert python(checks, tmp_path) == ["3.0", "True"]
    assert python(checks, tmp_path) == ["3.0", "False"]
    # An index that may lie outside needs nothing of Numba's either, until it does.
    may = worker("analysis_out[int(params[0, lane]) // 99, lane] = step")
    assert python(may, tmp_path) == ["3.0", "True"]
    assert python(may, tmp_path) == ["3.0", "False"]


def test_hooks_that_mean_something_in_their_own_process_only(tmp_path: Path) -> None:
    """A large array is not copied into the code, which has its address instead."""
    code = worker(
        "analysis_out[0, lane] = LARGE[step]", before="import numpy as np\nLARGE = np.arange(3e5)"
    )
    assert [python(code, tmp_path) for _ in range(2)] == [["3.0", "True"]] * 2
    assert not list(tmp_path.rglob("*.kernel"))


def test_without_numba(tmp_path: Path) -> None:
    before = "import sys\nsys.modules['numba'] = None"
    code = f"""
{before}
from dynlib import JITUnavailableError, setup
from dynlib.observers import ObserverModule

def hook({HOOK}):
    analysis_out[0, lane] = step

sim = setup("builtin://map/logistic", disk_cache=False)
print(sim.run(N=3).ok)
try:
    sim.run(N=3, observers=[ObserverModule("mine", outputs=["a"], post_step=hook)])
except JITUnavailableError as error:
    print("hooks of your own" in str(error))
"""
    assert python(code, tmp_path) == ["True", "True"]
