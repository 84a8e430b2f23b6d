"""Versions of everything between generated text and machine code, without importing Numba."""

from __future__ import annotations

import hashlib
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np

__all__ = ["toolchain"]

_SHARED = ("sizes.py", "source.py", "syntax.py")  # what writers of texts know too


@cache
def toolchain() -> str:
    """One line: Python, NumPy and Numba, and a hash of our own part of the compiler."""
    here = Path(__file__).parent
    folders = (here, here.parent / "llvm", here.parent / "vecmath")
    files = [file for folder in folders for file in sorted(folder.glob("*.py"))]
    files += [here.parent / name for name in _SHARED]
    own = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]
    return f"python {sys.version_info[:3]} numpy {np.__version__} numba {_numba()} dynlib {own}"


def _numba() -> str:
    """Numba's version, or the hash of its version file, which is quicker to have than metadata."""
    spec = find_spec("numba")
    if spec is None or spec.origin is None:
        return "absent"
    file = Path(spec.origin).with_name("_version.py")
    return hashlib.sha256(file.read_bytes()).hexdigest()[:16] if file.is_file() else "unknown"
