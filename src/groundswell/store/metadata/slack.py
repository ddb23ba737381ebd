"""Slack in the metadata: workspaces, who attaches to them, who is whom, and what was done.

Tokens are stored encrypted by their caller; nothing here can read them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Connection,
    ForeignKey,
    Index,
    Row,
    String,
    Table,
    Text,
    delete,
    false,
    insert,
    select,
    update,
)

from groundswell.model.tenancy import OrgId, TeamId, User, UserId
from groundswell.store.metadata.columns import BigId, UtcTime, insert_missing, registry, upsert
from groundswell.store.metadata.tables import memberships, organizations, team_members, teams, users


def _ref(
    name: str, table: str, *, primary_key: bool = False, nullable: bool = False
) -> Column[Any]:
    foreign = ForeignKey(f"{table}.id", ondelete="CASCADE")
    return Column(name, BigId, foreign, primary_key=primary_key, nullable=nullable)


installations = Table(
    "slack_installations",
    registry,
    Column("id", BigId, primary_key=True),
    Column("team", String(32), nullable=False, unique=True),
    Column("name", String(255), nullable=False),
    Column("token", Text, nullable=False),
    Column("bot_user", String(32)),
    Column("scopes", Text, nullable=False),
    Column("broken", String(255)),
    Column("rung", String(8)),
    Column("created_at", UtcTime, nullable=False),
    sqlite_autoincrement=True,
)
attachments = Table(
    "slack_attachments",
    registry,
    _ref("installation_id", "slack_installations", primary_key=True),
    _ref("org_id", "organizations", primary_key=True),
    # A token that waits for its proof, where the workspace has one that works.
    Column("token", Text),
    Column("proof", String(16), nullable=False, server_default="token"),
    Column("created_at", UtcTime, nullable=False),
    Index(None, "org_id"),
)
identities = Table(
    "slack_identities",
    registry,
    _ref("installation_id", "slack_installations", primary_key=True),
    Column("slack_user", String(32), primary_key=True),
    _ref("user_id", "users"),
    Column("created_at", UtcTime, nullable=False),
    Index(None, "user_id"),
)
team_channels = Table(
    "slack_team_channels",
    registry,
    _ref("installation_id", "slack_installations", primary_key=True),
    _ref("team_id", "teams", primary_key=True),
    _ref("org_id", "organizations"),
    Column("channel", String(32), nullable=False),
    Column("channel_name", String(255), nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Index(None, "installation_id", "channel"),
)
channel_orgs = Table(
    "slack_channel_orgs",
    registry,
    _ref("installation_id", "slack_installations", primary_key=True),
    Column("channel", String(32), primary_key=True),
    _ref("org_id", "organizations"),
    # Whether somebody said so; else it is the organization of the first team linked here.
    Column("is_chosen", Boolean, nullable=False, server_default=false()),
)
analytics = Table(
    "slack_analytics",
    registry,
    Column("id", BigId, primary_key=True),
    Column("name", String(64), nullable=False),
    Column("org_id", BigId),
    Column("user_id", BigId),
    Column("data", JSON, nullable=False),
    Column("at", UtcTime, nullable=False),
    sqlite_autoincrement=True,
)


@dataclass(frozen=True, slots=True)
class Installation:
    """One workspace. `token` is encrypted; `broken` says why it does not work, None when it does;
    `rung` is the way by which images last reached it."""

    id: int
    team: str
    name: str
    token: str
    bot_user: str | None
    scopes: str
    broken: str | None
    rung: str | None
    org_ids: tuple[OrgId, ...] = ()


@dataclass(frozen=True, slots=True)
class TeamChannel:
    """A team whose messages go to a channel."""

    team_id: TeamId
    org_id: OrgId
    team_slug: str
    channel: str
    channel_name: str


def install(
    connection: Connection,
    *,
    team: str,
    token: str,
    org_id: OrgId,
    now: datetime,
    name: str = "",
    bot_user: str | None = None,
    scopes: str = "",
) -> int:
    """Record a workspace with its token and attach an organization; both may exist already."""
    facts: dict[str, Any] = {"token": token, "broken": None, "rung": None, "bot_user": None}
    facts |= {k: v for k, v in (("name", name), ("bot_user", bot_user), ("scopes", scopes)) if v}
    full = {"name": "", "scopes": "", "created_at": now, **facts}
    if not insert_missing(connection, installations, {"team": team, **full}):
        connection.execute(
            update(installations).where(installations.c.team == team).values(**facts)
        )
    found = connection.execute(
        select(installations.c.id).where(installations.c.team == team)
    ).scalar_one()
    attach(connection, found, org_id, now)
    return int(found)


def attach(connection: Connection, installation_id: int, org_id: OrgId, now: datetime) -> None:
    """Let an organization answer in a workspace."""
    row = {"installation_id": installation_id, "org_id": org_id, "created_at": now}
    insert_missing(connection, attachments, row)


def detach(connection: Connection, installation_id: int, org_id: OrgId) -> None:
    """Take an organization out of a workspace; the others stay."""
    for table in (attachments, team_channels, channel_orgs):
        connection.execute(
            delete(table).where(
                table.c.installation_id == installation_id, table.c.org_id == org_id
            )
        )


def by_team(connection: Connection, team: str) -> Installation | None:
    """Find a workspace with the organizations that attach to it, the first one first."""
    row = connection.execute(select(installations).where(installations.c.team == team)).first()
    return _installation(connection, row) if row is not None else None


def by_id(connection: Connection, installation_id: int) -> Installation | None:
    query = select(installations).where(installations.c.id == installation_id)
    row = connection.execute(query).first()
    return _installation(connection, row) if row is not None else None


def every(connection: Connection) -> list[Installation]:
    """List the workspaces."""
    rows = connection.execute(select(installations).order_by(installations.c.id)).all()
    return [_installation(connection, row) for row in rows]


def broken_workspaces(connection: Connection, org_id: OrgId) -> list[tuple[str, str]]:
    """List the workspaces of an organization that do not work, each with the reason."""
    query = (
        select(installations.c.name, installations.c.team, installations.c.broken)
        .join(attachments, attachments.c.installation_id == installations.c.id)
        .where(attachments.c.org_id == org_id, installations.c.broken.is_not(None))
        .order_by(installations.c.id)
    )
    return [(row.name or row.team, row.broken) for row in connection.execute(query)]


def _installation(connection: Connection, row: Row[Any]) -> Installation:
    orgs = connection.execute(
        select(attachments.c.org_id)
        .where(attachments.c.installation_id == row.id)
        .order_by(attachments.c.created_at, attachments.c.org_id)
    ).scalars()
    return Installation(
        row.id,
        row.team,
        row.name,
        row.token,
        row.bot_user,
        row.scopes,
        row.broken,
        row.rung,
        tuple(OrgId(org) for org in orgs),
    )


def learn(connection: Connection, installation_id: int, /, **facts: str | None) -> None:
    """Remember what Slack told: `name`, `bot_user`, `scopes`, `broken`, `rung`."""
    connection.execute(
        update(installations).where(installations.c.id == installation_id).values(**facts)
    )


def org_slugs(connection: Connection, org_ids: tuple[OrgId, ...]) -> dict[str, OrgId]:
    """Map the slugs of organizations to their ids, in the order given."""
    rows = connection.execute(
        select(organizations.c.slug, organizations.c.id).where(organizations.c.id.in_(org_ids))
    ).all()
    slugs = {row.id: row.slug for row in rows}
    return {slugs[org_id]: org_id for org_id in org_ids if org_id in slugs}


def org_id_of(connection: Connection, slug: str) -> OrgId | None:
    found = connection.execute(
        select(organizations.c.id).where(organizations.c.slug == slug)
    ).scalar()
    return None if found is None else OrgId(found)


def user_of(connection: Connection, installation_id: int, slack_user: str) -> User | None:
    """Tell who a Slack user is here; None when nobody, or not active any more."""
    row = connection.execute(
        select(users)
        .join(identities, identities.c.user_id == users.c.id)
        .where(
            identities.c.installation_id == installation_id,
            identities.c.slack_user == slack_user,
            users.c.is_active,
        )
    ).first()
    if row is None:
        return None

    return User(UserId(row.id), row.email, row.name, row.is_active, row.created_at)


def link_identity(
    connection: Connection, installation_id: int, slack_user: str, user_id: UserId, now: datetime
) -> None:
    """Say that a Slack user is a person here."""
    upsert(
        connection,
        identities,
        {"installation_id": installation_id, "slack_user": slack_user},
        {"user_id": user_id, "created_at": now},
    )


def unlink_identity(connection: Connection, installation_id: int, slack_user: str) -> bool:
    found = connection.execute(
        delete(identities).where(
            identities.c.installation_id == installation_id, identities.c.slack_user == slack_user
        )
    )
    return found.rowcount > 0


def roles(connection: Connection, org_ids: tuple[OrgId, ...], user_id: UserId) -> dict[OrgId, str]:
    """Give a person's role in each of these organizations that they belong to, in order."""
    rows = connection.execute(
        select(memberships.c.org_id, memberships.c.role).where(
            memberships.c.user_id == user_id, memberships.c.org_id.in_(org_ids)
        )
    ).all()
    found = {row.org_id: row.role for row in rows}
    return {org_id: found[org_id] for org_id in org_ids if org_id in found}


