"""The ``visuals`` argument: what a caller changes about the artists of a picture."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from dynlib.errors import OptionError, UnknownOptionError
from dynlib.suggest import did_you_mean

__all__ = ["Looks", "Visuals"]

Visuals = Mapping[str, "Mapping[str, Any] | bool"]

# Matplotlib takes one spelling or the other, never both at once.
_LONG = {
    "c": "color",
    "ec": "edgecolor",
    "fc": "facecolor",
    "ls": "linestyle",
    "lw": "linewidth",
    "mec": "markeredgecolor",
    "mew": "markeredgewidth",
    "mfc": "markerfacecolor",
    "ms": "markersize",
}


class Looks:
    """Keywords for each artist: the caller's over the picture's own.

    Parameters
    ----------
    visuals : mapping or None
        For each artist a dict of Matplotlib keywords, False to leave it out, True to draw it.
    known : iterable of str
        The artists of this picture.

    Raises
    ------
    UnknownOptionError
        For an artist that the picture does not have.
    OptionError
        For a value that is neither a dict nor a truth value.

    Examples
    --------
    >>> looks = Looks({"line": {"lw": 2}, "legend": False}, ["line", "legend"])
    >>> looks("line", color="black", linewidth=1)
    {'color': 'black', 'linewidth': 2}
    >>> looks("legend") is None
    True
    """

    def __init__(self, visuals: Visuals | None, known: Iterable[str]) -> None:
        self._visuals: dict[str, Mapping[str, Any] | bool] = dict(visuals or {})
        self._known = tuple(known)
        for name, value in self._visuals.items():
            if name not in self._known:
                raise UnknownOptionError(
                    f"visuals: this picture has no artist {name!r}."
                    f"{did_you_mean(name, self._known)} It has: {', '.join(self._known)}."
                )
            if not isinstance(value, (bool, Mapping)):
                raise OptionError(
                    f"visuals[{name!r}] is {value!r}; it must be a dict of Matplotlib keywords, "
                    "or True or False"
                )

    def __call__(self, name: str, **defaults: Any) -> dict[str, Any] | None:
        """Return the keywords of an artist, or None if it is not to be drawn."""
        value = self._visuals.get(name, True)
        if isinstance(value, bool):
            return defaults if value else None
        return defaults | {_LONG.get(key, key): each for key, each in value.items()}

    def wants(self, name: str, otherwise: bool = False) -> bool:
        """Return whether the caller asks for an artist that is not always drawn."""
        return self._visuals.get(name, otherwise) is not False
