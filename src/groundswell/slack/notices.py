"""Notices of incidents → messages in channels, with the chart of the moment they are sent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from groundswell.errors import GroundswellError, UpstreamError
from groundswell.slack.images import Picture
from groundswell.slack.incidents import IncidentSender
from groundswell.slack.messages.blocks import SECTION, bold, cut, escape, link, section
from groundswell.slack.messages.incidents import Incident
from groundswell.store.metadata.notify import Delivery

# (organization, rule, number of the incident) → its chart, None when there is nothing to draw
Draw = Callable[[int, int, int], Awaitable[Picture | None]]


class SlackNotices:
    """The sender of the channel `slack`."""

    def __init__(self, incidents: IncidentSender, draw: Draw) -> None:
        self._incidents = incidents
        self._draw = draw

    async def send(self, delivery: Delivery) -> str:
        """Hand a notice to the queue of Slack's messages. Raises UpstreamError."""
        if delivery.kind != "incident":
            return await self._say(delivery)

        told = incident_of(delivery.body)
        picture = None
        if not delivery.body.get("is_test"):
            picture = await self._picture(delivery, told)
        edits = bool(delivery.body.get("edits"))
        sent = await self._incidents.send(
            delivery.org_id, delivery.target, told, key=delivery.key[:190], picture=picture,
            edits=edits,
        )  # fmt: skip
        if not sent and not await self._incidents.can_reach(delivery.org_id):
            raise UpstreamError("No Slack workspace is connected to this organization",
                                retryable=True)  # fmt: skip

        return "handed to Slack's queue"

    async def _say(self, delivery: Delivery) -> str:
        """Tell what has no message of its own by its title and text."""
        message = plain_message(delivery.kind, delivery.body)
        key = delivery.key[:190]
        if not await self._incidents.say(delivery.org_id, delivery.target, message, key=key):
            raise UpstreamError("No Slack workspace is connected to this organization",
                                retryable=True)  # fmt: skip

        return "handed to Slack's queue"

    async def _picture(self, delivery: Delivery, told: Incident) -> Picture | None:
        try:
            return await self._draw(int(delivery.org_id), told.rule_id, told.number)
        except GroundswellError:
            # The words arrive without the chart.
            return None


def plain_message(kind: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """Write a message of a title, which leads to the page, and the lines below it."""
    title = str(body.get("title") or kind)
    url = str(body.get("url") or "")
    text = cut(escape(str(body.get("text") or "")), SECTION - 500)
    head = link(url, cut(title, 300)) if url.startswith("http") else bold(cut(title, 300))
    return {"text": cut(escape(title), 300), "blocks": [section(f"{head}\n{text}".strip())]}


def incident_of(body: Mapping[str, Any]) -> Incident:
    """Read the plain data of a notice."""
    started = body.get("started_at")
    return Incident(
        org=str(body["org"]),
        rule_id=int(body["rule_id"]),
        rule_name=str(body["name"]),
        number=int(body["number"]),
        status=str(body["status"]),
        aggregate=str(body["aggregate"]),
        window_min=int(body["window_min"]),
        value=body.get("value"),
        started_at=None if started is None else datetime.fromtimestamp(int(started), UTC),
        comparison_delta_min=body.get("comparison_delta_min"),
        notes=str(body.get("notes") or ""),
        notification_uuid=str(uuid4()),
        detection_type=str(body.get("detection_type") or ""),
        is_live=not body.get("is_test"),
        suspect=suspect_words(body.get("suspect")),
    )


def suspect_words(suspect: Any) -> str:
    """Say in one line what may be the cause of an incident."""
    known = suspect if isinstance(suspect, Mapping) else {}
    release, explained = known.get("release"), str(known.get("explanation") or "")
    parts = [explained] if explained else []
    if release and str(release) not in explained:
        parts.insert(0, f"new release {release}")
    return "; ".join(parts)
