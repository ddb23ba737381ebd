"""Which teams are told in which channels, and which organization a channel means."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, select

from groundswell.model.tenancy import OrgId, TeamId, TeamRole, UserId
from groundswell.store.metadata.columns import insert_missing, upsert
from groundswell.store.metadata.slack import channel_orgs, installations, team_channels
from groundswell.store.metadata.tables import organizations, team_members, teams


@dataclass(frozen=True, slots=True)
class TeamChannel:
    """A team whose messages go to a channel."""

    team_id: TeamId
    org_id: OrgId
    team_slug: str
    channel: str
    channel_name: str


def teams_of(connection: Connection, org_ids: tuple[OrgId, ...]) -> list[tuple[TeamId, OrgId, str]]:
    """List the teams of organizations."""
    query = select(teams.c.id, teams.c.org_id, teams.c.slug).where(teams.c.org_id.in_(org_ids))
    rows = connection.execute(query.order_by(teams.c.org_id, teams.c.slug)).all()
    return [(TeamId(row.id), OrgId(row.org_id), row.slug) for row in rows]


def looked_after(
    connection: Connection, org_ids: tuple[OrgId, ...], user_id: UserId
) -> dict[TeamId, OrgId]:
    """List the teams of organizations that a person is admin of."""
    query = (
        select(teams.c.id, teams.c.org_id)
        .join(team_members, team_members.c.team_id == teams.c.id)
        .where(
            teams.c.org_id.in_(org_ids),
            team_members.c.user_id == user_id,
            team_members.c.role == TeamRole.ADMIN.value,
        )
    )
    return {TeamId(row.id): OrgId(row.org_id) for row in connection.execute(query)}


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


def unlink_teams(
    connection: Connection, installation_id: int, channel: str, team_ids: Collection[TeamId]
) -> int:
    """Take teams out of a channel; tell how many there were.

    A default organization that nobody chose goes with the last of its teams.
    """
    here = (team_channels.c.installation_id == installation_id) & (
        team_channels.c.channel == channel
    )
    gone = connection.execute(
        delete(team_channels).where(here, team_channels.c.team_id.in_(team_ids))
    )
    connection.execute(
        delete(channel_orgs).where(
            channel_orgs.c.installation_id == installation_id,
            channel_orgs.c.channel == channel,
            channel_orgs.c.is_chosen.is_(False),
            channel_orgs.c.org_id.not_in(select(team_channels.c.org_id).where(here)),
        )
    )
    return gone.rowcount


def choose_channel_org(
    connection: Connection, installation_id: int, channel: str, org_id: OrgId
) -> None:
    """Say which organization a channel means."""
    keys = {"installation_id": installation_id, "channel": channel}
    upsert(connection, channel_orgs, keys, {"org_id": org_id, "is_chosen": True})


def list_channel_orgs(connection: Connection) -> list[tuple[str, str, str]]:
    """List the default organizations: workspace, channel, slug."""
    query = (
        select(installations.c.team, channel_orgs.c.channel, organizations.c.slug)
        .join(installations, installations.c.id == channel_orgs.c.installation_id)
        .join(organizations, organizations.c.id == channel_orgs.c.org_id)
        .order_by(installations.c.team, channel_orgs.c.channel)
    )
    return [(row.team, row.channel, row.slug) for row in connection.execute(query)]


def channel_org(connection: Connection, installation_id: int, channel: str) -> OrgId | None:
    """Tell a channel's default organization."""
    found = connection.execute(
        select(channel_orgs.c.org_id).where(
            channel_orgs.c.installation_id == installation_id, channel_orgs.c.channel == channel
        )
    ).scalar()
    return None if found is None else OrgId(found)
