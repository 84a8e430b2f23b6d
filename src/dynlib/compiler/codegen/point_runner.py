"""Loops over many points, compiled and kept as runners are."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from dynlib.compiler.codegen.recipe import template_version
from dynlib.compiler.codegen.runner_variants import RunnerKey, alone, content_token
from dynlib.compiler.engine import Engine, Place
from dynlib.compiler.source import KernelSource
from dynlib.dsl.spec import ModelSpec

if TYPE_CHECKING:
    from dynlib.compiler.jit.disk_cache import DiskCache
    from dynlib.compiler.jit.runner import Runner

__all__ = ["get_point_runner"]

_LRU_SIZE = 128
_kept: OrderedDict[RunnerKey, Runner] = OrderedDict()


@alone()
def get_point_runner(
    source: KernelSource,
    spec: ModelSpec,
    label: str,
    engine: Engine,
    disk_cache: DiskCache | None,
) -> Runner:
    """The runner of a source of `PointLoop`: from memory, from disk, or newly compiled.

    Parameters
    ----------
    source, spec
        The text, and the model that it is of.
    label
        What it computes, for lists of the cache.
    engine
        Who compiles it.
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
        cache_token=content_token(source.digest, engine),
        jit=engine.jit,
        template_version=template_version(),
    )
    if key in _kept:
        _kept.move_to_end(key)
        return _kept[key]
    runner = _kept[key] = engine.runner(
        lambda: source,
        spec.dtype,
        lambda: engine.hooks({}),
        Place(disk_cache, key.digest, f"{spec.name} {label}"),
    )
    while len(_kept) > _LRU_SIZE:
        _kept.popitem(last=False)
    return runner
