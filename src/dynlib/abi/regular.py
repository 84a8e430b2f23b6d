"""Open regular files, and nothing that would block or act when it is opened.

A FIFO waits for its other end, a device may do something, a socket cannot be read.  All reading
of files that others may have put there goes through here; each caller has its own words for it.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

__all__ = ["NotRegular", "check_regular", "open_regular"]

_READ = (
    os.O_RDONLY
    | getattr(os, "O_NONBLOCK", 0)  # a FIFO would wait for its writer
    | getattr(os, "O_NOCTTY", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)
_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISLNK, "a link"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


class NotRegular(OSError):
    """What is there is no regular file.

    Attributes
    ----------
    kind
        What it is, such as "a pipe".
    """

    def __init__(self, kind: str) -> None:
        super().__init__(f"this is {kind}, not a file")
        self.kind = kind


def check_regular(state: os.stat_result) -> None:
    """Raise `NotRegular` if this is the state of something else."""
    if not stat.S_ISREG(state.st_mode):
        raise NotRegular(
            next((name for test, name in _KINDS if test(state.st_mode)), "something else")
        )


def open_regular(path: str | Path, *, above: int | None = None, links: bool = True) -> int:
    """A descriptor for reading a regular file, in binary.

    It is looked at before, since opening a device may have consequences, and Windows opens no
    folders; and after, by its descriptor, since it may have been exchanged in between.

    Parameters
    ----------
    path
    above
        Descriptor of the folder that `path` is relative to.
    links
        Whether links are followed.

    Raises
    ------
    NotRegular
        If it is something else.
    OSError
        If it cannot be opened.
    ValueError
        If `path` is no name of a file.
    """
    check_regular(os.stat(path, dir_fd=above, follow_symlinks=links))
    flags = _READ if links else _READ | getattr(os, "O_NOFOLLOW", 0)
    descriptor = os.open(path, flags, dir_fd=above)
    try:
        check_regular(os.fstat(descriptor))
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor
