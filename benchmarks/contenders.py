"""The sides of a workload as processes that are measured in turns."""

import json
import os
import statistics
import subprocess
from dataclasses import dataclass
from pathlib import Path

import environments
from worker import load
from workload import Side, Workload

HERE = Path(__file__).parent


class Contender:
    """A worker process for one side, and what it measured."""

    def __init__(self, path: Path, side: Side) -> None:
        self.side = side
        self.seconds: list[float] = []
        self.error = ""
        interpreter = environments.python(side.environment)
        self._process = subprocess.Popen(
            [str(interpreter), str(HERE / "worker.py"), str(path), side.name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=HERE,
            # One thread each, unless a side says otherwise itself.
            env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        )
        self._answer()

    def _answer(self) -> dict[str, float]:
        line = self._process.stdout.readline()
        answer = json.loads(line) if line else {"error": "the process ended without an answer"}
        self.error = answer.get("error", "")
        return answer

    def measure(self, clock: str) -> None:
        """Ask for one measurement by the clock "wall" or "cpu", unless the side failed."""
        if self.error:
            return
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        answer = self._answer()
        if not self.error:
            self.seconds.append(answer.get(clock, answer["wall"]) / self.side.share)

    def close(self) -> None:
        """End the worker: its input ends."""
        self._process.stdin.close()
        self._process.wait()


@dataclass(frozen=True)
class Row:
    """What one side needed, in the workload's unit."""

    median: float = float("nan")
    low: float = float("nan")
    high: float = float("nan")
    error: str = ""


def row(contender: Contender, scale: float) -> Row:
    """Summarise a contender's measurements."""
    if contender.error or not contender.seconds:
        return Row(error=contender.error or "no measurement")
    values = [seconds * scale for seconds in contender.seconds]
    return Row(statistics.median(values), min(values), max(values))


def compare(
    path: Path, names: list[str], repeats: int | None, clock: str = "wall"
) -> tuple[Workload, dict[str, Row]]:
    """Measure the sides of one workload in turns, so that a busy machine is busy for all.

    By processor time nothing can be said of sides with several threads: they are left out.
    """
    workload = load(path)
    sides = [
        side
        for side in workload.sides.values()
        if (not names or side.name in names) and (clock == "wall" or side.threads == 1)
    ]
    contenders = [Contender(path, side) for side in sides]
    for _ in range(repeats or workload.repeats):
        for contender in contenders:
            contender.measure(clock)
    for contender in contenders:
        contender.close()
    return workload, {c.side.name: row(c, workload.scale) for c in contenders}
