"""Who may see and do what: a token or session becomes a caller, a caller gets a scope.

Nothing is allowed unless a rule here says so. Every decision reads the database of the moment.
"""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Connection

from groundswell.errors import NotAllowed, NotAuthenticated, NotFound
from groundswell.model.tenancy import (
    Caller,
    Organization,
    OrgId,
    Project,
    Role,
    Scope,
    User,
    UserId,
)
from groundswell.store.metadata import tenancy
from groundswell.store.metadata.remembered import projects_of

SEES_EVERYTHING = frozenset({Role.ADMIN, Role.MANAGER, Role.OWNER})
# What a person may do in an organization, by role; a token's scopes narrow it further.
_MEMBER = frozenset(
    {
        "org:read",
        "project:read",
        "project:releases",
        "event:read",
        "event:write",
        "team:read",
        "member:read",
        "alerts:read",
        "alerts:write",
    }
)
_ADMIN = _MEMBER | {"org:integrations", "project:write", "project:admin", "event:admin"}
_ADMIN |= {"team:write", "team:admin"}
_MANAGER = _ADMIN | {"org:write", "member:write", "member:admin"}
_OWNER = _MANAGER | {"org:admin"}
SCOPES_OF_ROLE: dict[Role, frozenset[str]] = {
    Role.MEMBER: _MEMBER,
    Role.ADMIN: _ADMIN,
    Role.MANAGER: _MANAGER,
    Role.OWNER: _OWNER,
}
SCOPES = _OWNER


def authenticate(connection: Connection, token: str, now: datetime | None = None) -> Caller:
    """Say whose token this is, at this moment unless `now` is given. Raises NotAuthenticated."""
    found = tenancy.find_token(connection, token)
    if found is None:
        raise NotAuthenticated("Invalid token")

    if found.expires_at is not None and found.expires_at <= (now or datetime.now(UTC)):
        raise NotAuthenticated("Token expired")

    user = None
    if found.user_id is not None:
        user = _active_user(connection, found.user_id)
    return Caller(user=user, org_id=found.org_id, scopes=found.scopes, token_id=found.id)


def session_caller(connection: Connection, user_id: UserId) -> Caller:
    """Say who a session of a user is. Raises NotAuthenticated."""
    user = _active_user(connection, user_id)
    return Caller(user=user, org_id=None, scopes=frozenset(), is_session=True)


def scope(connection: Connection, caller: Caller, org_slug_or_id: str | int) -> Scope:
    """Say what a caller may see of an organization.

    Raises NotFound for an organization that is unknown, NotAuthenticated for a credential that is
    bound to another one, NotAllowed for a person who is no member.
    """
    organization = tenancy.find_organization(connection, org_slug_or_id)
    if organization is None:
        raise NotFound

    if caller.org_id is not None and caller.org_id != organization.id:
        raise NotAuthenticated("Invalid token")

    every = projects_of(connection, organization.id)
    if caller.user is None:
        if caller.org_id is None:
            raise NotAuthenticated

        return Scope(organization, caller, None, every, every)

    role = tenancy.role_of(connection, organization.id, caller.user.id)
    if role is None:
        raise NotAllowed

    return _of_person(connection, organization, caller, caller.user, role, every)


def organizations(connection: Connection, caller: Caller) -> list[Organization]:
    """List the organizations that a caller may see."""
    mine: set[OrgId] = set()
    if caller.user is not None:
        mine = set(tenancy.organizations_of(connection, caller.user.id))
        if caller.org_id is not None:
            mine &= {caller.org_id}
    elif caller.org_id is not None:
        mine = {caller.org_id}
    return [row for row in tenancy.list_organizations(connection) if row.id in mine]


def require_scope(caller: Caller | Scope, *any_of: str) -> None:
    """Let through who holds one of the scopes: by the token, and by the role where it is known.

    A caller without scopes of its own (a session, a token made without any) holds what the role
    allows; so pass a `Scope` wherever there is an organization. Raises NotAllowed.
    """
    if not set(held(caller)).intersection(any_of):
        raise NotAllowed


def held(caller: Caller | Scope) -> list[str]:
    """List the scopes that a credential holds, narrowed by the role where it is known."""
    role = caller.role if isinstance(caller, Scope) else None
    credential = caller.caller if isinstance(caller, Scope) else caller
    scopes = credential.scopes or SCOPES
    return sorted(scopes if role is None else scopes & SCOPES_OF_ROLE[role])


def project(granted: Scope, slug_or_id: str | int) -> Project:
    """Give a project by slug or id. Raises NotFound for what the caller may not see."""
    wanted = str(slug_or_id)
    for row in granted.projects:
        if wanted in (row.slug, str(row.id)):
            return row

    raise NotFound


def _of_person(
    connection: Connection,
    organization: Organization,
    caller: Caller,
    user: User,
    role: Role,
    every: tuple[Project, ...],
) -> Scope:
    """Decide for a person: a request without `project` covers the projects of their teams, and of
    a person whose teams have none, all that they may see."""
    of_teams = tenancy.projects_of_teams(connection, organization.id, user.id)
    member = tuple(row for row in every if row.id in of_teams)
    sees_all = role in SEES_EVERYTHING or organization.open_membership
    visible = every if sees_all else member
    return Scope(organization, caller, role, visible, member or visible)


def _active_user(connection: Connection, user_id: UserId) -> User:
    user = tenancy.find_user(connection, user_id)
    if user is None or not user.is_active:
        raise NotAuthenticated("Invalid token")

    return user
