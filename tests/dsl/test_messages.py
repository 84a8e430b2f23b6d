"""The exact messages: ``tests/errors/NAME.toml`` beside ``NAME.txt``.

``DYNLIB_BLESS=1 pytest tests/dsl/test_messages.py`` writes the messages anew; read the difference.
"""

import os
from pathlib import Path

import pytest

from dynlib.dsl import load_model
from dynlib.errors import ModelLoadError

FOLDER = Path(__file__).parent.parent / "errors"
CASES = sorted(FOLDER.glob("*.toml"))


@pytest.mark.parametrize("file", CASES, ids=[file.stem for file in CASES])
def test_the_letter_is_as_it_was(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(FOLDER)
    with pytest.raises(ModelLoadError) as caught:
        load_model(file.name)
    found = str(caught.value) + "\n"
    message = file.with_suffix(".txt")
    if os.environ.get("DYNLIB_BLESS"):
        message.write_text(found, encoding="utf-8")
    assert found == message.read_text(encoding="utf-8")


def test_there_are_letters() -> None:
    assert len(CASES) >= 10
