"""Object code of a kernel through our own translator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from dynlib.abi.phases import Phase, note, phase
from dynlib.compiler.jit.compile_thread import emit_in_thread
from dynlib.compiler.jit.dump import NO_DUMP, Dump
from dynlib.compiler.jit.extensions import extensions
from dynlib.compiler.jit.native import ObjectCode
from dynlib.compiler.jit.numba_hooks import Hooks
from dynlib.compiler.llvm.translate import SYMBOL, translate
from dynlib.compiler.llvm.values import Untranslatable
from dynlib.compiler.source import KernelSource
from dynlib.errors import CompilationError

__all__ = ["compiled"]

_LONG = 400_000  # characters of assembly, which take LLVM about a second
_SEARCHED = 12_000  # lines; looking for vectors in more takes as long as all else, for nothing


def compiled(
    source: KernelSource, dtype: str, hooks: Hooks | None = None, dump: Dump = NO_DUMP
) -> ObjectCode:
    """Object code of a kernel; `hooks` are functions of users that its text calls.

    Raises
    ------
    CompilationError
        If the text uses more of Python than kernels are made of.
    """
    foreigners = Hooks({}) if hooks is None else hooks
    try:
        with phase(Phase.TRANSLATE):
            assembly = translate(
                source.text, source.functions, source.entry, dtype, foreigners, single=source.single
            )
    except Untranslatable as error:
        raise CompilationError(
            f"the text of {source.runner} has {error.what}, which the language of kernels "
            "(docs/kernel-language.md) does not have. If a stepper, an observer or a runner is not "
            "dynlib's own, its text has to change; else please report this."
        ) from error
    dump.translated(assembly, foreigners.modules)
    emit: Callable[..., ObjectCode] = emit_in_thread
    if len(assembly) > _LONG:
        from dynlib.compiler.jit.compile_process import (
            emit_in_process,  # short compiles need no subprocess
        )

        emit = emit_in_process
    longest = max(part.count("\n") for part in assembly.split("\ndefine "))
    alike = source.alike and longest <= _SEARCHED
    with phase(Phase.LLVM):
        linked = foreigners.modules
        code = emit(assembly, SYMBOL, linked=linked, alike=alike, listed=bool(dump))
    note("lines of LLVM assembly", assembly.count("\n"))
    return replace(code, lasting=foreigners.lasting and not (foreigners.modules and extensions()))
