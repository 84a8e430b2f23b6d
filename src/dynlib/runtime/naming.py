"""Vectors whose entries have names: states, parameters, final values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from dynlib.dsl import ModelSpec
from dynlib.errors import UnknownNameError
from dynlib.suggest import did_you_mean

__all__ = [
    "TIME",
    "ByName",
    "EditableValues",
    "NamedValues",
    "in_files",
    "misplaced_name",
    "named",
    "refuse_attribute",
    "shortened",
    "unknown_name",
    "unlike",
]

_WIDTH = 64
TIME = "time"
_OWN = (TIME, "events", "dynlib")  # the dimension of records, and the groups of files
V = TypeVar("V")


def in_files(name: str, own: Iterable[str] = _OWN) -> str:
    """A name of a model as it is in datasets and files: with a ``_`` where the name is dynlib's.

    This is so for every state, parameter, aux variable and axis, in every format.  What already
    ends with such a ``_`` gets one more, so two names never become one.

    Parameters
    ----------
    name : str
        The name.
    own : iterable of str
        The names that are dynlib's there.

    Examples
    --------
    >>> in_files("x"), in_files("time"), in_files("time_")
    ('x', 'time_', 'time__')
    """
    return f"{name}_" if name.rstrip("_") in own else name


def unlike(names: Iterable[str], taken: Iterable[str]) -> list[str]:
    """The names, with a ``_`` behind those that something else has, or one before them.

    Examples
    --------
    >>> unlike(["run", "x", "x"], taken=["run"])
    ['run_', 'x', 'x_']
    """
    used, found = set(taken), []
    for name in names:
        while name in used:
            name = f"{name}_"
        used.add(name)
        found.append(name)
    return found


def unknown_name(what: str, name: object, known: Iterable[str]) -> UnknownNameError:
    """The error for a name that nothing has, with what there is and the nearest of it."""
    known = list(known)
    guess = did_you_mean(name, known) if isinstance(name, str) else ""
    choice = f" Known: {', '.join(known)}." if known else " There are none."
    return UnknownNameError(f"unknown {what} {name!r}.{guess}{choice}")


def misplaced_name(
    what: str, name: object, names: tuple[str, ...], others: tuple[str, ...]
) -> UnknownNameError:
    """The error for a name that is no state (or parameter): it may be the other, `others`."""
    if name not in others:
        return unknown_name(what, name, names)
    wrong, right = ("ic", "params") if what == "state" else ("params", "ic")
    kind = "parameter" if what == "state" else "state"
    return UnknownNameError(f"{name!r} is a {kind}: it belongs in {right}, not in {wrong}.")


def shortened(line: str, width: int) -> str:
    """The line, or as many whole words of it as fit, and ``…``.

    Examples
    --------
    >>> shortened("mean = 1.25, sd = 0.5", 18)
    'mean = 1.25, sd …'
    """
    if len(line) <= width:
        return line
    words, _, rest = line[: width - 1].rpartition(" ")
    return f"{words} …" if words.strip() else f"{rest}…"


def refuse_attribute(name: str, spec: ModelSpec) -> None:
    """Refuse to set an attribute of a session that is meant for a state or a parameter."""
    for held, names in (("state", spec.states), ("params", spec.params)):
        if name in names:
            raise UnknownNameError(
                f"a session has no attribute {name!r}. Write sim.{held}[{name!r}] = ..., or "
                f"assign({name}=...)."
            )


class ByName(Mapping[str, V]):
    """A mapping whose keys IPython completes inside the brackets."""

    __slots__ = ()

    def _ipython_key_completions_(self) -> list[str]:
        return list(self)


class NamedValues(ByName[Any]):
    """Read-only values by name.

    Parameters
    ----------
    names : tuple of str
    values : array, shape (len(names),)
    what : str
        What a name stands for, in messages: ``"state"``, ``"parameter"``.

    Examples
    --------
    >>> final = NamedValues(("x", "y"), np.array([1.0, 2.5]), "state")
    >>> final["y"], dict(final)
    (2.5, {'x': 1.0, 'y': 2.5})
    """

    __slots__ = ("_names", "_values", "_what")

    def __init__(self, names: tuple[str, ...], values: NDArray[Any], what: str) -> None:
        self._names, self._values, self._what = names, values, what

    @property
    def names(self) -> tuple[str, ...]:
        """The names, in the order of the vector."""
        return self._names

    @property
    def array(self) -> NDArray[Any]:
        """A copy of the values as a vector, in the order of `names`."""
        return np.array(self._current())

    def _current(self) -> NDArray[Any]:
        return self._values

    def _place(self, name: str) -> int:
        if name not in self._names:
            raise unknown_name(self._what, name, self._names)
        return self._names.index(name)

    def __getitem__(self, name: str) -> Any:
        return self._current().item(self._place(name))

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __repr__(self) -> str:
        return "{" + named(self) + "}"


class EditableValues(NamedValues):
    """Values by name that belong to a session: writing an entry goes through the session.

    Parameters
    ----------
    names : tuple of str
    read : callable
        Returns the vector as it stands.
    write : callable
        Takes a dict of names and values, checks it, and changes the session.
    what : str
        As in `NamedValues`.
    """

    __slots__ = ("_read", "_write")

    def __init__(
        self,
        names: tuple[str, ...],
        read: Callable[[], NDArray[Any]],
        write: Callable[[dict[str, Any]], None],
        what: str,
    ) -> None:
        super().__init__(names, np.empty(0), what)
        self._read, self._write = read, write

    def _current(self) -> NDArray[Any]:
        return self._read()

    def __setitem__(self, name: str, value: Any) -> None:
        self._place(name)
        self._write({name: value})

    def update(self, values: Mapping[str, Any] | None = None, /, **named_values: Any) -> None:
        """Change several entries at once; nothing changes if one of them is wrong."""
        changes = {**(values or {}), **named_values}
        for name in changes:
            self._place(name)
        self._write(changes)


def named(values: Mapping[str, Any], width: int = _WIDTH) -> str:
    """Values as ``x = 1, y = 2.5``, the first few if there are many."""
    shown: list[str] = []
    for name in values:
        shown.append(f"{name} = {shorten(values[name])}")
        if sum(map(len, shown)) + 2 * len(shown) > width:
            shown[-1] = f"… ({len(values)} in all)"
            break
    return ", ".join(shown)


def shorten(value: Any) -> str:
    """A number as a reader wants it: six digits, integers in full."""
    return f"{value:.6g}" if isinstance(value, float) else str(value)
