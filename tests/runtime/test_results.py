"""Results: names, slices, events, segments, tables."""

import json

import numpy as np
import pytest
from runtime.models import sim_of

import dynlib
from dynlib import OptionError, UnknownNameError


@pytest.fixture(name="driven")
def _driven() -> dynlib.Results:
    return sim_of("driven", "rk4").run(record_vars=["x", "v", "aux.E", "aux.phase"])


def test_columns_by_name(driven: dynlib.Results) -> None:
    assert driven.names == ("x", "v", "E", "phase")
    assert driven["x"].shape == (61,)
    assert driven["x", "v"].shape == (61, 2)
    assert driven[["v", "x"]].shape == (61, 2)
    np.testing.assert_array_equal(driven["v", "x"][:, 1], driven["x"])
    np.testing.assert_array_equal(driven["E"], driven["aux.E"])
    # phase = w*t: computed from the record itself.
    np.testing.assert_array_equal(driven["phase"], 1.3 * driven.t)


def test_slices(driven: dynlib.Results) -> None:
    assert driven[:].shape == (61, 4)
    np.testing.assert_array_equal(driven["v":"E"], driven["v", "E"])
    np.testing.assert_array_equal(driven["E":], driven["E", "phase"])
    np.testing.assert_array_equal(driven[:"v"], driven["x", "v"])
    np.testing.assert_array_equal(driven[10:20], driven[:][10:20])
    assert driven[()].shape == (61, 0)


def test_membership_and_length(driven: dynlib.Results) -> None:
    assert "x" in driven
    assert "y" not in driven
    assert len(driven) == 61


def test_wrong_names(driven: dynlib.Results) -> None:
    with pytest.raises(UnknownNameError, match=r"unknown variable 'Phase'. Did you mean 'phase'\?"):
        driven["Phase"]
    with pytest.raises(UnknownNameError, match="unknown variable 'q'"):
        driven["x":"q"]
    with pytest.raises(OptionError, match=r"slices and rows \(61 of them\), found 61"):
        driven[61]
    with pytest.raises(OptionError, match=r"takes names \(.*\), found 0"):
        driven["x", 0]
    some = sim_of("driven", "rk4").run(record_vars=["x"])
    with pytest.raises(UnknownNameError, match=r"'v' was not recorded: name it in record_vars"):
        some["v"]
    with pytest.raises(UnknownNameError, match=r"'aux.E' was not recorded"):
        some["aux.E"]


def test_final(driven: dynlib.Results) -> None:
    assert dict(driven.final) == {"x": driven["x"][-1], "v": driven["v"][-1]}
    assert isinstance(driven.final["x"], float)
    assert driven.final.array.shape == (2,)
    with pytest.raises(UnknownNameError, match="unknown state 'E'"):
        driven.final["E"]
    assert dict(driven.final_params) == {"a": 0.4, "w": 1.3}


def test_result_does_not_change_with_the_session() -> None:
    sim = sim_of("driven", "rk4")
    first = sim.run(T=1.0)
    before = (first.t.copy(), first[:].copy(), dict(first.final), repr(first))
    sim.run(T=2.0, resume=True)
    sim.assign(x=3.0)
    sim.run(T=1.0)
    assert (first.final, repr(first)) == before[2:]
    np.testing.assert_array_equal(first.t, before[0])
    np.testing.assert_array_equal(first[:], before[1])


# --- events -------------------------------------------------------------------------------------


def test_events() -> None:
    res = sim_of("busy", "rk4").run()
    floor, late = res.events["floor"], res.events["late"]
    assert list(res.events) == ["floor", "late"]
    assert len(floor) == len(floor.t) == len(floor.step) == len(floor["v"]) == len(floor["hits"])
    assert floor.columns == ("v", "hits")
    # The log holds what was before the action that counts.
    assert floor["hits"].tolist() == list(range(len(floor)))
    assert res.final_params["hits"] == len(floor)
    # The grid points from 1.05 on are starts of steps, the last of which ends at 3.
    assert late.t.tolist() == [k * 0.05 for k in range(21, 60)]
    assert res.final["n"] == len(late) == 39
    merged = res.events.merged
    assert len(merged) == len(floor) + len(late)
    assert np.all(np.diff(merged.t) >= 0)
    assert sorted(t for name, t in merged if name == "floor") == floor.t.tolist()
    assert merged.names.tolist() == [name for name, _ in merged]
    with pytest.raises(UnknownNameError, match=r"unknown event 'flor'. Did you mean 'floor'\?"):
        res.events["flor"]
    with pytest.raises(UnknownNameError, match=r"log column of event 'floor': 'x'\. Known: v"):
        floor["x"]


def test_events_of_a_map_happen_at_iterations() -> None:
    res = sim_of("logistic").run(N=50)
    high = res.events["high"]
    assert high.t.dtype == np.int64
    np.testing.assert_array_equal(high.t, np.flatnonzero(res["x"] > 0.9))
    np.testing.assert_array_equal(high["n"], high.t)
    np.testing.assert_array_equal(high["x"], res["x"][high.t])


def test_model_without_events() -> None:
    res = sim_of("driven", "rk4").run()
    assert len(res.events) == 0
    assert len(res.events.merged) == 0
    assert list(res.events.merged) == []
    assert repr(res.events) == "<events (the model has none)>"


# --- segments -----------------------------------------------------------------------------------


