"""What an administrator does at the command line. Works where Slack cannot be reached, too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from groundswell.errors import NotFound, UserError
from groundswell.model.tenancy import Organization
from groundswell.slack.organizations import MAY_LINK_TEAMS
from groundswell.slack.outbound import Outbound, SlackError
from groundswell.slack.vault import Vault
from groundswell.slack.workspaces import utc_now
from groundswell.store.metadata import slack as rows
from groundswell.store.metadata import slack_channels as channels
from groundswell.store.metadata import tenancy

ASK_TIMEOUT_S = 4.0


@dataclass(frozen=True, slots=True)
class Told:
    """What Slack said about a token: the workspace, its name, and the app's own user."""

    team: str
    name: str
    bot_user: str


async def ask_slack(api_url: str, token: str) -> Told | None:
    """Ask Slack whose a token is; None when it cannot be asked or does not say.

    Raises UserError when Slack says that the token is none.
    """
    outbound = Outbound(api_url, timeout_s=ASK_TIMEOUT_S)
    try:
        told = await outbound.call(token.strip(), "auth.test", tries=1)
    except SlackError as error:
        if error.is_dead_token:
            raise UserError(
                f"Slack refuses this token ({error.error}). Copy the Bot User OAuth Token of the "
                "app (xoxb-…, under OAuth & Permissions); --no-verify keeps it all the same.",
                field="bot_token",
            ) from error
        return None
    finally:
        await outbound.close()

    team = told.get("team_id")
    if not isinstance(team, str):
        return None

    return Told(team, str(told.get("team") or ""), str(told.get("user_id") or ""))


def install(
    connection: Connection,
    secret_keys: Sequence[str],
    *,
    org: str,
    team: str,
    bot_token: str,
    told: Told | None = None,
) -> dict[str, Any]:
    """Record a workspace's token and attach an organization. Raises UserError.

    told: what Slack said about the token. Without it the installation is unverified until the
    running service has asked; a token that is new to a workspace with one that works waits for
    that, and does not take its place before.
    """
    organization = tenancy.get_organization(connection, org)
    team, bot_token = team.strip(), bot_token.strip()
    if not team or not bot_token:
        raise UserError("--team and --bot-token must not be empty", field="team")

    if told is not None and told.team != team:
        raise UserError(
            f"This token belongs to the workspace {told.team}{_named(told.name)}, not to {team}. "
            f"Give --team {told.team}, or the token of {team}.",
            field="team",
        )

    vault = Vault(secret_keys)
    known = rows.by_team(connection, team)
    works = known is not None and known.broken is None and known.bot_user is not None
    is_same = known is not None and vault.unlock(known.token) == bot_token
    if known is not None and told is None and works and is_same:
        # Who holds the token that works has shown whose it is.
        rows.attach(connection, known.id, organization.id, utc_now())
    elif known is not None and told is None and works and organization.id not in known.org_ids:
        rows.attach(
            connection,
            known.id,
            organization.id,
            utc_now(),
            proof=rows.UNPROVEN,
            token=vault.lock(bot_token),
        )
    else:
        rows.install(
            connection,
            team=team,
            token=vault.lock(bot_token),
            org_id=organization.id,
            now=utc_now(),
            name=told.name if told else "",
            bot_user=told.bot_user if told else None,
        )
        if told is not None:
            rows.prove(connection, _found(connection, team).id)
    now = _found(connection, team)
    return {"id": str(now.id), "team": team, "org": organization.slug, "health": now.health}


def attach(connection: Connection, *, org: str, team: str, user: str) -> dict[str, Any]:
    """Attach an organization by one of its administrators who is linked in the workspace.

    Raises UserError.
    """
    organization = tenancy.get_organization(connection, org)
    installation = _found(connection, team)
    person = tenancy.get_user(connection, user)
    role = tenancy.role_of(connection, organization.id, person.id)
    if role not in MAY_LINK_TEAMS:
        raise UserError(
            f"{user} is no owner, manager or admin of {organization.slug}", field="user"
        )

    if not rows.is_linked(connection, installation.id, person.id):
        raise UserError(
            f"{user} is not linked in the Slack workspace {team}: they type `link` there first",
            field="user",
        )

    rows.attach(connection, installation.id, organization.id, utc_now())
    return {"team": team, "org": organization.slug, "health": _found(connection, team).health}


def choose_channel(connection: Connection, *, org: str, team: str, channel: str) -> dict[str, Any]:
    """Say which organization a channel means. Raises UserError."""
    organization, installation = _attached(connection, org, team)
    channels.choose_channel_org(connection, installation.id, channel, organization.id)
    return {"team": team, "channel": channel, "org": organization.slug}


def list_channels(connection: Connection) -> list[dict[str, Any]]:
    """List the channels that mean an organization."""
    found = channels.list_channel_orgs(connection)
    return [{"team": team, "channel": channel, "org": slug} for team, channel, slug in found]


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
    is_new = channels.link_team(
        connection, installation.id, (to.id, organization.id), channel, channel_name, utc_now()
    )
    return {"team": to.slug, "channel": channel, "created": is_new}


def _named(name: str) -> str:
    return f" ({name})" if name else ""


def _found(connection: Connection, team: str) -> rows.Installation:
    installation = rows.by_team(connection, team)
    if installation is None:
        raise NotFound(
            f"The Slack workspace {team} is not installed. Run `groundswell slack install` first."
        )

    return installation


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
