"""Teams as a whole: who and what is in them, in one question for all; their end."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, delete, select, update

from groundswell.model.tenancy import OrgId, ProjectId, Team, TeamId, TeamRole, UserId
from groundswell.store.metadata.naming import name_of
from groundswell.store.metadata.tables import memberships, team_members, team_projects, teams
from groundswell.store.metadata.version import bump


def projects_by_team(connection: Connection, org_id: OrgId) -> dict[TeamId, set[ProjectId]]:
    """List the projects of each team that has one."""
    query = (
        select(team_projects.c.team_id, team_projects.c.project_id)
        .join(teams, teams.c.id == team_projects.c.team_id)
        .where(teams.c.org_id == org_id)
    )
    found: dict[TeamId, set[ProjectId]] = {}
    for team_id, project_id in connection.execute(query):
        found.setdefault(TeamId(team_id), set()).add(ProjectId(project_id))
    return found


def people_by_team(connection: Connection, org_id: OrgId) -> dict[TeamId, dict[UserId, TeamRole]]:
    """List the people of each team that has one, with their roles in it."""
    query = (
        select(team_members.c.team_id, team_members.c.user_id, team_members.c.role)
        .join(teams, teams.c.id == team_members.c.team_id)
        .where(teams.c.org_id == org_id)
    )
    found: dict[TeamId, dict[UserId, TeamRole]] = {}
    for team_id, user_id, role in connection.execute(query):
        found.setdefault(TeamId(team_id), {})[UserId(user_id)] = TeamRole(role)
    return found


def rename_team(connection: Connection, team: Team, name: str) -> None:
    """Give a team another name. Raises UserError for a bad one."""
    values = {"name": name_of(name, team.slug)}
    connection.execute(update(teams).where(teams.c.id == team.id).values(**values))
    bump(connection)


def delete_team(connection: Connection, team: Team) -> None:
    """Delete a team; its projects and people stay."""
    connection.execute(delete(teams).where(teams.c.id == team.id))
    bump(connection)


def remove_team_project(connection: Connection, team: Team, project_id: ProjectId) -> None:
    """Take a project out of a team."""
    c = team_projects.c
    row = (c.team_id == team.id) & (c.project_id == project_id)
    connection.execute(delete(team_projects).where(row))
    bump(connection)


def joined_at(connection: Connection, org_id: OrgId) -> dict[UserId, datetime]:
    """Tell since when each member belongs to an organization."""
    c = memberships.c
    rows = connection.execute(select(c.user_id, c.created_at).where(c.org_id == org_id))
    return {UserId(row.user_id): row.created_at for row in rows}
