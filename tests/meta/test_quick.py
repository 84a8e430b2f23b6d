"""`make quick` covers every layer, by files that exist."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
LAYERS = {
    "abi and dsl": ("tests/expr/", "tests/dsl/"),
    "steppers": ("tests/numerics/",),
    "compiler": ("tests/golden/", "tests/llvm/"),
    "elementary functions": ("tests/vecmath/",),
    "functions of a model": ("tests/equations/",),
    "observers": ("tests/observers/",),
    "events": ("tests/events/",),
    "runtime": ("tests/runtime/",),
    "batches": ("tests/fastpath/",),
    "plot": ("tests/plot/",),
    "cli": ("tests/cli/",),
    "the code itself": ("tests/meta/",),
}


def test_quick_tests_cover_every_layer() -> None:
    named = (ROOT / "tests/quick.txt").read_text().splitlines()
    assert [name for name in named if not (ROOT / name).is_file()] == []
    for layer, folders in LAYERS.items():
        for folder in folders:
            assert any(name.startswith(folder) for name in named), layer
