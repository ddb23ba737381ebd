"""Events of one issue, its tags, and what clients ask of an issue beside them."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get
from litestar.params import FromPath

from groundswell.errors import NotFound
from groundswell.http.api.issues import ONE, issue_of
from groundswell.http.environments import environments_of
from groundswell.http.event_shapes import error_event, event_row
from groundswell.http.failures import json_response
from groundswell.http.paging import link_header, page
from groundswell.http.requests import caller_scope, multi, now, services_of
from groundswell.http.shapes import instant
from groundswell.model.tenancy import Project, Scope
from groundswell.query.question import Dataset, Question
from groundswell.stats import parameters
from groundswell.stats.facets import Tag, facets, name_of, tag_values
from groundswell.store.events import read_events
from groundswell.store.metadata.issues import Issue
from groundswell.timeframe import parse_range

ORDERS = {"latest": "-timestamp", "recommended": "-timestamp", "oldest": "timestamp"}


@get(ONE + "events/", opt={"access": "event:read"})
async def events_of_issue(
    request: Request[Any, Any, Any], org: FromPath[str], issue: FromPath[str]
) -> Response[bytes]:
    """List the events of an issue, the newest first; `full=1` with their stack traces."""
    scope = await caller_scope(request, org)
    found = await issue_of(request, scope, issue)
    params = multi(request)
    here = page(params)
    ids = await _ids(request, scope, found, "-timestamp", here.limit + 1, here.offset)
    project = _project(scope, found)
    engine, base_url = services_of(request).engine, services_of(request).settings.base_url
    rows = await read_events(engine, "errors", [int(project.id)], ids[: here.limit])
    full = parameters.first(params, "full") in {"1", "true"}
    shown = [error_event(r, project, base_url) if full else event_row(r, project) for r in rows]
    return json_response(shown, headers=link_header(request, here, has_more=len(ids) > here.limit))


@get(ONE + "events/{event:str}/", opt={"access": "event:read"})
async def event_of_issue(
    request: Request[Any, Any, Any], org: FromPath[str], issue: FromPath[str], event: FromPath[str]
) -> Response[bytes]:
    """Describe the latest, oldest or recommended event of an issue, or one by id."""
    scope = await caller_scope(request, org)
    found = await issue_of(request, scope, issue)
    ids = [event.replace("-", "").lower()]
    if event in ORDERS:
        ids = await _ids(request, scope, found, ORDERS[event], 1, 0)
    project = _project(scope, found)
    services = services_of(request)
    if not all(len(id) == 32 and not set(id) - set("0123456789abcdef") for id in ids):
        raise NotFound

    rows = await read_events(services.engine, "errors", [int(project.id)], ids)
    if not rows or rows[0]["group_id"] != found.id:
        raise NotFound

    return json_response(error_event(rows[0], project, services.settings.base_url))


@get(ONE + "tags/", opt={"access": "event:read"})
async def tags_of_issue(
    request: Request[Any, Any, Any], org: FromPath[str], issue: FromPath[str]
) -> Response[bytes]:
    """List the tags of an issue with their most frequent values."""
    scope = await caller_scope(request, org)
    found = await issue_of(request, scope, issue)
    return json_response([_tag(each) for each in await _facets(request, scope, found)])


@get(ONE + "tags/{key:str}/", opt={"access": "event:read"})
async def tag_of_issue(
    request: Request[Any, Any, Any], org: FromPath[str], issue: FromPath[str], key: FromPath[str]
) -> Response[bytes]:
    """Describe one tag of an issue."""
    scope = await caller_scope(request, org)
    found = await issue_of(request, scope, issue)
    values = await _values(request, scope, found, key)
    if not values:
        raise NotFound

    total = sum(each["count"] for each in values)
    return json_response(
        {"key": key, "name": name_of(key), "totalValues": total, "uniqueValues": len(values),
         "topValues": values[:10]}
    )  # fmt: skip


@get(ONE + "tags/{key:str}/values/", opt={"access": "event:read"})
async def tag_values_of_issue(
    request: Request[Any, Any, Any], org: FromPath[str], issue: FromPath[str], key: FromPath[str]
) -> Response[bytes]:
    """List the values of one tag of an issue."""
    scope = await caller_scope(request, org)
    found = await issue_of(request, scope, issue)
    values = await _values(request, scope, found, key)
    here = page(multi(request))
    end = here.offset + here.limit
    headers = link_header(request, here, has_more=len(values) > end)
    return json_response(values[here.offset : end], headers=headers)


@get(
    [ONE + "notes/", ONE + "comments/", ONE + "user-reports/", ONE + "external-issues/",
     ONE + "hashes/", ONE + "attachments/"],
    opt={"access": "event:read"},
)  # fmt: skip
async def nothing_of_issue(
    request: Request[Any, Any, Any], org: FromPath[str], issue: FromPath[str]
) -> Response[bytes]:
    """List what an issue never has here: comments, reports, links to trackers, attachments."""
    scope = await caller_scope(request, org)
    await issue_of(request, scope, issue)
    return json_response([])


@get([ONE + "activities/", ONE + "activity/"], opt={"access": "event:read"})
async def activity_of_issue(
    request: Request[Any, Any, Any], org: FromPath[str], issue: FromPath[str]
) -> Response[bytes]:
    """Tell how an issue began."""
    scope = await caller_scope(request, org)
    found = await issue_of(request, scope, issue)
    began: dict[str, Any] = {
        "id": str(found.id), "type": "first_seen", "dateCreated": instant(found.first_seen),
        "user": None, "sentry_app": None, "data": {},
    }  # fmt: skip
    return json_response({"activity": [began]})


def _project(scope: Scope, issue: Issue) -> Project:
    return next(each for each in scope.projects if each.id == issue.project_id)


async def _ids(
    request: Request[Any, Any, Any], scope: Scope, issue: Issue, order: str, limit: int, offset: int
) -> list[str]:
    """Find events of an issue by the request's search, environments and time."""
    params = multi(request)
    at = now()
    services = services_of(request)
    search = parameters.first(params, "query") or ""
    window = parse_range(params, now=at, retention=services.statistics.retention)
    question = Question(
        dataset=Dataset.ERRORS,
        window=window,
        projects=(_project(scope, issue).id,),
        select=("id", "timestamp"),
        search=f"issue.id:{issue.id} ({search})" if search.strip() else f"issue.id:{issue.id}",
        environments=await environments_of(request, scope, window),
        order_by=(order,),
        limit=limit,
        offset=offset,
        now=at,
    )
    rows = await services.statistics.records(question, scope)
    return [str(row["id"]).replace("-", "") for row in rows]


