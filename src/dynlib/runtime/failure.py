"""How a run ended, in words: what happened, where, and what to try."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dynlib.abi.status import Status
from dynlib.errors import ObserverError, RunFailed
from dynlib.runtime.diagnosis import reason
from dynlib.runtime.naming import NamedValues, named

if TYPE_CHECKING:
    from dynlib.runtime.origin import Origin
    from dynlib.runtime.results import Results
    from dynlib.runtime.segments import Segment

__all__ = ["describe", "explain", "failure"]

_ESCAPED_FLOW = (
    "The trajectory may escape to infinity. Otherwise try a smaller dt, an adaptive stepper "
    "(rk45, tsit5), or check parameters and initial values."
)
_ESCAPED_MAP = (
    "The orbit may escape to infinity. Otherwise check parameters, initial values and equations "
    "(a division by zero, the logarithm of a negative number)."
)
_STUCK = (
    "The equations may be stiff or singular there. Try looser rtol and atol, a smaller dt_min, "
    "another stepper, or check the parameters."
)
_LIMITED = (
    "Raise max_steps, shorten the run, or loosen rtol and atol. The session stands there: "
    "resume=True goes on."
)
_ACCUMULATED = (
    "Events follow each other ever faster. Give the model a stop condition or an action that "
    "ends this, set `direction`, try a smaller dt, or `locate = false`."
)
_TRACE_FULL = (
    "Its plan, Hits(n), allows no more rows: raise n, or keep the last ones, trace=Tail(n)."
)
_INTERRUPTED = "The session stands there: resume=True goes on."


def describe(origin: Origin, segment: Segment) -> str:
    """One sentence about the end of a run."""
    status = segment.raw.status
    what = "iteration" if origin.is_map else "t"
    where = f"{what} = {segment.raw.t_final:g}"
    if status == Status.NAN_DETECTED:
        broken = [
            name
            for name, value in zip(origin.states, segment.y, strict=True)
            if not np.isfinite(value)
        ]
        subject = f"state {', '.join(broken)}" if broken else "a state"
        return f"{subject} became NaN or infinite after {where} (step {segment.step})"
    return f"{_sentence(origin, segment)} at {where} (step {segment.step})"


def explain(origin: Origin, segment: Segment) -> str:
    """The same, and why, as far as that is known."""
    why = reason(origin, segment)
    return describe(origin, segment) + (f": {why}" if why else "")


def _sentence(origin: Origin, segment: Segment) -> str:
    """The status in words, with the observer that it is about."""
    status = segment.raw.status
    if segment.raw.error is not None and not isinstance(segment.raw.error, ObserverError):
        return "broken off because memory is too small for the record"
    if segment.raw.error is not None:
        return "broken off because a hook of an observer raised"
    if status is Status.TRACE_OVERFLOW:
        full = [
            repr(each["name"])
            for each in segment.observers
            if each["most_rows"] == len(segment.raw.observers[each["name"]].trace_time)
        ]
        return f"the trace of observer {' or '.join(full)} is full" if full else status.sentence
    if status is Status.EARLY_EXIT:
        content = [repr(each["name"]) for each in segment.observers if each["ends_runs"]]
        seen = f"observer {' and '.join(content)} had seen enough" if content else ""
        model = status.sentence if not content or origin.spec.stop is not None else ""
        return " or ".join(filter(None, (model, seen)))
    return status.sentence


def failure(origin: Origin, segment: Segment, results: Results, final: NamedValues) -> RunFailed:
    """The error for a run that did not end as asked."""
    status = segment.raw.status
    advice = {
        Status.NAN_DETECTED: _ESCAPED_MAP if origin.is_map else _ESCAPED_FLOW,
        Status.STEPFAIL: _STUCK,
        Status.MAX_STEPS: _LIMITED,
        Status.ZENO: _ACCUMULATED,
        Status.TRACE_OVERFLOW: _TRACE_FULL,
        Status.USER_BREAK: _INTERRUPTED,
    }.get(status, "")
    t = int(segment.raw.t_final) if origin.is_map else segment.raw.t_final
    lines = [
        f"{origin.name}: {explain(origin, segment)}.",
        f"Last state: {named(final)}.",
        advice,
        "What was computed until then is in the error's .results.",
    ]
    return RunFailed(
        "\n".join(line for line in lines if line),
        results,
        status=status,
        t=t,
        step=segment.step,
        state=final,
    )
