"""Projects: list, describe, make, change, delete."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

import msgspec
from litestar import Request, Response, delete, get, post, put
from litestar.params import FromPath
from sqlalchemy import Connection

from groundswell import access
from groundswell.http.api.teams import slug_from
from groundswell.http.bodies import body_of
from groundswell.http.failures import FieldErrors
from groundswell.http.paging import link_header, page
from groundswell.http.requests import caller_of, caller_scope, multi, services_of
from groundswell.http.shapes import ProjectShape, project_shape
from groundswell.ingest.admission import check_option
from groundswell.model.tenancy import OrgId, Project, ProjectId, Scope, Team
from groundswell.store.metadata import tenancy
from groundswell.store.metadata.teams import projects_by_team, remove_team_project

MAX_NAME = 128
WRITE = ("project:write", "project:admin", "org:write", "org:admin")


class NewProject(msgspec.Struct):
    """What a new project is called."""

    name: str
    slug: str | None = None
    platform: str | None = None


class ProjectChange(msgspec.Struct):
    """What changes; what is absent stays."""

    name: str | None = None
    slug: str | None = None
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
            connection, scope.organization.id, data.slug or slug_from(data.name),
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
    """Change a project's name, slug, platform or options."""
    data = await body_of(request, ProjectChange)
    if data.name is not None and not 0 < len(data.name.strip()) <= MAX_NAME:
        raise FieldErrors({"name": [f"Between 1 and {MAX_NAME} characters are needed."]})

    scope = await caller_scope(request, org, needs=WRITE)
    found = access.project(scope, slug)

    def change(connection: Connection) -> Project:
        if data.slug is not None and data.slug != found.slug:
            _free(connection, scope, data.slug)
        tenancy.change_project(
            connection, found.id, name=data.name, platform=data.platform, slug=data.slug
        )
        for name, value in data.options.items():
            check_option(name, value)
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


def _free(connection: Connection, scope: Scope, slug: str) -> None:
    """Raise FieldErrors where another project has the slug."""
    taken = {each.slug for each in tenancy.list_projects(connection, scope.organization.id)}
    if slug in taken:
        raise FieldErrors({"slug": [f"Another project is using the slug {slug!r}."]})


@post("/api/0/projects/{org:str}/{slug:str}/teams/{team:str}/",
      opt={"access": "project:write"}, status_code=201)  # fmt: skip
async def add_team_to_project(
    request: Request[Any, Any, Any], org: FromPath[str], slug: FromPath[str], team: FromPath[str]
) -> Response[ProjectShape]:
    """Give a team the project."""
    return await _with_team(request, org, slug, team, tenancy.add_team_project, 201)


@delete("/api/0/projects/{org:str}/{slug:str}/teams/{team:str}/",
        opt={"access": "project:write"}, status_code=200)  # fmt: skip
async def remove_team_from_project(
    request: Request[Any, Any, Any], org: FromPath[str], slug: FromPath[str], team: FromPath[str]
) -> Response[ProjectShape]:
    """Take the project from a team."""
    return await _with_team(request, org, slug, team, remove_team_project, 200)


async def _with_team(
    request: Request[Any, Any, Any], org: str, slug: str, team: str,
    change: Callable[[Connection, Team, ProjectId], None], status: int,
) -> Response[ProjectShape]:  # fmt: skip
    scope = await caller_scope(request, org, needs=WRITE)
    found = access.project(scope, slug)

    def run(connection: Connection) -> None:
        change(connection, tenancy.get_team(connection, scope.organization.id, team), found.id)

    await services_of(request).metadata.run(run)
    (shown,) = await described(request, scope, [found])
    return Response(shown, status_code=status)


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
            organization=scope.organization,
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


ROUTES = [
    projects,
    all_projects,
    project,
    create_project,
    create_team_project,
    change_project,
    remove_project,
    add_team_to_project,
    remove_team_from_project,
]
