"""The page about runners names what there is, and its translation is not behind."""

from __future__ import annotations

import ast
import hashlib
import re
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "dynlib"
ENGLISH = ROOT / "docs" / "runner-types.md"
TURKISH = ROOT / "docs" / "runner-types.tr.md"
PAGES = [ENGLISH, TURKISH]
CODE = re.compile(r"```.*?```", re.DOTALL)
NAME = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
COMMANDS = {"dynlib cache list"}
WORDS_OF_PYTHON = {"if", "jit=False"}


class _Names(ast.NodeVisitor):
    """All names of the package, and those that belong to a class or a module."""

    def __init__(self) -> None:
        self.all: set[str] = set()
        self.members: dict[str, set[str]] = defaultdict(set)
        self._within: list[str] = []

    def module(self, path: Path) -> None:
        self._within = [path.stem]
        self.all.add(path.stem)
        self.visit(ast.parse(path.read_text(encoding="utf-8")))

    def _add(self, name: str) -> None:
        self.all.add(name)
        self.members[self._within[-1]].add(name)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._add(node.name)
        self._within.append(node.name)
        for base in node.bases:
            if isinstance(base, ast.Name):
                self.members[node.name].add(f"<{base.id}")
        self.generic_visit(node)
        self._within.pop()

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._add(node.name)
        self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Store):
            self._add(node.id)
        self.all.add(node.id)

    def visit_arg(self, node: ast.arg) -> None:
        self.all.add(node.arg)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str) and NAME.fullmatch(node.value):
            self.all.add(node.value)  # names in generated text, slots, folders


@cache
def names() -> _Names:
    found = _Names()
    for path in sorted(SOURCE.rglob("*.py")):
        found.module(path)
    return found


def exists(word: str) -> bool:
    """Whether a word in backticks stands for something that there is."""
    if word in COMMANDS | WORDS_OF_PYTHON:
        return True
    if "/" in word:
        return (ROOT / word).exists()
    if word.endswith(".py"):
        return any(SOURCE.rglob(word))
    word = re.sub(r"\([^()]*\)$", "", word)
    if not NAME.fullmatch(word):
        return False
    *owners, last = word.split(".")
    known = names()
    if not owners:
        return last in known.all
    if owners[-1] in known.members and last not in _of(owners[-1]):
        return False
    return all(part in known.all for part in (*owners, last))


def _of(owner: str) -> set[str]:
    """Members of a class or module, those of base classes included."""
    own = names().members[owner]
    inherited = [_of(name[1:]) for name in own if name.startswith("<") and name[1:] != owner]
    return own.union(*inherited)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_name_on_the_page_exists(page: Path) -> None:
    words = re.findall(r"`([^`]+)`", CODE.sub("", page.read_text(encoding="utf-8")))
    assert len(set(words)) > 60
    assert sorted({word for word in words if not exists(word)}) == []


def test_names_that_do_not_exist_are_found() -> None:
    for word in ("src/dynlib/runtime/no.py", "no_such.py", "no_such_name", "Results.no_such_dt"):
        assert not exists(word)
    for word in ("Results.final_dt", "RecordingPlan.capacity", "analysis.trace.record_interval()"):
        assert exists(word)
    assert not exists("runner_variants.run_it")


def test_the_translation_is_not_behind() -> None:
    """After a change of the English page: translate it, then put the new hash there."""
    digest = hashlib.sha256(ENGLISH.read_bytes()).hexdigest()[:16]
    head = re.match(r"---\n(.*?)\n---\n", TURKISH.read_text(encoding="utf-8"), re.DOTALL)
    assert head
    assert f"english: {digest}" in head[1].splitlines()


def test_both_pages_have_the_same_parts_and_code() -> None:
    texts = [page.read_text(encoding="utf-8") for page in PAGES]
    for pattern in (r"^(#+) ", r"^\|", r"^- "):
        counts = [len(re.findall(pattern, text, re.MULTILINE)) for text in texts]
        assert counts[0] == counts[1], pattern
    levels = [re.findall(r"^(#+) ", CODE.sub("", text), re.MULTILINE) for text in texts]
    assert levels[0] == levels[1]
    lines = [re.findall(r"```python\n(.*?)```", text, re.DOTALL) for text in texts]
    plain = [[re.sub(r" *#.*", "", block) for block in blocks] for blocks in lines]
    assert plain[0] == plain[1]


def test_the_turkish_page_is_written_in_turkish_letters() -> None:
    text = TURKISH.read_text(encoding="utf-8")
    assert all(letter in text for letter in "çğıİöşüÇŞ")
