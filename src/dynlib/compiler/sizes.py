"""Sizes at which texts and their translation change form together."""

from __future__ import annotations

__all__ = ["MANY", "SHARE_FROM"]

MANY = 32
"""Numbers of a tuple that is no long one yet; a longer one lies in memory."""

SHARE_FROM = 6_000
"""Names in elementary functions that are put in place; beyond them they are called."""