def test_segments() -> None:
    sim = sim_of("busy", "rk4")
    sim.run(T=1.0, tag="warm-up")
    sim.run(T=2.0, resume=True)
    res = sim.run(T=3.0, resume=True, tag="last", record_interval=5)
    assert list(res.segments) == ["warm-up", "run2", "last"]
    assert [len(segment) for segment in res.segments.values()] == [21, 20, 5]
    assert len(res) == 46
    warm = res.segments["warm-up"]
    assert warm.t[-1] == warm.t_final == 1.0
    np.testing.assert_array_equal(res.segments[-1]["x"], res["x"][-5:])
    assert res.segments[1].final == res.segments["run2"].final
    assert res.stats.steps == sum(each.stats.steps for each in res.segments.values())
    merged = [len(each.events["floor"]) for each in res.segments.values()]
    assert sum(merged) == len(res.events["floor"])
    with pytest.raises(UnknownNameError, match=r"'warmup'\. Did you mean 'warm-up'"):
        res.segments["warmup"]
    with pytest.raises(UnknownNameError, match="unknown segment 3"):
        res.segments[3]


def test_segments_that_record_different_variables() -> None:
    sim = sim_of("driven", "rk4")
    sim.run(T=1.0, record_vars=["x", "v"], tag="both")
    res = sim.run(T=2.0, record_vars=["v", "aux.E"], resume=True, tag="energy")
    assert res.names == ("v",)
    assert res.segments["energy"].names == ("v", "E")
    with pytest.raises(UnknownNameError, match="Only these segments did: both"):
        res["x"]
    with pytest.raises(UnknownNameError, match="Only these segments did: energy"):
        res["E"]


def test_assignment_in_a_session_is_a_jump() -> None:
    sim = sim_of("driven", "ab3")
    sim.run(T=1.0)
    sim.assign(x=5.0, a=0.0)
    assert sim.current["x"] == 5.0
    res = sim.run(T=2.0, resume=True)
    # The point before the jump and the one after it, at one time.
    assert res.t[20:22].tolist() == [1.0, 1.0]
    assert res["x"][21] == 5.0
    assert res.final_params["a"] == 0.0
    alone = sim_of("driven", "ab3").run(
        T=2.0, t0=1.0, ic={"x": 5.0, "v": res["v"][20]}, params={"a": 0.0}
    )
    # The multistep memory is void after a jump: the rest is a run of its own.
    np.testing.assert_array_equal(res["x"][21:], alone["x"])


# --- looks and tables ---------------------------------------------------------------------------


def test_repr_fits_a_screen() -> None:
    sim = sim_of("busy", "rk4")
    sim.run(T=1.0, tag="warm-up")
    text = repr(sim.run(T=3.0, resume=True))
    lines = text.splitlines()
    assert (
        lines[0] == "<Results of 'busy' (ode, rk4): reached the end of the run at t = 3 (step 60)>"
    )
    assert lines[1] == "  record   61 rows, t = 0 to 3: x, v, n"
    assert lines[3].startswith("  events   floor ×")
    assert lines[4] == "  segments warm-up (0 to 1), run2 (1 to 3)"
    assert repr(sim) == "<Sim 'busy' (ode, rk4): stands at t = 3>"


def test_repr_of_many_states() -> None:
    n = 60
    model = {
        "model": {"type": "map", "name": "wide"},
        "states": {f"x{i}": 1.0 / 3.0 for i in range(n)},
        "equations": {"rhs": {f"x{i}": f"x{i}" for i in range(n)}},
    }
    text = repr(dynlib.setup(model, jit=False).run(N=3))
    assert max(map(len, text.splitlines())) <= 88
    assert "(60 in all)" in text


def test_repr_of_nothing() -> None:
    assert "record   nothing" in repr(sim_of("driven", "rk4").run(record=False))


def test_to_xarray(driven: dynlib.Results) -> None:
    table = driven.to_xarray()
    assert dict(table.sizes) == {"time": 61}
    np.testing.assert_array_equal(table["E"], driven["E"])
    np.testing.assert_array_equal(table["time"], driven.t)
    assert table.attrs["model"] == "driven"
    assert json.loads(table.attrs["receipt"]) == json.loads(json.dumps(driven.receipt))
    assert table["x"].sel(time=1.5).item() == driven["x"][30]


def test_to_pandas(driven: dynlib.Results) -> None:
    frame = driven.to_pandas()
    assert list(frame.columns) == ["x", "v", "E", "phase"]
    assert frame.index.name == "t"
    np.testing.assert_array_equal(frame["v"], driven["v"])
    assert sim_of("logistic").run(N=5).to_pandas().index.tolist() == list(range(6))


def test_state_called_time() -> None:
    model = {
        "model": {"type": "map", "name": "clock"},
        "states": {"time": 0.0},
        "equations": {"rhs": {"time": "time + 0.5"}},
    }
    table = dynlib.setup(model, jit=False).run(N=2).to_xarray()
    assert table["time_"].values.tolist() == [0.0, 0.5, 1.0]


def test_plot_is_looked_up_when_asked_for(
    driven: dynlib.Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys
    import types

    module = types.ModuleType("dynlib.plot")
    module.ResultsPlotter = lambda results: ("plotter of", results)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "dynlib.plot", module)
    assert driven.plot == ("plotter of", driven)


def test_segments_share_the_record() -> None:
    """A long record is not copied by looking at it."""
    res = sim_of("driven", "rk4").run()
    assert res["x"].base is res["v"].base
    assert np.shares_memory(res["x"], res.segments[0]["x"])
