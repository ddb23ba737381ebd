"""A series with the previous period beside it, from one scan.

Inside, every row counts for its own bucket and, shifted, for the bucket it is compared with.
Outside, both numbers of a bucket come into one row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from groundswell.query.expression import (
    Column,
    Expression,
    Number,
    all_of,
    call,
)
from groundswell.query.instants import instant
from groundswell.query.plan import Derived, Merge, Scan, Select
from groundswell.query.question import Output, Question

_EARLIER = "earlier"


def with_comparison(
    source: Scan | Merge,
    keys: Sequence[tuple[str, Expression]],
    columns: tuple[tuple[str, Expression], ...],
    outputs: tuple[Output, ...],
    question: Question,
    width: int,
    at: Expression,
    where: Expression,
) -> tuple[Select, tuple[Output, ...]]:
    """Plan the comparison; gives the plan and the outputs with their compared columns."""
    shift = question.comparison_shift_s
    assert shift is not None
    window = question.window
    earlier = window.shifted(shift)
    in_earlier = call("less", at, instant(earlier.end))
    if earlier.end <= window.start:
        period: Expression = in_earlier
        inside: Expression = call(
            "or", in_earlier, call("greaterOrEquals", at, instant(window.start))
        )
    else:
        period = call("arrayJoin", call("array", Number(0), Number(1)))
        inside = call(
            "if",
            Column(_EARLIER),
            in_earlier,
            call("greaterOrEquals", at, instant(window.start)),
        )
    # Buckets pair by position: by how far the first ones are apart, which is not always the shift.
    apart = _floor(window.start, width) - _floor(earlier.start, width)
    own = call(
        "multiply", call("intDiv", call("toUnixTimestamp", at), Number(width)), Number(width)
    )
    renamed = [(f"k{position}", part) for position, (_, part) in enumerate(keys)]
    renamed[0] = ("k0", own)
    inner = Select(
        source,
        ((_EARLIER, period), *renamed, *((f"a{name[1:]}", part) for name, part in columns)),
        where=all_of((where, inside)),
        group_by=(Column(_EARLIER), *(Column(name) for name, _ in renamed)),
    )
    outer: list[tuple[str, Expression]] = [
        (name, Column(f"k{position}")) for position, (name, _) in enumerate(keys)
    ]
    # Moved after grouping: a sum per row would cost more than the comparison itself.
    moved = call("plus", Column("k0"), call("multiply", Column(_EARLIER), Number(apart)))
    outer[0] = (keys[0][0], moved)
    compared = []
    for (name, _), output in zip(columns, outputs, strict=True):
        outer.append((name, _of(f"a{name[1:]}", 0)))
        outer.append((f"{name}b", _of(f"a{name[1:]}", 1)))
        compared.append(replace(output, comparison=f"{name}b"))
    return (
        Select(
            Derived(inner),
            tuple(outer),
            group_by=tuple(Column(name) for name, _ in keys),
            order=tuple((Column(name), False) for name, _ in reversed(keys)),
        ),
        tuple(compared),
    )


def _floor(instant_: datetime, width: int) -> int:
    return int(instant_.timestamp() // width) * width


def _of(column: str, earlier: int) -> Expression:
    """The number of one period; 0 where it has no row in the bucket."""
    chosen = call("equals", Column(_EARLIER), Number(earlier))
    return call(
        "if",
        call("equals", call("countIf", chosen), Number(0)),
        Number(0),
        call("anyIf", Column(column), chosen),
    )
