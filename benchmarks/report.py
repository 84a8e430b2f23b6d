"""What was measured, in words: a table for each workload, and one of all goals."""

import math
from dataclasses import asdict, dataclass

from contenders import Row
from workload import Goal, Workload


@dataclass(frozen=True)
class Verdict:
    """A goal and what was found; `held` is None where a side was not measured."""

    key: str
    goal: Goal
    unit: str
    found: float
    held: bool | None

    @property
    def against(self) -> str:
        """What `found` and the limit are multiples of."""
        best = "the best of " if len(self.goal.of) > 1 else ""
        return f"× {best}{', '.join(self.goal.of)}" if self.goal.of else self.unit

    @property
    def word(self) -> str:
        """The outcome in a word."""
        return {True: "pass", False: "FAIL", None: "not measured"}[self.held]

    @property
    def cells(self) -> tuple[str, str, str, str, str]:
        """Workload, side, what was found, the limit, the outcome."""
        found = "–" if math.isnan(self.found) else f"{self.found:.3g}"
        limit = f"≤ {self.goal.limit:.3g} {self.against}"
        return self.key, self.goal.side, found, limit, self.word


def verdict(workload: Workload, goal: Goal, rows: dict[str, Row]) -> Verdict:
    """Judge one goal."""
    mine = rows.get(goal.side, Row()).median
    peers = [rows[name].median for name in goal.of if name in rows and not rows[name].error]
    base = min(peers, default=math.nan) if goal.of else 1.0
    found = mine / base
    failed = any(rows[name].error for name in (goal.side, *goal.of) if name in rows)
    held = found <= goal.limit if not math.isnan(found) else False if failed else None
    return Verdict(workload.key, goal, workload.unit, found, held)


def judge(workload: Workload, rows: dict[str, Row]) -> list[Verdict]:
    """Judge the goals of a workload."""
    return [verdict(workload, goal, rows) for goal in workload.goals]


def show(workload: Workload, rows: dict[str, Row], verdicts: list[Verdict]) -> None:
    """Print one workload's table: median, range, ratio to the first side; then its goals."""
    print(f"\n{workload.key}  {workload.title}  [{workload.unit}]")
    first = next(iter(rows.values())).median
    for name, found in rows.items():
        if found.error:
            print(f"  {name:<28} failed: {found.error.strip().splitlines()[-1]}")
            continue
        ratio = found.median / first
        span = f"({found.low:.4g} … {found.high:.4g})"
        versus = "" if math.isnan(ratio) else f"{ratio:>8.3g} ×"
        print(f"  {name:<28} {found.median:>10.4g}   {span:<22} {versus}".rstrip())
    for each in verdicts:
        _, side, value, limit, word = each.cells
        print(f"    {side}: {value}, wanted {limit}: {word}")


def table(head: tuple[str, ...], lines: list[tuple[str, ...]]) -> str:
    """A Markdown table that can be read as it stands."""
    rows = [head, ("---",) * len(head), *lines]
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    return "\n".join(
        "| " + " | ".join(f"{cell:<{w}}" for cell, w in zip(row, widths, strict=True)) + " |"
        for row in rows
    )


def summary(verdicts: list[Verdict]) -> str:
    """All goals as a table."""
    return table(("", "side", "measured", "wanted", ""), [each.cells for each in verdicts])


def as_data(workload: Workload, rows: dict[str, Row], verdicts: list[Verdict]) -> dict[str, object]:
    """What JSON can hold: a side that failed has no numbers."""
    return {
        "title": workload.title,
        "unit": workload.unit,
        "sides": {
            name: {key: value for key, value in asdict(row).items() if key != "error"}
            for name, row in rows.items()
            if not row.error
        },
        "failed": {name: row.error for name, row in rows.items() if row.error},
        "goals": [each.cells for each in verdicts],
    }
