"""Answers about who somebody is here, and which team a channel belongs to."""

from __future__ import annotations

from groundswell.slack.messages.blocks import code, escape

CHANNEL_ONLY = "This works in a channel, not in a direct message. Type it in the team's channel."
NOT_LINKED = "You have no linked identity. Type `link` to link your Slack identity."
LINK_FIRST = (
    "Link your Slack identity first: type `link`. To link a team you must be an owner, manager or "
    "admin of the organization, or an admin of that team."
)
LINK_FIRST_OF_ALL = "Link your Slack identity first: type `link`."
ORG_USAGE = (
    "Type `org` to see the organizations here, `org default SLUG` in a channel to say which one it "
    "means, `org attach SLUG` or `org detach SLUG` to let an organization answer in this workspace."
)
INSUFFICIENT_ROLE = (
    "Your role is not sufficient: you must be an owner, manager or admin of the organization, "
    "or an admin of that team."
)
NO_ORGANIZATION = "You belong to no organization here. Ask an owner to add you to theirs."
NO_TEAM = "No team is linked to this channel."
_VALIDITY = "The page works once, within 15 minutes, and only for you."
PRESS_NEEDS_IDENTITY = "Link your Slack identity now: send `link` to this app in a direct message."
LINKED = "Your Slack identity is linked. You are good to go!"
UNLINKED = "Your Slack identity is not linked any more."


def already_linked(email: str) -> str:
    return f"You are already linked as {code(email)}."


def link_identity(url: str) -> str:
    return f"Link your Slack identity to Groundswell: {url}\n{_VALIDITY}"


def unlink_identity(url: str) -> str:
    return f"Unlink your Slack identity from Groundswell: {url}\n{_VALIDITY}"


def link_team(url: str) -> str:
    return f"Link your team to this channel: {url}\n{_VALIDITY}"


def unlink_team(url: str) -> str:
    return f"Unlink your team from this channel: {url}\n{_VALIDITY}"


def team_linked(slug: str, channel: str) -> str:
    return f"The team {code(slug)} now gets its messages in #{escape(channel)}."


def team_already_linked(slug: str) -> str:
    return f"The team {code(slug)} is already linked to a channel."


def teams_unlinked(slugs: list[str]) -> str:
    teams = ", ".join(code(slug) for slug in slugs)
    return f"No longer linked to this channel: {teams}."


def which_organization(slugs: list[str]) -> str:
    choices = ", ".join(code(f"org:{slug}") for slug in slugs)
    return f"You belong to several organizations here. Say which one: {choices}."


def which_channel_organization(slugs: list[str]) -> str:
    choices = ", ".join(code(f"org:{slug}") for slug in slugs)
    return f"Teams of several organizations are linked here. Say which one: {choices}."


def organizations_here(slugs: list[str], chosen: str) -> str:
    """Say which organizations somebody belongs to here; `chosen` is the channel's."""
    listed = ", ".join(code(slug) for slug in slugs)
    yours = f"Your organizations in this workspace: {listed}."
    return f"This channel's organization is {code(chosen)}.\n{yours}" if chosen else yours


def not_yours(slug: str) -> str:
    return f"You are no owner, manager or admin of an organization {code(slug)}."


def org_not_attached(slug: str) -> str:
    fix = code(f"org attach {slug}")
    return f"{code(slug)} is not attached to this workspace. Type {fix} first."


def org_attached(slug: str) -> str:
    return f"{code(slug)} answers in this workspace now."


def org_detached(slug: str) -> str:
    return f"{code(slug)} does not answer in this workspace any more."


def org_chosen(slug: str) -> str:
    return f"This channel's organization is {code(slug)} now."
