"""A series with the previous period beside it, in one statement.

Inside, the rows of each period are grouped into their own buckets; outside, both numbers of a
bucket come into one row. How the inside reads depends on how the periods lie: apart, each by
itself; a day or less, both in one scan, where a second statement would cost more than its rows;
overlapping by whole buckets, each bucket once for both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from groundswell.query.question import Output, Question
from groundswell.query.sql.expression import (
    TRUE,
    Column,
    Expression,
    Number,
    all_of,
    any_of,
    call,
)
from groundswell.query.sql.instants import instant
from groundswell.query.sql.select import Derived, Merge, Scan, Select, Source, Union
from groundswell.timeframe import TimeRange

_EARLIER, _BUCKET = "earlier", "bucket"
_SHORT_S = 86_400 + 900
Columns = tuple[tuple[str, Expression], ...]


@dataclass(frozen=True, slots=True)
class Compared:
    """What is compared: `rows` to read, `at` their time, `keys` beside the time, `values`."""

    rows: Scan | Merge
    where: Expression
    at: Expression
    keys: Columns
    values: Columns
    width: int
    now: TimeRange
    earlier: TimeRange

    @property
    def apart(self) -> int:
        """Buckets pair by position: by how far the first ones are apart, which is not always the
        shift."""
        return _floor(self.now.start, self.width) - _floor(self.earlier.start, self.width)

    @property
    def number(self) -> Expression:
        """The number of the bucket of a row."""
        return call("intDiv", call("toUnixTimestamp", self.at), Number(self.width))

    def between(self, start: datetime, end: datetime) -> Expression:
        return all_of(
            (
                call("greaterOrEquals", self.at, instant(start)),
                call("less", self.at, instant(end)),
            )
        )


def with_comparison(
    source: Scan | Merge,
    keys: Sequence[tuple[str, Expression]],
    columns: Columns,
    outputs: tuple[Output, ...],
    question: Question,
    width: int,
    at: Expression,
    where: Expression,
) -> tuple[Select, tuple[Output, ...]]:
    """Plan the comparison; gives the plan and the outputs with their compared columns."""
    shift = question.comparison_shift_s
    assert shift is not None
    compared = Compared(
        rows=source,
        where=where,
        at=at,
        keys=tuple((f"k{position}", part) for position, (_, part) in enumerate(keys) if position),
        values=tuple((f"a{name[1:]}", part) for name, part in columns),
        width=width,
        now=question.window,
        earlier=question.window.shifted(shift),
    )
    inner = _inside(compared)
    # Moved after grouping: a sum per row would cost more than the comparison itself.
    seconds = call("multiply", Column(_BUCKET), Number(width))
    moved = call("plus", seconds, call("multiply", Column(_EARLIER), Number(compared.apart)))
    outer: list[tuple[str, Expression]] = [(keys[0][0], moved)]
    outer += [(name, Column(f"k{position}")) for position, (name, _) in enumerate(keys) if position]
    named = []
    for (name, _), output in zip(columns, outputs, strict=True):
        outer.append((name, _of(f"a{name[1:]}", 0)))
        outer.append((f"{name}b", _of(f"a{name[1:]}", 1)))
        named.append(replace(output, comparison=f"{name}b"))
    select = Select(
        inner,
        tuple(outer),
        group_by=tuple(Column(name) for name, _ in keys),
        order=tuple((Column(name), False) for name, _ in reversed(keys)),
    )
    return select, tuple(named)


def _inside(compared: Compared) -> Source:
    now, earlier = compared.now, compared.earlier
    if earlier.end <= now.start:
        return _in_one_scan(compared) if now.seconds <= _SHORT_S else _apart(compared)

    shift_s = (now.start - earlier.start).total_seconds()
    return _shared(compared) if shift_s % compared.width == 0 else _apart(compared)


def _part(compared: Compared, period: int, start: datetime, end: datetime) -> Select:
    """The buckets of one stretch of one period."""
    return Select(
        compared.rows,
        (
            (_EARLIER, Number(period)),
            (_BUCKET, compared.number),
            *compared.keys,
            *compared.values,
        ),
        where=all_of((compared.where, compared.between(start, end))),
        group_by=_names(((_BUCKET, TRUE), *compared.keys)),
    )


def _apart(compared: Compared) -> Union:
    return Union(
        (
            _part(compared, 0, compared.now.start, compared.now.end),
            _part(compared, 1, compared.earlier.start, compared.earlier.end),
        )
    )


def _in_one_scan(compared: Compared) -> Derived:
    """One integer holds bucket and period: buckets of now are numbered one higher, so that the
    two halves of a bucket that both periods touch stay apart."""
    now, earlier, width = compared.now, compared.earlier, compared.width
    is_now = call("greaterOrEquals", compared.at, instant(now.start))
    if not now.start.microsecond:
        seconds = call("toUnixTimestamp", compared.at)
        is_now = call("greaterOrEquals", seconds, Number(int(now.start.timestamp())))
    inside = any_of((is_now, call("less", compared.at, instant(earlier.end))))
    boundary = _floor(now.start, width)
    # On the grid no bucket is in both periods.
    split = boundary != now.start.timestamp()
    packed = Select(
        compared.rows,
        (
            ("k0", call("plus", compared.number, is_now) if split else compared.number),
            *compared.keys,
            *compared.values,
        ),
        where=all_of((compared.where, TRUE if earlier.end == now.start else inside)),
        group_by=_names((("k0", TRUE), *compared.keys)),
    )
    was = call("less", Column("k0"), Number(boundary // width + split))
    number = call("minus", Column("k0"), call("not", was)) if split else Column("k0")
    return Derived(
        Select(
            Derived(packed),
            ((_EARLIER, was), (_BUCKET, number), *_passed((*compared.keys, *compared.values))),
        )
    )


def _shared(compared: Compared) -> Union:
    """Each bucket of the whole stretch once, for the periods that have all of it; the two that
    only one period has all of are counted apart for the other one."""
    now, earlier, width = compared.now, compared.earlier, compared.width
    first, last = _floor(now.start, width), _floor(earlier.end, width)
    whole_stretch = _part(compared, 0, earlier.start, now.end)
    passed = ((_BUCKET, TRUE), *compared.keys, *compared.values)
    period = call("arrayJoin", call("array", Number(0), Number(1)))
    twice = Select(Derived(whole_stretch), ((_EARLIER, period), *_passed(passed)))
    at_start = first != now.start.timestamp()
    whole = call(
        "if",
        call("equals", Column(_EARLIER), Number(0)),
        call("greaterOrEquals", Column(_BUCKET), Number(first // width + at_start)),
        call("less", Column(_BUCKET), Number(last // width)),
    )
    paired = Select(
        Derived(twice),
        _passed(((_EARLIER, TRUE), *passed)),
        where=whole,
    )
    parts = [paired]
    if at_start:
        end = min(_moment(first + width), now.end)
        parts.append(_part(compared, 0, now.start, end))
    if last != earlier.end.timestamp():
        start = max(_moment(last), earlier.start)
        parts.append(_part(compared, 1, start, earlier.end))
    return Union(tuple(parts))


def _passed(columns: Columns) -> Columns:
    return tuple((name, Column(name)) for name, _ in columns)


def _names(columns: Columns) -> tuple[Expression, ...]:
    return tuple(Column(name) for name, _ in columns)


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


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
