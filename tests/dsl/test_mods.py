"""Mods change what they name, in order, and nothing else."""

from dataclasses import replace

import pytest
from dsl.documents import HENON, PENDULUM, ode, problems
from hypothesis import given
from hypothesis import strategies as st

from dynlib.dsl import load_model
from dynlib.errors import (
    AmbiguousModelError,
    ModelLoadError,
    ModelNotFoundError,
    OptionError,
    UnknownNameError,
)

BASE = load_model(PENDULUM)
PARTS = [
    "states", "params", "param_values", "state_values", "equations", "aux", "functions", "events",
    "stop", "sim", "presets", "meta", "constants", "name", "kind",
]  # fmt: skip

# one change each, and the parts of the specification that it may touch
CHANGES = {
    "remove event": ({"remove": {"events": {"names": ["bottom"]}}}, {"events"}),
    "replace event": ({"replace": {"events": {"bottom": {"cond": "angle > 1"}}}}, {"events"}),
    "add event": ({"add": {"events": {"top": {"cond": "speed < 0"}}}}, {"events"}),
    "add param": ({"add": {"params": {"c": 1.0}}}, {"params", "param_values"}),
    "add aux": ({"add": {"aux": {"double": "2*angle"}}}, {"aux"}),
    "replace aux": ({"replace": {"aux": {"energy": "speed"}}}, {"aux", "events"}),
    "set aux": ({"set": {"aux": {"energy": "speed"}}}, {"aux", "events"}),
    "set new aux": ({"set": {"aux": {"double": "2*angle"}}}, {"aux"}),
    "add function": (
        {"add": {"functions": {"g": {"args": [], "expr": "1"}}}},
        {"functions"},
    ),
    "replace function": (
        {"replace": {"functions": {"pull": {"args": ["u"], "expr": "u"}}}},
        {"functions", "equations"},
    ),
    "set function": (
        {"set": {"functions": {"pull": {"args": ["u"], "expr": "u"}}}},
        {"functions", "equations"},
    ),
    "replace equation": ({"replace": {"equations": {"rhs": {"angle": "2*speed"}}}}, {"equations"}),
    "replace block": ({"replace": {"equations": {"expr": "dangle = 2*speed"}}}, {"equations"}),
    "add state": (
        {
            "add": {"states": {"z": 1}, "equations": {"rhs": {"z": "-z"}}},
            "set": {"sim": {"atol": 1e-9}},
        },
        {"states", "state_values", "equations", "sim"},
    ),
    "set state": ({"set": {"states": {"angle": "pi"}}}, {"state_values"}),
    "set param": ({"set": {"params": {"length": 7}}}, {"param_values"}),
    "set sim": ({"set": {"sim": {"dt": 0.5, "safety": 0.9}}}, {"sim"}),
    "set stop": ({"set": {"sim": {"stop": "angle > 9"}}}, {"stop"}),
}


@pytest.mark.parametrize(("mod", "touched"), CHANGES.values(), ids=CHANGES.keys())
def test_what_a_mod_does_not_name_survives(mod: dict[str, object], touched: set[str]) -> None:
    spec = load_model(PENDULUM, mods=mod)
    different = {part for part in PARTS if getattr(spec, part) != getattr(BASE, part)}
    assert different == touched
    assert [event.tags for event in spec.events if event.name == "bottom"] in (
        [],
        [("swing",)],
        [()],  # replaced as a whole
    )


@given(st.permutations(["a", "b", "c"]), st.integers(1, 3))
def test_mods_are_applied_in_the_order_of_the_caller(names: list[str], count: int) -> None:
    text = ode() + "".join(f"[mods.{name}.set.params]\na = {ord(name)}\n" for name in "abc")
    chosen = names[:count]
    assert load_model(text, mods=chosen).param_values == (float(ord(chosen[-1])),)


