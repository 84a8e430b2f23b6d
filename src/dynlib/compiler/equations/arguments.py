"""What users give to the functions of a model: checked, and brought to one shape."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynlib.errors import OptionError, UnknownNameError
from dynlib.suggest import did_you_mean

__all__ = ["by_name", "checked_names", "leading", "numbers", "overlaid", "vectors"]

Array = NDArray[Any]


def numbers(what: str, given: Any, dtype: np.dtype[Any]) -> Array:
    """An array of this type.

    Raises
    ------
    OptionError
        If these are no real numbers, or no whole ones where the model is made of integers.
    """
    try:
        array = np.asarray(given)
    except ValueError as error:
        raise OptionError(f"{what} must be an array of numbers: {error}.") from error
    if hasattr(given, "mask") and np.ma.is_masked(given):
        raise OptionError(
            f"{what} has masked values, whose numbers mean nothing. Leave them out, or fill them: "
            "values.filled(...)."
        )
    if array.dtype == dtype:
        return array
    if array.dtype.kind not in "biuf":
        if _whole(array):
            most = "64 bits" if dtype.kind == "f" else dtype.name
            raise OptionError(f"{what} must fit {most}, found {_shown(given)}.")
        raise OptionError(f"{what} must be real numbers, found {_shown(given)}.")
    with np.errstate(all="ignore"):
        made = array.astype(dtype)
        if dtype.kind == "i" and not np.array_equal(made, array):
            raise OptionError(
                f"{what} must be whole numbers that fit {dtype.name}, found {_shown(given)}."
            )
    return made


def vectors(what: str, given: Any, names: tuple[str, ...], dtype: np.dtype[Any]) -> Array:
    """An array whose last axis has a place for each name, from such an array or a mapping.

    Raises
    ------
    OptionError, UnknownNameError
    """
    if by_name(given):
        checked_names(what, given, names)
        missing = [name for name in names if name not in given]
        if missing:
            raise OptionError(f"{what} lacks {', '.join(missing)}: a mapping names all of them.")
        if not names:
            return np.empty(0, dtype)
        columns = [numbers(f"{what}[{name!r}]", given[name], dtype) for name in names]
        shape = leading({f"{what}[{n!r}]": c.shape for n, c in zip(names, columns, strict=True)})
        return np.stack([np.broadcast_to(column, shape) for column in columns], axis=-1)
    array = numbers(what, given, dtype)
    if array.ndim == 0 or array.shape[-1] != len(names):
        hint = ""
        if array.ndim > 1 and array.shape[0] == len(names):
            hint = f" Did you mean {what}.T?"
        elif len(names) == 1 and array.ndim:
            hint = f" Did you mean {what}[..., None]?"
        raise OptionError(
            f"{what} has shape {array.shape}; its last axis must have length {len(names)}, for "
            f"{', '.join(names) or 'nothing'}.{hint}"
        )
    return array


def overlaid(given: Any, base: Array, names: tuple[str, ...]) -> Array:
    """Parameters: None, a mapping of some of them, or an array whose last axis has all.

    Whoever gives an array may change it later, so it is copied: one vector stands for its values.
    """
    if given is None:
        return base
    if not by_name(given):
        return vectors("params", given, names, base.dtype).copy()
    chosen = checked_names("params", given, names)
    columns = {name: numbers(f"params[{name!r}]", given[name], base.dtype) for name in chosen}
    shape = leading({f"params[{name!r}]": column.shape for name, column in columns.items()})
    found = np.empty((*shape, len(names)), base.dtype)
    found[...] = base
    for name, column in columns.items():
        found[..., names.index(name)] = column
    return found


def by_name(given: Any) -> bool:
    """Whether values are given by name: in a mapping, or in a row or table of pandas.

    A row that pandas has only numbered is a vector.
    """
    if isinstance(given, Mapping):
        return True
    keys = getattr(given, "keys", None)
    return callable(keys) and any(isinstance(key, str) for key in keys())


def checked_names(what: str, given: Any, names: Sequence[str]) -> list[str]:
    """The names that are given; one that nothing has is an error."""
    if not isinstance(given, Iterable):
        raise OptionError(f"{what} must be a name or a list of names, found {_shown(given)}.")
    chosen: list[Any] = list(getattr(given, "keys", list)()) if by_name(given) else list(given)
    for name in chosen:
        if name not in names:
            guess = did_you_mean(name, names) if isinstance(name, str) else ""
            known = f" Known: {', '.join(names)}." if names else " There are none."
            raise UnknownNameError(f"{what}: unknown name {name!r}.{guess}{known}")
    return chosen


def leading(shapes: Mapping[str, tuple[int, ...]]) -> tuple[int, ...]:
    """The shape that all broadcast to, by NumPy's rules."""
    try:
        return np.broadcast_shapes(*shapes.values())
    except ValueError:
        listed = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
        raise OptionError(f"leading shapes do not broadcast to one: {listed}.") from None


def _whole(array: Array) -> bool:
    """Whether all of an array of objects are whole numbers, of which one is too large."""
    return array.dtype.kind == "O" and array.size > 0 and all(type(x) is int for x in array.flat)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
