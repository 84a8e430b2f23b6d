"""Combined observers that were used lately, kept so that equal ones are not made again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from dynlib.abi.briefly import BRIEFLY
from dynlib.dsl.spec import ModelSpec
from dynlib.observers.combined import CombinedObserver
from dynlib.observers.module import ObserverModule
from dynlib.steppers.base import Stepper

__all__ = ["combine"]

_KEPT = 16
_kept: OrderedDict[tuple[Any, ...], CombinedObserver] = OrderedDict()


def combine(
    observers: Sequence[ObserverModule], spec: ModelSpec, stepper: Stepper
) -> CombinedObserver:
    """The observers as one, made anew only if no equal ones have been combined lately.

    Writing their text takes much longer than a short run.
    """
    # An expression may use what no equation does.
    names = (str(dict(spec.constants)), str(dict(spec.functions)), spec.aux)
    key = (spec.model_hash, stepper.name, names, *(each.identity for each in observers))
    made = _kept.get(key)
    if made is None:
        made = CombinedObserver(observers, spec, stepper)
    with BRIEFLY:
        _kept[key] = made
        _kept.move_to_end(key)
        if len(_kept) > _KEPT:
            _kept.popitem(last=False)
    return made
