"""/ and /organizations/<org>/: where a person lands, and how much happens in each project."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from litestar import Request, Response, get
from litestar.params import FromPath

from groundswell import access
from groundswell.errors import NotFound, QueryTooHeavy, StoreUnavailable, UserError
from groundswell.http.requests import caller_of, caller_scope, now, services_of
from groundswell.http.web.frame import go, page
from groundswell.model.series import SeriesAnswer
from groundswell.model.tenancy import Project, Scope
from groundswell.stats.request import parse_series, parse_table

Courses: TypeAlias = dict[str, Sequence[float | int | None]]

WIDTH, HEIGHT = 240.0, 44.0
DRAWN = 10


@dataclass(frozen=True, slots=True)
class Tile:
    """One project: how many events in the last day, and their course as two SVG paths."""

    id: str
    name: str
    platform: str
    count: int
    line: str = ""
    area: str = ""

    @property
    def count_text(self) -> str:
        return f"{self.count:,}"


@get("/", opt={"access": "session"})
async def front(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Lead to the first organization of the person."""
    caller = await caller_of(request)
    mine = await services_of(request).metadata.run(access.organizations, caller)
    if not mine:
        raise NotFound("You are not a member of any organization yet.")

    return go(f"/organizations/{mine[0].slug}/")


@get("/organizations/{org:str}/", opt={"access": "org:read"})
async def overview(request: Request[Any, Any, Any], org: FromPath[str]) -> Response[bytes]:
    """Show the projects that the caller may see, the busiest first."""
    scope = await caller_scope(request, org)
    failure = ""
    counts: dict[str, int] = {}
    courses: Courses = {}
    try:
        counts, courses = await _numbers(request, scope)
    except (QueryTooHeavy, StoreUnavailable, UserError) as error:
        failure = f"The counts could not be asked: {error}"
    tiles = sorted(
        (_tile(project, counts, courses) for project in scope.projects),
        key=lambda tile: (-tile.count, tile.name),
    )
    return await page(
        request,
        "overview.html",
        scope,
        here="overview",
        tiles=tiles,
        failure=failure,
        quiet=any(not tile.count for tile in tiles),
    )


async def _numbers(request: Request[Any, Any, Any], scope: Scope) -> tuple[dict[str, int], Courses]:
    """Ask for the count of each project, and the hourly counts of the ten busiest."""
    statistics = services_of(request).statistics
    asked = {
        "field": ["project", "count()"],
        "sort": ["-count()"],
        "statsPeriod": ["24h"],
        "project": ["-1"],
    }
    table = await statistics.table(parse_table(asked, scope, now(), statistics.retention))
    counts = {str(row["project"]): int(str(row["count()"] or 0)) for row in table.rows}
    if not counts:
        return counts, {}

    hourly = {"topEvents": [str(DRAWN)], "interval": ["1h"], "excludeOther": ["1"]}
    series = parse_series({**asked, **hourly}, scope, now(), statistics.retention)
    return counts, _courses(await statistics.series(series))


def _courses(answer: SeriesAnswer) -> Courses:
    return {series.group or "": series.values for series in answer.series}


def _tile(
    project: Project,
    counts: dict[str, int],
    courses: Courses,
) -> Tile:
    line, area = paths(courses.get(project.slug, ()))
    return Tile(
        str(project.id),
        project.name,
        project.platform or "",
        counts.get(project.slug, 0),
        line,
        area,
    )


def paths(values: Sequence[float | int | None]) -> tuple[str, str]:
    """Draw values as an SVG line from zero, and the area under it."""
    known = [value or 0 for value in values]
    if len(known) < 2 or max(known) <= 0:
        return f"M0 {HEIGHT:g}L{WIDTH:g} {HEIGHT:g}", ""

    top, step = max(known), WIDTH / (len(known) - 1)
    points = [
        f"{i * step:.1f} {HEIGHT - 2 - value / top * (HEIGHT - 4):.1f}"
        for i, value in enumerate(known)
    ]
    line = "M" + "L".join(points)
    return line, f"{line}L{WIDTH:g} {HEIGHT:g}L0 {HEIGHT:g}Z"


ROUTES = [front, overview]
