"""What one run was asked to do: merged from call, session and model, then checked once."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynlib.compiler.model import CompiledModel
from dynlib.dsl import ModelSpec
from dynlib.errors import OptionError, StepperError, StepperOptionError, UnknownOptionError
from dynlib.runtime.validate import exactly, flag, integer, number
from dynlib.steppers import registry
from dynlib.steppers.base import Stepper
from dynlib.suggest import closest, did_you_mean

__all__ = [
    "CALL_NAMES", "RunOptions", "check_own_options", "check_stepper_options", "merge",
    "model_defaults", "step_limit",
]  # fmt: skip

# The keywords of `Sim.run`, for suggestions.
CALL_NAMES = (
    "T", "N", "t0", "dt", "ic", "params", "record", "record_interval", "record_vars", "t_eval",
    "transient", "observers", "max_steps", "resume", "tag", "progress", "on_failure",
)  # fmt: skip
# What other programs call them.
_OTHER_WORDS = {
    "t_end": "T", "t_final": "T", "tmax": "T", "t_max": "T", "t1": "T", "time": "T", "n": "N",
    "n_end": "N", "steps": "N", "n_steps": "N", "iterations": "N", "h": "dt", "x0": "ic",
    "y0": "ic", "u0": "ic", "p": "params", "saveat": "t_eval",
}  # fmt: skip
_OF_BATCHES = ("workers", "lanes", "executor", "out")
_OF_SETUP = ("stepper", "mods", "jit", "dtype", "disk_cache", "config")
_MOST_STEPS = 2**62
_ENDLESS = 2**60
_ADAPTIVE_STEPS = 1_000_000  # the length of a run on a fixed grid is known beforehand


@dataclass(frozen=True, slots=True)
class RunOptions:
    """A checked request, in the words of the user; `to_dict` is its part of the receipt.

    Attributes
    ----------
    t0, end
        Where the run starts and ends: times of a flow, iterations of a map.
    dt
        None: the step that the session has (or, for an adaptive stepper, finds).
    record, record_interval, record_vars, t_eval, transient, max_steps
        As in `Sim.run`.
    stepper_options
        Those given for this run or the one that it continues, over those of the model.
    """

    t0: float
    end: float
    dt: float | None
    record: bool
    record_interval: int
    record_vars: tuple[str, ...] | None
    t_eval: NDArray[np.float64] | None
    transient: float
    max_steps: int | None
    stepper_options: Mapping[str, Any]

    @classmethod
    def checked(cls, given: Mapping[str, Any], model: CompiledModel) -> RunOptions:
        """The options of a run of `model` from merged arguments.

        Raises
        ------
        OptionError
            For a value that cannot be used; it says which and why.
        """
        spec = model.spec
        t0, end = _map_span(given) if spec.is_map else _flow_span(given, spec)
        dt = _step(given, spec, t0, end)
        transient = _transient(given, spec, abs(end - t0))
        interval = _count("record_interval", given.get("record_interval", 1))
        t_eval = _samples(given, spec, t0, end, transient)
        if t_eval is not None and interval != 1:
            raise OptionError("t_eval names the times to record; leave record_interval out.")
        _longest(given.get("stepper_options", {}).get("dt_max"), t0, end)
        limit, chosen = given.get("max_steps"), given.get("record_vars")
        return cls(
            t0=t0,
            end=end,
            dt=dt,
            record=flag("record", given.get("record", True)) or t_eval is not None,
            record_interval=interval,
            record_vars=chosen if chosen is None else _names(chosen),
            t_eval=t_eval,
            transient=transient,
            max_steps=limit if limit is None else _count("max_steps", limit),
            stepper_options=given.get("stepper_options", {}),
        )

    def to_dict(self, *, is_map: bool) -> dict[str, Any]:
        """Plain data under the names of `Sim.run`, without what was left at its default."""
        plain = {
            "dt": self.dt,
            "record": None if self.record else False,
            "record_interval": self.record_interval if self.record_interval != 1 else None,
            "record_vars": None if self.record_vars is None else list(self.record_vars),
            "t_eval": None if self.t_eval is None else self.t_eval.tolist(),
            "transient": self.transient or None,
            "max_steps": self.max_steps,
        }
        end = {"N": int(self.end - self.t0)} if is_map else {"T": self.end}
        options = {key: _plain(value) for key, value in self.stepper_options.items()}
        return end | {key: value for key, value in plain.items() if value is not None} | options


def merge(*sources: Mapping[str, Any]) -> dict[str, Any]:
    """One mapping from several: the first source that holds a value other than None wins."""
    merged: dict[str, Any] = {}
    for source in reversed(sources):
        merged |= {name: value for name, value in source.items() if value is not None}
    return merged


def model_defaults(model: CompiledModel) -> tuple[dict[str, Any], dict[str, Any]]:
    """The model's own (run options, stepper options), as far as its stepper knows them.

    Raises
    ------
    StepperOptionError
        If ``[sim]`` holds a key that is no option of the stepper named there.
    """
    sim, stepper = model.spec.sim, model.stepper
    declared = registry.get(sim.stepper, f"{model.spec.label}: [sim] stepper").option_names
    for name in sim.options:
        if name not in declared:
            if users := registry.having(name):
                raise StepperOptionError(
                    f"{model.spec.label}: [sim] {name}: stepper {sim.stepper!r} has no such "
                    f"option; these do: {', '.join(users)}. Name one of them as [sim] stepper."
                )
            common = ("t0", "t_end", "n_end", "dt", "stepper", "record", "max_steps", "stop")
            raise StepperOptionError(
                f"{model.spec.label}: [sim] {name}: unknown key, and no option of stepper "
                f"{sim.stepper!r}."
                f"{did_you_mean(name, (*common, *declared))}"
            )
    options = {"atol": sim.atol, "rtol": sim.rtol, **sim.options}
    run: dict[str, Any] = {"t0": sim.t0, "record": sim.record}
    if model.spec.is_map:
        run["n_end"] = sim.n_end
    else:
        run["T"] = sim.t_end
        # An adaptive stepper finds its first step itself.
        run["dt"] = None if stepper.adaptive else sim.dt
    return run, {name: value for name, value in options.items() if name in stepper.option_names}


def step_limit(options: RunOptions, model: CompiledModel) -> int | None:
    """Steps after which a run fails: of the call, of the model, of an adaptive stepper."""
    for limit in (options.max_steps, model.spec.sim.max_steps):
        if limit is not None:
            return limit
    return _ADAPTIVE_STEPS if model.stepper.adaptive else None


def check_stepper_options(
    given: Iterable[str],
    model: CompiledModel,
    caller: str = "run",
    known: tuple[str, ...] = CALL_NAMES,
) -> None:
    """Refuse keywords that are neither arguments of the caller nor options of the stepper."""
    accepted = model.stepper.option_names
    for name in given:
        if name in accepted:
            continue
        message = f"{caller}() got an unknown argument {name!r}."
        if caller == "fastpath" and name in _OF_BATCHES:
            raise UnknownOptionError(
                f"{message} It belongs to batch(): fastpath() is one run, in this thread."
            )
        if name in _OF_SETUP:
            raise UnknownOptionError(f"{message} It belongs to setup(model, {name}=...).")
        word = _OTHER_WORDS.get(name)
        guess = word if word in known else closest(name, (*known, *accepted))
        if users := registry.having(name):
            message = f"stepper {model.stepper.name!r} has no option {name!r}; these do: " + (
                ", ".join(users) + "."
            )
        elif guess:
            message += f" Did you mean {guess!r}?"
        options = f"takes {', '.join(accepted)}" if accepted else "takes no options"
        raise UnknownOptionError(f"{message} Stepper {model.stepper.name!r} {options}.")


def check_own_options(stepper: Stepper) -> None:
    """Refuse a stepper with an option that a run would take for an argument of its own."""
    taken = {*CALL_NAMES, *_OF_BATCHES, "plan"} & {each.name for each in stepper.own_options}
    if taken:
        names = ", ".join(sorted(taken))
        raise StepperError(
            f"stepper {stepper.name!r} ({registry.source_of(stepper)}) has an option {names}, "
            "which is an argument of run() or batch(): it needs another name."
        )


def _flow_span(given: Mapping[str, Any], spec: ModelSpec) -> tuple[float, float]:
    if given.get("N") is not None:
        raise OptionError(
            f"{spec.name!r} is a flow, which has an end time: run(T=...). N counts iterations "
            "of a map."
        )
    t0, end = number("t0", given["t0"]), number("T", given["T"])
    if not math.isfinite(end - t0):
        raise OptionError(f"from t0 = {t0:g} to T = {end:g} is longer than float64 can hold.")
    if end < t0 and spec.events:
        raise OptionError(
            f"T = {end:g} lies before t0 = {t0:g}, and a model with events cannot be integrated "
            f"backwards ({', '.join(event.name for event in spec.events)}). Give a T above {t0:g}."
        )
    if end < t0 and any(spec.lags):
        raise OptionError(
            f"T = {end:g} lies before t0 = {t0:g}, and a model with lags cannot be integrated "
            f"backwards. Give a T above {t0:g}."
        )
    return t0, end


def _map_span(given: Mapping[str, Any]) -> tuple[int, int]:
    if given.get("T") is not None:
        raise OptionError("a map is iterated, it has no end time: give run(N=...), not T.")
    t0 = integer("t0", given["t0"])
    count = given.get("N")
    n = integer("N", count, least=0) if count is not None else max(given["n_end"] - t0, 0)
    if t0 + n >= _MOST_STEPS:
        raise OptionError(f"N = {n} is more than any run can do.")
    return t0, t0 + n


def _step(given: Mapping[str, Any], spec: ModelSpec, t0: float, end: float) -> float | None:
    asked = given.get("dt")
    if asked is None:
        return None
    if spec.is_map:
        raise OptionError("a map has no dt: one iteration is one step.")
    dt = number("dt", asked)
    if dt <= 0:
        raise OptionError(
            f"dt must be above 0, found {dt:g}. To integrate backwards give a T before t0."
        )
    if end != t0 and t0 + dt == t0:
        raise OptionError(f"dt = {dt:g} is too small: t0 + dt = t0 = {t0:g} in float64.")
    if abs(end - t0) / dt >= _MOST_STEPS:
        raise OptionError(f"dt = {dt:g} is too small: no run can take that many steps.")
    return dt


def _longest(dt_max: Any, t0: float, end: float) -> None:
    """Refuse an upper bound of the step that no step of this run could move the time by."""
    farthest = max(abs(t0), abs(end))
    if isinstance(dt_max, int | float) and 0 < dt_max < 1e308 and farthest + dt_max == farthest:
        raise OptionError(f"dt_max = {dt_max:g} is too small: t + dt_max = t at t = {farthest:g}.")


def _transient(given: Mapping[str, Any], spec: ModelSpec, length: float) -> float:
    asked = given.get("transient", 0)
    found = integer("transient", asked) if spec.is_map else number("transient", asked)
    unit = "iterations" if spec.is_map else "of time"
    if not 0 <= found <= length:
        raise OptionError(
            f"transient = {found:g} must lie between 0 and the length of the run, "
            f"{length:g} {unit}; it is the part at its start that is not recorded."
        )
    return found


def _samples(
    given: Mapping[str, Any], spec: ModelSpec, t0: float, end: float, transient: float
) -> NDArray[np.float64] | None:
    if given.get("t_eval") is None:
        return None
    if spec.is_map:
        raise OptionError(
            "a map has nothing between its iterations, so t_eval is for flows: use record_interval "
            "and transient, or take rows of the result."
        )
    try:
        times = np.array(given["t_eval"], dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        times = np.empty((0, 0))
    if times.ndim != 1 or not np.isfinite(times).all():
        raise OptionError("t_eval must be a vector of finite times.")
    first = t0 + transient if end >= t0 else t0 - transient
    low, high = min(first, end), max(first, end)
    # Times such as 3*0.1 lie beyond an end of 0.3 by a rounding; they mean the end.
    slack = 8 * np.finfo(np.float64).eps * max(abs(t0), abs(end))
    inside = np.clip(times, low, high)
    far = np.abs(times - inside) > slack
    if far.any():
        raise OptionError(
            f"t_eval holds {exactly(times[far][0])}, outside of the run: {exactly(first)} to "
            f"{exactly(end)}."
        )
    times = inside
    if (np.diff(times) * (1 if end >= t0 else -1) < 0).any():
        raise OptionError("t_eval must be sorted in the direction of the run.")
    if given.get("record") is False:
        raise OptionError("record=False keeps nothing, t_eval asks for samples: give one of them.")
    return times


def _count(what: str, value: Any) -> int:
    """So many steps; more than any run can take are as good as endlessly many."""
    return min(integer(what, value, least=1, most=math.inf), _ENDLESS)


def _names(chosen: Any) -> tuple[str, ...]:
    if isinstance(chosen, str):
        return (chosen,)
    try:
        return tuple(chosen)
    except TypeError as error:  # an array without dimensions calls itself iterable
        raise OptionError(f"record_vars must be a list of names, found {chosen!r}.") from error


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value
