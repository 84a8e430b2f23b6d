"""A specification travels as TOML and as a pickle, and its hash tells kernels apart."""

import os
import pickle
import subprocess
import sys
import time
from dataclasses import FrozenInstanceError, replace

import pytest
from dsl.documents import COLLATZ, HENON, PENDULUM, changed, ode
from dsl.generated import models
from hypothesis import given

from dynlib.dsl import ModelSpec, list_models, load_model
from dynlib.dsl.expr import to_text
from dynlib.dsl.fingerprint import fingerprint
from dynlib.dsl.write import to_toml
from dynlib.errors import OptionError

ALL = [f"builtin://{name}" for name in list_models()]


def assert_travels(spec: ModelSpec) -> None:
    text = spec.to_toml()
    again = load_model(text)
    assert again.model_hash == spec.model_hash
    assert replace(again, label=spec.label) == spec
    assert again.to_toml() == text
    assert pickle.loads(pickle.dumps(spec)) == spec


@pytest.mark.parametrize("uri", [*ALL, PENDULUM, COLLATZ, HENON])
def test_a_model_travels_as_toml_and_as_a_pickle(uri: str) -> None:
    assert_travels(load_model(uri))


@given(models())
def test_any_model_travels(text: str) -> None:
    assert_travels(load_model(text))


def test_a_model_travels_with_its_mods_applied() -> None:
    spec = load_model(PENDULUM, mods=["damped", "silent"])
    assert_travels(spec)
    assert load_model(load_model(PENDULUM), mods=["damped", "silent"]) == spec


@given(models())
def test_texts_of_expressions_lead_back_to_the_expressions(text: str) -> None:
    spec = load_model(text)
    shown = {name: to_text(node) for name, node in zip(spec.states, spec.equations, strict=True)}
    other = load_model(
        {
            "model": {"type": spec.kind, "dtype": spec.dtype},
            "states": dict(zip(spec.states, spec.state_values, strict=True)),
            "params": dict(zip(spec.params, spec.param_values, strict=True)),
            "equations": {"rhs": shown},
        }
    )
    # not the trees themselves: variables of loops may have other names
    assert fingerprint(other.equations) == fingerprint(spec.equations)


def test_the_hash_is_the_same_in_every_process() -> None:
    code = (
        "from dynlib.dsl import load_model\n"
        "for name in ('ode/hodgkin-huxley', 'ode/kuramoto', 'map/collatz'):\n"
        "    print(load_model(f'builtin://{name}').model_hash)"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert len(found) == 1


KERNEL_CHANGES = [
    ('"speed"\n', '"2*speed"\n'),
    ('"angle < 0"', '"angle <= 0"'),
    ('"speed *= 0.9;', '"speed *= 0.8;'),
    ('direction = "rising"', 'direction = "falling"'),
    ('phase = "end"', 'phase = "both"'),
    ('["t", "energy"]', '["t"]'),
    ("half = 0.5", "half = 0.25"),
    ('"abs(speed) > 100"', '"abs(speed) > 99"'),
    ('phase = "both"', 'phase = "end"'),
    ('type = "ode"', 'type = "ode"\ndtype = "float32"'),
    ("[events.bottom]", "[events.top]"),
    ("length = 2", "length = 2\nunused = 1"),
    ('"energy > 0"', '"energy > 1"'),
]
OTHER_CHANGES = [
    ('name = "pendulum"', 'name = "clock"\ndescription = "tick"\nreference = "Huygens"'),
    ("angle = 0.5", "angle = 0.75"),
    ("gravity = 9.81", "gravity = 1.62"),
    ("t_end = 20.0", "t_end = 30.0"),
    ('"rk45"', '"euler"'),
    ("gravity = 1.62", "gravity = 1.63"),
    ('["swing"]', '["other"]'),
    ('"nobody"', '"somebody"'),
    ('"speed"\n', '" speed # the same"\n'),
    ('-pull(angle)/length"\n\n[aux]', '-gravity*sin(angle)/length"\n\n[aux]'),
]


@pytest.mark.parametrize("change", KERNEL_CHANGES)
def test_the_hash_changes_with_the_kernel(change: tuple[str, str]) -> None:
    text = PENDULUM.replace(PENDULUM[PENDULUM.index("[mods.damped]") :], "")
    other = text.replace('["bottom"]', '["top"]')
    assert load_model(changed(other, change)).model_hash != load_model(text).model_hash


@pytest.mark.parametrize("change", OTHER_CHANGES)
def test_the_hash_knows_nothing_else(change: tuple[str, str]) -> None:
    assert load_model(changed(PENDULUM, change)).model_hash == load_model(PENDULUM).model_hash


def test_values_may_be_replaced() -> None:
    spec = load_model(PENDULUM)
    other = replace(spec, state_values=(1.0, 2.0), dtype="float32", name="other")
    again = load_model(other.to_toml())
    assert (again.state_values, again.dtype, again.name) == ((1.0, 2.0), "float32", "other")
    assert again.model_hash == other.model_hash != spec.model_hash


def test_a_specification_cannot_be_changed() -> None:
    spec = load_model(PENDULUM)
    with pytest.raises(FrozenInstanceError):
        spec.name = "other"  # type: ignore[misc]
    with pytest.raises(TypeError):
        spec.constants["half"] = 1.0  # type: ignore[index]
    with pytest.raises(TypeError):
        spec.presets["moon"].params["gravity"] = 1.0  # type: ignore[index]


@pytest.mark.parametrize("uri", [*ALL, PENDULUM])
def test_a_specification_is_shown_on_one_screen(uri: str) -> None:
    spec = load_model(uri)
    lines = repr(spec).splitlines()
    assert len(lines) <= 24
    assert all(len(line) <= 110 for line in lines)
    assert spec.name in lines[0]
    assert all(name in repr(spec) for name in spec.states[:4])


def test_a_map_of_integers_has_no_jacobian() -> None:
    with pytest.raises(OptionError, match="integers"):
        _ = load_model(COLLATZ).jacobian


def test_loading_is_quick() -> None:
    load_model("builtin://ode/hodgkin-huxley")
    times = []
    for _ in range(20):
        start = time.process_time()
        load_model("builtin://ode/hodgkin-huxley")
        times.append(time.process_time() - start)
    # The target is 10 ms; the best of many leaves other work on the machine out.
    assert min(times) < 0.010


def test_loading_imports_nothing_heavy() -> None:
    code = (
        "import sys, dynlib\n"
        "dynlib.load_model('builtin://ode/lorenz').to_toml()\n"
        "heavy = {'numba', 'llvmlite', 'click', 'rich', 'platformdirs', 'matplotlib', 'xarray'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize(
    "text", ["", "a", "\n", "\\", '"', "'''", '"""', "\t\x1f\x7f", "ends in \\", " x\r\ny", "é∂🙂"]
)
def test_any_text_is_written_as_toml(text: str) -> None:
    import tomllib

    data = {"model": {text: text, "list": [text, [1, True, -0.0]], "t": {"f": 1e-300, "d": {}}}}
    assert tomllib.loads(to_toml(data)) == data


def test_a_lone_expression_may_span_lines() -> None:
    spec = load_model(changed(ode(), ('x = "-x"', 'x = """\n-x   # decay\n + a\n"""')))
    assert spec.equations == load_model(ode("-x + a")).equations
