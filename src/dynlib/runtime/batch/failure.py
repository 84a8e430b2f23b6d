"""Runs of a batch that failed, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dynlib.abi.status import Status
from dynlib.errors import RunFailed

if TYPE_CHECKING:
    from dynlib.runtime.batch.results import BatchResults
    from dynlib.runtime.results import Results

__all__ = ["batch_failure", "endings"]


def endings(status: NDArray[np.int64]) -> dict[Status, int]:
    """How many runs ended in which way, the most frequent first."""
    found, counts = np.unique(status, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    return {Status(int(found[i])): int(counts[i]) for i in order}


def batch_failure(batch: BatchResults, first: Results, bad: NDArray[Any]) -> RunFailed:
    """The error about a batch in which the runs `bad` failed; `first` is the first of them."""
    count = {status: n for status, n in endings(batch.status).items() if not status.ok}
    ways = "; ".join(f"{n}: {status.sentence}" for status, n in count.items())
    index = int(bad[0])
    start = ", ".join(f"{name} = {value:.6g}" for name, value in start_of(batch, index).items())
    where = f"run {index}" + (f" ({start})" if start else "")
    return RunFailed(
        f"{batch.model_name}: {bad.size} of {len(batch)} runs failed ({ways}).\n"
        f"The first is {where}: {first.message}.\n"
        "All runs are in the error's .results; .ok says which ones are right.",
        batch,
        status=first.status,
        t=first.t_final,
        step=first.stats.steps,
        state=first.final,
    )


def start_of(batch: BatchResults, index: int) -> dict[str, Any]:
    """What tells one run from the others: its values of what differs."""
    both = {**batch.params, **batch.ic}
    return {name: value[index] for name, value in both.items() if isinstance(value, np.ndarray)}
