"""The ``[sim]`` table: what a run does unless told otherwise."""

from collections.abc import Callable
from math import isfinite
from typing import Any

from dynlib.dsl.document import Item
from dynlib.dsl.frozen import FrozenMap
from dynlib.dsl.issues import Issues
from dynlib.dsl.parse import plain
from dynlib.dsl.raw import RawModel
from dynlib.dsl.schema import SIM
from dynlib.dsl.spec import SimDefaults

Test = tuple[Callable[[float], bool], str]

_TESTS: dict[str, Test] = {
    "t0": (isfinite, "a finite number"),
    "t_end": (isfinite, "a finite number"),
    "n_end": (lambda value: 0 <= value < 1 << 62, "a whole number, 0 or more"),
    "dt": (lambda value: isfinite(value) and value > 0, "a number above 0"),
    "atol": (lambda value: isfinite(value) and value >= 0, "a number, 0 or more"),
    "rtol": (lambda value: isfinite(value) and value >= 0, "a number, 0 or more"),
    "max_steps": (
        lambda value: isfinite(value) and 1 <= value < 1 << 62 and value == int(value),
        "a whole number, 1 or more",
    ),
}
_WHOLE = ("n_end", "max_steps")


def read_settings(model: RawModel, issues: Issues) -> SimDefaults:
    """Return the defaults of a run; wrong values are noted."""
    _check_horizon(model, issues)
    known: dict[str, Any] = {}
    options: dict[str, Any] = {}
    for key, entry in model.sim.items():
        if key not in SIM.keys:
            options[key] = _frozen(plain(entry))
        elif key in _TESTS:
            value = _number(entry, key, len(model.states), issues)
            if value is not None:
                known[key] = value
        else:
            known[key] = entry.value
    known.setdefault("stepper", "map" if model.kind == "map" else "rk4")
    return SimDefaults(**known, options=FrozenMap(options))


def _check_horizon(model: RawModel, issues: Issues) -> None:
    wrong, right = ("t_end", "n_end") if model.kind == "map" else ("n_end", "t_end")
    entry = model.sim.get(wrong)
    if entry is not None:
        what = "a map counts iterations" if model.kind == "map" else "a flow runs in time"
        issues.append(
            entry.key_issue(
                f"{wrong!r} has no meaning here: {what}", f"Write {right} = {entry.value}."
            )
        )


def _number(entry: Item, key: str, n_states: int, issues: Issues) -> Any:
    test, expects = _TESTS[key]
    if isinstance(entry.value, tuple):
        if len(entry.value) != n_states:
            message = f"a list of {len(entry.value)} tolerances for {n_states} states"
            issues.append(entry.issue(message, "Write one number, or one for each state."))
            return None
        values = [_number(each, key, n_states, issues) for each in entry]
        return None if None in values else tuple(values)
    if not _passes(test, entry.value):
        issues.append(entry.issue(f"{key} = {_shown(entry.value)}: expected {expects}"))
        return None
    return int(entry.value) if key in _WHOLE else float(entry.value)


def _passes(test: Callable[[float], bool], value: float) -> bool:
    try:
        return test(value)
    except OverflowError:  # an int with hundreds of digits
        return False


def _shown(value: float) -> str:
    return repr(value) if abs(value) < 10**30 or not isinstance(value, int) else "(a huge number)"


def _frozen(value: Any) -> Any:
    """Return lists as tuples, so that a specification cannot be changed by accident."""
    return tuple(_frozen(each) for each in value) if isinstance(value, list) else value
