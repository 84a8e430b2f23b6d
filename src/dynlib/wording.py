"""How messages name what a call was given: as arguments of Python, or in words of their reader.

Python's user reads ``plan=Stride(3)``.  Somebody at a command line reads ``--stride 3``, because
the command says so for as long as it runs (`read_by`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["Reader", "argument", "read_by"]

Reader = Callable[[str, Any], str | None]
"""Words for an argument and its value (None: it has none); None: Python's are right."""

_readers: list[Reader] = []


def argument(name: str, value: Any = None) -> str:
    """An argument, with its value if there is one; ``...`` stands for any.

    Examples
    --------
    >>> argument("t_eval"), argument("t_eval", ...), argument("out", "sweep.zarr")
    ('t_eval', 't_eval=...', "out='sweep.zarr'")
    """
    for reader in reversed(_readers):
        words = reader(name, value)
        if words is not None:
            return words
    if value is None:
        return name
    return f"{name}=..." if value is ... else f"{name}={value!r}"


@contextmanager
def read_by(reader: Reader) -> Iterator[None]:
    """Have messages that are made in the block name arguments in these words.

    Examples
    --------
    >>> with read_by(lambda name, value: f"--{name}"):
    ...     argument("out", "a.zarr")
    '--out'
    """
    _readers.append(reader)
    try:
        yield
    finally:
        _readers.remove(reader)
