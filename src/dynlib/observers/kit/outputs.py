"""Outputs of observers by the names that they have in a dataset: ``lyapunov_max_exponent``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from dynlib.errors import OptionError, UnknownNameError
from dynlib.observers.kit.result import ObserverResult
from dynlib.suggest import did_you_mean

__all__ = ["NamedOutput", "choose", "entries", "labels_of", "outputs", "outputs_of"]


def labels_of(facts: Mapping[str, Any], size: int) -> tuple[str, ...]:
    """What the entries of a vector of an observer's are called, if they have names."""
    labels = tuple(facts.get("quantities", ()))
    return labels if len(labels) == size else ()


def entries(name: str, size: int, labels: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Names of the single numbers of an output: in pictures, and in tables of one number each.

    Examples
    --------
    >>> entries("features_max", 2, ("x", "y"))
    ('features_max[x]', 'features_max[y]')
    >>> entries("lyapunov_spectrum_exponents", 2)
    ('lyapunov_spectrum_exponents[0]', 'lyapunov_spectrum_exponents[1]')
    """
    return tuple(f"{name}[{entry}]" for entry in labels or range(size)) if size else (name,)


@dataclass(frozen=True)
class NamedOutput:
    """One output of an observer.

    Attributes
    ----------
    observer, name
        Names of the observer, and of its output.
    size
        Entries of a vector; 0 is a number.
    labels
        What the entries are called, if they have names.
    """

    observer: str
    name: str
    size: int
    labels: tuple[str, ...] = ()

    def place(self, entry: str) -> int:
        """The place of an entry, by its name or its number.

        Raises
        ------
        OptionError
            If there is no such entry.
        """
        if entry in self.labels:
            return self.labels.index(entry)
        if entry.isdecimal() and int(entry) < self.size:
            return int(entry)
        there = ", ".join(self.labels) or f"0 to {self.size - 1}"
        has = f"has the entries {there}" if self.size else "is a number, without entries"
        name = f"{self.observer}_{self.name}"
        raise OptionError(f"{name}[{entry}]: {name} {has}.")


def outputs(found: Iterable[tuple[str, str, int, Mapping[str, Any]]]) -> dict[str, NamedOutput]:
    """Outputs by the names that they have in a dataset.

    Parameters
    ----------
    found : iterable of tuple
        Of each output its observer, name and size, and the facts about its observer.

    Examples
    --------
    >>> list(outputs([("lyapunov_max", "exponent", 0, {})]))
    ['lyapunov_max_exponent']
    """
    named = {}
    for observer, name, size, facts in found:
        output = NamedOutput(observer, name, size, labels_of(facts, size))
        named[f"{observer}_{name}"] = output
    return named


def outputs_of(results: Mapping[str, ObserverResult]) -> dict[str, NamedOutput]:
    """All outputs of these results, and what is derived from them."""
    return outputs(
        (observer, name, size, result.facts)
        for observer, result in results.items()
        for name, size in result.sizes.items()
    )


def choose(
    name: str, variables: Iterable[str], there: Mapping[str, NamedOutput], *, plane: bool
) -> tuple[NamedOutput, int | None] | None:
    """The output that a name means, and which entry of it; None if it is a variable.

    Parameters
    ----------
    name : str
        ``"lyapunov_max_exponent"``, ``"lyapunov_spectrum_exponents[0]"``, ``"features_max[x]"``.
    variables : iterable of str
        States and aux variables.
    there : mapping
        Of `outputs`.
    plane : bool
        Whether there is room for one number of each run only.

    Raises
    ------
    UnknownNameError
        If nothing has this name.
    OptionError
        If there is no such entry, or none is chosen where one must be.
    """
    if name in variables:
        return None
    base, bracket, entry = name.partition("[")
    if base not in there:
        known = (*variables, *there)
        raise UnknownNameError(
            f"unknown variable {name!r}.{did_you_mean(base, known)} Known: {', '.join(known)}."
        )
    output = there[base]
    if bracket:
        return output, output.place(entry.removesuffix("]"))
    if output.size > 1 and plane:
        one = entries(name, output.size, output.labels)[0]
        raise OptionError(
            f"{name} has {output.size} numbers for each run, of which a plane shows one, "
            f"such as {one!r}."
        )
    return output, None