def teams_of(
    connection: Connection, org_ids: tuple[OrgId, ...], *, member: UserId | None = None
) -> list[tuple[TeamId, OrgId, str]]:
    """List the teams of organizations, or those of them that a person is in."""
    query = select(teams.c.id, teams.c.org_id, teams.c.slug).where(teams.c.org_id.in_(org_ids))
    if member is not None:
        query = query.join(team_members, team_members.c.team_id == teams.c.id).where(
            team_members.c.user_id == member
        )
    rows = connection.execute(query.order_by(teams.c.org_id, teams.c.slug)).all()
    return [(TeamId(row.id), OrgId(row.org_id), row.slug) for row in rows]


def link_team(
    connection: Connection,
    installation_id: int,
    team: tuple[TeamId, OrgId],
    channel: str,
    channel_name: str,
    now: datetime,
) -> bool:
    """Send a team's messages to a channel; False when the team has one already.

    The organization of the channel's first team is its default.
    """
    row: dict[str, Any] = {"channel": channel, "channel_name": channel_name, "created_at": now}
    row |= {"installation_id": installation_id, "team_id": team[0], "org_id": team[1]}
    if not insert_missing(connection, team_channels, row):
        return False

    default = {"installation_id": installation_id, "channel": channel, "org_id": team[1]}
    insert_missing(connection, channel_orgs, default)
    return True


