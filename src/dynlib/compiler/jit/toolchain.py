"""Versions of everything between generated text and machine code, without importing Numba."""

from __future__ import annotations

import hashlib
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np

__all__ = ["toolchain"]

_OWN = ("columns.py", "door.py", "front_end.py", "intrinsics.py", "native.py", "primitives.py", "views.py")


@cache
def toolchain() -> str:
    """One line: Python, NumPy and Numba, and a hash of our own part of the compiler."""
    here = Path(__file__).parent
    own = hashlib.sha256(b"".join((here / name).read_bytes() for name in _OWN)).hexdigest()[:16]
    return f"python {sys.version_info[:3]} numpy {np.__version__} numba {_numba()} dynlib {own}"


def _numba() -> str:
    """Numba's version, or the hash of its version file, which is quicker to have than metadata."""
    spec = find_spec("numba")
    if spec is None or spec.origin is None:
        return "absent"
    file = Path(spec.origin).with_name("_version.py")
    return hashlib.sha256(file.read_bytes()).hexdigest()[:16] if file.is_file() else "unknown"