async def _facets(request: Request[Any, Any, Any], scope: Scope, issue: Issue) -> tuple[Tag, ...]:
    services = services_of(request)
    params = multi(request)
    window = parse_range(params, now=now(), retention=services.statistics.retention)
    found = await facets(
        services.statistics, services.engine, scope, (_project(scope, issue),), window,
        dataset=Dataset.ERRORS, issue_id=issue.id,
        environments=await environments_of(request, scope, window),
    )  # fmt: skip
    return tuple(each for each in found.tags if each.key != "project")


async def _values(
    request: Request[Any, Any, Any], scope: Scope, issue: Issue, key: str
) -> list[dict[str, Any]]:
    services = services_of(request)
    params = multi(request)
    window = parse_range(params, now=now(), retention=services.statistics.retention)
    found = await tag_values(
        services.statistics, scope, (_project(scope, issue),), window, key,
        dataset=Dataset.ERRORS, search=f"issue.id:{issue.id}",
        environments=await environments_of(request, scope, window),
    )  # fmt: skip
    return [
        {"key": key, "name": each.name, "value": each.value, "count": each.count,
         "firstSeen": instant(each.first_seen), "lastSeen": instant(each.last_seen)}
        for each in found
    ]  # fmt: skip


def _tag(tag: Tag) -> dict[str, Any]:
    top = [{"name": n, "value": v, "count": c} for n, v, c in tag.top]
    return {**tag.brief(), "topValues": top}


ROUTES = [
    events_of_issue,
    event_of_issue,
    tags_of_issue,
    tag_of_issue,
    tag_values_of_issue,
    nothing_of_issue,
    activity_of_issue,
]
