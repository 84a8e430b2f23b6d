"""Templates that call each other: their phases put in place, their records taken apart.

A *phase* is put where it is called.  A *record* is a group of names that travels as one: `run.y`
is the name ``y`` in the text, and a record among the parameters of a template stands for those of
its names that the template, or one that it is passed on to, uses.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from dynlib.abi.records import Record
from dynlib.compiler.codegen.folding import Rewriting, flag_in
from dynlib.compiler.codegen.templates import Template, leave_loop, next_turn, template_of
from dynlib.compiler.syntax import walk

__all__ = ["Family", "parameters"]

_KEPT = 32  # trees of one template, for different flags
_Flattened = tuple[Mapping[str, bool | None], Template]
_JUMPS: Mapping[Any, type[ast.stmt]] = {leave_loop: ast.Break, next_turn: ast.Continue}


class Family:
    """Templates that call each other.

    Parameters
    ----------
    functions
        All but the phases, which are found through the modules of their callers.
    records
        The records that they take.
    entries
        Those that are called from outside, by name, and what they are given, in order.
    """

    def __init__(
        self,
        functions: Iterable[Callable[..., Any]],
        records: Mapping[str, Record],
        entries: Mapping[str, Sequence[str]],
    ) -> None:
        self.functions = {function.__name__: function for function in functions}
        self.records = records
        self.entries = entries
        self._flattened: dict[tuple[str, str], list[_Flattened]] = {}
        self._used: dict[Callable[..., Any], Mapping[str, set[str]]] = {}

    def template(self, name: str) -> Template:
        """A function without records and phases."""
        return _Member(self, name)

    def flat(self, function: str, name: str, flags: Mapping[str, bool]) -> Template:
        """The same under a name, without what flags exclude: phases there are not even read."""
        made = self._flattened.setdefault((function, name), [])
        for asked, template in made:
            if all(flags.get(flag) is value for flag, value in asked.items()):
                return template
        asked, node = self._flat(self.functions[function], name, flags)
        template = Template(name, lambda: node)
        del made[_KEPT:]
        made.insert(0, (asked, template))
        return template

    def called(self, caller: Callable[..., Any], node: ast.AST) -> Callable[..., Any] | None:
        """The template that a call is of, or None."""
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
            return None
        name = node.func.id
        found = caller.__globals__.get(name)
        known = hasattr(found, "is_phase") or found in _JUMPS
        return found if known else self.functions.get(name)

    def used(self, function: Callable[..., Any]) -> Mapping[str, set[str]]:
        """Fields that a function uses of each of its records."""
        if function not in self._used:
            taken = {name: set[str]() for name in parameters(function) if name in self.records}
            made = {name: set[str]() for name in taken}
            for node in walk(template_of(function).node):
                self._use(function, node, taken, made)
            for name, fields in made.items():
                taken[name] -= fields
            self._used[function] = taken  # whole: Ctrl-C may come at any moment before
        return self._used[function]

    def _use(
        self,
        function: Callable[..., Any],
        node: ast.AST,
        taken: Mapping[str, set[str]],
        made: Mapping[str, set[str]],
    ) -> None:
        """Note what a part of a function uses, and what it makes and is not given."""
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if node.value.id in taken:
                into = made if isinstance(node.ctx, ast.Store) else taken
                into[node.value.id].add(node.attr)
        elif isinstance(node, ast.Call):
            callee = self.called(function, node)
            for arg in node.args:
                if isinstance(arg, ast.Name) and arg.id in taken:
                    whole = set(self.records[arg.id].fields)
                    uses = whole if callee is None else self.used(callee).get(arg.id, set())
                    taken[arg.id].update(uses)

    def names(self, function: Callable[..., Any], parameter: str) -> list[str]:
        """What a parameter of a function stands for."""
        record = self.records.get(parameter)
        if record is None:
            return [parameter]
        used = self.used(function)[parameter]
        return [name for field, name in record.fields.items() if field in used]

    def scope(self, function: Callable[..., Any]) -> Mapping[str, Record]:
        """Records that a function may name: those that it takes, or what the loop itself makes."""
        taken = parameters(function)
        return {
            name: record
            for name, record in self.records.items()
            if name in taken or not record.args
        }

    def _flat(
        self, function: Callable[..., Any], name: str, flags: Mapping[str, bool]
    ) -> tuple[Mapping[str, bool | None], ast.FunctionDef]:
        """The flags that were asked for, with what they are, and the tree."""
        node = template_of(function).node
        names = list(self.entries.get(function.__name__, ()))
        if not names:
            names = [name for given in parameters(function) for name in self.names(function, given)]
        args = ast.arguments(
            posonlyargs=[],
            args=[ast.arg(name) for name in names],
            kwonlyargs=[],
            kw_defaults=[],
            defaults=node.args.defaults,
        )
        flattening = _Flattening(self, function, flags, {})
        body = flattening.block(node.body) or [ast.Pass()]
        return flattening.asked, ast.FunctionDef(name, args, body, [])


def parameters(function: Callable[..., Any]) -> list[str]:
    """Names of the parameters."""
    return [arg.arg for arg in template_of(function).node.args.args]


class _Member(Template):
    """A template of a family, with some flags and words filled in.

    Flags are filled in before phases are put in place, since most of a loop goes with them.
    """

    def __init__(
        self, family: Family, function: str, name: str = "", known: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(name or function, self._whole)
        self._family = family
        self._function = function
        self._known = known or {}

    def folded(self, values: Mapping[str, Any], name: str = "") -> Template:
        known = {**values, **self._known}
        return _Member(self._family, self._function, name or self.name, known)

    def _flat(self, values: Mapping[str, Any]) -> Template:
        flags = {flag: value for flag, value in values.items() if isinstance(value, bool)}
        return self._family.flat(self._function, self.name, flags)

    def _whole(self) -> ast.FunctionDef:
        flat = self._flat(self._known)
        return flat.folded(self._known).node if self._known else flat.node

    def _filled(self, values: Mapping[str, Any], number: str) -> tuple[str, frozenset[str]]:
        known = {**values, **self._known}
        return self._flat(known)._filled(known, number)


class _Flattening(Rewriting):
    """One template, without the records that it takes and the phases that it calls."""

    def __init__(
        self,
        family: Family,
        function: Callable[..., Any],
        flags: Mapping[str, bool],
        asked: dict[str, bool | None],
    ) -> None:
        self.family = family
        self.function = function
        self.flags = flags
        self.asked = asked  # flags that a test has named, with what they are
        self.records = family.scope(function)

    def block(self, body: list[ast.stmt]) -> list[ast.stmt]:
        return [line for statement in body for line in self._statement(statement)]

    def _statement(self, node: ast.stmt) -> list[ast.stmt]:
        if isinstance(node, ast.If):
            taken = self._taken(node.test)
            if taken is not None:
                return self.block(node.body if taken else node.orelse)
            test, body = self.rewritten(node.test), self._within(node)
            return [ast.If(test, body, self.block(node.orelse))]
        if isinstance(node, ast.While):
            return [ast.While(self.rewritten(node.test), self._within(node), node.orelse)]
        if isinstance(node, ast.For):
            target, within = self.rewritten(node.target), self.rewritten(node.iter)
            return [ast.For(target, within, self._within(node), node.orelse)]
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            callee = self.family.called(self.function, node.value)
            if callee in _JUMPS:
                return [_JUMPS[callee]()]
            if callee is not None and hasattr(callee, "is_phase"):
                return self._phase(callee, node.value)
        return [self.rewritten(node)]

    def _taken(self, test: ast.expr) -> bool | None:
        """Whether the arm of a flag is taken; None if the test is of something else."""
        flag, way = flag_in(test)
        known = self.asked[flag] = self.flags.get(flag)
        return known if known is None else known is way

    def _within(self, node: ast.If | ast.While | ast.For) -> list[ast.stmt]:
        return self.block(node.body) or [ast.Pass()]

    def _phase(self, phase: Callable[..., Any], call: ast.Call) -> list[ast.stmt]:
        """The lines of a phase, which is given what its parameters say."""
        given = [arg.id if isinstance(arg, ast.Name) else "?" for arg in call.args]
        wanted = parameters(phase)
        if given != wanted:
            msg = f"phase {phase.__name__} takes {wanted}, {self.function.__name__} gives {given}"
            raise AssertionError(msg)
        node = template_of(phase).node
        body = node.body[1:] if ast.get_docstring(node, clean=False) is not None else node.body
        return _Flattening(self.family, phase, self.flags, self.asked).block(body)

    def replaced(self, node: ast.AST) -> ast.AST | None:
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            record = self.records.get(node.value.id)
            return None if record is None else ast.Name(record.fields[node.attr], node.ctx)
        if isinstance(node, ast.Call):
            callee = self.family.called(self.function, node)
            args = [new for arg in node.args for new in self._argument(callee, arg)]
            return ast.Call(self.rewritten(node.func), args, node.keywords)
        return node if isinstance(node, ast.Name | ast.Constant) else None

    def _argument(self, callee: Callable[..., Any] | None, arg: ast.expr) -> list[ast.expr]:
        if isinstance(arg, ast.Name) and arg.id in self.records:
            if callee is None:
                names = list(self.records[arg.id].fields.values())
            else:
                names = self.family.names(callee, arg.id)
            return [ast.Name(name, ast.Load()) for name in names]
        return [self.rewritten(arg)]
