"""`import dynlib` and `dynlib --help` load nothing heavy: looked up, not timed."""

import json
import subprocess
import sys

import pytest

HEAVY = {"numba", "llvmlite", "matplotlib", "xarray", "pandas", "scipy", "h5py", "dask", "zarr"}


def loaded_after(code: str) -> set[str]:
    """Top-level packages that a new interpreter has loaded after running `code`."""
    report = "import json, sys; print(json.dumps([m for m in sys.modules if '.' not in m]))"
    out = subprocess.run(
        [sys.executable, "-c", f"{code}\n{report}"], check=True, capture_output=True, text=True
    )
    return set(json.loads(out.stdout.splitlines()[-1]))


def test_import_is_light() -> None:
    assert not loaded_after("import dynlib") & (HEAVY | {"numpy", "rich", "click"})


def test_errors_are_light() -> None:
    assert not loaded_after("import dynlib; dynlib.DynlibError") & (HEAVY | {"numpy"})


def test_reading_a_model_needs_no_compiler() -> None:
    assert not loaded_after("import dynlib; dynlib.load_model('builtin://ode/lorenz')") & HEAVY


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["run", "--help"], ["models"]])
def test_light_commands(arguments: list[str]) -> None:
    code = (
        "import sys\n"
        f"sys.argv = ['dynlib', *{arguments!r}]\n"
        "from dynlib.cli import main\n"
        "try:\n    main()\nexcept SystemExit as stop:\n    assert not stop.code, stop.code"
    )
    assert not loaded_after(code) & HEAVY


def test_the_check_sees_an_import() -> None:
    assert "numpy" in loaded_after("import numpy")
