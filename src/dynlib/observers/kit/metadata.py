"""Who observed a run, as plain data: for receipts, and to tell one batch from another."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from dynlib.observers.kit.combined import CombinedObserver

__all__ = ["deciding", "describe", "names_of"]

_LENGTH = 16  # characters of a signature
_FOR_READERS = ("kind", "interval")  # follow from the rest; older receipts do not have them


@lru_cache(maxsize=16)  # for one and the same combination, run again and again
def describe(combined: CombinedObserver | None, after: float = 0) -> tuple[dict[str, Any], ...]:
    """Name, type, kind and signature of each observer, and what it traces.

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
            "kind": observer.analysis_kind,
            "trace": repr(part.trace.plan) if part.trace.width else "",
            "interval": part.trace.record_interval() if part.trace.width else None,
            "most_rows": part.trace.plan.most if part.trace.width else None,
            "ends_runs": part.stops,
            "after": after,
        }
        for observer, part in zip(combined.observers, combined.parts, strict=True)
    )


def deciding(metadata: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What decides whether two observers are the same one."""
    return [
        {key: value for key, value in each.items() if key not in _FOR_READERS} for each in metadata
    ]


def names_of(metadata: Iterable[Mapping[str, Any]]) -> str:
    """Names of the observers, for a sentence."""
    return ", ".join(repr(each["name"]) for each in metadata)


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:_LENGTH]
