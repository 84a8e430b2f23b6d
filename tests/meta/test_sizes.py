"""Files, functions and parameter lists stay small enough to be read at one sitting."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "dynlib"
FILES = sorted(SOURCE.rglob("*.py"))

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 60
MAX_PARAMETERS = 8

# The public signatures are fixed by the documentation: a user types these names, so they cannot
# travel together in an options object.
FIXED_SIGNATURES = {
    "runtime/sim.py": {"run"},
    "runtime/many_runs.py": {"fastpath", "batch", "flow"},
}
# Functions of compiled code that stand beside emitted ones, and take what those do, one by one.
# Templates of the loops are no exception: their parameters are records.
TEMPLATES = {
    "compiler/codegen/locate.py": {"crossing_EVENT", "refine_EVENT"},
    "compiler/codegen/switching.py": {"note_switch"},
}  # and the templates of observers' hooks, files named *_hooks.py: they have documented parameters
# Every observer's hooks have this one argument list, and compiled code has no keyword objects.
HOOKS = {"pre_step", "post_step", "_no_hook"}


def _functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef))


def _parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    a = function.args
    names = [p.arg for p in (*a.posonlyargs, *a.args, *a.kwonlyargs)]
    return names[1:] if names[:1] in (["self"], ["cls"]) else names


def _length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function without its docstring."""
    lines = (function.end_lineno or 0) - function.lineno + 1
    if ast.get_docstring(function) is None:
        return lines
    doc = function.body[0]
    return lines - ((doc.end_lineno or 0) - doc.lineno + 1)


def _name(path: Path) -> str:
    return path.relative_to(SOURCE).as_posix()


def long_functions(tree: ast.AST, exempt: set[str]) -> list[str]:
    return [
        f"{f.name}: {length} lines"
        for f in _functions(tree)
        if (length := _length(f)) > MAX_FUNCTION_LINES and f.name not in exempt
    ]


def crowded_functions(tree: ast.AST, exempt: set[str]) -> list[str]:
    return [
        f"{f.name}: {count} parameters"
        for f in _functions(tree)
        if (count := len(_parameters(f))) > MAX_PARAMETERS and f.name not in exempt
    ]


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_file_is_small(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    name = _name(path)
    assert len(text.splitlines()) <= MAX_FILE_LINES
    assert long_functions(tree, set()) == []
    if name.endswith("_hooks.py"):
        return
    fixed = FIXED_SIGNATURES.get(name, set()) | TEMPLATES.get(name, set()) | HOOKS
    assert crowded_functions(tree, fixed) == []


def test_the_check_sees_what_is_too_large() -> None:
    long = ast.parse("def f():\n" + "    x = 1\n" * MAX_FUNCTION_LINES)
    crowded = ast.parse("class A:\n def f(self, a, b, c, d, e, f, g, h, *, i): ...")
    assert long_functions(long, set()) == ["f: 61 lines"]
    assert long_functions(long, {"f"}) == []
    assert crowded_functions(crowded, set()) == ["f: 9 parameters"]
    assert crowded_functions(ast.parse("def f(a, b, c, d, e, f, g, h): ..."), set()) == []
