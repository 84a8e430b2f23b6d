"""A runner that can be called: compiled, or the same text as plain Python."""

from __future__ import annotations

import linecache
import weakref
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from ctypes import addressof, c_char
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from dynlib.abi.hooks import HOOK_ARGS, READ_ONLY, STEP_ARGS
from dynlib.abi.phases import Phase, note, phase
from dynlib.abi.primitives import plain_namespace
from dynlib.abi.runner_args import WORDS
from dynlib.compiler.codegen.program import Module
from dynlib.compiler.jit.disk_cache import DiskCache
from dynlib.compiler.jit.dump import NO_DUMP, Dump, dump_of
from dynlib.compiler.jit.native import Entry, ObjectCode, load

if TYPE_CHECKING:
    from dynlib.compiler.jit.door import Hooks

__all__ = ["Call", "Runner", "compiled", "execute", "guarded", "make_runner"]

Arrays = Sequence[NDArray[Any]]
_LONG = 400_000  # characters of assembly, which take LLVM about a second
_SEARCHED = 12_000  # lines; looking for vectors in more takes as long as all else, for nothing
_PADDING = (0,) * (WORDS - 1)


class Call:
    """A runner bound to its arrays; calling it returns the status.

    The table that a compiled runner reads is filled once; `put` exchanges one array, as when
    a buffer has grown.
    """

    def __init__(
        self, entry: Entry, arrays: Arrays, table: NDArray[np.int64] | None = None
    ) -> None:
        self._entry = entry
        self._arrays = list(arrays)
        if table is None:
            table = np.array([word for array in arrays for word in _words(array)], dtype=np.int64)
        self._table = table
        self._words = table.data  # which takes single numbers three times as fast
        self._address = _address(table)

    def put(self, i: int, array: NDArray[Any]) -> None:
        """Exchange argument `i`."""
        self._arrays[i] = array
        for place, word in enumerate(_words(array), WORDS * i):
            self._words[place] = word

    def but_with(self, arrays: Mapping[int, NDArray[Any]]) -> Call:
        """Another call, with these arguments exchanged."""
        twin = Call(self._entry, self._arrays, self._table.copy())
        for i, array in arrays.items():
            twin.put(i, array)
        return twin

    def __call__(self) -> int:
        """Enter the runner; returns its status."""
        return self._entry(self._address)

    def repeated(self) -> Callable[[], int]:
        """The same call of a runner that has no status to tell, with less around it."""
        return self._entry.repeated(self._address)


def _words(array: NDArray[Any]) -> tuple[int, ...]:
    """What the table holds of an array: its address, if it holds anything, its shape, zeros."""
    assert array.flags.c_contiguous
    return (_address(array) if array.size else 0, *array.shape, *_PADDING[array.ndim :])


def _address(array: NDArray[Any]) -> int:
    try:  # a fifth of the time of the other way
        return addressof(c_char.from_buffer(array))  # type: ignore[arg-type]
    except TypeError:  # it is read-only
        address: int = array.__array_interface__["data"][0]
        return address


class PlainCall:
    """The same for a runner that is plain Python."""

    def __init__(self, runner: Callable[..., int], arrays: Arrays) -> None:
        self._runner = runner
        self._arrays = list(arrays)

    def put(self, i: int, array: NDArray[Any]) -> None:
        """Exchange argument `i`."""
        self._arrays[i] = array

    def but_with(self, arrays: Mapping[int, NDArray[Any]]) -> PlainCall:
        """Another call, with these arguments exchanged."""
        mine = [arrays.get(i, array) for i, array in enumerate(self._arrays)]
        return PlainCall(self._runner, mine)

    def __call__(self) -> int:
        """Enter the runner; returns its status."""
        with np.errstate(all="ignore"):
            return int(self._runner(*self._arrays))

    def repeated(self) -> Callable[[], int]:
        """The call itself."""
        return self


class Runner:
    """A runner; `bind` gives it its arrays, in the order of `RUNNER_ARGS`."""

    def __init__(self, target: Entry | Callable[..., int], *, compiled: bool) -> None:
        self._target = target
        self.compiled = compiled

    def bind(self, arrays: Arrays) -> Call | PlainCall:
        """A call of the runner with these arrays."""
        if self.compiled:
            return Call(cast(Entry, self._target), arrays)
        return PlainCall(self._target, arrays)


