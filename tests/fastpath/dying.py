"""Workers that die: what tests put into worker processes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from dynlib.runtime.batch import work


def die_at(deaths: int, folder: str) -> None:
    """Let this process, and others told the same, die at so many of the parts that they begin.

    Each death leaves a file in `folder`, by which the next one knows of it.
    """
    compute = work.compute

    def compute_or_die(model: Any, request: Any) -> Any:
        for index in range(deaths):
            try:
                Path(folder, f"death{index}").touch(exist_ok=False)
            except FileExistsError:
                continue
            os._exit(1)
        return compute(model, request)

    work.compute = compute_or_die  # type: ignore[assignment]


def error_out() -> None:
    """Let this process come upon a mistake of ours in every part."""

    def mistaken(model: Any, request: Any) -> Any:
        raise ZeroDivisionError("a mistake of ours")

    work.compute = mistaken  # type: ignore[assignment]
