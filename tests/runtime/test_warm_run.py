"""How much of dynlib a run goes through that was made before."""

from __future__ import annotations

import sys
from pathlib import Path
from types import FrameType
from typing import Any

import dynlib
from dynlib import setup

PACKAGE = str(Path(dynlib.__file__).parent)
MOST = 12  # files: a reader of one run has to read no more


def test_a_warm_run_touches_few_files() -> None:
    sim = setup("builtin://ode/lorenz", stepper="rk4")
    for _ in range(2):
        sim.run(T=1.0)
    touched: set[str] = set()

    def note(frame: FrameType, event: str, argument: Any) -> None:
        if frame.f_code.co_filename.startswith(PACKAGE):
            touched.add(frame.f_code.co_filename.removeprefix(PACKAGE))

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        sim.run(T=1.0)
    finally:
        sys.setprofile(before)
    assert len(touched) <= MOST, sorted(touched)
    assert "/runtime/sim.py" in touched
