"""``dynlib models``: the built-in models, one line each."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from typing import Any

import click

from dynlib.cli._messages import Message
from dynlib.cli._output import print_table

__all__ = ["command"]

_WIDEST = 88


@dataclass(frozen=True)
class _Card:
    """What is said about a model in a list."""

    name: str
    states: int
    summary: str
    text: str  # where the words of the user are looked for


@click.command("models")
@click.argument("words", nargs=-1, metavar="[WORD]...")
def command(words: tuple[str, ...]) -> None:
    """List the built-in models, or those that mention every WORD.

    Words are looked for in names, descriptions and references.  Run one with
    `dynlib run builtin://NAME`, read one with `dynlib show builtin://NAME`.
    """
    cards = _cards()
    found = [card for card in cards if all(word.lower() in card.text for word in words)]
    if not found:
        raise Message(f"no model mentions {' and '.join(map(repr, words))}{_guess(words, cards)}")
    rows = [(card.name, str(card.states), card.summary) for card in found]
    print_table(("name", "states", "what it is"), rows)


def _guess(words: tuple[str, ...], cards: list[_Card]) -> str:
    from dynlib.suggest import did_you_mean

    stems = [card.name.split("/")[1] for card in cards]
    guesses = (did_you_mean(word, stems) for word in words)
    return f".{next(filter(None, guesses), '')} `dynlib models` lists all."


def _cards() -> list[_Card]:
    """Read the documents only, without the checks and derivations of `load_model`."""
    from dynlib.dsl.paths import BUILTIN_FOLDER, builtin_names

    cards = []
    for name in builtin_names():
        with (BUILTIN_FOLDER / f"{name}.toml").open("rb") as stream:
            cards.append(_card(name, tomllib.load(stream)))
    return cards


def _card(name: str, document: dict[str, Any]) -> _Card:
    about = document.get("model", {})
    description = " ".join(str(about.get("description", "")).split())
    text = " ".join((name, str(about.get("name", "")), description, str(about.get("reference"))))
    return _Card(name, len(document.get("states", {})), _summary(description), text.lower())


def _summary(text: str) -> str:
    """Return the first sentence; of a long one the first clause, cut at a word if need be."""
    sentence = text.split(". ")[0].rstrip(".")
    if len(sentence) > _WIDEST:
        sentence = re.split("[:;] ", sentence)[0]
    if len(sentence) <= _WIDEST:
        return sentence
    return sentence[:_WIDEST].rsplit(" ", 1)[0].rstrip(",") + " …"
