"""A kernel through Numba: the same text, compiled by somebody else.

Our own translator and this one share the text and LLVM, and nothing between; so each is a check of
the other.  Numba makes a module of LLVM assembly with the calling convention that our own has, and
from there on both go the same way: object code, the disk cache, calls by a table.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from functools import cache
from types import CodeType, FunctionType
from typing import Any

from dynlib.abi.hooks import HOOK_ARGS, READ_ONLY, STEP_ARGS
from dynlib.compiler.engine import UncompilableHook
from dynlib.compiler.jit.extensions import extensions
from dynlib.compiler.jit.frozen import frozen
from dynlib.compiler.jit.hook_errors import reason_of, said
from dynlib.compiler.jit.native import ObjectCode, emit_object
from dynlib.compiler.jit.numba_hooks import HOOK_OPTIONS, load_numba, problem_of, read_only
from dynlib.compiler.length import check_text
from dynlib.compiler.source import KernelSource
from dynlib.compiler.syntax import parse
from dynlib.compiler.vecmath import VECMATH
from dynlib.errors import CompilationError, JITUnavailableError

__all__ = ["compiled"]

Hook = Callable[..., Any]
_LONG_NAME = re.compile(r"(?<=%)[\w.$-]{200,}|^[\w.$-]{200,}(?=:)", re.MULTILINE)
_HOOKS = {**HOOK_OPTIONS, "_nrt": True}  # they may make arrays, which the text around does not
_PROPOSED = STEP_ARGS.split(", ").index("u_new")  # a hook of a step returns something like it


def compiled(source: KernelSource, dtype: str, hooks: Mapping[str, Hook]) -> ObjectCode:
    """Object code of a kernel; `hooks` are functions of users that its text calls.

    Raises
    ------
    JITUnavailableError
        If Numba cannot be imported, or may not compile.
    UncompilableHook
        If a user's hook cannot be compiled.
    TooLargeError
        If the text is bound to become code that is too long.
    CompilationError
        If Numba refuses the text.
    """
    check_text([source.text])
    numba = load_numba("jit='numba' compiles with Numba")
    if numba.config.DISABLE_JIT:
        raise JITUnavailableError(
            "jit='numba' compiles with Numba, which NUMBA_DISABLE_JIT forbids; unset it, "
            "or use jit=True, which works without"
        )
    from dynlib.compiler.jit.numba_primitives import OPTIONS, primitives

    watched = {name: _Watched(numba, name, hook) for name, hook in hooks.items()}
    space = {**primitives(dtype), **mathematics(dtype)}
    space |= {name: hook.entry for name, hook in watched.items()}
    tree = _WrittenOut().visit(parse(source.text))
    defined = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    exec(compile(ast.fix_missing_locations(tree), f"<dynlib {source.runner}>", "exec"), space)
    for name in defined:
        space[name] = numba.njit(**OPTIONS)(space[name])
    entry, signature = space[source.entry], (numba.int64,)
    try:
        entry.compile(signature)
    except Exception as error:  # whatever Numba may make of what a user wrote
        _blame(watched.values(), error)
        why = "; ".join(said(error)[:2])
        raise CompilationError(
            f"Numba {numba.__version__} refuses the text of {source.runner}: {why}. "
            "The same model with jit=True or jit=False needs no Numba; please report this."
        ) from error
    for hook in watched.values():
        hook.check()
    made = entry.overloads[signature]
    symbol = str(made.fndesc.llvm_func_name)
    code = emit_object(_shortened(entry.inspect_llvm(signature)), symbol, alike=source.alike)
    lasting = all(_lasting(each) for each in (made, *(m for w in watched.values() for m in w.made)))
    taught = bool(hooks) and bool(extensions())
    return ObjectCode(code.code, symbol, code.externals, code.assembly, lasting and not taught)


def _shortened(assembly: str) -> str:
    """The same assembly with short names of blocks and values, of which LLVM reads no others.

    Numba names functions by the types of all their arguments, and LLVM blocks by functions.
    """
    names: dict[str, str] = {}
    return _LONG_NAME.sub(lambda found: names.setdefault(found[0], f"long.{len(names)}"), assembly)


def _lasting(made: Any) -> bool:
    """Whether a compiled function means the same in another process."""
    return not (made.library.has_dynamic_globals or made.reload_init)


# -- users' hooks ---------------------------------------------------------------------------------


class _Watched:
    """A user's hook, and what became of it.

    Attributes
    ----------
    entry
        What the text calls: the hook, with arrays that it may only read.
    """

    def __init__(self, numba: Any, name: str, hook: Hook) -> None:
        self.name, self.hook = name, hook
        self.failure: Exception | None = None
        self._inner = numba.njit(**_HOOKS)(frozen(hook))
        find = self._inner.get_call_template

        def watched(args: Any, kws: Any) -> Any:
            try:
                found = find(args, kws)
            except Exception as error:
                self.failure = error
                raise
            self.failure = None  # it had been tried with types of literals
            return found

        self._inner.get_call_template = watched
        space: dict[str, Any] = {"hook": self._inner, "read_only": read_only(numba.extending)}
        step = name.startswith("step_hook_")
        args = (STEP_ARGS if step else HOOK_ARGS).split(", ")
        given = [f"read_only({arg})" if arg in READ_ONLY else arg for arg in args]
        call = f"hook({', '.join(given)})"
        if step:
            space["like"] = _like(numba.extending)
            call = f"return like({args[_PROPOSED]}, {call})"
        exec(f"def entry({', '.join(args)}):\n    {call}\n", space)
        self.entry = numba.njit(**_HOOKS)(space["entry"])

    @property
    def made(self) -> list[Any]:
        """What has been compiled of it."""
        return list(self._inner.overloads.values())

    def check(self) -> None:
        """Refuse a hook of which Numba made what a kernel cannot have."""
        for signature in self._inner.signatures:
            problem = problem_of(self._inner.inspect_llvm(signature))
            if problem:
                raise UncompilableHook(self.name, self.hook, problem)


def _blame(hooks: Iterable[_Watched], error: Exception) -> None:
    """Say which hook it is that cannot be compiled, if it is one."""
    for hook in hooks:
        if hook.failure is not None:
            reason = reason_of(hook.failure, hook.hook)
            raise UncompilableHook(hook.name, hook.hook, reason) from error
    for hook in hooks:
        if "like(" in str(error) and hook.name.startswith("step_hook_"):
            reason = "it must return a tuple with a number for each state"
            raise UncompilableHook(hook.name, hook.hook, reason) from error


@cache
def _like(extending: Any) -> Any:
    """A function that converts a tuple to the types of another one."""

    @extending.intrinsic  # type: ignore[untyped-decorator]
    def like(_: Any, model: Any, found: Any) -> Any:
        if getattr(found, "count", None) != model.count:
            return None
        return model(model, model), lambda _context, _builder, _signature, args: args[1]

    return like


# -- elementary functions -------------------------------------------------------------------------


@cache
def mathematics(dtype: str) -> dict[str, Any]:
    """The elementary functions as Numba compiles them, by the names that a text calls."""
    from numba import float32, float64, njit

    from dynlib.compiler.jit.numba_primitives import OPTIONS, primitives

    copies = _Copies(primitives("float64"), njit(**OPTIONS))
    found = {name: copies.of(function) for name, function in VECMATH.items()}
    if dtype != "float32":
        return found

    def rounded(function: Any) -> Any:
        """A function of float32, computed in double precision."""
        if function.py_func.__code__.co_argcount == 1:
            return njit(**OPTIONS)(lambda x: float32(function(float64(x))))
        return njit(**OPTIONS)(lambda x, y: float32(function(float64(x), float64(y))))

    return {name: rounded(function) for name, function in found.items()}


class _Copies:
    """Functions of `dynlib.compiler.vecmath` with Numba's primitives in the place of their own."""

    def __init__(self, known: Mapping[str, Any], compiling: Callable[[Any], Any]) -> None:
        self._known, self._compiling = known, compiling
        self._made: dict[CodeType, Any] = {}

    def of(self, function: Any) -> Any:
        """The twin of a function, compiled when it is called."""
        code = function.__code__
        if code not in self._made:
            space: dict[str, Any] = {}
            self._made[code] = self._compiling(FunctionType(code, space, function.__name__))
            own = function.__globals__
            for name in code.co_names:
                if name in self._known or name in own:  # the others are Python's
                    value = self._known.get(name, own.get(name))
                    space[name] = self.of(value) if isinstance(value, FunctionType) else value
        return self._made[code]


# -- the text -------------------------------------------------------------------------------------


class _WrittenOut(ast.NodeTransformer):
    """Writes ``tuple(x[i] for i in range(3))`` as ``(x[0], x[1], x[2])``."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """A tuple of an expression for each i of a range."""
        self.generic_visit(node)
        match node:
            case ast.Call(
                ast.Name("tuple"),
                [
                    ast.GeneratorExp(
                        expression,
                        [
                            ast.comprehension(
                                ast.Name(i), ast.Call(ast.Name("range"), [ast.Constant(int(n))])
                            )
                        ],
                    )
                ],
            ):
                items = [_With(i, k).visit(deepcopy(expression)) for k in range(n)]
                return ast.Tuple(items, ast.Load())
        return node


class _With(ast.NodeTransformer):
    """Puts a number in the place of a name, and adds what can be added."""

    def __init__(self, name: str, value: int) -> None:
        self._name, self._value = name, value

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """The name, or the number."""
        return ast.Constant(self._value) if node.id == self._name else node

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        """Places are known beforehand: Numba wants them as constants."""
        self.generic_visit(node)
        match node:
            case ast.BinOp(ast.Constant(int(a)), ast.Add(), ast.Constant(int(b))):
                return ast.Constant(a + b)
        return node
