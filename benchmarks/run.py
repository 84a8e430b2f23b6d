"""Measure dynlib and its peers side by side and print the ratios: ``make bench``.

Usage: python benchmarks/run.py [W1 W3 …] [--side NAME …] [--repeats N] [--cpu] [--json FILE]
"""

import argparse
import json
import os
import platform
import sys
from datetime import date
from pathlib import Path

from contenders import HERE, compare
from report import as_data, judge, show, summary
from worker import load


def _order(path: Path) -> tuple[bool, str]:
    """The numbered workloads come first."""
    return not path.name.startswith("w"), path.name


FILES = {load(path).key: path for path in sorted((HERE / "workloads").glob("*.py"), key=_order)}


def machine() -> str:
    """Processor, cores, Python."""
    name = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        models = [line for line in cpuinfo.read_text().splitlines() if "model name" in line]
        name = models[0].partition(":")[2].strip() if models else name
    version = sys.version.split()[0]
    return f"{name}, {os.cpu_count()} cores, {platform.system()}, Python {version}"


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Measure dynlib and its peers side by side.")
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD", help=" ".join(FILES))
    parser.add_argument("--side", action="append", default=[], help="measure only this side")
    parser.add_argument("--repeats", type=int, help="measurements of each side")
    parser.add_argument(
        "--cpu",
        action="store_const",
        const="cpu",
        default="wall",
        dest="clock",
        help="count processor time, on a machine that others use too",
    )
    parser.add_argument("--json", type=Path, help="keep what was measured in this file")
    chosen = parser.parse_args()
    unknown = set(chosen.workloads) - set(FILES)
    if unknown:
        parser.error(f"unknown workload {', '.join(sorted(unknown))}; known: {', '.join(FILES)}")
    return chosen


def keep(path: Path, results: dict[str, object]) -> None:
    """Put results into a file, in the place of older ones of the same workloads."""
    older = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps(older | results, indent=1, ensure_ascii=False) + "\n")


def main() -> int:
    """Measure, print, and tell by the exit status whether a goal failed."""
    chosen = arguments()
    print(f"{machine()}; {chosen.clock} clock")
    results: dict[str, object] = {}
    verdicts = []
    for key in chosen.workloads or FILES:
        workload, rows = compare(FILES[key], chosen.side, chosen.repeats, chosen.clock)
        judged = judge(workload, rows)
        show(workload, rows, judged)
        sys.stdout.flush()
        verdicts += judged
        about = {"machine": machine(), "clock": chosen.clock, "date": date.today().isoformat()}
        results[key] = about | as_data(workload, rows, judged)
    print(f"\n{summary(verdicts)}")
    if chosen.json:
        keep(chosen.json, results)
    return 1 if any(each.held is False for each in verdicts) else 0


if __name__ == "__main__":
    sys.exit(main())
