"""One event by id, wherever a client looks for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from litestar import Request, Response, get
from litestar.params import FromPath

from groundswell import access
from groundswell.errors import NotFound
from groundswell.http.event_shapes import error_event, event_row, transaction_event
from groundswell.http.failures import json_response
from groundswell.http.paging import link_header, page
from groundswell.http.requests import caller_scope, multi, now, services_of
from groundswell.model.tenancy import Project
from groundswell.query.question import Dataset, Question
from groundswell.stats import parameters
from groundswell.store.events import read_events, read_spans
from groundswell.timeframe import parse_range

_HEX = frozenset("0123456789abcdef")


@get("/api/0/projects/{org:str}/{slug:str}/events/", opt={"access": "event:read"})
async def events_of_project(
    request: Request[Any, Any, Any], org: FromPath[str], slug: FromPath[str]
) -> Response[bytes]:
    """List the errors of a project, the newest first; `full=1` with their stack traces."""
    scope = await caller_scope(request, org)
    project = access.project(scope, slug)
    services, params, at = services_of(request), multi(request), now()
    here = page(params)
    question = Question(
        dataset=Dataset.ERRORS,
        window=parse_range(params, now=at, retention=services.statistics.retention),
        projects=(project.id,),
        select=("id", "timestamp"),
        search=parameters.first(params, "query") or "",
        order_by=("-timestamp",),
        limit=here.limit + 1,
        offset=here.offset,
        now=at,
    )
    found = await services.statistics.records(question, scope)
    ids = [str(row["id"]).replace("-", "") for row in found]
    rows = await read_events(services.engine, "errors", [int(project.id)], ids[: here.limit])
    base_url = services.settings.base_url
    full = parameters.first(params, "full") in {"1", "true"}
    return json_response(
        [error_event(r, project, base_url) if full else event_row(r, project) for r in rows],
        headers=link_header(request, here, has_more=len(ids) > here.limit),
    )


@get("/api/0/projects/{org:str}/{slug:str}/events/{event:str}/", opt={"access": "event:read"})
async def event_of_project(
    request: Request[Any, Any, Any], org: FromPath[str], slug: FromPath[str], event: FromPath[str]
) -> Response[bytes]:
    """Describe one event of a project."""
    scope = await caller_scope(request, org)
    return json_response(await describe(request, [access.project(scope, slug)], event))


@get("/api/0/organizations/{org:str}/events/{event:str}/", opt={"access": "event:read"})
async def event_of_organization(
    request: Request[Any, Any, Any], org: FromPath[str], event: FromPath[str]
) -> Response[bytes]:
    """Describe one event: `<project slug>:<event id>`, or only its id."""
    scope = await caller_scope(request, org)
    slug, colon, id = event.rpartition(":")
    projects = [access.project(scope, slug)] if colon else list(scope.projects)
    return json_response(await describe(request, projects, id))


@get("/api/0/organizations/{org:str}/eventids/{event:str}/", opt={"access": "event:read"})
async def event_id(
    request: Request[Any, Any, Any], org: FromPath[str], event: FromPath[str]
) -> Response[bytes]:
    """Find the project and issue of an event."""
    scope = await caller_scope(request, org)
    found = await describe(request, list(scope.projects), event)
    return json_response(
        {
            "organizationSlug": scope.organization.slug,
            "projectSlug": found["projectSlug"],
            "groupId": found["groupID"],
            "eventId": found["eventID"],
            "event": found,
        }
    )


async def describe(
    request: Request[Any, Any, Any], projects: Sequence[Project], event: str
) -> dict[str, Any]:
    """Describe an event of these projects, an error or a transaction. Raises NotFound."""
    id = event.replace("-", "").lower()
    if len(id) != 32 or set(id) - _HEX:
        raise NotFound

    services = services_of(request)
    by_id = {int(project.id): project for project in projects}
    errors = await read_events(services.engine, "errors", list(by_id), [id])
    if errors:
        project = by_id[errors[0]["project_id"]]
        return error_event(errors[0], project, services.settings.base_url)

    found = await read_events(services.engine, "transactions", list(by_id), [id])
    if not found:
        raise NotFound

    row = found[0]
    spans = await read_spans(
        services.engine,
        row["project_id"],
        id,
        round(row["start_timestamp"].timestamp() * 1000) - 1000,
        round(row["timestamp"].timestamp() * 1000) + 1000,
    )
    return transaction_event(row, spans, by_id[row["project_id"]])


ROUTES = [events_of_project, event_of_project, event_of_organization, event_id]
