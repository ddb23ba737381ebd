"""A change and its parts: what each value of several columns had before the moment, and after."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from operator import add

from groundswell.model.statuses import NOT_FAILED
from groundswell.query.question import Dataset, Limits, Statement
from groundswell.stats.request import Asking
from groundswell.stats.statistics import Statistics
from groundswell.store import shares
from groundswell.store.shares import Sums
from groundswell.timeframe import TimeRange, parse_instant
from groundswell.trends.basis import Basis, Levels
from groundswell.trends.panel import question_of

# Our own columns beside those of a search.
WIDE = Limits(max_length=100_000, max_columns=100)
_MOST_COMBINATIONS = 10_000
_COUNT, _SUM, _FIRST = "count()", "sum(function.duration)", "min(timestamp)"


@dataclass(frozen=True, slots=True)
class ExplainRequest:
    """A question for the causes of one change of `function` at `breakpoint`."""

    asking: Asking
    breakpoint: datetime
    function: str
    basis: Basis

    @property
    def column(self) -> str:
        return self.basis.column or "transaction.duration"

    @property
    def middle_ms(self) -> int:
        return round(self.breakpoint.timestamp() * 1000)

    @property
    def halves(self) -> tuple[TimeRange, TimeRange]:
        window = self.asking.window
        return TimeRange(window.start, self.breakpoint), TimeRange(self.breakpoint, window.end)

    def levels(self, sums: Sums) -> Levels:
        window = self.asking.window
        before, after = self.breakpoint - window.start, window.end - self.breakpoint
        return Levels(sums, before.total_seconds() / 60, after.total_seconds() / 60)


async def shares_of(
    statistics: Statistics, request: ExplainRequest, columns: Sequence[str], level: float
) -> tuple[Sums, list[dict[tuple[str, ...], Sums]]]:
    """Ask for all columns at once."""
    if request.asking.dataset is Dataset.FUNCTIONS:
        return await _calls(statistics, request, columns)

    kind = {"count": "none", "failed": "failed"}.get(request.basis.name, "number")
    sets = [(i,) for i in range(len(columns))]
    return await contrast(statistics, request, request.asking, columns, sets, kind, level)


async def contrast(
    statistics: Statistics,
    request: ExplainRequest,
    asking: Asking,
    columns: Sequence[str],
    sets: Sequence[Sequence[int]],
    kind: str,
    level: float,
    measured: str | None = None,
) -> tuple[Sums, list[dict[tuple[str, ...], Sums]]]:
    measured = measured or request.basis.column
    wanted = dict.fromkeys((*columns, "timestamp", *((measured,) if measured else ())))
    question = replace(
        question_of(asking), select=tuple(wanted), aggregate_conditions=False, limits=WIDE
    )
    rows = await statistics.compile(question, asking.scope)
    place = {output.name: output.column for output in rows.outputs}
    sql = shares.shares(
        rows.sql,
        [place[name] for name in columns],
        time=place["timestamp"],
        measure=place[measured] if measured else None,
        kind=kind,
        sets=sets,
        lists=[output.column for output in rows.outputs if output.decode == "array"],
    )
    good = NOT_FAILED if kind == "failed" else None
    bound = {**rows.params, **shares.params(request.middle_ms, level=level, good=good)}
    answered = await statistics.run(Statement(sql, bound, ()), asking.window)
    return shares.read(answered, sets, len(columns))


async def _calls(
    statistics: Statistics, request: ExplainRequest, columns: Sequence[str]
) -> tuple[Sums, list[dict[tuple[str, ...], Sums]]]:
    """Ask for functions of profiles: a row of theirs holds many calls, so their sums are asked."""
    question = replace(
        question_of(request.asking),
        select=(*columns, _COUNT, _SUM, _FIRST),
        order_by=("-" + _COUNT,),
        aggregate_conditions=False,
        limit=_MOST_COMBINATIONS,
        limits=WIDE,
    )
    whole = Sums()
    found: list[dict[tuple[str, ...], Sums]] = [defaultdict(Sums) for _ in columns]
    for half, window in enumerate(request.halves):
        for row in await statistics.records(replace(question, window=window), request.asking.scope):
            calls, took = int(row[_COUNT]), float(row[_SUM] or 0.0)
            seen = int(instant_of(row[_FIRST]).timestamp()) if calls else 0
            part = (
                Sums(calls, 0, calls, 0, took, 0.0, 0, 0, seen)
                if half == 0
                else Sums(0, calls, 0, calls, 0.0, took, 0, 0, seen)
            )
            whole = _together(whole, part)
            for parts, name in zip(found, columns, strict=True):
                key = ("" if row[name] is None else str(row[name]),)
                parts[key] = _together(parts[key], part)
    return whole, found


def _together(one: Sums, other: Sums) -> Sums:
    first = min(filter(None, (one.first, other.first)), default=0)
    return replace(Sums(*map(add, _numbers(one), _numbers(other))), first=first)


def _numbers(sums: Sums) -> tuple[float, ...]:
    return (sums.n1, sums.n2, sums.m1, sums.m2, sums.s1, sums.s2, sums.e1, sums.e2)


def instant_of(raw: object) -> datetime:
    if isinstance(raw, datetime):
        return raw if raw.tzinfo else raw.replace(tzinfo=UTC)

    found = parse_instant(str(raw))
    assert found is not None, "the store gives instants"
    return found
