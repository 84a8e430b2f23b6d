"""A word that stands for a text stands for no other text.

Kernels are found by what their text is made from (`recipe`), before there is a text.
"""

from __future__ import annotations

from collections.abc import Iterator

from dynlib import ModelSpec, load_model, steppers
from dynlib.compiler.codegen.lane_program import LaneProgram
from dynlib.compiler.codegen.program import Program
from dynlib.compiler.codegen.recipe import recipe
from dynlib.compiler.codegen.runner_variants import (
    FurtherVariant,
    RunnerVariant,
    _recipe,
    module_of,
)
from dynlib.observers import (
    ObserverModule,
    features,
    first_passage,
    lyapunov_max,
    lyapunov_spectrum,
    poincare,
    time_in,
)
from dynlib.observers.kit.combined import combine
from dynlib.steppers.explicit_rk import ExplicitRK
from dynlib.steppers.tableaus.fixed import RK4

FLOW = """
[model]
type = "ode"
name = "one"
{model}
[states]
x = 1.0
y = 0.5
[params]
a = 1.0
b = 2.0
[constants]
c = {c}
[functions]
f = {{ args = ["u"], expr = "{f}" }}
[equations.rhs]
x = "{x}"
y = "b*y - x{y}"
[aux]
E = "{aux}"
{more}
"""
PLAIN = {"model": "", "c": "3.0", "f": "u", "x": "a*y", "y": "", "aux": "x*x", "more": ""}
EVENT = '[events.e]\ncond = "{}"\naction = "{}"\n{}'
CHANGES = [
    {"model": 'dtype = "float32"'},
    {"c": "4.0"},
    {"f": "2*u"},
    {"x": "a*x"},
    {"x": "a*y + t"},
    {"x": "a*lag_x(2)"},
    {"y": "*x"},
    {"aux": "y*y"},
    {"more": EVENT.format("x > 1", "x = 0", "")},
    {"more": EVENT.format("x > 2", "x = 0", "")},
    {"more": EVENT.format("x > 1", "x = -1", "")},
    {"more": EVENT.format("x > 1", "x = 0", "locate = false")},
    {"more": EVENT.format("x > 1", "x = 0", 'phase = "start"')},
    {"more": EVENT.format("x > 1", "x = 0", 'direction = "falling"')},
    {"more": EVENT.format("x > 1", "x = 0", 'log = ["t", "y"]')},
    {"more": '[sim]\nstop = "x > 3"'},
    {"more": '[sim]\nstop = "x > 4"'},
]
OBSERVERS = [
    [features("mean", v="x")],
    [features("mean", v="x + c")],
    [features("mean", v="f(x)")],
    [features("mean", v="E")],
    [features("mean", v="x"), features("max", v="y", name="other")],
    [poincare("x - 1")],
    [poincare("x - 1", direction="rising")],
    [time_in("x > 1")],
    [time_in("x > 2")],
    [first_passage("x > 1")],
    [lyapunov_max()],
    [lyapunov_spectrum()],
    [lyapunov_spectrum(renorm_every=3)],
    [lyapunov_spectrum(k=1)],
]


def specs() -> Iterator[ModelSpec]:
    for change in ({}, *CHANGES):
        yield load_model(FLOW.format(**PLAIN | change))


def test_no_word_stands_for_two_texts() -> None:
    plain = load_model(FLOW.format(**PLAIN))
    seen: dict[str, str] = {}
    texts = set()

    def look(program: Program | LaneProgram, variant: RunnerVariant, sampled: bool) -> None:
        word = _recipe(variant, program, sampled=sampled)
        assert word is not None
        digest = module_of(program, variant, sampled=sampled).digest
        assert seen.setdefault(word, digest) == digest
        texts.add(digest)

    for spec in specs():
        rk4, tsit5 = steppers.get("rk4"), steppers.get("tsit5")
        look(Program(spec, rk4), RunnerVariant.BASE, False)
        look(Program(spec, tsit5), RunnerVariant.BASE, True)
        look(LaneProgram(spec, rk4, 8, (0,)), RunnerVariant.FASTPATH, False)
    for lanes, varied in ((4, (0,)), (8, (0, 1))):
        look(LaneProgram(plain, rk4, lanes, varied), RunnerVariant.FASTPATH, False)
    for spec in (plain, load_model(FLOW.format(**PLAIN | {"c": "4.0", "f": "2*u"}))):
        for given in OBSERVERS:
            combined = combine(given, spec, rk4)
            program = Program(spec, rk4, analysis=combined, packs=True)
            look(program, RunnerVariant.ANALYSIS, False)
    unpacked = Program(plain, rk4, analysis=combined)
    look(unpacked, RunnerVariant.ANALYSIS, False)
    look(LaneProgram(plain, rk4, 8, (0,), combined), RunnerVariant.FASTPATH_ANALYSIS, False)
    assert len(texts) > 60  # of which none is taken for another


def hook(
    lane, t, dt, step, y_curr, y_prev, params, runtime_ws,
    analysis_ws, analysis_out, trace_buf, trace_count, trace_cap, trace_stride,
):  # type: ignore[no-untyped-def]  # fmt: skip
    """A user's."""


def test_what_dynlib_does_not_know_has_no_word() -> None:
    spec = load_model(FLOW.format(**PLAIN))
    own = steppers.get("rk4")
    assert recipe(spec, own, None) is not None
    assert recipe(spec, ExplicitRK("rk4", RK4, "somebody's"), None) is None
    observer = ObserverModule("mine", post_step=hook)
    assert recipe(spec, own, combine([observer], spec, own)) is None
    further = FurtherVariant("further", RunnerVariant.BASE)
    assert _recipe(further, Program(spec, own), sampled=False) is None
