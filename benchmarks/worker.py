"""One side of one workload in a process of its own: a line on stdin asks for one measurement.

Usage: python worker.py WORKLOAD.py SIDE
Answers are lines of JSON: {"ready": true}, then {"wall": …, "cpu": …}, seconds, for every line that
is read, or at any time {"error": …}.
"""

import contextlib
import importlib.util
import json
import sys
import time
import traceback
from pathlib import Path

from workload import Side, Workload

LEAST = 0.1  # seconds of a measurement


def load(path: Path) -> Workload:
    """Read a workload from its file."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.workload


def measure(side: Side, task: object) -> dict[str, float]:
    """Seconds of one execution, by the clock on the wall and by that of the process.

    A short task is done several times: waking up a process that has slept is not what is measured.
    """
    if side.measures_itself:
        result = task()
        return result if isinstance(result, dict) else {"wall": float(result)}
    start, start_cpu, count, wall = time.perf_counter(), time.process_time(), 0, 0.0
    while wall < LEAST:
        task()
        count += 1
        wall = time.perf_counter() - start
    return {"wall": wall / count, "cpu": (time.process_time() - start_cpu) / count}


def serve(path: Path, name: str, answers: object) -> None:
    """Prepare the side, then measure once for every line on stdin."""
    side = load(path).sides[name]
    task = side.prepare()
    measure(side, task)  # whatever is compiled or cached on first use
    print(json.dumps({"ready": True}), file=answers, flush=True)
    for _ in sys.stdin:
        print(json.dumps(measure(side, task)), file=answers, flush=True)


def main() -> None:
    """Keep stdout for answers; what a library prints goes to stderr."""
    answers = sys.stdout
    with contextlib.redirect_stdout(sys.stderr):
        try:
            serve(Path(sys.argv[1]), sys.argv[2], answers)
        except Exception:  # whatever a side does wrong is reported in its row of the table
            print(json.dumps({"error": traceback.format_exc()}), file=answers, flush=True)


if __name__ == "__main__":
    main()
