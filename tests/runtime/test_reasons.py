"""A failed run names the equation or the component that it failed by."""

from __future__ import annotations

import numpy as np
import pytest

import dynlib


def flow(*equations: str, kind: str = "ode") -> str:
    names = ["x", "y", "z"][: len(equations)]
    return "\n".join(
        [
            f'[model]\ntype = "{kind}"\nname = "bad"\n[params]\na = 1.0\n[states]',
            *(f"{name} = {float(i == 0)}" for i, name in enumerate(names)),
            "[equations.rhs]",
            *(f'{name} = "{text}"' for name, text in zip(names, equations, strict=True)),
        ]
    )


def message(sim: dynlib.Sim, **given: object) -> str:
    with pytest.raises(dynlib.RunFailed) as caught:
        sim.run(**given)
    return str(caught.value).splitlines()[0]


@pytest.mark.parametrize("stepper", ["rk4", "ab2", "tsit5", "dop853"])
def test_an_equation_that_is_nan_is_named(stepper: str) -> None:
    sim = dynlib.setup(flow("-x", "sin(t)/t"), stepper=stepper, jit=False)
    assert "the equation of y, sin(t)/t, is NaN" in message(sim, T=1.0)
    assert "the equation of y, sin(t)/t, is NaN" in sim.results().message


def test_what_is_infinite_and_the_equations_of_maps_are_named_too() -> None:
    flowing = dynlib.setup(flow("1/(a - 1)"), jit=False)
    assert "the equation of x, 1/(a - 1), is infinite" in message(flowing, T=1.0)
    iterated = dynlib.setup(flow("x", "log(y - 1)", kind="map"), jit=False)
    assert "the equation of y, log(y - 1), is NaN" in message(iterated, N=3)


@pytest.mark.parametrize("stepper", ["bs23", "rk45", "tsit5", "dop853"])
def test_a_state_of_0_without_an_absolute_tolerance_is_named(stepper: str) -> None:
    sim = dynlib.setup(flow("-x", "0*x"), stepper=stepper, jit=False)
    found = message(sim, T=1.0, atol=0.0)
    assert "no error of y is allowed, since atol is 0 and its value is 0: give an atol" in found
    assert "no error of x is allowed" in message(sim, T=1.0, rtol=0, atol=[0.0, 1.0])
    assert sim.run(T=1.0, atol=[0.0, 1e-9]).ok


def test_the_component_of_the_largest_error_is_named() -> None:
    for stepper in ("bs23", "tsit5", "dop853"):
        sim = dynlib.setup(flow("-0.1*x", "-3000*(y - x)", "-z"), stepper=stepper, jit=False)
        assert "the error of y is the largest" in message(sim, T=1.0, dt_min=0.1)
    for stepper in ("rodas4", "rodas5p"):
        sim = dynlib.setup(flow("-0.1*x", "30*cos(30*t)", "-z"), stepper=stepper, jit=False)
        assert "the error of y is the largest" in message(sim, T=1.0, dt_min=0.5)
        assert "no error of y is allowed" in message(sim, T=1.0, atol=0.0)


@pytest.mark.parametrize(
    ("equations", "derivative"),
    [
        (("-x + sqrt(y)", "1 - y"), "the derivative of the equation of x by y is infinite"),
        (("-x", "cbrt(y) + 1"), "the derivative of the equation of y by y is infinite"),
        (("-x", "sqrt(t) - y"), "the derivative of the equation of y by time is infinite"),
        (("-x", "sqrt(y*t)"), "the derivative of the equation of y by y is NaN"),
    ],
)
def test_a_derivative_that_the_stepper_needs_is_named(
    equations: tuple[str, str], derivative: str
) -> None:
    for stepper in ("rodas4", "rodas5p"):
        sim = dynlib.setup(flow(*equations), stepper=stepper, jit=False)
        found = message(sim, T=1.0)
        assert derivative in found
        assert found.endswith(f"and {stepper} needs it.")
    assert dynlib.setup(flow(*equations), stepper="tsit5", jit=False).run(T=1.0).ok


@pytest.mark.parametrize("stepper", ["tsit5", "rodas5p"])
def test_tolerances_that_are_no_numbers(stepper: str) -> None:
    sim = dynlib.setup(flow("-x", "-y"), stepper=stepper, jit=False)
    for given in ({"x": 1e-8, "y": 1e-9}, "small"):
        with pytest.raises(dynlib.DynlibError, match="one number, or a list of 2, one for each st"):
            sim.run(T=1.0, atol=given)


def test_in_a_batch_the_run_that_is_asked_says_why() -> None:
    sim = dynlib.setup(flow("-x", "sqrt(a)*x"), stepper="tsit5")
    batch = sim.batch(params={"a": [1.0, -1.0, 2.0, -4.0]}, T=1.0)
    np.testing.assert_array_equal(batch.ok, [True, False, True, False])
    assert "the equation of y, sqrt(a)*x, is NaN" in batch[3].message
    with pytest.raises(dynlib.RunFailed, match=r"The first is run 1.*the equation of y, sqrt"):
        batch.raise_for_status()


def test_runs_that_end_well_have_nothing_to_explain() -> None:
    assert ": " not in dynlib.setup(flow("-x"), jit=False).run(T=0.1).message
