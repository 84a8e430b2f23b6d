"""Texts are parsed in any number of threads, also beside a program that parses its own."""

import ast
import gc
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Thread

import pytest

from dynlib.compiler.syntax import parse

TEXT = "def f(x):\n" + "".join(f"    y{i} = x * {i} + (x - {i}) ** 2\n" for i in range(60))


@contextmanager
def others() -> Iterator[list[int]]:
    """Another thread parses while a tree is built: in the first collections of garbage then."""
    done: list[int] = []

    def let_another(phase: str, info: dict[str, int]) -> None:
        if phase == "start" and len(done) < 60:  # some 20 of them for each tree
            done.append(1)
            other = Thread(target=ast.parse, args=("1",))
            other.start()
            other.join()

    often = gc.get_threshold()
    gc.callbacks.append(let_another)
    gc.set_threshold(50)
    try:
        yield done
    finally:
        gc.set_threshold(*often)
        gc.callbacks.remove(let_another)


def test_trees_beside_those_of_the_program() -> None:
    with others() as done:
        tree = parse(TEXT)
    assert ast.unparse(tree) == TEXT.strip()
    assert done


def test_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    within: list[str] = []
    most = []

    def slow(text: str) -> ast.Module:
        within.append(text)
        most.append(len(within))
        time.sleep(1e-3)
        within.pop()
        return ast.Module([], [])

    with monkeypatch.context() as patched, ThreadPoolExecutor(4) as threads:
        patched.setattr(ast, "parse", slow)
        list(threads.map(parse, ["x"] * 20))
    assert most == [1] * 20


def test_what_cannot_be_parsed() -> None:
    with pytest.raises(SyntaxError):
        parse("x = = 1")
