"""Small helpers for writing straight-line code over the components of a state."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

__all__ = ["Scalar", "chain", "combine", "function", "group", "names", "squares", "unpack"]

_NESTED = 64  # calls within calls in one line; Python's parser takes less than 200


class Scalar:
    """How numbers of the model's real type are written.

    Parameters
    ----------
    dtype
        Name of the state's dtype.  Literals of a float32 model are cast, so that no
        double-precision number slips into its arithmetic.
    """

    def __init__(self, dtype: str) -> None:
        self.single = dtype == "float32"

    def __call__(self, value: float) -> str:
        """A literal."""
        return f"real({value!r})" if self.single else repr(value)

    def cast(self, expression: str) -> str:
        """`expression`, a double, in the model's real type."""
        return f"real({expression})" if self.single else expression


def names(stem: str, n: int) -> list[str]:
    """``stem0 … stem{n-1}``."""
    return [f"{stem}{i}" for i in range(n)]


def group(items: Iterable[str]) -> str:
    """The items as a tuple display."""
    listed = list(items)
    return f"({listed[0]},)" if len(listed) == 1 else f"({', '.join(listed)})"


def unpack(items: Sequence[str], value: str) -> str:
    """A line that takes a tuple apart."""
    return f"{group(items)} = {value}"


def combine(terms: Sequence[tuple[str, str]], start: str | None = None) -> str:
    """``start + sum of a*b`` as a chain of fused multiply-adds, first term innermost."""
    pending = list(terms)
    if start is None:
        a, b = pending.pop(0)
        start = f"{a} * {b}"
    for a, b in pending:
        start = f"fma({a}, {b}, {start})"
    return start


def chain(name: str, terms: Sequence[tuple[str, str]]) -> tuple[list[str], str]:
    """The sum that `combine` writes, with lines to come before it where it is long.

    The lines are the same operations in the same order, with what they have added up so far under
    `name`; so a sum over hundreds of components nests no deeper than one over a few.
    """
    parts = [terms[i : i + _NESTED] for i in range(0, len(terms), _NESTED)]
    lines: list[str] = []
    for part in parts[:-1]:
        lines.append(f"{name} = {combine(part, name if lines else None)}")
    return lines, combine(parts[-1], name if lines else None)


def squares(name: str, items: Sequence[str]) -> tuple[list[str], str]:
    """The sum of squares, rounded at each step, with lines to come before it as in `chain`."""
    parts = [items[i : i + _NESTED] for i in range(0, len(items), _NESTED)]
    lines: list[str] = []
    text = ""
    for part in parts:
        added = " + ".join(f"({item}) * ({item})" for item in part)
        text = f"{name} + {added}" if lines else added
        lines.append(f"{name} = {text}")
    return lines[:-1], text


def function(name: str, args: str, lines: Iterable[str]) -> str:
    """Text of one function."""
    body = "\n".join(f"    {line}" for line in lines)
    return f"def {name}({args}):\n{body}\n"
