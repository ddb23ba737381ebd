"""Teams and their projects."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.params import FromPath
from sqlalchemy import Connection

from groundswell.http.bodies import body_of
from groundswell.http.paging import link_header, page
from groundswell.http.requests import caller_scope, multi, services_of
from groundswell.http.shapes import ProjectShape, TeamShape, project_shape, team_shape
from groundswell.model.tenancy import Scope, Team
from groundswell.store.metadata import tenancy
from groundswell.store.metadata.teams import people_by_team, projects_by_team

WRITE = ("team:write", "team:admin", "org:write", "org:admin")


class NewTeam(msgspec.Struct):
    """What a new team is called."""

    slug: str
    name: str | None = None


@get("/api/0/organizations/{org:str}/teams/", opt={"access": "team:read"})
async def teams(request: Request[Any, Any, Any], org: FromPath[str]) -> Response[list[TeamShape]]:
    """List the teams of an organization; `query` filters by name or slug."""
    scope = await caller_scope(request, org)
    params = multi(request)
    here = page(params)
    word = params.get("query", [""])[0].strip().lower()
    end = here.offset + here.limit

    def read(connection: Connection) -> tuple[list[TeamShape], bool]:
        every = tenancy.list_teams(connection, scope.organization.id)
        found = [each for each in every if word in each.slug or word in each.name.lower()]
        return _shapes(connection, scope, found[here.offset : end]), len(found) > end

    shown, has_more = await services_of(request).metadata.run(read)
    return Response(shown, headers=link_header(request, here, has_more=has_more))


@post("/api/0/organizations/{org:str}/teams/", opt={"access": "team:write"}, status_code=201)
async def create_team(
    request: Request[Any, Any, Any],
    org: FromPath[str],
) -> Response[TeamShape]:
    """Make a team, or give the one that has the slug."""
    data = await body_of(request, NewTeam)
    scope = await caller_scope(request, org, needs=WRITE)

    def make(connection: Connection) -> TeamShape:
        made = tenancy.create_team(
            connection, scope.organization.id, data.slug, now=datetime.now(UTC), name=data.name
        )
        return _shape(connection, scope, made)

    return Response(await services_of(request).metadata.run(make), status_code=201)


@get("/api/0/teams/{org:str}/{team:str}/", opt={"access": "team:read"})
async def team(
    request: Request[Any, Any, Any], org: FromPath[str], team: FromPath[str]
) -> Response[TeamShape]:
    """Describe one team."""
    scope = await caller_scope(request, org)

    def read(connection: Connection) -> TeamShape:
        return _shape(connection, scope, tenancy.get_team(connection, scope.organization.id, team))

    return Response(await services_of(request).metadata.run(read))


@get("/api/0/teams/{org:str}/{team:str}/projects/", opt={"access": "team:read"})
async def team_projects(
    request: Request[Any, Any, Any], org: FromPath[str], team: FromPath[str]
) -> Response[list[ProjectShape]]:
    """List the projects of a team that the caller may see."""
    scope = await caller_scope(request, org)

    def read(connection: Connection) -> list[ProjectShape]:
        found = tenancy.get_team(connection, scope.organization.id, team)
        return _shape(connection, scope, found).projects

    return Response(await services_of(request).metadata.run(read))


def team_shapes(connection: Connection, scope: Scope) -> list[TeamShape]:
    """Describe every team of an organization."""
    return _shapes(connection, scope, tenancy.list_teams(connection, scope.organization.id))


def _shape(connection: Connection, scope: Scope, team: Team) -> TeamShape:
    (shown,) = _shapes(connection, scope, [team])
    return shown


def _shapes(connection: Connection, scope: Scope, teams: Iterable[Team]) -> list[TeamShape]:
    owned = projects_by_team(connection, scope.organization.id)
    people = people_by_team(connection, scope.organization.id)
    user = scope.caller.user
    shown = []
    for team in teams:
        ids, members = owned.get(team.id, set()), people.get(team.id, {})
        role = None if user is None else members.get(user.id)
        shown.append(
            team_shape(
                team,
                team_role=role and role.value,
                is_member=user is None or user.id in members,
                member_count=len(members),
                projects=[
                    project_shape(each, teams=[team], environments=[])
                    for each in scope.projects
                    if each.id in ids
                ],
            )
        )
    return shown


ROUTES = [teams, create_team, team, team_projects]
