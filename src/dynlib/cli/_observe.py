"""Reading ``--observe "poincare(z - 27, direction=falling)"``: a call, taken apart, never run.

The name is one of dynlib's own observers.  Values are numbers, ``true``, ``false``, plans of traces
such as ``Tail(100)``, lists in brackets, text in quotes; anything else is text as it stands, as an
expression of the model is.
"""

from __future__ import annotations

import re
from typing import Any

import click

from dynlib.errors import DynlibError
from dynlib.suggest import did_you_mean

__all__ = ["observer"]

_CALL = re.compile(r"\s*([A-Za-z_]\w*)\s*(?:\((.*)\))?\s*", re.DOTALL)
_KEYWORD = re.compile(r"\s*([A-Za-z_]\w*)\s*=(?!=)(.*)", re.DOTALL)
_PLANS = ("EveryStep", "Tail", "Hits")
_WORDS: dict[str, Any] = {"true": True, "false": False, "none": None}
_OPEN, _CLOSE = "([", ")]"


def observer(text: Any) -> Any:
    """Return the observer that a text describes.

    Examples
    --------
    >>> observer("lyapunov_max").label, observer("lyapunov_spectrum(2, renorm_every=5)").k
    ('lyapunov_max', 2)
    """
    if not isinstance(text, str):
        return text
    name, args, options = _call(text)
    makers = _makers()
    if name not in makers:
        raise click.BadParameter(
            f"there is no observer {name!r}.{did_you_mean(name, makers)} "
            f"There are: {', '.join(makers)}"
        )
    return _made(text, makers[name], args, options)


def _makers() -> dict[str, Any]:
    """The functions that make observers, by name."""
    import inspect

    from dynlib import observers

    found = {name: getattr(observers, name) for name in observers.__all__}
    return {
        name: maker
        for name, maker in found.items()
        if inspect.isfunction(maker) and name != "kaplan_yorke"
    }


def _made(text: str, make: Any, args: list[Any], options: dict[str, Any]) -> Any:
    try:
        return make(*args, **options)
    except DynlibError as error:
        raise click.BadParameter(str(error)) from error
    except TypeError as error:  # too many arguments, or one is missing
        raise click.BadParameter(f"{text!r}: {_misfit(make, args, options) or error}") from error


def _misfit(make: Any, args: list[Any], options: dict[str, Any]) -> str:
    """What a call lacks, and what it may have."""
    import inspect

    known = inspect.signature(make).parameters.values()
    named = [each for each in known if each.kind is not inspect.Parameter.VAR_KEYWORD]
    lacking = [
        each.name
        for place, each in enumerate(named)
        if each.default is inspect.Parameter.empty
        and each.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
        and place >= len(args)
        and each.name not in options
    ]
    only_named = inspect.Parameter.KEYWORD_ONLY
    listed = [f"{each.name}=..." if each.kind is only_named else each.name for each in named]
    what = f"{' and '.join(lacking)} must be given. " if lacking else ""
    return f"{what}{make.__name__} takes {', '.join(listed)}."


def _call(text: str) -> tuple[str, list[Any], dict[str, Any]]:
    """Name, values and named values of ``name(value, name=value)``."""
    match = _CALL.fullmatch(text)
    if match is None:
        raise click.BadParameter(f"{text!r} is not of the form name or name(value, option=value)")
    args: list[Any] = []
    options: dict[str, Any] = {}
    for part in _split(match[2] or "", text):
        named = _KEYWORD.fullmatch(part)
        if named is None:
            if options:
                raise click.BadParameter(f"{text!r}: {part.strip()!r} comes after a named value")
            args.append(_value(part.strip()))
        elif named[1] in options:
            raise click.BadParameter(f"{text!r}: {named[1]!r} is given twice")
        else:
            options[named[1]] = _value(named[2].strip())
    return match[1], args, options


def _split(inner: str, text: str) -> list[str]:
    """The parts between commas that stand in no bracket and in no quotes."""
    if not inner.strip():
        return []
    parts, depth, quote = [""], 0, ""
    for character in inner:
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        else:
            depth += (character in _OPEN) - (character in _CLOSE)
            if depth < 0:
                break
            if character == "," and not depth:
                parts.append("")
                continue
        parts[-1] += character
    if depth or quote:
        raise click.BadParameter(f"{text!r}: a bracket or a quote is not closed, or not opened")
    if not all(part.strip() for part in parts):
        raise click.BadParameter(f"{text!r}: a value is missing; write values with commas between")
    return parts


def _value(text: str) -> Any:
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        return text[1:-1]
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if _enclosed(text):
        parts = [_value(part.strip()) for part in _split(text[1:-1], text)]
        if text[0] == "[":
            return parts
        if len(parts) > 1:
            return tuple(parts)
    name = text.partition("(")[0].strip()
    if name in _PLANS:
        from dynlib import plans

        return _made(text, getattr(plans, name), *_call(text)[1:])
    number = _number(text)
    return text if number is None else number


def _enclosed(text: str) -> bool:
    """Whether one pair of brackets holds all of it."""
    depth = 0
    for place, character in enumerate(text):
        depth += (character in _OPEN) - (character in _CLOSE)
        if depth == 0:
            return place == len(text) - 1 > 0
    return False


def _number(text: str) -> float | int | None:
    from dynlib.cli._options import number

    try:
        return number(text)
    except click.BadParameter:
        return None
