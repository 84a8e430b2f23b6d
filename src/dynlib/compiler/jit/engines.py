"""The engines: our own translator, Numba, plain Python.

What each needs is imported when it compiles: a kernel that is found on disk needs none of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from dynlib.abi.phases import Phase, note, phase
from dynlib.compiler.engine import Engine, Hooks, Jit, Place
from dynlib.compiler.jit.dump import NO_DUMP, Dump, dump_of
from dynlib.compiler.jit.extensions import extensions
from dynlib.compiler.jit.native import ObjectCode, load, machine
from dynlib.compiler.jit.runner import Runner
from dynlib.compiler.jit.toolchain import toolchain
from dynlib.compiler.source import KernelSource
from dynlib.errors import OptionError
from dynlib.suggest import did_you_mean

if TYPE_CHECKING:
    from dynlib.compiler.jit.numba_hooks import Hooks as CompiledHooks

__all__ = ["LLVM", "NUMBA", "PYTHON", "engine_of"]


class _Compiling:
    """An engine that makes object code, which is kept on disk and loaded from there."""

    name: str
    jit: Jit
    compiles = True
    packs = False

    def __repr__(self) -> str:
        return f"<engine {self.name}>"

    def versions(self) -> str:
        """Python, NumPy, Numba, llvmlite, our own part of the compiler, and the processor."""
        return f"{toolchain()}\n{machine()}"

    def meaning(self, hooks: Hooks) -> str:
        """What Numba has been taught in this process: compiled hooks mean what it says."""
        return extensions() if hooks else ""

    def hooks(self, hooks: Hooks) -> Any:
        """The functions; they are compiled once it is known with what arguments."""
        return hooks

    def object_code(
        self, source: KernelSource, dtype: str, hooks: Any, dump: Dump = NO_DUMP
    ) -> ObjectCode:
        """Object code of a source."""
        raise NotImplementedError

    @phase(Phase.COMPILE)
    def runner(
        self,
        source: Callable[[], KernelSource],
        dtype: str,
        hooks: Callable[[], Any],
        place: Place,
    ) -> Runner:
        """The runner, from disk or compiled; anew if it is to be dumped."""
        cache, key = place.cache, place.key
        dump = dump_of(place.label, key)
        if cache is not None and not dump:
            found = cache.load(key)
            if found is not None:
                try:
                    return Runner(load(found), compiled=True)
                except OSError as error:
                    cache.discard(key, str(error))
        text = source()  # before users' hooks: it says whether it can be compiled at all
        dump.text(text)
        code = self.object_code(text, dtype, hooks(), dump)
        dump.code(code)
        note("lines of text", text.text.count("\n"))
        note("bytes of object code", len(code.code))
        with phase(Phase.LINK):
            entry = load(code)
        if cache is not None and code.lasting:
            cache.store(key, code, place.label)
        return Runner(entry, compiled=True)


class _Llvm(_Compiling):
    """Our own translator, and LLVM."""

    name, jit, packs = "llvm", True, True

    def hooks(self, hooks: Hooks) -> CompiledHooks:
        """Users' functions, of which the translator asks for compiled ones."""
        from dynlib.compiler.jit.numba_hooks import Hooks as CompiledHooks

        return CompiledHooks(hooks)

    def object_code(
        self, source: KernelSource, dtype: str, hooks: Any, dump: Dump = NO_DUMP
    ) -> ObjectCode:
        """Object code of a translated text."""
        from dynlib.compiler.jit.translated import compiled

        return compiled(source, dtype, hooks, dump)


class _Numba(_Compiling):
    """The same text, compiled by Numba: slowly, and the same bits."""

    name, jit = "numba", "numba"

    def object_code(
        self, source: KernelSource, dtype: str, hooks: Any, dump: Dump = NO_DUMP
    ) -> ObjectCode:
        """Object code that Numba makes."""
        from dynlib.compiler.jit.numba_kernel import compiled

        with phase(Phase.LLVM):
            return compiled(source, dtype, hooks)


class _Python:
    """The same text as plain Python."""

    name, jit, compiles, packs = "python", False, False, False

    def __repr__(self) -> str:
        return f"<engine {self.name}>"

    def versions(self) -> str:
        """Nothing: there is no machine code."""
        return ""

    def meaning(self, hooks: Hooks) -> str:
        """Which objects they are: each writes to those that it refers to."""
        return " ".join(f"{name} {id(hook)}" for name, hook in hooks.items())

    def hooks(self, hooks: Hooks) -> dict[str, Callable[..., Any]]:
        """Functions to which NumPy refuses what compiled ones cannot do."""
        from dynlib.compiler.jit.plain import guarded

        return guarded(hooks)

    @phase(Phase.COMPILE)
    def runner(
        self,
        source: Callable[[], KernelSource],
        dtype: str,
        hooks: Callable[[], Any],
        place: Place,
    ) -> Runner:
        """The function of the text itself; it is kept nowhere."""
        from dynlib.compiler.jit.plain import plain_runner

        text = source()
        dump_of(place.label, place.key).text(text)
        return plain_runner(text, dtype, hooks())


LLVM: Engine = _Llvm()
NUMBA: Engine = _Numba()
PYTHON: Engine = _Python()

_BY_NAME: Mapping[str, Engine] = {engine.name: engine for engine in (LLVM, NUMBA, PYTHON)}


def engine_of(jit: object) -> Engine:
    """The engine that `setup(jit=...)` chooses: True, False, or a name.

    Raises
    ------
    OptionError
        If there is no such engine.
    """
    if isinstance(jit, bool):
        return LLVM if jit else PYTHON
    if isinstance(jit, str) and jit in _BY_NAME:
        return _BY_NAME[jit]
    near = did_you_mean(jit, _BY_NAME) if isinstance(jit, str) else ""
    raise OptionError(
        f"jit must be True (our own compiler, 'llvm'), 'numba', or False (plain Python, 'python'), "
        f"found {jit!r}.{near}"
    )
