"""`groundswell slack`: install, link, and see what happened."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from groundswell.cli.options import AsJson, Data, metadata_of, settings_for
from groundswell.cli.output import show
from groundswell.slack import admin
from groundswell.store.data_directory import DataDirectory

slack = App(name="slack", help="Install, link, simulate and check Slack.")

Org = Annotated[str, Parameter(help="Organization, by slug or id.")]
Team = Annotated[str, Parameter(help="Workspace id of Slack, T…")]


@slack.command
def install(
    *,
    org: Org,
    team: Team,
    bot_token: Annotated[str, Parameter(help="Bot token of the app in that workspace, xoxb-…")],
    data: Data = None,
    json: AsJson = False,
) -> None:
    """Keep a workspace's token (encrypted) and let an organization answer there."""
    keys = _secret_keys(data)
    with metadata_of(data) as connection:
        made = admin.install(connection, keys, org=org, team=team, bot_token=bot_token)
    show(made, json=json)


@slack.command
def uninstall(*, org: Org, team: Team, data: Data = None, json: AsJson = False) -> None:
    """Take an organization out of a workspace; others stay."""
    with metadata_of(data) as connection:
        gone = admin.uninstall(connection, org=org, team=team)
    show(gone, json=json)


@slack.command(name="link-identity")
def link_identity(
    *,
    org: Org,
    team: Team,
    slack_user: Annotated[str, Parameter(help="User id of Slack, U…")],
    user: Annotated[str, Parameter(help="E-mail address of the person here.")],
    data: Data = None,
    json: AsJson = False,
) -> None:
    """Say which person a Slack user is."""
    with metadata_of(data) as connection:
        linked = admin.link_identity(
            connection, org=org, team=team, slack_user=slack_user, user=user
        )
    show(linked, json=json)


@slack.command(name="link-team")
def link_team(
    *,
    org: Org,
    team: Team,
    channel: Annotated[str, Parameter(help="Channel id of Slack, C…")],
    channel_name: Annotated[str, Parameter(help="Name of the channel, without #.")],
    to_team: Annotated[str, Parameter(help="Team here, by slug.")],
    data: Data = None,
    json: AsJson = False,
) -> None:
    """Send a team's messages to a channel."""
    with metadata_of(data) as connection:
        linked = admin.link_team(
            connection, org=org, team=team, channel=channel, channel_name=channel_name,
            to_team=to_team,
        )  # fmt: skip
    show(linked, json=json)


def _secret_keys(data: Path | None) -> tuple[str, ...]:
    settings = settings_for(data)
    shared = settings.text("DATABASE_URL").startswith("postgres")
    return DataDirectory(settings.data).secret_keys(
        settings.text("SECRET_KEY"), shared_database=shared
    )
