"""Measure dynlib and its peers side by side and print the ratios: ``make bench``.

Usage: python benchmarks/run.py [W1 W3 …] [--side NAME …] [--repeats N] [--json FILE]
"""

import argparse
import json
import math
import os
import platform
import statistics
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import environments
from worker import load
from workload import Goal, Side, Workload

HERE = Path(__file__).parent
FILES = {
    load(path).key: path
    for path in sorted((HERE / "workloads").glob("w[0-9]*.py"), key=lambda p: p.name)
}


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
            # One thread each: the workloads are single trajectories or say otherwise themselves.
            env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        )
        self._answer()

    def _answer(self) -> dict[str, float]:
        line = self._process.stdout.readline()
        answer = json.loads(line) if line else {"error": "the process ended without an answer"}
        self.error = answer.get("error", "")
        return answer

    def measure(self) -> None:
        """Ask for one measurement, unless the side failed."""
        if self.error:
            return
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        answer = self._answer()
        if not self.error:
            self.seconds.append(answer["seconds"])

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


def compare(path: Path, names: list[str], repeats: int | None) -> tuple[Workload, dict[str, Row]]:
    """Measure the sides of one workload in turns, so that a busy machine is busy for all."""
    workload = load(path)
    sides = [side for side in workload.sides.values() if not names or side.name in names]
    contenders = [Contender(path, side) for side in sides]
    for _ in range(repeats or workload.repeats):
        for contender in contenders:
            contender.measure()
    for contender in contenders:
        contender.close()
    return workload, {c.side.name: row(c, workload.scale) for c in contenders}


def row(contender: Contender, scale: float) -> Row:
    """Summarise a contender's measurements."""
    if contender.error or not contender.seconds:
        return Row(error=contender.error or "no measurement")
    values = [seconds * scale for seconds in contender.seconds]
    return Row(statistics.median(values), min(values), max(values))


def _plain(found: Row) -> dict[str, float | str]:
    """Return what JSON can hold: a side that failed has no numbers."""
    return {key: value for key, value in asdict(found).items() if value == value}


def verdict(goal: Goal, rows: dict[str, Row], unit: str) -> tuple[str, bool | None]:
    """Return the line of a goal and whether it holds; None where a side was not measured."""
    mine = rows.get(goal.side, Row()).median
    base = rows.get(goal.of, Row()).median if goal.of else 1.0
    against = f"of {goal.of}" if goal.of else unit
    ratio = mine / base
    failed = any(rows[name].error for name in (goal.side, goal.of) if name in rows)
    measured = not math.isnan(ratio)
    held = ratio <= goal.limit if measured or failed else None
    word = {True: "pass", False: "FAIL", None: "not measured"}[held]
    found = f"{ratio:.4g}" if measured else "–"
    return f"    {goal.side}: {found} {against}, wanted at most {goal.limit:.4g}: {word}", held


def report(workload: Workload, rows: dict[str, Row]) -> bool:
    """Print one workload's table; return whether no goal failed."""
    print(f"\n{workload.key}  {workload.title}  [{workload.unit}]")
    for name, found in rows.items():
        if found.error:
            print(f"  {name:<24} failed: {found.error.strip().splitlines()[-1]}")
        else:
            print(f"  {name:<24} {found.median:>10.4g}   ({found.low:.4g} … {found.high:.4g})")
    outcomes = [verdict(goal, rows, workload.unit) for goal in workload.goals]
    for line, _ in outcomes:
        print(line)
    return all(held is not False for _, held in outcomes)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Measure dynlib and its peers side by side.")
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD", help=" ".join(FILES))
    parser.add_argument("--side", action="append", default=[], help="measure only this side")
    parser.add_argument("--repeats", type=int, help="measurements of each side")
    parser.add_argument("--json", type=Path, help="write what was measured to this file")
    chosen = parser.parse_args()
    unknown = set(chosen.workloads) - set(FILES)
    if unknown:
        parser.error(f"unknown workload {', '.join(sorted(unknown))}; known: {', '.join(FILES)}")
    return chosen


def main() -> int:
    """Measure, print, and tell by the exit status whether a goal failed."""
    chosen = arguments()
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, {sys.version}")
    results, good = {}, True
    for key in chosen.workloads or FILES:
        workload, rows = compare(FILES[key], chosen.side, chosen.repeats)
        good &= report(workload, rows)
        results[key] = {name: _plain(found) for name, found in rows.items()}
    if chosen.json:
        chosen.json.write_text(json.dumps(results, indent=1) + "\n")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
