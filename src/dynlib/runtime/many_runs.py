"""The methods of a session that compute runs of their own, and leave the session as it is."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal, overload

from numpy.typing import ArrayLike, NDArray

from dynlib.compiler.model import CompiledModel
from dynlib.runtime.concerns import Concerns
from dynlib.runtime.fastpath.recording_plans import RecordingPlan
from dynlib.runtime.origin import Origin
from dynlib.runtime.results import Results
from dynlib.runtime.starting import Start

if TYPE_CHECKING:
    from dynlib.runtime.batch.results import BatchResults
    from dynlib.runtime.flow.result import Flow

__all__ = ["ManyRuns"]

Array = NDArray[Any]
Values = Mapping[str, float] | ArrayLike


def _batches() -> Any:
    """What batches need, executors of other processes among it: a single run starts without."""
    return import_module("dynlib.runtime.batch.call")


class ManyRuns:
    """The part of `Sim` whose runs start from its values, and neither move nor change it.

    Any number of threads may call these methods at once.
    """

    model: CompiledModel
    _concerns: Concerns
    _origin: Origin
    _flows: Any  # what computes flows, once one has been asked for

    def _values(self) -> Start:
        raise NotImplementedError

    def fastpath(
        self, T: float | None = None, *, N: int | None = None, t0: float | None = None,
        dt: float | None = None, plan: RecordingPlan | None = None, transient: float = 0,
        observers: Sequence[Any] = (), ic: Values | None = None, params: Values | None = None,
        record_vars: Sequence[str] | None = None, t_eval: ArrayLike | None = None,
        max_steps: int | None = None, on_failure: str = "raise", **stepper_options: Any,
    ) -> Results:  # fmt: skip
        """Compute a trajectory on the fast path: everything is allocated before it starts.

        The numbers are those of `run`, to the last bit.  The session neither starts from here
        nor goes on from here; what is not explained is as in `run`.

        - ``plan``: what to record, of `dynlib.plans`: ``FinalState()``, ``Stride(k)``,
          ``TailWindow(n, k)``.  By default every step; of an adaptive stepper, whose steps
          nobody knows beforehand, the final state.
        - ``t_eval``: times to record at, instead of a plan.

        Raises
        ------
        OptionError
            If the run cannot take the fast path; it says why.
        RunFailed, UnknownNameError, UnknownOptionError

        Examples
        --------
        >>> from dynlib.plans import TailWindow
        >>> from dynlib import setup
        >>> sim = setup("builtin://map/logistic", jit=False)
        >>> sim.fastpath(N=1000, plan=TailWindow(3), params={"r": 3.9}).t
        array([ 998,  999, 1000])
        """
        call = {
            "T": T, "N": N, "t0": t0, "dt": dt, "plan": plan, "transient": transient,
            "observers": observers, "record_vars": record_vars, "t_eval": t_eval,
            "max_steps": max_steps, "on_failure": on_failure,
        }  # fmt: skip
        self._concerns.tell(stepper_options)
        found: Results = _batches().run_fast(
            self.model, self._values(), (ic, params), call, stepper_options
        )
        return found

    def batch(
        self, ic: Any = None, params: Any = None, *, T: float | None = None,
        N: int | None = None, t0: float | None = None, dt: float | None = None,
        plan: RecordingPlan | None = None, t_eval: ArrayLike | None = None,
        transient: float = 0, observers: Sequence[Any] = (),
        record_vars: Sequence[str] | None = None, max_steps: int | None = None,
        workers: int | None = None, lanes: int | None = None, executor: Any = None,
        out: str | os.PathLike[str] | None = None, progress: Any = None,
        on_failure: str = "return", **stepper_options: Any,
    ) -> BatchResults:  # fmt: skip
        """Compute many trajectories, side by side in vector lanes and on all cores.

        Each has the numbers that `run` gives for its values, to the last bit.  What is not
        explained is as in `run` and `fastpath`.

        - ``ic``, ``params``: by name a number, or one number for each run (all of one length);
          a matrix with a row for each run; or `dynlib.grid`, which makes the product.
        - ``plan``: what to record of each run; for very many runs ``FinalState()``.
        - ``workers``: threads; by default one for each core.
        - ``lanes``: runs side by side in a block; by default as the machine likes it.
        - ``executor``: any executor of `concurrent.futures`, for other processes and machines.
        - ``out="sweep.zarr"``: writes to disk part by part; the same call goes on with a batch
          that was interrupted or killed.
        - ``on_failure="raise"`` raises `RunFailed` if a run failed; otherwise ``.ok`` tells.

        Raises
        ------
        OptionError
            If arguments do not fit, or the record does not fit into memory.
        RunFailed, UnknownNameError, UnknownOptionError

        Examples
        --------
        >>> from dynlib import setup
        >>> sim = setup("builtin://map/logistic", jit=False)
        >>> sim.batch(params={"r": [2.0, 4.0]}, ic={"x": 0.25}, N=1).final["x"]
        array([0.375, 0.75 ])
        """
        call = {
            "T": T, "N": N, "t0": t0, "dt": dt, "plan": plan, "transient": transient,
            "observers": observers, "record_vars": record_vars, "t_eval": t_eval,
            "max_steps": max_steps, "on_failure": on_failure,
        }  # fmt: skip
        self._concerns.tell(stepper_options)
        batches = _batches()
        means = batches.Means.checked(workers, lanes, executor, out, progress)
        found: BatchResults = batches.run_batch(
            self.model, self._values(), (ic, params), call, means, stepper_options
        )
        return found

    @overload
    def flow(
        self, y: Any, T: ArrayLike, tangents: None = None, *, t0: ArrayLike | None = None,
        params: Any = None, dt: float | None = None, max_steps: int | None = None,
        workers: int | None = None, on_failure: Literal["raise"] = "raise", **stepper_options: Any,
    ) -> Array: ...  # fmt: skip

    @overload
    def flow(
        self, y: Any, T: ArrayLike, tangents: ArrayLike, *, t0: ArrayLike | None = None,
        params: Any = None, dt: float | None = None, max_steps: int | None = None,
        workers: int | None = None, on_failure: Literal["raise"] = "raise", **stepper_options: Any,
    ) -> tuple[Array, Array]: ...  # fmt: skip

    @overload
    def flow(
        self, y: Any, T: ArrayLike, tangents: ArrayLike | None = None, *,
        t0: ArrayLike | None = None, params: Any = None, dt: float | None = None,
        max_steps: int | None = None, workers: int | None = None, on_failure: Literal["return"],
        **stepper_options: Any,
    ) -> Flow: ...  # fmt: skip

    def flow(
        self, y: Any, T: ArrayLike, tangents: ArrayLike | None = None, *,
        t0: ArrayLike | None = None, params: Any = None, dt: float | None = None,
        max_steps: int | None = None, workers: int | None = None, on_failure: str = "raise",
        **stepper_options: Any,
    ) -> Array | tuple[Array, Array] | Flow:  # fmt: skip
        """Compute where starts are carried in given times: the flow, or the iterates of a map.

        Each run has the numbers that `run` gives for its values, to the last bit.  Leading axes of
        the arguments are broadcast by NumPy's rules: many starts may have a time each.

        - ``y``: starts, shape (..., n), states in their order in the model; or a dict of all.
        - ``T``: how long, (...); below 0 backwards in time; of a map so many iterations.
        - ``tangents``: vectors as columns, (..., n, k), carried along by the linearised flow;
          ``np.eye(n)`` gives its derivative by the start, the monodromy matrix of an orbit.
        - ``t0``: time (iteration) of the start, (...).
        - ``params``: a dict of some, or an array of all, (..., n_params).
        - ``dt``, ``max_steps``, ``**stepper_options``: as in `run`.
        - ``workers``: threads; by default one for each core.
        - ``on_failure="return"`` returns a `Flow`, with NaN for runs that failed and for vectors
          that grew too long, ``.status`` and ``.ok``.

        Returns
        -------
        array, shape (..., n)
            The states at the ends; with ``tangents`` a pair: these, and vectors (..., n, k).

        Raises
        ------
        RunFailed
            If a run does not come to its end, be it that it meets the model's stop condition, or if
            a vector grows until an adaptive stepper does not know its error.
        OptionError, UnknownNameError, UnknownOptionError

        Examples
        --------
        >>> from dynlib import setup
        >>> sim = setup("builtin://map/logistic", jit=False)
        >>> sim.flow([[0.25], [0.5]], [1, 2], params={"r": 4.0}).tolist()
        [[0.75], [0.0]]
        """
        flows = import_module("dynlib.runtime.flow.call")
        if self._flows is None:
            self._flows = flows.FlowRuns(self.model)
        given = {"y": y, "T": T, "t0": t0, "params": params, "tangents": tangents}
        call = {"dt": dt, "max_steps": max_steps}
        self._concerns.tell(stepper_options)
        found: Array | tuple[Array, Array] | Flow = flows.flow(
            *(self._origin, self._flows, self._values().p, given, call, (workers, on_failure)),
            stepper_options,
        )
        return found
