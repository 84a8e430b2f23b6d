"""A document is answered soon: what would be too much work is refused, by count and not by time."""

import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from dsl.documents import ode

from dynlib import setup
from dynlib.dsl import load_model
from dynlib.dsl.config import load_config
from dynlib.dsl.expr import parse_expression
from dynlib.dsl.expr.limits import MAX_DEPTH
from dynlib.dsl.work import LOAD_LIMIT
from dynlib.errors import ConfigError, ModelLoadError, OptionError

HEAD = '[model]\ntype = "ode"\n'
DECAY = '[states]\nx = 1.0\n[equations.rhs]\nx = "-x"\n'
LONG_SUM = "sum(sin(j + {i}) for j in range(99999))"


_REFUSED = r"no regular file|not a file|folder|cannot be read"


def lines(count: int, line: str) -> str:
    return "".join(line.replace("{i}", str(i)) + "\n" for i in range(count))


def functions(depth: int) -> str:
    doubled = (
        f'[functions.f{i}]\nargs = ["u"]\nexpr = "f{i - 1}(u) + f{i - 1}(u + {i})"\n'
        for i in range(1, depth)
    )
    return '[functions.f0]\nargs = ["u"]\nexpr = "u*u + 1"\n' + "".join(doubled)


HOSTILE = {
    "constants": HEAD + "[constants]\n" + lines(100, f'c{{i}} = "{LONG_SUM}"') + DECAY,
    "presets": HEAD
    + DECAY
    + "[params]\na = 1.0\n"
    + lines(100, f'[presets.p{{i}}.params]\na = "{LONG_SUM}"'),
    "functions that double": HEAD
    + functions(15)
    + "[states]\n"
    + lines(30, "x{i} = 1.0")
    + "[equations.rhs]\n"
    + lines(30, 'x{i} = "f14(x{i})"'),
    "100,000 states": HEAD
    + "[states]\n"
    + lines(100_000, "x{i} = 1.0")
    + "[equations.rhs]\n"
    + lines(100_000, 'x{i} = "1"'),
    "100,000 events": HEAD + DECAY + lines(100_000, '[events.e{i}]\ncond = "x>{i}"'),
    "100,000 mods": HEAD + DECAY + lines(100_000, "[mods.m{i}.set.states]\nx = {i}"),
    "a large Jacobian": HEAD
    + "[states]\n"
    + lines(1000, "x{i} = 1.0")
    + "[equations.rhs]\n"
    + lines(1000, 'x{i} = "-x{i}"')
    + f"[equations.jacobian]\nexpr = [{', '.join([str([0] * 1000)] * 1000)}]\n",
    "circles": HEAD
    + DECAY
    + "[aux]\n"
    + lines(400, f'a{{i}} = "{"+".join(f"a{j}" for j in range(400))}"'),
    "an array": HEAD + DECAY + "[meta]\na = [" + "1," * 1_500_000 + "]\n",
}


def test_the_work_of_hostile_documents_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the count, which is the same on every machine; here by a tenth of the usual limit."""
    monkeypatch.setenv("DYNLIB_LOAD_LIMIT", str(LOAD_LIMIT // 10))
    for name, text in HOSTILE.items():
        with pytest.raises(ModelLoadError) as caught:
            load_model(text)
        assert "too much work" in str(caught.value) or "too long" in str(caught.value), name


@pytest.mark.slow
def test_hostile_documents_are_answered_in_seconds() -> None:
    """Two where nothing else runs; CPU time is counted, and shared processors cost a part of it."""
    for name, text in HOSTILE.items():
        start = time.process_time()
        with pytest.raises(ModelLoadError):
            load_model(text)
        assert time.process_time() - start < 6, name


def test_the_refusal_says_the_count_the_limit_and_how_to_raise_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = HEAD + '[constants]\nc = "sum(1/j**2 for j in range(1, 1000))"\n' + DECAY
    assert load_model(text).constants["c"] == pytest.approx(1.6439, abs=1e-4)
    monkeypatch.setenv("DYNLIB_LOAD_LIMIT", "5_000")
    with pytest.raises(ModelLoadError, match=r"5,00. units or more; the limit is 5,000") as caught:
        load_model(text)
    assert "DYNLIB_LOAD_LIMIT, to 50000 say" in str(caught.value)
    monkeypatch.setenv("DYNLIB_LOAD_LIMIT", "50000")
    assert load_model(text).constants["c"] == pytest.approx(1.6439, abs=1e-4)
    for wrong in ("0", "-1", "many", "1e6"):
        monkeypatch.setenv("DYNLIB_LOAD_LIMIT", wrong)
        with pytest.raises(ConfigError, match="DYNLIB_LOAD_LIMIT: expected a whole number"):
            load_model(text)


def test_large_models_that_people_write_are_no_hostile_ones() -> None:
    n = 1000
    ring = (
        f'v{i} = "v{i} - v{i}^3/3 - w{i} + I + D*(v{(i + 1) % n} - 2*v{i} + v{(i - 1) % n})"\n'
        f'w{i} = "0.08*(v{i} + 0.7 - 0.8*w{i})"\n'
        for i in range(n)
    )
    text = f"{HEAD}[params]\nI = 0.5\nD = 0.1\n[states]\n{lines(n, 'v{i} = 0.1')}"
    text += f"{lines(n, 'w{i} = 0.0')}[equations.rhs]\n{''.join(ring)}"
    assert len(load_model(text).states) == 2 * n


def test_the_work_grows_with_the_document_and_not_with_its_square(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Twice the chain of constants or aux is twice the work: each is bound once."""
    from dynlib.dsl import load

    seen = []
    made = load.load_work

    def watched() -> object:
        seen.append(made())
        return seen[-1]

    monkeypatch.setattr(load, "load_work", watched)
    for count in (200, 400):
        chain = 'c0 = "1"\n' + "".join(f'c{i} = "c{i - 1} + 1"\n' for i in range(1, count))
        aux = 'a0 = "x"\n' + "".join(f'a{i} = "a{i - 1}*1.5 + x"\n' for i in range(1, count))
        load_model(f"{HEAD}[constants]\n{chain}[aux]\n{aux}{DECAY}")
    once, twice = (work.done for work in seen)
    assert twice < 2.1 * once


