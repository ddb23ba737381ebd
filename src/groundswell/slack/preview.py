"""A link and its sharer → the answer of the statistics, in words and as a picture."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from groundswell import access
from groundswell.charts.answers import chart_of, default_title, on_grid, span_text
from groundswell.charts.render import Renderer
from groundswell.charts.spec import vega_lite
from groundswell.charts.summary import summarize
from groundswell.errors import NotAllowed, NotFound, UserError
from groundswell.model.series import SeriesAnswer
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
            retention = self._statistics.retention
            try:
                request = parse_series(asked.params, scope, now, retention)
            except UserError as error:
                if asked.display is not Display.PREVIOUS or error.code != "outside_retention":
                    raise
                asked = asked.without_comparison()
                request = parse_series(asked.params, scope, now, retention)
            # As the page does, with the bucket that fills right now: people share what happens.
            request = replace(request, zerofill=False, partial=True)
            answer = on_grid(await self._statistics.series(request))
        except (NotAllowed, NotFound) as error:
            raise Silent(str(error)) from error

        if not request.asking.projects:
            raise Silent("no projects")

        if hides_names:
            answer = without_names(answer)
        told = tell(link, asked, request, answer, hides_names=hides_names)
        return Preview(link, scope, asked, request, answer, told)

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
    ) -> tuple[Scope, ChartRequest]:
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
        return scope, from_link(link, saved, now=now, retention=retention)


def tell(
    link: Link,
    asked: ChartRequest,
    request: SeriesRequest,
    answer: SeriesAnswer,
    *,
    hides_names: bool = False,
) -> Told:
    """Put an answer in words."""
    query = (asked.params.get("query") or [""])[0]
    period = _period(asked)
    words = period or span_text(max(answer.end - answer.start, answer.interval_s))
    shown = default_title(answer).replace("equation|", "")
    title = asked.name or f"{shown}{f' · {query}' if query else ''} · {words}"
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
