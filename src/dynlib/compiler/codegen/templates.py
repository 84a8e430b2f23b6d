"""Templates of kernels: functions whose syntax trees become text, once it is known for what.

A template is an ordinary Python function that is only read, never run.  Names in capitals in it are
flags and words (`dynlib.compiler.codegen.flags`).  Once their values are known they are filled in:
the arms of ``if FLAG:`` that are not taken go, numbers stand for words and for members of
enumerations.  Trees are shared and never changed, so the same template folded for the same values
is the same text, and is written once.
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, cached_property, lru_cache
from types import ModuleType
from typing import Any

from dynlib.compiler.codegen.folding import ENUMERATIONS, Folding, capitals
from dynlib.compiler.codegen.printed import text_of
from dynlib.compiler.syntax import parse, walk

__all__ = [
    "Template",
    "filled",
    "leave_loop",
    "needed",
    "next_turn",
    "phase",
    "template_of",
    "templates_in",
]

_KEPT = 64  # texts of one template
_MEMBER = re.compile(rf"\b({'|'.join(ENUMERATIONS)})\.")


def phase(function: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a template whose lines are put where it is called: it costs nothing.

    So it may end the loop that it stands in, or its turn: `leave_loop`, `next_turn`.  It names what
    it looks at and changes: it is given records, and has no other names in common with its caller.
    """
    function.is_phase = True  # type: ignore[attr-defined]
    return function


def leave_loop() -> None:
    """``break``, of the loop in which a phase is put."""


def next_turn() -> None:
    """``continue``, of the loop in which a phase is put."""


class Template:
    """A function as a syntax tree, with names in capitals left in it.

    Parameters
    ----------
    name
        Of the function.
    make
        Gives the tree, which is shared and never changed; called when somebody asks for it.
    """

    def __init__(self, name: str, make: Callable[[], ast.FunctionDef]) -> None:
        self.name = name
        self._make = make
        self._texts: dict[tuple[str, ...], tuple[str, frozenset[str]]] = {}

    @cached_property
    def node(self) -> ast.FunctionDef:
        """The function."""
        return self._make()

    @cached_property
    def capitals(self) -> frozenset[str]:
        """Names that something may be put in for."""
        return capitals(self.node)

    @cached_property
    def names(self) -> frozenset[str]:
        """All names in it, but those of fields and parameters."""
        return frozenset(part.id for part in walk(self.node) if isinstance(part, ast.Name))

    def folded(self, values: Mapping[str, Any], name: str = "") -> Template:
        """The template with flags and words filled in, perhaps under another name."""
        name = name or self.name
        return Template(name, lambda: Folding(values).function(self.node, name))

    def text(self, values: Mapping[str, Any], number: str = "") -> str:
        """Its text, with flags and words filled in, and members of enumerations.

        `number` takes the place of the last word of names such as ``cond_EVENT`` and ``seen_OBS``.
        """
        return self._filled(values, number)[0]

    def called(self, values: Mapping[str, Any]) -> frozenset[str]:
        """Functions that this text calls."""
        return self._filled(values, "")[1]

    def _filled(self, values: Mapping[str, Any], number: str) -> tuple[str, frozenset[str]]:
        known = (f"{word} {values[word]!r}" for word in self.capitals if word in values)
        key = (number, *known)
        if key not in self._texts:
            if len(self._texts) >= _KEPT:
                self._texts.clear()
            function = Folding(values, numbers=True, number=number).function(self.node)
            calls = (node.func for node in walk(function) if isinstance(node, ast.Call))
            called = frozenset(call.id for call in calls if isinstance(call, ast.Name))
            self._texts[key] = text_of([function]), called
        return self._texts[key]


def needed(
    templates: Sequence[Template], first: str, values: Mapping[str, Any]
) -> tuple[Template, ...]:
    """Those of the templates that the first one calls, or that these call, in their order."""
    by_name = {template.name: template for template in templates}
    found, waiting = {first}, [first]
    while waiting:
        called = by_name[waiting.pop()].called(values) & by_name.keys()
        waiting += called - found
        found |= called
    return tuple(template for template in templates if template.name in found)


@cache
def template_of(function: Callable[..., Any]) -> Template:
    """The template that a function is."""
    module = sys.modules.get(function.__module__)
    if function.__qualname__ == function.__name__ and module is not None:
        found = _functions_of(module).get(function.__name__)
        if found is not None and found.lineno == _line(function):
            return _made(found)
    return templates_in(textwrap.dedent(inspect.getsource(function)))[0]


def _line(function: Callable[..., Any]) -> int:
    """The line of ``def``: that of the code is the first decorator's."""
    marked = hasattr(function, "is_phase")
    return int(function.__code__.co_firstlineno) + marked


@lru_cache(64)
def _functions_of(module: ModuleType) -> dict[str, ast.FunctionDef]:
    body = parse(inspect.getsource(module)).body
    return {node.name: node for node in body if isinstance(node, ast.FunctionDef)}


@lru_cache(256)
def templates_in(text: str) -> tuple[Template, ...]:
    """The functions of a text, in order."""
    return tuple(_templates(text))


def _templates(text: str) -> Iterator[Template]:
    for node in parse(text).body:
        if isinstance(node, ast.FunctionDef):
            yield _made(node)


def _made(node: ast.FunctionDef) -> Template:
    return Template(node.name, lambda: node)


def filled(
    text: str,
    values: Mapping[str, Any] | None = None,
    *,
    numbers: bool = True,
    dropped: Iterable[str] = (),
) -> str:
    """The functions of a text but those that are `dropped`, with what is known filled in."""
    gone, lines = frozenset(dropped), text.splitlines()
    folding = Folding(values or {}, numbers=numbers)
    nodes = []
    for node in parse(text).body:
        if isinstance(node, ast.FunctionDef) and node.name not in gone:
            own = "\n".join(lines[node.lineno - 1 : node.end_lineno])
            plain = not values and not (numbers and _MEMBER.search(own))
            nodes.append(folding.bare(node) if plain else folding.function(node))
    return text_of(nodes)
