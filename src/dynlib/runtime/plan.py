"""One run, planned."""

from __future__ import annotations

from dataclasses import dataclass

from dynlib.runtime.recording import Selection
from dynlib.runtime.run_options import RunOptions
from dynlib.runtime.wrapper import RunRequest

__all__ = ["Plan"]


@dataclass(frozen=True, slots=True)
class Plan:
    """One run: as the user put it, as names, and as the wrapper takes it."""

    options: RunOptions
    selection: Selection
    request: RunRequest
