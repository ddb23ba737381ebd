"""What an administrator does at the command line. Needs the metadata only, never Slack."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from groundswell.errors import NotFound, UserError
from groundswell.model.tenancy import Organization
from groundswell.slack.vault import Vault
from groundswell.slack.workspaces import utc_now
from groundswell.store.metadata import slack as rows
from groundswell.store.metadata import tenancy


def install(
    connection: Connection, secret_keys: Sequence[str], *, org: str, team: str, bot_token: str
) -> dict[str, Any]:
    """Record a workspace's token and attach an organization. Raises UserError."""
    organization = tenancy.get_organization(connection, org)
    if not team.strip() or not bot_token.strip():
        raise UserError("--team and --bot-token must not be empty", field="team")

    id = rows.install(
        connection,
        team=team.strip(),
        token=Vault(secret_keys).lock(bot_token.strip()),
        org_id=organization.id,
        now=utc_now(),
    )
    return {"id": str(id), "team": team.strip(), "org": organization.slug}


def uninstall(connection: Connection, *, org: str, team: str) -> dict[str, Any]:
    """Take an organization out of a workspace; the others stay."""
    organization, installation = _attached(connection, org, team)
    rows.detach(connection, installation.id, organization.id)
    return {"team": team, "org": organization.slug}


def link_identity(
    connection: Connection, *, org: str, team: str, slack_user: str, user: str
) -> dict[str, Any]:
    """Say that a Slack user is a person of an organization. Raises UserError."""
    organization, installation = _attached(connection, org, team)
    person = tenancy.get_user(connection, user)
    if tenancy.role_of(connection, organization.id, person.id) is None:
        raise UserError(f"{user} is not a member of {organization.slug}", field="user")

    rows.link_identity(connection, installation.id, slack_user, person.id, utc_now())
    return {"team": team, "slack_user": slack_user, "user": person.email}


def link_team(
    connection: Connection, *, org: str, team: str, channel: str, channel_name: str, to_team: str
) -> dict[str, Any]:
    """Send a team's messages to a channel. Raises UserError."""
    organization, installation = _attached(connection, org, team)
    to = tenancy.get_team(connection, organization.id, to_team)
    is_new = rows.link_team(
        connection, installation.id, (to.id, organization.id), channel, channel_name, utc_now()
    )
    return {"team": to.slug, "channel": channel, "created": is_new}


def _attached(
    connection: Connection, org: str, team: str
) -> tuple[Organization, rows.Installation]:
    organization = tenancy.get_organization(connection, org)
    installation = rows.by_team(connection, team)
    if installation is None or organization.id not in installation.org_ids:
        raise NotFound(
            f"{organization.slug} is not attached to the Slack workspace {team}. "
            f"Run `groundswell slack install --org {organization.slug} --team {team}` first."
        )

    return organization, installation
