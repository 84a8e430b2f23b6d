"""How a run ended, in words: what happened, where, and what to try."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

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
_FAILED = (
    "Try a smaller dt or dt_min, values of the options of the stepper ({options}) that let it go "
    "farther, another stepper, or check the parameters."
)
_LIMITED = (
    "Raise max_steps, shorten the run, or loosen rtol and atol. The session stands there: "
    "resume=True goes on."
)
_ACCUMULATED = (
    "Either they come ever faster, as the bounces of a ball that comes to rest, or their actions "
    "turn the flow back to the threshold that it has just crossed (sliding). Give the model a stop "
    "condition or an action that ends this, two thresholds with a gap between them (hysteresis), "
    "or `locate = false`; take a smaller dt if there really are so many."
)
_MORE_HITS = "Raise n of Hits(n), or keep the last rows, trace=Tail(n)."
_FEWER_ROWS = (
    "That is room for a row every {k}; the hook wrote more. Let it write only if "
    "step % trace_stride == 0, or give the trace another plan: Hits(n) for any n rows, Tail(n) for "
    "the last ones."
)
_LAST_EVENTS = 12
_INTERRUPTED = "The session stands there: resume=True goes on."


def describe(origin: Origin, segment: Segment) -> str:
    """One sentence about the end of a run."""
    return _end(origin, segment) + _unseen(segment)


def _unseen(segment: Segment) -> str:
    """That observers did not see any of it, where it ended before they start."""
    lengths = [each.get("after", 0) for each in segment.observers]
    after = max(lengths, default=0)
    if not after or abs(segment.t - segment.start_t) >= after * (1.0 - 1e-9):
        return ""
    return f"; observers saw nothing of it, since it ended within its transient of {after:g}"


def _end(origin: Origin, segment: Segment) -> str:
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
        full = [f"{each['name']!r} is full by its plan {each['trace']}" for each in _full(segment)]
        return f"the trace of observer {' or '.join(full)}" if full else status.sentence
    if status is Status.ZENO:
        last = set(segment.raw.evt_id[-_LAST_EVENTS:].tolist())
        names = [repr(name) for e, name in enumerate(origin.events) if e in last]
        return f"events ({', '.join(names)}) follow each other without end"
    if status is Status.EARLY_EXIT:
        content = [repr(each["name"]) for each in segment.observers if each["ends_runs"]]
        seen = f"observer {' and '.join(content)} had seen enough" if content else ""
        model = status.sentence if not content or origin.spec.stop is not None else ""
        return " or ".join(filter(None, (model, seen)))
    return status.sentence


def _full(segment: Segment) -> list[Mapping[str, Any]]:
    """The observers whose traces have all the rows that their plans allow, or more than due."""
    steps = segment.step - segment.start_step
    found = []
    for each in segment.observers:
        rows = len(segment.raw.observers[each["name"]].trace_time)
        most, interval = each["most_rows"], each.get("interval")
        by_steps = each["trace"].startswith("EveryStep") and interval is not None
        if rows == most or (by_steps and rows > steps // int(interval or 1) + 1):
            found.append(each)
    return found


def _room(segment: Segment) -> str:
    """What to do about a full trace."""
    by_steps = [each["interval"] for each in _full(segment) if each["most_rows"] is None]
    if not by_steps:
        return _MORE_HITS
    return _FEWER_ROWS.format(k="step" if by_steps[0] == 1 else f"{by_steps[0]} steps")


def _failed(origin: Origin) -> str:
    """What to do about a method whose attempts fail."""
    compiled = origin.compiled
    options = () if compiled is None else compiled.stepper.own_options
    if not options:
        return _FAILED.replace(
            " values of the options of the stepper ({options}) that let it go farther,", ""
        )
    return _FAILED.format(options=", ".join(option.name for option in options))


def failure(origin: Origin, segment: Segment, results: Results, final: NamedValues) -> RunFailed:
    """The error for a run that did not end as asked."""
    status = segment.raw.status
    advice = {
        Status.NAN_DETECTED: _ESCAPED_MAP if origin.is_map else _ESCAPED_FLOW,
        Status.STEPFAIL: _failed(origin) if segment.raw.failure else _STUCK,
        Status.MAX_STEPS: _LIMITED,
        Status.ZENO: _ACCUMULATED,
        Status.TRACE_OVERFLOW: _room(segment) if status is Status.TRACE_OVERFLOW else "",
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
