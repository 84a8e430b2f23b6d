"""Results as tables of other libraries."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dynlib.errors import MissingExtraError
from dynlib.runtime.naming import TIME, in_files, unlike
from dynlib.runtime.observed import (
    ObservedVariable,
    derived_variables,
    index_labels,
    layout_of_results,
    observed_variables,
    renamed_dims,
)

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from dynlib.runtime.event_log import Event
    from dynlib.runtime.results import Results

__all__ = ["event_table", "to_pandas", "to_xarray", "variable"]


def to_xarray(results: Results) -> xr.Dataset:
    """A Dataset over ``time``, with what observers found, and the receipt as attributes."""
    try:
        import xarray as xr
    except ImportError as error:
        raise MissingExtraError("data", "to_xarray()") from error
    time = (TIME, results.t, {"long_name": "iteration" if results.is_map else "time"})
    variables: dict[str, Any] = {variable(name): (TIME, results[name]) for name in results.names}
    coords: dict[str, Any] = {TIME: time}
    found = _observed(results)
    dims = renamed_dims(found, taken=(*variables, TIME))
    labels = {dims[dim]: names for dim, names in index_labels(found).items()}
    coords |= {dim: (dim, list(names)) for dim, names in labels.items()}
    taken = (*variables, TIME, *dims.values())
    for each, name in zip(found, unlike([each.name for each in found], taken), strict=True):
        own = tuple(dims[label] for label, _ in each.dims)
        variables[name] = (own, each.values(results.observers), each.attrs)
    return xr.Dataset(variables, coords=coords, attrs=_attributes(results))


def to_pandas(results: Results) -> pd.DataFrame:
    """A DataFrame indexed by time; ``attrs`` has outputs of observers, model and receipt."""
    pandas = _pandas()
    index = pandas.Index(results.t, name=results.time_name)
    frame = pandas.DataFrame({name: results[name] for name in results.names}, index=index)
    numbers = {
        each.name: each.values(results.observers).tolist()
        for each in _observed(results)
        if not each.is_trace
    }
    frame.attrs = numbers | _attributes(results)
    return frame


def _observed(results: Results) -> list[ObservedVariable]:
    """What observers found, and what follows from it."""
    members = layout_of_results(results.observers).members
    return [*observed_variables(members), *derived_variables(members)]


def _pandas() -> Any:
    try:
        import pandas as pd
    except ImportError as error:
        raise MissingExtraError("data", "to_pandas()") from error
    return pd


def event_table(event: Event) -> pd.DataFrame:
    """A DataFrame of the firings of an event, of a batch with the number of the run."""
    pandas = _pandas()
    of_map = event.t.dtype.kind == "i"
    index = pandas.Index(event.t, name="n" if of_map else "t")
    fixed = ("run", "step") if hasattr(event, "run") else ("step",)
    columns = {name: getattr(event, name) for name in fixed}
    columns |= {in_files(name, (*fixed, index.name)): event[name] for name in event.columns}
    return pandas.DataFrame(columns, index=index)


def variable(name: str) -> str:
    """The name of a recorded variable in a Dataset."""
    return in_files(name)


def _attributes(results: Results) -> dict[str, Any]:
    """The receipt as text and numbers, which every file format can hold.

    ``receipt`` is the whole of it as JSON; what a reader looks for first stands beside it.
    """
    receipt = results.receipt
    model: Mapping[str, Any] = receipt["model"]
    return {
        "model": model["name"],
        "model_hash": model["hash"],
        "kind": model["kind"],
        "stepper": receipt["stepper"],
        "status": results.status.name,
        "message": results.message,
        "final_dt": results.final_dt,
        "receipt": json.dumps(receipt),
    }
