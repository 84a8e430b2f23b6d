"""Read files that people write: models, configuration, presets.

What blocks for ever when it is read (a FIFO, a device, `/proc/kmsg`), or is far too long, is
refused unread.
"""

import os
import stat
from pathlib import Path


class Unreadable(Exception):
    """A file cannot be read, or must not.

    Parameters
    ----------
    problem : str
        The rest of a sentence that begins with the file's name.
    hint : str
        What to do; may be empty.
    """

    def __init__(self, problem: str, hint: str = "") -> None:
        super().__init__(problem)
        self.problem, self.hint = problem, hint


def read_regular(file: Path, most: int, what: str) -> bytes:
    """Return the content of a regular file; one that says it is empty is not read.

    Parameters
    ----------
    file : Path
    most : int
        Bytes that it may have.
    what : str
        What is expected, such as "a model".

    Raises
    ------
    Unreadable
        A folder, a device, a FIFO, a socket, a file too long, or one that cannot be read.
    """
    # Opening a FIFO waits for its other end; what was opened is what is looked at.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        if stat.S_ISDIR(os.stat(file).st_mode):  # which Windows does not open
            raise Unreadable("is a folder, not a file", "Name the file in it that you mean.")
        with open(os.open(file, flags), "rb") as stream:
            status = os.fstat(stream.fileno())
            _check(status, most, what)
            # Files of the kernel, such as /proc/kmsg, say that they are empty, and may wait.
            content = stream.read(most + 1) if status.st_size else b""
    except OSError as error:
        raise Unreadable(f"cannot be read: {error.strerror or error}") from None
    except ValueError:
        raise Unreadable("is no name of a file: it holds a NUL character") from None
    if len(content) > most:
        raise Unreadable(*_too_long(len(content), most, what))
    return content


def _check(status: os.stat_result, most: int, what: str) -> None:
    for kind, name in _KINDS.items():
        if stat.S_IFMT(status.st_mode) == kind:
            raise Unreadable(f"is no regular file but {name}")
    if not stat.S_ISREG(status.st_mode):
        raise Unreadable("is no regular file")
    if status.st_size > most:
        raise Unreadable(*_too_long(status.st_size, most, what))


_KINDS = {
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def _too_long(size: int, most: int, what: str) -> tuple[str, str]:
    return (
        f"has {size:,} bytes; {what} has at most {most:,}",
        f"Is this a file of data? {what[:1].upper()}{what[1:]} is a short TOML text.",
    )
