"""Commands in direct messages and after the slash: text → answer.

Answers change nothing, but for the ones about a workspace's organizations.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from groundswell.model.tenancy import OrgId, User
from groundswell.slack import organizations
from groundswell.slack.incident_list import open_incidents_text
from groundswell.slack.linking import Page, Signer, Ticket
from groundswell.slack.messages import linking as words
from groundswell.slack.messages.help import Command, help_message
from groundswell.slack.organizations import MAY_LINK_TEAMS
from groundswell.store.metadata import Metadata
from groundswell.store.metadata import slack as rows
from groundswell.store.metadata import slack_channels as channels

DIRECT_MESSAGE = "directmessage"
_ORG = re.compile(r"(?:^|\s)org:([\w-]+)", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Asked:
    """One command as it was typed."""

    installation: rows.Installation
    text: str
    slack_user: str
    channel: str
    channel_name: str = ""
    response_url: str = ""
    is_direct: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said back; `unknown` keeps what nobody understood, for the log."""

    text: str
    blocks: list[dict[str, Any]] = field(default_factory=list)
    unknown: str = ""


Handler = Callable[["Commands", Asked], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Row:
    """One command: what is typed, what the help says, who answers."""

    words: str
    about: str
    in_channel: bool
    handler: Handler
    listed: bool = True


class Commands:
    """Answers commands from the metadata of the moment."""

    def __init__(self, metadata: Metadata, signer: Signer, docs_url: str) -> None:
        self.metadata = metadata
        self.signer = signer
        self.docs_url = docs_url

    async def answer(self, asked: Asked) -> Answer:
        """Answer one command; what is not known is answered with the help."""
        row = find(asked.text)
        if row is not None:
            return await row.handler(self, asked)

        typed = asked.text.strip()
        return self.help(unknown=typed) if typed else self.help()

    def help(self, unknown: str = "") -> Answer:
        listed = tuple(Command(r.words, r.about, r.in_channel) for r in COMMANDS if r.listed)
        text, blocks = help_message(
            listed, docs_url=self.docs_url, unknown=unknown, nearest=nearest(unknown)
        )
        return Answer(text, blocks, unknown)

    async def user_of(self, asked: Asked) -> User | None:
        return await self.metadata.run(rows.user_of, asked.installation.id, asked.slack_user)

    async def organization(self, asked: Asked, user: User) -> OrgId | Answer:
        """Tell which organization is meant: the one named by `org:`, the channel's, the only one.

        Where that leaves several, or none, the answer asks or explains.
        """
        roles, slugs, default = await self.metadata.run(_organizations, asked, user)
        named = _ORG.search(asked.text)
        if named:
            chosen = slugs.get(named[1].lower())
            return chosen or Answer(words.which_organization(list(slugs)))

        if default in roles:
            return default

        if not slugs:
            return Answer(words.NO_ORGANIZATION)

        if len(slugs) == 1:
            return next(iter(slugs.values()))

        return Answer(words.which_organization(list(slugs)))

    def page(self, page: Page, asked: Asked, org: int = 0) -> str:
        return self.signer.url(
            Ticket(
                page,
                asked.installation.id,
                asked.slack_user,
                asked.channel,
                asked.channel_name,
                asked.response_url,
                org,
            )
        )


async def _help(commands: Commands, asked: Asked) -> Answer:
    return commands.help()


async def _link(commands: Commands, asked: Asked) -> Answer:
    user = await commands.user_of(asked)
    if user is not None:
        return Answer(words.already_linked(user.email))

    return Answer(words.link_identity(commands.page(Page.LINK_IDENTITY, asked)))


async def _unlink(commands: Commands, asked: Asked) -> Answer:
    if await commands.user_of(asked) is None:
        return Answer(words.NOT_LINKED)

    return Answer(words.unlink_identity(commands.page(Page.UNLINK_IDENTITY, asked)))


async def _link_team(commands: Commands, asked: Asked) -> Answer:
    if asked.is_direct:
        return Answer(words.CHANNEL_ONLY)

    user = await commands.user_of(asked)
    if user is None:
        return Answer(words.LINK_FIRST)

    eligible = await commands.metadata.run(_eligible, asked, user)
    if not eligible:
        return Answer(words.INSUFFICIENT_ROLE)

    chosen = await commands.organization(asked, user)
    if not isinstance(chosen, Answer):
        if chosen not in eligible:
            return Answer(words.INSUFFICIENT_ROLE)
        return Answer(words.link_team(commands.page(Page.LINK_TEAM, asked, chosen)))

    if _ORG.search(asked.text):
        return chosen

    # The page offers the teams of every organization, so the question may stay open until then.
    return Answer(f"{words.link_team(commands.page(Page.LINK_TEAM, asked))}\n{chosen.text}")


async def _unlink_team(commands: Commands, asked: Asked) -> Answer:
    if asked.is_direct:
        return Answer(words.CHANNEL_ONLY)

    user = await commands.user_of(asked)
    if user is None:
        return Answer(words.LINK_FIRST)

    allowed, is_linked, default = await commands.metadata.run(_unlinkable, asked, user)
    if not is_linked:
        return Answer(words.NO_TEAM)

    if not allowed:
        return Answer(words.INSUFFICIENT_ROLE)

    chosen = next((org for org in allowed.values() if org == default), None)
    if chosen is None and len(allowed) > 1:
        return Answer(words.which_channel_organization(list(allowed)))

    org = chosen or next(iter(allowed.values()))
    return Answer(words.unlink_team(commands.page(Page.UNLINK_TEAM, asked, org)))


def _organizations(
    connection: Any, asked: Asked, user: User
) -> tuple[dict[OrgId, str], dict[str, OrgId], OrgId | None]:
    installation = asked.installation
    roles = rows.roles(connection, installation.org_ids, user.id)
    slugs = rows.org_slugs(connection, tuple(roles))
    return roles, slugs, channels.channel_org(connection, installation.id, asked.channel)


def _eligible(connection: Any, asked: Asked, user: User) -> set[OrgId]:
    """List the organizations in which a person may link a team: any, or one they look after."""
    org_ids = asked.installation.org_ids
    roles = rows.roles(connection, org_ids, user.id)
    looks_after = channels.looked_after(connection, tuple(roles), user.id)
    return {org for org, role in roles.items() if role in MAY_LINK_TEAMS} | set(
        looks_after.values()
    )


def _unlinkable(
    connection: Any, asked: Asked, user: User
) -> tuple[dict[str, OrgId], bool, OrgId | None]:
    """Say of which organizations a person may unlink teams here, by slug; whether there are any;
    and the channel's default."""
    installation = asked.installation
    roles = rows.roles(connection, installation.org_ids, user.id)
    slugs = rows.org_slugs(connection, tuple(roles))
    linked = channels.teams_in_channel(
        connection, installation.id, asked.channel, asked.channel_name
    )
    named = _ORG.search(asked.text)
    mine = [
        team
        for team in linked
        if team.org_id in roles and (not named or team.org_id == slugs.get(named[1].lower()))
    ]
    looks_after = channels.looked_after(connection, tuple(roles), user.id)
    allowed = {
        team.org_id
        for team in mine
        if roles[team.org_id] in MAY_LINK_TEAMS or team.team_id in looks_after
    }
    default = channels.channel_org(connection, installation.id, asked.channel)
    return {slug: org for slug, org in slugs.items() if org in allowed}, bool(mine), default


async def _org(commands: Commands, asked: Asked) -> Answer:
    user = await commands.user_of(asked)
    if user is None:
        return Answer(words.LINK_FIRST_OF_ALL)

    typed = asked.text.split()[1:]
    channel = "" if asked.is_direct else asked.channel
    return Answer(
        await commands.metadata.run(organizations.answer, asked.installation, user, channel, typed)
    )


async def _incidents(commands: Commands, asked: Asked) -> Answer:
    user = await commands.user_of(asked)
    if user is None:
        return Answer(words.LINK_FIRST_OF_ALL)

    chosen = await commands.organization(asked, user)
    if isinstance(chosen, Answer) and _ORG.search(asked.text):
        return chosen

    # Without a choice the list covers all that the person may see.
    org_ids = asked.installation.org_ids if isinstance(chosen, Answer) else (chosen,)
    base_url = commands.docs_url.rstrip("/")
    return Answer(await commands.metadata.run(open_incidents_text, org_ids, user, base_url))


COMMANDS: tuple[Row, ...] = (
    Row("help", "show this help", in_channel=False, handler=_help),
    Row("link", "link your Slack identity, so that links unfurl", in_channel=False, handler=_link),
    Row("unlink", "unlink your Slack identity", in_channel=False, handler=_unlink),
    Row("link team", "send a team's messages here", in_channel=True, handler=_link_team),
    Row("unlink team", "stop sending a team's messages", in_channel=True, handler=_unlink_team),
    Row("incidents", "list what is wrong now", in_channel=True, handler=_incidents),
    Row("org", "show or set the organization of a channel", in_channel=True, handler=_org),
    Row("support", "", in_channel=False, handler=_help, listed=False),
    Row("docs", "", in_channel=False, handler=_help, listed=False),
)
_LONGEST_FIRST = sorted(COMMANDS, key=lambda row: -len(row.words.split()))


def find(text: str) -> Row | None:
    """Find the command that a text begins with, the longest first; further words are ignored."""
    typed = text.lower().split()
    for row in _LONGEST_FIRST:
        expected = row.words.split()
        if typed[: len(expected)] == expected:
            return row

    return None


def needs_ids(text: str) -> bool:
    """Say whether a command means a person in a channel and cannot work without both."""
    row = find(text)
    return row is not None and row.handler is not _help


def nearest(text: str) -> str:
    """Suggest the command that somebody may have meant."""
    typed = " ".join(text.lower().split()[:2])
    names = [row.words for row in COMMANDS]
    found = difflib.get_close_matches(typed, names, n=1, cutoff=0.6)
    if not found and typed:
        found = difflib.get_close_matches(typed.split()[0], names, n=1, cutoff=0.6)
    return found[0] if found else ""
