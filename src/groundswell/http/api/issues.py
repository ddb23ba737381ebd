"""Issues: list, describe, change, forget."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from litestar import Request, Response, delete, get, put
from litestar.params import FromPath
from sqlalchemy import Connection

from groundswell.errors import NotFound, UserError
from groundswell.http.answering import ClientGone, gone, tagged, unless_gone
from groundswell.http.bodies import body_of
from groundswell.http.environments import environments_of
from groundswell.http.failures import json_response
from groundswell.http.issue_shapes import Actor, IssueDetail, IssueShape, issue_values
from groundswell.http.paging import link_header
from groundswell.http.requests import caller_scope, multi, now, services_of
from groundswell.http.shapes import instant
from groundswell.model.tenancy import Scope
from groundswell.stats import parameters
from groundswell.stats.facets import tag_keys
from groundswell.stats.issue_list import (
    IssueRequest,
    Sightings,
    actor_of,
    list_issues,
    parse_issues,
    sightings,
)
from groundswell.stats.parameters import Params
from groundswell.store.first_releases import releases_of_issue
from groundswell.store.metadata import issues as rows
from groundswell.store.metadata import tenancy
from groundswell.store.metadata.issue_search import IssueChange, change_issues, delete_issues
from groundswell.store.metadata.issues import Issue
from groundswell.timeframe import TimeRange

PATH = "/api/0/organizations/{org:str}/issues/"
ONE = PATH + "{issue:str}/"
WRITE = ("event:write", "event:admin", "project:write", "org:write", "org:admin")
REMOVE = ("event:admin", "project:admin", "org:admin")
STATUSES = {
    "resolved": "resolved", "resolvedInNextRelease": "resolved", "unresolved": "unresolved",
    "ignored": "ignored", "archived": "ignored",
}  # fmt: skip
SUBSTATUSES = {"unresolved": "ongoing", "ignored": "archived_until_escalating", "resolved": ""}


class IssueUpdate(msgspec.Struct, rename="camel"):
    """What changes of an issue; words about bookmarks and the like are accepted without effect."""

    status: str | None = None
    substatus: str | None = None
    assigned_to: str | msgspec.UnsetType | None = msgspec.UNSET


@get(PATH, opt={"access": "event:read"})
async def list_of_issues(request: Request[Any, Any, Any], org: FromPath[str]) -> Response[bytes]:
    """List issues by `query`, `sort`, `limit`, project, environment and time."""
    scope = await caller_scope(request, org)
    return await listed(request, scope, multi(request))


@put(PATH, opt={"access": "event:write"})
async def change_many(request: Request[Any, Any, Any], org: FromPath[str]) -> Response[bytes]:
    """Change the issues that `id` names."""
    scope = await caller_scope(request, org, needs=WRITE)
    ids = parameters.texts(multi(request), "id")
    if not ids:
        raise UserError("id: name the issues that change", field="id")

    change = await body_of(request, IssueUpdate)
    return await changed(request, scope, [await issue_of(request, scope, id) for id in ids], change)


@get(ONE, opt={"access": "event:read"})
async def one_issue(
    request: Request[Any, Any, Any], org: FromPath[str], issue: FromPath[str]
) -> Response[IssueDetail]:
    """Describe one issue, by id or short id."""
    scope = await caller_scope(request, org)
    return Response(await _detail(request, scope, await issue_of(request, scope, issue)))


@put(ONE, opt={"access": "event:write"})
async def change_issue(
    request: Request[Any, Any, Any], org: FromPath[str], issue: FromPath[str]
) -> Response[IssueDetail]:
    """Resolve, ignore or assign an issue."""
    scope = await caller_scope(request, org, needs=WRITE)
    change = await body_of(request, IssueUpdate)
    found = await issue_of(request, scope, issue)
    await _change(request, scope, [found], change)
    return Response(await _detail(request, scope, await issue_of(request, scope, str(found.id))))


@delete(ONE, opt={"access": "event:admin"}, status_code=202)
async def remove_issue(
    request: Request[Any, Any, Any], org: FromPath[str], issue: FromPath[str]
) -> Response[bytes]:
    """Forget an issue; its events stay until their retention ends."""
    scope = await caller_scope(request, org, needs=REMOVE)
    found = await issue_of(request, scope, issue)
    await services_of(request).metadata.run(delete_issues, [found.id])
    return json_response({}, 202)


@get("/api/0/organizations/{org:str}/shortids/{issue:str}/", opt={"access": "event:read"})
async def short_id(
    request: Request[Any, Any, Any], org: FromPath[str], issue: FromPath[str]
) -> Response[bytes]:
    """Find the issue of a short id."""
    scope = await caller_scope(request, org)
    found = await _detail(request, scope, await issue_of(request, scope, issue))
    return json_response(
        {
            "organizationSlug": scope.organization.slug,
            "projectSlug": found.project.slug,
            "groupId": found.id,
            "group": found,
            "shortId": found.short_id,
        }
    )


async def changed(
    request: Request[Any, Any, Any], scope: Scope, found: Sequence[Issue], change: IssueUpdate
) -> Response[bytes]:
    """Change issues and say what they are now."""
    await _change(request, scope, found, change)
    answer = {} if change.status is None else {"status": STATUSES[change.status]}
    return json_response({**answer, "statusDetails": {}})


async def listed(request: Request[Any, Any, Any], scope: Scope, params: Params) -> Response[bytes]:
    """Answer with a page of issues, as these parameters want it."""
    services = services_of(request)
    asked = parse_issues(params, scope, now(), services.statistics)
    await environments_of(request, scope, asked.window)
    try:
        found = await unless_gone(
            request, list_issues(services.statistics, services.metadata, asked)
        )
    except ClientGone:
        return gone()

    shown = await described(request, scope, found.issues, found.seen or {})
    headers = link_header(request, asked.page, has_more=found.has_more)
    return tagged(request, msgspec.json.encode(shown), headers=headers)


async def issue_of(request: Request[Any, Any, Any], scope: Scope, text: str) -> Issue:
    """Find an issue that the caller may see, by id or short id. Raises NotFound."""
    visible = {int(project.id): project for project in scope.projects}
    by_slug = {project.slug.upper(): int(project.id) for project in scope.projects}

    def read(connection: Connection) -> Issue | None:
        id: int | None = None
        if text.isascii() and text.isdigit() and len(text) < 19:
            id = int(text)
        else:
            slug, _, digits = text.upper().rpartition("-")
            number = rows.parse_number(digits)
            if slug in by_slug and number is not None and number < 2**31:
                id = rows.find_by_number(connection, by_slug[slug], number)
        return None if id is None else rows.get(connection, [id]).get(id)

    found = await services_of(request).metadata.run(read)
    if found is None or found.project_id not in visible:
        raise NotFound

    return found


async def described(
    request: Request[Any, Any, Any], scope: Scope, found: Sequence[Issue], seen: Any
) -> list[IssueShape]:
    """Describe issues as a list shows them."""
    services = services_of(request)
    projects = {int(project.id): project for project in scope.projects}
    actors = await services.metadata.run(_actors_of, scope, found)
    nothing = Sightings()
    return [
        IssueShape(
            **issue_values(
                each, seen.get(each.id, nothing), scope.organization, projects[each.project_id],
                actors.get(each.assigned_to or ""), services.settings.base_url,
            )
        )
        for each in found
    ]  # fmt: skip


async def _detail(request: Request[Any, Any, Any], scope: Scope, issue: Issue) -> IssueDetail:
    services = services_of(request)
    at = now()
    project = next(each for each in scope.projects if each.id == issue.project_id)
    window = TimeRange(at - services.statistics.retention, at)
    asked = IssueRequest(scope, (project,), window, parameters.FIRST_PAGE, "", "date", now=at)
    seen = await sightings(services.statistics, asked, [issue.id])
    tags = await tag_keys(services.statistics, services.engine, scope, (project,), window,
                          issue_id=issue.id)  # fmt: skip
    actors = await services.metadata.run(_actors_of, scope, [issue])
    first, last = await releases_of_issue(services.engine, int(project.id), issue.id, window)
    return IssueDetail(
        **issue_values(
            issue, seen.get(issue.id, Sightings()), scope.organization, project,
            actors.get(issue.assigned_to or ""), services.settings.base_url,
        ),
        tags=[each.brief() for each in tags],
        first_release=_release(first, issue.first_seen),
        last_release=_release(last, issue.last_seen),
    )  # fmt: skip


def _release(version: str, seen: datetime) -> dict[str, Any] | None:
    if not version:
        return None

    return {
        "version": version, "shortVersion": version.rpartition("@")[2],
        "dateCreated": instant(seen), "dateReleased": None,
    }  # fmt: skip


async def _change(
    request: Request[Any, Any, Any], scope: Scope, found: Sequence[Issue], wanted: IssueUpdate
) -> None:
    if wanted.status is not None and wanted.status not in STATUSES:
        raise UserError(
            f"status must be one of {', '.join(STATUSES)}; got {wanted.status!r}", field="status"
        )

    status = None if wanted.status is None else STATUSES[wanted.status]
    substatus = wanted.substatus or SUBSTATUSES.get(status or "", "")

    def change(connection: Connection) -> None:
        assigned: str | None = None
        if wanted.assigned_to is not msgspec.UNSET:
            name = wanted.assigned_to or ""
            assigned = actor_of(connection, scope, name) if name else ""
        change_issues(
            connection, [each.id for each in found], IssueChange(status, substatus, assigned)
        )

    await services_of(request).metadata.run(change)


def _actors_of(connection: Connection, scope: Scope, found: Sequence[Issue]) -> dict[str, Actor]:
    wanted = {each.assigned_to for each in found if each.assigned_to}
    shown: dict[str, Actor] = {}
    if any(name.startswith("user:") for name in wanted):
        for member in tenancy.list_members(connection, scope.organization.id):
            user = member.user
            shown[f"user:{user.id}"] = Actor(
                type="user", id=str(user.id), name=user.name or user.email, email=user.email
            )
    if any(name.startswith("team:") for name in wanted):
        for team in tenancy.list_teams(connection, scope.organization.id):
            shown[f"team:{team.id}"] = Actor(type="team", id=str(team.id), name=team.slug)
    return shown


ROUTES = [list_of_issues, change_many, one_issue, change_issue, remove_issue, short_id]
