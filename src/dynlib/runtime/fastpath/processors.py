"""Threads and processors."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

__all__ = ["processor"]


@contextmanager
def processor(i: int, n: int) -> Iterator[None]:
    """Keep this thread, the i-th of n, on the i-th processor, if there are as many of both.

    Threads that wake each other are at times put on one processor, where they wait for each other
    for milliseconds while another one is idle.  Where a thread goes afterwards is the system's
    business again.
    """
    before = _allowed()
    if n == 1 or n != len(before):
        yield
        return
    _allow({sorted(before)[i]})
    try:
        yield
    finally:
        _allow(before)


def _allowed() -> set[int]:
    """The processors on which this thread may run; none where the system does not tell."""
    return os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()


def _allow(processors: set[int]) -> None:
    with suppress(OSError):  # what a container forbids is no reason not to compute
        os.sched_setaffinity(0, processors)
