"""The pages behind signed links: who links what, and what each press does."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from groundswell.model.tenancy import OrgId, TeamId, User
from groundswell.slack.linking import BadLink, ExpiredLink, Page, Signer, Ticket
from groundswell.slack.messages import linking as words
from groundswell.slack.organizations import MAY_LINK_TEAMS
from groundswell.slack.outbound import SlackError
from groundswell.slack.queue import Outgoing, Queue
from groundswell.slack.workspaces import Workspaces, utc_now
from groundswell.store.metadata import slack as rows
from groundswell.store.metadata import slack_channels as channels
from groundswell.store.metadata import slack_inbox as inbox
from groundswell.store.metadata.tenancy import list_organizations

NEXT_STEP = "Type the command again in Slack to get a new link."
_IDENTITY = frozenset({Page.LINK_IDENTITY, Page.UNLINK_IDENTITY})
_TITLES = {
    Page.LINK_IDENTITY: "Link your Slack identity",
    Page.UNLINK_IDENTITY: "Unlink your Slack identity",
    Page.LINK_TEAM: "Link a team to this channel",
    Page.UNLINK_TEAM: "Unlink the team from this channel",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """One page: its status and words; `button` empty when there is nothing left to do."""

    status: int
    title: str
    lines: tuple[str, ...]
    button: str = ""
    csrf: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    back_url: str = ""


@dataclass(frozen=True, slots=True)
class _Opened:
    """A good link, opened by somebody who may."""

    ticket: Ticket
    installation: rows.Installation
    roles: Mapping[OrgId, str]
    linked: User | None
    teams: tuple[tuple[TeamId, OrgId, str], ...] = ()
    in_channel: tuple[channels.TeamChannel, ...] = ()
    org_slugs: Mapping[OrgId, str] = field(default_factory=dict)


class _Closed(Exception):
    def __init__(self, status: int, title: str, *lines: str) -> None:
        super().__init__(title)
        self.shown = Shown(status, title, lines)


class Pages:
    """Shows the pages and does what they are for."""

    def __init__(
        self, workspaces: Workspaces, queue: Queue, signer: Signer, secret_keys: Sequence[str]
    ) -> None:
        self._workspaces = workspaces
        self._queue = queue
        self._signer = signer
        self._key = secret_keys[0].encode()

    async def show(self, page: Page, signed: str, user: User) -> Shown:
        """Answer GET: say what is about to happen, and for whom."""
        try:
            opened = await self._open(page, signed, user)
        except _Closed as closed:
            return closed.shown

        ticket = opened.ticket
        csrf = self._csrf(ticket, user)
        place = opened.installation.name or opened.installation.team
        title = _TITLES[page]
        if page in _IDENTITY:
            who = await self._slack_name(opened)
            verb = "will be linked to" if page is Page.LINK_IDENTITY else "is linked to"
            linked = user.email if page is Page.LINK_IDENTITY or not opened.linked else (
                opened.linked.email
            )  # fmt: skip
            line = f"{who} in the Slack workspace {place} {verb} {linked}."
            if page is Page.LINK_IDENTITY:
                warn = "Go on only if you asked for this in Slack yourself."
                return Shown(200, title, (line, warn), "Link", csrf)
            return Shown(200, title, (line,), "Unlink", csrf)

        if page is Page.LINK_TEAM:
            channel = ticket.channel_name or ticket.channel
            line = f"Messages of the team will go to #{channel} in {place}."
            many = len(opened.org_slugs) > 1
            choices = tuple(
                (str(id), f"{opened.org_slugs[org]} / {slug}" if many else slug)
                for id, org, slug in opened.teams
            )
            return Shown(200, title, (line,), "Link team", csrf, choices)

        slugs = ", ".join(team.team_slug for team in opened.in_channel)
        line = f"No longer to be told in #{ticket.channel_name or ticket.channel}: {slugs}."
        return Shown(200, title, (line,), "Unlink team", csrf)

    async def submit(self, page: Page, signed: str, user: User, form: Mapping[str, str]) -> Shown:
        """Answer POST: do it once, and tell Slack."""
        try:
            opened = await self._open(page, signed, user)
            expected = self._csrf(opened.ticket, user)
            given = form.get("csrf_token", "").encode("utf-8", "replace")
            if not hmac.compare_digest(expected.encode(), given):
                raise _Closed(403, "Not done", "The form is not complete. Open the link again.")
            shown, told = await self._workspaces.metadata.run(_do, page, opened, user, form)
        except _Closed as closed:
            return closed.shown

        await self._tell(opened, told)
        return shown

    async def _open(self, page: Page, signed: str, user: User) -> _Opened:
        try:
            ticket = self._signer.read(page, signed)
        except BadLink as error:
            why = (
                "This link has expired."
                if isinstance(error, ExpiredLink)
                else "This link is not valid, or it has expired."
            )
            # Clients know these two statuses for the two kinds of pages.
            status = 200 if page in _IDENTITY else 400
            raise _Closed(status, "Link expired", why, NEXT_STEP) from None

        return await self._workspaces.metadata.run(_resolve, page, ticket, user)

    def _csrf(self, ticket: Ticket, user: User) -> str:
        text = f"slack-csrf:{ticket.page}:{ticket.nonce}:{user.id}"
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()

    async def _slack_name(self, opened: _Opened) -> str:
        slack_user = opened.ticket.slack_user
        try:
            token = self._workspaces.token(opened.installation)
            told = await self._workspaces.outbound.call(
                token, "users.info", tries=1, user=slack_user
            )
        except SlackError:
            return f"The Slack user {slack_user}"

        profile = (told.get("user") or {}).get("profile") or {}
        name = profile.get("real_name") or profile.get("display_name")
        return f"{name} ({slack_user})" if name else f"The Slack user {slack_user}"

    async def _tell(self, opened: _Opened, text: str) -> None:
        """Tell Slack; an answer that comes too late for Slack changes nothing here."""
        ticket = opened.ticket
        key, id = f"{ticket.page}:{ticket.nonce}", opened.installation.id
        if self._workspaces.outbound.may_respond_to(ticket.response_url):
            body = {"response_type": "ephemeral", "replace_original": False, "text": text}
            answer = Outgoing(key, id, "", body, response_url=ticket.response_url, step="tell")
        else:
            is_team = ticket.page in {Page.LINK_TEAM, Page.UNLINK_TEAM}
            channel = ticket.channel if is_team else ticket.slack_user
            answer = Outgoing(key, id, channel, {"text": text}, step="tell")
        await self._queue.send(answer)


def back_url(ticket: Ticket, installation: rows.Installation) -> str:
    """Give the address that leads back to the channel in Slack."""
    if not ticket.channel:
        return ""

    return f"https://slack.com/app_redirect?team={installation.team}&channel={ticket.channel}"


def _resolve(connection: Connection, page: Page, ticket: Ticket, user: User) -> _Opened:
    installation = rows.by_id(connection, ticket.installation)
    roles = rows.roles(connection, installation.org_ids, user.id) if installation else {}
    if installation is None or not roles:
        raise _Closed(404, "Not found", "This workspace is not yours to link.")

    if inbox.is_link_used(connection, ticket.nonce):
        raise _Closed(410, "Link already used", "This link has been used.", NEXT_STEP)

    linked = rows.user_of(connection, installation.id, ticket.slack_user)
    if page is Page.LINK_IDENTITY:
        return _Opened(ticket, installation, roles, linked)

    if page is Page.UNLINK_IDENTITY:
        if linked is not None and linked.id != user.id:
            raise _Closed(403, "Not yours", "This Slack identity belongs to somebody else.")
        return _Opened(ticket, installation, roles, linked)

    if linked is None:
        raise _Closed(403, "Identity missing", "Link your Slack identity first.", NEXT_STEP)

    if linked.id != user.id:
        raise _Closed(403, "Not yours", "This link was made for somebody else.")

    if ticket.org:
        roles = {org: role for org, role in roles.items() if org == ticket.org}
    teams = _teams(connection, roles, user)
    slugs = {one.id: one.slug for one in list_organizations(connection) if one.id in roles}
    if page is Page.LINK_TEAM:
        if not teams:
            explain = "There is no team that you may link. Create one first, or ask an owner."
            raise _Closed(404, "No team to link", explain)
        return _Opened(ticket, installation, roles, linked, teams, org_slugs=slugs)

    if not teams and not any(role in MAY_LINK_TEAMS for role in roles.values()):
        raise _Closed(403, "Insufficient role", words.INSUFFICIENT_ROLE)

    mine = {id for id, _, _ in teams}
    here = channels.teams_in_channel(connection, installation.id, ticket.channel)
    found = tuple(team for team in here if team.team_id in mine)
    if not found:
        raise _Closed(404, "No team is linked", words.NO_TEAM)

    return _Opened(ticket, installation, roles, linked, in_channel=found, org_slugs=slugs)


def _teams(
    connection: Connection, roles: Mapping[OrgId, str], user: User
) -> tuple[tuple[TeamId, OrgId, str], ...]:
    """List the teams that a person may link: all by their role, else those they look after."""
    every = channels.teams_of(connection, tuple(roles))
    looks_after = channels.looked_after(connection, tuple(roles), user.id)
    return tuple(
        team for team in every if roles[team[1]] in MAY_LINK_TEAMS or team[0] in looks_after
    )


def _do(
    connection: Connection, page: Page, opened: _Opened, user: User, form: Mapping[str, str]
) -> tuple[Shown, str]:
    """Do it in one transaction with the use of the link; give the page and what Slack is told."""
    ticket, installation = opened.ticket, opened.installation
    team: tuple[TeamId, OrgId, str] | None = None
    if page is Page.LINK_TEAM:
        chosen = form.get("team", "")
        if not chosen.isascii() or not chosen.isdigit():
            raise _Closed(400, "Not done", "Choose a team.")
        team = next((one for one in opened.teams if str(one[0]) == chosen), None)
        if team is None:
            raise _Closed(404, "Not found", "This team is not yours to link.")

    if not inbox.use_link(connection, ticket.nonce, utc_now()):
        raise _Closed(410, "Link already used", "This link has been used.", NEXT_STEP)

    back = back_url(ticket, installation)
    if page is Page.LINK_IDENTITY:
        rows.link_identity(connection, installation.id, ticket.slack_user, user.id, utc_now())
        return Shown(200, "Identity linked", (words.LINKED,), back_url=back), words.LINKED

    if page is Page.UNLINK_IDENTITY:
        rows.unlink_identity(connection, installation.id, ticket.slack_user)
        return Shown(200, "Identity unlinked", (words.UNLINKED,), back_url=back), words.UNLINKED

    if team is not None:
        name = ticket.channel_name or ticket.channel
        is_new = channels.link_team(
            connection, installation.id, team[:2], ticket.channel, name, utc_now()
        )
        said = words.team_linked(team[2], name) if is_new else words.team_already_linked(team[2])
        title = "Team linked" if is_new else "Team already linked"
        return Shown(200, title, (said.replace("`", ""),), back_url=back), said

    gone = [one.team_id for one in opened.in_channel]
    channels.unlink_teams(connection, installation.id, ticket.channel, gone)
    said = words.teams_unlinked([one.team_slug for one in opened.in_channel])
    return Shown(200, "Team unlinked", (said.replace("`", ""),), back_url=back), said
