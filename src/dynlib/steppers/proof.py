"""Whether the text of somebody else's stepper is what it has to be: read, then tried on numbers.

What is wrong is said in the words of whoever wrote the stepper: which of its functions, which
line, what was found, what is expected.
"""

from __future__ import annotations

import ast
import builtins
import traceback
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any

import numpy as np

from dynlib.abi.primitives import plain_namespace
from dynlib.errors import DynlibError, StepperError
from dynlib.steppers.base import ATTEMPT_ARGS, Stepper
from dynlib.steppers.control import CONTROL_FUNCTIONS
from dynlib.steppers.problem import DERIVATIVES, Derivative, Problem
from dynlib.steppers.registry import is_own, source_of

__all__ = ["proved_text", "proved_vector_error", "who"]

_ARGS: Mapping[str, str] = {
    "attempt": ATTEMPT_ARGS,
    "restart": "t, step, u, p, ws, lane",
    "next_memory": "m, k",
    "dense": "t, h, step, u, u_new, k, p, ws, lane",
    "interpolate": "theta, h, u, u_new, d",
    "error_norm": "h, u, u_new, k, options, tolerances, lane",
    "first_step": "t, t_end, step, u, p, ws, options, tolerances, lane",
    "vector_error": "h, u, u_new, k, lane",
}
_GIVEN = ("rhs", *DERIVATIVES, *(f"{name}_along" for name in DERIVATIVES))
_PYTHON = ("range", "tuple", "float", "int", "min", "max", "len", "True", "False")
_SPARE = 64  # rows of a workspace to try texts with
_proved: set[str] = set()


def who(stepper: Stepper) -> str:
    """A stepper and its package, as error messages begin."""
    return f"stepper {stepper.name!r} ({source_of(stepper)})"


def proved_text(stepper: Stepper, problem: Problem) -> str:
    """The text that a stepper writes for a problem.

    Raises
    ------
    StepperError
        If it is not what a stepper has to write; those of dynlib are tested elsewhere.
    """
    if is_own(stepper):
        return stepper.emit(problem)
    text = _written(stepper, "emit", stepper.emit, problem)
    digest = sha256(f"{id(stepper)} {problem.n} {text}".encode()).hexdigest()
    if digest not in _proved:
        functions = _functions(stepper, text)
        _check_functions(stepper, functions, _required(stepper))
        _check_names(stepper, functions, problem)
        _Trial(stepper, problem, text).run()
        _proved.add(digest)
    return text


def proved_vector_error(stepper: Stepper, problem: Problem) -> str:
    """The text of ``vector_error``, likewise."""
    if is_own(stepper):
        return stepper.emit_vector_error(problem)
    text = _written(stepper, "emit_vector_error", stepper.emit_vector_error, problem)
    functions = _functions(stepper, text)
    _check_functions(stepper, functions, ("vector_error",))
    _check_names(stepper, functions, problem)
    return text


def _written(stepper: Stepper, name: str, write: Callable[[Problem], str], problem: Problem) -> str:
    try:
        text = write(problem)
    except DynlibError:
        raise
    except Exception as error:  # whatever somebody else's code may raise
        what = f"{type(error).__name__}: {error}".removesuffix(": ")
        raise StepperError(f"{who(stepper)}: its {name}(problem) raised {what}.") from error
    if not isinstance(text, str):
        raise StepperError(
            f"{who(stepper)}: its {name}(problem) must return Python text, a str; it returned "
            f"{type(text).__name__}."
        )
    return text


# --- what can be read -----------------------------------------------------------------------------


def _functions(stepper: Stepper, text: str) -> dict[str, ast.FunctionDef]:
    """The functions of a text, which holds nothing else."""
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        lines = text.splitlines()
        shown = f", line {line}: {lines[line - 1].strip()!r}" if line and line <= len(lines) else ""
        reason = getattr(error, "msg", error)
        raise StepperError(f"{who(stepper)}: its text is no Python ({reason}){shown}.") from error
    found: dict[str, ast.FunctionDef] = {}
    for node in body:
        if not isinstance(node, ast.FunctionDef):
            raise StepperError(
                f"{who(stepper)}: its text may hold functions alone, found in line {node.lineno}: "
                f"{ast.unparse(node)[:60]!r}."
            )
        if node.name in found or node.name in _GIVEN:
            other = "twice" if node.name in found else "itself; it is given to it"
            raise StepperError(f"{who(stepper)}: its text defines {node.name}() {other}.")
        found[node.name] = node
    return found


