"""Run emitted code, as plain Python and compiled."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from dynlib.abi.primitives import plain_namespace
from dynlib.compiler.jit.native import emit_object, load
from dynlib.compiler.llvm.translate import SYMBOL, translate
from dynlib.compiler.source import Calls
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
    scalar = _SCALARS[dtype]
    real = dtype if dtype.startswith("float") else "float64"
    whole = dtype if dtype.startswith("int") else "int64"
    kinds = [leaf.kind for leaf in leaves]
    given = [("reals" if kind == "real" else "wholes") + f"[{i}]" for i, kind in enumerate(kinds)]
    lines = [
        f"reals = view1_{real}(table, 0)",
        f"wholes = view1_{whole}(table + 16, 0)",
        "real_results = view1_float64(table + 32, 0)",
        "whole_results = view1_int64(table + 48, 0)",
        f"found = run({', '.join(given)})",
        *(
            f"{'real' if node.kind == 'real' else 'whole'}_results[{i}] = found[{i}]"
            for i, node in enumerate(nodes)
        ),
        "return 0",
    ]
    entry = "\n    ".join(["def entry(table):", *lines])
    text = f"{source(nodes, leaves, dtype)}\n\n{entry}\n"
    kernel = load(emit_object(translate(text, {"run": Calls.INLINED}, "entry", dtype), SYMBOL))

    def call(env: Mapping[Node, float]) -> list:
        values = [scalar(env[leaf]) for leaf in leaves]
        held = {"real": np.zeros(len(leaves), real), "int": np.zeros(len(leaves), whole)}
        for i, (leaf, value) in enumerate(zip(leaves, values, strict=True)):
            held["real" if leaf.kind == "real" else "int"][i] = value
        results = np.zeros(len(nodes)), np.zeros(len(nodes), np.int64)
        arrays = (held["real"], held["int"], *results)
        table = np.array([w for a in arrays for w in (a.ctypes.data, a.size)], dtype=np.int64)
        assert kernel(table.ctypes.data) == 0
        return [
            results[0][i] if node.kind == "real" else int(results[1][i])
            for i, node in enumerate(nodes)
        ]

    return call
