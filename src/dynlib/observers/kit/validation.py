"""What cannot be observed, and what is no observer: error messages."""

from __future__ import annotations

from typing import Any

from dynlib.compiler.codegen.tangent_events import blind_param
from dynlib.dsl.spec import ModelSpec
from dynlib.errors import ObserverError
from dynlib.observers.kit.module import ObserverModule
from dynlib.steppers.base import Stepper

__all__ = ["check_differentiable", "checked_observers"]


def check_differentiable(who: str, spec: ModelSpec, stepper: Stepper) -> None:
    """Refuse models along which no tangent vector can be carried; `who` wants to."""
    what = f"{who} follows tangent vectors, and model {spec.name!r}"
    if spec.is_integer:
        raise ObserverError(f"{what} is made of integers, which have no derivative.")
    if any(spec.lags):
        names = [n for n, depth in zip(spec.states, spec.lags, strict=True) if depth]
        raise ObserverError(
            f"{what} uses lag_{names[0]}(): its state is more than {', '.join(spec.states)}, and "
            "its tangent space is not known."
            + (f" Let a state of its own hold the past: M = {names[0]!r}." if spec.is_map else "")
        )
    if not stepper.tangents:
        raise ObserverError(
            f"{who} follows tangent vectors, which stepper {stepper.name!r} does not carry along. "
            "Take another one: rk4 or tsit5 does, as do all that come with dynlib."
        )
    for event in spec.events:
        name = blind_param(event, spec.state_nodes)
        if name is not None:
            raise ObserverError(
                f"{what} has event {event.name!r}, which sets parameter {name!r} by the state: a "
                f"tangent vector has no component along a parameter. Make {name!r} a state with "
                f"derivative 0."
            )
        located = stepper.dense_output and not spec.is_map and event.locate
        if located and event.phase != "start" and event.level is None and event.actions:
            raise ObserverError(
                f"{what} has event {event.name!r}, whose condition {event.text!r} is no comparison "
                "of two values, so the time at which it fires has no derivative. Write it with "
                "<, >, and, or, not; or set locate = false."
            )


def checked_observers(observers: Any) -> tuple[ObserverModule, ...]:
    """A sequence of observers with names of their own, or an error message.

    Raises
    ------
    ObserverError
    """
    if isinstance(observers, ObserverModule):
        observers = (observers,)
    try:
        found = None if isinstance(observers, str | type) else tuple(observers)
    except TypeError:  # an array without dimensions calls itself iterable
        found = None
    if found is None:
        raise ObserverError(f"observers must be a list of observers, found {observers!r}.")
    for item in found:
        if isinstance(item, type) and issubclass(item, ObserverModule):
            raise ObserverError(f"observers holds the class {item.__name__}; call it.")
        if callable(item) and not isinstance(item, ObserverModule):
            name = getattr(item, "__name__", repr(item))
            raise ObserverError(
                f"observers holds the function {name}; call it, {name}(...), if it makes an "
                "observer, or give your hook as ObserverModule('name', post_step=...)."
            )
        if not isinstance(item, ObserverModule):
            made = " Observers are made by functions, as in dynlib.observers.features('max')."
            hint = made if isinstance(item, str) else ""
            raise ObserverError(f"observers holds {item!r}, which is no observer.{hint}")
    labels = [observer.label for observer in found]
    for label in labels:
        if labels.count(label) > 1:
            raise ObserverError(
                f"two observers are called {label!r}, and results are kept by name: give one of "
                f"them another, name='{label}2'."
            )
    return found
