"""Calls of one elementary function that do not wait for each other, made as one for a vector.

This is for single runs, which have no lanes that would fill vectors.  It is done before LLVM sees
the instructions, in a time that grows as their number.  LLVM's own search for vectors begins where
results are stored, and finds few calls that are far from there.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass

__all__ = ["grouped"]

_WIDTH = 4
_KIND = f"<{_WIDTH} x double>"
_NAME = re.compile(r"%v\d+")
_RESULT = re.compile(r"  (%v\d+) = (\w+)")
_CALL = re.compile(r"  %v\d+ = call double @([\w.]+)\(([^)]*)\)")
_OPERANDS = re.compile(r"double (\S+?)(?:,|$)")
_MOVABLE = frozenset(
    {
        *("fadd", "fsub", "fmul", "fdiv", "fneg", "frem", "fcmp", "icmp", "select"),
        *("add", "sub", "mul", "and", "or", "xor", "shl", "lshr", "ashr"),
        *("sitofp", "uitofp", "fptosi", "fptrunc", "fpext", "zext", "sext", "trunc", "bitcast"),
        *("getelementptr", "extractvalue", "insertvalue"),
    }
)


def grouped(lines: Sequence[str], elementary: Container[str]) -> list[str]:
    """The instructions of a block, with calls of these functions in groups.

    An instruction is moved only where nothing that could have effects stands between.
    """
    found: list[str] = []
    stretch: list[str] = []
    for line in lines:
        if _movable(line, elementary):
            stretch.append(line)
        else:
            found += [*_Stretch(stretch, elementary).lines(), line]
            stretch = []
    return found + _Stretch(stretch, elementary).lines()


def _movable(line: str, elementary: Container[str]) -> bool:
    """Whether an instruction neither writes memory nor must stay where it is."""
    result = _RESULT.match(line)
    if result is None:
        return False
    word = result[2]
    if word == "load":
        return "volatile" not in line
    if word == "call":
        return "@llvm.fma." in line or "@llvm.fabs." in line or _called(line, elementary) != ""
    return word in _MOVABLE


def _called(line: str, elementary: Container[str]) -> str:
    call = _CALL.match(line)
    return call[1] if call is not None and call[1] in elementary else ""


@dataclass
class _Instruction:
    """A line, the places of those it needs, and how many calls stand one before the other to it."""

    line: str
    needs: list[int]
    level: int
    called: str


class _Stretch:
    """Instructions that may change places as far as each has what it needs."""

    def __init__(self, lines: Sequence[str], elementary: Container[str]) -> None:
        self._all: list[_Instruction] = []
        self._given: list[str] = []
        self._done: set[int] = set()
        places: dict[str, int] = {}
        for i, line in enumerate(lines):
            result, *operands = _NAME.findall(line)
            needs = [places[name] for name in dict.fromkeys(operands) if name in places]
            before = [self._all[j] for j in needs]
            level = max((each.level + bool(each.called) for each in before), default=0)
            self._all.append(_Instruction(line, needs, level, _called(line, elementary)))
            places[result] = i

    def lines(self) -> list[str]:
        """The instructions in their new order."""
        for group in self._groups():
            for i in group:
                self._give(self._all[i].needs)
            self._given += _one_call([self._all[i].line for i in group])
            self._done.update(group)
        self._give(range(len(self._all)))
        return self._given

    def _groups(self) -> Iterator[list[int]]:
        """Places of calls that are made as one; what others wait for comes first."""
        alike: Mapping[tuple[int, str], list[int]] = defaultdict(list)
        for i, each in enumerate(self._all):
            if each.called:
                alike[each.level, each.called].append(i)
        for key in sorted(alike, key=lambda key: (key[0], alike[key][0])):
            places = alike[key]
            for i in range(0, len(places), _WIDTH):
                yield places[i : i + _WIDTH]

    def _give(self, places: Sequence[int]) -> None:
        """Write these instructions, each after those that it needs."""
        waiting = list(reversed(places))
        while waiting:
            i = waiting[-1]
            missing = [j for j in self._all[i].needs if j not in self._done]
            if i in self._done or not missing:
                waiting.pop()
                if i not in self._done:
                    self._done.add(i)
                    self._given.append(self._all[i].line)
            else:
                waiting += reversed(missing)


def _one_call(lines: Sequence[str]) -> list[str]:
    """One call of the form for vectors; where there are fewer, the last one fills it up."""
    if len(lines) == 1:
        return list(lines)
    calls = [_CALL.match(line) for line in lines]
    results = [line.split(" = ")[0].strip() for line in lines]
    first = results[0]
    given = [_OPERANDS.findall(call[2]) for call in calls if call is not None]
    given += [given[-1]] * (_WIDTH - len(given))
    name = calls[0][1] if calls[0] is not None else ""
    found, wide = [], []
    for k, operands in enumerate(zip(*given, strict=True)):
        whole = "poison"
        for i, operand in enumerate(operands):
            place = f"{first}.x{k}.{i}"
            found.append(f"  {place} = insertelement {_KIND} {whole}, double {operand}, i32 {i}")
            whole = place
        wide.append(f"{_KIND} {whole}")
    found.append(f"  {first}.all = call {_KIND} @{name}.{_WIDTH}({', '.join(wide)})")
    return found + [
        f"  {result} = extractelement {_KIND} {first}.all, i32 {i}"
        for i, result in enumerate(results)
    ]
