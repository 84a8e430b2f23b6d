"""Who observed a run, as plain data: for receipts, and to tell one batch from another."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from dynlib.observers.combined import CombinedObserver

__all__ = ["describe", "names_of"]

_LENGTH = 16  # characters of a signature


@lru_cache(maxsize=16)  # for one and the same combination, run again and again
def describe(combined: CombinedObserver | None, after: float = 0) -> tuple[dict[str, Any], ...]:
    """Name, type and signature of each observer.

    Parameters
    ----------
    combined
        The observers; None: there are none.
    after
        The first part of the run that they do not see.
    """
    if combined is None:
        return ()
    return tuple(
        {
            "name": observer.label,
            "type": type(observer).__name__,
            "signature": _short(f"{observer.signature()} {sorted(part.expressions.items())}"),
            "trace": repr(part.trace.plan) if part.trace.width else "",
            "most_rows": part.trace.plan.most if part.trace.width else None,
            "ends_runs": part.stops,
            "after": after,
        }
        for observer, part in zip(combined.observers, combined.parts, strict=True)
    )


def names_of(described: Iterable[Mapping[str, Any]]) -> str:
    """Names of the observers, for a sentence."""
    return ", ".join(repr(each["name"]) for each in described)


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:_LENGTH]
