"""/organizations/<org>/issues/: the issues that a search finds, with how often they were seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from litestar import Request, Response, get
from litestar.params import FromPath

from groundswell.errors import UserError
from groundswell.http.answering import ClientGone, gone, unless_gone
from groundswell.http.requests import caller_scope, now, services_of
from groundswell.http.web.frame import page
from groundswell.http.web.reading import read_state
from groundswell.http.web.state import State
from groundswell.model.tenancy import Project, Scope
from groundswell.stats.issue_list import (
    DEFAULT_QUERY,
    IssuePage,
    Sightings,
    list_issues,
    parse_issues,
)
from groundswell.store.metadata.issues import Issue, short_id

PERIOD = "14d"
ROWS = 25
SORTS = MappingProxyType(
    {"date": "Last seen", "new": "First seen", "freq": "Events", "user": "Users"}
)
_NAMES = ("project", "environment", "query", "statsPeriod", "start", "end", "cursor")
_NOTHING = Sightings()


@dataclass(frozen=True, slots=True)
class Row:
    """One issue of the list."""

    address: str
    title: str
    culprit: str
    short_id: str
    level: str
    status: str
    events: str
    users: str
    first_seen: str
    last_seen: str


@get("/organizations/{org:str}/issues/", opt={"access": "event:read"})
async def issues(request: Request[Any, Any, Any], org: FromPath[str]) -> Response[bytes]:
    """Show the issues; a search that cannot be read is told on the page."""
    scope = await caller_scope(request, org)
    services = services_of(request)
    given = {"query": (DEFAULT_QUERY,)}
    state = await read_state(request, scope, period=PERIOD, defaults=given)
    at = now()
    found, failure, offset = IssuePage(), "", 0
    try:
        asked = parse_issues(_params(state), scope, at, services.statistics)
        offset = asked.page.offset
        work = list_issues(services.statistics, services.metadata, asked)
        found = await unless_gone(request, work)
    except ClientGone:
        return gone()
    except UserError as error:
        failure = error.message
    base = f"/organizations/{scope.organization.slug}/issues/"
    last = offset + len(found.issues)

    def leading(to: int) -> str:
        return f"{base}?{state.address(cursor=f'0:{to}:0' if to else None)}"

    return await page(
        request,
        "issues.html",
        scope,
        here="issues",
        status=400 if failure else 200,
        state=state,
        base=base,
        failure=failure,
        rows=rows_of(found, scope, base, at),
        sorts=SORTS.items(),
        sort=_sort(state),
        shown=f"{offset + 1}–{last}" if last > offset else "",
        previous=leading(max(0, offset - ROWS)) if offset else "",
        next=leading(offset + ROWS) if found.has_more else "",
    )


def rows_of(found: IssuePage, scope: Scope, base: str, at: datetime) -> list[Row]:
    """Tell issues in words."""
    projects: Mapping[int, Project] = {int(each.id): each for each in scope.projects}
    return [_row(each, (found.seen or {}), projects, base, at) for each in found.issues]


def ago(since: datetime, at: datetime) -> str:
    """Say how long ago something was, in one unit."""
    seconds = max(0, int((at - since).total_seconds()))
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit} ago"

    return "just now"


def _row(
    issue: Issue, seen: Mapping[int, Sightings], projects: Mapping[int, Project], base: str,
    at: datetime,
) -> Row:  # fmt: skip
    counted = seen.get(issue.id, _NOTHING)
    return Row(
        f"{base}{issue.id}/",
        issue.title or "(no title)",
        issue.culprit,
        short_id(projects[issue.project_id].slug, issue.number),
        issue.level,
        issue.status,
        f"{counted.count:,}",
        f"{counted.users:,}",
        ago(issue.first_seen, at),
        ago(issue.last_seen, at),
    )


def _sort(state: State) -> str:
    wanted = next(iter(state.params.get("sort", ())), "")
    return wanted if wanted in SORTS else "date"


def _params(state: State) -> dict[str, Sequence[str]]:
    params = {name: list(state.params[name]) for name in _NAMES if state.params.get(name)}
    kept = {name: [value for value in values if value] for name, values in params.items()}
    return {**kept, "query": [state.query], "sort": [_sort(state)], "per_page": [str(ROWS)]}


ROUTES = [issues]
