"""The text of each kind of runner: the first round of `specialize`, before a model is known."""

from __future__ import annotations

from collections.abc import Mapping

from dynlib.abi.hooks import KINDS
from dynlib.compiler.codegen import (
    lane_adaptive,
    lane_careful,
    lane_fixed,
    lane_loop,
    lane_observers,
    lane_records,
    lane_samples,
)
from dynlib.compiler.codegen.run_loop import run_loop
from dynlib.compiler.codegen.specialize import specialize

__all__ = ["runner_text"]

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


def runner_text(name: str, *, discrete: bool, observed: bool, fast: bool) -> str:
    """The text of a runner, with the flags left in it that depend on the model.

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
        return _lane_text(name, flags)
    return specialize(run_loop, name, flags)


def _lane_text(name: str, flags: Mapping[str, bool]) -> str:
    modules = [lane_fixed, lane_records, lane_careful]
    if not flags["DISCRETE"]:
        modules += [lane_adaptive, lane_samples]
    if flags["ANALYSIS"]:
        modules.append(lane_observers)
    functions = [getattr(module, f) for module in modules for f in module.__all__]
    functions += [getattr(lane_loop, f) for f in lane_loop.__all__ if f != "fast_run"]
    texts = [specialize(function, function.__name__, flags) for function in functions]
    return "\n".join([*texts, specialize(lane_loop.fast_run, name, flags)])
