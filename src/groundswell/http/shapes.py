"""Who owns what, in the shapes that clients of the API read. Ids are strings, instants end in Z."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from groundswell.model.tenancy import Organization, Project, ProjectKey, Role, Team, User
from groundswell.store.metadata import tenancy


class Shape(msgspec.Struct, rename="camel", frozen=True, kw_only=True):
    """One object of the API; fields are camel case on the wire."""


class Avatar(Shape, frozen=True, kw_only=True):
    avatar_type: str = "letter_avatar"
    avatar_uuid: str | None = None


class UserShape(Shape, frozen=True, kw_only=True):
    id: str
    name: str
    username: str
    email: str
    is_active: bool
    date_joined: str
    avatar: Avatar = Avatar()
    avatar_url: str | None = None
    has_password_auth: bool = True
    is_managed: bool = False
    has_2fa: bool = msgspec.field(default=False, name="has2fa")
    options: dict[str, Any] = {}
    identities: list[Any] = []
    emails: list[dict[str, Any]] = []


class Status(Shape, frozen=True, kw_only=True):
    id: str = "active"
    name: str = "active"


class Links(Shape, frozen=True, kw_only=True):
    organization_url: str
    region_url: str = ""


class TeamRef(Shape, frozen=True, kw_only=True):
    id: str
    slug: str
    name: str


class ProjectShape(Shape, frozen=True, kw_only=True):
    id: str
    slug: str
    name: str
    platform: str | None
    date_created: str
    is_member: bool
    has_access: bool = True
    is_bookmarked: bool = False
    is_public: bool = False
    is_internal: bool = False
    status: str = "active"
    features: list[str] = []
    environments: list[str] = []
    first_event: str | None = None
    first_transaction_event: bool = False
    has_profiles: bool = False
    access: list[str] = []
    team: TeamRef | None = None
    teams: list[TeamRef] = []
    avatar: Avatar = Avatar()
    organization: dict[str, Any] | None = None
    options: dict[str, Any] = {}


class TeamShape(Shape, frozen=True, kw_only=True):
    id: str
    slug: str
    name: str
    date_created: str
    is_member: bool
    member_count: int
    has_access: bool = True
    is_pending: bool = False
    team_role: str | None = None
    access: list[str] = []
    avatar: Avatar = Avatar()
    projects: list[ProjectShape] = []


class OrganizationShape(Shape, frozen=True, kw_only=True):
    id: str
    slug: str
    name: str
    date_created: str
    links: Links
    features: list[str]
    is_early_adopter: bool = False
    require_2fa: bool = msgspec.field(default=False, name="require2FA")
    status: Status = Status()
    avatar: Avatar = Avatar()
    has_auth_provider: bool = False


class OrganizationDetail(OrganizationShape, frozen=True, kw_only=True):
    open_membership: bool
    access: list[str] = []
    role: str | None = None
    projects: list[ProjectShape] = []
    teams: list[TeamShape] = []


class KeyShape(Shape, frozen=True, kw_only=True):
    id: str
    name: str
    label: str
    public: str
    secret: str
    project_id: int
    is_active: bool
    date_created: str
    rate_limit: dict[str, int] | None
    dsn: dict[str, str]


class MemberShape(Shape, frozen=True, kw_only=True):
    id: str
    email: str
    name: str
    role: str
    org_role: str
    user: UserShape
    pending: bool = False
    expired: bool = False
    date_created: str = ""
    teams: list[str] = []


def instant(at: datetime) -> str:
    """Write an instant as clients with strict schemas want it: UTC, ending in Z."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def user_shape(user: User) -> UserShape:
    return UserShape(
        id=str(user.id),
        name=user.name or user.email,
        username=user.email,
        email=user.email,
        is_active=user.is_active,
        date_joined=instant(user.created_at),
        emails=[{"id": str(user.id), "email": user.email, "is_verified": True}],
    )


def organization_shape(
    organization: Organization, base_url: str, features: list[str]
) -> OrganizationShape:
    return OrganizationShape(**_organization(organization, base_url, features))


def organization_detail(
    organization: Organization,
    base_url: str,
    features: list[str],
    *,
    role: Role | None,
    access: list[str],
    projects: list[ProjectShape],
    teams: list[TeamShape],
) -> OrganizationDetail:
    return OrganizationDetail(
        **_organization(organization, base_url, features),
        open_membership=organization.open_membership,
        role=None if role is None else role.value,
        access=access,
        projects=projects,
        teams=teams,
    )


def project_shape(
    project: Project, *, teams: list[Team], environments: list[str], is_member: bool = True,
    has_errors: datetime | None = None, has_transactions: bool = False, has_profiles: bool = False,
    access: list[str] | None = None, organization: Organization | None = None,
) -> ProjectShape:  # fmt: skip
    refs = [TeamRef(id=str(team.id), slug=team.slug, name=team.name) for team in teams]
    return ProjectShape(
        id=str(project.id),
        slug=project.slug,
        name=project.name,
        platform=project.platform,
        date_created=instant(project.created_at),
        is_member=is_member,
        environments=environments,
        first_event=None if has_errors is None else instant(has_errors),
        first_transaction_event=has_transactions,
        has_profiles=has_profiles,
        access=access or [],
        team=refs[0] if refs else None,
        teams=refs,
        organization=None if organization is None else _brief(organization),
    )


def _brief(organization: Organization) -> dict[str, Any]:
    return {"id": str(organization.id), "slug": organization.slug, "name": organization.name}


def team_shape(
    team: Team,
    *,
    is_member: bool,
    member_count: int,
    projects: list[ProjectShape],
    team_role: str | None = None,
) -> TeamShape:
    return TeamShape(
        id=str(team.id),
        slug=team.slug,
        name=team.name,
        date_created=instant(team.created_at),
        is_member=is_member,
        member_count=member_count,
        team_role=team_role,
        projects=projects,
    )


def key_shape(key: ProjectKey, base_url: str) -> KeyShape:
    dsn = tenancy.dsn(base_url, key)
    limited = key.rate_limit_count is not None and key.rate_limit_window_s is not None
    return KeyShape(
        id=key.public_key,
        name=key.label,
        label=key.label,
        public=key.public_key,
        secret="",
        project_id=key.project_id,
        is_active=key.is_active,
        date_created=instant(key.created_at),
        rate_limit=(
            {"count": key.rate_limit_count or 0, "window": key.rate_limit_window_s or 0}
            if limited
            else None
        ),
        dsn={"public": dsn, "secret": dsn, "csp": dsn},
    )


def _organization(organization: Organization, base_url: str, features: list[str]) -> dict[str, Any]:
    return {
        "id": str(organization.id),
        "slug": organization.slug,
        "name": organization.name,
        "date_created": instant(organization.created_at),
        "links": Links(
            organization_url=base_url,
            region_url=base_url if base_url.startswith("https://") else "",
        ),
        "features": features,
    }
