"""What kernels are made of, in files for people: with ``DYNLIB_DUMP=folder``.

Each kernel has files of one name: model, stepper, kind of runner, and a digest that tells kernels
apart.  A file is written as soon as its content exists, so that a compile which fails, or is
interrupted, leaves what there was.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dynlib.compiler.jit.native import ObjectCode
from dynlib.compiler.source import KernelSource
from dynlib.errors import ConfigError

__all__ = ["DUMP_VARIABLE", "NO_DUMP", "Dump", "dump_of"]

DUMP_VARIABLE = "DYNLIB_DUMP"
_LONGEST = 100  # characters of a name, without digest and suffix
_DIGEST = 12


@dataclass(frozen=True)
class Dump:
    """Files of one kernel; without a folder it is false, and writes nothing."""

    folder: Path | None
    name: str = ""

    def __bool__(self) -> bool:
        return self.folder is not None

    def text(self, source: KernelSource) -> None:
        """Write the generated text."""
        self._write(".py", source.text)

    def translated(self, assembly: str, hooks: Sequence[str]) -> None:
        """Write LLVM IR as it was translated, and that of users' hooks, which Numba makes."""
        self._write(".ll", assembly)
        for i, each in enumerate(hooks, 1):
            self._write(f".hook{i}.ll", each)

    def code(self, made: ObjectCode) -> None:
        """Write LLVM IR as it was optimised, and the machine code as assembly."""
        self._write(".opt.ll", made.assembly)
        self._write(".s", made.listing)

    def _write(self, suffix: str, content: str) -> None:
        if self.folder is None:
            return
        try:
            (self.folder / f"{self.name}{suffix}").write_text(content, encoding="utf-8")
        except OSError as error:
            raise _refused(self.folder, error) from None


NO_DUMP = Dump(None)


def dump_of(label: str, digest: str) -> Dump:
    """Files named after a kernel's label and digest, in the folder that the variable names.

    Raises
    ------
    ConfigError
        If there is no such folder, and none can be made.
    """
    named = os.environ.get(DUMP_VARIABLE)
    if not named:
        return NO_DUMP
    folder = Path(os.path.expanduser(named))
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _refused(folder, error) from None
    words = re.sub(r"[^\w.+]+", "-", label).strip("-.")[:_LONGEST]
    return Dump(folder, f"{words}-{digest[:_DIGEST]}")


def _refused(folder: Path, error: OSError) -> ConfigError:
    return ConfigError(
        f"{DUMP_VARIABLE}: cannot write to {str(folder)!r}: {error.strerror or error}. "
        f"Name a folder that you can write to, or unset {DUMP_VARIABLE}."
    )
