"""Who owns what: organizations, projects, keys, people, teams, and the caller of a request."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

OrgId = NewType("OrgId", int)
ProjectId = NewType("ProjectId", int)
KeyId = NewType("KeyId", int)
UserId = NewType("UserId", int)
TeamId = NewType("TeamId", int)
TokenId = NewType("TokenId", int)


class Role(StrEnum):
    """A person's role in an organization, weakest first."""

    MEMBER = "member"
    ADMIN = "admin"
    MANAGER = "manager"
    OWNER = "owner"


class TeamRole(StrEnum):
    """A person's role in a team. An admin looks after the team, whatever their role outside it."""

    CONTRIBUTOR = "contributor"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Organization:
    id: OrgId
    slug: str
    name: str
    created_at: datetime
    open_membership: bool = True


@dataclass(frozen=True, slots=True)
class Project:
    id: ProjectId
    org_id: OrgId
    slug: str
    name: str
    platform: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ProjectKey:
    id: KeyId
    project_id: ProjectId
    public_key: str
    label: str
    is_active: bool
    created_at: datetime
    rate_limit_count: int | None = None
    rate_limit_window_s: int | None = None


@dataclass(frozen=True, slots=True)
class User:
    id: UserId
    email: str
    name: str
    is_active: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Team:
    id: TeamId
    org_id: OrgId
    slug: str
    name: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Membership:
    """A person in an organization."""

    user: User
    role: Role


@dataclass(frozen=True, slots=True)
class Token:
    """A credential as it is stored: never the token itself, only its last four characters.

    With `user_id` it acts as that person, otherwise as the organization. Empty `scopes` mean
    everything.
    """

    id: TokenId
    label: str
    last_four: str
    org_id: OrgId | None
    user_id: UserId | None
    scopes: frozenset[str]
    created_at: datetime
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. A person (session or personal token) or an organization's token.

    `user` is None for a token of an organization. `org_id` is set when the credential is bound to
    one organization. `scopes` empty means everything the role allows.
    """

    user: User | None
    org_id: OrgId | None
    scopes: frozenset[str]
    token_id: TokenId | None = None
    is_session: bool = False


@dataclass(frozen=True, slots=True)
class Scope:
    """What one caller may see of one organization, decided once per request by `access`.

    `projects` are all that the caller may read, by slug; `member_projects` those that a request
    without `project` covers (all of them for a token of the organization).
    """

    organization: Organization
    caller: Caller
    role: Role | None
    projects: tuple[Project, ...]
    member_projects: tuple[Project, ...]
