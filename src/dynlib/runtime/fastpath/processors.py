"""Threads and processors."""

from __future__ import annotations

import os
from contextlib import suppress

__all__ = ["spread"]


def spread(i: int, n: int) -> None:
    """Move this thread, the i-th of n, to the i-th processor, if there are as many of both.

    Threads that start together are at times put on one processor, where they wait for each other
    for milliseconds until the system finds another one idle.  Where a thread goes from here is the
    system's business again.
    """
    if not hasattr(os, "sched_setaffinity"):
        return  # not on Linux
    with suppress(OSError):  # what a container forbids is no reason not to compute
        allowed = os.sched_getaffinity(0)
        if n == len(allowed):
            os.sched_setaffinity(0, {sorted(allowed)[i]})
            os.sched_setaffinity(0, allowed)
