"""What every test shares: a cache folder of its own, Hypothesis profiles, the JIT switch."""

import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

# The first example of a property may compile a kernel, which says nothing about its speed.
_COMMON = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("dev", max_examples=40, **_COMMON)
settings.register_profile("ci", max_examples=100, derandomize=True, print_blob=True, **_COMMON)
settings.register_profile("nightly", max_examples=3000, print_blob=True, **_COMMON)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if "CI" in os.environ else "dev"))

_OWN_CACHE = pytest.StashKey[str]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--bless", action="store_true", help="write golden files anew; then read the difference"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Keep the user's caches and settings out of the tests, and the tests out of them.

    The workers of one test session inherit one cache folder; a new session starts with an empty
    one, unless ``DYNLIB_TEST_CACHE`` names a folder to keep.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # A shell starts jobs in the background deaf to Ctrl-C; the tests of Ctrl-C must hear it.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if hasattr(config, "workerinput"):
        return
    os.environ["MPLBACKEND"] = "Agg"
    if config.getoption("--bless"):
        os.environ["DYNLIB_BLESS"] = "1"
    for name in ("DYNLIB_CONFIG", "DYNLIB_MODEL_PATH", "DYNLIB_DUMP"):
        os.environ.pop(name, None)
    kept = os.environ.get("DYNLIB_TEST_CACHE")
    if not kept:
        kept = config.stash[_OWN_CACHE] = tempfile.mkdtemp(prefix="dynlib-tests-")
    os.environ["DYNLIB_CACHE_DIR"] = kept


def pytest_unconfigure(config: pytest.Config) -> None:
    if _OWN_CACHE in config.stash:
        shutil.rmtree(config.stash[_OWN_CACHE], ignore_errors=True)


@pytest.fixture(autouse=True)
def _no_figure_is_left_behind() -> Iterator[None]:
    """Pyplot keeps figures, and warns when there are many, whoever drew them."""
    yield
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.close("all")


@pytest.fixture(params=[False, True], ids=["python", "jit"])
def jit(request: pytest.FixtureRequest) -> bool:
    """Run the test twice: the generated source as plain Python, and compiled."""
    return bool(request.param)
