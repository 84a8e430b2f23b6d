"""What makes a runner of the source of a kernel: an engine, as those who write texts know it.

There are three (`dynlib.compiler.jit.engines`): our own translator, Numba, plain Python.  All take
the same text, and the first two give the same bits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from dynlib.compiler.source import KernelSource

if TYPE_CHECKING:
    from dynlib.compiler.jit.disk_cache import DiskCache
    from dynlib.compiler.jit.runner import Runner

__all__ = ["Engine", "Jit", "Place", "UncompilableHook"]

Jit = bool | str
"""What chooses an engine: True, False, or a name."""

Hooks = Mapping[str, Callable[..., Any]]


class UncompilableHook(Exception):
    """A user's hook cannot be compiled.

    Attributes
    ----------
    name
        By which the runner calls it.
    function
        The hook.
    reason
        The compiler's, in short.
    """

    def __init__(self, name: str, function: Callable[..., Any], reason: str) -> None:
        super().__init__(name, reason)
        self.name, self.function, self.reason = name, function, reason


@dataclass(frozen=True)
class Place:
    """Where a kernel is kept on disk: the cache (None: nowhere), its key, and what it is."""

    cache: DiskCache | None
    key: str
    label: str


class Engine(Protocol):
    """Makes runners.

    Attributes
    ----------
    name
        Its name, for people.
    jit
        What chooses it: `setup(jit=...)`.
    compiles
        Whether it makes machine code, which may be kept on disk; if not, the text runs as Python.
    packs
        Whether texts for it may step tangent vectors in packs, which not every engine knows.
    """

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def jit(self) -> Jit: ...  # noqa: D102
    @property
    def compiles(self) -> bool: ...  # noqa: D102
    @property
    def packs(self) -> bool: ...  # noqa: D102

    def versions(self) -> str:
        """All that makes machine code of a text, in words; empty where nothing does."""

    def meaning(self, hooks: Hooks) -> str:
        """What tells hooks of equal content apart in this process; empty if nothing does."""

    def hooks(self, hooks: Hooks) -> Any:
        """Users' functions, ready for a text to call them, by the names that it calls."""

    def runner(
        self,
        source: Callable[[], KernelSource],
        dtype: str,
        hooks: Callable[[], Any],
        place: Place,
    ) -> Runner:
        """The runner of a source, which is asked for only if it is not found in its place.

        Raises
        ------
        UncompilableHook
            If a user's hook cannot be compiled.
        """
