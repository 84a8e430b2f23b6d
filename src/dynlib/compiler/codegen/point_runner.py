"""Loops over many points, compiled and kept as runners are."""

from __future__ import annotations

from collections import OrderedDict

from dynlib.compiler.codegen.program import Module
from dynlib.compiler.codegen.recipe import template_version
from dynlib.compiler.codegen.runner_variants import RunnerKey, alone, content_token
from dynlib.compiler.jit.disk_cache import DiskCache
from dynlib.compiler.jit.door import Hooks
from dynlib.compiler.jit.runner import Runner, make_runner
from dynlib.dsl.spec import ModelSpec

__all__ = ["get_point_runner"]

_LRU_SIZE = 128
_kept: OrderedDict[RunnerKey, Runner] = OrderedDict()


@alone()
def get_point_runner(
    module: Module, spec: ModelSpec, label: str, *, jit: bool, disk_cache: DiskCache | None
) -> Runner:
    """The runner of a module of `PointLoop`: from memory, from disk, or newly compiled.

    Parameters
    ----------
    module, spec
        The text, and the model that it is of.
    label
        What it computes, for lists of the cache.
    jit
        False: plain Python of the same text.
    disk_cache
        Where compiled kernels are kept; None: nowhere.
    """
    key = RunnerKey(
        model_hash=spec.model_hash,
        stepper_name="",
        analysis_sig="",
        variant="points",
        runner_kind=spec.kind,
        dtype=spec.dtype,
        cache_token=content_token(module.digest, jit=jit),
        jit=jit,
        template_version=template_version(),
    )
    if key in _kept:
        _kept.move_to_end(key)
        return _kept[key]
    runner = _kept[key] = make_runner(
        lambda: module,
        spec.dtype,
        jit=jit,
        cache=disk_cache,
        key=key.digest,
        hooks=lambda: Hooks({}) if jit else {},
        label=f"{spec.name} {label}",
    )
    while len(_kept) > _LRU_SIZE:
        _kept.popitem(last=False)
    return runner