@pytest.mark.parametrize(
    "text",
    [
        "not " * (MAX_DEPTH - 5) + "x",
        "-" * (MAX_DEPTH - 5) + "x",
        "sum(" * 45 + "x" + " for j in range(2))" * 45,
        "**".join(["x"] * (MAX_DEPTH - 5)),
    ],
)
def test_depth_takes_nothing_of_pythons_stack(text: str) -> None:
    """What the language allows is read however little of the stack its caller has left."""
    limit = sys.getrecursionlimit()
    depth = len(list(_frames()))
    sys.setrecursionlimit(depth + 60)
    try:
        parse_expression(text)
    finally:
        sys.setrecursionlimit(limit)


def _frames() -> Iterator[object]:
    frame = sys._getframe()
    while frame is not None:
        yield frame
        frame = frame.f_back  # type: ignore[assignment]


# --- files ----------------------------------------------------------------------------------------


@contextmanager
def _alarm(seconds: int) -> Iterator[None]:
    """Fail instead of waiting for ever."""

    def ring(*_: object) -> None:
        raise AssertionError("reading the file blocks")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes on this system")
def test_what_is_no_regular_file_is_refused_by_every_reader(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.toml"
    os.mkfifo(pipe)
    sim = setup("builtin://ode/expdecay", disk_cache=False)
    with socket.socket(socket.AF_UNIX) as listening:
        address = tmp_path / "socket.toml"
        listening.bind(str(address))
        for file in (pipe, address, Path("/dev/zero"), tmp_path):
            with _alarm(20):
                with pytest.raises(ModelLoadError, match=_REFUSED):
                    load_model(file)
                with pytest.raises(ConfigError, match=_REFUSED):
                    load_config(file)
                with pytest.raises(OptionError, match=_REFUSED):
                    sim.load_preset("*", file)


@pytest.mark.skipif(not Path("/proc/kmsg").exists(), reason="no /proc")
def test_files_of_the_kernel_are_not_waited_for() -> None:
    with _alarm(20), pytest.raises(ModelLoadError):
        load_model("/proc/kmsg")


def test_a_file_too_long_is_refused_unread(tmp_path: Path) -> None:
    file = tmp_path / "model.toml"
    with file.open("wb") as stream:
        stream.truncate(1 << 40)
    with pytest.raises(ModelLoadError, match="has 1,099,511,627,776 bytes"):
        load_model(file)
    with pytest.raises(ConfigError, match="a configuration has at most"):
        load_config(file)


def test_the_null_device_names_no_configuration() -> None:
    assert load_config(os.devnull).cache_root is None


# --- hints ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        (ode("-x", "[presets.p.params]\nα = 1.0\n"), '"α" = 1.0'),
        (ode("-delay(x, 1)"), "Delay equations are not supported yet"),
        (ode("-x + normal()"), "Stochastic models are not supported yet"),
        (ode("-x + rand"), "Stochastic models are not supported yet"),
        (ode("-x", '[events.e]\ncond = "x = .5"\n'), "Write cross_either(x, .5)"),
        (ode("-x", '[sim]\nstop = "x = .5"\n'), "Write cross_either(x, .5)"),
        (ode("-x", '[events.e]\ncond = "x = .5 and t > 1"\n'), "Write '=='"),
    ],
)
def test_hints_for_what_the_language_writes_otherwise(text: str, hint: str) -> None:
    with pytest.raises(ModelLoadError) as caught:
        load_model(text)
    assert hint in str(caught.value)


def test_names_with_greek_letters_work_everywhere(tmp_path: Path) -> None:
    """As keys in quotes, as the hint says."""
    text = (
        '[model]\ntype = "map"\n[states]\n"θ" = 1.0\n[params]\n"α" = 0.5\n'
        '[equations.rhs]\n"θ" = "α*θ"\n[aux]\n"φ" = "2*θ"\n'
    )
    sim = setup(text, jit=False)
    res = sim.run(N=2, record_vars=["θ", "aux.φ"])
    assert list(res["θ"]) == [1.0, 0.5, 0.25]
    assert list(res["aux.φ"]) == [2.0, 1.0, 0.5]
    again = load_model(sim.model.spec.to_toml())
    assert again.states == ("θ",)
    res.save(tmp_path / "run.npz")