def test_within_a_mod_the_order_is_remove_replace_add_set() -> None:
    mod = {  # written in the opposite order
        "set": {"params": {"k": 3.0}},
        "add": {"params": {"k": 2.0}, "events": {"e": {"cond": "x > 2"}}},
        "replace": {"events": {"f": {"cond": "x > 5"}}},
        "remove": {"events": {"names": ["e"]}},
    }
    text = ode(more='[events.e]\ncond = "x > 1"\n[events.f]\ncond = "x > 3"')
    spec = load_model(text, mods=[mod])
    assert spec.params == ("a", "k")
    assert spec.param_values == (2.0, 3.0)
    assert [(event.name, event.text) for event in spec.events] == [("f", "x > 5"), ("e", "x > 2")]


def test_what_is_removed_or_not_yet_added_cannot_be_replaced() -> None:
    text = ode(more='[events.e]\ncond = "x > 1"')
    event = {"events": {"e": {"cond": "x > 2"}}}
    mod = {"replace": event, "remove": {"events": {"names": ["e"]}}}
    assert "no event 'e' to change" in str(problems(text, mods=mod))
    assert "no event 'e' to change" in str(problems(ode(), mods={"replace": event, "add": event}))


def test_replaced_things_keep_their_position() -> None:
    text = ode(more='[aux]\np = "x"\nq = "2*x"\n[events.e]\ncond="x>1"\n[events.f]\ncond="x>2"')
    mod = {"replace": {"aux": {"p": "3*x"}, "events": {"e": {"cond": "x < 0"}}}}
    spec = load_model(text, mods=mod)
    assert [aux.name for aux in spec.aux] == ["p", "q"]
    assert [event.name for event in spec.events] == ["e", "f"]


def test_mods_of_an_exclusive_group_exclude_each_other() -> None:
    (issue,) = problems(PENDULUM, mods=["damped", "dry"]).issues
    assert "'damped' and 'dry' exclude each other" in issue.message
    assert "'friction'" in issue.hint
    problems(PENDULUM, mods=["dry", "damped"])
    assert load_model(PENDULUM, mods=["damped", "silent"]).events == ()
    free = PENDULUM.replace("exclusive = true\n", "")
    load_model(free, mods=["damped", {"group": "friction"}])


def test_a_changed_equation_retires_jacobian_and_inverse() -> None:
    mod = {"replace": {"equations": {"rhs": {"y": "b*x + 1"}}}}
    spec = load_model(HENON, mods=mod)
    assert spec.inverse is None
    assert load_model(HENON).inverse is not None
    wrong = {"replace": {"equations": {"jacobian": {"expr": [[0, 0], [0, 0]]}}}}
    assert "wrong entry" in str(problems(HENON, mods=wrong))
    kept = {"set": {"params": {"a": 1.2}}}
    assert load_model(HENON, mods=kept).inverse == load_model(HENON).inverse


def test_a_removed_param_leaves_the_presets_too() -> None:
    mod = {
        "remove": {"params": {"names": ["gravity"]}},
        "replace": {"functions": {"pull": {"args": ["u"], "expr": "u"}}},
        "set": {"aux": {"energy": "speed"}},
    }
    text = PENDULUM.replace("; gravity = gravity", "")
    spec = load_model(text, mods=mod)
    assert spec.params == ("length",)
    assert dict(spec.presets["moon"].params) == {}
    assert dict(spec.presets["moon"].states) == dict(BASE.presets["moon"].states)


