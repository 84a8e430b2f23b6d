"""The error message about a hook that raised."""

from __future__ import annotations

import traceback

from dynlib.abi.hooks import HOOK_ARGS, user_name
from dynlib.errors import ObserverError
from dynlib.observers.kit.combined import CombinedObserver

__all__ = ["hook_error"]

_TIME = HOOK_ARGS.split(", ").index("t")  # it has the same place in hooks of a step


def hook_error(
    combined: CombinedObserver, error: Exception, *, plain: bool
) -> ObserverError | None:
    """The error message; None if the error comes from no hook.

    Parameters
    ----------
    combined
        The observers of the run.
    error
        What was raised while they observed.
    plain
        Whether the hooks ran as plain Python, so that the error tells where it was raised.
    """
    hooks = [
        (label, kind, hook)
        for label, part in zip(combined.labels, combined.parts, strict=True)
        for kind, hook in part.hooks.items()
    ]
    if not plain:
        labels = list(dict.fromkeys(label for label, *_ in hooks))
        whose = f"observer {labels[0]!r}" if len(labels) == 1 else f"one of the observers {labels}"
        return ObserverError(
            f"a hook of {whose} raised an exception, as an index outside of an array does; "
            "compiled code keeps no more of it. Run it with jit=False, which executes hooks as "
            "plain Python and shows where."
        )
    for frame, line in traceback.walk_tb(error.__traceback__):
        for label, kind, hook in hooks:
            if frame.f_code is hook.__code__:
                where = f"{user_name(kind)}, {hook.__name__}()"
                t = frame.f_locals.get(hook.__code__.co_varnames[_TIME])
                when = f" at t = {t:g}" if isinstance(t, float | int) else ""
                what = f"{type(error).__name__}{when}: {error}"
                return ObserverError(
                    f"observer {label!r}: its hook {where}, raised {what} "
                    f"(line {line} of {frame.f_code.co_filename})."
                )
    return None
