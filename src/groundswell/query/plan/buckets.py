"""The buckets of a series: the key of a row in time, alone or with the rank of its group."""

from __future__ import annotations

from msgspec.structs import replace

from groundswell.query.sql.expression import Call, Column, Expression, Number, call
from groundswell.query.sql.select import Derived, Select

TIME, RANK = "time", "rank"


def bucket(at: Expression, width: int) -> Expression:
    """The start of a bucket in unix seconds, on the grid of the epoch."""
    seconds = call("toUnixTimestamp", at)
    return call("multiply", call("intDiv", seconds, Number(width)), Number(width))


def packed(select: Select, ranks: int) -> Select:
    """Group a series by one number that holds bucket and rank: a key of two costs a tenth more."""
    (_, time), (_, rank), *columns = select.columns
    assert isinstance(time, Call)
    number, width = time.args
    both = call("plus", call("multiply", number, Number(ranks)), rank)
    inner = replace(select, columns=(("k0", both), *columns), group_by=(Column("k0"),), order=())
    number = call("intDiv", Column("k0"), Number(ranks))
    split: list[tuple[str, Expression]] = [
        (TIME, call("multiply", number, width)),
        (RANK, call("minus", Column("k0"), call("multiply", number, Number(ranks)))),
    ]
    return Select(
        Derived(inner),
        (*split, *((name, Column(name)) for name, _ in columns)),
        order=select.order,
    )
