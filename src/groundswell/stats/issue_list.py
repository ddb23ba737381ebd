"""Lists of issues: which ones a search finds, in which order, and how often each was seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from groundswell.errors import UserError
from groundswell.model.tenancy import Project, Scope
from groundswell.query.question import Dataset, Limits, Question
from groundswell.stats import parameters
from groundswell.stats.issue_words import IssueSearch, read_issue_search
from groundswell.stats.parameters import Page, Params
from groundswell.store.metadata import tenancy
from groundswell.store.metadata.issue_search import IssueFilter, find_issues
from groundswell.store.metadata.issues import Issue
from groundswell.timeframe import TimeRange, parse_range

if TYPE_CHECKING:
    from groundswell.stats.statistics import Statistics
    from groundswell.store.metadata import Metadata

# How many issues a search in events, or an order by their numbers, can tell apart.
MAX_FOUND = 10_000
CHUNK = 500
SORTS = {
    "date": "date", "new": "new", "freq": "freq", "user": "user", "trends": "freq",
    "priority": "freq", "recommended": "date", "inbox": "date", "": "date",
}  # fmt: skip
DEFAULT_QUERY = "is:unresolved"
# So many times the page are looked at first where the events give the order.
SPARE = 8
_SELECT = ("issue.id", "count()", "count_unique(user)")
_EVENT_ORDER = {
    "date": "-max(timestamp)", "new": "-min(timestamp)", "freq": "-count()",
    "user": "-count_unique(user)",
}  # fmt: skip
_LIMITS = Limits(max_terms=2_000, max_length=400_000)


@dataclass(frozen=True, slots=True)
class Sightings:
    """What the events of a window say of one issue."""

    count: int = 0
    users: int = 0


@dataclass(frozen=True, slots=True)
class IssueRequest:
    """A question for a list of issues."""

    scope: Scope
    projects: tuple[Project, ...]
    window: TimeRange
    page: Page
    text: str
    sort: str
    environments: tuple[str, ...] = ()
    now: datetime | None = None


@dataclass(frozen=True, slots=True)
class IssuePage:
    """One page of issues with their numbers."""

    issues: tuple[Issue, ...] = ()
    seen: Mapping[int, Sightings] | None = None
    has_more: bool = False


def parse_issues(
    params: Params, scope: Scope, now: datetime, statistics: Statistics
) -> IssueRequest:
    """Read the parameters of an issue list. Raises UserError that names the parameter."""
    window = parse_range(params, now=now, retention=statistics.retention)
    projects = parameters.projects(params, scope)
    sort = parameters.first(params, "sort") or ""
    if sort not in SORTS:
        names = ", ".join(name for name in SORTS if name)
        raise UserError(f"sort must be one of {names}; got {sort!r}", code="bad_sort", field="sort")

    query = parameters.first(params, "query")
    return IssueRequest(
        scope,
        projects,
        window,
        _page(params),
        DEFAULT_QUERY if query is None else query,
        SORTS[sort],
        parameters.environments(params),
        now,
    )


def _page(params: Params) -> Page:
    """Read `limit` (which clients send up to 10 000, and get 100 at most) or `per_page`."""
    limit = parameters.whole(params, "limit", "a whole number of at least 1")
    if limit is None:
        return parameters.page(params, default=25)

    if limit < 1:
        raise UserError(f"limit must be at least 1, got {limit}", code="limit_range", field="limit")

    cursor = {name: values for name, values in params.items() if name == "cursor"}
    return parameters.page({**cursor, "per_page": [str(min(limit, 100))]})


async def list_issues(statistics: Statistics, metadata: Metadata, asked: IssueRequest) -> IssuePage:
    """Find a page of issues. Raises UserError for words that mean nothing."""
    if not asked.projects:
        return IssuePage()

    actors = await metadata.run(_actors, asked.scope) if "assigned" in asked.text.lower() else {}
    every = IssueFilter(tuple(int(project.id) for project in asked.projects))
    now = asked.now or asked.window.end
    found = read_issue_search(asked.text, asked.scope, every, actors, now)
    if found.search or asked.environments or asked.sort in {"freq", "user"}:
        return await _by_events(statistics, metadata, asked, found)

    return await _by_metadata(statistics, metadata, asked, found.wanted)


async def _by_metadata(
    statistics: Statistics, metadata: Metadata, asked: IssueRequest, wanted: IssueFilter
) -> IssuePage:
    """Events are asked only for the numbers of the issues of the page."""
    window, page = asked.window, asked.page
    during = (("last_seen", ">=", window.start), ("first_seen", "<", window.end))
    wanted = replace(wanted, bounds=(*wanted.bounds, *during))

    def read(connection: Connection) -> list[Issue]:
        return find_issues(
            connection, wanted, order=asked.sort, limit=page.limit + 1, offset=page.offset
        )

    found = await metadata.run(read)
    shown = tuple(found[: page.limit])
    return IssuePage(shown, await _seen(statistics, asked, shown), len(found) > page.limit)


async def _by_events(
    statistics: Statistics, metadata: Metadata, asked: IssueRequest, found: IssueSearch
) -> IssuePage:
    """The events say which issues and in which order; the metadata, which of them are wanted."""
    begin, end = asked.page.offset, asked.page.offset + asked.page.limit
    # Most often the first few are enough; the metadata may want none of them, so all are known.
    for limit in sorted({min(MAX_FOUND, SPARE * (end + 1)), MAX_FOUND}):
        ordered = await _order(statistics, asked, found.search, limit)
        rows = await metadata.run(_wanted, found.wanted, ordered, end)
        if len(rows) > end or len(ordered) < limit:
            break
    shown = tuple(rows[begin:end])
    return IssuePage(shown, await _seen(statistics, asked, shown, found.search), len(rows) > end)


def _wanted(
    connection: Connection, wanted: IssueFilter, ordered: Sequence[int], end: int
) -> list[Issue]:
    """Look the seen ones up in their order, until the page and one more are there."""
    rows: list[Issue] = []
    for start in range(0, len(ordered), CHUNK):
        ids = tuple(ordered[start : start + CHUNK])
        chunk = replace(wanted, ids=ids)
        known = {i.id: i for i in find_issues(connection, chunk, order="date", limit=CHUNK)}
        rows += [known[id] for id in ids if id in known]
        if len(rows) > end:
            break
    return rows


async def _order(statistics: Statistics, asked: IssueRequest, search: str, limit: int) -> list[int]:
    """List the issues whose events a search finds, in the order that was asked for."""
    order = _EVENT_ORDER[asked.sort]
    select = ("issue.id", order.removeprefix("-"))
    rows = await statistics.records(
        _question(asked, select, search, order=order, limit=limit), asked.scope
    )
    return [int(row["issue.id"]) for row in rows if row["issue.id"]]


async def _seen(
    statistics: Statistics, asked: IssueRequest, shown: Sequence[Issue], search: str = ""
) -> dict[int, Sightings]:
    """Ask only the projects of these issues: there may be a thousand others."""
    owners = {issue.project_id for issue in shown}
    projects = tuple(project for project in asked.projects if project.id in owners)
    ids = [issue.id for issue in shown]
    return await sightings(statistics, replace(asked, projects=projects), ids, search)


async def sightings(
    statistics: Statistics, asked: IssueRequest, ids: Sequence[int], search: str = ""
) -> dict[int, Sightings]:
    """Count the events and users of issues within the window, of the events that a search finds."""
    if not ids:
        return {}

    of_issues = f"issue.id:[{','.join(str(id) for id in ids)}]"
    both = f"({search}) {of_issues}" if search else of_issues
    question = _question(asked, _SELECT, both, order="-count()", limit=len(ids))
    rows = await statistics.records(question, asked.scope)
    return {
        int(row["issue.id"]): Sightings(int(row["count()"]), int(row["count_unique(user)"]))
        for row in rows
        if row["issue.id"]
    }


def _question(
    asked: IssueRequest, select: tuple[str, ...], search: str, *, order: str, limit: int
) -> Question:
    return Question(
        dataset=Dataset.ERRORS,
        window=asked.window,
        projects=tuple(project.id for project in asked.projects),
        select=select,
        search=search,
        environments=asked.environments,
        order_by=(order, "issue.id"),
        limit=limit,
        limits=_LIMITS,
        now=asked.now,
    )


def _actors(connection: Connection, scope: Scope) -> dict[str, str]:
    """Names by which people and teams may be meant → "user:1", "team:2"."""
    found: dict[str, str] = {}
    for team in tenancy.list_teams(connection, scope.organization.id):
        found[f"#{team.slug}".lower()] = f"team:{team.id}"
        found[f"team:{team.id}"] = f"team:{team.id}"
    for member in tenancy.list_members(connection, scope.organization.id):
        for name in (member.user.email, member.user.name, f"user:{member.user.id}"):
            found[name.lower()] = f"user:{member.user.id}"
        found[str(member.user.id)] = f"user:{member.user.id}"
    user = scope.caller.user
    if user is not None:
        found["me"] = f"user:{user.id}"
    return found


def actor_of(connection: Connection, scope: Scope, name: str) -> str:
    """Find whom a name means. Raises UserError."""
    found = _actors(connection, scope).get(name.strip().lower())
    if found is None:
        raise UserError(
            f"assignedTo: nobody here is {name!r}; it takes user:ID, team:ID, an e-mail address, "
            "#team or me",
            field="assignedTo",
        )

    return found
