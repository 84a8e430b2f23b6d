"""The files of the built-in models: complete, loadable, runnable as they stand."""

import math
import re

import numpy as np
import pytest

import dynlib
from dynlib.dsl import ModelSpec

NAMES = dynlib.list_models()

# What the documentation promises.
PROMISED = {
    "map": "logistic tent sine gauss circle cubic henon ikeda lozi standard gingerbreadman"
    " tinkerbell duffing-map bogdanov coupled-logistic collatz arnold-cat",
    "ode": "expdecay harmonic pendulum pendulum-damped pendulum-driven double-pendulum vanderpol"
    " duffing lorenz lorenz84 lorenz96 rossler chua thomas sprott-a halvorsen chen"
    " rabinovich-fabrikant henon-heiles lotka-volterra rosenzweig-macarthur brusselator"
    " oregonator robertson hires sir fitzhugh-nagumo hindmarsh-rose morris-lecar hodgkin-huxley"
    " wilson-cowan leaky-if quadratic-if exp-if resonate-if izhikevich bouncing-ball kuramoto"
    " eto-circular",
}

# Stiff: without an implicit stepper their default runs take many steps.
COMPILED = {"ode/oregonator", "ode/hires", "ode/robertson"}


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def spec(name: str) -> ModelSpec:
    return dynlib.load_model(f"builtin://{name}")


def test_all_promised_models_are_there() -> None:
    promised = {f"{kind}/{each}" for kind, names in PROMISED.items() for each in names.split()}
    assert promised <= set(NAMES)


def test_name(name: str, spec: ModelSpec) -> None:
    """The file says its own name; names can be typed on any keyboard and in any shell."""
    assert name == f"{spec.kind}/{spec.name}"
    assert re.fullmatch(r"[a-z][a-z0-9-]*", spec.name)


def test_description_and_reference(spec: ModelSpec) -> None:
    assert spec.description.endswith(".")
    assert "\n" not in spec.description
    assert 40 < len(spec.description) < 320
    assert re.search(r"\(\d{4}\)", spec.reference), "a reference has a year"


def test_says_how_long_to_run(spec: ModelSpec) -> None:
    if spec.is_map:
        assert spec.sim.n_end >= 100
    else:
        assert 100 <= spec.sim.t_end / spec.sim.dt <= 1e7


def test_document_of_a_spec_is_the_same_model(spec: ModelSpec) -> None:
    assert dynlib.load_model(spec.to_toml()).model_hash == spec.model_hash


def test_default_run(name: str) -> None:
    """Runs as it stands, to its end."""
    result = dynlib.setup(f"builtin://{name}", jit=name in COMPILED).run()
    assert result.ok
    assert all(math.isfinite(value) for value in result.final.values())


def test_presets_start(name: str, spec: ModelSpec) -> None:
    """Every preset can be applied and leads somewhere finite."""
    for preset in spec.presets:
        sim = dynlib.setup(f"builtin://{name}", jit=False)
        sim.apply_preset(preset)
        # The shortest time scale of a preset is that of the stiff oscillator, 1/3000.
        result = sim.run(N=50) if spec.is_map else sim.run(T=0.005, dt=1e-4)
        assert result.ok
        assert np.all(np.isfinite(list(result.final.values())))
