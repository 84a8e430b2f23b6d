"""What an observer found, by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dynlib.errors import UnknownNameError
from dynlib.suggest import did_you_mean

__all__ = ["Check", "ObserverResult"]

Array = NDArray[Any]
_SHOWN = 6  # numbers of a vector in a repr


class Check(NamedTuple):
    """Something that may look wrong about a result, of one run or of many at once.

    Attributes
    ----------
    found
        Whether it does; in a batch for each run.
    say
        The sentence about a run, given its index in arrays over the runs; ``()`` is the only one.
    """

    found: Any
    say: Callable[[Any], str]


class ObserverResult(Mapping[str, Any]):
    """Named outputs of one observer, its trace, and what there is to say about them.

    ``res.observers["features"].max`` and ``["max"]`` are the same: a number, or a vector.  In a
    batch every output has a first axis over the runs.

    Attributes
    ----------
    name : str
        Name of the observer.
    trace : array, shape (n_rows, n_columns)
        Rows that it kept; in a batch (n_runs, n_rows, n_columns), NaN after the last row of a run.
    trace_time : array, shape (n_rows,)
        Their times; in a batch (n_runs, n_rows).
    columns : tuple of str
        Names of the columns of the trace.
    facts : mapping
        What else is known, as plain data.
    n_runs : int or None
        Runs of a batch; None for a single run.
    """

    types: ClassVar[dict[str, type[ObserverResult]]] = {}
    whole: ClassVar[frozenset[str]] = frozenset()
    """Outputs that are whole numbers: counts."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        ObserverResult.types[cls.__name__] = cls

    def __init__(
        self,
        name: str,
        outputs: Mapping[str, Array],
        *,
        trace: Array | None = None,
        trace_time: Array | None = None,
        columns: tuple[str, ...] = (),
        facts: Mapping[str, Any] | None = None,
        n_runs: int | None = None,
        ok: Array | None = None,
    ) -> None:
        self.name = name
        self._outputs = {n: _counts(v) if n in self.whole else v for n, v in outputs.items()}
        self.columns = columns
        self.facts = dict(facts or {})
        self.n_runs = n_runs
        self._ok = np.ones(n_runs or 0, dtype=np.bool_) if ok is None else ok
        shape = () if n_runs is None else (n_runs,)
        self.trace = np.empty((*shape, 0, len(columns))) if trace is None else trace
        self.trace_time = np.empty((*shape, 0)) if trace_time is None else trace_time

    # -- by name ------------------------------------------------------------------------------

    def __getitem__(self, name: str) -> Any:
        if name in self._outputs:
            return self._outputs[name]
        if name in self.columns:
            return self.trace[..., self.columns.index(name)]
        known = (*self._outputs, *self.columns)
        raise UnknownNameError(
            f"observer {self.name!r} has no output {name!r}. There are: "
            f"{', '.join(known) or 'none'}.{did_you_mean(str(name), known)}"
        )

    def __getattr__(self, name: str) -> Any:
        outputs = self.__dict__.get("_outputs", {})
        if name in outputs:
            return outputs[name]
        known = (*outputs, "trace", "trace_time")
        raise AttributeError(
            f"observer {self.__dict__.get('name')!r} has no {name!r}. There are: "
            f"{', '.join(known)}.{did_you_mean(name, known)}",
            name=name,
            obj=None,  # else Python, which prints the message, guesses once more
        )

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._outputs]

    @property
    def arrays(self) -> dict[str, Array]:
        """Outputs as plain arrays, by name."""
        return dict(self._outputs)

    @classmethod
    def derived(cls, sizes: Mapping[str, int], facts: Mapping[str, Any]) -> dict[str, int]:
        """Properties that belong into tables as outputs do, and their sizes.

        Parameters
        ----------
        sizes, facts
            Of the outputs (0 is a number), and what else the result will know.
        """
        return {}

    @property
    def sizes(self) -> dict[str, int]:
        """Sizes of the outputs and of what is `derived`; 0 is a number."""
        over_runs = 0 if self.n_runs is None else 1
        own = {n: np.shape(v)[-1] if np.ndim(v) > over_runs else 0 for n, v in self.arrays.items()}
        return own | self.derived(own, self.facts)

    def numbers(self, name: str) -> Array:
        """An output, or what is `derived`; NaN where there is too little to derive it from."""
        return np.asarray(self._outputs[name] if name in self._outputs else getattr(self, name))

    def __iter__(self) -> Iterator[str]:
        return iter(self._outputs)

    def __len__(self) -> int:
        return len(self._outputs)

    def of_run(self, index: int) -> ObserverResult:
        """The result of one run of a batch."""
        assert self.n_runs is not None
        times = self.trace_time[index]
        rows = int(np.count_nonzero(~np.isnan(times)))
        return type(self)(
            self.name,
            {name: values[index] for name, values in self._outputs.items()},
            trace=self.trace[index, :rows],
            trace_time=times[:rows],
            columns=self.columns,
            facts=self.facts,
        )

    # -- what to say --------------------------------------------------------------------------

    @property
    def flags(self) -> tuple[str, ...]:
        """Sentences about what looks wrong; none if nothing does.

        In a batch they say in how many runs it does, and are about the first of these.  Runs that
        failed are left out.
        """
        sentences = []
        for found, say in self._checks():
            if self.n_runs is None:
                sentences += [say(())] if found else []
                continue
            runs = np.flatnonzero(found & self._ok)
            if runs.size:
                which = f"run {runs[0]}" if runs.size == 1 else f"first in run {runs[0]}"
                sentences.append(f"in {runs.size} of {self.n_runs} runs, {which}: {say(runs[0])}")
        return tuple(sentences)

    def _checks(self) -> Iterable[Check]:
        """What flags are made of."""
        return ()

    def _is_nan(self, name: str) -> Any:
        """Whether an output is NaN or, of a vector, one of its numbers; False if there is none."""
        if name not in self._outputs:
            return np.zeros(() if self.n_runs is None else self.n_runs, dtype=np.bool_)
        values = np.isnan(self._outputs[name])
        return values.any(axis=-1) if values.ndim > (self.n_runs is not None) else values

    def _lines(self) -> list[str]:
        """Lines of the repr after the first."""
        ok = None if self.n_runs is None else self._ok
        return [f"{name} = {_shown(values, ok)}" for name, values in self._outputs.items()]

    def __repr__(self) -> str:
        lines = self._lines()
        if self.columns:
            where = f"{self.trace.shape[-2]} rows of {', '.join(self.columns)}"
            lines.append(f"trace: {where}")
        failed = 0 if self.n_runs is None else self.n_runs - int(self._ok.sum())
        if failed:
            lines.append(
                f"ranges leave out {failed} {'run' if failed == 1 else 'runs'} that failed"
            )
        lines += [f"look twice: {flag}" for flag in self.flags]
        runs = "" if self.n_runs is None else f", {self.n_runs} runs"
        return "\n".join([f"<{self.name}{runs}", *(f"  {line}" for line in lines)]) + ">"


def _counts(values: Any) -> Any:
    """Whole numbers; 0 for a run that never began."""
    counts = np.where(np.isfinite(values), values, 0).astype(np.int64)
    return int(counts) if counts.ndim == 0 else counts


def _shown(values: Any, ok: Array | None = None) -> str:
    """A number, a few of them, or the range of many; of a batch over the runs that are `ok`."""
    array = np.asarray(values)
    if array.ndim == 0:
        return f"{array:.8g}"
    if array.size > _SHOWN:
        good = array if ok is None else array[ok]
        good = good[np.isfinite(good)] if good.dtype.kind == "f" else good
        span = f", {good.min():.6g} to {good.max():.6g}" if good.size else ""
        return f"array {array.shape}{span}"
    return np.array2string(array, precision=8, separator=", ").replace("\n", " ")


ObserverResult.types["ObserverResult"] = ObserverResult
