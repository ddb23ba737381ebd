"""Users with their passwords, memberships in organizations, and teams."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from datetime import datetime
from functools import lru_cache
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy import Connection, Row, delete, select, update

from groundswell.errors import NotFound, UserError
from groundswell.model.tenancy import (
    Membership,
    OrgId,
    ProjectId,
    Role,
    Team,
    TeamId,
    TeamRole,
    User,
    UserId,
)
from groundswell.store.metadata.columns import insert_missing
from groundswell.store.metadata.naming import email_of, is_id, name_of, slug_of
from groundswell.store.metadata.tables import (
    memberships,
    projects,
    team_members,
    team_projects,
    teams,
    users,
)
from groundswell.store.metadata.version import bump

PASSWORD_LENGTH = (8, 1024)
_hasher = PasswordHasher()


def create_user(
    connection: Connection,
    email: str,
    *,
    now: datetime,
    password: str | None = None,
    name: str | None = None,
) -> User:
    """Make a user, or give the one that has the address; a password given here replaces the old.

    Raises UserError for a bad address or password.
    """
    email = email_of(email)
    hashed = None if password is None else _hash(password)
    values = {"email": email, "name": name_of(name, email), "created_at": now}
    is_new = insert_missing(connection, users, {**values, "password_hash": hashed})
    if hashed is not None and not is_new:
        connection.execute(update(users).where(users.c.email == email).values(password_hash=hashed))
    bump(connection)
    return get_user(connection, email)


def set_password(connection: Connection, user_id: UserId, password: str) -> None:
    """Replace a password. Raises UserError when it is too short."""
    hashed = _hash(password)
    connection.execute(update(users).where(users.c.id == user_id).values(password_hash=hashed))
    bump(connection)


def set_user_active(connection: Connection, user_id: UserId, is_active: bool) -> None:
    """Let a user in or keep them out: sessions and tokens stop working within a second."""
    connection.execute(update(users).where(users.c.id == user_id).values(is_active=is_active))
    bump(connection)


def find_user(connection: Connection, email_or_id: str | int) -> User | None:
    """Find a user by address or id."""
    row = _user_row(connection, email_or_id)
    return None if row is None else _user(row)


def find_users(connection: Connection, ids: Collection[int]) -> dict[int, User]:
    """Find users by id; those that do not exist are missing."""
    rows = connection.execute(select(users).where(users.c.id.in_(list(ids)))) if ids else ()
    return {row.id: _user(row) for row in rows}


def get_user(connection: Connection, email_or_id: str | int) -> User:
    """Give a user by address or id. Raises NotFound."""
    found = find_user(connection, email_or_id)
    if found is None:
        raise NotFound(f"There is no user {email_or_id}.")

    return found


def list_users(connection: Connection) -> list[User]:
    """List all, by address."""
    return [_user(row) for row in connection.execute(select(users).order_by(users.c.email))]


def verify_password(connection: Connection, email: str, password: str) -> User | None:
    """Give the user whose address and password these are, if active.

    Takes as long for an address that nobody has. Slow on purpose: never on the event loop.
    """
    row = _user_row(connection, email.strip().lower())
    stored = row.password_hash if row is not None and row.password_hash else _nobodys_hash()
    try:
        _hasher.verify(stored, password)
    except (VerifyMismatchError, InvalidHashError):
        return None

    if row is None or not row.password_hash or not row.is_active:
        return None

    return _user(row)


def session_fingerprint(connection: Connection, user_id: UserId) -> str | None:
    """Give what a session must carry to be valid: it changes with the password.

    None for a user who is gone or not active.
    """
    row = _user_row(connection, user_id)
    if row is None or not row.is_active:
        return None

    return hashlib.sha256(f"{row.id}:{row.password_hash}".encode()).hexdigest()[:32]


def add_member(
    connection: Connection, org_id: OrgId, user_id: UserId, role: Role, *, now: datetime
) -> None:
    """Make a user a member of an organization, or change their role."""
    is_new = insert_missing(
        connection,
        memberships,
        {"org_id": org_id, "user_id": user_id, "role": role.value, "created_at": now},
    )
    if not is_new:
        row = (memberships.c.org_id == org_id) & (memberships.c.user_id == user_id)
        connection.execute(update(memberships).where(row).values(role=role.value))
    bump(connection)


def remove_member(connection: Connection, org_id: OrgId, user_id: UserId) -> None:
    """Take a user out of an organization and its teams."""
    row = (memberships.c.org_id == org_id) & (memberships.c.user_id == user_id)
    connection.execute(delete(memberships).where(row))
    of_org = select(teams.c.id).where(teams.c.org_id == org_id)
    in_teams = team_members.c.team_id.in_(of_org) & (team_members.c.user_id == user_id)
    connection.execute(delete(team_members).where(in_teams))
    bump(connection)


def list_members(connection: Connection, org_id: OrgId) -> list[Membership]:
    """List the members of an organization, by address."""
    query = (
        select(users, memberships.c.role)
        .join(memberships, memberships.c.user_id == users.c.id)
        .where(memberships.c.org_id == org_id)
        .order_by(users.c.email)
    )
    return [Membership(_user(row), Role(row.role)) for row in connection.execute(query)]


def role_of(connection: Connection, org_id: OrgId, user_id: UserId) -> Role | None:
    """Give a user's role in an organization; None for one who is no member."""
    row = (memberships.c.org_id == org_id) & (memberships.c.user_id == user_id)
    role = connection.execute(select(memberships.c.role).where(row)).scalar_one_or_none()
    return None if role is None else Role(role)


