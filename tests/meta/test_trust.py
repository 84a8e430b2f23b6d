"""The page about what was tried says what the tests do."""

import re
from pathlib import Path

import pytest
from dsl import test_limits
from dsl.documents import ode
from errors import test_hostile_documents as hostile
from events import test_crossing_matrix as crossings
from fastpath import crowd, test_damaged_stores
from golden import bits, test_bits
from observers import test_against_paths, test_what_hooks_refer_to
from observers.everyone import everyone
from properties import test_values_at_the_edge as edge
from runtime import damage, mutants, test_interruption, test_threads

import dynlib

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "trust.md").read_text(encoding="utf-8")
FUZZED = ode("-a*x + 1", '[events.e]\ncond = "x > 1"\naction = "x = 0"\nlog = ["t"]\n')
CLAIMS = {
    "test_damaged_snapshots": [f"{len(mutants.CASES)} kinds of sessions, 120 changes"],
    "test_damaged_files": [f"{len(damage.BYTES)} kinds of harm", f"{6 * 60} damaged", "48,000"],
    "test_damaged_stores": [
        f"{len(test_damaged_stores.HARM)} kinds of harm, {3 * len(test_damaged_stores.HARM)} ",
        f"{100 * len(test_damaged_stores.HARM)} stores",
    ],
    "test_crowds": [f"{crowd.PROCESSES} processes on each store", f"{3 * 60} stores"],
    "test_fuzz": [f"15 scraps at each of {len(FUZZED)} places"],
    "test_limits": [f"{len(test_limits.HOSTILE)} kinds"],
    "test_hostile_documents": [f"{len(hostile.REFUSED) + len(hostile.ANSWERED)} documents"],
    "test_values_at_the_edge": [
        f"{len(edge.EXPRESSIONS)} expressions at {len(edge.VALUES) ** 2} pairs"
    ],
    "test_crossing_matrix": [
        f"{len(crossings.KINDS)} events on {len(crossings.CONDITIONS)} conditions",
        f"{len(crossings.TEETH)} sawteeth: 3 steppers",
        f"{len(crossings.STEPPERS)} steppers",
    ],
    "test_against_paths": [
        f"{len(everyone())} observers in {len(test_against_paths.CASES)} kinds of runs",
        f"{len(test_against_paths.CASES) + len(test_against_paths.KNOWN_STEPS)} combinations",
        f"all {2 * len(test_against_paths.CASES)} combinations",
    ],
    "test_threads": [
        f"{test_threads.THREADS} threads, {test_threads.ROUNDS} rounds each of "
        f"{len(test_threads.CALLS) - 1} kinds"
    ],
    "test_interruption": [f"in {len(test_interruption.LEFT)} models"],
    "test_what_hooks_refer_to": [
        f"{len(test_what_hooks_refer_to.ALIKE_OR_NOT)} pairs",
        f"{len(test_what_hooks_refer_to.ONLY_ITSELF)} things",
    ],
    "test_bits": [
        f"{len(test_bits.FEW)} built-in models",
        f"{sum(len(bits.steppers(name)) for name in dynlib.list_models())} pairs",
    ],
    "test_builtin_models": [f"the {len(dynlib.list_models())} built-in models"],
}


@pytest.mark.parametrize("name", CLAIMS)
def test_the_page_counts_as_the_tests_do(name: str) -> None:
    (row,) = (line for line in PAGE.splitlines() if line.endswith(f"/{name}.py` |"))
    assert [claim for claim in CLAIMS[name] if claim not in row] == []


def test_the_files_are_there() -> None:
    files = re.findall(r"`(tests/[\w/]+\.py)`", PAGE)
    assert len(files) > len(CLAIMS)
    assert [file for file in files if not (ROOT / file).is_file()] == []
