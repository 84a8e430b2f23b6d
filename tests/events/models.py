"""Text of small models with events."""

from __future__ import annotations

RAMP = {"x": (0, "1")}


def flow(states: dict[str, tuple[float, str]], rest: str, params: str = "") -> str:
    """A model of states ``name -> (initial value, derivative)`` with the tables of `rest`."""
    values = "\n".join(f"{name} = {value}" for name, (value, _) in states.items())
    rates = "\n".join(f'{name} = "{rate}"' for name, (_, rate) in states.items())
    return _document("ode", values, rates, rest, params)


def iteration(
    states: dict[str, tuple[float, str]], rest: str, params: str = "", dtype: str = "float64"
) -> str:
    """The same for a map: ``name -> (initial value, next value)``."""
    values = "\n".join(f"{name} = {value}" for name, (value, _) in states.items())
    rates = "\n".join(f'{name} = "{rate}"' for name, (_, rate) in states.items())
    return _document(f'map"\ndtype = "{dtype}', values, rates, rest, params)


def _document(kind: str, values: str, rates: str, rest: str, params: str) -> str:
    given = f"[params]\n{params}\n" if params else ""
    return f"""
[model]
type = "{kind}"
[states]
{values}
{given}[equations.rhs]
{rates}
{rest}
"""


def event(name: str, cond: str, action: str = "", log: str = "", **keys: object) -> str:
    """One table ``[events.name]``; `log` separates its expressions by ``;``."""
    lines = [f"[events.{name}]", f'cond = "{cond}"']
    if action:
        lines.append(f'action = "{action}"')
    if log:
        lines.append(f"log = {[part.strip() for part in log.split(';')]}")
    for key, value in keys.items():
        lines.append(f"{key} = {str(value).lower() if isinstance(value, bool) else repr(value)}")
    return "\n".join(lines) + "\n"