def _required(stepper: Stepper) -> tuple[str, ...]:
    """Functions that a stepper of this kind writes."""
    names = ["attempt"]
    if any(stepper.memory):
        names += ["restart", "next_memory"]
    if stepper.dense_output and stepper.kind == "ode":
        names += ["dense", "interpolate"]
    if stepper.adaptive:
        names += ["error_norm", "first_step"]
    return tuple(names)


def _check_functions(
    stepper: Stepper, functions: Mapping[str, ast.FunctionDef], required: tuple[str, ...]
) -> None:
    """Refuse a text in which functions are missing, or take something else."""
    missing = [name for name in required if name not in functions]
    if missing:
        signatures = "; ".join(f"def {name}({_ARGS[name]})" for name in missing)
        raise StepperError(f"{who(stepper)}: its text lacks {signatures}.")
    for name in required:
        args = [arg.arg for arg in functions[name].args.args]
        if len(args) != len(_ARGS[name].split(", ")):
            raise StepperError(
                f"{who(stepper)}: {name}() must take ({_ARGS[name]}), found ({', '.join(args)})."
            )
    if "error_norm" in required:
        absent = [f.__name__ for f in CONTROL_FUNCTIONS if f.__name__ not in functions]
        if absent:
            raise StepperError(
                f"{who(stepper)}: its text lacks the step control, {absent[0]}() and others; put "
                "dynlib.steppers.control.control_text(order of the error estimate) beside it."
            )


def _check_names(
    stepper: Stepper, functions: Mapping[str, ast.FunctionDef], problem: Problem
) -> None:
    """Refuse names that nobody has defined."""
    given = {each.name for each in problem.functions(stepper.needs)}
    known = {*plain_namespace(), *functions, *_PYTHON, "rhs", *given}
    for function in functions.values():
        names = [node for node in ast.walk(function) if isinstance(node, ast.Name)]
        own = {arg.arg for arg in function.args.args}
        own |= {name.id for name in names if isinstance(name.ctx, ast.Store)}
        for name in names:
            if name.id in known or name.id in own:
                continue
            hint = ""
            if name.id in _GIVEN:
                base = name.id.removesuffix("_along")
                named = base in stepper.needs
                hint = (
                    " All entries of it are constants for this model: ask Derivative.changing."
                    if named
                    else f" Name {base!r} in the stepper's needs."
                )
            elif hasattr(builtins, name.id):
                hint = " Of Python's own functions kernels know range, tuple, float and int."
            raise StepperError(
                f"{who(stepper)}: {function.name}() uses {name.id!r}, which is not defined (line "
                f"{name.lineno} of its text).{hint}"
            )


# --- what can be tried ----------------------------------------------------------------------------


