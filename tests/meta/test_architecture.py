"""The map in docs/architecture.md names every file of the package, and no other."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src/dynlib"
PAGE = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
FILE = re.compile(r"`([\w/]+\.py)`")


def test_the_map_is_the_package() -> None:
    named = []
    for section in PAGE.partition("## The map")[2].split("\n### ")[1:]:
        folder = re.match(r"`([\w/]+)`", section)
        assert folder is not None, section.splitlines()[0]
        named += [PACKAGE / folder[1].strip("/") / name for name in FILE.findall(section)]
    there = {path for path in PACKAGE.rglob("*.py") if not path.name.startswith("__")}
    assert sorted(map(str, set(named) - there)) == []  # on the map, and nowhere else
    assert sorted(map(str, there - set(named))) == []  # not on the map
    assert sorted(map(str, (path for path in set(named) if named.count(path) > 1))) == []


def test_the_way_of_a_run_leads_through_files_that_exist() -> None:
    way = PAGE.partition("## The map")[0]
    paths = [name for name in FILE.findall(way) if "/" in name]
    assert len(paths) > 20
    assert [name for name in paths if not (PACKAGE / name).is_file()] == []
