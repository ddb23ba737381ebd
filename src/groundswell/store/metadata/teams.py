"""Who and what is in the teams of an organization, in one question for all of them."""

from __future__ import annotations

from sqlalchemy import Connection, select

from groundswell.model.tenancy import OrgId, ProjectId, TeamId, TeamRole, UserId
from groundswell.store.metadata.tables import team_members, team_projects, teams


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
