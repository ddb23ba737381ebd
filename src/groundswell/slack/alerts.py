"""Rules and incidents in Slack: links of rules unfurl, buttons act with the presser's role."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection

from groundswell import access
from groundswell.alerts import desk
from groundswell.alerts.telling import body_of
from groundswell.errors import GroundswellError, NotAllowed, NotFound
from groundswell.model.alerts import Incident, Rule
from groundswell.model.tenancy import Caller, Scope
from groundswell.slack.actions import Pressed
from groundswell.slack.images import Ladder, Picture
from groundswell.slack.links import Link
from groundswell.slack.messages.blocks import image, link, section
from groundswell.slack.messages.incidents import (
    ACKNOWLEDGE,
    COLORS,
    MUTE,
    MUTE_HOURS,
    OPEN,
    text,
)
from groundswell.slack.notices import incident_of
from groundswell.slack.outbound import SlackError
from groundswell.slack.service import Slack
from groundswell.slack.unfurl import Shared
from groundswell.slack.workspaces import utc_now
from groundswell.store.metadata import Metadata, alerts, incidents, tenancy

CHART_TIMEOUT_S = 8.0
NOT_YOURS = "You may not do that: it needs a member of the organization with access to the project."
GONE = "That incident is gone: its rule was deleted."

# (rule, incident or None, link) → picture
DrawLink = Callable[[Rule, Incident | None, Link], Awaitable[Picture | None]]


class AlertLinks:
    """Unfurls `/alerts/rules/details/<id>/`; nobody needs to be linked for that."""

    def __init__(self, metadata: Metadata, ladder: Ladder, draw: DrawLink) -> None:
        self._metadata = metadata
        self._ladder = ladder
        self._draw = draw

    async def unfurl(self, found: Link, _: Any, shared: Shared) -> dict[str, Any] | None:
        """Make the entry of a link; None for what is not there."""
        known = await self._metadata.run(_find, found, shared.installation.org_ids)
        if known is None:
            return None

        rule, incident, slug = known
        status = "Resolved" if incident is None or not incident.is_open else incident.level.word
        said = ""
        if incident is not None and status != "Resolved":
            said = "\n" + text(incident_of(body_of(rule, incident, slug)))
        url = found.url.replace("&amp;", "&")
        blocks = [section(link(url, f"*{status}: {rule.name}*") + said)]
        source = await self._chart(shared, rule, incident, found)
        if source is not None:
            blocks.append(image(source, "Metric Alert Chart"))
        entry: dict[str, Any] = {"blocks": blocks}
        return entry | ({"color": COLORS[status]} if status in COLORS else {})

    async def _chart(
        self, shared: Shared, rule: Rule, incident: Incident | None, found: Link
    ) -> Any:
        if not self._ladder.has_rung(shared.installation):
            return None

        try:
            async with asyncio.timeout(CHART_TIMEOUT_S):
                picture = await self._draw(rule, incident, found)
                if picture is None:
                    return None
                return await self._ladder.source(shared.installation, picture)
        except (GroundswellError, SlackError, TimeoutError):
            # The words appear without the chart.
            return None


class IncidentButtons:
    """Does what the buttons of incident messages say, with the role of the presser."""

    def __init__(self, metadata: Metadata) -> None:
        self._metadata = metadata

    def register(self, slack: Slack) -> None:
        slack.actions.handlers[ACKNOWLEDGE] = self.acknowledge
        slack.actions.handlers[MUTE] = self.mute
        slack.actions.handlers[OPEN] = _nothing

    async def acknowledge(self, pressed: Pressed) -> str | None:
        """Note that the presser looks after the incident."""

        def act(connection: Connection, scope: Scope, incident: Incident) -> str:
            if incident.acknowledged_at is not None:
                who = incident.acknowledged_by
                user = tenancy.find_user(connection, who) if who is not None else None
                return f"Already acknowledged by {user.email if user else 'somebody'}."
            if not incident.is_open:
                return "This incident has ended."
            desk.acknowledge(connection, incident, pressed.user.id, utc_now())
            return f"You acknowledged incident #{incident.number}."

        return await self._act(pressed, act)

    async def mute(self, pressed: Pressed) -> str | None:
        """Keep the incident silent for the hours of the button."""
        hours = int(tail) if (tail := pressed.value.rpartition(":")[2]).isdigit() else 0
        if hours not in MUTE_HOURS:
            return None

        def act(connection: Connection, scope: Scope, incident: Incident) -> str:
            now = utc_now()
            until = now + timedelta(hours=hours)
            desk.mute_incident(connection, incident, until, pressed.user.id, now)
            return f"Incident #{incident.number} is muted until {until:%Y-%m-%d %H:%M} UTC."

        return await self._act(pressed, act)

    async def _act(
        self, pressed: Pressed, act: Callable[[Connection, Scope, Incident], str]
    ) -> str:
        org, _, rest = pressed.value.partition(":")
        number = rest.partition(":")[0]

        def work(connection: Connection) -> str:
            caller = Caller(user=pressed.user, org_id=None, scopes=frozenset())
            try:
                scope = access.scope(connection, caller, org)
                if scope.organization.id not in pressed.installation.org_ids:
                    return NOT_YOURS
                access.require_scope(scope, "alerts:write")
                incident, _ = desk.find_incident(
                    connection, scope, int(number) if number.isdigit() else 0
                )
            except NotAllowed:
                return NOT_YOURS
            except NotFound:
                return GONE
            return act(connection, scope, incident)

        return await self._metadata.run(work)


async def _nothing(pressed: Pressed) -> str | None:
    return None


def _find(
    connection: Connection, found: Link, org_ids: tuple[Any, ...]
) -> tuple[Rule, Incident | None, str] | None:
    organization = tenancy.find_organization(connection, found.org)
    if organization is None or organization.id not in org_ids:
        return None

    watched = alerts.find_rule(connection, organization.id, int(found.item))
    if watched is None:
        return None

    chosen = found.first("alert")
    if chosen is None:
        newest = incidents.list_incidents(
            connection, organization.id, rule_ids=[watched.rule.id], limit=1
        )
        return watched.rule, (newest[0] if newest else None), organization.slug

    incident = None
    if chosen.isdigit():
        incident = incidents.find_incident(connection, organization.id, int(chosen[:9]))
    if incident is None or incident.rule_id != watched.rule.id:
        return None

    return watched.rule, incident, organization.slug
