"""The series of many groups on one grid, with their traffic: what the detector looks at.

History from before the requested window teaches habits; changes in it are not reported.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from math import inf, nan
from typing import Any

import numpy as np

from groundswell.errors import UserError
from groundswell.query.question import Groups, Output, Question
from groundswell.stats import decode, parameters
from groundswell.stats.parameters import Params
from groundswell.stats.request import MAX_FIELDS, Asking
from groundswell.stats.statistics import NUMERIC_TYPES, Statistics
from groundswell.timeframe import Grid, TimeRange, bucket_grid
from groundswell.trends.breakpoints import Breakpoint, detect_many
from groundswell.trends.metric import Metric

PROJECT = "project.id"
COUNT = "count()"
GROUPS_A_QUERY = 100
_LEAST_HISTORY = timedelta(days=14)
_MOST_BUCKETS = 4_200


@dataclass(frozen=True, slots=True)
class Group:
    """One group of a panel. `raw` as the store knows it, `cells` as clients see it."""

    raw: tuple[object, ...]
    cells: tuple[Any, ...]
    count: float

    @property
    def project(self) -> str:
        return str(self.cells[0])

    @property
    def name(self) -> str:
        return ",".join("" if cell is None else str(cell) for cell in self.cells[1:])

    @property
    def key(self) -> str:
        return f"{self.project},{self.name}"


def title_of(fields: Sequence[str], cells: Sequence[Any]) -> str:
    """Name a group for people: of a function of a package, the function comes first."""
    if tuple(fields) == ("package", "function") and all(cells):
        return f"{cells[1]} ({cells[0]})"

    return ",".join("" if cell is None else str(cell) for cell in cells)


@dataclass(frozen=True, slots=True)
class Panel:
    """Values and events by group (row) and bucket; `extra` holds further columns by group, bucket.

    Where there were no events values are NaN and events 0. until: unix seconds; what lies behind is
    not known yet.
    """

    grid: Grid
    groups: tuple[Group, ...]
    values: np.ndarray
    events: np.ndarray
    extra: tuple[Mapping[int, Mapping[str, Any]], ...] = ()
    type: str = "number"
    unit: str | None = None
    until: float = inf

    @property
    def is_known(self) -> np.ndarray:
        """Tell which buckets are over: a window may reach into the future."""
        ends = np.asarray(self.grid.starts, dtype=np.int64) + self.grid.width_s
        return np.asarray(ends <= self.until)

    def of(self, name: str) -> Panel:
        """Give the panel of another function that was fetched as `extra`."""
        values = np.full_like(self.values, nan)
        for row, cells in enumerate(self.extra):
            for at, more in cells.items():
                values[row, at] = nan if more[name] is None else float(more[name])
        return replace(self, values=values)


@dataclass(frozen=True, slots=True)
class PanelRequest:
    """A question for a panel: the `limit` largest groups of the window, and their history.

    also: raw values of groups that are wanted besides, however small they are.
    """

    asking: Asking
    function: str
    groups: tuple[str, ...]
    limit: int
    width_s: int
    extra: tuple[str, ...] = ()
    history: timedelta | None = field(default=None)
    function_field: str = "trendFunction"
    also: tuple[tuple[object, ...], ...] = ()


def fields_of(params: Params) -> tuple[str, ...]:
    """Read the `field` parameters. Raises UserError for more than are allowed."""
    fields = tuple(parameters.texts(params, "field"))
    if len(fields) > MAX_FIELDS:
        raise UserError(
            f"At most {MAX_FIELDS} field parameters are allowed, got {len(fields)}", field="field"
        )

    return fields


async def fetch(statistics: Statistics, request: PanelRequest) -> Panel:
    """Ask for the groups that lead by count, then for their series.

    Raises UserError for words that mean nothing, NotFound for an unknown environment.
    """
    asking = request.asking
    await statistics.require_environments(asking)
    base = question_of(asking)
    compiled = await outputs_of(statistics, asking, request.function)
    measured = _number(compiled, request)
    found = await _leading(statistics, request, base) if request.limit else []
    there = {group.raw for group in found}
    found += [Group(raw, raw, 0.0) for raw in request.also if raw not in there]
    window = _with_history(request, statistics.retention)
    grid = bucket_grid(window, request.width_s, partial=False)
    panel = Panel(
        grid,
        tuple(found),
        np.full((len(found), len(grid.starts)), nan),
        np.zeros((len(found), len(grid.starts))),
        tuple({} for _ in found),
        measured.type,
        measured.unit,
        inf if asking.now is None else asking.now.timestamp(),
    )
    for first in range(0, len(found), GROUPS_A_QUERY):
        await _fill(statistics, request, replace(base, window=window), panel, first)
    return panel


async def outputs_of(statistics: Statistics, asking: Asking, function: str) -> tuple[Output, ...]:
    """Tell what a function gives, without asking for its values. Raises UserError."""
    question = replace(question_of(asking), select=(function,), aggregate_conditions=False)
    return (await statistics.compile(question, asking.scope)).outputs


async def type_of(statistics: Statistics, asking: Asking, function: str) -> tuple[str, str | None]:
    """Tell type and unit of a function's values. Raises UserError."""
    (output,) = _outputs(await outputs_of(statistics, asking, function), (function,))
    return output.type, output.unit


