"""A document that is out of proportion is answered in 2 seconds of CPU time and 500 MB.

Each is read, compiled and run in a process of its own.  The answer is a result, or a refusal that
has the count and the limit, and says how to raise it.  Where other processes share the processor,
caches and memory, the same work takes more CPU time; so the test allows three times as much.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable

import pytest

SECONDS, TIMES = 2.0, 3.0
MEGABYTES = 500.0

HEAD = '[model]\ntype = "ode"\n'
MAP = '[model]\ntype = "map"\n'
DECAY = '[states]\nx = 1.0\n[equations.rhs]\nx = "-x"\n'


def rows(count: int, line: str) -> str:
    """A line for each number."""
    return "".join(
        line.replace("{i}", str(i)).replace("{j}", str((i + 1) % count)) + "\n"
        for i in range(count)
    )


def states(count: int, rhs: str, head: str = HEAD, value: str = "0.1") -> str:
    """A model of many states that are alike."""
    equations = rows(count, f'x{{i}} = "{rhs}"')
    return f"{head}[states]\n{rows(count, f'x{{i}} = {value}')}[equations.rhs]\n{equations}"


def one(rhs: str) -> str:
    """A model of one state."""
    return f'{HEAD}[states]\nx = 1.0\n[equations.rhs]\nx = "{rhs}"\n'


def decaying(more: str) -> str:
    """A model of one state, with more to it."""
    return HEAD + DECAY + more


def chain(count: int, line: str) -> str:
    """Lines each of which refers to the one before."""
    each = (line.replace("{i}", str(i)).replace("{k}", str(i - 1)) for i in range(1, count))
    return "\n".join(each) + "\n"


def all_of(count: int, term: str, sign: str = " + ") -> str:
    """The same term for each state."""
    return sign.join(term.replace("{j}", str(j)) for j in range(count))


def functions(depth: int) -> str:
    """Each calls the one before twice."""
    first = '[functions.f0]\nargs = ["u"]\nexpr = "u*u + 1"\n'
    return first + chain(depth, '[functions.f{i}]\nargs = ["u"]\nexpr = "f{k}(u) + f{k}(u + {i})"')


EVENT = '[events.e{i}]\ncond = "x > {i}"\naction = "x = 0"\n'
LONG_SUM = "sum(sin(j) for j in range(99999))"
MATRIX = f"[equations.jacobian]\nexpr = [{', '.join([str([0] * 500)] * 500)}]\n"
AUX_CHAIN = '[aux]\na0 = "x"\n' + chain(600, 'a{i} = "0.5*a{k} + x"')

REFUSED: dict[str, tuple[str, Callable[[], str]]] = {
    "10,000 states, rk4": ("run rk4", lambda: states(10_000, "-x{i}")),
    "10,000 states, tsit5": ("run tsit5", lambda: states(10_000, "-x{i}")),
    "10,000 states in a batch": ("batch dop853", lambda: states(10_000, "-x{i}")),
    "10,000 states in plain Python": ("plain rk4", lambda: states(10_000, "-x{i}")),
    "10,000 states with vectors": ("lyapunov rk4", lambda: states(10_000, "-x{i}")),
    "a ring of 5,000 with vectors": ("lyapunov tsit5", lambda: states(5_000, "x{j}*x{i} - x{i}")),
    "features of 4,000 states": ("features rk4", lambda: states(4_000, "-x{i}")),
    "a Jacobian of 9,000 states": ("jacobian rk4", lambda: states(9_000, "-x{i}")),
    "all coupled, with vectors": (
        "lyapunov tsit5",
        lambda: states(150, f"-x{{i}} + tanh({all_of(150, 'x{j}')})"),
    ),
    "a third derivative": (
        "third rk4",
        lambda: states(60, f"sin(x{{i}})*({all_of(60, 'sin(x{j} + x{i})')})"),
    ),
    "a map of 10,000 states": ("run map", lambda: states(10_000, "0.5*x{i}", MAP)),
    "10,000 integers": (
        "run map",
        lambda: states(10_000, "x{i} + 1", MAP + 'dtype = "int64"\n', "1"),
    ),
    "3,000 located events": ("run rk4", lambda: decaying(rows(3_000, EVENT))),
    "events in a batch": ("batch tsit5", lambda: decaying(rows(3_000, EVENT))),
    "5,000 events on the grid": (
        "run rk4",
        lambda: decaying(rows(5_000, EVENT + "locate = false\n")),
    ),
    "events that share aux": (
        "run rk4",
        lambda: decaying(
            AUX_CHAIN + rows(600, '[events.e{i}]\ncond = "a599 > {i}"\nlocate = false')
        ),
    ),
    "an event of 5,000 states": (
        "run rk4",
        lambda: states(5_000, "-x{i}", HEAD) + '[events.e]\ncond = "x0 > 1"\naction = "x0 = 0"\n',
    ),
    "aux of nested sines": (
        "run rk4",
        lambda: decaying("[aux]\n" + rows(1_000, f'a{{i}} = "{"sin(" * 90}x{")" * 90} + {{i}}"')),
    ),
    "6,000 lags": ("run euler", lambda: states(8_000, "-lag_x{i}(5)")),
    "a given Jacobian of 500 x 500": ("load", lambda: states(500, "-x{i}") + MATRIX),
    "100,000 states": ("load", lambda: states(100_000, "1", value="1")),
    "100,000 events": ("load", lambda: decaying(rows(100_000, '[events.e{i}]\ncond = "x>{i}"'))),
    "100,000 mods": ("load", lambda: decaying(rows(100_000, "[mods.m{i}.set.states]\nx = {i}"))),
    "100,000 presets": (
        "load",
        lambda: decaying(rows(100_000, "[presets.m{i}.states]\nx = {i}")),
    ),
    "sixteen long sums": (
        "load",
        lambda: decaying("[constants]\n" + rows(16, f'c{{i}} = "{LONG_SUM}"')),
    ),
    "functions that double": (
        "load",
        lambda: HEAD + functions(15) + states(30, "f14(x{i})", "", "1"),
    ),
}

ANSWERED: dict[str, tuple[str, Callable[[], str]]] = {
    "20,000 params": ("run rk4", lambda: decaying("[params]\n" + rows(20_000, "p{i} = 1.0"))),
    "20,000 constants": ("run rk4", lambda: decaying("[constants]\n" + rows(20_000, "c{i} = 1.0"))),
    "a chain of 5,000 constants": (
        "run rk4",
        lambda: decaying('[constants]\nc0 = "1"\n' + chain(5_000, 'c{i} = "c{k} + 1"')),
    ),
    "5,000 presets": ("run rk4", lambda: decaying(rows(5_000, "[presets.m{i}.states]\nx = {i}"))),
    "5,000 mods": ("run rk4", lambda: decaying(rows(5_000, "[mods.m{i}.set.states]\nx = {i}"))),
    "names of 10,000 letters": ("load", lambda: one("-" + "y" * 10_000)),
    "deep brackets": ("load", lambda: one("(" * 9_000 + "x" + ")" * 9_000)),
    "aux that double": (
        "run rk4",
        lambda: decaying('[aux]\na0 = "x"\n' + chain(200, 'a{i} = "a{k}*a{k} + x"')),
    ),
    "sines of all differences": (
        "run rk4",
        lambda: states(60, all_of(60, "sin(x{j} - x{i})")),
    ),
    "a chain of 5,000 aux": (
        "run rk4",
        lambda: decaying('[aux]\na0 = "x"\n' + chain(5_000, 'a{i} = "sin(a{k})"')),
    ),
    "a tower of powers": ("run rk4", lambda: one("**".join(["x"] * 200))),
    "towers of powers": (
        "run rk4",
        lambda: decaying("[aux]\n" + rows(30, f'a{{i}} = "{"**".join(["(x + {i})"] * 80)}"')),
    ),
    "hundreds of sums": (
        "run rk4",
        lambda: one(" + ".join(f"sum(sin(j*x + {i}) for j in range(3))" for i in range(500))),
    ),
    "1,000 aux": (
        "run dop853",
        lambda: decaying("[aux]\n" + rows(1_000, 'a{i} = "0.5*sin(x + {i}) + exp(-{i}*x)"')),
    ),
}

CHILD = """
import json, resource, sys, time
import dynlib, dynlib.observers
from dynlib import setup
from dynlib.dsl import load_model
from dynlib.errors import DynlibError

