"""The text of a kernel as plain Python."""

from __future__ import annotations

import linecache
import weakref
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from dynlib.abi.hooks import HOOK_ARGS, READ_ONLY, STEP_ARGS
from dynlib.abi.primitives import plain_namespace
from dynlib.compiler.jit.runner import Runner
from dynlib.compiler.source import KernelSource

__all__ = ["execute", "guarded", "plain_runner"]


def plain_runner(source: KernelSource, dtype: str, hooks: Mapping[str, Any]) -> Runner:
    """The runner of a source, whose hooks are `guarded`."""
    namespace = execute(source, hooks, dtype)
    return Runner(_plain(namespace[source.runner], source), compiled=False)


def execute(source: KernelSource, extra: Mapping[str, Any], dtype: str) -> dict[str, Any]:
    """Run the text of a kernel as plain Python and return its globals.

    The text stays available to tracebacks and debuggers under the file name that they show.
    """
    filename = f"<dynlib {source.runner} {source.digest[:12]}>"
    lines = source.text.splitlines(keepends=True)
    linecache.cache[filename] = (len(source.text), None, lines, filename)
    namespace: dict[str, Any] = {**plain_namespace(dtype), **extra, "__name__": "dynlib.generated"}
    exec(compile(source.text, filename, "exec"), namespace)
    _shown[filename] += 1
    weakref.finalize(namespace[source.runner], _forget, filename).atexit = False
    return namespace


_shown: Counter[str] = Counter()  # modules alive, by the name that tracebacks show


def _forget(filename: str) -> None:
    """Let the text of a module go with the last one that has it."""
    _shown[filename] -= 1
    if not _shown[filename]:
        del _shown[filename]
        linecache.cache.pop(filename, None)


def guarded(hooks: Mapping[str, Callable[..., Any]]) -> dict[str, Callable[..., Any]]:
    """Users' hooks for plain Python."""
    return {name: _reading(name, hook) for name, hook in hooks.items()}


def _reading(name: str, hook: Callable[..., Any]) -> Callable[..., Any]:
    """A user's hook to which NumPy refuses what compiled code does: to write to the run."""
    args = (STEP_ARGS if name.startswith("step_hook_") else HOOK_ARGS).split(", ")
    guarded = [i for i, arg in enumerate(args) if arg in READ_ONLY]

    def reading(*given: Any) -> Any:
        views = list(given)
        for i in guarded:
            views[i] = given[i].view()
            views[i].flags.writeable = False
        return hook(*views)

    return reading


def _plain(runner: Callable[..., int], source: KernelSource) -> Callable[..., int]:
    """The runner as a function of all its arrays."""
    called = partial(runner, *source.leading)
    packed = source.packed
    return (lambda *arrays: called(*arrays[:-packed], arrays[-packed:])) if packed else called