def teams_in_channel(
    connection: Connection, installation_id: int, channel: str, channel_name: str | None = None
) -> list[TeamChannel]:
    """List the teams that are linked to a channel, by its id and, when given, its name."""
    query = (
        select(team_channels, teams.c.slug)
        .join(teams, teams.c.id == team_channels.c.team_id)
        .where(
            team_channels.c.installation_id == installation_id, team_channels.c.channel == channel
        )
        .order_by(teams.c.slug)
    )
    if channel_name is not None:
        query = query.where(team_channels.c.channel_name == channel_name)
    return [
        TeamChannel(TeamId(row.team_id), OrgId(row.org_id), row.slug, row.channel, row.channel_name)
        for row in connection.execute(query).all()
    ]


def unlink_teams(connection: Connection, installation_id: int, channel: str, org_id: OrgId) -> int:
    """Take every team of an organization out of a channel; tell how many there were."""
    found = [
        connection.execute(
            delete(table).where(
                table.c.installation_id == installation_id,
                table.c.channel == channel,
                table.c.org_id == org_id,
            )
        )
        for table in (team_channels, channel_orgs)
    ]
    return found[0].rowcount


def channel_org(connection: Connection, installation_id: int, channel: str) -> OrgId | None:
    """Tell a channel's default organization."""
    found = connection.execute(
        select(channel_orgs.c.org_id).where(
            channel_orgs.c.installation_id == installation_id, channel_orgs.c.channel == channel
        )
    ).scalar()
    return None if found is None else OrgId(found)


def record(
    connection: Connection,
    name: str,
    data: Mapping[str, Any],
    now: datetime,
    *,
    org_id: int | None = None,
    user_id: int | None = None,
) -> None:
    """Record an analytics event."""
    row = {"name": name, "org_id": org_id, "user_id": user_id, "data": dict(data), "at": now}
    connection.execute(insert(analytics).values(**row))


def forget(connection: Connection, now: datetime) -> None:
    """Drop what is older than it needs to be remembered."""
    connection.execute(delete(analytics).where(analytics.c.at < now - timedelta(days=90)))
