"""The pages on adding things: what they tell to write is written, into a copy of dynlib, and tried.

On such a page a block with a title is a file, a part of one as a difference, or ``try.py``, which
runs once the others are in place.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TITLED = re.compile(r'^```(\w+) title="([^"]+)"\n(.*?)^```$', re.MULTILINE | re.DOTALL)
PAGES = [
    page for page in sorted((ROOT / "docs").rglob("add-*.md")) if TITLED.search(page.read_text())
]


def changed(text: str, difference: str) -> str:
    """A text with one of its places changed, which the difference shows with its surroundings."""
    lines = difference.splitlines()
    assert {line[:1] for line in lines} <= {" ", "+", "-", ""}
    before = "\n".join(line[1:] for line in lines if not line.startswith("+"))
    after = "\n".join(line[1:] for line in lines if not line.startswith("-"))
    assert f"\n{text}\n".count(f"\n{before}\n") == 1, f"not once in the file:\n{before}"
    return f"\n{text}\n".replace(f"\n{before}\n", f"\n{after}\n")[1:-1]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_what_the_page_adds_works(page: Path, tmp_path: Path) -> None:
    source = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=source)
    program = ""
    for language, title, body in TITLED.findall(page.read_text(encoding="utf-8")):
        file = tmp_path / title
        if title == "try.py":
            program += body
        elif language == "diff":
            file.write_text(changed(file.read_text(encoding="utf-8"), body), encoding="utf-8")
        else:
            assert not file.exists()
            file.write_text(body, encoding="utf-8")
    assert program
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        env={
            **os.environ,
            "PYTHONPATH": str(tmp_path / "src"),
            "PYTHONDONTWRITEBYTECODE": "1",
            "DYNLIB_CACHE_DIR": str(tmp_path / "cache"),
        },
        capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


def test_there_are_such_pages() -> None:
    assert {"add-a-language-function", "add-a-kernel-primitive", "add-an-observer"} <= {
        page.stem for page in PAGES
    }


def test_a_place_that_is_gone_is_noticed() -> None:
    assert changed("a\nb\nc", " a\n-b\n+d\n") == "a\nd\nc"
    with pytest.raises(AssertionError, match="not once"):
        changed("a\nb", " c\n+d\n")
