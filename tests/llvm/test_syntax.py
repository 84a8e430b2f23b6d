"""Texts are parsed in any number of threads, also beside a program that parses its own."""

import ast
import gc
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Event

import pytest

from dynlib.compiler.syntax import parse

TEXT = "def f(x):\n" + "".join(f"    y{i} = x * {i} + (x - {i}) ** 2\n" for i in range(60))


@pytest.fixture
def many_turns() -> Iterator[None]:
    """Threads change while trees are built: garbage is collected often, and lets others run."""

    def let_others(phase: str, info: dict[str, int]) -> None:
        time.sleep(0)

    often, gc_callbacks = gc.get_threshold(), gc.callbacks
    gc_callbacks.append(let_others)
    gc.set_threshold(50)
    yield
    gc.set_threshold(*often)
    gc_callbacks.remove(let_others)


def test_trees_in_many_threads(many_turns: None) -> None:
    over = Event()

    def by_the_program() -> None:
        while not over.is_set():
            with suppress(SystemError):  # Python's own, which is why `parse` exists
                ast.parse(TEXT)

    with ThreadPoolExecutor(4) as threads:
        beside = threads.submit(by_the_program)
        trees = [threads.submit(parse, TEXT) for _ in range(40)]
        try:
            assert {ast.unparse(tree.result()) for tree in trees} == {TEXT.strip()}
        finally:
            over.set()
        beside.result()


def test_what_cannot_be_parsed() -> None:
    with pytest.raises(SyntaxError):
        parse("x = = 1")
