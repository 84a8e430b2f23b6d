"""The functions of a model, compiled, for whoever wants to call them."""

from dynlib.compiler.equations.functions import Equations, ForScipy

__all__ = ["Equations", "ForScipy"]
