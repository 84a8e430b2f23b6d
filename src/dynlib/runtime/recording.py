"""What a run keeps: names of states and aux variables, and the places of their columns."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from dynlib.errors import OptionError
from dynlib.runtime.naming import unknown_name

__all__ = ["AUX", "Selection", "check_room"]

AUX = "aux."


@dataclass(frozen=True)
class Selection:
    """The recorded variables of a run.

    Parameters
    ----------
    names : tuple of str
        States and aux variables in the order in which they were asked for.
    states, aux : tuple of str
        The same, in the order of the columns of the two record arrays.
    """

    names: tuple[str, ...]
    states: tuple[str, ...]
    aux: tuple[str, ...]

    @classmethod
    def of(
        cls, asked: Sequence[str] | str | None, states: tuple[str, ...], aux: tuple[str, ...]
    ) -> Selection:
        """The selection that `record_vars` asks for; None asks for all states.

        An aux variable is called ``"aux.E"`` or, as names are unique in a model, ``"E"``.

        Raises
        ------
        UnknownNameError
            For a name that is neither a state nor an aux variable.

        Examples
        --------
        >>> Selection.of(["aux.E", "x"], ("x", "y"), ("E",))
        Selection(names=('E', 'x'), states=('x',), aux=('E',))
        """
        if asked is None:
            return cls(states, states, ())
        listed = [asked] if isinstance(asked, str) else list(asked)
        of_states, of_aux = set(states), set(aux)
        for name in listed:
            if not isinstance(name, str):
                raise OptionError(f"record_vars must hold names, found {name!r}.")
            if name not in of_states and name.removeprefix(AUX) not in of_aux:
                known = (*states, *(AUX + each for each in aux))
                raise unknown_name("variable in record_vars", name, known)
        names = tuple(dict.fromkeys(n if n in of_states else n.removeprefix(AUX) for n in listed))
        chosen = set(names)
        return cls(
            names,
            tuple(name for name in states if name in chosen),
            tuple(name for name in aux if name in chosen),
        )

    @cached_property
    def columns(self) -> Mapping[str, tuple[str, int]]:
        """For each name, the record array (``"y"`` or ``"aux"``) and the column in it."""
        places: dict[str, tuple[str, int]] = {}
        for index, name in enumerate(self.aux):
            places[name] = places[AUX + name] = ("aux", index)
        # A state's own name wins over an aux variable that would look like it.
        places |= {name: ("y", index) for index, name in enumerate(self.states)}
        return places

    def request(
        self, states: tuple[str, ...], aux: tuple[str, ...]
    ) -> tuple[tuple[int, ...] | None, tuple[int, ...]]:
        """Indices for the runner: states (None: all in order) and aux variables."""
        places = {name: index for index, name in enumerate(states)}
        aux_places = {name: index for index, name in enumerate(aux)}
        chosen = tuple(places[name] for name in self.states)
        return (
            None if self.states == states else chosen,
            tuple(aux_places[name] for name in self.aux),
        )

    def as_dict(self) -> dict[str, Any]:
        """Plain data, for files."""
        return {"names": self.names, "states": self.states, "aux": self.aux}

    @classmethod
    def from_dict(cls, data: Mapping[str, Sequence[str]]) -> Selection:
        """The selection whose `as_dict` this is."""
        return cls(tuple(data["names"]), tuple(data["states"]), tuple(data["aux"]))


def check_room(rows: float, columns: int) -> None:
    """Refuse a record that this computer cannot hold, before it stops answering.

    Raises
    ------
    OptionError
        With what would make the record smaller.
    """
    needed = rows * (columns + 1) * 8
    if needed > _memory():
        raise OptionError(
            f"recording {rows:.3g} rows of {columns} variables takes {needed / 1e9:.3g} GB, more "
            "than there is memory. Record less: record_interval, record_vars, transient, t_eval; "
            "record=False keeps the final state and the events."
        )


def _memory() -> float:
    """Bytes of memory of this computer; infinity where it does not say."""
    try:
        return float(os.sysconf("SC_PHYS_PAGES")) * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # not a POSIX system, or a silent one
        return float("inf")