class _Trial:
    """The text of a stepper as plain Python, called with numbers of the right shapes."""

    def __init__(self, stepper: Stepper, problem: Problem, text: str) -> None:
        self._stepper, self._problem, self._text = stepper, problem, text
        self._file = f"<text of stepper {stepper.name}>"
        dtype = problem.spec.dtype if problem.spec is not None else "float64"
        self._space: dict[str, Any] = plain_namespace(dtype)
        number = np.dtype(dtype).type
        self._space["rhs"] = lambda t, step, u, p, ws, lane: tuple(-x for x in u)
        for each in problem.functions(stepper.needs):
            self._space[each.name] = _constant(each, number)
        exec(compile(text, self._file, "exec"), self._space)
        n = problem.n
        self._u = tuple(number(0.5 + 0.25 * i / n) for i in range(n))
        self._p = np.zeros((_SPARE, 1), dtype=dtype)
        self._ws = self._workspace(dtype)

    def _workspace(self, dtype: str) -> np.ndarray[Any, Any]:
        """A workspace with the defaults of the stepper's own options, and some tolerance."""
        own = self._stepper.own_options
        places = [self._problem.setting(option.name) for option in own]
        rows = [_row(place) for place in places]
        most = _row(self._problem.rtol(0)) + self._problem.states
        ws = np.full((max(most, *rows, 0) + _SPARE, 1), 1e-6).astype(dtype)
        for row, option in zip(rows, own, strict=True):
            ws[row, 0] = option.default
        return ws

    def run(self) -> None:
        """Call all functions, and look at what they return."""
        stepper, n = self._stepper, self._problem.n
        u, rest = self._u, (self._p, self._ws, 0)
        memory = stepper.memory_size(n)
        m: Any = 0.0
        if memory:
            m = self._numbers("restart", memory, 0.0, 0, u, *rest)
        outcome = self._call("attempt", 0.0, 0.0625, 0, u, m, *rest)
        parts = 3 if stepper.noted else 2
        if not isinstance(outcome, tuple) or len(outcome) != parts:
            expected = "u_new, k, note" if stepper.noted else "u_new, k"
            raise self._wrong("attempt", f"({expected})", outcome)
        u_new, k = outcome[:2]
        self._check("attempt", "u_new, one number for each state", u_new, n)
        if stepper.noted:
            what = "the note, the failure and one number for each counter"
            self._check("attempt", what, outcome[2], 1 + len(stepper.counters))
            if not 0 <= int(outcome[2][0]) <= len(stepper.failures):
                raise self._wrong("attempt", "a failure that it declares", outcome[2][0])
        if memory:
            self._numbers("next_memory", memory, m, k)
        if stepper.dense_output and stepper.kind == "ode":
            size = stepper.dense_vectors * n
            d = self._numbers("dense", size, 0.0, 0.0625, 0, u, u_new, k, *rest)
            self._numbers("interpolate", n, 0.5, 0.0625, u, u_new, d)
        if stepper.adaptive and not self._problem.vectors:
            arrays = stepper.options({}, n)
            self._number("error_norm", 0.0625, u, u_new, k, *arrays, 0)
            self._number("first_step", 0.0, 1.0, 0, u, *rest[:2], *arrays, 0)

    def _numbers(self, name: str, size: int, *args: Any) -> Any:
        value = self._call(name, *args)
        self._check(name, f"{size} numbers", value, size)
        return value

    def _number(self, name: str, *args: Any) -> None:
        value = self._call(name, *args)
        if not _is_number(value):
            raise self._wrong(name, "one number", value)

    def _call(self, name: str, *args: Any) -> Any:
        try:
            with np.errstate(all="ignore"):
                return self._space[name](*args)
        except Exception as error:  # whatever the text does
            lines = traceback.extract_tb(error.__traceback__)
            own = [frame.lineno for frame in lines if frame.filename == self._file]
            line = own[-1] if own and own[-1] else 1
            written = self._text.splitlines()[line - 1].strip()
            raise StepperError(
                f"{who(self._stepper)}: {name}() raised {type(error).__name__}: {error}, when it "
                f"was tried for {len(self._u)} components; line {line} of its text: {written!r}."
            ) from error

    def _check(self, name: str, what: str, value: Any, size: int) -> None:
        if not (isinstance(value, tuple) and len(value) == size and all(map(_is_number, value))):
            raise self._wrong(name, what, value, size)

    def _wrong(self, name: str, what: str, value: Any, size: int | None = None) -> StepperError:
        found = f"a tuple of {len(value)}" if isinstance(value, tuple) else type(value).__name__
        if _is_number(value):
            found = f"the number {value}"
        expected = f"{what} (a tuple of {size})" if size is not None else what
        return StepperError(
            f"{who(self._stepper)}: {name}() must return {expected}, for {len(self._u)} "
            f"components; it returned {found}."
        )


def _constant(derivative: Derivative, number: Any) -> Callable[..., tuple[Any, ...]]:
    """Entries of a derivative of ``-u``, as far as there are some."""
    decays = derivative.name == "jacobian"
    values = tuple(number(-1.0 if decays and i == j else 0.0) for i, j in derivative.changing)
    return lambda *args: values


def _row(place: str) -> int:
    """The row of the workspace in ``ws[row, lane]`` or ``ws[row + 0, lane]``."""
    return int(place.partition("[")[2].partition(",")[0].partition(" ")[0])


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.number | np.bool_)
