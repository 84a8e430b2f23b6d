"""Ways in which files come to harm: of bytes, and of archives."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np

Arrays = dict[str, Any]


def flip(content: bytes, dice: random.Random) -> bytes:
    """Some bytes differ."""
    damaged = bytearray(content)
    for _ in range(dice.choice((1, 1, 2, 8))):
        damaged[dice.randrange(len(damaged))] ^= dice.randrange(1, 256)
    return bytes(damaged)


def flip_end(content: bytes, dice: random.Random) -> bytes:
    """A byte differs where archives have their tables, and files their sums."""
    damaged = bytearray(content)
    damaged[-1 - dice.randrange(min(len(damaged), 400))] ^= 1 << dice.randrange(8)
    return bytes(damaged)


def cut(content: bytes, dice: random.Random) -> bytes:
    """The end is gone."""
    return content[: dice.randrange(len(content))]


def cut_little(content: bytes, dice: random.Random) -> bytes:
    """The very end is gone."""
    return content[: -dice.randrange(1, 64)]


def lose(content: bytes, dice: random.Random) -> bytes:
    """A stretch is gone from the middle."""
    first, last = sorted(dice.randrange(len(content)) for _ in range(2))
    return content[:first] + content[max(last, first + 1) :]


def blank(content: bytes, dice: random.Random) -> bytes:
    """A stretch is zeros, as after a crash of the system."""
    first = dice.randrange(len(content))
    last = min(len(content), first + dice.choice((16, 512, 4096)))
    return content[:first] + bytes(last - first) + content[last:]


def repeat(content: bytes, dice: random.Random) -> bytes:
    """A stretch stands there twice."""
    first, last = sorted(dice.randrange(len(content)) for _ in range(2))
    return content[:last] + content[first:]


def append(content: bytes, dice: random.Random) -> bytes:
    """Something stands behind it."""
    return content + dice.randbytes(dice.randrange(1, 100))


BYTES: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    flip, flip_end, cut, cut_little, lose, blank, repeat, append,
)  # fmt: skip


# --- archives -------------------------------------------------------------------------------------


def opened(content: bytes) -> tuple[Arrays, dict[str, Any]]:
    """Arrays and description of an ``.npz``."""
    with np.load(BytesIO(content)) as stored:
        arrays = {name: stored[name] for name in stored.files}
    return arrays, json.loads(arrays.pop("description").tobytes())


def packed(arrays: Arrays, meta: Any) -> bytes:
    """An ``.npz`` of them without a check sum of its own."""
    buffer = BytesIO()
    text = np.frombuffer(json.dumps(meta).encode(), dtype=np.uint8)
    np.savez(buffer, **{**arrays, "description": text})
    return buffer.getvalue()


def without_sum(content: bytes) -> bytes:
    """The same as a development version of dynlib wrote it, before there were check sums."""
    arrays, meta = opened(content)
    del meta["sealed"]
    return packed(arrays, meta)


def compressed(content: bytes) -> bytes:
    """The same, smaller."""
    buffer = BytesIO()
    with ZipFile(BytesIO(content)) as old, ZipFile(buffer, "w", ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
    return buffer.getvalue()


def rearranged(content: bytes) -> Iterator[bytes]:
    """Archives of which one array is gone, in another's place, of another type or shape."""
    arrays, meta = opened(content)
    names = list(arrays)
    for name, other in zip(names, names[1:] + names[:1], strict=True):
        values = arrays[name]
        yield packed({k: v for k, v in arrays.items() if k != name}, meta)
        yield packed({**arrays, name: arrays[other], other: values}, meta)
        for changed in (
            values.astype(np.float32),
            values.astype(np.complex128),
            values.astype(str),
            values[np.newaxis],
            values.ravel()[:-1],
            np.resize(values, (2, *values.shape)),
            np.array(7.0),
        ):
            if changed.dtype != values.dtype or changed.shape != values.shape:
                yield packed({**arrays, name: changed}, meta)


def forged(meta: Any, values: tuple[Any, ...]) -> Iterator[tuple[str, Any]]:
    """Descriptions with one entry changed or gone, and which."""
    if isinstance(meta, dict):
        entries: list[Any] = list(meta)
    elif isinstance(meta, list):
        entries = list(range(len(meta)))[:2]
    else:
        return
    for key in entries:
        for value in values:
            changed = meta.copy()
            changed[key] = value
            yield f"{key} = {value!r}", changed
        if isinstance(meta, dict):
            yield f"no {key}", {k: v for k, v in meta.items() if k != key}
        for where, inner in forged(meta[key], values):
            changed = meta.copy()
            changed[key] = inner
            yield f"{key}.{where}", changed
