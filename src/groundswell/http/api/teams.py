"""Teams and their projects."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import msgspec
from litestar import Request, Response, delete, get, post, put
from litestar.params import FromPath
from sqlalchemy import Connection

from groundswell.http.bodies import body_of
from groundswell.http.failures import FieldErrors
from groundswell.http.paging import link_header, page
from groundswell.http.requests import caller_scope, multi, services_of
from groundswell.http.shapes import (
    MemberShape,
    ProjectShape,
    TeamShape,
    instant,
    project_shape,
    team_shape,
    user_shape,
)
from groundswell.model.tenancy import Scope, Team
from groundswell.store.metadata import tenancy
from groundswell.store.metadata.teams import (
    delete_team,
    joined_at,
    people_by_team,
    projects_by_team,
    rename_team,
)

WRITE = ("team:write", "team:admin", "org:write", "org:admin")


class NewTeam(msgspec.Struct):
    """What a new team is called."""

    slug: str | None = None
    name: str | None = None


class TeamChange(msgspec.Struct):
    """What changes of a team."""

    name: str


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
    if data.slug is None and not (data.name or "").strip():
        raise FieldErrors({"slug": ["This field is required, or a name."]})

    slug = slug_from(data.name or "") if data.slug is None else data.slug
    scope = await caller_scope(request, org, needs=WRITE)

    def make(connection: Connection) -> TeamShape:
        made = tenancy.create_team(
            connection, scope.organization.id, slug, now=datetime.now(UTC), name=data.name
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


@put("/api/0/teams/{org:str}/{team:str}/", opt={"access": "team:write"})
async def change_team(
    request: Request[Any, Any, Any], org: FromPath[str], team: FromPath[str]
) -> Response[TeamShape]:
    """Give a team another name."""
    data = await body_of(request, TeamChange)
    if not data.name.strip():
        raise FieldErrors({"name": ["This field may not be blank."]})

    scope = await caller_scope(request, org, needs=WRITE)

    def change(connection: Connection) -> TeamShape:
        owner = scope.organization.id
        rename_team(connection, tenancy.get_team(connection, owner, team), data.name)
        return _shape(connection, scope, tenancy.get_team(connection, owner, team))

    return Response(await services_of(request).metadata.run(change))


@delete("/api/0/teams/{org:str}/{team:str}/", opt={"access": "team:admin"}, status_code=204)
async def remove_team(
    request: Request[Any, Any, Any], org: FromPath[str], team: FromPath[str]
) -> None:
    """Delete a team; its projects stay."""
    scope = await caller_scope(request, org, needs=("team:admin", "org:admin"))

    def remove(connection: Connection) -> None:
        delete_team(connection, tenancy.get_team(connection, scope.organization.id, team))

    await services_of(request).metadata.run(remove)


@get("/api/0/teams/{org:str}/{team:str}/members/", opt={"access": "team:read"})
async def team_members(
    request: Request[Any, Any, Any], org: FromPath[str], team: FromPath[str]
) -> Response[list[MemberShape]]:
    """List the people of a team."""
    scope = await caller_scope(request, org)

    def read(connection: Connection) -> list[MemberShape]:
        found = tenancy.get_team(connection, scope.organization.id, team)
        people = tenancy.members_of_team(connection, found.id)
        return [each for each in member_shapes(connection, scope) if int(each.id) in people]

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


def member_shapes(connection: Connection, scope: Scope) -> list[MemberShape]:
    """Describe the members of an organization, with the slugs of their teams."""
    owner = scope.organization.id
    joined = joined_at(connection, owner)
    people = people_by_team(connection, owner)
    teams = tenancy.list_teams(connection, owner)
    return [
        MemberShape(
            id=str(each.user.id),
            email=each.user.email,
            name=each.user.name or each.user.email,
            role=each.role.value,
            org_role=each.role.value,
            user=user_shape(each.user),
            date_created=instant(joined[each.user.id]),
            teams=[team.slug for team in teams if each.user.id in people.get(team.id, ())],
        )
        for each in tenancy.list_members(connection, owner)
    ]


def slug_from(name: str) -> str:
    """Make a slug of a name."""
    kept = "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "-" for c in name.lower())
    return kept.strip("-")[:50]


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


ROUTES = [teams, create_team, team, change_team, remove_team, team_members, team_projects]