text = sys.stdin.read()
what, _, stepper = sys.argv[1].partition(" ")
began = time.process_time()
try:
    if what == "load":
        load_model(text)
    else:
        sim = setup(text, stepper=stepper, jit=what != "plain", disk_cache=False)
        span = {"N": 2} if stepper == "map" else {"T": 0.02, "dt": 0.01}
        first, n = sim.model.spec.states[0], len(sim.model.spec.states)
        if what == "batch":
            sim.batch(ic={first: [1, 2]}, **span)
        elif what == "jacobian":
            sim.equations.jacobian([0.1] * n)
        elif what == "third":
            sim.equations.third(*[[0.1] * n] * 4)
        else:
            own = {"lyapunov": ["lyapunov_max"], "features": ["features"]}.get(what, [])
            sim.run(observers=[getattr(dynlib.observers, name)() for name in own], **span)
    answer = ""
except DynlibError as error:
    answer = str(error)
usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
spent = time.process_time() - began + usage[1].ru_utime + usage[1].ru_stime
unit = 2**20 if sys.platform == "darwin" else 2**10
memory = max(each.ru_maxrss for each in usage) / unit
json.dump({"answer": answer, "seconds": spent, "megabytes": memory}, sys.stdout)
"""


def answered(what: str, text: str) -> str:
    """The error message that a document is answered by; it was neither slow nor large."""
    child = subprocess.run(
        [sys.executable, "-c", CHILD, what],
        input=text, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert child.returncode == 0, child.stderr[-2000:]
    found = json.loads(child.stdout)
    assert found["seconds"] < TIMES * SECONDS
    assert found["megabytes"] < MEGABYTES
    return str(found["answer"])


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no resource usage of processes")
@pytest.mark.parametrize("name", REFUSED)
def test_what_is_out_of_proportion_is_refused_soon(name: str) -> None:
    what, document = REFUSED[name]
    message = answered(what, document())
    assert "the limit is" in message or "too long" in message
    if what != "load":
        assert "set the environment variable DYNLIB_" in message or "reading" in message


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no resource usage of processes")
@pytest.mark.parametrize("name", ANSWERED)
def test_what_only_looks_large_is_answered_soon(name: str) -> None:
    what, document = ANSWERED[name]
    answered(what, document())
