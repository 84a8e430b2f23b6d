"""What the built-in models do on every path, to the last bit, as short hashes of arrays."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from trajectories import FLOWS

from dynlib import Sim, build
from dynlib.compiler.model import CompiledModel
from dynlib.observers import ObserverModule, features, lyapunov_max, lyapunov_spectrum
from dynlib.plans import FinalState

STEPS = 2000  # of the grid; with events the whole default run, since the first may come late
LONGER = {"ode/bouncing-ball": 2.5}  # default runs until it meets the stop condition
TIMES = 25  # at which adaptive steppers are sampled in batches
FACTORS = (1.0, 0.98, 1.03, 0.9, 1.1, 1.005)  # of the first parameter
SHIFTS = (0, 1, 2, 3, 5, 7)  # of the first state, where there are no parameters, or whole numbers
BLOCK: dict[str, Any] = {"lanes": 4, "workers": 1}  # fewer lanes than usual compile faster
OBSERVED_BATCHES = ("map", "rk4", "rk45")  # one of each kind: they compile longest

Arrays = dict[str, Any]


def steppers(name: str) -> tuple[str, ...]:
    """All steppers that suit a model."""
    return ("map",) if name.startswith("map/") else FLOWS


def paths(stepper: str) -> tuple[str, ...]:
    """All paths that are looked at with a stepper."""
    return tuple(p for p in PATHS if p != "observed batch" or stepper in OBSERVED_BATCHES)


def bits(
    name: str, stepper: str, chosen: Iterable[str], jit: bool | str = True
) -> dict[str, dict[str, str]]:
    """Hashes of the arrays that one model with one stepper gives, by path and by name."""
    case = Case(name, build(f"builtin://{name}", stepper=stepper, jit=jit))
    return {
        path: {array: short_hash(values) for array, values in PATHS[path](case).items()}
        for path in chosen
    }


def short_hash(values: Any) -> str:
    """Eight digits for type, shape and every bit; all NaNs are one; a word stands for itself."""
    if isinstance(values, str):
        return values
    array = np.ascontiguousarray(values)
    if array.dtype.kind == "f":
        array = np.where(np.isnan(array), np.nan, array)
    kind = array.dtype.newbyteorder("<")
    head = f"{kind.str} {array.shape} ".encode()
    return hashlib.sha256(head + array.astype(kind).tobytes()).hexdigest()[:8]


@dataclass(frozen=True)
class Case:
    """A model with a stepper, and how it is run."""

    name: str
    model: CompiledModel

    @property
    def sim(self) -> Sim:
        """A session that nothing has happened to."""
        return Sim(self.model)

    @property
    def record(self) -> dict[str, Any]:
        """What a run records: states and aux."""
        spec = self.model.spec
        names = (*spec.states, *(f"aux.{aux.name}" for aux in spec.aux))
        return {"record_vars": names, "on_failure": "return"}

    def span(self, share: int = 1) -> dict[str, Any]:
        """How long a run is; of it the half is a `share` of 2."""
        spec = self.model.spec
        if spec.is_map:
            return {"N": STEPS // share}
        dt, length = spec.sim.dt, spec.sim.t_end - spec.sim.t0
        length = LONGER.get(self.name, 1) * length if spec.events else min(length, STEPS * dt)
        return {"T": spec.sim.t0 + round(length / dt) // share * dt, "dt": dt}

    @property
    def starts(self) -> dict[str, Any]:
        """Values of a handful of runs, some of which may fail; they fill no whole block."""
        spec = self.model.spec
        if spec.params and not spec.is_integer:
            values = {"params": {spec.params[0]: spec.param_values[0] * np.array(FACTORS)}}
        else:
            values = {"ic": {spec.states[0]: spec.state_values[0] + np.array(SHIFTS)}}
        return {**values, "on_failure": "return"}

    @property
    def sampled(self) -> dict[str, Any]:
        """Where a batch records, if that is not at its steps."""
        if not self.model.stepper.adaptive:
            return {}
        return {"t_eval": np.array([self.span()["T"] * k / TIMES for k in range(TIMES + 1)])}

    def watching(self, exponents: ObserverModule) -> list[ObserverModule]:
        """A plain observer, and one of exponents where there are tangent vectors."""
        plain = features("max", "mean")
        return [plain] if self.model.spec.is_integer else [plain, exponents]


def _run(case: Case) -> Arrays:
    return _of_run(case.sim.run(**case.record, **case.span()))


def _resume(case: Case) -> Arrays:
    sim = case.sim
    half = sim.run(**case.record, **case.span(2))
    return _of_run(sim.run(resume=True, **case.record, **case.span()) if half.ok else half)


def _fastpath(case: Case) -> Arrays:
    return _of_run(case.sim.fastpath(plan=FinalState(), on_failure="return", **case.span()))


def _batch(case: Case) -> Arrays:
    record = {"record_vars": case.record["record_vars"]}
    table = case.sim.batch(**record, **case.starts, **BLOCK, **case.sampled, **case.span())
    return _of_batch(table)


def _observed_run(case: Case) -> Arrays:
    spectrum = lyapunov_spectrum(min(len(case.model.spec.states), 2))
    options: dict[str, Any] = {"record": False, "on_failure": "return"}
    return _of_observers(case.sim.run(observers=case.watching(spectrum), **options, **case.span()))


def _observed_batch(case: Case) -> Arrays:
    options = {"plan": FinalState(), "observers": case.watching(lyapunov_max())}
    return _of_observers(case.sim.batch(**options, **case.starts, **BLOCK, **case.span()))


PATHS: dict[str, Callable[[Case], Arrays]] = {
    "run": _run,
    "resume": _resume,
    "fastpath": _fastpath,
    "batch": _batch,
    "observed run": _observed_run,
    "observed batch": _observed_batch,
}


def _of_run(result: Any) -> Arrays:
    arrays: Arrays = {
        "status": result.status.name,
        "t": result.t,
        "record": result[:],
        "final": np.array([*result.final.values()]),
    }
    if len(result.events):
        fired = result.events.merged
        arrays |= {"events": fired.t, "event steps": fired.step}
    return arrays


def _of_batch(table: Any) -> Arrays:
    arrays: Arrays = {
        "status": table.status.astype(np.int64),
        "t": table.t,
        "record": np.stack([table[name] for name in table.names]),
        "final": np.stack([*table.final.values()]),
    }
    if len(table.events):
        fired = [result.events.merged for result in table]
        arrays["events"] = np.concatenate([each.t for each in fired])
        arrays["event steps"] = np.concatenate([each.step for each in fired])
    return arrays


def _of_observers(results: Any) -> Arrays:
    return {
        f"{observer}.{output}": np.asarray(found._outputs[output])
        for observer, found in results.observers.items()
        for output in found
    }
