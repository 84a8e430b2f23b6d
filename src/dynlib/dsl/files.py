"""Read files that people write: models, configuration, presets.

What blocks for ever when it is read (a FIFO, a device, `/proc/kmsg`), or is far too long, is
refused unread.
"""

import os
from pathlib import Path

from dynlib.abi.regular import NotRegular, open_regular


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
    try:
        with open(open_regular(file), "rb") as stream:
            size = os.fstat(stream.fileno()).st_size
            if size > most:
                raise Unreadable(*_too_long(size, most, what))
            # Files of the kernel, such as /proc/kmsg, say that they are empty, and may wait.
            content = stream.read(most + 1) if size else b""
    except NotRegular as found:
        if found.kind == "a folder":
            hint = "Name the file in it that you mean."
            raise Unreadable("is a folder, not a file", hint) from None
        raise Unreadable(f"is no regular file but {found.kind}") from None
    except OSError as error:
        raise Unreadable(f"cannot be read: {error.strerror or error}") from None
    except ValueError:
        raise Unreadable("is no name of a file: it holds a NUL character") from None
    if len(content) > most:
        raise Unreadable(*_too_long(len(content), most, what))
    return content


def _too_long(size: int, most: int, what: str) -> tuple[str, str]:
    return (
        f"has {size:,} bytes; {what} has at most {most:,}",
        f"Is this a file of data? {what[:1].upper()}{what[1:]} is a short TOML text.",
    )
