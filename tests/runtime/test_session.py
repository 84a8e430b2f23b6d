"""Values, presets, progress and interrupts of a session."""

import io
import os
import signal
import threading
from pathlib import Path

import numpy as np
import pytest
from runtime.models import DRIVEN, differences, sim_of

from dynlib import FileError, OptionError, UnknownNameError, setup
from dynlib.abi.status import Status
from dynlib.runtime.progress import TerminalLine, progress_of

# --- values ---------------------------------------------------------------------------------------


def test_values_by_name() -> None:
    sim = sim_of("driven", "rk4")
    assert dict(sim.state) == {"x": 0.3, "v": -0.2}
    assert sim.params == {"a": 0.4, "w": 1.3}
    sim.state["x"] = 1.0
    sim.params.update(a=0.0, w=2)
    assert sim.state.array.tolist() == [1.0, -0.2]
    assert repr(sim.params) == "{a = 0, w = 2}"
    res = sim.run(T=1.0)
    assert res["x"][0] == 1.0
    assert sim.state["x"] == 1.0  # a run does not move the initial values
    assert sim.current["x"] == res.final["x"]
    sim.assign({"x": 2.0}, v=3.0)
    assert sim.run(T=1.0)[0:1].tolist() == [[2.0, 3.0]]
    sim.reset()
    assert sim.state["x"] == 0.3


def test_assignment_is_all_or_nothing() -> None:
    sim = sim_of("driven", "rk4")
    sim.run(T=1.0)
    with pytest.raises(OptionError):
        sim.assign(x=2.0, v=np.nan)
    assert sim.state["x"] == 0.3
    assert sim.current == sim.results().final


def test_names_that_are_keywords_can_be_assigned() -> None:
    model = {
        "model": {"type": "map"},
        "states": {"values": 1.0, "self": 2.0},
        "equations": {"rhs": {"values": "values", "self": "self"}},
    }
    sim = setup(model, jit=False)
    sim.assign({"values": 3.0, "self": 4.0})
    assert dict(sim.state) == {"values": 3.0, "self": 4.0}
    sim.assign(values=5.0)
    assert sim.state["values"] == 5.0


def test_vectors_and_dicts_for_one_run() -> None:
    sim = sim_of("driven", "rk4")
    by_name = sim.run(ic={"v": 1.0}, params={"w": 2.0})
    by_vector = sim.run(ic=[0.3, 1.0], params=np.array([0.4, 2.0]))
    assert differences(by_name, by_vector) == []
    assert differences(sim.run(ic=by_name.final), sim.run(ic=by_name.final.array)) == []
    assert dict(sim.state) == {"x": 0.3, "v": -0.2}
    assert dict(sim.params) == {"a": 0.4, "w": 1.3}


def test_two_sessions_on_one_model_are_independent() -> None:
    one, two = sim_of("driven", "rk4"), sim_of("driven", "rk4")
    one.assign(x=5.0)
    one.run(T=1.0)
    assert two.state["x"] == 0.3
    assert two.t == 0.0


# --- presets --------------------------------------------------------------------------------------


def test_presets() -> None:
    sim = sim_of("driven", "rk4")
    assert sim.list_presets() == ["strong", "high"]
    sim.apply_preset("strong")
    sim.apply_preset("high")
    assert dict(sim.state) == {"x": 2.0, "v": -0.2}
    assert dict(sim.params) == {"a": 0.9, "w": 1.3}
    sim.add_preset("both")
    sim.add_preset("slow", params={"w": 0.1})
    sim.reset()
    sim.apply_preset("slow")
    assert dict(sim.params) == {"a": 0.4, "w": 0.1}
    sim.apply_preset("both")
    assert dict(sim.params) == {"a": 0.9, "w": 1.3}
    with pytest.raises(OptionError, match="there is a preset 'slow' already: pass overwrite=True"):
        sim.add_preset("slow")
    sim.add_preset("slow", params={"w": 0.2}, overwrite=True)
    with pytest.raises(UnknownNameError, match="preset 'bad': unknown parameter 'x'"):
        sim.add_preset("bad", params={"x": 0.2})
    with pytest.raises(OptionError, match="preset 'bad': state 'x' must be finite"):
        sim.add_preset("bad", states={"x": np.nan})
    with pytest.raises(OptionError, match="a preset needs a name"):
        sim.add_preset("")


