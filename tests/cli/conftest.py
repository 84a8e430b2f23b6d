"""Running the command line inside the tests."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dynlib.cli import app

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return a function that runs `dynlib ARGUMENTS` in an empty folder.

    An exception that is not meant for users fails the test: they must never see a traceback.
    """
    monkeypatch.chdir(tmp_path)

    def invoke(*arguments: str, status: int = 0) -> Result:
        result = CliRunner().invoke(app, arguments, prog_name="dynlib")
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == status, result.output
        return result

    return invoke


@pytest.fixture
def good(tmp_path: Path) -> Path:
    """A small model with everything that commands print."""
    path = tmp_path / "good.toml"
    path.write_text(GOOD, encoding="utf-8")
    return path


GOOD = """
[model]
type = "ode"
name = "good"
description = "A spring with a bumper."
reference = "Hooke (1678), De potentia restitutiva"
[states]
x = 1.0
v = 0.0
[params]
k = 4.0
c = 0.1
[constants]
floor_at = "-1/2"
[functions.pull]
args = ["u"]
expr = "k*u"
[aux]
energy = "v**2/2 + k*x**2/2"
[equations.rhs]
x = "v"
v = "-pull(x) - c*v"
[events.bump]
cond = "x < floor_at"
direction = "rising"
action = "v = -v"
log = ["v"]
[presets.soft.params]
k = 1.0
[presets.soft.states]
x = 0.5
[mods.stiff.set.params]
k = 100.0
[sim]
t_end = 2.0
dt = 0.01
"""
