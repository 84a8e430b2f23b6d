"""Processes that make the same batch call at once: ``python crowd.py FOLDER STORES KILLS``.

For each store four processes begin together; so many of them are killed on the way.  What each of
the others found is printed, as one line for a store.
"""

import hashlib
import os
import random
import signal
import sys
from pathlib import Path
from time import sleep
from typing import Any

import numpy as np
import xarray  # noqa: F401 - here, so that the processes need not do it
import zarr  # noqa: F401
from fastpath.stored import batch_into

PROCESSES = 4
LONGEST = 0.4  # seconds until one is killed; a call takes about so long


def found(batch: Any) -> str:
    """All numbers of a batch in one."""
    total = hashlib.sha256()
    columns = [batch["x"], batch["n"], batch.t_final, batch.status, batch.rows, batch.final["n"]]
    for event in batch.events.values():
        columns += [event.run, event.t, event.step]
    for values in columns:
        total.update(np.ascontiguousarray(values).tobytes())
    return total.hexdigest()


def begin(store: Path) -> tuple[int, int]:
    """Start a process that fills the store; returns it and where it says what it found."""
    reader, writer = os.pipe()
    process = os.fork()
    if process:
        os.close(writer)
        return process, reader
    said = "nothing"
    try:
        said = found(batch_into(store))
    except BaseException as error:
        said = f"{type(error).__name__}: {error}".replace("\n", " ")
    os.write(writer, said.encode())
    os._exit(0)


def crowd(store: Path, kills: int) -> list[str]:
    """What the processes found that were not killed."""
    begun = [begin(store) for _ in range(PROCESSES)]
    for process, _ in begun[:kills]:
        sleep(random.uniform(0, LONGEST / kills))
        os.kill(process, signal.SIGKILL)
    found = []
    for index, (process, reader) in enumerate(begun):
        with os.fdopen(reader) as said:
            text = said.read()
        os.waitpid(process, 0)
        if index >= kills:
            found.append(text)
    return found


if __name__ == "__main__":
    random.seed(7)
    sys.stdout.write(found(batch_into()) + "\n")  # in memory, and all is imported
    for number in range(int(sys.argv[2])):
        said = crowd(Path(sys.argv[1], f"{number}.zarr"), int(sys.argv[3]))
        sys.stdout.write(" | ".join(said) + "\n")
