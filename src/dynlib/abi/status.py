"""How a compiled run ends, or why it pauses."""

from __future__ import annotations

from enum import IntEnum

__all__ = ["Status"]

_SUCCESSES = (4, 5)  # EARLY_EXIT and DONE
_SENTENCES = {
    "OK": "paused between two steps; call again to go on",
    "STEPFAIL": "the stepper could not take the next step",
    "NAN_DETECTED": "a state became NaN or infinite",
    "EARLY_EXIT": "the stop condition was met",
    "DONE": "reached the end of the run",
    "GROW_REC": "the record buffer is full",
    "GROW_EVT": "the event log is full",
    "USER_BREAK": "interrupted by the user",
    "TRACE_OVERFLOW": "an observer's trace is full",
    "MAX_STEPS": "max_steps was reached before the end of the run",
    "ZENO": "events follow each other without end",
}


class Status(IntEnum):
    """Outcome of a runner call; ``status.sentence`` is what a user reads.

    ``OK``, ``GROW_REC`` and ``GROW_EVT`` are answered inside the wrapper and never reach a
    user.  ``DONE`` and ``EARLY_EXIT`` are successes, everything else is not.

    Attributes
    ----------
    ok
        Whether the run ended as asked: at its end, or at its stop condition.
    """

    ok: bool

    def __new__(cls, value: int) -> Status:
        """A member, with what `ok` says of it."""
        status = int.__new__(cls, value)
        status._value_ = value
        status.ok = value in _SUCCESSES
        return status

    OK = 0
    STEPFAIL = 2
    NAN_DETECTED = 3
    EARLY_EXIT = 4
    DONE = 5
    GROW_REC = 6
    GROW_EVT = 7
    USER_BREAK = 8
    TRACE_OVERFLOW = 9
    MAX_STEPS = 10
    ZENO = 11

    def __str__(self) -> str:
        return self.name

    def __format__(self, spec: str) -> str:
        return format(self.name, spec)

    @property
    def sentence(self) -> str:
        """The status in words."""
        return _SENTENCES[self.name]
