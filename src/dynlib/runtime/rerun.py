"""Compute a result again from its receipt."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from dynlib.compiler.engine import Jit
from dynlib.compiler.model import CompiledModel
from dynlib.errors import DynlibWarning, OptionError
from dynlib.observers.kit.combined import combine
from dynlib.observers.kit.metadata import deciding, describe, names_of
from dynlib.observers.kit.module import ObserverModule
from dynlib.observers.kit.validation import checked_observers
from dynlib.runtime.origin import inline
from dynlib.runtime.results import Results
from dynlib.runtime.setup import setup
from dynlib.runtime.validate import shown

__all__ = ["rerun"]


def rerun(
    receipt: Mapping[str, Any] | Results,
    *,
    jit: Jit | None = None,
    observers: Sequence[ObserverModule] = (),
) -> Results:
    """Run again what a receipt describes: the same bits, on the same versions and processor.

    A receipt names observers, but cannot contain their code.  Without `observers` the trajectory
    is computed alone, and a warning says so.

    Parameters
    ----------
    receipt : mapping or Results
        `Results.receipt`, or the same out of a JSON file; or the result itself.
    jit : bool or str, optional
        As of `setup`; by default as in the receipt.
    observers : sequence of ObserverModule, optional
        Those that the receipt names.

    Raises
    ------
    OptionError
        If the receipt is incomplete, its session was taken up from a snapshot file, or its
        observers are others than these, or may have ended the run and are missing.

    Examples
    --------
    >>> from dynlib import setup
    >>> res = setup("builtin://map/logistic", jit=False).run(N=100, params={"r": 3.9})
    >>> bool((rerun(res)["x"] == res["x"]).all())
    True
    """
    if isinstance(receipt, Results):
        receipt = receipt.receipt
    if not isinstance(receipt, Mapping):
        raise OptionError(f"rerun() takes a result or its receipt, found {shown(receipt)}.")
    try:
        model, stepper, dtype = receipt["model"]["text"], receipt["stepper"], receipt["dtype"]
        start = {name: receipt[name] for name in ("t0", "ic", "params")}
        first, later = receipt["arguments"], receipt["continued"]
        compiled = receipt["jit"] if jit is None else jit
    except (KeyError, TypeError) as error:
        raise OptionError(f"this is no receipt of a result: {error} is missing.") from error
    if not receipt.get("fresh", True):
        raise OptionError(
            "this result went on from a snapshot file, which its receipt does not contain. Load "
            "the snapshot and run it again with resume=True."
        )
    sim = setup(inline(model), stepper=stepper, dtype=dtype, jit=compiled)
    watch = _Watch(checked_observers(observers), sim.model)
    watching = watch.of(receipt, first)
    results = sim.run(**start, **first, observers=watching, on_failure="return")
    for piece in later:
        if piece["assigned"] is not None:
            sim.assign(piece["assigned"])
        arguments = piece["arguments"]
        watching = watch.of(piece, arguments)
        results = sim.run(**arguments, observers=watching, resume=True, on_failure="return")
    return results


class _Watch:
    """The observers that were given, to be held against those of a receipt."""

    def __init__(self, observers: tuple[ObserverModule, ...], model: CompiledModel) -> None:
        self._observers, self._model = observers, model

    def of(
        self, piece: Mapping[str, Any], arguments: Mapping[str, Any]
    ) -> tuple[ObserverModule, ...]:
        """Those that observed one piece of a session."""
        there = piece.get("observers", [])
        if not there:
            return ()
        if not self._observers:
            self._alone(there)
            return ()
        by_name = {observer.label: observer for observer in self._observers}
        names = [each["name"] for each in there]
        if missing := [name for name in names if name not in by_name]:
            raise OptionError(
                f"the receipt names the observers {names_of(there)}; {missing[0]!r} is not among "
                f"those given, {', '.join(map(repr, by_name))}."
            )
        chosen = tuple(by_name[name] for name in names)
        transient = arguments.get("transient", 0)
        if any(each["after"] != transient for each in there):
            raise OptionError(
                "this run of a batch was recorded and observed from different times on, which no "
                f"single run does. Observe it with run(transient={there[0]['after']}, ...)."
            )
        model = self._model
        here = describe(combine(chosen, model.spec, model.stepper), there[0]["after"])
        for old, new in zip(deciding(there), deciding(here), strict=True):
            if old != new:
                raise OptionError(
                    f"observer {old['name']!r} is not the one of the receipt: its code or its "
                    "options differ."
                )
        return chosen

    @staticmethod
    def _alone(there: Sequence[Mapping[str, Any]]) -> None:
        enders = [each for each in there if each["ends_runs"]]
        if enders:
            raise OptionError(
                f"the observer {names_of(enders)} may have ended this run, and a receipt does not "
                "contain its code. Give it: rerun(receipt, observers=[...])."
            )
        warnings.warn(
            f"the receipt names the observers {names_of(there)}, but does not contain their code: "
            "the run is repeated without them. To have them too: rerun(receipt, observers=[...]).",
            DynlibWarning,
            stacklevel=4,
        )