@pytest.mark.parametrize(
    ("mod", "said"),
    [
        ({"remove": {"events": {"names": ["botom"]}}}, "Did you mean 'bottom'?"),
        ({"remove": {"params": {"names": ["gravity"]}}}, "unknown name 'gravity'"),
        ({"remove": {"events": ["bottom"]}}, "expected a table"),
        ({"remove": {"states": {"names": ["angle"]}}}, "unknown table 'states'"),
        ({"replace": {"aux": {"enrgy": "1"}}}, "Did you mean 'energy'?"),
        ({"replace": {"equations": {"rhs": {"angel": "1"}}}}, "no equation to replace"),
        ({"replace": {"params": {"gravity": 1}}}, "unknown table 'params'"),
        ({"add": {"params": {"gravity": 1}}}, "already has the param 'gravity'"),
        ({"add": {"states": {"z": 1}}}, "'z' has no equation"),
        ({"add": {"equations": {"rhs": {"angle": "1"}}}}, "already has an equation"),
        ({"add": {"constants": {"z": 1}}}, "unknown table 'constants'"),
        ({"add": {"params": {"angle": 1}}}, "'angle' is used twice"),
        ({"set": {"params": {"gravty": 1}}}, "Did you mean 'gravity'?"),
        ({"set": {"states": {"z": 1}}}, "no state 'z' to change"),
        ({"set": {"sim": {"t_edn": 1}}}, "Did you mean 't_end'?"),
        ({"sett": {}}, "Did you mean 'set'?"),
        ({"exclusive": 1}, "true or false"),
    ],
)
def test_mods_that_do_not_fit(mod: dict[str, object], said: str) -> None:
    with pytest.raises(ModelLoadError) as caught:
        load_model(PENDULUM, mods=[mod])
    assert said in str(caught.value)


def test_mods_come_from_other_documents(tmp_path: pytest.TempPathFactory) -> None:
    file = tmp_path / "mods.toml"  # type: ignore[operator]
    file.write_text("[mods.heavy.set.params]\nlength = 9\n[mods.light.set.params]\nlength = 1\n")
    assert load_model(PENDULUM, mods=[f"{file}#mod=heavy"]).param_values[1] == 9.0
    with pytest.raises(AmbiguousModelError, match="heavy, light"):
        load_model(PENDULUM, mods=[str(file)])
    with pytest.raises(UnknownNameError, match="Did you mean 'heavy'"):
        load_model(PENDULUM, mods=[f"{file}#mod=havy"])
    file.write_text('[mod]\nname = "one"\n[mod.set.params]\nlength = 5\n')
    assert load_model(PENDULUM, mods=str(file)).param_values[1] == 5.0
    assert load_model(PENDULUM, mods=[f"{file}#mod=one"]).param_values[1] == 5.0
    file.write_text(PENDULUM)  # a whole model, too, may lend its mods
    assert load_model(PENDULUM, mods=[f"{file}#mod=silent"]).events == ()
    file.write_text(ode())
    with pytest.raises(ModelNotFoundError, match="has no mod"):
        load_model(PENDULUM, mods=[str(file)])
    inline = "inline:\n[mod.set.params]\nlength = 4\n"
    assert load_model(PENDULUM, mods=[inline]).param_values[1] == 4.0
    assert load_model(PENDULUM, mods={"mod": {"set": {"params": {"length": 4}}}}) == load_model(
        PENDULUM, mods=[inline]
    )


def test_a_problem_of_a_mod_from_a_file_names_that_file(tmp_path: pytest.TempPathFactory) -> None:
    file = tmp_path / "heavy.toml"  # type: ignore[operator]
    file.write_text('[mod.replace.aux]\nenergy = "9*q"\n')
    (issue,) = problems(PENDULUM, mods=[str(file)]).issues
    assert issue.file == str(file)
    assert issue.span is not None
    assert (issue.span.line, issue.span.column) == (2, 13)


def test_names_of_mods() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'damped'"):
        load_model(PENDULUM, mods=["dampd"])
    with pytest.raises(UnknownNameError, match="no mods"):
        load_model(ode(), mods=["damped"])
    with pytest.raises(OptionError, match="not a int"):
        load_model(PENDULUM, mods=[3])  # type: ignore[list-item]
    assert load_model(PENDULUM, mods="silent") == load_model(PENDULUM, mods=["silent"])


def test_a_mod_may_be_applied_to_a_specification() -> None:
    assert load_model(BASE, mods=["damped"]) == load_model(PENDULUM, mods=["damped"])
    changed = replace(BASE, param_values=(1.0, 2.0))
    assert load_model(changed, mods=["damped"]).param_values == (1.0, 2.0, 0.1)
    assert load_model(BASE) is BASE