def organizations_of(connection: Connection, user_id: UserId) -> list[OrgId]:
    """List the organizations that a user is a member of."""
    query = select(memberships.c.org_id).where(memberships.c.user_id == user_id)
    return [OrgId(org_id) for org_id in connection.execute(query).scalars()]


def create_team(
    connection: Connection, org_id: OrgId, slug: str, *, now: datetime, name: str | None = None
) -> Team:
    """Make a team, or give the one that has the slug. Raises UserError for a bad slug."""
    slug = slug_of(slug)
    values = {"org_id": org_id, "slug": slug, "name": name_of(name, slug), "created_at": now}
    if insert_missing(connection, teams, values):
        bump(connection)
    return get_team(connection, org_id, slug)


def get_team(connection: Connection, org_id: OrgId, slug_or_id: str | int) -> Team:
    """Give a team by slug or id. Raises NotFound."""
    by_id = is_id(slug_or_id)
    match = teams.c.id == int(slug_or_id) if by_id else teams.c.slug == slug_or_id
    query = select(teams).where(match, teams.c.org_id == org_id)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFound(f"There is no team {slug_or_id}.")

    return _team(row)


def list_teams(connection: Connection, org_id: OrgId) -> list[Team]:
    """List the teams of an organization, by slug."""
    query = select(teams).where(teams.c.org_id == org_id).order_by(teams.c.slug)
    return [_team(row) for row in connection.execute(query)]


def teams_of(connection: Connection, org_id: OrgId, user_id: UserId) -> list[Team]:
    """List the teams of an organization that a user is in, by slug."""
    query = (
        select(teams)
        .join(team_members, team_members.c.team_id == teams.c.id)
        .where(teams.c.org_id == org_id, team_members.c.user_id == user_id)
        .order_by(teams.c.slug)
    )
    return [_team(row) for row in connection.execute(query)]


def add_team_member(
    connection: Connection, team: Team, user_id: UserId, role: TeamRole | None = None
) -> None:
    """Put a member of the organization into a team, or give one already in it another role.

    Without a role new people are contributors and the others stay what they are. Raises UserError
    for anybody who is not a member of the organization.
    """
    if role_of(connection, team.org_id, user_id) is None:
        raise UserError(
            f"Only members of the organization can join team {team.slug}.", field="member"
        )

    row = {"team_id": team.id, "user_id": user_id}
    given = role or TeamRole.CONTRIBUTOR
    if not insert_missing(connection, team_members, {**row, "role": given.value}) and role:
        match = (team_members.c.team_id == team.id) & (team_members.c.user_id == user_id)
        connection.execute(update(team_members).where(match).values(role=role.value))
    bump(connection)


def remove_team_member(connection: Connection, team: Team, user_id: UserId) -> bool:
    """Take a person out of a team; False for one who was not in it."""
    match = (team_members.c.team_id == team.id) & (team_members.c.user_id == user_id)
    found = connection.execute(delete(team_members).where(match))
    bump(connection)
    return found.rowcount > 0


def add_team_project(connection: Connection, team: Team, project_id: ProjectId) -> None:
    """Give a team a project of its organization. Raises NotFound for any other."""
    match = (projects.c.id == project_id) & (projects.c.org_id == team.org_id)
    if connection.execute(select(projects.c.id).where(match)).one_or_none() is None:
        raise NotFound

    insert_missing(connection, team_projects, {"team_id": team.id, "project_id": project_id})
    bump(connection)


def projects_of_teams(connection: Connection, org_id: OrgId, user_id: UserId) -> set[ProjectId]:
    """List the projects of the teams that a user is in."""
    query = (
        select(team_projects.c.project_id)
        .join(team_members, team_members.c.team_id == team_projects.c.team_id)
        .join(teams, teams.c.id == team_projects.c.team_id)
        .where(teams.c.org_id == org_id, team_members.c.user_id == user_id)
    )
    return {ProjectId(project_id) for project_id in connection.execute(query).scalars()}


def projects_of_team(connection: Connection, team_id: TeamId) -> set[ProjectId]:
    """List the projects of one team."""
    query = select(team_projects.c.project_id).where(team_projects.c.team_id == team_id)
    return {ProjectId(project_id) for project_id in connection.execute(query).scalars()}


def members_of_team(connection: Connection, team_id: TeamId) -> dict[UserId, TeamRole]:
    """Give the people of a team with their roles in it."""
    query = select(team_members.c.user_id, team_members.c.role).where(
        team_members.c.team_id == team_id
    )
    return {UserId(row.user_id): TeamRole(row.role) for row in connection.execute(query)}


def _hash(password: str) -> str:
    shortest, longest = PASSWORD_LENGTH
    if not shortest <= len(password) <= longest:
        raise UserError(
            f"A password must have {shortest} to {longest} characters.", field="password"
        )

    return _hasher.hash(password)


@lru_cache(maxsize=1)
def _nobodys_hash() -> str:
    return _hasher.hash("nobody has this password")


def _user_row(connection: Connection, email_or_id: str | int) -> Row[Any] | None:
    by_id = isinstance(email_or_id, int)
    match = users.c.id == email_or_id if by_id else users.c.email == str(email_or_id).lower()
    return connection.execute(select(users).where(match)).one_or_none()


def _user(row: Row[Any]) -> User:
    return User(UserId(row.id), row.email, row.name, row.is_active, row.created_at)


def _team(row: Row[Any]) -> Team:
    return Team(TeamId(row.id), OrgId(row.org_id), row.slug, row.name, row.created_at)
