"""Which tables and keys a model document may have, as data."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

KINDS = ("ode", "map")
DTYPES = ("float64", "float32", "int64", "int32")
PHASES = ("start", "end", "both")
DIRECTIONS = ("rising", "falling", "either")


@dataclass(frozen=True)
class Value:
    """What one key holds.

    Parameters
    ----------
    expects : str
        What is accepted, in words.
    accepts : callable
        Tells whether a plain value (items unwrapped one level) is accepted.
    stand_in : object
        What takes the place of a wrong value, so that one mistake gives one message.
    choices : tuple of str
        All accepted strings, if these are few.
    """

    expects: str
    accepts: Callable[[Any], bool]
    stand_in: Any = None
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """What a table holds.

    Parameters
    ----------
    keys : mapping
        The rule of each fixed key.
    each : rule or None
        The rule of every other key, where the model's author chooses the keys.
    required : tuple of str
        Fixed keys that must be there.
    stray : str
        The sub-table in which strings under unknown keys belong, if there is such a one.
    """

    keys: "Mapping[str, Value | Table | Either | None]" = field(default_factory=dict)
    each: "Value | Table | Either | None" = None
    required: tuple[str, ...] = ()
    stray: str = ""


@dataclass(frozen=True)
class Either:
    """A plain value or a table."""

    value: Value
    table: Table


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def is_number(value: Any) -> bool:
    """Tell whether a value is a number; a bool is not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_texts(value: Any) -> bool:
    return isinstance(value, tuple) and all(isinstance(each.value, str) for each in value)


def _choice(choices: tuple[str, ...]) -> Value:
    named = ", ".join(f'"{choice}"' for choice in choices)
    return Value(f"one of {named}", lambda value: value in choices, choices[0], choices)


TEXT = Value("a string", _is_text, "")
FORMULA = Value("an expression in quotes", _is_text, "0")
CONDITION = Value("a condition in quotes", _is_text, "False")
BLOCK = Value("a string of statements, one a line", _is_text, "")
NUMBER = Value("a number", is_number)
AMOUNT = Value(
    "a number, or a numeric expression in quotes",
    lambda value: _is_text(value) or is_number(value),
    0,
)
WHOLE = Value(
    "a whole number",
    lambda value: isinstance(value, int) and value is not True and value is not False,
)
FLAG = Value("true or false", lambda value: isinstance(value, bool))
TEXTS = Value("a list of strings", _is_texts, ())
NUMBERS = Value(
    "a number, or a list of numbers",
    lambda value: (
        is_number(value)
        or (isinstance(value, tuple) and all(is_number(each.value) for each in value))
    ),
)
MATRIX = Value(
    "a list of rows, each a list of expressions or numbers", lambda value: isinstance(value, tuple)
)
OPTION = Value("a number, string, bool or list", lambda value: not isinstance(value, dict))

MODEL = Table(
    {
        "type": _choice(KINDS),
        "name": TEXT,
        "dtype": _choice(DTYPES),
        "description": TEXT,
        "reference": TEXT,
    },
    required=("type",),
)
AMOUNTS = Table(each=AMOUNT)
FORMULAS = Table(each=FORMULA)
RULES: "dict[str, Value | Table | Either | None]" = {
    "rhs": Table(each=FORMULA),
    "expr": BLOCK,
}
EQUATIONS = Table(
    {
        **RULES,
        "inverse": Table(RULES, stray="rhs"),
        "jacobian": Table({"expr": MATRIX}, required=("expr",)),
    },
    stray="rhs",
)
FUNCTIONS = Table(each=Table({"args": TEXTS, "expr": FORMULA}, required=("args", "expr")))
EVENT = Table(
    {
        "cond": CONDITION,
        "phase": _choice(PHASES),
        "action": Either(BLOCK, Table(each=FORMULA)),
        "log": TEXTS,
        "tags": TEXTS,
        "locate": FLAG,
        "direction": _choice(DIRECTIONS),
    },
    required=("cond",),
)
EVENTS = Table(each=EVENT)
STOP = Either(
    CONDITION,
    Table({"cond": CONDITION, "phase": _choice(PHASES), "locate": FLAG}, required=("cond",)),
)
SIM = Table(
    {
        "t0": NUMBER,
        "t_end": NUMBER,
        "n_end": WHOLE,
        "dt": NUMBER,
        "stepper": TEXT,
        "record": FLAG,
        "atol": NUMBERS,
        "rtol": NUMBERS,
        "max_steps": NUMBER,
        "stop": STOP,
    },
    each=OPTION,
)
PRESETS = Table(each=Table({"params": AMOUNTS, "states": AMOUNTS}))
_NAMES = Table({"names": TEXTS}, required=("names",))
MOD = Table(
    {
        "group": TEXT,
        "exclusive": FLAG,
        "remove": Table(dict.fromkeys(("events", "params", "aux", "functions"), _NAMES)),
        "replace": Table(
            {"events": EVENTS, "aux": FORMULAS, "functions": FUNCTIONS, "equations": EQUATIONS}
        ),
        "add": Table(
            {
                "events": EVENTS,
                "params": AMOUNTS,
                "aux": FORMULAS,
                "functions": FUNCTIONS,
                "states": AMOUNTS,
                "equations": EQUATIONS,
            }
        ),
        "set": Table(
            {
                "states": AMOUNTS,
                "params": AMOUNTS,
                "aux": FORMULAS,
                "functions": FUNCTIONS,
                "sim": SIM,
            }
        ),
    }
)
ONE_MOD = Table({**MOD.keys, "name": TEXT})

DOCUMENT = Table(
    {
        "model": MODEL,
        "states": AMOUNTS,
        "params": AMOUNTS,
        "constants": AMOUNTS,
        "equations": EQUATIONS,
        "aux": FORMULAS,
        "functions": FUNCTIONS,
        "events": EVENTS,
        "sim": SIM,
        "presets": PRESETS,
        "mod": ONE_MOD,
        "mods": Table(each=MOD),
        "meta": None,
    },
    required=("model", "states"),
)
MODS_ONLY = Table({"mod": ONE_MOD, "mods": DOCUMENT.keys["mods"]})

# What people coming from other tools write, and what it is called here.
OTHER_WORDS = {
    "method": "stepper",
    "solver": "stepper",
    "integrator": "stepper",
    "T": "t_end",
    "tend": "t_end",
    "t1": "t_end",
    "tmax": "t_end",
    "t_max": "t_end",
    "tstart": "t0",
    "t_start": "t0",
    "N": "n_end",
    "n": "n_end",
    "step": "dt",
    "h": "dt",
    "parameters": "params",
    "variables": "states",
    "initial": "states",
    "condition": "cond",
    "when": "cond",
    "actions": "action",
    "do": "action",
    "kind": "type",
}

# Options that a stepper may well have, although they look like a common key with a slip in it.
NOT_A_SLIP = frozenset(
    ("dt0", "dt_min", "dt_max", "dtmin", "dtmax", "min_step", "max_step", "first_step", "tol")
)
