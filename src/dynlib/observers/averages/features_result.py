"""What `features` found: for each kind, a number for each quantity."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynlib.errors import UnknownNameError
from dynlib.observers.kit.result import Check, ObserverResult
from dynlib.suggest import did_you_mean

__all__ = ["FeaturesResult", "QuantityValues"]


class QuantityValues(Mapping[str, Any]):
    """Numbers by name; in a batch, arrays of shape (n_runs,).

    Attributes
    ----------
    array : array, shape (n_names,) or (n_runs, n_names)
    """

    def __init__(
        self, what: str, names: tuple[str, ...], array: NDArray[Any], ok: Any = slice(None)
    ) -> None:
        self._what, self._names, self.array, self._ok = what, names, array, ok

    def __getitem__(self, name: str) -> Any:
        given = name
        if name not in self._names and f"aux.{name}" in self._names:
            given = f"aux.{name}"
        if given not in self._names:
            raise UnknownNameError(
                f"no {self._what} of {name!r} was asked for. There are: "
                f"{', '.join(self._names)}.{did_you_mean(str(name), self._names)}"
            )
        found = self.array[..., self._names.index(given)]
        return float(found) if found.ndim == 0 else found

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __repr__(self) -> str:
        if self.array.ndim == 1:
            return ", ".join(
                f"{n} {x:.8g}" for n, x in zip(self._names, self.array.tolist(), strict=True)
            )
        return ", ".join(f"{name} {_span(self[name][self._ok])}" for name in self._names)


def _span(values: NDArray[Any]) -> str:
    good = values[np.isfinite(values)]
    return f"{good.min():.6g} to {good.max():.6g}" if good.size else "none"


class FeaturesResult(ObserverResult):
    """``o.max["x"]``, ``o["mean_error"]["E"]``: each kind is a mapping from names to numbers."""

    def __getitem__(self, name: str) -> Any:
        found = super().__getitem__(name)
        return QuantityValues(name, tuple(self.facts["quantities"]), found, self._ok)

    def __getattr__(self, name: str) -> Any:
        return (
            self[name] if name in self.__dict__.get("_outputs", {}) else super().__getattr__(name)
        )

    def _checks(self) -> Iterable[Check]:
        """Whether the run is long enough for standard errors."""
        bare = np.logical_or(self._is_nan("mean_error"), self._is_nan("variance_error"))
        lost = np.logical_or(self._is_nan("mean"), self._is_nan("variance"))
        yield Check(bare & ~lost, lambda run: "the run is too short for standard errors.")

    def _lines(self) -> list[str]:
        return [f"{kind}: {self._line(kind)}" for kind in self if not self._is_error(kind)]

    def _is_error(self, kind: str) -> bool:
        """Whether this kind stands behind the ± of another."""
        beside = kind.removesuffix("_error") in self
        return kind.endswith("_error") and beside and self.n_runs is None

    def _line(self, kind: str) -> str:
        error = f"{kind}_error"
        if self.n_runs is not None or error not in self:
            return repr(self[kind])
        values, errors = self[kind], self[error]
        return ", ".join(f"{n} {x:.6g} ± {errors[n]:.2g}" for n, x in values.items())
