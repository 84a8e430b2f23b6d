"""Writing rows that were collected for many runs to the record of each run.

What lies side by side in a tile, one number for each lane, belongs to runs whose records are far
apart.  Squares of 8 numbers of 8 lanes are turned in registers, so that every store fills a cache
line; gathering numbers from a column, as LLVM would have it, takes several times as long.
"""

from __future__ import annotations

from collections.abc import Sequence

from dynlib.compiler.llvm.expressions import Callee, Expressions
from dynlib.compiler.llvm.values import Array, Number, Untranslatable, Value, number

__all__ = ["TILES"]

_SIDE = 8
_LINE = 64  # bytes


def _arrays(values: Sequence[Value]) -> list[Array]:
    arrays = [value for value in values if isinstance(value, Array)]
    if len(arrays) != len(values):
        raise Untranslatable("an array is needed")
    return arrays


def _side(tile: Array) -> tuple[int, int]:
    count = tile.extents[1]
    if not isinstance(count, int):
        raise Untranslatable("a number of lanes that is not known beforehand")
    return count, _SIDE if count % _SIDE == 0 else 1


def _bytes(kind: str) -> int:
    return {"double": 8, "i64": 8, "float": 4, "i32": 4}[kind]


def _copy_row(body: Expressions, args: Sequence[Value]) -> None:
    """``tile[k] = y[j]``, in vectors whatever else may alias."""
    target, source = _arrays([args[0], args[3]])
    count, side = _side(target)
    to, of = body.at(target, [body.as_number(args[2])]), body.at(source, [body.as_number(args[4])])
    vector = f"<{side} x {to.kind}>"
    for first in range(0, count, side):
        a, b = body.at(of, [number(first)]), body.at(to, [number(first)])
        row = body.blocks.new(f"load {vector}, ptr {a.pointer}, align {_bytes(to.kind)}")
        body.blocks.do(f"store {vector} {row}, ptr {b.pointer}, align {_bytes(to.kind)}")


def _tile_width(body: Expressions, args: Sequence[Value]) -> Number:
    """Lanes that are written together: 8, or 1 where a block has not so many."""
    (tile,) = _arrays(args)
    return number(_side(tile)[1])


def _record(body: Expressions, records: Array, run: Number, row: Number) -> Array:
    """The numbers of a run's record from a row on, one after the other."""
    start = body.at(records, [run, row])
    return Array(records.kind, start.pointer, (0,))


def _write_number(body: Expressions, args: Sequence[Value]) -> None:
    """Put one number to the k-th place from the start of a row of a run's record."""
    value, k, run, _, row = args
    (records,) = _arrays([args[3]])
    target = _record(body, records, body.as_number(run), body.as_number(row))
    body.store(body.as_number(value), body.at(target, [body.as_number(k)]))


def _fills_lines(body: Expressions, args: Sequence[Value]) -> Number:
    """Whether eight numbers of every record, from a row on, are a cache line.

    The records begin on a cache line: so does a row of each if 8 divides what is before it.
    """
    tile, records = _arrays(args[:2])
    if _bytes(tile.kind) * _SIDE != _LINE:
        return number(False)
    whole = body.times(str(records.extents[1]), records.extents[2])
    before = body.times(body.as_number(args[2]).text, records.extents[2])
    rest = body.blocks.new(f"and i64 {body.blocks.new(f'or i64 {whole}, {before}')}, {_SIDE - 1}")
    return Number("i1", body.blocks.new(f"icmp eq i64 {rest}, 0"))


def _settle_memory(body: Expressions, args: Sequence[Value]) -> None:
    """Wait until what was written past the cache is where others see it."""
    body.blocks.do("fence seq_cst")


def _stream_square(body: Expressions, args: Sequence[Value]) -> None:
    """As `_write_square`, past the cache, which would first have to fetch what is overwritten."""
    _square(body, args, f"align {_LINE}, !nontemporal !{{i32 1}}")


def _write_square(body: Expressions, args: Sequence[Value]) -> None:
    """The numbers k to k + 7 of eight lanes from the tile to the records of their runs."""
    _square(body, args, f"align {_bytes(_arrays(args[:1])[0].kind)}")


def _square(body: Expressions, args: Sequence[Value], how: str) -> None:
    """A square of the tile, turned, to the records of its runs; `how` is said of each store."""
    tile, run, records = _arrays([args[0], args[3], args[4]])
    k, first, row = (body.as_number(args[i]) for i in (1, 2, 5))
    vector, size = f"<{_SIDE} x {tile.kind}>", _bytes(tile.kind)
    targets = []
    for i in range(_SIDE):
        lane = Number("i64", body.plus(first.text, str(i)))
        record = _record(body, records, body.load(body.at(run, [lane])), row)
        targets.append(body.at(record, [k]).pointer)
    rows = []
    for i in range(_SIDE):
        start = body.at(tile, [Number("i64", body.plus(k.text, str(i))), first])
        rows.append(body.blocks.new(f"load {vector}, ptr {start.pointer}, align {size}"))
    for target, column in zip(targets, _turned(body, vector, rows), strict=True):
        body.blocks.do(f"store {vector} {column}, ptr {target}, {how}")


def _turned(body: Expressions, vector: str, rows: list[str]) -> list[str]:
    """The columns of a square of vectors: halves are exchanged, then quarters, then neighbours."""
    n = len(rows)
    half = n // 2
    while half:
        low = [j if not j & half else j - half + n for j in range(n)]
        high = [j + half if not j & half else j + n for j in range(n)]
        turned = list(rows)
        for i in range(n):
            if not i & half:
                pair = f"{vector} {rows[i]}, {vector} {rows[i + half]}"
                for place, picks in ((i, low), (i + half, high)):
                    mask = ", ".join(f"i32 {j}" for j in picks)
                    turned[place] = body.blocks.new(f"shufflevector {pair}, <{n} x i32> <{mask}>")
        rows = turned
        half //= 2
    return rows


TILES: dict[str, Callee] = {
    "copy_row": _copy_row,
    "fills_lines": _fills_lines,
    "settle_memory": _settle_memory,
    "stream_square": _stream_square,
    "tile_width": _tile_width,
    "write_number": _write_number,
    "write_square": _write_square,
}
"""The primitives of tiles; `library.write_tile` is made of them."""
