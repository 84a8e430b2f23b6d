"""Every Python block of the README and the docs runs; every model in them loads."""

import re
from pathlib import Path

import pytest

import dynlib

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^( *)```(\w+)\n(.*?)^\1```", re.MULTILINE | re.DOTALL)


def blocks(text: str, language: str) -> list[str]:
    return [
        re.sub(rf"^{indent}", "", body, flags=re.MULTILINE)
        for indent, found, body in BLOCK.findall(text)
        if found == language
    ]


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_page(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The blocks of a page run in order, in one namespace; a model's block is a file beside them.

    A TOML block whose first line is a comment with a file name is saved under that name.
    """
    monkeypatch.chdir(tmp_path)
    text = page.read_text(encoding="utf-8")
    for body in blocks(text, "toml"):
        if named := re.match(r"# (\S+\.toml)\n", body):
            Path(named[1]).write_text(body, encoding="utf-8")
        if re.search(r"^\[model\]", body, re.MULTILINE):
            dynlib.load_model(body)
    namespace: dict[str, object] = {"__name__": "__main__"}
    for body in blocks(text, "python"):
        exec(compile(body, str(page), "exec"), namespace)  # our own documents


def test_links_lead_somewhere() -> None:
    broken = [
        f"{_name(page)}: {target}"
        for page in PAGES
        for target in re.findall(r"\]\((?!https?:|mailto:|#)([^)#]+)", page.read_text("utf-8"))
        if not (page.parent / target).exists()
    ]
    assert broken == []


def test_blocks_are_found() -> None:
    assert blocks("a\n```python\nx = 1\n```\n  ```toml\n  [model]\n  ```\n", "toml") == [
        "[model]\n"
    ]


def test_every_environment_variable_is_described() -> None:
    page = (ROOT / "docs/reference/command-line.md").read_text()
    source = "\n".join(path.read_text() for path in (ROOT / "src").rglob("*.py"))
    named = set(re.findall(r"[\"'](DYNLIB_[A-Z_]+)[\"']", source))
    assert named >= {"DYNLIB_DUMP", "DYNLIB_CACHE_DIR", "DYNLIB_CODE_LIMIT"}
    assert {name for name in named if f"`{name}" not in page} == set()
