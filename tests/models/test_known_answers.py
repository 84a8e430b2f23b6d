"""Every built-in model gives what is known about it."""

import pytest
from models.answers import Answer
from models.known_answers import KNOWN_ANSWERS

import dynlib

CASES = [
    pytest.param(model, answer, id=f"{model}-{type(answer).__name__}-{number}")
    for model, answers in KNOWN_ANSWERS.items()
    for number, answer in enumerate(answers)
]


@pytest.mark.parametrize(("model", "answer"), CASES)
def test_known_answer(model: str, answer: Answer) -> None:
    answer.check(model)


def test_every_model_has_an_answer_that_runs() -> None:
    """A model cannot be added without saying what is known about it."""
    without = [m for m in dynlib.list_models() if not any(a.RUNS for a in KNOWN_ANSWERS.get(m, []))]
    assert without == []


def test_every_answer_has_a_model() -> None:
    assert set(KNOWN_ANSWERS) <= set(dynlib.list_models())
