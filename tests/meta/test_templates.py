"""Templates of loops name nothing that nobody has defined.

How long they are is looked at where all functions are, in `test_sizes`.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from dynlib.abi import primitives
from dynlib.compiler.codegen import locate, switching, traces
from dynlib.compiler.codegen.families import Family, parameters
from dynlib.compiler.codegen.flags import CALLED, FLAGS, WORDS
from dynlib.compiler.codegen.folding import ENUMERATIONS
from dynlib.compiler.codegen.runner_text import families
from dynlib.compiler.codegen.templates import leave_loop, next_turn, phase, template_of
from dynlib.steppers.control import CONTROL_FUNCTIONS

HELPERS = {
    *(function.__name__ for function in CONTROL_FUNCTIONS),
    *(function.__name__ for function in switching.SWITCH_HELPERS),
    *(function.__name__ for function in locate.LOCATE_HELPERS),
    *traces.__all__,
}
KNOWN = {
    *(name for name in vars(primitives) if not name.startswith("_")),
    *(name for name in vars(builtins) if not name.startswith("_")),
    *("inf", "nan", "abs_", "min_", "max_", "copysign", "load_packs", "store_packs"),
    *ENUMERATIONS,
    *FLAGS,
    *WORDS,
    *CALLED,
    *HELPERS,
}


def templates() -> Iterator[tuple[Family, Callable[..., Any]]]:
    """All templates and phases of the loops."""
    for family in families():
        waiting, seen = list(family.functions.values()), set[Callable[..., Any]]()
        while waiting:
            function = waiting.pop()
            if function not in seen:
                seen.add(function)
                yield family, function
                calls = ast.walk(template_of(function).node)
                found = [family.called(function, node) for node in calls]
                waiting += [f for f in found if f not in (None, leave_loop, next_turn)]  # type: ignore[misc]


ALL = sorted(templates(), key=lambda pair: pair[1].__name__)


def parts_of(function: Callable[..., Any]) -> Iterator[ast.AST]:
    """All that stands in a template."""
    return ast.walk(ast.Module(template_of(function).node.body, []))


def complaints(family: Family, function: Callable[..., Any]) -> list[str]:
    """Names that nobody has defined, fields that a record lacks, flags outside of an `if`."""
    records, parts = family.scope(function), list(parts_of(function))
    names = [part for part in parts if isinstance(part, ast.Name)]
    made = {name.id for name in names if isinstance(name.ctx, ast.Store)}
    defined = {*parameters(function), *made, *records, *family.functions, *KNOWN}
    tests = {id(test) for part in parts for test in _tests(part)}
    found = [
        f"{part.value.id} has no {part.attr}"
        for part in parts
        if isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name)
        if part.value.id in records and part.attr not in records[part.value.id].fields
    ]
    found += [
        f"{name.id} is not defined"
        for name in names
        if name.id not in defined and not callable(function.__globals__.get(name.id))
    ]
    outside = [n.id for n in names if n.id in FLAGS and id(n) not in tests]
    return found + [f"{name} stands outside of an if" for name in outside]


def clashes(family: Family, function: Callable[..., Any]) -> set[str]:
    """Names that a template, or a phase of it, makes, and that are a record's in its text."""
    made, recorded = set[str](), set[str]()
    waiting = [function]
    while waiting:
        each = waiting.pop()
        records, parts = family.scope(each), list(parts_of(each))
        for part in parts:
            if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
                made.add(part.id)
            elif isinstance(part, ast.Attribute) and getattr(part.value, "id", "") in records:
                recorded.add(records[part.value.id].fields[part.attr])
        called = [family.called(each, part) for part in parts]
        waiting += [phase for phase in called if hasattr(phase, "is_phase")]
    return made & recorded


def _tests(node: ast.AST) -> list[ast.AST]:
    if not isinstance(node, ast.If):
        return []
    test = node.test
    return [test, test.operand] if isinstance(test, ast.UnaryOp) else [test]


def _name(value: Any) -> str:
    return getattr(value, "__name__", "")


@pytest.mark.parametrize(("family", "function"), ALL, ids=_name)
def test_names_are_defined(family: Family, function: Callable[..., Any]) -> None:
    assert complaints(family, function) == []


@pytest.mark.parametrize(("family", "function"), ALL, ids=_name)
def test_names_of_records_are_not_taken(family: Family, function: Callable[..., Any]) -> None:
    assert clashes(family, function) == set()


@pytest.mark.parametrize(("family", "function"), ALL, ids=_name)
def test_phases_leave_by_the_loop_alone(family: Family, function: Callable[..., Any]) -> None:
    if not hasattr(function, "is_phase"):
        return
    body = list(parts_of(function))
    assert not any(isinstance(part, ast.Return) for part in body)
    inner = [
        part for loop in body if isinstance(loop, ast.While | ast.For) for part in ast.walk(loop)
    ]
    jumps = [n.id for n in inner if isinstance(n, ast.Name) and n.id in ("leave_loop", "next_turn")]
    assert jumps == []


def test_each_flag_and_word_is_used_and_explained() -> None:
    named = {n.id for _, f in ALL for n in parts_of(f) if isinstance(n, ast.Name)}
    unused = {"STOP", "N_TRACES"} | HELPERS  # of flags alone, and of helpers
    assert sorted({*FLAGS, *WORDS, *CALLED} - named - unused) == []
    assert all(FLAGS.values())
    assert all(WORDS.values())


@phase
def _wrong(lane, now):  # type: ignore[no-untyped-def]
    if NO_FLAG:  # type: ignore[name-defined] # noqa: F821
        now.nothing = where + ADAPTIVE  # type: ignore[name-defined] # noqa: F821


def test_the_check_sees_what_is_wrong() -> None:
    family = families()[0]
    assert sorted(complaints(family, _wrong)) == [
        "ADAPTIVE stands outside of an if",
        "NO_FLAG is not defined",
        "now has no nothing",
        "where is not defined",
    ]
