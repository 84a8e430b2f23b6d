"""Simulate and analyse dynamical systems that are written once, as TOML models.

The public names are loaded on first use, so that ``import dynlib`` stays quick: neither Numba nor
a plotting library is imported before something needs it.

Examples
--------
>>> import dynlib
>>> "setup" in dir(dynlib)
True
"""

from importlib import import_module
from typing import Any

__version__ = "1.0.0.dev0"

# public name -> the module that defines it
_HOME = {
    "setup": "dynlib.runtime.setup",
    "Sim": "dynlib.runtime.sim",
    "Results": "dynlib.runtime.results",
    "BatchResults": "dynlib.runtime.batch.results",
    "grid": "dynlib.runtime.grid",
    "load_results": "dynlib.runtime.loading",
    "check_results": "dynlib.runtime.loading",
    "rerun": "dynlib.runtime.rerun",
    "build": "dynlib.compiler.build",
    "CompiledModel": "dynlib.compiler.model",
    "list_steppers": "dynlib.steppers.registry",
    "load_model": "dynlib.dsl",
    "list_models": "dynlib.dsl",
    "ModelSpec": "dynlib.dsl",
}
_MODULES = ("errors", "observers", "plans", "steppers")
_HOME |= dict.fromkeys(
    (
        "DynlibError",
        "ModelLoadError",
        "ModelNotFoundError",
        "AmbiguousModelError",
        "PathTraversalError",
        "ConfigError",
        "StepperError",
        "UnknownStepper",
        "StepperKindMismatchError",
        "StepperJitCapabilityError",
        "StepperOptionError",
        "CompilationError",
        "JITUnavailableError",
        "SessionBusyError",
        "SnapshotMismatchError",
        "RunFailed",
        "MissingExtraError",
        "FileError",
        "ObserverError",
        "OptionError",
        "UnknownNameError",
        "UnknownOptionError",
        "DynlibWarning",
        "AccuracyWarning",
        "CacheWarning",
        "StepperWarning",
    ),
    "dynlib.errors",
)

__all__ = ["__version__", *_HOME, *_MODULES]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"dynlib.{name}")
    if name not in _HOME:
        raise AttributeError(f"module 'dynlib' has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
