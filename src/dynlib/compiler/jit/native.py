"""Object code: loading it, and knowing for which machine it is.

Compiled kernels are kept as plain object code with one C entry point.  Nothing but a user's hook
that makes arrays refers to Numba, so a process that finds its kernel in the disk cache needs none.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, Protocol

from dynlib.abi.forks import whole_after_fork

__all__ = ["RAISED", "ObjectCode", "emit_object", "load", "machine", "machine_code"]


class Entry(Protocol):
    """What `load` returns."""

    def __call__(self, table: int, /) -> int:
        """Enter once with this table; returns the status."""

    def bound(self, table: int) -> tuple[Callable[[], int], ctypes.c_int64]:
        """The call with this table, which returns 0 unless a hook raises, and its status."""


RAISED = "an exception in compiled code, which keeps no more of it"


@dataclass(frozen=True)
class ObjectCode:
    """Object code of one kernel.

    Attributes
    ----------
    code
        The object file.
    symbol
        Name of the entry point.  It follows Numba's calling convention,
        ``int32 entry(int64 *result, void **exception, int64 address_of_the_table)``; generated
        code raises nothing, but users' hooks may; then what is returned is not 0.
    externals
        Symbols it takes from the process, such as those of the C mathematics library.
    assembly
        The LLVM assembly it was made of; empty where it came from a file.
    listing
        Its machine code as assembly, where that was asked for.
    lasting
        Whether it means the same in another process.
    """

    code: bytes
    symbol: str
    externals: tuple[str, ...] = ()
    assembly: str = ""
    lasting: bool = True
    listing: str = ""


@cache
def _llvm() -> Any:
    import llvmlite.binding as llvm

    lock = getattr(llvm.ffi.lib, "_lock", None)  # each call into LLVM takes it
    if lock is not None:
        whole_after_fork(lock, level=1)
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm


@cache
def _host() -> tuple[str, str]:
    llvm = _llvm()
    return llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()


def machine() -> str:
    """Processor and compiler version that object code is good for."""
    import llvmlite

    return " ".join((llvmlite.__version__, _llvm().get_default_triple(), *_host()))


def _target_machine() -> Any:
    cpu, features = _host()
    target = _llvm().Target.from_default_triple()
    return target.create_target_machine(cpu=cpu, features=features, opt=3, jit=True)


def emit_object(
    assembly: str,
    symbol: str,
    *,
    linked: Sequence[str] = (),
    alike: bool = False,
    listed: bool = False,
) -> ObjectCode:
    """Translate LLVM assembly into object code.

    Parameters
    ----------
    assembly
        A module.
    symbol
        The entry point; nothing else stays visible.
    linked
        Further modules, with what its function `symbol` calls besides.
    alike
        Whether to look for like operations, outside of loops too, and make vectors of them.
    listed
        Whether to write the machine code as assembly, too.
    """
    module = _llvm().parse_assembly(assembly)
    machine = _target_machine()
    module.triple = _llvm().get_default_triple()
    module.data_layout = str(machine.target_data)
    for other in linked:
        module.link_in(_llvm().parse_assembly(other))
    _optimize(module, symbol, machine, alike=alike)
    externals = tuple(
        function.name
        for function in module.functions
        if function.is_declaration and not function.name.startswith("llvm.")
    )
    listing = ""
    if listed:  # of a copy: making code changes the module
        listing = machine.emit_assembly(_llvm().parse_bitcode(module.as_bitcode()))
    code = machine.emit_object(module)
    return ObjectCode(code, symbol, externals, str(module), listing=listing)


def machine_code(kernel: ObjectCode) -> str:
    """Machine code of a kernel as text, for those who want to see what became of a loop.

    Raises
    ------
    ValueError
        If the kernel came from a file, which holds no LLVM assembly.
    """
    if not kernel.assembly:
        msg = (
            "this kernel came from the disk cache; compile it with disk_cache=False to see its code"
        )
        raise ValueError(msg)
    return str(_target_machine().emit_assembly(_llvm().parse_assembly(kernel.assembly)))


def _optimize(module: Any, symbol: str, machine: Any, *, alike: bool) -> None:
    for function in module.functions:
        if not function.is_declaration and function.name != symbol:
            function.linkage = "internal"
    for place in module.global_variables:
        if place.linkage.name == "common":  # of Numba's, and empty
            place.linkage = "internal"
    llvm = _llvm()
    tuning = llvm.create_pipeline_tuning_options(speed_level=3)
    tuning.loop_vectorization = True
    tuning.loop_interleaving = True
    tuning.slp_vectorization = alike
    builder = llvm.create_pass_builder(machine, tuning)
    passes = builder.getModulePassManager()
    try:
        passes.run(module, builder)
    finally:
        _dispose(passes)


def _dispose(passes: Any) -> None:
    """Free a pass manager, a tenth of a megabyte: its close() finds a method that does nothing."""
    base = _llvm().ffi.ObjectRef
    for each in type(passes).__mro__:
        if each is not base and "_dispose" in vars(each):
            vars(each)["_dispose"](passes)
            break
    passes.detach()


def load(kernel: ObjectCode) -> Entry:
    """Bring object code into the process and return its entry point.

    Raises
    ------
    OSError
        If it is damaged, or needs a symbol that this process lacks.
    """
    llvm = _llvm()
    missing = _missing(kernel)
    if missing:
        from dynlib.compiler.jit.numba_hooks import load_numba

        load_numba()  # whose functions a user's hook may need
        missing = _missing(kernel)
    if missing:
        msg = f"object code needs unknown symbols: {', '.join(missing)}"
        raise OSError(msg)
    try:
        file = llvm.object_file.ObjectFileRef.from_data(kernel.code)
        engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), _target_machine())
        engine.add_object_file(file)
        engine.finalize_object()
        address = engine.get_function_address(kernel.symbol)
    except RuntimeError as error:
        raise OSError(str(error)) from error
    if not address:
        msg = f"object code lacks its entry point {kernel.symbol}"
        raise OSError(msg)
    return _Entry(address, engine)


def _missing(kernel: ObjectCode) -> list[str]:
    return [name for name in kernel.externals if not _llvm().address_of_symbol(name)]


class _Entry:
    """A loaded entry point; calling it releases the GIL.

    The code lives as long as this does: LLVM's engine frees its memory when nobody refers to it.
    """

    __slots__ = ("_engine", "_function")

    _TYPE = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)

    def __init__(self, address: int, engine: Any) -> None:
        self._engine = engine
        self._function = self._TYPE(address)

    def bound(self, table: int) -> tuple[Callable[[], int], ctypes.c_int64]:
        """The call with this table, and where it puts the status."""
        status, exception = ctypes.c_int64(), ctypes.c_void_p()
        call = partial(self._function, ctypes.addressof(status), ctypes.addressof(exception), table)
        call.needs = status, exception, self  # type: ignore[attr-defined]
        return call, status

    def __call__(self, table: int) -> int:
        """Enter once with this table; returns the status."""
        call, status = self.bound(table)
        if call():
            raise RuntimeError(RAISED)
        return status.value
