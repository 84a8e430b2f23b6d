"""Options that several commands share, and how their values are read.

A reader is a function of a text; what it cannot read it reports as ``click.BadParameter``, which
click prints with the name of the option.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any

import click

__all__ = [
    "assignment",
    "count",
    "engine_of",
    "engine_options",
    "mods_option",
    "name_list",
    "number",
    "setting",
    "stepper_option",
    "times",
]

_ENORMOUS = 10**300  # floats end soon after
_MOST = 10_000_000  # times in a list

stepper_option = click.option(
    "--stepper", metavar="NAME", help="Numerical method; `dynlib steppers` lists them."
)
mods_option = click.option(
    "--mod",
    "mods",
    multiple=True,
    metavar="NAME",
    help="A mod of the model, or FILE#mod=NAME. [repeat]",
)

_engine_option = click.option(
    "--engine",
    type=click.Choice(("llvm", "numba", "python")),
    help="Who compiles: dynlib, which is the default, or Numba; python: nobody.",
)
_plain_option = click.option("--no-jit", is_flag=True, help="Short for --engine python.")


def engine_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that say who compiles."""
    return _engine_option(_plain_option(command))


def engine_of(given: Mapping[str, Any]) -> str:
    """Return the name of the engine that they choose."""
    chosen: str | None = given["engine"]
    if given["no_jit"] and chosen not in (None, "python"):
        raise click.UsageError(f"--no-jit is short for --engine python; --engine {chosen} is not")
    return "python" if given["no_jit"] else chosen or "llvm"


def number(text: Any) -> float | int:
    """Return a number, or the value of a numeric expression; whole numbers stay whole.

    Examples
    --------
    >>> number("12"), number("1e-3"), number("8/2")
    (12, 0.001, 4.0)
    """
    value = text if isinstance(text, int | float) else _number(text)
    if value is None:
        raise click.BadParameter(f"{text!r} is not a number, nor an expression of one")
    if isinstance(value, int) and abs(value) >= _ENORMOUS:
        raise click.BadParameter(f"a number of {len(text)} digits is too large")
    return value


def count(least: int) -> Callable[[Any], int]:
    """Return a reader of whole numbers from `least` on, also written as ``1e6`` or ``20*365``.

    Examples
    --------
    >>> count(1)("1e3")
    1000
    """

    def read(text: Any) -> int:
        found = number(text)
        if not isfinite(found) or found != int(found) or found < least:
            raise click.BadParameter(f"{text!r} is no whole number from {least} on")
        return int(found)

    return read


def times(text: Any) -> list[float]:
    """Return times from ``first:last:count``, evenly spaced, or from a list with commas.

    Examples
    --------
    >>> times("0:1:5"), times("0, 2.5")
    ([0.0, 0.25, 0.5, 0.75, 1.0], [0.0, 2.5])
    """
    if isinstance(text, list):
        return text
    span = text.split(":")
    if len(span) == 1:
        return [float(number(part.strip())) for part in text.split(",")]
    if len(span) != 3:
        raise click.BadParameter(f"{text!r} is neither first:last:count nor a list of numbers")
    first, last, points = (number(part.strip()) for part in span)
    if not isfinite(points) or points != int(points) or not 2 <= points <= _MOST:
        alone = f"; a single value is written alone, {span[0].strip()}" if points == 1 else ""
        raise click.BadParameter(
            f"{text!r}: the count must be a whole number from 2 to {_MOST:,}{alone}"
        )
    steps = int(points) - 1
    return [first + (last - first) * (k / steps) for k in range(steps)] + [float(last)]


def assignment(text: Any) -> tuple[str, float | int]:
    """Return name and number of ``name=number``.

    Examples
    --------
    >>> assignment("beta=8/3")
    ('beta', 2.6666666666666665)
    """
    name, value = _halves(text)
    return name, number(value)


def setting(text: Any) -> tuple[str, Any]:
    """Return name and value of an option of a stepper: numbers, true, false, or text.

    Examples
    --------
    >>> setting("safety=0.8"), setting("atol=1e-6,1e-9"), setting("dense=true")
    (('safety', 0.8), ('atol', [1e-06, 1e-09]), ('dense', True))
    """
    name, value = _halves(text)
    return name, _value(value)


def name_list(text: Any) -> tuple[str, ...]:
    """Return the names in ``x,z,aux.E``.

    Examples
    --------
    >>> name_list("x, aux.E")
    ('x', 'aux.E')
    """
    if not isinstance(text, str):
        return tuple(text)
    names = tuple(part.strip() for part in text.split(","))
    if not all(names):
        raise click.BadParameter(f"{text!r}: a name is missing; write names with commas between")
    return names


def _halves(text: Any) -> tuple[str, str]:
    name, equals, value = str(text).partition("=")
    if not equals or not name.strip() or not value.strip():
        raise click.BadParameter(f"{text!r} is not of the form name=value")
    return name.strip(), value.strip()


def _value(text: str) -> Any:
    if "," in text:
        return [_value(part.strip()) for part in text.split(",")]
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    value = _number(text)
    return text if value is None else value


def _number(text: str) -> float | int | None:
    """Return the value of a number or numeric expression, None if the text is neither."""
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            continue
    from dynlib.dsl.expr import ExprError, Scope, bind, evaluate, parse_expression

    try:
        value = evaluate(bind(parse_expression(text), Scope(kind="numeric")), {})
    except ExprError:
        return None
    return None if isinstance(value, bool) else value
