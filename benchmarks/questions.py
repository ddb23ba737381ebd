"""The questions of the benchmark: as requests, and as the best SQL that a person would write."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from benchmarks.million import END

DAY = 86_400


@dataclass(frozen=True, slots=True)
class Asked:
    """One question. params and sql take a turn, which moves the window or the value a little, so
    that no two runs are equal. sql gives ways to write it, each some statements."""

    name: str
    target: str
    params: Callable[[int], dict[str, list[str]]]
    sql: Callable[[int], list[list[str]]]
    duck: Callable[[int], str] | None = None
    is_table: bool = False


def _window(seconds: int, turn: int) -> tuple[datetime, datetime]:
    return END - timedelta(seconds=seconds - turn % 3000), END


def _params(seconds: int, turn: int, **rest: str | list[str]) -> dict[str, list[str]]:
    start, end = _window(seconds, turn)
    return {
        "start": [start.isoformat()],
        "end": [end.isoformat()],
        "dataset": ["transactions"],
        **{name: [value] if isinstance(value, str) else value for name, value in rest.items()},
    }


def _where(seconds: int, turn: int, shift: int = 0) -> str:
    start, end = (each - timedelta(seconds=shift) for each in _window(seconds, turn))
    return (
        f"project_id = 1 AND timestamp >= toDateTime64('{start:%F %T}', 3, 'UTC') "
        f"AND timestamp < toDateTime64('{end:%F %T}', 3, 'UTC')"
    )


def _duck_where(seconds: int, turn: int) -> str:
    start, end = _window(seconds, turn)
    return f"project_id = 1 AND timestamp >= '{start:%F %T}' AND timestamp < '{end:%F %T}'"


_P95 = "quantileExactInclusive(0.95)(duration)"
_DUCK_P95 = "quantile_cont(duration, 0.95)"
_BUCKETS = {3600: "toStartOfHour(timestamp)", DAY: "toStartOfDay(timestamp)"}


def _series_sql(
    value: str, seconds: int, turn: int, width: int = 3600, more: str = "", shift: int = 0
) -> list[str]:
    """The two ways to write buckets."""
    where = _where(seconds, turn, shift) + more
    return [
        f"SELECT {bucket} AS t, {value} AS v FROM transactions WHERE {where} GROUP BY t ORDER BY t"
        for bucket in (_BUCKETS[width], f"intDiv(toUnixTimestamp(timestamp), {width}) * {width}")
    ]


def _series(
    name: str,
    target: str,
    function: str,
    value: str,
    days: int,
    *,
    width: int = 3600,
    query: str = "",
    more: str = "",
) -> Asked:
    duck_value = _DUCK_P95 if value == _P95 else value
    return Asked(
        name,
        target,
        lambda turn: _params(days * DAY, turn, yAxis=function, interval=f"{width}s", query=query),
        lambda turn: [[sql] for sql in _series_sql(value, days * DAY, turn, width, more)],
        lambda turn: (
            f"SELECT time_bucket(INTERVAL {width} SECOND, timestamp) AS t, {duck_value} "
            f"FROM transactions WHERE {_duck_where(days * DAY, turn)}{more} GROUP BY t ORDER BY t"
        ),
    )


def _by_tag(name: str, target: str, tag: str, value: Callable[[int], str], settings: str) -> Asked:
    """settings: of the hand-written statement."""
    return Asked(
        name,
        target,
        lambda turn: _params(
            14 * DAY, turn, yAxis="count()", interval="1h", query=f"{tag}:{value(turn)}"
        ),
        lambda turn: [
            [
                _series_sql(
                    "count()", 14 * DAY, turn, more=f" AND tags['{tag}'] = '{value(turn)}'"
                )[0]
                + settings
            ]
        ],
        lambda turn: (
            "SELECT time_bucket(INTERVAL 1 HOUR, timestamp) AS t, count(*) FROM transactions "
            f"WHERE {_duck_where(14 * DAY, turn)} AND tags['{tag}'] = '{value(turn)}' GROUP BY t"
        ),
    )


def _top(turn: int) -> list[list[str]]:
    """The usual three statements: who leads, their series, the rest."""
    where = _where(14 * DAY, turn)
    names = "'/t/1', '/t/2', '/t/3', '/t/4', '/t/5'"
    return [
        [
            f"SELECT transaction, count() AS n FROM transactions WHERE {where} "
            "GROUP BY transaction ORDER BY n DESC LIMIT 5",
            f"SELECT transaction, toStartOfHour(timestamp) AS t, {_P95} FROM transactions "
            f"WHERE {where} AND transaction IN ({names}) GROUP BY transaction, t ORDER BY t",
            f"SELECT toStartOfHour(timestamp) AS t, {_P95} FROM transactions "
            f"WHERE {where} AND transaction NOT IN ({names}) GROUP BY t ORDER BY t",
        ]
    ]


def _compared(name: str, target: str, function: str, value: str, seconds: int, shift: int) -> Asked:
    return Asked(
        name,
        target,
        lambda turn: _params(
            seconds, turn, yAxis=function, interval="1h", comparisonDelta=str(shift)
        ),
        lambda turn: [
            [now, before]
            for now, before in zip(
                _series_sql(value, seconds, turn),
                _series_sql(value, seconds, turn, shift=shift),
                strict=True,
            )
        ],
    )


_TABLE = [
    "transaction",
    "count()",
    "p50()",
    "p95()",
    "avg(transaction.duration)",
    "failure_rate()",
    "count_unique(user)",
]


def _table_sql(turn: int) -> list[list[str]]:
    return [
        [
            f"SELECT transaction, count() AS n, {quantiles}, avg(duration), "
            "countIf(status NOT IN ('ok', 'cancelled', 'unknown', '')) / count(), "
            f"uniq(nullIf(user, '')) FROM transactions WHERE {_where(14 * DAY, turn)} "
            "GROUP BY transaction HAVING n > 100 ORDER BY n DESC LIMIT 51"
        ]
        for quantiles in (
            "quantilesExactInclusive(0.5, 0.95)(duration)",
            f"quantileExactInclusive(0.5)(duration), {_P95}",
        )
    ]


_FLAT = "<= 1.15 x + 3 ms"
QUESTIONS: tuple[Asked, ...] = (
    _series("count per hour, one project, 24 h", _FLAT, "count()", "count(*)", 1),
    _series("p95 per hour, 14 d", _FLAT, "p95()", _P95, 14),
    _series(
        "p95 per day of one transaction, 14 d",
        _FLAT,
        "p95()",
        _P95,
        14,
        width=DAY,
        query="transaction:/t/7",
        more=" AND transaction = '/t/7'",
    ),
    Asked(
        "top 5 of 500 with Other, hourly p95, 14 d",
        "<= 0.9 x of three statements",
        lambda turn: _params(
            14 * DAY,
            turn,
            yAxis="p95()",
            interval="1h",
            topEvents="5",
            field=["transaction", "count()"],
            sort="-count()",
        ),
        _top,
    ),
    _compared("compared, p95, 7 d, disjoint", "<= 1.05 x of two", "p95()", _P95, 7 * DAY, 7 * DAY),
    _compared(
        "compared, count, 7 d, disjoint", "<= 1.05 x of two", "count()", "count()", 7 * DAY, 7 * DAY
    ),
    _compared("compared, p95, 7 d a day back", "<= 0.75 x of two", "p95()", _P95, 7 * DAY, DAY),
    _compared("compared, p95, 24 h, disjoint", "<= 0.75 x of two", "p95()", _P95, DAY, DAY),
    _compared(
        "compared, count, 24 h, disjoint", "<= 0.75 x of two", "count()", "count()", DAY, DAY
    ),
    _by_tag(
        "tag value in 1 of 1,000,000 rows, 14 d",
        "<= 100 ms",
        "request",
        lambda turn: f"q{turn * 7919 + 13}",
        "",
    ),
    _by_tag(
        "tag value in 1 of 20,000 rows, 14 d",
        "<= 0.2 x without index",
        "customer",
        lambda turn: f"c{turn * 37 + 5}",
        " SETTINGS use_skip_indexes = 0, use_query_condition_cache = 0",
    ),
    Asked(
        "table of 6 aggregates by transaction, 14 d",
        _FLAT,
        lambda turn: _params(
            14 * DAY, turn, field=_TABLE, query="count():>100", sort="-count()", per_page="50"
        ),
        _table_sql,
        lambda turn: (
            "SELECT transaction, count(*) AS n, quantile_cont(duration, 0.5), "
            "quantile_cont(duration, 0.95), avg(duration), "
            "count(*) FILTER (status NOT IN ('ok', 'cancelled', 'unknown', '')) / count(*), "
            'approx_count_distinct("user") '
            f"FROM transactions WHERE {_duck_where(14 * DAY, turn)} "
            "GROUP BY transaction HAVING n > 100 ORDER BY n DESC LIMIT 51"
        ),
        is_table=True,
    ),
)


def longest_search() -> str:
    """As many terms and characters as are allowed."""
    terms = [f"tags[key{number}]:a{number:04}" + "x" * 18 for number in range(96)]
    pairs = [f"({a} OR {b})" for a, b in zip(terms[::2], terms[1::2], strict=True)]
    return " ".join(pairs)[:4096].rpartition(" (")[0]
