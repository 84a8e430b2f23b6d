"""The one door to Numba: users' hooks go in, LLVM assembly comes out.

A hook is compiled as users compile functions themselves, as a function that takes numbers and
addresses, so what it calls may be anything that Numba compiles.  Its LLVM module is then linked
with the translated text, and optimised with it: the hook ends up inside of the loop.  An index
outside of an array raises, as it does in Python; functions of a user's own that the hook calls keep
the settings with which the user compiled them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

from dynlib.abi.hooks import HOOK_ARGS, READ_ONLY, STEP_ARGS
from dynlib.compiler.engine import UncompilableHook
from dynlib.compiler.jit.frozen import frozen
from dynlib.compiler.jit.hook_errors import reason_of
from dynlib.compiler.jit.undisturbed import undisturbed
from dynlib.compiler.llvm.external import Foreign
from dynlib.compiler.llvm.values import ArrayShape, Shape
from dynlib.errors import JITUnavailableError

__all__ = ["HOOK_OPTIONS", "Hooks", "load_numba", "problem_of", "read_only"]

HOOK_OPTIONS: dict[str, Any] = {
    "error_model": "numpy",
    "boundscheck": True,
    "forceinline": True,
    "no_cpython_wrapper": True,
    "no_cfunc_wrapper": True,
}
_NAMES = {"double": "float64", "float": "float32", "i64": "int64", "i32": "int32"}
_PROPOSED = STEP_ARGS.split(", ").index("u_new")  # a hook of a step returns something like it
_OBJECTS = re.compile(r" load ptr, ptr @_ZN08NumbaEnv")
_NO_OBJECTS = "it needs objects of Python, as print, dictionaries and exceptions with values do"
_LATE = "numba.unresolved$"  # what Numba would look for when everything is compiled
_RECURSION = (
    "it calls a function that calls itself with arguments of other types than the first ones; "
    "a literal number has a type of its own, so give it a variable, or np.int64(...)"
)


def load_numba(who: str = "hooks of your own are compiled by Numba") -> Any:
    """Numba, with what it would import at the first compilation; `who` needs it.

    Raises
    ------
    JITUnavailableError
        If it cannot be imported.
    """
    try:
        with undisturbed():
            import numba
            from numba.core.registry import cpu_target

            cpu_target.typing_context.refresh()
            cpu_target.target_context.refresh()
    except ImportError as error:
        msg = (
            f"{who}, which cannot be imported: {error}; install it with `pip install numba`. "
            "jit=False works without"
        )
        raise JITUnavailableError(msg) from error
    return numba


class Hooks:
    """Compiles users' hooks for the arguments that a text gives them.

    Attributes
    ----------
    modules
        LLVM assembly of what has been compiled so far.
    lasting
        Whether all of it means the same in another process.

    Parameters
    ----------
    hooks
        The functions, by the names under which the text calls them.
    """

    def __init__(self, hooks: Mapping[str, Callable[..., Any]]) -> None:
        self._hooks = hooks
        self._made: dict[tuple[str, Any], Foreign] = {}
        self.modules: list[str] = []
        self.lasting = True

    def __contains__(self, name: str) -> bool:
        return name in self._hooks

    def function(self, name: str, shapes: tuple[Shape, ...]) -> Foreign:
        """A hook for arguments of these shapes.

        Raises
        ------
        UncompilableHook
        """
        numba = load_numba()
        signature = tuple(kind for shape in shapes for kind in _kinds(numba.types, shape))
        if (name, signature) not in self._made:
            result = shapes[_PROPOSED] if name.startswith("step_hook_") else None
            try:
                symbol = self._compile(numba, name, shapes, signature, result)
            except Exception as error:  # whatever Numba may make of what a user wrote
                hook = self._hooks[name]
                raise UncompilableHook(name, hook, reason_of(error, hook)) from error
            self._made[name, signature] = Foreign(symbol, result)
        return self._made[name, signature]

    def _compile(
        self,
        numba: Any,
        name: str,
        shapes: tuple[Shape, ...],
        signature: tuple[Any, ...],
        result: Shape | None,
    ) -> str:
        compiled = numba.njit(**HOOK_OPTIONS)
        names = {kind: getattr(numba, kind) for kind in _NAMES.values()}
        space = {"hook": compiled(frozen(self._hooks[name])), "carray": numba.carray, **names}
        space["read_only"] = read_only(numba.extending)
        args = STEP_ARGS if name.startswith("step_hook_") else HOOK_ARGS
        exec(_text(args.split(", "), shapes, result), space)
        entry = compiled(space["entry"])
        entry.compile(signature)
        assembly: str = entry.inspect_llvm(signature)
        problem = problem_of(assembly)
        if problem:
            raise TypeError(problem)
        made = entry.overloads[signature]
        self.lasting &= not (made.library.has_dynamic_globals or made.reload_init)
        self.modules.append(assembly)
        return str(made.fndesc.llvm_func_name)


def _kinds(types: Any, shape: Shape) -> Iterator[Any]:
    """Numba's types of what is given for a value of this shape; of an array several."""
    if isinstance(shape, ArrayShape):
        yield types.CPointer(getattr(types, _NAMES[shape.kind]))
        yield from (types.int64 for _ in shape.extents)
    elif isinstance(shape, tuple):
        yield types.Tuple([kind for part in shape for kind in _kinds(types, part)])
    else:
        assert isinstance(shape, str)
        yield getattr(types, _NAMES[shape])


def problem_of(assembly: str) -> str:
    """What a kernel cannot have of the assembly of a hook; empty if there is nothing."""
    if _OBJECTS.search(assembly):
        return _NO_OBJECTS
    return _RECURSION if _LATE in assembly else ""


@cache
def read_only(extending: Any) -> Any:
    """A function that makes of an array one that cannot be written to."""

    @extending.intrinsic  # type: ignore[untyped-decorator]
    def reading(_: Any, array: Any) -> Any:
        return array.copy(readonly=True)(array), lambda _context, _builder, _signature, args: args[
            0
        ]

    return reading


def _text(names: list[str], shapes: tuple[Shape, ...], result: Shape | None) -> str:
    """The function around a hook: arrays are made of addresses, its result is made fit."""
    parameters, arguments = [], []
    for i, (name, shape) in enumerate(zip(names, shapes, strict=True)):
        parameters.append(f"a{i}")
        arguments.append(f"a{i}")
        if isinstance(shape, ArrayShape):
            extents = [f"a{i}_{j}" for j in range(len(shape.extents))]
            parameters += extents
            arguments[-1] = f"carray(a{i}, ({', '.join(extents)},))"
            if name in READ_ONLY:
                arguments[-1] = f"read_only({arguments[-1]})"
    call = f"hook({', '.join(arguments)})"
    lines = [call, "return 0"]
    if isinstance(result, tuple):
        names = [f"r{i}" for i in range(len(result))]
        converted = [f"{_NAMES[kind]}({name})" for kind, name in zip(result, names, strict=True)]
        lines = [f"{', '.join(names)}, = {call}", f"return {', '.join(converted)},"]
    return "\n    ".join([f"def entry({', '.join(parameters)}):", *lines, ""])
