"""The text of each kind of runner: the flags of its kind filled in, before a model is known."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from dynlib.abi.hooks import KINDS
from dynlib.abi.lane_args import LANE_ARGS
from dynlib.abi.runner_args import RUNNER_ARGS
from dynlib.compiler.codegen import (
    lane_adaptive,
    lane_fallback,
    lane_fixed,
    lane_looks,
    lane_loop,
    lane_observers,
    lane_records,
    lane_samples,
    lane_settle,
)
from dynlib.compiler.codegen.families import Family
from dynlib.compiler.codegen.records import LANE_RECORDS, LOOP_RECORDS
from dynlib.compiler.codegen.run_loop import run_loop
from dynlib.compiler.codegen.templates import Template

__all__ = ["families", "runner_templates"]

_NEVER_IN_MAPS = (
    "ADAPTIVE",
    "SAMPLED",
    "SAMPLES_INSIDE",
    "LOCATED",
    "STOP_LOCATED",
    "PIECEMEAL",
    "FOLLOWED",
    "SWITCHES",
    "MULTISTEP",
    "MEMORY",
    "INSIDE_HOOK",
)
_ONLY_OBSERVED = (
    *(
        "ANALYSIS",
        "VARIATIONAL",
        "TRACES",
        "OBSERVERS_STOP",
        "PIECES",
        "PREVIOUS",
        "PENDING",
        "PACKS",
        "OWN_STEP",
        "ADJUSTED",
    ),
    *(f"{kind.upper()}_HOOK" for kind in KINDS),
)


@cache
def runner_templates(
    name: str, *, discrete: bool, observed: bool, fast: bool
) -> tuple[Template, ...]:
    """The functions of a runner, with the flags left in them that depend on the model.

    Parameters
    ----------
    name
        Of its function.
    discrete
        Whether it is for maps.
    observed
        Whether observers' hooks are called.
    fast
        Whether it runs the lanes of a block.
    """
    flags = {"DISCRETE": discrete}
    if discrete:
        flags |= dict.fromkeys(_NEVER_IN_MAPS, False)
    flags |= {"ANALYSIS": True} if observed else dict.fromkeys(_ONLY_OBSERVED, False)
    if fast:
        return _lane_templates(name, flags)
    return (_loop().template("run_loop").folded(flags, name),)


@cache
def _loop() -> Family:
    taken = ["lane", *(arg.name for arg in RUNNER_ARGS)]
    return Family([run_loop], LOOP_RECORDS, {"run_loop": taken})


_LANE_MODULES = (
    *(lane_fixed, lane_settle, lane_records, lane_fallback, lane_adaptive, lane_samples),
    *(lane_observers, lane_looks, lane_loop),
)


@cache
def _lanes() -> Family:
    functions = [getattr(module, name) for module in _LANE_MODULES for name in module.__all__]
    taken = [*(arg.name for arg in LANE_ARGS), "obs"]
    return Family(functions, LANE_RECORDS, {"fast_run": taken})


def _lane_templates(name: str, flags: Mapping[str, bool]) -> tuple[Template, ...]:
    modules = [lane_fixed, lane_settle, lane_records, lane_fallback]
    if not flags["DISCRETE"]:
        modules += [lane_adaptive, lane_samples]
    if flags["ANALYSIS"]:
        modules += [lane_observers, lane_looks]
    names = [f for module in modules for f in module.__all__]
    names += [f for f in lane_loop.__all__ if f != "fast_run"]
    template = _lanes().template
    folded = [template(f).folded(flags) for f in names]
    return (*folded, template("fast_run").folded(flags, name))


def families() -> tuple[Family, Family]:
    """All templates: those of the run loop, and those of lanes."""
    return _loop(), _lanes()
