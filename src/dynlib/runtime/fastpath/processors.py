"""Threads, and the processors they run on."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

__all__ = ["cores", "places", "stay_on", "staying_on"]


def places(n: int) -> Sequence[set[int]]:
    """The processors for each of n threads: one for each, if there are as many of both.

    Threads that wake each other are at times put on one processor, where they wait for each other
    for milliseconds while another one is idle.
    """
    if not hasattr(os, "sched_getaffinity"):
        return [set()] * n  # not on Linux: where a thread runs is the system's business
    allowed = os.sched_getaffinity(0)
    return [{each} for each in sorted(allowed)] if n == len(allowed) else [allowed] * n


@contextmanager
def staying_on(processors: set[int]) -> Iterator[None]:
    """Keep this thread on these processors for a while, if there is a choice."""
    if not processors:
        yield
        return
    before = os.sched_getaffinity(0)
    stay_on(processors)
    try:
        yield
    finally:
        stay_on(before)


def stay_on(processors: set[int]) -> None:
    """Keep this thread on these processors from now on; none: where the system likes."""
    if processors:
        with suppress(OSError):  # what a container forbids is no reason not to compute
            os.sched_setaffinity(0, processors)


def cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
