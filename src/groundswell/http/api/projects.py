"""Projects: list, describe, make, change, delete."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import msgspec
from litestar import Request, Response, delete, get, post, put
from litestar.params import FromPath
from sqlalchemy import Connection

from groundswell import access
from groundswell.http.bodies import body_of
from groundswell.http.paging import link_header, page
from groundswell.http.requests import caller_of, caller_scope, multi, services_of
from groundswell.http.shapes import ProjectShape, project_shape
from groundswell.model.tenancy import OrgId, Project, ProjectId, Scope, Team
from groundswell.store.metadata import tenancy
from groundswell.store.metadata.teams import projects_by_team

WRITE = ("project:write", "project:admin", "org:write", "org:admin")


class NewProject(msgspec.Struct):
    """What a new project is called."""

    name: str
    slug: str | None = None
    platform: str | None = None


class ProjectChange(msgspec.Struct):
    """What changes; what is absent stays."""

    name: str | None = None
    platform: str | None = None
    options: dict[str, Any] = {}


@get("/api/0/organizations/{org:str}/projects/", opt={"access": "org:read"})
async def projects(
    request: Request[Any, Any, Any], org: FromPath[str]
) -> Response[list[ProjectShape]]:
    """List the projects that the caller may see; `query` filters by name or slug."""
    scope = await caller_scope(request, org)
    params = multi(request)
    here = page(params)
    word = params.get("query", [""])[0].strip().lower()
    found = [each for each in scope.projects if word in each.slug or word in each.name.lower()]
    shown = found[here.offset : here.offset + here.limit]
    return Response(
        await described(request, scope, shown),
        headers=link_header(request, here, has_more=len(found) > here.offset + here.limit),
    )


@get("/api/0/projects/", opt={"access": "any"})
async def all_projects(request: Request[Any, Any, Any]) -> Response[list[ProjectShape]]:
    """List the projects of every organization of the caller."""
    caller = await caller_of(request)
    services = services_of(request)
    shown: list[ProjectShape] = []
    for each in await services.metadata.run(access.organizations, caller):
        scope = await caller_scope(request, each.slug)
        shown += await described(request, scope, scope.projects)
    return Response(shown)


@get("/api/0/projects/{org:str}/{slug:str}/", opt={"access": "project:read"})
async def project(
    request: Request[Any, Any, Any], org: FromPath[str], slug: FromPath[str]
) -> Response[ProjectShape]:
    """Describe one project, by slug or id."""
    scope = await caller_scope(request, org)
    (shown,) = await described(request, scope, [access.project(scope, slug)])
    return Response(shown)


@post("/api/0/organizations/{org:str}/projects/", opt={"access": "project:write"}, status_code=201)
async def create_project(
    request: Request[Any, Any, Any], org: FromPath[str]
) -> Response[ProjectShape]:
    """Make a project; a slug that exists gives that project."""
    return await _create(request, org, None)


@post(
    "/api/0/teams/{org:str}/{team:str}/projects/",
    opt={"access": "project:write"},
    status_code=201,
)
async def create_team_project(
    request: Request[Any, Any, Any], org: FromPath[str], team: FromPath[str]
) -> Response[ProjectShape]:
    """Make a project in a team; a slug that exists gives that project."""
    return await _create(request, org, team)


async def _create(
    request: Request[Any, Any, Any], org: str, team: str | None
) -> Response[ProjectShape]:
    data = await body_of(request, NewProject)
    scope = await caller_scope(request, org, needs=WRITE)

    def make(connection: Connection) -> Project:
        made = tenancy.create_project(
            connection, scope.organization.id, data.slug or _slug(data.name),
            now=datetime.now(UTC), name=data.name, platform=data.platform,
        )  # fmt: skip
        if team is not None:
            found = tenancy.get_team(connection, scope.organization.id, team)
            tenancy.add_team_project(connection, found, made.id)
        return made

    made = await services_of(request).metadata.run(make)
    (shown,) = await described(request, scope, [made])
    return Response(shown, status_code=201)


@put("/api/0/projects/{org:str}/{slug:str}/", opt={"access": "project:write"})
async def change_project(
    request: Request[Any, Any, Any],
    org: FromPath[str],
    slug: FromPath[str],
) -> Response[ProjectShape]:
    """Change a project's name, platform or options."""
    data = await body_of(request, ProjectChange)
    scope = await caller_scope(request, org, needs=WRITE)
    found = access.project(scope, slug)

    def change(connection: Connection) -> Project:
        tenancy.change_project(connection, found.id, name=data.name, platform=data.platform)
        for name, value in data.options.items():
            tenancy.set_option(connection, found.id, name, value)
        return tenancy.get_project(connection, scope.organization.id, int(found.id))

    changed = await services_of(request).metadata.run(change)
    (shown,) = await described(request, scope, [changed])
    return Response(shown)


@delete("/api/0/projects/{org:str}/{slug:str}/", opt={"access": "project:admin"}, status_code=204)
async def remove_project(
    request: Request[Any, Any, Any], org: FromPath[str], slug: FromPath[str]
) -> None:
    """Delete a project with its keys; `groundswell store delete-project` deletes its events."""
    scope = await caller_scope(request, org, needs=("project:admin", "org:admin"))
    found = access.project(scope, slug)
    await services_of(request).metadata.run(tenancy.delete_project, found.id)


async def described(
    request: Request[Any, Any, Any], scope: Scope, chosen: Iterable[Project]
) -> list[ProjectShape]:
    """Describe projects with their teams and what arrived in them."""
    services = services_of(request)
    chosen = list(chosen)
    activity = await services.activity.of(scope)
    teams = await services.metadata.run(_teams, scope.organization.id)
    mine = {each.id for each in scope.member_projects}
    held = access.held(scope)
    return [
        project_shape(
            each,
            teams=teams.get(each.id, []),
            environments=sorted(activity.environments.get(each.id, ())),
            is_member=each.id in mine,
            has_errors=activity.first_error.get(each.id),
            has_transactions=each.id in activity.with_transactions,
            has_profiles=each.id in activity.with_profiles,
            access=held,
        )
        for each in chosen
    ]


def _teams(connection: Connection, org_id: OrgId) -> dict[ProjectId, list[Team]]:
    found: dict[ProjectId, list[Team]] = {}
    owned = projects_by_team(connection, org_id)
    for team in tenancy.list_teams(connection, org_id):
        for project_id in owned.get(team.id, ()):
            found.setdefault(project_id, []).append(team)
    return found


def _slug(name: str) -> str:
    kept = "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "-" for c in name.lower())
    return kept.strip("-")[:50]


ROUTES = [
    projects,
    all_projects,
    project,
    create_project,
    create_team_project,
    change_project,
    remove_project,
]
