"""A link to trends → what changed most, or one change with its chart, for who may see it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from groundswell import access
from groundswell.charts.one_trend import chart_of_one, sentence_of
from groundswell.charts.render import Renderer
from groundswell.charts.spec import vega_lite
from groundswell.charts.trends import change_text, moment_text
from groundswell.errors import GroundswellError, NotFound, UserError
from groundswell.model.tenancy import Caller, Scope, User
from groundswell.model.trends import Status, Trend
from groundswell.slack.images import Ladder, Picture
from groundswell.slack.links import Link
from groundswell.slack.messages.unfurls import Told, chart_unfurl
from groundswell.slack.outbound import SlackError
from groundswell.slack.workspaces import utc_now
from groundswell.stats import parameters
from groundswell.stats.statistics import Statistics
from groundswell.store.metadata import Metadata
from groundswell.store.metadata.tenancy import list_features
from groundswell.store.metadata.trends import Wanted, list_trends
from groundswell.timeframe import parse_range
from groundswell.trends.one import OneTrend, find_one, parse_one
from groundswell.trends.rows import Row
from groundswell.trends.transactions import (
    Trends,
    TrendsRequest,
    find_trends,
    parse_trends,
)

if TYPE_CHECKING:
    from groundswell.slack.unfurl import Shared

FEATURE = "performance-new-trends"
DEFAULT_PERIOD = "14d"
RECORDED = "recorded"
SHOWN, MOST = 5, 100
WIDTH, HEIGHT = 800, 320
# With time left for the statistics before it, and for Slack after it.
CHART_TIMEOUT_S = 4.0
_DATES = ("statsPeriod", "start", "end")


class TrendLinks:
    """Unfurls links to the pages of trends."""

    def __init__(
        self, metadata: Metadata, statistics: Statistics, renderer: Renderer, ladder: Ladder
    ) -> None:
        self._metadata = metadata
        self._statistics = statistics
        self._renderer = renderer
        self._ladder = ladder

    async def unfurl(self, link: Link, user: User | None, shared: Shared) -> dict[str, Any] | None:
        """Tell what changed; None where the sharer may see none of it."""
        if user is None or shared.is_external or shared.is_composer:
            return None

        params = {name: list(values) for name, values in link.params.items()}
        if not any(link.first(name) for name in _DATES):
            params["statsPeriod"] = [DEFAULT_PERIOD]
        parse = parse_one if link.part else parse_trends
        try:
            scope = await self._metadata.run(_scope, link, user)
            if not link.part and link.first("trendType") == RECORDED:
                wanted = _wanted(params, scope, self._statistics.retention)
                found = await self._metadata.run(
                    list_trends, scope.organization.id, wanted, limit=MOST + 1
                )
                return chart_unfurl(_told_recorded(link, scope, found))

            asked = parse(params, scope, utc_now(), self._statistics.retention)
            if asked is None:
                return None

            if not link.part:
                return chart_unfurl(_told(link, await find_trends(self._statistics, asked)))

            one = await find_one(self._statistics, asked)
        except UserError:
            return None

        if one is None:
            return None

        source = await self._chart(shared, scope, one, asked)
        return chart_unfurl(_told_one(link, one), source)

    async def _chart(
        self, shared: Shared, scope: Scope, one: OneTrend, asked: TrendsRequest
    ) -> Mapping[str, Any] | None:
        if not self._ladder.has_rung(shared.installation):
            return None

        chart = chart_of_one(one, name=one.name, function=one.function, width=WIDTH, height=HEIGHT)
        projects = tuple(project.id for project in asked.panel.asking.projects)
        try:
            async with asyncio.timeout(CHART_TIMEOUT_S):
                png = await self._renderer.png(vega_lite(chart))
                picture = Picture(png, chart.title, scope.organization.id, projects)
                return await self._ladder.source(shared.installation, picture)
        except (GroundswellError, SlackError, TimeoutError):
            # The words appear without the chart.
            return None


def _told(link: Link, found: Trends) -> Told:
    function = found.request.panel.function
    changed = len(found.rows)
    sentence = "No change."
    if changed:
        strongest = found.rows[0]
        sentence = (
            f"{changed} of {len(found.panel.groups)} changed, most of all "
            f"{strongest['transaction']}: {_words(strongest)}."
        )
    return Told(
        url=link.url.replace("&amp;", "&"),
        title=" · ".join(part for part in (f"Trends · {function}", _period(link)) if part),
        sentence=sentence,
        top=tuple((str(row["transaction"]), _words(row)) for row in found.rows[:SHOWN]),
        query=link.first("query") or "",
        details=("UTC",),
    )


def _wanted(params: Mapping[str, list[str]], scope: Scope, retention: timedelta) -> Wanted:
    """Say which recorded trends the page lists."""
    status = (params.get("status") or [""])[0]
    asked = {name: values for name, values in params.items() if name != "query"}
    return Wanted(
        projects=tuple(project.id for project in parameters.projects(asked, scope)),
        statuses=(Status(status),) if status in set(Status) else (),
        words=(params.get("query") or [""])[0].strip(),
        since=parse_range(asked, now=utc_now(), retention=retention).start,
    )


def _told_recorded(link: Link, scope: Scope, found: Sequence[Trend]) -> Told:
    slugs = {project.id: project.slug for project in scope.projects}
    many = f"More than {MOST}" if len(found) > MOST else str(len(found))
    sentence = "No trends are recorded."
    if found:
        newest = found[0]
        name = newest.group or "(no name)"
        sentence = (
            f"{many} recorded, the newest: {newest.function} of {name}, "
            f"{change_text(newest.before, newest.after)}."
        )
    return Told(
        url=link.url.replace("&amp;", "&"),
        title=" · ".join(part for part in ("Recorded trends", _period(link)) if part),
        sentence=sentence,
        top=tuple(
            (
                f"{one.function} of {one.group or '(no name)'}",
                f"{change_text(one.before, one.after)} since "
                f"{moment_text(int(one.at.timestamp()))} ({one.status.value}, "
                f"{slugs.get(one.project_id, '')})",
            )
            for one in found[:SHOWN]
        ),
        query=link.first("query") or "",
        details=("UTC",),
    )


def _told_one(link: Link, one: OneTrend) -> Told:
    return Told(
        url=link.url.replace("&amp;", "&"),
        title=f"{one.function} of {one.name or '(no name)'}",
        sentence=sentence_of(one),
        query=link.first("query") or "",
        details=(_period(link), "UTC"),
    )


def _period(link: Link) -> str:
    return link.first("statsPeriod") or ("" if link.first("start") else DEFAULT_PERIOD)


def _scope(connection: Connection, link: Link, user: User) -> Scope:
    caller = Caller(user=user, org_id=None, scopes=frozenset())
    scope = access.scope(connection, caller, link.org)
    if not list_features(connection, scope.organization.id).get(FEATURE, True):
        raise NotFound

    return scope


def _words(row: Row) -> str:
    at = f"{datetime.fromtimestamp(float(row['breakpoint']), UTC):%Y-%m-%d %H:%M} UTC"
    ratio = row["trend_percentage"]
    change = f"{(float(ratio) - 1) * 100:+,.0f}%" if ratio is not None else "changed"
    return f"{change} since {at} ({row['change']}, {row['project']})"