async def _leading(statistics: Statistics, request: PanelRequest, base: Question) -> list[Group]:
    names = (PROJECT, *request.groups)
    leading = await statistics.ask(
        replace(
            base,
            select=(*names, COUNT),
            order_by=("-" + COUNT, *names),
            limit=request.limit,
            auto_aggregations=True,
        ),
        request.asking.scope,
    )
    known = await statistics.names(request.asking.scope, leading.statement, leading.columns)
    columns = _outputs(leading.statement.outputs, (*names, COUNT))
    return [
        Group(
            raw=tuple(tuple(cell) if isinstance(cell, list) else cell for cell in row[:-1]),
            cells=(
                int(row[0]),
                *(
                    decode.cell(output, value, known)
                    for output, value in zip(columns[1:-1], row[1:-1], strict=True)
                ),
            ),
            count=float(row[-1]),
        )
        for row in zip(*(leading.columns[each.column] for each in columns), strict=True)
    ]


def newest(
    panel: Panel, metric: Metric, request_start: float, near: float = inf
) -> list[Breakpoint | None]:
    """Give the newest change of each group that lies in the requested window.

    near: unix seconds; of several the change that lies nearest, where not the newest is wanted.
    """
    in_window = (
        [each for each in found if each.breakpoint >= request_start]
        for found in changes(panel, metric)
    )
    at = min(near, float(panel.grid.end))
    return [
        min(found, key=lambda each: abs(each.breakpoint - at), default=None) for found in in_window
    ]


def changes(panel: Panel, metric: Metric) -> list[tuple[Breakpoint, ...]]:
    """Give every change of each group, history included, oldest first."""
    values = panel.values
    factor = 1.0
    if metric.per_s:
        # A rate is a count per bucket; the detector needs the count to know its noise.
        factor = panel.grid.width_s / metric.per_s
    if metric.kind == "count":
        # No events is a count of 0, but not of an hour that is not over.
        nothing = np.where(panel.is_known, 0.0, nan)[None, :]
        values = np.where(np.isfinite(values) & panel.is_known, values * factor, nothing)
    events = np.ones_like(values) if metric.kind == "count" else panel.events
    times = np.array(panel.grid.starts, dtype=np.int64)
    return [
        tuple(_scaled(each, 1 / factor) for each in finding.breakpoints)
        for finding in detect_many(values, times, events, kind=metric.kind)
    ]


def question_of(asking: Asking) -> Question:
    """Make the common parts of a question."""
    return Question(
        dataset=asking.dataset,
        window=asking.window,
        projects=tuple(project.id for project in asking.projects),
        select=(),
        search=asking.search,
        environments=asking.environments,
        extrapolate=asking.extrapolate,
        now=asking.now,
    )


async def _fill(
    statistics: Statistics, request: PanelRequest, base: Question, panel: Panel, first: int
) -> None:
    names = (PROJECT, *request.groups)
    part = panel.groups[first : first + GROUPS_A_QUERY]
    wanted = tuple(dict.fromkeys((request.function, COUNT, *request.extra)))
    answered = await statistics.ask(
        replace(
            base,
            select=wanted,
            interval_s=request.width_s,
            groups=Groups(names, tuple(group.raw for group in part), with_other=False),
            aggregate_conditions=False,
        ),
        request.asking.scope,
    )
    outputs = _outputs(answered.statement.outputs, wanted)
    by_name = {
        name: answered.columns[output.column] for name, output in zip(wanted, outputs, strict=True)
    }
    assert answered.statement.rank is not None, "a statement with groups has a rank"
    place = {start: i for i, start in enumerate(panel.grid.starts)}
    rows = zip(answered.columns[answered.statement.rank], answered.columns["time"], strict=True)
    for position, (rank, time) in enumerate(rows):
        at = place.get(int(time))
        if at is None:
            continue

        row = first + int(rank)
        value = by_name[request.function][position]
        panel.values[row, at] = nan if value is None else float(value)
        panel.events[row, at] = float(by_name[COUNT][position])
        if request.extra:
            more = {name: by_name[name][position] for name in request.extra}
            panel.extra[row][at] = more  # type: ignore[index]


def _with_history(request: PanelRequest, retention: timedelta) -> TimeRange:
    """Reach back twice the period or two weeks, as far as data and the number of buckets allow."""
    window = request.asking.window
    wanted = request.history
    if wanted is None:
        period = window.end - window.start
        wanted = max(2 * period, _LEAST_HISTORY)
        wanted = min(wanted, max(period, timedelta(seconds=_MOST_BUCKETS * request.width_s)))
    now = request.asking.now or window.end
    edge = now - retention
    return TimeRange(min(window.start, max(window.end - wanted, edge)), window.end)


def _outputs(outputs: Sequence[Output], names: Sequence[str]) -> list[Output]:
    by_name = {output.name: output for output in outputs}
    return [by_name[name] for name in names]


def _number(outputs: Sequence[Output], request: PanelRequest) -> Output:
    output = _outputs(outputs, (request.function,))[0]
    if not output.is_aggregate or output.type not in NUMERIC_TYPES:
        raise UserError(
            f"{request.function_field} {request.function!r} must be a function that gives a "
            "number, such as p95() or count()",
            code="not_a_number",
            field=request.function_field,
        )

    return output


def _scaled(found: Breakpoint, factor: float) -> Breakpoint:
    if factor == 1.0:
        return found

    return replace(
        found,
        aggregate_range_1=found.aggregate_range_1 * factor,
        aggregate_range_2=found.aggregate_range_2 * factor,
        trend_difference=found.trend_difference * factor,
    )


def instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
