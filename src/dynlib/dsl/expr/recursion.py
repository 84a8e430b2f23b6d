"""Recursion with the stack on the heap, so that no depth can exhaust Python's own."""

from __future__ import annotations

from collections.abc import Generator
from types import GeneratorType
from typing import Any, TypeVar

T = TypeVar("T")


def trampoline(task: Generator[Any, Any, T]) -> T:
    """Run a task; where it yields another task, run that first and send it the result.

    Anything else that it yields is sent back: what is known at once needs no task.

    Examples
    --------
    >>> def depth(n):
    ...     return 0 if n == 0 else 1 + (yield depth(n - 1))
    >>> trampoline(depth(100_000))
    100000
    """
    stack: list[Generator[Any, Any, Any]] = [task]
    value: Any = None
    while True:
        try:
            child = stack[-1].send(value)
        except StopIteration as done:
            stack.pop()
            value = done.value
            if not stack:
                result: T = value
                return result
        else:
            if isinstance(child, GeneratorType):
                stack.append(child)
                value = None
            else:
                value = child
