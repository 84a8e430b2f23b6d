"""The lock around what all threads share and change in a few instructions."""

from __future__ import annotations

from threading import RLock

from dynlib.abi.forks import whole_after_fork

__all__ = ["BRIEFLY"]

BRIEFLY = whole_after_fork(RLock(), level=3)
"""Nobody waits for anything, or calls what a user wrote, while holding it."""
