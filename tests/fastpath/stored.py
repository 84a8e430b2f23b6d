"""The batch that the tests of stores share, in parts so small that there are several."""

from collections.abc import Callable
from typing import Any

import numpy as np
from fastpath.batches import sim_of

from dynlib import BatchResults, grid
from dynlib.observers import features, poincare
from dynlib.runtime.batch import run

run._SMALLEST_ON_DISK = 4
CALLS: dict[str, Callable[[], dict[str, Any]]] = {
    "runs": dict,
    "observed": lambda: {"observers": [features("max", "mean"), poincare("x - 0.5")]},
}


def batch_into(out: Any = None, **changes: Any) -> BatchResults:
    """Twenty runs with events, some of which fail: five parts in a store."""
    values = grid(k=np.linspace(1, 30, 5), x=[1.0, 0.8, np.nan, -0.1])
    options: dict[str, Any] = {"T": 1.0, "record_vars": ["x", "n"], "lanes": 4, "workers": 1}
    return sim_of("busy").batch(**{"params": values, **options, **changes}, out=out)
