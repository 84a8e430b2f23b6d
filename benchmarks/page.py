"""Put what was measured into the documentation: tables, and the pictures of linear growth.

Usage: python benchmarks/page.py MEASURED.json

Workloads that were not measured keep the text that they have.
"""

import json
import re
import sys
from pathlib import Path
from typing import Any

from report import table

DOCS = Path(__file__).parent.parent / "docs"
PAGE = DOCS / "benchmarks.md"
PICTURE = DOCS / "images" / "scaling.svg"
PLACE = re.compile(r"(<!-- measured: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
CLOCKS = {"wall": "time on the wall", "cpu": "processor time, because the machine had other work"}


def number(value: float) -> str:
    """Three digits, without exponents where people can do without."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def sides(found: dict[str, Any]) -> str:
    """The table of one workload's sides."""
    rows = found["sides"]
    first = next(iter(rows.values()))["median"]
    lines = [
        (
            name,
            number(row["median"]),
            f"{number(row['low'])} – {number(row['high'])}",
            f"{number(row['median'] / first)} ×",
        )
        for name, row in rows.items()
    ]
    return table(("", found["unit"], "range", "ratio"), lines)


def workload(key: str, found: dict[str, Any]) -> str:
    """One workload: what it is, its sides, its goals."""
    parts = [f"**{key}**: {found['title']}.", sides(found)]
    if found["failed"]:
        parts.append(f"Not measured: {', '.join(found['failed'])}.")
    return "\n\n".join(parts)


def goals(measured: dict[str, Any]) -> str:
    """The table of all goals that were judged."""
    lines = [tuple(cells) for found in measured.values() for cells in found["goals"]]
    return table(
        ("", "side", "measured", "wanted", ""), [c for c in lines if c[-1] != "not measured"]
    )


def _order(key: str) -> tuple[bool, int, str]:
    """W4 before W10, and both before those without a number."""
    number = re.fullmatch(r"W(\d+)", key)
    return number is None, int(number[1]) if number else 0, key


def about(measured: dict[str, Any]) -> str:
    """On what, when and by which clock."""
    ways: dict[tuple[str, str, str], list[str]] = {}
    for key, f in measured.items():
        ways.setdefault((f["machine"], f["date"], f["clock"]), []).append(key)
    return "\n".join(
        f"- {machine}, {date}, {CLOCKS[clock]}:\n  {', '.join(keys)}."
        for (machine, date, clock), keys in ways.items()
    )


def draw(measured: dict[str, Any], path: Path) -> None:
    """Cost of a step against the number of trajectories, and of states."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "dynlib"  # the same picture, the same file
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(8, 3), layout="constrained")
    for ax, key in zip(axes, ("runs", "states"), strict=True):
        rows = measured[key]["sides"]
        x = [int(name.split()[0].replace(",", "")) for name in rows]
        y = [row["median"] for row in rows.values()]
        ax.plot(x, y, "o-")
        ax.set(xscale="log", xlabel={"runs": "trajectories"}.get(key, key), ylim=(0, 1.1 * max(y)))
        ax.set_ylabel(measured[key]["unit"])
        if key == "states":
            ax.set_xticks(x, [str(n) for n in x])
            ax.minorticks_off()
    path.parent.mkdir(exist_ok=True)
    figure.savefig(path, metadata={"Date": None})


def main() -> None:
    """Fill the marked places of the page."""
    found = json.loads(Path(sys.argv[1]).read_text())
    measured = {key: found[key] for key in sorted(found, key=_order)}
    texts = {key: workload(key, found) for key, found in measured.items()}
    texts |= {"goals": goals(measured), "about": about(measured)}

    def fill(match: re.Match[str]) -> str:
        text = texts.get(match[2])
        return f"{match[1]}\n{text}\n\n{match[3]}" if text else match[0]

    PAGE.write_text(PLACE.sub(fill, PAGE.read_text()))
    if {"runs", "states"} <= set(measured):
        draw(measured, PICTURE)


if __name__ == "__main__":
    main()
