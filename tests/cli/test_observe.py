"""`--observe`: how it is read, what it prints, and what it refuses."""

import click
import pytest

import dynlib
from dynlib.cli._observe import observer
from dynlib.observers import features, histogram, lyapunov_max, lyapunov_spectrum, poincare
from dynlib.plans import Tail

HENON = ("builtin://map/henon", "-N", "200", "--no-jit")


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("lyapunov_max", lyapunov_max()),
        (" lyapunov_max( ) ", lyapunov_max()),
        ("lyapunov_spectrum(2, renorm_every=3)", lyapunov_spectrum(2, renorm_every=3)),
        ("lyapunov_max(trace=Tail(5, 20))", lyapunov_max(trace=Tail(5, 20))),
        ("lyapunov_max(target_se=1e-2)", lyapunov_max(target_se=0.01)),
        ("poincare(z - 27)", poincare("z - 27")),
        ("poincare('z - 27', direction=\"falling\")", poincare("z - 27", "falling")),
        ("poincare(max(x, y) - 1, falling)", poincare("max(x, y) - 1", "falling")),
        ("poincare((x + 1)*(y - 1))", poincare("(x + 1)*(y - 1)")),
        ("histogram(x, 5, (-1, 2))", histogram("x", 5, (-1, 2))),
        ("poincare(z, record=[x, y], max_hits=3)", poincare("z", record=["x", "y"], max_hits=3)),
        ("features(max, E=x**2 + y)", features("max", E="x**2 + y")),
    ],
)
def test_reading(text, made):
    read = observer(text)
    assert type(read) is type(made)
    assert read.identity == made.identity


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("lyapunov_mx", "Did you mean 'lyapunov_max'"),
        ("kaplan_yorke(1)", "no observer 'kaplan_yorke'"),
        ("ObserverModule(x)", "no observer 'ObserverModule'"),
        ("lyapunov_max(", "not of the form"),
        ("lyapunov_max)", "not of the form"),
        ("", "not of the form"),
        ("lyapunov_max(1)(2)", "not opened"),
        ("poincare('z)", "quote is not closed"),
        ("lyapunov_spectrum(2,)", "a value is missing"),
        ("lyapunov_spectrum(k=2, 3)", "comes after a named value"),
        ("lyapunov_spectrum(k=2, k=3)", "given twice"),
        ("lyapunov_spectrum(0)", "from 1 on; found 0"),
        ("lyapunov_spectrum(__import__('os'))", "found"),
        ("lyapunov_max(renorm_evry=2)", "Did you mean 'renorm_every'"),
        ("lyapunov_max(3)", r"takes renorm_every=\.\.\., record_interval=\.\.\."),
        ("poincare()", "expression must be given. poincare takes expression, direction"),
        ("histogram(x)", "bins and range must be given. histogram takes of, bins, range, errors"),
        ("poincare(1,2,3,4,5,6,7)", "poincare takes expression, direction"),
        ("lyapunov_max(trace=Tail())", "n must be given. Tail takes n, k."),
        ("lyapunov_max(trace=Tail(0))", "at least 1"),
    ],
)
def test_refusing(text, said):
    with pytest.raises(click.BadParameter, match=said):
        observer(text)


def test_run_prints_what_was_found(run, tmp_path):
    printed = run(
        "run", *HENON, "--observe", "lyapunov_spectrum", "--observe", "features(max)",
        "--out", "found.npz",
    ).stdout  # fmt: skip
    expected = dynlib.setup(HENON[0], jit=False).run(
        N=200, observers=[lyapunov_spectrum(), features("max")]
    )
    for found in expected.observers.values():
        assert repr(found) in printed
    loaded = dynlib.load_results(tmp_path / "found.npz")
    assert repr(loaded.observers) == repr(expected.observers)


def test_batch_prints_what_was_found(run, tmp_path):
    printed = run(
        "batch", *HENON, "--grid", "a=1.1:1.4:4", "--observe", "lyapunov_max", "--out", "found.npz"
    ).stdout
    assert "observed lyapunov_max" in printed
    assert "<lyapunov_max, 4 runs" in printed
    assert len(dynlib.load_results(tmp_path / "found.npz").observers["lyapunov_max"].exponent) == 4


def test_mistakes_of_both_kinds(run):
    """Of the text, with status 2; of the model, with status 1."""
    assert "Did you mean 'sali'" in run("run", *HENON, "--observe", "sal", status=2).output
    said = run("run", *HENON, "--observe", "lyapunov_spectrum(7)", status=1).output
    assert "k = 7, but 'henon' has 2 states" in said
    twice = ("--observe", "lyapunov_max") * 2
    assert "two observers are called" in run("run", *HENON, *twice, status=1).output
