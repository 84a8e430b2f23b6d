"""How much memory there is, looked up without another package."""

from __future__ import annotations

import os
import sys
from pathlib import Path

__all__ = ["available_memory", "readable_size"]

_GROUPS = (  # of a container, control groups version 2, then 1: folder, limit, usage, files cached
    ("/sys/fs/cgroup", "memory.max", "memory.current", "inactive_file"),
    (
        "/sys/fs/cgroup/memory",
        "memory.limit_in_bytes",
        "memory.usage_in_bytes",
        "total_inactive_file",
    ),
)
_UNITS = ((1 << 40, "TB"), (1 << 30, "GB"), (1 << 20, "MB"), (1 << 10, "kB"))


def available_memory() -> int | None:
    """Bytes that can be allocated without swapping; None if the system does not say."""
    known = [size for size in (_free_now(), _left_to_container(), _left_to_process()) if size]
    return min(known, default=None)


def readable_size(size: float) -> str:
    """A number of bytes as people write it.

    Examples
    --------
    >>> readable_size(3 * 1024**3), readable_size(800)
    ('3 GB', '800 bytes')
    """
    for unit, name in _UNITS:
        if size >= unit:
            return f"{size / unit:.3g} {name}"
    return f"{size:.0f} bytes"


def _free_now() -> int | None:
    """What the system as a whole can give."""
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError):
        pass
    if sys.platform == "win32":
        return _free_on_windows()
    try:  # no system but Linux says what is free; this is all there is
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return None


def _left_to_container() -> int | None:
    """What the limit of a container leaves; cached files give way and do not count."""
    for folder, limit, usage, cached in _GROUPS:
        group = Path(folder)
        try:
            allowed = (group / limit).read_text().strip()
            if not allowed.isdigit():
                continue
            stat = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
            used = int((group / usage).read_text()) - int(stat.get(cached, 0))
            return max(1, int(allowed) - used)
        except (OSError, ValueError):
            continue
    return None


def _left_to_process() -> int | None:
    """What ``ulimit -v`` leaves to this process."""
    try:
        import resource

        allowed, _ = resource.getrlimit(resource.RLIMIT_AS)
        if allowed == resource.RLIM_INFINITY:
            return None
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        return max(1, allowed - pages * os.sysconf("SC_PAGE_SIZE"))
    except (ImportError, OSError, ValueError):
        return None


def _free_on_windows() -> int | None:
    import ctypes

    class Status(ctypes.Structure):
        _fields_ = (
            ("length", ctypes.c_ulong),
            ("load", ctypes.c_ulong),
            ("total", ctypes.c_ulonglong),
            ("available", ctypes.c_ulonglong),
            ("rest", ctypes.c_ulonglong * 5),
        )

    status = Status(length=ctypes.sizeof(Status))
    if not ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status)):  # type: ignore[attr-defined]
        return None
    return int(status.available)
