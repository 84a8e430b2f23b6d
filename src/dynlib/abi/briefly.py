"""The lock around what all threads share and change in a few instructions."""

from __future__ import annotations

import os
from threading import RLock

__all__ = ["BRIEFLY"]

BRIEFLY = RLock()
"""Nobody waits for anything, or calls what a user wrote, while holding it."""

if hasattr(os, "register_at_fork"):  # a child never finds it held by a thread that it lacks
    os.register_at_fork(
        before=BRIEFLY.acquire, after_in_parent=BRIEFLY.release, after_in_child=BRIEFLY.release
    )
