"""Options that several commands share, and how ``name=value`` is read."""

from __future__ import annotations

from typing import Any

import click

__all__ = [
    "Assignment",
    "NameList",
    "Number",
    "Setting",
    "Times",
    "mods_option",
    "setting",
    "stepper_option",
]

stepper_option = click.option(
    "--stepper", metavar="NAME", help="Numerical method; `dynlib steppers` lists them."
)
mods_option = click.option(
    "--mod",
    "mods",
    multiple=True,
    metavar="NAME",
    help="A mod of the model, or FILE#mod=NAME; may be repeated, applied in order.",
)


class Number(click.ParamType):
    """A number, or a numeric expression such as ``20*pi``; whole numbers stay whole."""

    name = "number"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float | int:
        """Return the number."""
        number = value if isinstance(value, int | float) else _number(str(value))
        if number is None:
            self.fail(f"{value!r} is not a number, nor an expression of one", param, ctx)
        return number


class Times(click.ParamType):
    """``first:last:count`` for evenly spaced times, or times with commas between."""

    name = "times"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> list[float]:
        """Return the times."""
        text = str(value)
        parts = [_number(part.strip()) for part in text.split(":" if ":" in text else ",")]
        numbers = [part for part in parts if part is not None]
        if len(numbers) < len(parts) or (":" in text and len(parts) != 3):
            self.fail(f"{text!r} is neither first:last:count nor a list of numbers", param, ctx)
        if ":" not in text:
            return [float(number) for number in numbers]
        first, last, count = numbers
        if count != int(count) or count < 2:
            self.fail(f"{text!r}: the count must be a whole number, 2 or more", param, ctx)
        steps = int(count) - 1
        return [first + (last - first) * (k / steps) for k in range(steps)] + [float(last)]


class Assignment(click.ParamType):
    """``name=number``; the number may be a numeric expression such as ``8/3`` or ``2*pi``."""

    name = "name=value"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, float | int]:
        """Return the name and the number."""
        name, text = _halves(self, value, param, ctx)
        number = _number(text)
        if number is None:
            self.fail(
                f"{text!r} in {value!r} is not a number, nor an expression of one", param, ctx
            )
        return name, number


class Setting(click.ParamType):
    """``name=value`` for an option of a stepper: a number, a list of them, true, false, text."""

    name = "name=value"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, Any]:
        """Return the name and the value."""
        name, text = _halves(self, value, param, ctx)
        return name, setting(text)


class NameList(click.ParamType):
    """``x,y,aux.E``: names with commas between."""

    name = "names"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        """Return the names."""
        if not isinstance(value, str):
            return tuple(value)
        names = tuple(part.strip() for part in value.split(","))
        if not all(names):
            self.fail(f"{value!r}: a name is missing; write names with commas between", param, ctx)
        return names


def setting(text: str) -> Any:
    """Return the value that a text stands for.

    Examples
    --------
    >>> setting("1e-9"), setting("true"), setting("1e-6,1e-9"), setting("pi_control")
    (1e-09, True, [1e-06, 1e-09], 'pi_control')
    """
    if "," in text:
        return [setting(part.strip()) for part in text.split(",")]
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    number = _number(text)
    return text if number is None else number


def _halves(
    kind: click.ParamType, value: Any, param: click.Parameter | None, ctx: click.Context | None
) -> tuple[str, str]:
    name, equals, text = str(value).partition("=")
    if not equals or not name.strip() or not text.strip():
        kind.fail(f"{value!r} is not of the form name=value", param, ctx)
    return name.strip(), text.strip()


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
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
