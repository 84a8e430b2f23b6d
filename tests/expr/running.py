"""Run emitted code, as plain Python and compiled."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from dynlib.abi.primitives import PRIMITIVES, plain_namespace
from dynlib.dsl.expr import Node, emit, free_nodes

_SCALARS = {"float64": np.float64, "float32": np.float32, "int64": np.int64, "int32": np.int32}


def source(nodes: Sequence[Node], leaves: Sequence[Node], dtype: str = "float64") -> str:
    """Return the text of a function of the leaves that returns the nodes' values."""
    names = {leaf: f"leaf{i}" for i, leaf in enumerate(leaves)}
    out = emit(nodes, names.__getitem__, dtype=dtype)
    head = f"def run({', '.join(names.values())}):"
    return "\n".join([head, *out.lines, f"    return ({', '.join(out.results)},)"])


def plain(nodes: Sequence[Node], env: Mapping[Node, float], dtype: str = "float64") -> list:
    """Return the values of the nodes by plain Python on NumPy scalars."""
    leaves = free_nodes(nodes)
    namespace = plain_namespace(dtype)
    exec(source(nodes, leaves, dtype), namespace)
    scalar = _SCALARS[dtype]
    with np.errstate(all="ignore"):
        return list(namespace["run"](*(scalar(env[leaf]) for leaf in leaves)))


def compiled(nodes: Sequence[Node], leaves: Sequence[Node], dtype: str = "float64") -> Callable:
    """Return a function of an environment that gives the values by compiled code."""
    import numba

    from dynlib.compiler.jit.primitives import primitives

    namespace = primitives([*PRIMITIVES], dtype)
    exec(source(nodes, leaves, dtype), namespace)
    function = numba.njit(error_model="numpy")(namespace["run"])
    scalar = _SCALARS[dtype]
    return lambda env: function(*(scalar(env[leaf]) for leaf in leaves))
