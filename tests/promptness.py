"""How soon an answer comes: asked only of a machine that does nothing else, with ``-m slow``."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeVar

import pytest

Answer = TypeVar("Answer")
TRIES = 5  # a machine that is busy with other things may be late now and then

promises = pytest.mark.parametrize(
    "promised", [math.inf, pytest.param(0.2, marks=pytest.mark.slow)], ids=["at all", "in time"]
)


def in_time(call: Callable[[], tuple[Answer, float]], promised: float = math.inf) -> Answer:
    """What `call` answers, with the seconds that it took: soon enough in one of a few tries."""
    late = []
    for _ in range(TRIES):
        answer, seconds = call()
        if seconds < promised:
            return answer
        late.append(seconds)
    pytest.fail(f"came back after {late} seconds")
