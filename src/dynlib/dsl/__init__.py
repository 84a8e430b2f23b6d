"""The model language: TOML documents, expressions, models."""

from dynlib.dsl.config import Config, cache_root, load_config
from dynlib.dsl.load import list_models, load_model
from dynlib.dsl.spec import (
    Action,
    AuxSpec,
    EventSpec,
    FunctionText,
    LogColumn,
    ModelSpec,
    Preset,
    SimDefaults,
    StopSpec,
)

__all__ = [
    "Action",
    "AuxSpec",
    "Config",
    "EventSpec",
    "FunctionText",
    "LogColumn",
    "ModelSpec",
    "Preset",
    "SimDefaults",
    "StopSpec",
    "cache_root",
    "list_models",
    "load_config",
    "load_model",
]
