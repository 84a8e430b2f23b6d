"""Hooks as they are now: what Numba compiles is what was looked at, and nothing else.

Numba compiles a function once for each kind of arguments, with what its globals are at that
moment, and may keep that on disk.  So a hook is compiled as a copy that sees the names that its
code uses and no others; functions that Numba compiles are copied along with it, and compiled anew.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from types import CellType, FunctionType, ModuleType
from typing import Any

from dynlib.compiler.jit.standard import enclosed, is_standard, names_in, taken_from

__all__ = ["frozen", "is_dispatcher"]


def is_dispatcher(value: object) -> bool:
    """Whether a value is a function under Numba's `@njit` or `@jit`."""
    registry = sys.modules.get("numba.core.registry")
    return registry is not None and type(value) is registry.CPUDispatcher


def frozen(hook: Callable[..., Any]) -> FunctionType:
    """A copy of a hook, of all functions that Numba compiles for it, and of a user's modules."""
    assert isinstance(hook, FunctionType)  # as observers check
    copies = _Copies()
    twin = copies.function(hook)
    for function, signatures in copies.signed:
        for signature in signatures:
            function.compile(signature)
        function.disable_compile()
    return twin


class _Copies:
    """Copies made so far, by the originals, which live as long.

    Attributes
    ----------
    signed
        Functions for arguments of certain types only, those that others call first.
    """

    def __init__(self) -> None:
        self._made: dict[int, tuple[Any, Any]] = {}
        self.signed: list[tuple[Any, list[Any]]] = []

    def function(self, function: FunctionType) -> FunctionType:
        """A function with globals and a closure of its own."""
        twin = _empty(function)
        self._fill(twin, function)
        return twin

    def _fill(self, twin: FunctionType, function: FunctionType) -> None:
        names = names_in(function.__code__)
        for name in names & function.__globals__.keys():
            twin.__globals__[name] = self._value(function.__globals__[name], names)
        cells = dict(zip(function.__code__.co_freevars, twin.__closure__ or (), strict=True))
        for name, value in enclosed(function).items():
            cells[name].cell_contents = self._value(value, names)

    def _value(self, value: Any, names: Iterable[str]) -> Any:
        if type(value) is tuple:
            items = tuple(self._value(item, names) for item in value)
            return items if any(a is not b for a, b in zip(items, value, strict=True)) else value
        if is_dispatcher(value):
            return self._dispatcher(value)
        if isinstance(value, ModuleType) and not is_standard(value):
            return self._module(value, names)
        return value

    def _dispatcher(self, original: Any) -> Any:
        if id(original) not in self._made:
            empty = _empty(original.py_func)
            pipeline = original._compiler.pipeline_class
            twin = type(original)(empty, original.locals, original.targetoptions, pipeline)
            self._made[id(original)] = original, twin  # its globals may lead back to it
            self._fill(empty, original.py_func)
            if not original._can_compile:
                self.signed.append((twin, list(original.nopython_signatures)))
        return self._made[id(original)][1]

    def _module(self, module: ModuleType, names: Iterable[str]) -> ModuleType:
        if id(module) not in self._made:
            self._made[id(module)] = module, ModuleType(module.__name__)
        twin: ModuleType = self._made[id(module)][1]
        for name, value in taken_from(module, names).items():
            if name not in vars(twin):
                setattr(twin, name, None)  # it may lead back here
                setattr(twin, name, self._value(value, names))
        return twin


def _empty(function: FunctionType) -> FunctionType:
    """A copy of a function whose globals and closure are yet to be filled."""
    code = function.__code__
    cells = tuple(CellType() for _ in code.co_freevars)
    space = {"__name__": function.__globals__.get("__name__", "")}
    twin = FunctionType(code, space, function.__name__, function.__defaults__, cells)
    twin.__kwdefaults__ = function.__kwdefaults__
    twin.__module__, twin.__qualname__ = function.__module__, function.__qualname__
    return twin
