"""A link and its sharer → the answer of the statistics, in words and as a picture."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from groundswell import access
from groundswell.charts.answers import (
    chart_of,
    default_title,
    on_grid,
    ordered_series,
    series_name,
    span_text,
)
from groundswell.charts.render import Renderer
from groundswell.charts.spec import vega_lite
from groundswell.charts.summary import summarize
from groundswell.errors import NotAllowed, NotFound, UserError
from groundswell.model.series import Series, SeriesAnswer
from groundswell.model.tenancy import Caller, Scope, User
from groundswell.slack.images import Picture
from groundswell.slack.links import Kind, Link
from groundswell.slack.messages.unfurls import Told
from groundswell.slack.requests import ChartRequest, Display, from_link
from groundswell.slack.saved import saved_question
from groundswell.slack.widgets import find_dashboard, from_widget
from groundswell.stats.request import SeriesRequest, parse_series
from groundswell.stats.statistics import Statistics
from groundswell.store.metadata import Metadata
from groundswell.store.metadata.tenancy import list_features

WIDTH, HEIGHT = 800, 320
MAX_TOP = 5


class Silent(Exception):
    """Raised when a link gets no answer and nobody may be told why."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What one link shows: told in words, and what its picture is drawn from."""

    link: Link
    scope: Scope
    asked: ChartRequest
    request: SeriesRequest
    answer: SeriesAnswer
    told: Told


class Previewer:
    """Answers links with the access of the person who shared them."""

    def __init__(self, metadata: Metadata, statistics: Statistics, renderer: Renderer) -> None:
        self._metadata = metadata
        self._statistics = statistics
        self._renderer = renderer

    async def preview(
        self, link: Link, user: User, *, now: datetime, hides_names: bool = False
    ) -> Preview:
        """Ask what a link asks. Raises Silent, or UserError where the sharer may know why."""
        try:
            scope, asked = await self._metadata.run(self._read, link, user, now)
            asked, request, answer = await self._answer(scope, asked, now)
        except (NotAllowed, NotFound) as error:
            raise Silent(str(error)) from error

        if not request.asking.projects:
            raise Silent("no projects")

        if hides_names:
            answer = without_names(answer)
        told = tell(link, asked, request, answer, hides_names=hides_names)
        return Preview(link, scope, asked[0], request, answer, told)

    async def _answer(
        self, scope: Scope, asked: Sequence[ChartRequest], now: datetime
    ) -> tuple[Sequence[ChartRequest], SeriesRequest, SeriesAnswer]:
        """Ask every request of a link; where there are several their series share one answer."""
        retention = self._statistics.retention
        try:
            requests = [parse_series(one.params, scope, now, retention) for one in asked]
        except UserError as error:
            if asked[0].display is not Display.PREVIOUS or error.code != "outside_retention":
                raise
            asked = [one.without_comparison() for one in asked]
            requests = [parse_series(one.params, scope, now, retention) for one in asked]
        # As the page does, with the bucket that fills right now: people share what happens.
        requests = [replace(one, zerofill=False, partial=True) for one in requests]
        answers = await asyncio.gather(*(self._statistics.series(one) for one in requests))
        labels = [one.label for one in asked]
        return asked, requests[0], together(labels, [on_grid(answer) for answer in answers])

    async def draw(self, preview: Preview) -> Picture:
        """Draw the chart of a preview. Raises UpstreamError."""
        chart = chart_of(
            preview.answer,
            preview.asked.display.value,
            title=preview.told.title,
            width=WIDTH,
            height=HEIGHT,
        )
        png = await self._renderer.png(vega_lite(chart))
        projects = tuple(project.id for project in preview.request.asking.projects)
        return Picture(png, preview.told.alt, preview.scope.organization.id, projects)

    def _read(
        self, connection: Connection, link: Link, user: User, now: datetime
    ) -> tuple[Scope, Sequence[ChartRequest]]:
        caller = Caller(user=user, org_id=None, scopes=frozenset())
        scope = access.scope(connection, caller, link.org)
        feature = "dashboards-basic" if link.kind is Kind.WIDGET else "discover-basic"
        if not list_features(connection, scope.organization.id).get(feature, True):
            raise NotFound

        retention = self._statistics.retention
        if link.kind is Kind.WIDGET:
            dashboard = find_dashboard(connection, scope, link)
            return scope, from_widget(link, dashboard, now=now, retention=retention)

        saved = saved_question(connection, scope, link, user)
        return scope, [from_link(link, saved, now=now, retention=retention)]


def together(labels: Sequence[str], answers: Sequence[SeriesAnswer]) -> SeriesAnswer:
    """Put the series of several answers into one, each called by its label."""
    if len(answers) == 1:
        return answers[0]

    series: list[Series] = []
    for label, answer in zip(labels, answers, strict=True):
        for one in ordered_series(answer):
            name = series_name(one, answer)
            if label:
                name = f"{label} · {name}" if len(answer.series) > 1 else label
            series.append(replace(one, group=name, group_values=(), order=len(series)))
    return replace(answers[0], series=tuple(series), is_top_events=False)


def tell(
    link: Link,
    requests: Sequence[ChartRequest],
    request: SeriesRequest,
    answer: SeriesAnswer,
    *,
    hides_names: bool = False,
) -> Told:
    """Put an answer in words."""
    asked = requests[0]
    query = "" if len(requests) > 1 else (asked.params.get("query") or [""])[0]
    period = _period(asked)
    words = period or span_text(max(answer.end - answer.start, answer.interval_s))
    title = asked.name or f"{default_title(answer)}{f' · {query}' if query else ''} · {words}"
    summary = summarize(answer, title=title)
    environments = asked.params.get("environment", [])
    projects = [project.slug for project in request.asking.projects]
    return Told(
        url=link.url.replace("&amp;", "&"),
        title=title,
        sentence=summary.sentence,
        sparkline=summary.sparkline,
        top=summary.top[: MAX_TOP + 1],
        query="" if hides_names else query,
        details=(
            f"{words} · {span_text(answer.interval_s)} buckets",
            ""
            if hides_names
            else _listed("project", projects, all_of=len(request.asking.scope.projects)),
            _listed("environment", environments),
            "UTC",
        ),
        alt=summary.alt,
        hidden=hides_names,
    )


def without_names(answer: SeriesAnswer) -> SeriesAnswer:
    """Call groups by their rank, for channels where strangers read along."""
    series = tuple(
        replace(s, group=f"Group {s.order + 1}", group_values=())
        if s.group is not None and not s.is_other
        else s
        for s in answer.series
    )
    return replace(answer, series=series)


def _period(asked: ChartRequest) -> str:
    params = asked.params
    if "statsPeriod" in params:
        return f"last {params['statsPeriod'][0]}"

    if "start" in params and "end" in params:
        return f"{params['start'][0]} – {params['end'][0]}"

    return ""


def _listed(noun: str, names: list[str], *, all_of: int = -1) -> str:
    if not names:
        return ""

    if len(names) == all_of and len(names) > 3:
        return f"all {noun}s"

    shown = ", ".join(names[:3])
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"{noun}{'s' if len(names) > 1 else ''} {shown}{more}"
