"""`groundswell slack`: install, link, and see what happened."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from groundswell.cli.options import AsJson, Data, address_of, metadata_of, settings_for
from groundswell.cli.output import say, show, show_all
from groundswell.slack import admin
from groundswell.store.data_directory import DataDirectory
from groundswell.store.metadata import slack as rows
from groundswell.store.metadata import slack_inbox as inbox
from groundswell.store.metadata import slack_outbox as outbox

slack = App(name="slack", help="Install, link, simulate and check Slack.")

Org = Annotated[str, Parameter(help="Organization, by slug or id.")]
Team = Annotated[str, Parameter(help="Workspace id of Slack, T…")]


@slack.command
def install(
    *,
    org: Org,
    team: Team,
    bot_token: Annotated[str, Parameter(help="Bot token of the app in that workspace, xoxb-…")],
    verify: Annotated[bool, Parameter(help="Ask Slack whose the token is.")] = True,
    data: Data = None,
    json: AsJson = False,
) -> None:
    """Keep a workspace's token (encrypted) and let an organization answer there.

    Where Slack cannot be asked, the installation is unverified until the running service could.
    """
    import asyncio

    keys = _secret_keys(data)
    api_url = settings_for(data).text("SLACK_API_URL")
    told = asyncio.run(admin.ask_slack(api_url, bot_token)) if verify else None
    with metadata_of(data) as connection:
        made = admin.install(connection, keys, org=org, team=team, bot_token=bot_token, told=told)
    show(made, json=json)
    if made["health"] == "unverified" and not json:
        say("Slack has not confirmed the token yet; the running service asks it again.")


@slack.command
def attach(
    *,
    org: Org,
    team: Team,
    user: Annotated[str, Parameter(help="E-mail address of an administrator linked there.")],
    data: Data = None,
    json: AsJson = False,
) -> None:
    """Let another organization answer in a workspace, by an administrator who is linked there."""
    with metadata_of(data) as connection:
        made = admin.attach(connection, org=org, team=team, user=user)
    show(made, json=json)


@slack.command(name="channel-org")
def channel_org(
    *,
    org: Annotated[str, Parameter(help="Organization, by slug or id; lists when left out.")] = "",
    team: Annotated[str, Parameter(help="Workspace id of Slack, T…")] = "",
    channel: Annotated[str, Parameter(help="Channel id of Slack, C…")] = "",
    data: Data = None,
    json: AsJson = False,
) -> None:
    """Say which organization a channel means, or list what was said."""
    with metadata_of(data) as connection:
        if org:
            show(admin.choose_channel(connection, org=org, team=team, channel=channel), json=json)
        else:
            show_all(admin.list_channels(connection), json=json)


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


@slack.command(name="list")
def list_(*, data: Data = None, json: AsJson = False) -> None:
    """List the workspaces with their organizations and health."""
    with metadata_of(data) as connection:
        found = [
            {
                "team": one.team,
                "name": one.name,
                "organizations": list(rows.org_slugs(connection, one.org_ids)),
                "health": one.health,
                "unproven": list(rows.org_slugs(connection, one.unproven)),
                "images": one.rung,
            }
            for one in rows.every(connection)
        ]
    show_all(found, json=json)


@slack.command
def log(
    *,
    subject: Annotated[str | None, Parameter(help="Only this event or message.")] = None,
    last: Annotated[int, Parameter(help="How many lines.")] = 50,
    data: Data = None,
    json: AsJson = False,
) -> None:
    """Show what happened to events and messages, and what is undelivered."""
    with metadata_of(data) as connection:
        steps = outbox.read_log(connection, limit=last, subject=subject)
        waiting = outbox.undelivered(connection)
        begun = inbox.unfinished(connection)
    if json:
        show({"steps": steps, "undelivered": waiting, "unfinished": begun}, json=True)
        return

    show_all(steps, json=False)
    if waiting:
        say("Undelivered:")
        show_all(waiting, json=False)
    if begun:
        say("Acknowledged, not finished:")
        show_all(begun, json=False)


@slack.command
def manifest(
    *,
    http: Annotated[bool, Parameter(help="Receive over HTTP instead of Socket Mode.")] = False,
    command: Annotated[str, Parameter(help="The slash command.")] = "/groundswell",
    data: Data = None,
    json: AsJson = False,
) -> None:
    """Print the manifest that creates the Slack app, and the address that does it in one press."""
    from groundswell.slack.manifest import create_url
    from groundswell.slack.manifest import manifest as describe

    described = describe(address_of(data), socket_mode=not http, command=command)
    show(described, json=True)
    if not json:
        say(f"Create the app: {create_url(described)}")


@slack.command
def doctor(
    *,
    team: Annotated[str | None, Parameter(help="Workspace id; the only one when left out.")] = None,
    channel: Annotated[str, Parameter(help="Channel to post a test message to.")] = "",
    data: Data = None,
    json: AsJson = False,
) -> None:
    """Prove each piece of the connection to Slack; each problem has its fix."""
    import asyncio

    from groundswell.slack.doctor import examine_installed

    settings = settings_for(data).with_values(BASE_URL=address_of(data))
    keys = _secret_keys(data)
    with metadata_of(data) as connection:
        installed = rows.every(connection)
    found = asyncio.run(examine_installed(settings, keys, installed, team=team, channel=channel))
    show_all([asdict(finding) for finding in found], json=json)
    if not all(finding.ok for finding in found):
        raise SystemExit(1)


@slack.command
def simulate(
    *,
    service: Annotated[str, Parameter(help="Address of the running service.")] = "",
    port: Annotated[int, Parameter(help="Port of the page.")] = 8010,
    signing_secret: Annotated[str, Parameter(help="The service's SLACK_SIGNING_SECRET.")] = "",
    team: Annotated[str, Parameter(help="Workspace to play.")] = "T0001",
    bot_token: Annotated[str, Parameter(help="Token that was installed.")] = "xoxb-simulated",  # noqa: S107
    data: Data = None,
    json: AsJson = False,
) -> None:
    """Play Slack for a running service, with a page to paste links, commands and buttons.

    The service must have been started with GROUNDSWELL_SLACK_API_URL=http://127.0.0.1:PORT/api/.
    """
    import asyncio
    import contextlib

    from groundswell.slack.simulator.play import play

    secret = signing_secret or settings_for(data).text("SLACK_SIGNING_SECRET")
    address = service or address_of(data)

    def begun(page: str, api_url: str) -> None:
        if json:
            show({"url": page, "api_url": api_url, "service": address}, json=True)
        else:
            say(f"Slack simulator: {page} (its API: {api_url})")
        if not secret:
            say("Without a signing secret the service refuses every event: pass --signing-secret.")

    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(play(address, secret, port=port, team=team, bot_token=bot_token, begun=begun))


def _secret_keys(data: Path | None) -> tuple[str, ...]:
    settings = settings_for(data)
    shared = settings.text("DATABASE_URL").startswith("postgres")
    return DataDirectory(settings.data).secret_keys(
        settings.text("SECRET_KEY"), shared_database=shared
    )
