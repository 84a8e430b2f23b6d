"""What became of a model: the code of its kernels, to be looked at and not to be run."""

from __future__ import annotations

from dynlib.abi.hooks import AnalysisModule
from dynlib.compiler.codegen.lane_program import LaneProgram
from dynlib.compiler.codegen.runner_variants import RunnerVariant, module_of
from dynlib.compiler.jit.native import ObjectCode
from dynlib.compiler.jit.translated import compiled
from dynlib.compiler.model import CompiledModel

__all__ = ["fast_path_code", "ordinary_code"]


def ordinary_code(model: CompiledModel) -> ObjectCode:
    """Compile the kernel of single runs, whatever the caches hold.

    Parameters
    ----------
    model : CompiledModel

    Returns
    -------
    ObjectCode
        As of `fast_path_code`.

    Examples
    --------
    >>> import dynlib
    >>> model = dynlib.build("builtin://map/logistic")
    >>> ordinary_code(model).externals
    ()
    """
    return compiled(module_of(model.program, RunnerVariant.BASE), model.spec.dtype)


def fast_path_code(
    model: CompiledModel,
    *,
    lanes: int,
    varied: tuple[int, ...] = (),
    sampled: bool = False,
    analysis: AnalysisModule | None = None,
) -> ObjectCode:
    """Compile the kernel of a batch, whatever the caches hold.

    Parameters
    ----------
    model : CompiledModel
    lanes : int
        Runs side by side in a block.
    varied : tuple of int
        Indices of the parameters that differ between runs.
    sampled : bool
        Whether it records at given times.
    analysis : AnalysisModule, optional
        Observers; none of a user's own.

    Returns
    -------
    ObjectCode
        With its LLVM assembly and the names of the library functions it calls;
        `dynlib.compiler.jit.native.machine_code` shows its machine code.

    Examples
    --------
    >>> import dynlib
    >>> model = dynlib.build("builtin://map/logistic")
    >>> fast_path_code(model, lanes=16).externals
    ()
    """
    program = LaneProgram(model.spec, model.stepper, lanes, varied, analysis)
    variant = RunnerVariant.FASTPATH if analysis is None else RunnerVariant.FASTPATH_ANALYSIS
    module = module_of(program, variant, sampled=sampled)
    return compiled(module, model.spec.dtype)