def test_presets_in_files(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    sim = sim_of("driven", "rk4")
    sim.assign(x=1 / 3, w=np.float64(1e-17))
    sim.add_preset("third")
    sim.save_preset("third", path)
    sim.save_preset("strong", path)
    other = sim_of("driven", "rk4")
    other.load_preset("third", path)
    other.apply_preset("third")
    assert other.state["x"] == 1 / 3
    assert other.params["w"] == 1e-17
    with pytest.raises(OptionError, match="there is a preset 'third' already"):
        other.load_preset("*", path)
    other.load_preset("*", path, overwrite=True)
    assert other.list_presets() == ["strong", "high", "third"]
    with pytest.raises(OptionError, match="holds a preset 'third' already: pass overwrite=True"):
        sim.save_preset("third", path)
    sim.save_preset("third", path, overwrite=True)
    # The same tables as in a model, so a model may be the file.
    model = tmp_path / "model.toml"
    model.write_text(setup(DRIVEN).spec.to_toml())
    sim.load_preset("high", model, overwrite=True)
    with pytest.raises(UnknownNameError, match=r"unknown preset in .*'hihg'.*Did you mean 'high'"):
        sim.load_preset("hihg", model)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[presets.p.states]\ny = 1.0", "preset 'p': unknown state 'y'"),
        ("[presets.p.states]\nx = 'one'", "preset 'p': state 'x' must be a number, found 'one'"),
        ("[presets.p]\nstates = 3", "preset 'p': states must be a table of numbers, found 3"),
        ("[presets.p.state]\nx = 1.0", "must hold the tables states and params, found state"),
        ("[presets]\np = 1", "must hold the tables states and params, found 1"),
        ("presets = 3", "presets must be a table, found 3"),
        ("[presets.p", "cannot be read as TOML"),
        ("p = " + 2000 * "[", "cannot be read as TOML"),
        ("p = " + 5000 * "9", "cannot be read as TOML"),
        ("#" + 2**20 * "x", "it is too large"),
        ("", r"unknown preset in .*'p'\. There are none."),
    ],
)
def test_wrong_files_of_presets(text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "presets.toml"
    path.write_text(text)
    sim = sim_of("driven", "rk4")
    with pytest.raises((OptionError, UnknownNameError), match=words):
        sim.load_preset("p", path)
    assert sim.list_presets() == ["strong", "high"]


def test_file_of_presets_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="there is no such file"):
        sim_of("driven", "rk4").load_preset("p", tmp_path / "none.toml")


def test_presets_of_a_file_are_taken_all_or_none(tmp_path: Path) -> None:
    path = tmp_path / "presets.toml"
    path.write_text("[presets.good.states]\nx = 1.0\n[presets.bad.states]\nx = nan\n")
    sim = sim_of("driven", "rk4")
    with pytest.raises(OptionError, match=r"presets\.toml: preset 'bad': state 'x' must be finite"):
        sim.load_preset("*", path)
    assert sim.list_presets() == ["strong", "high"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
def test_a_pipe_holds_no_presets(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.toml")
    sim = sim_of("driven", "rk4")
    for call in (sim.load_preset, sim.save_preset):
        with pytest.raises(FileError, match="this is a pipe, not a file"):
            call("strong", tmp_path / "pipe.toml")


# --- progress -------------------------------------------------------------------------------------


def test_progress_is_shown_where_it_can_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr("sys.stderr", io.StringIO())
    assert progress_of(None) is None
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    silent = progress_of(False)  # a function, since None would mean the usual line
    assert silent is not None
    silent(0.5, "busy")
    assert terminal.getvalue() == ""
    assert isinstance(progress_of(None), TerminalLine)
    monkeypatch.setattr("sys.stderr", None)  # a windowed program has none
    assert progress_of(None) is None
    assert isinstance(progress_of(True), TerminalLine)
    assert progress_of(print) is print


def test_line_is_wiped_off() -> None:
    stream = io.StringIO()
    line = TerminalLine(stream)
    line(0.25, "")
    line._last = -1.0  # long ago
    line(0.5, "busy")
    shown = stream.getvalue().split("\r")
    assert shown[1] == "[#######.......................]  25 %"
    assert shown[2].startswith("[###############...............]  50 %")
    assert shown[2].rstrip().endswith("s left busy")
    line.close()
    assert stream.getvalue().split("\r")[-1] == ""
    assert stream.getvalue().split("\r")[-2].strip() == ""
    before = stream.getvalue()
    line.close()
    assert stream.getvalue() == before


def test_progress_of_a_long_run() -> None:
    seen: list[float] = []

    def stop(fraction: float, text: str) -> None:
        seen.append(fraction)
        if len(seen) == 3:
            signal.raise_signal(signal.SIGINT)

    res = sim_of("driven", "rk4", jit=True).run(T=1e7, record=False, progress=stop)
    assert res.status is Status.USER_BREAK
    assert seen == sorted(seen)
    assert 0 < seen[0] < seen[-1] <= res.t_final / 1e7


# --- Ctrl-C ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("jit", "stepper"), [(True, "rk45"), (False, "ab3")])
def test_interrupt_keeps_what_is_done(jit: bool, stepper: str) -> None:
    sim = sim_of("driven", stepper, jit=jit)
    sim.run(T=0.1)  # compile
    timer = threading.Timer(0.3, signal.raise_signal, [signal.SIGINT])
    timer.start()
    part = sim.run(T=1e9, record_interval=10_000, max_steps=10**12)
    timer.join()
    assert part.status is Status.USER_BREAK
    assert not part.ok
    assert 0 < part.t_final < 1e9
    assert "interrupted by the user" in part.message
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    # The session stands there: as many steps more, and it is where one run would be.
    taken = part.stats.steps
    rest = sim.run(T=1e9, resume=True, max_steps=100, on_failure="return", record_interval=10_000)
    sim = sim_of("driven", stepper, jit=jit)
    whole = sim.run(T=1e9, max_steps=taken + 100, on_failure="return", record_interval=10_000)
    assert differences(rest, whole) == []
