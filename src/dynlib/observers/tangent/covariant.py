"""Covariant Lyapunov vectors: the directions that the flow carries into each other.

The orthonormal vectors of the exponents are kept on the way; a backward iteration afterwards
turns them into covariant ones (Ginelli et al., Phys. Rev. Lett. 99 (2007) 130601; J. Phys. A 46
(2013) 254005).
"""

from __future__ import annotations

from dynlib.dsl.spec import ModelSpec
from dynlib.observers.kit.keywords import checks_keywords
from dynlib.observers.kit.part import HookText, Output, Part, TraceSpec
from dynlib.observers.kit.trace_plans import Tail, TracePlan, checked_trace_plan
from dynlib.observers.tangent import covariant_hooks as hooks
from dynlib.observers.tangent.covariant_result import CovariantResult
from dynlib.observers.tangent.gram_schmidt import ROUNDING
from dynlib.observers.tangent.lyapunov_hooks import revive_OBS
from dynlib.observers.tangent.tangent_observer import TangentObserver, whole
from dynlib.observers.tangent.tangent_start import initial_vectors
from dynlib.steppers.base import Stepper

__all__ = ["covariant_vectors"]

_KEPT = 2000  # rows of the trace, where no plan is given


class CovariantVectors(TangentObserver):
    """Made by `covariant_vectors`."""

    result_type = CovariantResult
    gives = ("vectors", "angles", "exponents", "standard_errors")

    def bind(self, spec: ModelSpec, stepper: Stepper) -> Part:
        """Tangent vectors, and a row of Q and R for each orthonormalisation."""
        n, k = len(spec.states), self.k
        triangle = k * (k + 1) // 2
        names = [f"q{s}_{j}" for j in range(k) for s in spec.states]
        names += [f"r{i}_{j}" for j in range(k) for i in range(j + 1)]
        return Part(
            outputs=(Output("decompositions", nothing=0.0),),
            workspace=2 + k * n + triangle,
            tangents=initial_vectors(n, k),
            trace=TraceSpec(tuple(names), self.trace.plan),
            texts=(
                HookText("start", hooks.start_OBS),
                HookText("every", hooks.every_OBS, self.interval(stepper)),
                HookText("end", hooks.end_OBS),
            ),
            helpers=(hooks.decompose_OBS, revive_OBS),
            words={"K": k, "WIDTH": k * n + triangle, "ROUNDING": ROUNDING},
            places={"COUNT": 0, "FLAWED": 1, "COPY": 2, "TRIANGLE": 2 + k * n},
            facts={"states": list(spec.states), "k": k},
        )


@checks_keywords
def covariant_vectors(
    k: int,
    *,
    renorm_every: int | None = None,
    trace: TracePlan | None = None,
    name: str | None = None,
) -> CovariantVectors:
    """The `k` first covariant Lyapunov vectors along the last part of a run, and their angles.

    The result has ``vectors`` (n_rows, n_states, k) at the times ``time``, ``angles``,
    ``smallest_angle``, ``angle_histogram()``, and the ``exponents`` of these vectors with their
    ``standard_errors``.  Give the run a transient, in which the vectors align forwards; backwards,
    the last quarter of the rows serves for that and is left out.

    Parameters
    ----------
    k : int
        How many; up to the number of states.
    renorm_every : int, optional
        Steps from one row to the next; by default 5, or 1 for maps.
    trace : TracePlan, optional
        How many rows to keep; by default the last 2000, ``Tail(2000)``.  A row has
        ``k * n_states + k * (k + 1) / 2`` numbers.
    name : str, optional
        Name of the result, where there are two.

    Raises
    ------
    ObserverError
        For a value that cannot be; and, from the run, for a model that has no derivative.

    Examples
    --------
    >>> from dynlib import setup
    >>> from dynlib.observers import covariant_vectors
    >>> sim = setup("builtin://map/arnold-cat", jit=False)
    >>> res = sim.run(N=200, transient=50, observers=[covariant_vectors(2)])
    >>> found = res.observers["covariant_vectors"]
    >>> float(found.smallest_angle.round(6)), found.vectors.shape  # the matrix is symmetric
    (1.570796, (113, 2, 2))
    """
    whole("k, the number of vectors,", k)
    if renorm_every is not None:
        whole("renorm_every", renorm_every)
    plan = Tail(_KEPT) if trace is None else checked_trace_plan(trace)
    spec = TraceSpec(("q",), plan)
    return CovariantVectors("covariant_vectors", k, renorm_every, spec, name, by_steps=False)
