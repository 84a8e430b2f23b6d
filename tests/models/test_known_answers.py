"""Every built-in model gives what is known about it."""

import pytest
from models.answers import Answer, Subject
from models.known_answers import KNOWN_ANSWERS

import dynlib

CASES = [
    pytest.param(model, answer, id=f"{model}-{type(answer).__name__}-{number}")
    for model, answers in KNOWN_ANSWERS.items()
    for number, answer in enumerate(answers)
]

# Compiling takes longer than most of these runs. Compiled here: the long runs, and models with
# something of their own (integers, events, a select, hypot).
COMPILED = {
    "map/collatz",
    "ode/bouncing-ball",
    "ode/hires",
    "ode/hodgkin-huxley",
    "ode/izhikevich",
    "ode/kuramoto",
    "ode/oregonator",
    "ode/robertson",
    "ode/vanderpol",
}


@pytest.mark.parametrize(("model", "answer"), CASES)
def test_known_answer(model: str, answer: Answer) -> None:
    answer.check(Subject(model, jit=model in COMPILED))


@pytest.mark.slow
@pytest.mark.parametrize(("model", "answer"), [case for case in CASES if case.values[1].RUNS])
def test_known_answer_compiled(model: str, answer: Answer) -> None:
    answer.check(Subject(model, jit=True))


def test_every_model_has_an_answer_that_runs() -> None:
    """A model cannot be added without saying what is known about it."""
    without = [m for m in dynlib.list_models() if not any(a.RUNS for a in KNOWN_ANSWERS.get(m, []))]
    assert without == []


def test_every_answer_has_a_model() -> None:
    assert set(KNOWN_ANSWERS) <= set(dynlib.list_models())
