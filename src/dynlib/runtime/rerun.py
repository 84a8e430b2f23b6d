"""Compute a result again from its receipt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dynlib.errors import OptionError
from dynlib.runtime.results import Results
from dynlib.runtime.setup import setup
from dynlib.runtime.validate import shown

__all__ = ["rerun"]


def rerun(receipt: Mapping[str, Any] | Results, *, jit: bool | None = None) -> Results:
    """Run again what a receipt describes: the same bits, on the same versions and processor.

    Parameters
    ----------
    receipt : mapping or Results
        `Results.receipt`, or the same out of a JSON file; or the result itself.
    jit : bool, optional
        By default as in the receipt.

    Raises
    ------
    OptionError
        If the receipt is incomplete, or its session was taken up from a snapshot file.

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
    sim = setup(model, stepper=stepper, dtype=dtype, jit=compiled)
    results = sim.run(**start, **first, on_failure="return")
    for piece in later:
        if piece["assigned"] is not None:
            sim.assign(piece["assigned"])
        results = sim.run(**piece["arguments"], resume=True, on_failure="return")
    return results
