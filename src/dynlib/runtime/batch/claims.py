"""Who computes which part of a store: so that several processes share the work.

A claim is a small file with the name of its owner, made only where there is none.  Its owner
touches it every few seconds; that of a process that is gone, or that nobody has touched for two
minutes, may be taken over.

Claims save work, and nothing depends on them: parts are put in place by single moves and have
check sums, so two processes that compute one part end with the same bits.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from time import monotonic
from uuid import uuid4

from dynlib.runtime.files import in_one_move

__all__ = ["Claims"]

_BEAT = 10.0  # seconds between two touches
_SILENT = 120.0  # seconds without one after which an owner elsewhere counts as gone


class Claims:
    """The claims of one batch call.

    Parameters
    ----------
    folder : Path
        Where claims lie; made if there is none.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        owner = {"host": socket.gethostname(), "pid": os.getpid(), "call": uuid4().hex}
        self._own = json.dumps(owner)
        self._held: set[Path] = set()
        self._seen: dict[Path, tuple[object, float]] = {}
        self._end = threading.Event()
        self._beating = False

    def take(self, index: int) -> bool:
        """Claim a part; false if a process that is alive has it.

        Raises
        ------
        OSError
            If nothing can be written.
        """
        path = self._folder / f"{index}.json"
        self._folder.mkdir(exist_ok=True)
        if not self._make(path) and not (self._is_left(path) and self._take_over(path)):
            return False
        self._held.add(path)
        if not self._beating:
            self._beating = True
            with suppress(RuntimeError):  # without room for a thread: the claim is older sooner
                threading.Thread(target=self._beat, daemon=True, name="dynlib claims").start()
        return True

    def free(self, index: int) -> None:
        """Give a part back."""
        path = self._folder / f"{index}.json"
        if path in self._held:
            self._held.discard(path)
            if self._read(path) == self._own:
                path.unlink(missing_ok=True)

    def close(self) -> None:
        """Give all back."""
        self._end.set()
        for path in list(self._held):
            self.free(int(path.stem))

    def sweep(self, done: Collection[int]) -> None:
        """Remove claims of parts that are done: their owners were killed, or need them no more."""
        with suppress(OSError):
            for path in list(self._folder.iterdir()):
                index = path.name.partition(".")[0]
                if index.isdecimal() and int(index) in done:
                    path.unlink(missing_ok=True)

    def _make(self, path: Path) -> bool:
        """Make a claim where there is none, with the owner in it from the start.

        A process may be killed at any time, and nobody could tell who made an empty file.
        """
        new = path.with_suffix(f".{uuid4().hex}")
        try:
            new.write_text(self._own, encoding="utf-8")
            try:
                os.link(new, path)
            except FileExistsError:
                return False
            except OSError:  # a disk without links
                return self._make_at_once(path)
        finally:
            new.unlink(missing_ok=True)
        return True

    def _make_at_once(self, path: Path) -> bool:
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write(self._own)
        except FileExistsError:
            return False
        return True

    def _take_over(self, path: Path) -> bool:
        """Put our claim in the place of one that was left; of several, the last one has it."""
        with in_one_move(path) as new:
            new.write_text(self._own, encoding="utf-8")
        return self._read(path) == self._own

    def _is_left(self, path: Path) -> bool:
        """Whether the owner of a claim is gone.

        Clocks of other computers may differ; so it counts how long the time of the file has
        stayed as it is.
        """
        try:
            touched = path.stat().st_mtime_ns
        except OSError:
            return False  # given back just now
        found = self._read(path), touched
        before, since = self._seen.get(path, (None, 0.0))
        if found != before:
            self._seen[path] = found, monotonic()
            return _is_dead(found[0])
        return monotonic() - since > _SILENT or _is_dead(found[0])

    @staticmethod
    def _read(path: Path) -> str:
        try:
            return path.read_text(encoding="utf-8")
        except (OSError, ValueError):
            return ""

    def _beat(self) -> None:
        while not self._end.wait(_BEAT):
            for path in list(self._held):
                try:
                    os.utime(path)
                except OSError:
                    continue  # taken over, or on a disk that is away for a while


def _is_dead(claim: str) -> bool:
    """Whether a claim names a process of this computer that is no more."""
    try:
        owner = json.loads(claim)
        host, pid = owner["host"], int(owner["pid"])
    except (ValueError, TypeError, KeyError):
        return False
    if host != socket.gethostname() or sys.platform == "win32" or pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    try:  # killed, and not yet taken leave of by its parent
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return False
    return state in "ZX"
