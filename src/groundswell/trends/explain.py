"""Why did a level change? Which values of which columns account for how much of the change.

A mean is a sum of shares times means, so what each value adds to it before and after can be told
apart exactly; means stand in for percentiles, which have no such parts.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from groundswell.errors import UserError
from groundswell.model.tenancy import Scope
from groundswell.stats import parameters
from groundswell.stats.datasets import SOURCES, source_of
from groundswell.stats.parameters import Page, Params
from groundswell.stats.request import Asking, TableRequest
from groundswell.stats.statistics import Statistics
from groundswell.timeframe import TimeRange, parse_instant, parse_range
from groundswell.trends.rows import Row

_DIMENSIONS = (
    "release",
    "environment",
    "transaction.status",
    "http.method",
    "os.name",
    "browser.name",
)
_SPAN_COLUMNS = ("span.op", "span.description")
_MOST_VALUES = 50
_MOST_CAUSES = 20
_NEAR_RELEASE = timedelta(hours=6)
_COLUMN = re.compile(r"\w+\(\s*([a-z_][\w.\[\]]*)")


@dataclass(frozen=True, slots=True)
class ExplainRequest:
    """A question for the causes of one change: rows before and after `breakpoint`."""

    before: Asking
    after: Asking
    breakpoint: datetime
    column: str


def parse_explain(
    params: Params, scope: Scope, now: datetime, retention: timedelta
) -> ExplainRequest | None:
    """Read the parameters; None where no project is left. The group is said by `query`.

    Raises UserError that names the parameter and what is allowed, NotAllowed.
    """
    window = parse_range(params, now=now, retention=retention)
    projects = parameters.projects(params, scope)
    if not projects:
        return None

    at = parse_instant(parameters.first(params, "breakpoint") or "")
    if at is None or not window.start < at < window.end:
        raise UserError(
            "breakpoint must be an instant inside the window (ISO 8601 or unix seconds)",
            field="breakpoint",
        )

    search = parameters.first(params, "query") or ""
    name = parameters.first(params, "transaction")
    if name is not None:
        quoted = name.replace("\\", "\\\\").replace('"', '\\"').replace("*", "\\*")
        search = f'transaction:"{quoted}" {search}'.strip()
    source = source_of(parameters.first(params, "dataset") or "transactions", search, ())
    asking = Asking(
        scope,
        source,
        window,
        projects,
        environments=parameters.environments(params),
        search=source.narrowed(search),
        retention=retention,
        now=now,
    )
    match = _COLUMN.match(parameters.first(params, "trendFunction") or "")
    return ExplainRequest(
        replace(asking, window=TimeRange(window.start, at)),
        replace(asking, window=TimeRange(at, window.end)),
        at,
        column=match[1] if match else "transaction.duration",
    )


async def explain(statistics: Statistics, request: ExplainRequest) -> Row:
    """Rank what changed with the level, and name the releases that began near it."""
    await statistics.require_environments(request.before)
    mean = f"avg({request.column})"
    before, after = await _totals(statistics, request, mean)
    rise = (after["mean"] or 0.0) - (before["mean"] or 0.0)
    asked = [
        _dimension(statistics, request, name, mean, before["count"], after["count"])
        for name in _DIMENSIONS
    ]
    causes = [cause for found in await asyncio.gather(*asked) for cause in found]
    causes += await _spans(statistics, request, before["count"], after["count"])
    for cause in causes:
        cause["share_of_change"] = cause["contribution"] / rise if rise else None
    causes.sort(key=lambda cause: (-abs(cause["contribution"]), cause["kind"], cause["value"]))
    return {
        "breakpoint": int(request.breakpoint.timestamp()),
        "before": before,
        "after": after,
        "change": rise,
        "causes": causes[:_MOST_CAUSES],
        "releases": await _releases(statistics, request),
    }


async def _rows(
    statistics: Statistics, asking: Asking, fields: tuple[str, ...], sort: str
) -> list[dict[str, Any]]:
    answer = await statistics.table(
        TableRequest(asking, fields=fields, sort=(sort,), page=Page(_MOST_VALUES, 0))
    )
    return [dict(row) for row in answer.rows]


async def _totals(statistics: Statistics, request: ExplainRequest, mean: str) -> tuple[Row, Row]:
    sides = []
    for asking in (request.before, request.after):
        (row,) = await _rows(statistics, asking, ("count()", mean), "-count()")
        sides.append({"count": row["count()"], "mean": row[mean]})
    return sides[0], sides[1]


async def _dimension(
    statistics: Statistics,
    request: ExplainRequest,
    name: str,
    mean: str,
    count_1: float,
    count_2: float,
) -> list[Row]:
    """Say what each value of a column adds to the mean of all, before and after."""
    sides = [
        {
            str(row[name] or ""): row
            for row in await _rows(statistics, asking, (name, "count()", mean), "-count()")
        }
        for asking in (request.before, request.after)
    ]
    if len(sides[0].keys() | sides[1].keys()) < 2:
        return []

    causes = []
    overall = (await _totals(statistics, request, mean))[0]["mean"] or 0.0
    for value in sorted(sides[0].keys() | sides[1].keys()):
        parts = []
        for side, count in zip(sides, (count_1, count_2), strict=True):
            row = side.get(value)
            share = row["count()"] / count if row and count else 0.0
            parts.append((share, (row[mean] or 0.0) if row else 0.0))
        (share_1, mean_1), (share_2, mean_2) = parts
        # Against the mean before, a value that only takes another's share adds nothing.
        added = share_2 * (mean_2 - overall) - share_1 * (mean_1 - overall)
        causes.append(
            {
                "kind": name,
                "value": value,
                "contribution": added,
                "share_before": share_1,
                "share_after": share_2,
                "mean_before": mean_1 if share_1 else None,
                "mean_after": mean_2 if share_2 else None,
            }
        )
    return causes


async def _spans(
    statistics: Statistics, request: ExplainRequest, count_1: float, count_2: float
) -> list[Row]:
    """Say what spans of one operation and description add to a transaction, before and after."""
    if request.before.label not in ("transactions", "discover"):
        return []

    total = "sum(span.self_time)"
    sides = []
    for asking in (request.before, request.after):
        spans = replace(asking, source=SOURCES["spans"])
        rows = await _rows(statistics, spans, (*_SPAN_COLUMNS, "count()", total), f"-{total}")
        sides.append({_words(row): row for row in rows})
    causes = []
    for key in sorted(sides[0].keys() | sides[1].keys()):
        each = [
            (side[key][total] or 0.0) / count if key in side and count else 0.0
            for side, count in zip(sides, (count_1, count_2), strict=True)
        ]
        causes.append(
            {
                "kind": "span",
                "value": " ".join(part for part in key if part),
                "op": key[0],
                "description": key[1],
                "contribution": each[1] - each[0],
                "mean_before": each[0],
                "mean_after": each[1],
            }
        )
    return causes


def _words(row: dict[str, Any]) -> tuple[str, ...]:
    return tuple(str(row[name] or "") for name in _SPAN_COLUMNS)


async def _releases(statistics: Statistics, request: ExplainRequest) -> list[Row]:
    """Name the releases whose first event lies near the breakpoint."""
    whole = replace(
        request.before, window=TimeRange(request.before.window.start, request.after.window.end)
    )
    first = "min(timestamp)"
    rows = await _rows(statistics, whole, ("release", first), f"-{first}")
    near = []
    for row in rows:
        seen = parse_instant(str(row[first]))
        if row["release"] and seen and abs(seen - request.breakpoint) <= _NEAR_RELEASE:
            near.append((abs(seen - request.breakpoint), str(row["release"]), seen))
    return [
        {"version": version, "first_seen": int(seen.timestamp())}
        for _, version, seen in sorted(near)
    ]
