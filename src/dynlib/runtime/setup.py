"""`setup`: from a model to a session on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from numpy.typing import DTypeLike

from dynlib.compiler.build import Model, build
from dynlib.compiler.engine import Jit
from dynlib.errors import UnknownOptionError
from dynlib.runtime.run_options import check_own_options
from dynlib.runtime.sim import Sim
from dynlib.suggest import did_you_mean

__all__ = ["setup"]


def setup(
    model: Model,
    *,
    stepper: str | None = None,
    mods: Sequence[Any] = (),
    jit: Jit = True,
    dtype: DTypeLike | None = None,
    disk_cache: bool = True,
    config: Any = None,
    **unknown: Any,
) -> Sim:
    """Load a model and open a session on it.

    Parameters
    ----------
    model : str, path, dict or ModelSpec
        ``"builtin://ode/lorenz"``, a path, TOML text, or a dict of the same shape.
    stepper : str, optional
        Name of the method (`list_steppers`); by default the one in the model's ``[sim]``.
    mods : sequence
        Changes to the model, in order: names of its own mods, ``"file.toml#mod=name"``, dicts.
    jit : bool or str
        Who compiles.  True: dynlib's own compiler.  ``"numba"``: Numba, slowly and to the same
        bits, as a check.  False: nobody; the generated code runs as plain Python.
    dtype : str or NumPy type, optional
        ``"float32"`` or ``"float64"`` instead of the model's own.
    disk_cache : bool
        Whether compiled code is kept on disk for the next process.
    config : path or dict, optional
        Configuration; by default the user's.

    Raises
    ------
    ModelLoadError, ModelNotFoundError, UnknownStepper, StepperKindMismatchError
        If the model cannot be loaded, or the stepper is not for it.
    OptionError
        If `jit` names no engine, or the model cannot have this `dtype`.

    Examples
    --------
    >>> sim = setup("builtin://ode/lorenz", stepper="rk4", jit=False)
    >>> sim.run(T=1.0, dt=0.01).t[-1]
    np.float64(1.0)
    """
    for name in unknown:
        known = ("stepper", "mods", "jit", "dtype", "disk_cache", "config")
        raise UnknownOptionError(
            f"setup() got an unknown argument {name!r}.{did_you_mean(name, known)} "
            f"Known: {', '.join(known)}. Options of the stepper are given to run()."
        )
    compiled = build(
        model,
        stepper=stepper,
        mods=mods,
        jit=jit,
        dtype=dtype,
        disk_cache=disk_cache,
        config=config,
    )
    check_own_options(compiled.stepper)
    return Sim(compiled)
