"""Guess what somebody meant to type."""

from collections.abc import Iterable
from difflib import get_close_matches

_LONGEST = 60
_MANY = 500


def closest(name: str, known: Iterable[str], likeness: float = 0.6) -> str | None:
    """Return the known name nearest to ``name``, or None if none has this likeness (0 to 1).

    Case is ignored at first, because ``Rho`` for ``rho`` is the most common slip of all; next comes
    a name of the same letters in another order.

    Examples
    --------
    >>> closest("steper", ["stepper", "dt"])
    'stepper'
    >>> closest("RHO", ["sigma", "rho"]), closest("rk54", ["rk4", "rk45"])
    ('rho', 'rk45')
    >>> closest("q", ["sigma", "rho"]) is None
    True
    """
    if not isinstance(name, str) or not 0 < len(name) <= _LONGEST:
        return None
    names = {each.lower(): each for each in reversed(list(known)) if each != name}
    lowered = name.lower()
    if lowered in names:
        return names[lowered]
    if len(names) > _MANY:
        names = _alike(lowered, names)
    swapped = [each for each in names if sorted(each) == sorted(lowered)]
    if swapped and len(name) > 2:
        return names[get_close_matches(lowered, swapped, n=1, cutoff=0)[0]]
    found = get_close_matches(lowered, list(names), n=1, cutoff=likeness)
    return names[found[0]] if found else None


def _alike(name: str, names: dict[str, str]) -> dict[str, str]:
    """Return the names of about this length and these letters: to compare all takes too long."""
    near = {
        each: known
        for each, known in names.items()
        if abs(len(each) - len(name)) < 2 and (each[:1] == name[0] or each[-1:] == name[-1])
    }
    return dict(list(near.items())[:_MANY])


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `` Did you mean 'x'?`` with its leading space, or an empty string.

    Examples
    --------
    >>> "unknown key." + did_you_mean("t_edn", ["t0", "t_end"])
    "unknown key. Did you mean 't_end'?"
    """
    guess = closest(name, known)
    return f" Did you mean {guess!r}?" if guess else ""
