"""Rows in bulk: a question is answered slice of time by slice of time, so that memory is bounded
and no page costs more than the one before."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from groundswell import access
from groundswell.errors import UserError
from groundswell.model.series import TableAnswer
from groundswell.model.tenancy import Caller, Scope
from groundswell.stats.parameters import Page as Place
from groundswell.stats.request import TableRequest, parse_table
from groundswell.store.metadata import tenancy
from groundswell.timeframe import TimeRange

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from groundswell.stats.statistics import Statistics
    from groundswell.store.metadata import Metadata

Columns: TypeAlias = dict[str, tuple[str, str | None]]

PAGE_ROWS = 10_000
FIRST_SLICE = timedelta(hours=1)
SHORTEST_SLICE = timedelta(seconds=1)


class Extract(msgspec.Struct, frozen=True):
    """What to write out: the parameters of `events`, for an organization or some projects."""

    org: str
    params: dict[str, list[str]]
    projects: tuple[str, ...] = ()


class Page(msgspec.Struct, frozen=True):
    """Some rows in the order of `columns`: name → type and unit. The last page is_last."""

    columns: Columns
    rows: list[list[Any]]
    is_last: bool = False


async def extract(
    statistics: Statistics, metadata: Metadata, asked: Extract, now: datetime
) -> AsyncIterator[Page]:
    """Give every row, oldest slice first; at least one page.

    Raises UserError for words that mean nothing, before the first page.
    """
    scope = await metadata.run(_scope, asked)
    chosen = [str(project.id) for project in scope.projects]
    params = {**asked.params, "project": chosen}
    request = parse_table(params, scope, now, statistics.retention, max_rows=PAGE_ROWS)
    request = replace(request, page=Place(PAGE_ROWS, 0))
    if not request.asking.projects:
        raise UserError(f"The organization {asked.org} has no projects.")

    grouped = any("(" in field for field in request.fields)
    if not grouped and request.sort:
        raise UserError("Rows come in the order of time; only figures are sorted.", field="sort")

    answers = _by_place(statistics, request) if grouped else _by_time(statistics, request)
    columns: Columns = {}
    async for answer in answers:
        columns = dict(answer.columns)
        yield Page(columns, [[row.get(name) for name in columns] for row in answer.rows])
    yield Page(columns, [], is_last=True)


def _scope(connection: Connection, asked: Extract) -> Scope:
    owner = tenancy.get_organization(connection, asked.org)
    everything = Caller(user=None, org_id=owner.id, scopes=frozenset())
    scope = access.scope(connection, everything, owner.id)
    if not asked.projects:
        return scope

    chosen = tuple(tenancy.get_project(connection, owner.id, slug) for slug in asked.projects)
    return replace(scope, projects=chosen, member_projects=chosen)


async def _by_place(statistics: Statistics, request: TableRequest) -> AsyncIterator[TableAnswer]:
    """Page through groups, of which there are few."""
    if not request.sort:
        by = tuple(field for field in request.fields if "(" not in field)
        request = replace(request, sort=by or request.fields[:1])
    while True:
        answer = await statistics.table(request)
        yield answer
        if not answer.has_more:
            return

        place = Place(PAGE_ROWS, request.page.offset + PAGE_ROWS)
        request = replace(request, page=place)


async def _by_time(statistics: Statistics, request: TableRequest) -> AsyncIterator[TableAnswer]:
    """Walk through time in slices that hold no more than a page."""
    window = request.asking.window
    begin, width = window.start, FIRST_SLICE
    while begin < window.end:
        end = min(begin + width, window.end)
        part = _within(request, TimeRange(begin, end))
        answer = await statistics.table(part)
        if answer.has_more and width > SHORTEST_SLICE:
            width = max(width / 2, SHORTEST_SLICE)
            continue

        if answer.has_more:
            async for crowded in _by_place(statistics, replace(part, sort=("id",))):
                yield crowded
        else:
            yield replace(answer, rows=answer.rows[::-1])
        begin = end
        if len(answer.rows) < PAGE_ROWS // 4:
            width *= 2


def _within(request: TableRequest, window: TimeRange) -> TableRequest:
    return replace(request, asking=replace(request.asking, window=window))
