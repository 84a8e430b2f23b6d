"""Writing rows that were collected for many runs to the record of each run.

What lies side by side in a tile, one number for each lane, belongs to runs whose records are far
apart.  Squares of 8 numbers of 8 lanes are turned in registers, so that every store fills a cache
line; gathering numbers from a column, as LLVM would have it, takes several times as long.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import cgutils
from numba.core import types as numba_types
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

__all__ = ["TILES"]

types: Any = numba_types

_SIDE = 8
_WORD = ir.IntType(64)


def _word(value: int) -> Any:
    return ir.Constant(_WORD, value)


def _turned(builder: Any, rows: list[Any]) -> list[Any]:
    """The columns of a square of vectors: halves are exchanged, then quarters, and so on."""
    half = len(rows) // 2
    while half:
        low = [i + (i // half) * half for i in range(len(rows) // 2)]
        picks = [
            [i if not i & half else i - half + len(rows) for i in range(len(rows))],
            [i + half if not i & half else i + len(rows) for i in range(len(rows))],
        ]
        turned = list(rows)
        for i in low:
            for place, pick in zip((i, i + half), picks, strict=True):
                mask = ir.Constant(ir.VectorType(ir.IntType(32), len(rows)), pick)
                turned[place] = builder.shuffle_vector(rows[i], rows[i + half], mask)
        rows = turned
        half //= 2
    return rows


class _Writer:
    """Emits the code of one call of `write_tile`."""

    def __init__(self, context: Any, builder: Any, signature: Any, args: Any) -> None:
        self.builder = builder
        tile_type, _, _, _, records_type, _ = signature.args
        tile, _, self.n, run, records, row = args
        self.item = context.get_data_type(tile_type.dtype)
        self.size = context.get_abi_sizeof(self.item)
        matrix = make_array(tile_type)(context, builder, value=tile)
        self.tile = matrix.data
        self.lanes = cgutils.unpack_tuple(builder, matrix.shape)[1]
        self.run = make_array(signature.args[3])(context, builder, value=run).data
        made = make_array(records_type)(context, builder, value=records)
        _, rows, width = cgutils.unpack_tuple(builder, made.shape)
        self.records = made.data
        self.length = builder.mul(rows, width)
        self.skipped = builder.mul(row, width)

    def source(self, k: Any, lane: Any) -> Any:
        place = self.builder.add(self.builder.mul(k, self.lanes), lane)
        return self.builder.gep(self.tile, [place])

    def target(self, run: Any) -> Any:
        place = self.builder.add(self.builder.mul(run, self.length), self.skipped)
        return self.builder.gep(self.records, [place])

    def lane(self, lane: Any, first: Any) -> None:
        """Numbers `first` to n of one lane, if there is a run in it."""
        builder = self.builder
        run = builder.load(builder.gep(self.run, [lane]))
        with builder.if_then(builder.icmp_signed(">=", run, _word(0))):
            target = self.target(run)
            with cgutils.for_range_slice(builder, first, self.n, _word(1)) as (k, _):
                builder.store(builder.load(self.source(k, lane)), builder.gep(target, [k]))

    def squares(self, first_lane: Any) -> Any:
        """Eight lanes, if there are runs in all of them; returns how many numbers were written."""
        builder = self.builder
        lanes = [builder.add(first_lane, _word(i)) for i in range(_SIDE)]
        runs = [builder.load(builder.gep(self.run, [lane])) for lane in lanes]
        least = runs[0]
        for run in runs[1:]:
            least = builder.or_(least, run)
        whole = builder.select(
            builder.icmp_signed(">=", least, _word(0)),
            builder.and_(self.n, _word(-_SIDE)),
            _word(0),
        )
        targets = [self.target(run) for run in runs]
        wide = ir.VectorType(self.item, _SIDE).as_pointer()
        with cgutils.for_range_slice(builder, _word(0), whole, _word(_SIDE)) as (k, _):
            rows = []
            for i in range(_SIDE):
                place = builder.bitcast(self.source(builder.add(k, _word(i)), first_lane), wide)
                rows.append(builder.load(place, align=self.size))
            for target, column in zip(targets, _turned(builder, rows), strict=True):
                place = builder.bitcast(builder.gep(target, [k]), wide)
                builder.store(column, place, align=self.size)
        return whole


@intrinsic(prefer_literal=True)
def write_tile(
    typingctx: Any, tile: Any, lanes: Any, n: Any, run: Any, records: Any, row: Any
) -> Any:
    """``tile[k, lane]``, k < n, go to the record of ``run[lane]``, from `row` on, for all lanes."""
    count = lanes.literal_value
    side = _SIDE if count % _SIDE == 0 else 1

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        writer = _Writer(context, builder, signature, args)
        with cgutils.for_range(builder, _word(count // side)) as group:
            first = builder.mul(group.index, _word(side))
            done = writer.squares(first) if side > 1 else _word(0)
            with cgutils.for_range(builder, _word(side)) as each:
                writer.lane(builder.add(first, each.index), done)
        return context.get_dummy_value()

    return types.void(tile, lanes, types.int64, run, records, types.int64), codegen


@intrinsic(prefer_literal=True)
def copy_row(typingctx: Any, tile: Any, lanes: Any, k: Any, y: Any, j: Any) -> Any:
    """``tile[k] = y[j]``, rows of `lanes` items, in vectors whatever else may alias."""
    count = lanes.literal_value
    side = _SIDE if count % _SIDE == 0 else 1

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        item = context.get_data_type(tile.dtype)
        wide = ir.VectorType(item, side).as_pointer()
        size = context.get_abi_sizeof(item)

        def row(array_type: Any, array: Any, index: Any) -> Any:
            data = make_array(array_type)(context, builder, value=array).data
            return builder.gep(data, [builder.mul(index, _word(count))])

        target, source = (row(tile, args[0], args[2]), row(y, args[3], args[4]))
        for first in range(0, count, side):
            a, b = (
                builder.bitcast(builder.gep(place, [_word(first)]), wide)
                for place in (source, target)
            )
            builder.store(builder.load(a, align=size), b, align=size)
        return context.get_dummy_value()

    return types.void(tile, lanes, types.int64, y, types.int64), codegen


TILES: dict[str, Any] = {"write_tile": write_tile, "copy_row": copy_row}