def execute(module: Module, extra: Mapping[str, Any], dtype: str) -> dict[str, Any]:
    """Run the text of a module as plain Python and return its globals.

    The text stays available to tracebacks and debuggers under the file name that they show.
    """
    filename = f"<dynlib {module.runner} {module.digest[:12]}>"
    lines = module.text.splitlines(keepends=True)
    linecache.cache[filename] = (len(module.text), None, lines, filename)
    namespace: dict[str, Any] = {**plain_namespace(dtype), **extra, "__name__": "dynlib.generated"}
    exec(compile(module.text, filename, "exec"), namespace)
    _shown[filename] += 1
    weakref.finalize(namespace[module.runner], _forget, filename).atexit = False
    return namespace


_shown: Counter[str] = Counter()  # modules alive, by the name that tracebacks show


def _forget(filename: str) -> None:
    """Let the text of a module go with the last one that has it."""
    _shown[filename] -= 1
    if not _shown[filename]:
        del _shown[filename]
        linecache.cache.pop(filename, None)


@phase(Phase.COMPILE)
def make_runner(
    module: Callable[[], Module],
    dtype: str,
    *,
    jit: bool,
    cache: DiskCache | None,
    key: str,
    hooks: Callable[[], Hooks | dict[str, Callable[..., Any]]],
    label: str,
) -> Runner:
    """Compile a module's runner, or fetch it from the disk cache.

    `module` gives the text, if it is needed.  `hooks` gives what users wrote: compiled, or
    without `jit` plain.

    Raises
    ------
    UncompilableHook
        If a user's hook cannot be compiled.
    """
    dump = dump_of(label, key)
    if not jit:
        text = module()
        dump.text(text)
        namespace = execute(text, cast("dict[str, Any]", hooks()), dtype)
        return Runner(_plain(namespace[text.runner], text), compiled=False)
    if cache is not None and not dump:
        found = cache.load(key)
        if found is not None:
            try:
                return Runner(load(found), compiled=True)
            except OSError as error:
                cache.discard(key, str(error))
    text = module()  # before users' hooks: it says whether it can be compiled at all
    dump.text(text)
    code = compiled(text, dtype, cast("Hooks", hooks()), dump)
    with phase(Phase.LINK):
        entry = load(code)
    if cache is not None and code.lasting:
        cache.store(key, code, label)
    return Runner(entry, compiled=True)


def guarded(hooks: Mapping[str, Callable[..., Any]]) -> dict[str, Callable[..., Any]]:
    """Users' hooks for plain Python."""
    return {name: _reading(name, hook) for name, hook in hooks.items()}


def _reading(name: str, hook: Callable[..., Any]) -> Callable[..., Any]:
    """A user's hook to which NumPy refuses what compiled code does: to write to the run."""
    args = (STEP_ARGS if name.startswith("step_hook_") else HOOK_ARGS).split(", ")
    guarded = [i for i, arg in enumerate(args) if arg in READ_ONLY]

    def reading(*given: Any) -> Any:
        views = list(given)
        for i in guarded:
            views[i] = given[i].view()
            views[i].flags.writeable = False
        return hook(*views)

    return reading


def _plain(runner: Callable[..., int], module: Module) -> Callable[..., int]:
    """The runner as a function of all its arrays."""
    called = partial(runner, *module.leading)
    packed = module.packed
    return (lambda *arrays: called(*arrays[:-packed], arrays[-packed:])) if packed else called


def compiled(
    module: Module, dtype: str, hooks: Hooks | None = None, dump: Dump = NO_DUMP
) -> ObjectCode:
    """Object code of a module; `hooks` are functions of users that its text calls."""
    from dynlib.compiler.jit.beside import emit_beside
    from dynlib.compiler.jit.door import Hooks  # what is on disk needs no compiler
    from dynlib.compiler.jit.extensions import extensions
    from dynlib.compiler.llvm.translate import SYMBOL, translate

    foreigners = Hooks({}) if hooks is None else hooks
    with phase(Phase.TRANSLATE):
        assembly = translate(
            module.text, module.functions, module.entry, dtype, foreigners, single=module.single
        )
    dump.translated(assembly, foreigners.modules)
    emit: Callable[..., ObjectCode] = emit_beside
    if len(assembly) > _LONG:
        from dynlib.compiler.jit.apart import emit_apart  # short compiles need no subprocess

        emit = emit_apart
    longest = max(part.count("\n") for part in assembly.split("\ndefine "))
    alike = module.alike and longest <= _SEARCHED
    with phase(Phase.LLVM):
        linked = foreigners.modules
        code = emit(assembly, SYMBOL, linked=linked, alike=alike, listed=bool(dump))
    dump.code(code)
    note("lines of text", module.text.count("\n"))
    note("lines of LLVM assembly", assembly.count("\n"))
    note("bytes of object code", len(code.code))
    return replace(code, lasting=foreigners.lasting and not (foreigners.modules and extensions()))
